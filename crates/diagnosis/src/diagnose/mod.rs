//! Diagnosis: facts in, ranked findings out. Pure: time comes in as a fact.
//!
//! - [`cluster`]: what is wrong with what runs, from API objects, events and logs.
//! - [`live`]: the same while a rollout happens: progress, and verdicts that allow what may heal its time.
//! - [`tool`]: why minikube, docker, helm or kubectl failed, from what they printed.

mod admission;
mod cause;
mod container;
mod ends;
pub mod facts;
mod jobs;
pub mod live;
mod log;
mod pods;
mod probes;
mod quantity;
mod rank;
mod registry;
mod scheduling;
mod tool;
mod volumes;
mod workloads;

pub use facts::{Facts, Scope, Timestamp};
pub use tool::{ToolFailure, minikube_status, release_status, tool};

use cause::Cause;

use crate::finding::Finding;

/// What is wrong, root causes first; what fails only because of another stands in that one's collateral.
///
/// What may still heal at `now` (a start within the time that its probes allow) is no finding.
pub fn cluster(facts: &Facts, now: Timestamp) -> Vec<Finding> {
    rank::rank(facts, causes(facts, now).into_iter().filter(|cause| cause.is_due(now)).collect())
}

/// Every cause, also those that may still heal.
pub(crate) fn causes(facts: &Facts, now: Timestamp) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for pod in facts.pods.values() {
        // What is being replaced alarms nobody, unless it does not go.
        if pod.metadata.deletion_timestamp.is_none() && !workloads::is_current(facts, pod) {
            continue;
        }
        let view = workloads::view(facts, pod, now);
        causes.extend(pods::cause(&view).map(|cause| Cause { workload: workloads::workload(facts, pod), ..cause }));
    }
    let more = workloads::causes(facts, now, &causes);
    causes.extend(more);
    causes.into_iter().filter_map(|cause| workloads::left_over(facts, cause)).collect()
}

/// What may heal, and for how long it is given time; for the documentation. What is not listed is a failure at once.
pub fn graces() -> Vec<(&'static str, String)> {
    vec![
        (
            "a readiness probe that has not succeeded yet",
            format!(
                "{}s after the start of the container, or 10 periods of the probe after its initial delay if that is longer",
                probes::FIRST_ANSWER
            ),
        ),
        (
            "a readiness probe that is answered 4xx",
            "as long as its own thresholds allow: the server runs and does not know the path".to_owned(),
        ),
        ("a startup probe", "as long as its own thresholds allow; the kubelet ends the container then".to_owned()),
        (
            "a liveness probe that is not answered in time",
            "one restart; any other answer is a failure when the kubelet ends the container".to_owned(),
        ),
        ("the first crash of a container", format!("until the second, {}s at most", ends::CRASH_GRACE)),
        (
            "crashes because a server does not answer",
            "three restarts or 90s, and as long as a service that it waits for is still starting".to_owned(),
        ),
        (
            "a job whose first try failed",
            format!("until the second; {}s if a server that it needs does not answer", jobs::SERVER_BETWEEN_TRIES),
        ),
        (
            "a running job that waits for a server",
            format!("{}s, or {}s if nobody knows the name or it refuses", jobs::SERVER_WAIT, jobs::SERVER_UNKNOWN),
        ),
        (
            "a pod without a node",
            format!("{}s for others to make room; none if it asks for more than the largest node has", scheduling::GRACE),
        ),
        ("a volume that does not come", format!("{}s", volumes::GRACE)),
        ("an image, if the registry does not answer or limits pulls", format!("{}s", container::PULL_GRACE)),
        ("a pod refused by a quota that others use up", format!("{}s", admission::QUOTA_GRACE)),
        ("a sandbox that can't be set up", format!("{}s", pods::SANDBOX_GRACE)),
        ("a node that is not ready", format!("{}s", workloads::NODE_GRACE)),
        ("a deleted object", format!("{}s beyond its own grace period", pods::TERMINATION_SLACK)),
        ("anything that was broken before the rollout began", format!("{}s for the kubelet to try again", live::OLD_TROUBLE)),
    ]
}
