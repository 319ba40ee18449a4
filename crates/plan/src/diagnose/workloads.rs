//! What is wrong with workloads and nodes rather than with one pod.

use super::cause::{Cause, Depth};
use super::facts::{Condition, Deployment, Facts, Job, Meta, Node, Pod, ReplicaSet, Seconds, Timestamp};
use super::log;
use super::pods::{View, stuck};
use crate::catalogue::{codes, finding};
use crate::finding::{Finding, Severity};

/// Seconds: a quota may be used by pods that are just going.
pub(crate) const QUOTA_GRACE: i64 = 30;
/// Seconds after which a Job that tries again is looked at again.
const JOB_LOOK: i64 = 30;
/// Seconds that a node may be not ready, as after a start.
pub(crate) const NODE_GRACE: i64 = 30;
/// Seconds that a namespace may take to go.
const NAMESPACE_SLACK: i64 = 60;

/// `Deployment/todo-backend`: what a pod belongs to.
pub(crate) fn workload(facts: &Facts, pod: &Pod) -> String {
    if let Some(deployment) = deployment_of(facts, pod) {
        return format!("Deployment/{}", deployment.metadata.name);
    }
    pod.metadata.owner_references.first().map_or_else(
        || format!("Pod/{}", pod.metadata.name),
        |owner| match (owner.kind.as_str(), owner.name.rsplit_once('-')) {
            ("ReplicaSet", Some((deployment, _))) => format!("Deployment/{deployment}"),
            (kind, _) => format!("{kind}/{}", owner.name),
        },
    )
}

/// The Deployment of a pod, through its `ReplicaSet`.
pub(crate) fn deployment_of<'a>(facts: &'a Facts, pod: &Pod) -> Option<&'a Deployment> {
    let set = replica_set_of(facts, pod)?;
    let owner = set.metadata.owner_references.iter().find(|owner| owner.kind == "Deployment")?;
    facts.deployments.get(&owner.name)
}

fn replica_set_of<'a>(facts: &'a Facts, pod: &Pod) -> Option<&'a ReplicaSet> {
    let owner = pod.metadata.owner_references.iter().find(|owner| owner.kind == "ReplicaSet")?;
    facts.replica_sets.get(&owner.name)
}

/// `deployment.kubernetes.io/revision`, counted up by every rollout (a rollback too).
pub(crate) fn revision(meta: &Meta) -> i64 {
    meta.annotations.get("deployment.kubernetes.io/revision").and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The `ReplicaSet` that a Deployment rolls out now; `None` until the controller has seen the newest generation.
pub(crate) fn current_set<'a>(facts: &'a Facts, deployment: &Deployment) -> Option<&'a ReplicaSet> {
    let newest = facts
        .replica_sets
        .values()
        .filter(|set| {
            set.metadata.owner_references.iter().any(|owner| {
                owner.kind == "Deployment"
                    && owner.name == deployment.metadata.name
                    && (owner.uid.is_empty() || owner.uid == deployment.metadata.uid)
            })
        })
        .max_by_key(|set| revision(&set.metadata))?;
    let seen = deployment.status.observed_generation >= deployment.metadata.generation;
    (seen || revision(&newest.metadata) > revision(&deployment.metadata)).then_some(newest)
}

/// Whether the pod belongs to what is wanted now, and not to a `ReplicaSet` that is being replaced.
pub(crate) fn is_current(facts: &Facts, pod: &Pod) -> bool {
    let Some(set) = replica_set_of(facts, pod) else { return true };
    let Some(deployment) = deployment_of(facts, pod) else { return true };
    current_set(facts, deployment).is_some_and(|current| current.metadata.name == set.metadata.name)
}

