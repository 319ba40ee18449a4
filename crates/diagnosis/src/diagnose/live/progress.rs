//! What a target is doing, in a few words.

use std::fmt;

use super::super::facts::{Deployment, Facts, Pod, Seconds, Timestamp};
use super::super::{pods, probes, workloads};
use super::{Target, done, service_of};

/// How a target stands. Shown as `backend 1/2 ready, pulling image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The service, else the name of the workload.
    pub service: String,
    /// `Deployment/todo-backend`
    pub workload: String,
    /// Ready pods of the wanted kind.
    pub ready: i64,
    /// Pods wanted.
    pub wanted: i64,
    /// What it does or waits for; empty when done.
    pub doing: String,
    /// Nothing is left to wait for.
    pub done: bool,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, ready, wanted, doing, .. } = self;
        match (self.workload.starts_with("Job/"), doing.is_empty()) {
            (true, true) => write!(f, "{service} completed"),
            (true, false) => write!(f, "{service} {doing}"),
            (false, true) => write!(f, "{service} {ready}/{wanted} ready"),
            (false, false) => write!(f, "{service} {ready}/{wanted} ready, {doing}"),
        }
    }
}

pub(super) fn of(facts: &Facts, target: &Target, now: Timestamp) -> Progress {
    let workload = target.workload();
    let name = workload.split_once('/').map_or("", |(_, name)| name).to_owned();
    let service = service_of(facts, &workload).unwrap_or_else(|| name.clone());
    let done_at = done::at(facts, target, now);
    let done = done_at.is_some_and(|at| now >= at);
    let (ready, wanted, mut doing) = match target {
        Target::Deployment { generation, .. } => deployment(facts, &name, *generation),
        Target::StatefulSet { .. } => stateful_set(facts, &name),
        Target::DaemonSet { .. } => daemon_set(facts, &name),
        Target::Job { .. } => job(facts, &name),
    };
    if let Some(at) = done_at {
        let left = Seconds(at.seconds_since(now) + 1);
        doing = if done { String::new() } else { format!("watching it for {left} more") };
    }
    Progress { service, workload, ready, wanted, doing, done }
}

fn deployment(facts: &Facts, name: &str, generation: Option<i64>) -> (i64, i64, String) {
    let Some(deployment) = facts.deployments.get(name) else { return (0, 1, "not created yet".to_owned()) };
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let current = workloads::current_set(facts, deployment);
    let Some(current) = current.filter(|_| seen(deployment, generation)) else {
        return (0, wanted, "waiting for the controller".to_owned());
    };
    let ready = current.status.ready_replicas.min(wanted);
    let pods = facts.pods.values().filter(|pod| {
        pod.metadata.deletion_timestamp.is_none()
            && pod.metadata.owner_references.iter().any(|owner| owner.kind == "ReplicaSet" && owner.name == current.metadata.name)
    });
    let doing = pods_doing(facts, pods).unwrap_or_else(|| {
        let old = deployment.status.replicas - deployment.status.updated_replicas;
        if ready >= wanted && old > 0 {
            format!("waiting for {old} old {} to go", if old == 1 { "pod" } else { "pods" })
        } else {
            "creating pods".to_owned()
        }
    });
    (ready, wanted, doing)
}

fn seen(deployment: &Deployment, generation: Option<i64>) -> bool {
    deployment.status.observed_generation >= deployment.metadata.generation.max(generation.unwrap_or_default())
}

fn stateful_set(facts: &Facts, name: &str) -> (i64, i64, String) {
    let Some(set) = facts.stateful_sets.get(name) else { return (0, 1, "not created yet".to_owned()) };
    let wanted = set.spec.replicas.unwrap_or(1);
    let pods = facts
        .pods
        .values()
        .filter(|pod| pod.metadata.owner_references.iter().any(|owner| owner.kind == "StatefulSet" && owner.name == name));
    let doing = pods_doing(facts, pods).unwrap_or_else(|| "creating pods".to_owned());
    (set.status.ready_replicas.min(wanted), wanted, doing)
}

