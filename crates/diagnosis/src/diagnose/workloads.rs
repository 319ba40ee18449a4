//! What is wrong with workloads and nodes rather than with one pod.

use super::admission::creation_refused;
use super::cause::{Cause, Depth};
use super::facts::{Condition, Deployment, Facts, Meta, Node, Pod, ReplicaSet, Seconds, Timestamp};
use super::jobs::job_cause;
use super::pods::{View, stuck};
use crate::catalogue::{codes, finding};
use crate::finding::Severity;

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
    // A Job that is made anew has the name of the one before, whose pods go a moment later.
    let of_job = pod.metadata.owner_references.iter().find(|owner| owner.kind == "Job");
    if let Some((owner, job)) = of_job.and_then(|owner| Some((owner, facts.jobs.get(&owner.name)?))) {
        return owner.uid == job.metadata.uid;
    }
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
            let cause =
                creation_refused(facts, (&set.metadata, &set.spec.template.spec), &subject, &event.message, event.first_seen());
            causes.push(Cause { workload: format!("StatefulSet/{}", set.metadata.name), ..cause });
        }
    }
    for set in facts.daemon_sets.values() {
        let events = facts.events_of("DaemonSet", &set.metadata);
        let lacking = set.status.current_number_scheduled < set.status.desired_number_scheduled;
        if let Some(event) = events.iter().rev().find(|event| event.reason == "FailedCreate").filter(|_| lacking) {
            let subject = format!("daemonset/{}", set.metadata.name);
            let owner = (&set.metadata, &set.spec.template.spec);
            let cause = creation_refused(facts, owner, &subject, &event.message, event.first_seen());
            causes.push(Cause { workload: format!("DaemonSet/{}", set.metadata.name), ..cause });
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
    creation_refused(
        facts,
        (&deployment.metadata, &deployment.spec.template.spec),
        &subject,
        &condition.message,
        condition.last_transition_time,
    )
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
    let service = facts.scope.service(&deployment.metadata, &deployment.spec.template.spec);
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