/// Causes in nodes, namespaces and workloads. `found` are those of pods: a Deployment whose pods have causes adds none.
pub(crate) fn causes(facts: &Facts, now: Timestamp, found: &[Cause]) -> Vec<Cause> {
    let mut causes: Vec<Cause> = facts.nodes.values().filter_map(|node| node_cause(facts, node)).collect();
    for namespace in facts.namespaces.values() {
        if let Some(deleted) = namespace.metadata.deletion_timestamp {
            let over = now.seconds_since(deleted);
            if over > NAMESPACE_SLACK {
                causes.push(namespace_stuck(facts, namespace, over));
            }
        }
    }
    for deployment in facts.deployments.values() {
        let workload = format!("Deployment/{}", deployment.metadata.name);
        let refused = current_set(facts, deployment).and_then(|set| {
            let condition = set.status.conditions.iter().find(|condition| condition.kind == "ReplicaFailure")?;
            (condition.status == "True").then(|| refused(facts, deployment, &set.metadata.name, condition))
        });
        let known = refused.is_some() || found.iter().any(|cause| cause.workload == workload);
        let late = if known { None } else { deadline_exceeded(facts, deployment) };
        causes.extend(refused.or(late).map(|cause| Cause { workload, ..cause }));
    }
    for set in facts.stateful_sets.values() {
        let wanted = set.spec.replicas.unwrap_or(1);
        let events = facts.events_of("StatefulSet", &set.metadata);
        if let Some(event) =
            events.iter().rev().find(|event| event.reason == "FailedCreate").filter(|_| set.status.replicas < wanted)
        {
            let subject = format!("statefulset/{}", set.metadata.name);
            let cause = creation_refused(facts, &set.metadata, &subject, &event.message, event.first_seen());
            causes.push(Cause { workload: format!("StatefulSet/{}", set.metadata.name), ..cause });
        }
    }
    for job in facts.jobs.values() {
        causes.extend(job_cause(facts, job, now).map(|cause| Cause { workload: format!("Job/{}", job.metadata.name), ..cause }));
    }
    causes
}

fn node_cause(facts: &Facts, node: &Node) -> Option<Cause> {
    let name = &node.metadata.name;
    let condition = |kind: &str| node.status.conditions.iter().find(|condition| condition.kind == kind);
    let describe = facts.scope.kubectl_cluster(&format!("describe node {name}"));
    for (kind, what) in [("DiskPressure", "disk"), ("MemoryPressure", "memory"), ("PIDPressure", "process ids")] {
        if let Some(pressure) = condition(kind).filter(|condition| condition.status == "True") {
            let mut found = finding(codes::NODE_PRESSURE, format!("node/{name}"), format!("node `{name}` runs out of {what}"))
                .evidence(format!("node/{name} condition {kind}"), &pressure.message);
            if kind == "DiskPressure" {
                found = found.remedy("remove images that no pod uses", "cargo xtask cleanup --scope images");
            }
            return Some(Cause::now(Depth::Node, found.remedy("see what takes it", describe)));
        }
    }
    let ready = condition("Ready").filter(|condition| condition.status != "True")?;
    let found = finding(
        codes::NODE_NOT_READY,
        format!("node/{name}"),
        format!("node `{name}` is not ready: {}", super::pods::first_line(&ready.message)),
    )
    .evidence(format!("node/{name} condition Ready"), format!("{}: {} {}", ready.status, ready.reason, ready.message))
    .remedy("start what is stopped", "cargo xtask setup")
    .remedy("see what its components say", "minikube logs");
    Some(match ready.last_transition_time {
        Some(since) => {
            Cause::until(Depth::Node, found, since.plus_seconds(NODE_GRACE), format!("{NODE_GRACE}s for the node to come up"))
        }
        None => Cause::now(Depth::Node, found),
    })
}

fn namespace_stuck(facts: &Facts, namespace: &super::facts::Bare, over: i64) -> Cause {
    let mut cause = stuck(facts, "namespace", &namespace.metadata, over);
    let telling = [
        "NamespaceFinalizersRemaining",
        "NamespaceContentRemaining",
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
    ];
    let mut said: Vec<&Condition> =
        namespace.status.conditions.iter().filter(|c| c.status == "True" && telling.contains(&c.kind.as_str())).collect();
    said.sort_by_key(|condition| telling.iter().position(|kind| *kind == condition.kind));
    let name = &namespace.metadata.name;
    let held = facts.pods.values().find(|pod| {
        pod.metadata.namespace == *name && pod.metadata.deletion_timestamp.is_some() && !pod.metadata.finalizers.is_empty()
    });
    let why = match (said.first(), held) {
        (_, Some(pod)) => format!("pod `{}` is held by finalizer `{}`", pod.metadata.name, pod.metadata.finalizers.join("`, `")),
        (Some(first), None) => first.message.trim().to_owned(),
        (None, None) => "something in it is not gone yet".to_owned(),
    };
    cause.finding.cause = format!("namespace `{name}` does not go away: {why}");
    // The namespace's own finalizer is not in the way; what is inside is.
    cause.finding.remedies.clear();
    for condition in said {
        cause.finding = cause.finding.evidence(format!("namespace condition {}", condition.kind), condition.message.trim());
    }
    cause.finding = cause
        .finding
        .remedy(
            "see what is left and its finalizers",
            format!("kubectl --context {} -n {name} get all,pvc,configmap,secret -o name", facts.scope.context),
        )
        .remedy("an API that does not answer stops deletion too", facts.scope.kubectl_cluster("get apiservices"));
    cause
}

