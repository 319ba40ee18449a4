//! Root causes first; what follows from another cause folds into it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::cause::{Cause, Depth};
use super::facts::Facts;
use super::workloads;
use crate::catalogue::{codes, with_remedies};
use crate::finding::{Finding, Severity};

/// Ranks and folds.
pub(crate) fn rank(facts: &Facts, causes: Vec<Cause>) -> Vec<Finding> {
    let mut causes = merge(causes);
    causes.sort_by(|a, b| order(a).cmp(&order(b)));
    // A service that others wait for comes before them, whatever its depth.
    for at in 1..causes.len() {
        for before in 0..at {
            if waits(facts, &causes[before], &causes[at]) && !waits(facts, &causes[at], &causes[before]) {
                let root = causes.remove(at);
                causes.insert(before, root);
                break;
            }
        }
    }
    let mut roots: Vec<Cause> = Vec::new();
    for cause in causes {
        match roots.iter_mut().find(|root| hides(facts, root, &cause)) {
            Some(root) => {
                let line = collateral(&root.finding, &cause.finding);
                if !root.finding.collateral.contains(&line) {
                    root.finding.collateral.push(line);
                }
            }
            None => roots.push(cause),
        }
    }
    add_waiting(facts, &mut roots);
    add_serving(facts, &mut roots);
    roots.into_iter().map(|cause| with_remedies(cause.finding)).collect()
}

/// Errors before warnings, then from the root outwards.
fn order(cause: &Cause) -> (Reverse<Severity>, Depth, bool, &str, &str) {
    let finding = &cause.finding;
    let outer = cause.soft || finding.subject.starts_with("namespace/");
    (Reverse(finding.severity), cause.depth, outer, finding.code, finding.subject.as_str())
}

/// The same cause in several pods is one finding.
fn merge(causes: Vec<Cause>) -> Vec<Cause> {
    let mut merged: Vec<(Cause, Vec<String>)> = Vec::new();
    for cause in causes {
        let same = |other: &Cause| {
            other.finding.code == cause.finding.code
                && other.workload == cause.workload
                && (other.finding.cause == cause.finding.cause || !cause.workload.is_empty())
        };
        match merged.iter_mut().find(|(other, _)| same(other)) {
            Some((_, also)) => also.push(cause.finding.subject),
            None => merged.push((cause, Vec::new())),
        }
    }
    merged
        .into_iter()
        .map(|(mut cause, also)| {
            if !also.is_empty() {
                cause.finding = cause.finding.evidence("the same in", also.join(", "));
            }
            cause
        })
        .collect()
}

fn name(finding: &Finding) -> &str {
    finding.service.as_deref().unwrap_or(&finding.subject)
}

fn waits(facts: &Facts, cause: &Cause, other: &Cause) -> bool {
    match (&cause.finding.service, &other.finding.service) {
        (Some(service), Some(root)) if service != root => cause.soft && facts.scope.depends(service, root),
        _ => false,
    }
}

/// Whether `cause` is there only because of `root`.
fn hides(facts: &Facts, root: &Cause, cause: &Cause) -> bool {
    let node = matches!(root.finding.code, codes::NODE_PRESSURE | codes::NODE_NOT_READY);
    if node && matches!(cause.finding.code, codes::EVICTED | codes::UNSCHEDULABLE_TAINT | codes::SANDBOX_FAILED) {
        return true;
    }
    // A namespace waits for what is in it.
    if root.finding.code == codes::STUCK_TERMINATING && cause.finding.code == codes::STUCK_TERMINATING {
        return cause.finding.subject.starts_with("namespace/");
    }
    // The job or pod that is the reason for its own workload's other troubles.
    if !root.workload.is_empty() && root.workload == cause.workload {
        return cause.depth >= root.depth;
    }
    if waits(facts, cause, root) {
        return true;
    }
    // A refused connection that names the other service, in what the program said (after its own name).
    let said = cause.finding.cause.split_once(": ").map_or("", |(_, said)| said);
    let named = root.finding.service.as_deref().is_some_and(|service| service.len() > 3 && said.contains(service));
    cause.soft && named && cause.finding.service != root.finding.service
}

fn collateral(root: &Finding, finding: &Finding) -> String {
    match (&root.service, &finding.service) {
        (Some(root), Some(service)) if root != service => format!("{service} (waits for {root})"),
        _ => format!("{} ({})", name(finding), finding.code),
    }
}

/// Services without a cause of their own that are not ready and wait for a root.
fn add_waiting(facts: &Facts, roots: &mut [Cause]) {
    let with_cause: BTreeSet<String> = roots.iter().filter_map(|root| root.finding.service.clone()).collect();
    let mut unready = BTreeSet::new();
    for pod in facts.pods.values() {
        let ready = pod.status.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True");
        let over = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        if !ready && !over && pod.metadata.deletion_timestamp.is_none() && workloads::is_current(facts, pod) {
            unready.extend(facts.scope.service(&pod.metadata, &pod.spec));
        }
    }
    for service in unready.difference(&with_cause) {
        let root = roots
            .iter_mut()
            .find(|root| root.finding.service.as_deref().is_some_and(|needed| facts.scope.depends(service, needed)));
        if let Some(root) = root {
            let line = format!("{service} (waits for {})", name(&root.finding));
            if !root.finding.collateral.contains(&line) {
                root.finding.collateral.push(line);
            }
        }
    }
}

/// What still works: pods of the revision before.
fn add_serving(facts: &Facts, roots: &mut [Cause]) {
    for root in roots {
        let Some(name) = root.workload.strip_prefix("Deployment/") else { continue };
        let Some(current) = facts.deployments.get(name).and_then(|deployment| workloads::current_set(facts, deployment)) else {
            continue;
        };
        let serving: i64 = facts
            .replica_sets
            .values()
            .filter(|set| set.metadata.owner_references.iter().any(|owner| owner.kind == "Deployment" && owner.name == name))
            .filter(|set| set.metadata.name != current.metadata.name)
            .map(|set| set.status.ready_replicas)
            .sum();
        if serving > 0 {
            let pods = if serving == 1 { "1 pod" } else { &format!("{serving} pods") };
            root.finding.evidence.push(crate::finding::Evidence {
                source: format!("deployment/{name}"),
                text: format!("{pods} of the revision before keep serving"),
            });
        }
    }
}