fn daemon_set(facts: &Facts, name: &str) -> (i64, i64, String) {
    let Some(set) = facts.daemon_sets.get(name) else { return (0, 1, "not created yet".to_owned()) };
    let wanted = set.status.desired_number_scheduled;
    let pods = facts
        .pods
        .values()
        .filter(|pod| pod.metadata.owner_references.iter().any(|owner| owner.kind == "DaemonSet" && owner.name == name));
    let doing = pods_doing(facts, pods).unwrap_or_else(|| "creating pods".to_owned());
    (set.status.number_ready.min(wanted), wanted, doing)
}

fn job(facts: &Facts, name: &str) -> (i64, i64, String) {
    let Some(job) = facts.jobs.get(name) else { return (0, 1, "not created yet".to_owned()) };
    let pods = facts.pods.values().filter(|pod| {
        let ended = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        !ended && pod.metadata.owner_references.iter().any(|owner| owner.kind == "Job" && owner.name == name)
    });
    let failed = if job.status.failed > 0 {
        format!(", try {} of {}", job.status.failed + 1, job.spec.backoff_limit.unwrap_or(6) + 1)
    } else {
        String::new()
    };
    let doing = pods_doing(facts, pods).unwrap_or_else(|| "runs".to_owned());
    (job.status.succeeded, job.spec.completions.unwrap_or(1), format!("{doing}{failed}"))
}

/// What the pod that is furthest behind does; `None` when all are ready.
fn pods_doing<'a>(facts: &Facts, pods: impl Iterator<Item = &'a Pod>) -> Option<String> {
    pods.filter_map(|pod| pod_doing(facts, pod)).min_by_key(|(stage, _)| *stage).map(|(_, doing)| doing)
}

fn pod_doing(facts: &Facts, pod: &Pod) -> Option<(u8, String)> {
    let unscheduled =
        pod.status.conditions.iter().find(|condition| condition.kind == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        let short = condition.message.split_once(": ").map_or(condition.message.as_str(), |(_, rest)| rest);
        return Some((0, format!("waiting for a node: {}", short.split(". ").next().unwrap_or(short))));
    }
    let events = facts.events_of("Pod", &pod.metadata);
    let parts = pods::parts(pod);
    if parts.iter().all(|part| part.status.is_none()) {
        return Some((0, if pod.spec.node_name.is_empty() { "waiting for a node" } else { "starting pod" }.to_owned()));
    }
    for part in parts {
        let Some(status) = part.status else { continue };
        let name = &part.spec.name;
        if let Some(waiting) = &status.state.waiting {
            let path = format!("{{{name}}}");
            let last = events.iter().rev().find(|event| event.involved_object.field_path.ends_with(&path));
            let doing = match (waiting.reason.as_str(), last.map(|event| event.reason.as_str())) {
                ("PodInitializing", None) => continue,
                ("ContainerCreating" | "PodInitializing" | "", Some("Pulling")) => "pulling image".to_owned(),
                ("ContainerCreating" | "PodInitializing" | "", _) => "creating container".to_owned(),
                ("CrashLoopBackOff", _) => format!("waiting to restart (restarted {} times)", status.restart_count),
                ("ErrImagePull" | "ImagePullBackOff", _) => "waiting to pull the image again".to_owned(),
                (reason, _) => reason.to_owned(),
            };
            return Some((1, doing));
        }
        if part.init && status.state.running.is_some() {
            return Some((2, format!("init container `{name}` runs")));
        }
        if let Some(ended) = status.state.terminated.as_ref().filter(|ended| !part.init || ended.exit_code != 0) {
            return Some((2, format!("`{name}` ended with exit code {}", ended.exit_code)));
        }
        if !part.init && !status.ready {
            let probe = if part.spec.startup_probe.is_some() && !status.started { "startup" } else { "readiness" };
            let detail = probes::last_answer(facts, pod, &part).map_or_else(String::new, |answer| format!(": {answer}"));
            return Some((3, format!("waiting for {probe}{detail}")));
        }
    }
    None
}