fn refused(facts: &Facts, deployment: &Deployment, set: &str, condition: &Condition) -> Cause {
    let subject = format!("replicaset/{set}");
    creation_refused(facts, &deployment.metadata, &subject, &condition.message, condition.last_transition_time)
}

/// The API server refuses the pods of a workload.
fn creation_refused(facts: &Facts, owner: &Meta, subject: &str, message: &str, since: Option<Timestamp>) -> Cause {
    let scope = &facts.scope;
    let service = scope.service(&owner.labels);
    let who = service.clone().unwrap_or_else(|| owner.name.clone());
    let make = |code, text: String| {
        let mut found = finding(code, subject, text).evidence(format!("{subject} FailedCreate"), message);
        found.service.clone_from(&service);
        found
    };
    if let Some((_, violation)) = message.split_once("violates PodSecurity ") {
        let (level, problems) = violation.split_once(": ").unwrap_or((violation, ""));
        let level = level.trim_matches('"').split(':').next().unwrap_or_default();
        let text =
            format!("{who} is refused by the Pod Security level `{level}` of its namespace: {}", without_details(problems));
        let found = make(codes::POD_SECURITY, text)
            .remedy(format!("set `podSecurity.{who}.profile: {level}` in the values, then"), "cargo xtask deploy")
            .remedy(
                "or lower the level of the namespace",
                scope.kubectl_cluster(&format!(
                    "label namespace {} --overwrite pod-security.kubernetes.io/enforce=baseline",
                    scope.namespace
                )),
            );
        return Cause::now(Depth::Admission, found);
    }
    if message.contains("exceeded quota") || message.contains("failed quota") {
        return quota(facts, &who, message, since, make);
    }
    if message.contains("serviceaccount") && message.contains("not found") {
        let account = message.split("serviceaccount \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("?");
        let found =
            make(codes::SERVICE_ACCOUNT_MISSING, format!("{who} can't start: service account `{account}` does not exist"))
                .remedy("it comes with the chart: run", "cargo xtask deploy")
                .remedy("see which exist", scope.kubectl("get serviceaccounts"));
        return Cause::now(Depth::Admission, found);
    }
    if message.contains("admission webhook") || message.contains("is forbidden") || message.contains("denied the request") {
        let found = make(codes::ADMISSION, format!("{who} is refused by the API server: {}", shorten(message)))
            .remedy("", scope.kubectl(&format!("describe {subject}")));
        return Cause::now(Depth::Admission, found);
    }
    let found = make(codes::POD_CREATE_FAILED, format!("the pods of {who} can't be created: {}", shorten(message)))
        .remedy("", scope.kubectl(&format!("describe {subject}")));
    Cause::now(Depth::Admission, found)
}

/// `pods "x" is forbidden: exceeded quota: q, requested: a=1, used: a=2, limited: a=2`
fn quota(
    facts: &Facts,
    who: &str,
    message: &str,
    since: Option<Timestamp>,
    make: impl Fn(&'static str, String) -> Finding,
) -> Cause {
    let scope = &facts.scope;
    let part = |name: &str| message.split_once(name).map(|(_, rest)| rest);
    if let Some(rest) = part("failed quota: ") {
        let (quota, must) = rest.split_once(": ").unwrap_or((rest, ""));
        let found = make(codes::QUOTA, format!("{who} is refused by quota `{quota}`: {must}"))
            .remedy(format!("set requests and limits in `resources.{who}` in the values, then"), "cargo xtask deploy")
            .remedy("see the quota", scope.kubectl(&format!("describe quota {quota}")));
        return Cause::now(Depth::Admission, found);
    }
    let rest = part("exceeded quota: ").unwrap_or(message);
    let quota = rest.split(',').next().unwrap_or("?");
    let list = |name: &str, end: &str| {
        part(name).map(|rest| rest.split(end).next().unwrap_or(rest).trim().to_owned()).unwrap_or_default()
    };
    let (asked, used, limit) = (list("requested: ", ", used:"), list("used: ", ", limited:"), list("limited: ", "\n"));
    let found = make(codes::QUOTA, format!("{who} is refused by quota `{quota}`: asks for {asked}, used {used}, limit {limit}"))
        .remedy(format!("lower `resources.{who}` or `replicaCount` in the values, then"), "cargo xtask deploy")
        .remedy("or raise the quota", scope.kubectl(&format!("edit quota {quota}")));
    match since {
        Some(since) => {
            let deadline = since.plus_seconds(QUOTA_GRACE);
            Cause::until(Depth::Admission, found, deadline, format!("{QUOTA_GRACE}s for other pods to go"))
        }
        None => Cause::now(Depth::Admission, found),
    }
}

/// `a != false (container "x" must …), b (…)` without what stands in parentheses: the evidence has it.
fn without_details(problems: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::new();
    for c in problems.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.replace(" ,", ",").trim().to_owned()
}

fn shorten(message: &str) -> &str {
    message.split_once("is forbidden: ").map_or(message, |(_, rest)| rest).trim()
}

/// The condition that the Deployment controller sets.
pub(crate) fn is_over(deployment: &Deployment) -> bool {
    let observed = deployment.status.observed_generation >= deployment.metadata.generation;
    observed && deployment.status.conditions.iter().any(|condition| condition.reason == "ProgressDeadlineExceeded")
}

/// The time of a Deployment is over and its pods don't say why.
fn deadline_exceeded(facts: &Facts, deployment: &Deployment) -> Option<Cause> {
    if !is_over(deployment) {
        return None;
    }
    let status = &deployment.status;
    let wanted = deployment.spec.replicas.unwrap_or(1);
    if status.updated_replicas >= wanted && status.available_replicas >= wanted {
        return None;
    }
    let name = &deployment.metadata.name;
    let service = facts.scope.service(&deployment.metadata.labels);
    let who = service.clone().unwrap_or_else(|| name.clone());
    let seconds = Seconds(deployment.spec.progress_deadline_seconds.unwrap_or(600));
    let text = format!("{who} made no progress for {seconds}: {} of {wanted} pods are ready", status.ready_replicas);
    let mut found = finding(codes::ROLLOUT_DEADLINE, format!("deployment/{name}"), text)
        .evidence(
            format!("deployment/{name} status"),
            format!(
                "updated {}, ready {}, available {}, wanted {wanted}",
                status.updated_replicas, status.ready_replicas, status.available_replicas
            ),
        )
        .remedy("see every pod", "cargo xtask status")
        .remedy("", facts.scope.kubectl(&format!("describe deployment {name}")));
    found.service = service;
    Some(Cause::now(Depth::Deadline, found).soft())
}

fn job_cause(facts: &Facts, job: &Job, now: Timestamp) -> Option<Cause> {
    let name = &job.metadata.name;
    let failed = job.status.conditions.iter().find(|condition| condition.kind == "Failed" && condition.status == "True");
    if let Some(refused) = failed.is_none().then(|| job_refused(facts, job)).flatten() {
        return Some(refused);
    }
    let complete = job.status.conditions.iter().any(|condition| condition.kind == "Complete" && condition.status == "True");
    if failed.is_none() && (job.status.failed == 0 || complete) {
        return None;
    }
    let pods = facts.pods.values().filter(|pod| {
        pod.metadata
            .owner_references
            .iter()
            .any(|owner| owner.kind == "Job" && owner.name == *name && owner.uid == job.metadata.uid)
    });
    // The newest that failed: the one that runs has not said anything yet.
    let newest = pods
        .filter(|pod| pod.status.phase == "Failed")
        .max_by_key(|pod| (pod.metadata.creation_timestamp, pod.metadata.name.clone()));
    let log = newest.and_then(|pod| {
        let mut logs = facts.logs.iter().filter(|((owner, _), _)| *owner == pod.metadata.name).map(|(_, logs)| logs);
        logs.find_map(|logs| logs.current.as_deref().or(logs.previous.as_deref()))
    });
    let line = log.and_then(log::significant);
    let reason = failed.map_or("no reason given", |failed| failed.message.as_str());
    let said = line.as_ref().map_or(reason, |line| line.text.as_str());
    let service = facts.scope.service(&job.metadata.labels);
    let mut found = finding(codes::JOB_FAILED, format!("job/{name}"), format!("job `{name}` failed: {said}"));
    found = match failed {
        Some(failed) => found.evidence(format!("job/{name} condition Failed"), format!("{}: {}", failed.reason, failed.message)),
        None => found.evidence(format!("job/{name} status.failed"), job.status.failed.to_string()),
    };
    if let Some(log) = log {
        found = found.evidence(
            format!("log of job/{name}"),
            line.as_ref().map_or_else(|| log::tail(log, 12), |line| log::around(log, line)),
        );
    }
    found = found
        .remedy("see the whole log", facts.scope.kubectl(&format!("logs job/{name}")))
        .remedy("after the correction", "cargo xtask deploy");
    found.service = service;
    let soft = line.is_some_and(|line| line.reason == log::Reason::ServerAway);
    let cause = if failed.is_some() {
        Cause::now(Depth::Job, found)
    } else {
        // The Job says itself when it gives up: until then it is worth a word and never a failure.
        let tries = job.spec.backoff_limit.unwrap_or(6) + 1;
        let why = format!("try {} of {tries}", job.status.failed + 1);
        Cause::until(Depth::Job, found, now.plus_seconds(JOB_LOOK), why)
    };
    Some(if soft { cause.soft() } else { cause })
}

/// A job without a single pod, because they are refused.
fn job_refused(facts: &Facts, job: &Job) -> Option<Cause> {
    let events = facts.events_of("Job", &job.metadata);
    let event = events.iter().rev().find(|event| event.reason == "FailedCreate")?;
    let idle = job.status.active == 0 && job.status.succeeded == 0 && job.status.failed == 0;
    let subject = format!("job/{}", job.metadata.name);
    idle.then(|| creation_refused(facts, &job.metadata, &subject, &event.message, event.first_seen()))
}

/// Pods that failed and were replaced stay until they are collected: of a Deployment that is complete, only an eviction is worth a
/// word, and no more than a warning.
pub(crate) fn left_over(facts: &Facts, mut cause: Cause) -> Option<Cause> {
    let failed = cause
        .finding
        .subject
        .strip_prefix("pod/")
        .and_then(|name| facts.pods.get(name))
        .is_some_and(|pod| pod.status.phase == "Failed");
    let complete = cause
        .workload
        .strip_prefix("Deployment/")
        .and_then(|name| facts.deployments.get(name))
        .is_some_and(|deployment| deployment.status.available_replicas >= deployment.spec.replicas.unwrap_or(1));
    if !(failed && complete) {
        return Some(cause);
    }
    // One after the other is no left-over.
    let evicted = facts.pods.values().filter(|pod| pod.status.reason == "Evicted" && workload(facts, pod) == cause.workload);
    if cause.finding.code == codes::EVICTED && evicted.count() > 1 {
        return Some(cause);
    }
    cause.finding.severity = Severity::Warning;
    (cause.finding.code == codes::EVICTED).then_some(cause)
}

/// A pod with what surrounds it.
pub(crate) fn view<'a>(facts: &'a Facts, pod: &'a Pod, now: Timestamp) -> View<'a> {
    let deployment = deployment_of(facts, pod);
    View {
        facts,
        pod,
        now,
        progress_deadline: deployment.map(|deployment| deployment.spec.progress_deadline_seconds.unwrap_or(600)),
        deadline_exceeded: deployment.is_some_and(is_over),
    }
}
