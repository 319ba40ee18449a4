//! Jobs, mostly the database migration: they try again by themselves, and say when they give up.

use super::admission::creation_refused;
use super::cause::{Cause, Depth};
use super::facts::{Facts, Job, Timestamp};
use super::log;
use crate::catalogue::{codes, finding};

/// Seconds after which a Job that tries again is looked at again.
const JOB_LOOK: i64 = 30;

/// What is wrong with a job; one that tries again is worth a word and never a failure.
pub(crate) fn job_cause(facts: &Facts, job: &Job, now: Timestamp) -> Option<Cause> {
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
