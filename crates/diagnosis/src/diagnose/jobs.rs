//! Jobs, mostly the database migration: they try again by themselves, and say when they give up. That is waited for as long as another
//! try may end otherwise.

use super::admission::creation_refused;
use super::cause::{Cause, Depth};
use super::ends::times;
use super::facts::{Condition, Facts, Job, Pod, Timestamp};
use super::log;
use crate::catalogue::{codes, finding};
use crate::finding::Finding;

/// Seconds after which a Job that tries again is looked at again.
const JOB_LOOK: i64 = 30;
/// Failures of a Job after which it does not matter how many more it will try: another try ends the same way.
const ENOUGH: i64 = 2;
/// Seconds that a server may need before a Job that starts without it is a failure, where the Job fails and tries again.
pub(crate) const SERVER_BETWEEN_TRIES: i64 = 90;
/// Seconds that a running Job may wait for a server that does not answer.
pub(crate) const SERVER_WAIT: i64 = 30;
/// Seconds of the same for a name that nobody knows, or a server that refuses: a server that only starts does neither for long.
pub(crate) const SERVER_UNKNOWN: i64 = 10;

/// What is wrong with a job.
pub(crate) fn job_cause(facts: &Facts, job: &Job, now: Timestamp) -> Option<Cause> {
    // helm removes the job of the run before when it makes the next one.
    if job.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let is = |kind: &str| job.status.conditions.iter().find(|condition| condition.kind == kind && condition.status == "True");
    let failed = is("Failed");
    if failed.is_none() {
        if let Some(refused) = job_refused(facts, job) {
            return Some(refused);
        }
        if is("Complete").is_some() {
            return None;
        }
        if let Some(waiting) = waiting(facts, job) {
            return Some(waiting);
        }
    }
    let failures = job.status.failed + pods_of(facts, job).map(restarts).max().unwrap_or_default();
    if failed.is_none() && failures == 0 {
        return None;
    }
    Some(failing(facts, job, failed, failures, now))
}

fn pods_of<'a>(facts: &'a Facts, job: &'a Job) -> impl Iterator<Item = &'a Pod> {
    facts.pods.values().filter(|pod| {
        let mut owners = pod.metadata.owner_references.iter();
        owners.any(|owner| owner.kind == "Job" && owner.name == job.metadata.name && owner.uid == job.metadata.uid)
    })
}

/// A Job that may start its containers again (`restartPolicy: OnFailure`) counts no failed pods.
fn restarts(pod: &Pod) -> i64 {
    pod.status.container_statuses.iter().map(|status| status.restart_count).max().unwrap_or_default()
}

/// It failed for good, or fails and tries again.
fn failing(facts: &Facts, job: &Job, failed: Option<&Condition>, failures: i64, now: Timestamp) -> Cause {
    let name = &job.metadata.name;
    // The newest that failed: the one that runs has not said anything yet.
    let newest = pods_of(facts, job)
        .filter(|pod| pod.status.phase == "Failed" || restarts(pod) > 0)
        .max_by_key(|pod| (pod.metadata.creation_timestamp, pod.metadata.name.clone()));
    let log = newest.and_then(|pod| {
        let mut logs = facts.logs.iter().filter(|((owner, _), _)| *owner == pod.metadata.name).map(|(_, logs)| logs);
        logs.find_map(|logs| if restarts(pod) > 0 { logs.previous.as_deref() } else { None }.or(logs.current.as_deref()))
    });
    let line = log.and_then(log::significant);
    let reason = failed.map_or("no reason given", |failed| failed.message.as_str());
    let said = line.as_ref().map_or(reason, |line| line.text.as_str());
    let mut found = finding(codes::JOB_FAILED, format!("job/{name}"), format!("job `{name}` failed: {said}"));
    found = match failed {
        Some(failed) => found.evidence(format!("job/{name} condition Failed"), format!("{}: {}", failed.reason, failed.message)),
        None => found.evidence(format!("job/{name}"), format!("failed {}", times(failures))),
    };
    if let Some(log) = log {
        found = found.evidence(
            format!("log of job/{name}"),
            line.as_ref().map_or_else(|| log::tail(log, 12), |line| log::around(log, line)),
        );
    }
    let found = closing(facts, job, found);
    let reason = line.map(|line| line.reason);
    let soft = reason == Some(log::Reason::ServerAway);
    let cause = match (failed, job.metadata.creation_timestamp) {
        (Some(_), _) => Cause::now(Depth::Job, found),
        (None, Some(created)) if soft => {
            let why = format!("{SERVER_BETWEEN_TRIES}s for the server it needs");
            Cause::until(Depth::Job, found, created.plus_seconds(SERVER_BETWEEN_TRIES), why)
        }
        // What it said decides: a log that nobody has read yet may say that a server is away.
        (None, _) if failures >= ENOUGH && reason.is_some() => Cause::now(Depth::Job, found),
        (None, _) => {
            let tries = job.spec.backoff_limit.unwrap_or(6) + 1;
            Cause::until(Depth::Job, found, now.plus_seconds(JOB_LOOK), format!("try {} of {tries}", failures + 1))
        }
    };
    if soft { cause.soft() } else { cause }
}

/// It runs, and its log ends with the server that it waits for.
fn waiting(facts: &Facts, job: &Job) -> Option<Cause> {
    let running = pods_of(facts, job).filter(|pod| pod.status.phase == "Running");
    let (since, log) = running
        .flat_map(|pod| pod.spec.containers.iter().map(|container| (pod.metadata.name.clone(), container.name.clone())))
        .find_map(|key| Some((*facts.waits.get(&key)?, facts.logs.get(&key)?.current.as_deref()?)))?;
    let line = log::waits(log)?;
    let name = &job.metadata.name;
    let refuses = line.reason == log::Reason::DatabaseRefuses;
    let what = if refuses { "is refused by its database" } else { "waits for a server that does not answer" };
    let found = finding(codes::DATABASE_UNREACHABLE, format!("job/{name}"), format!("job `{name}` {what}: {}", line.text))
        .evidence(format!("last line of the log of job/{name}"), log::tail(log, 1))
        .advice(
            "check the host in DATABASE_URL: in a pod `localhost` is the pod itself; this machine is `host.minikube.internal`",
        );
    let found = closing(facts, job, found);
    let seconds = if refuses || log::names_nobody(&line.text) { SERVER_UNKNOWN } else { SERVER_WAIT };
    let why = format!("{seconds}s for the server it needs");
    Some(Cause::until(Depth::Job, found, since.plus_seconds(seconds), why).soft())
}

fn closing(facts: &Facts, job: &Job, mut found: Finding) -> Finding {
    found = found
        .remedy("see the whole log", facts.scope.kubectl(&format!("logs job/{}", job.metadata.name)))
        .remedy("after the correction", "cargo xtask deploy");
    found.service = facts.scope.service(&job.metadata, &job.spec.template.spec);
    found
}

/// A job without a single pod, because they are refused.
fn job_refused(facts: &Facts, job: &Job) -> Option<Cause> {
    let events = facts.events_of("Job", &job.metadata);
    let event = events.iter().rev().find(|event| event.reason == "FailedCreate")?;
    let idle = job.status.active == 0 && job.status.succeeded == 0 && job.status.failed == 0;
    let subject = format!("job/{}", job.metadata.name);
    idle.then(|| creation_refused(facts, (&job.metadata, &job.spec.template.spec), &subject, &event.message, event.first_seen()))
}
