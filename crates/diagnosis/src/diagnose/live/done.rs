//! When a target is ready: what was asked for last is what runs, and nothing of before is left.

use super::super::facts::{Deployment, Facts, Pod, Timestamp};
use super::super::{pods, workloads};
use super::Target;

/// Seconds that a program without any probe is watched before it is called ready: without one, "ready" only says that it was started.
const WATCHED: i64 = 2;
/// Seconds at most, where a liveness probe could still end it.
const WATCHED_AT_MOST: i64 = 10;

/// The moment at which `target` is ready, possibly a little ahead; `None` if it is not ready.
pub(super) fn at(facts: &Facts, target: &Target, now: Timestamp) -> Option<Timestamp> {
    match target {
        Target::Deployment { name, generation } => {
            let deployment = facts.deployments.get(name)?;
            deployment_ready(deployment, *generation).then_some(())?;
            let current = workloads::current_set(facts, deployment)?;
            let pods = facts.pods.values().filter(|pod| owned_by(pod, "ReplicaSet", &current.metadata.name));
            Some(pods.filter(|pod| pod.metadata.deletion_timestamp.is_none()).filter_map(lasting).max().unwrap_or(now).max(now))
        }
        Target::StatefulSet { name, generation } => {
            let set = facts.stateful_sets.get(name)?;
            let wanted = set.spec.replicas.unwrap_or(1);
            let status = &set.status;
            let seen = status.observed_generation >= set.metadata.generation.max(generation.unwrap_or_default());
            // `updatedReplicas` is left out by the API server when it is 0, and revisions are equal when nothing is to be updated.
            let updated = status.updated_replicas >= wanted
                || (status.update_revision == status.current_revision && !status.update_revision.is_empty());
            (seen && updated && status.ready_replicas >= wanted).then_some(())?;
            let pods = facts.pods.values().filter(|pod| owned_by(pod, "StatefulSet", name));
            Some(pods.filter_map(lasting).max().unwrap_or(now).max(now))
        }
        Target::DaemonSet { name, generation } => {
            let set = facts.daemon_sets.get(name)?;
            let status = &set.status;
            let wanted = status.desired_number_scheduled;
            let seen = status.observed_generation >= set.metadata.generation.max(generation.unwrap_or_default());
            (seen && status.updated_number_scheduled >= wanted && status.number_ready >= wanted).then_some(())?;
            let pods = facts.pods.values().filter(|pod| owned_by(pod, "DaemonSet", name));
            Some(pods.filter_map(lasting).max().unwrap_or(now).max(now))
        }
        Target::Job { name } => {
            let job = facts.jobs.get(name)?;
            let complete =
                job.status.conditions.iter().any(|condition| condition.kind == "Complete" && condition.status == "True");
            complete.then_some(now)
        }
    }
}

/// As `kubectl rollout status` has it: seen, all of the new template, nothing old, all available.
pub(super) fn deployment_ready(deployment: &Deployment, generation: Option<i64>) -> bool {
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let status = &deployment.status;
    status.observed_generation >= deployment.metadata.generation.max(generation.unwrap_or_default())
        && status.updated_replicas >= wanted
        && status.replicas <= status.updated_replicas
        && status.available_replicas >= wanted
}

fn owned_by(pod: &Pod, kind: &str, name: &str) -> bool {
    pod.metadata.owner_references.iter().any(|owner| owner.kind == kind && owner.name == name)
}

/// When the containers of a pod without readiness probes have run for long enough to believe it.
fn lasting(pod: &Pod) -> Option<Timestamp> {
    let parts = pods::parts(pod).into_iter().filter(|part| !part.init && part.spec.readiness_probe.is_none());
    parts
        .filter_map(|part| {
            let since = part.status?.state.running.as_ref()?.started_at?;
            let probe = part.spec.liveness_probe.as_ref().map(|probe| probe.budget_seconds() + probe.timeout_seconds);
            // `startedAt` is cut to whole seconds: one more, so that it is never too short.
            Some(since.plus_seconds(probe.map_or(WATCHED, |seconds| seconds.clamp(WATCHED, WATCHED_AT_MOST)) + 1))
        })
        .max()
}
