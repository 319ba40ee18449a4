//! Diagnosis: facts in, ranked findings out. Pure: time comes in as a fact.
//!
//! - [`cluster`]: what is wrong with what runs, from API objects, events and logs.
//! - [`live`]: the same while a rollout happens: progress, and verdicts that allow what may heal its time.
//! - [`tool`]: why minikube, docker, helm or kubectl failed, from what they printed.

mod cause;
mod container;
mod ends;
pub mod facts;
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
