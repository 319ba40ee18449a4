//! Why a probe fails: what was asked, what was answered, how long it may go on.

use super::cause::{Cause, Depth};
use super::facts::{Event, Probe, Timestamp};
use super::log;
use super::pods::{Part, View};
use crate::catalogue::codes;

/// Seconds that a program without a startup probe is given at least to answer for the first time.
pub(crate) const FIRST_ANSWER: i64 = 90;

/// What an endpoint answered, from the kubelet's words.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answered {
    Status(u16),
    Refused,
    Late,
    Other(String),
}

fn answered(message: &str) -> Answered {
    let status = message.split_once("statuscode: ").and_then(|(_, rest)| rest.trim().parse().ok());
    if let Some(status) = status {
        Answered::Status(status)
    } else if message.contains("connection refused") {
        Answered::Refused
    } else if ["Client.Timeout", "deadline exceeded", "i/o timeout", "timed out"].iter().any(|words| message.contains(words)) {
        Answered::Late
    } else {
        Answered::Other(message.split_once("failed: ").map_or(message, |(_, rest)| rest).trim().to_owned())
    }
}

impl Answered {
    fn describe(&self, probe: &Probe) -> String {
        let target = probe.target();
        match self {
            Self::Status(status) => format!("{target} answers {status}"),
            Self::Refused => match probe.port() {
                Some(port) => format!("nothing listens on port {port} ({target})"),
                None => format!("{target}: connection refused"),
            },
            Self::Late => format!("{target} does not answer within {}s", probe.timeout_seconds),
            Self::Other(text) => format!("{target}: {text}"),
        }
    }
}

/// A readiness or startup probe that fails while the container runs.
pub(crate) fn cause(view: &View<'_>, part: &Part<'_>) -> Option<Cause> {
    let status = part.status?;
    let running = status.state.running.as_ref()?;
    if status.ready {
        return None;
    }
    let started_at = running.started_at?;
    let startup = part.spec.startup_probe.as_ref().filter(|_| !status.started);
    let (word, probe) = match startup {
        Some(probe) => ("Startup", probe),
        None => ("Readiness", part.spec.readiness_probe.as_ref()?),
    };
    let event = failure(view, part, word, Some(started_at))?;
    let answer = answered(&event.message);
    let who = view.who();
    let what = if startup.is_some() { "is not started" } else { "is not ready" };
    let key = (view.pod.metadata.name.clone(), part.spec.name.clone());
    let log = view.facts.logs.get(&key).and_then(|logs| logs.current.as_deref());
    let body = view.facts.answers.get(&view.pod.metadata.name);
    // The program may have said what it waits for, to us or to its log.
    let trouble = body.and_then(|answer| log::trouble(&answer.body)).or_else(|| log.and_then(log::trouble));
    let (code, why) = match &trouble {
        Some(line) => (codes::DATABASE_UNREACHABLE, line.text.strip_prefix("not ready: ").unwrap_or(&line.text).to_owned()),
        None => (codes::NOT_READY, answer.describe(probe)),
    };
    let mut found = view
        .finding(code, format!("{who} {what}: {why}"))
        .evidence(format!("event {} (seen {} times)", event.reason, event.times()), &event.message);
    if let Some(body) = body {
        let line = body.body.lines().find(|line| !line.trim().is_empty()).unwrap_or("(empty body)");
        found = found.evidence(probe.target(), format!("{}: {}", body.status, line.trim()));
    }
    if let Some(log) = log {
        let said = trouble.as_ref().map_or_else(|| log::tail(log, 8), |line| log::around(log, line));
        found = found.evidence(format!("log of {}", part.spec.name), said);
    }
    if trouble.is_some() {
        found = found.advice(
            "check DATABASE_URL in .env: in a pod `localhost` is the pod itself; this machine is `host.minikube.internal`",
        );
    }
    found = found.remedy("see why in its log", view.logs(&part.spec.name, false));
    // The startup probe asks the path of liveness.
    let which = if startup.is_some() { "liveness" } else { "readiness" };
    found = match answer {
        Answered::Status(404) => {
            let set = format!("if the path is another one: set `services.{who}.health.{which}` in xtask.toml, then");
            found.remedy(set, "cargo xtask deploy")
        }
        Answered::Refused => found
            .advice("it must listen on 0.0.0.0 and on that port, not on localhost")
            .remedy(format!("if the port is another one: set `services.{who}.port` in xtask.toml, then"), "cargo xtask deploy")
            .advice("if it only starts slowly: give it a startup probe, or raise `failureThreshold` of the readiness probe"),
        _ => found,
    };
    let (deadline, why) = deadline(view, probe, startup.is_some(), &answer, started_at);
    let (depth, deadline) = (Depth::Probe, view.bounded(deadline));
    Some(Cause::until(depth, found, deadline, why).soft())
}

/// Whether a container runs and its startup or readiness probe has failed three times or more: its log may say why.
pub(crate) fn fails_often(facts: &super::facts::Facts, pod: &super::facts::Pod, part: &Part<'_>) -> bool {
    const OFTEN: i64 = 3;
    let Some(started_at) =
        part.status.filter(|status| !status.ready).and_then(|status| status.state.running.as_ref()?.started_at)
    else {
        return false;
    };
    let view = View { facts, pod, now: started_at, progress_deadline: None, deadline_exceeded: false };
    ["Startup", "Readiness"]
        .iter()
        .any(|word| failure(&view, part, word, Some(started_at)).is_some_and(|event| event.times() >= OFTEN))
}

/// What the startup or readiness probe of a running container was answered last, for progress.
pub(crate) fn last_answer(facts: &super::facts::Facts, pod: &super::facts::Pod, part: &Part<'_>) -> Option<String> {
    let started_at = part.status?.state.running.as_ref()?.started_at;
    let startup = part.spec.startup_probe.as_ref().filter(|_| part.status.is_some_and(|status| !status.started));
    let (word, probe) = match startup {
        Some(probe) => ("Startup", probe),
        None => ("Readiness", part.spec.readiness_probe.as_ref()?),
    };
    let view = View { facts, pod, now: started_at?, progress_deadline: None, deadline_exceeded: false };
    let event = failure(&view, part, word, started_at)?;
    Some(answered(&event.message).describe(probe))
}

/// Until when a failing probe is only a slow start.
fn deadline(view: &View<'_>, probe: &Probe, startup: bool, answer: &Answered, started_at: Timestamp) -> (Timestamp, String) {
    let budget = probe.budget_seconds() + probe.timeout_seconds;
    if startup {
        return (started_at.plus_seconds(budget), format!("the startup probe allows {budget}s"));
    }
    // A pod that was ready before starts its time anew.
    let unready_since =
        view.condition("Ready").filter(|ready| ready.status == "False").and_then(|ready| ready.last_transition_time);
    let base = unready_since.map_or(started_at, |since| since.max(started_at));
    // Its server runs and does not know the path, or wants a login: waiting does not help.
    if matches!(answer, Answered::Status(400..=499)) {
        return (base.plus_seconds(budget), format!("the readiness probe allows {budget}s"));
    }
    // A chart that lets the probe fail for longer knows why.
    let patience = FIRST_ANSWER.max(probe.initial_delay_seconds + 10 * probe.period_seconds).max(budget);
    (base.plus_seconds(patience), format!("{patience}s for a first answer, the probe asks every {}s", probe.period_seconds))
}

/// The container was ended by a probe: around `ended`, if it ended, else just now.
pub(crate) fn kill(view: &View<'_>, part: &Part<'_>, ended: Option<Timestamp>) -> Option<Cause> {
    let killing = killing(view, part)?;
    // The kubelet says Killing before the grace period of the pod begins: up to 30 s before the end.
    let (said, ended) = (killing.last_seen()?, ended.unwrap_or(view.now));
    if ended.seconds_since(said) > 60 {
        return None;
    }
    let startup = killing.message.contains("startup");
    let (code, word, probe) = if startup {
        (codes::STARTUP_KILLS, "Startup", part.spec.startup_probe.as_ref()?)
    } else {
        (codes::LIVENESS_KILLS, "Liveness", part.spec.liveness_probe.as_ref()?)
    };
    let failure = failure(view, part, word, None);
    let answer = failure.map(|event| answered(&event.message));
    let who = view.who();
    let said_what = answer.as_ref().map_or_else(|| probe.target(), |answer| answer.describe(probe));
    let text = if startup {
        format!("{who} is ended because it does not start within {}s: {said_what}", probe.budget_seconds())
    } else {
        format!("{who} is restarted by its liveness probe: {said_what}")
    };
    let mut found = view.finding(code, text).evidence("event Killing", &killing.message);
    if let Some(event) = failure {
        found = found.evidence(format!("event {} (seen {} times)", event.reason, event.times()), &event.message);
    }
    let restarts = part.status.map_or(0, |status| status.restart_count);
    found = found
        .evidence(format!("container {} restartCount", part.spec.name), restarts.to_string())
        .remedy("see what it did", view.logs(&part.spec.name, restarts > 0));
    let which = if startup { "startup" } else { "liveness" };
    found = match answer {
        Some(Answered::Late) => found.remedy(
            format!("if it is only slow: raise `healthProbe.{who}.{which}.timeoutSeconds` or `.failureThreshold`, then"),
            "cargo xtask deploy",
        ),
        _ => found.remedy(
            format!("if path or port are wrong: correct `services.{who}.health` or `.port` in xtask.toml, then"),
            "cargo xtask deploy",
        ),
    };
    // A late answer may be a busy machine: a second kill decides.
    if answer == Some(Answered::Late) && restarts <= 1 && !startup {
        let deadline = view.bounded(said.plus_seconds(2 * probe.budget_seconds() + FIRST_ANSWER));
        return Some(Cause::until(Depth::Crash, found, deadline, "one restart, the machine may be busy"));
    }
    Some(Cause::now(Depth::Crash, found))
}

/// When the kubelet said last that it ends the container because of a probe.
pub(crate) fn kill_said(view: &View<'_>, part: &Part<'_>) -> Option<Timestamp> {
    killing(view, part)?.last_seen()
}

fn killing<'a>(view: &View<'a>, part: &Part<'_>) -> Option<&'a Event> {
    view.events().into_iter().rev().find(|event| {
        event.reason == "Killing"
            && part_of(event, &part.spec.name)
            && (event.message.contains("failed liveness probe") || event.message.contains("failed startup probe"))
    })
}

/// The last event of a failing probe, not older than `since`.
fn failure<'a>(view: &View<'a>, part: &Part<'_>, word: &str, since: Option<Timestamp>) -> Option<&'a Event> {
    let start = format!("{word} probe ");
    view.events().into_iter().rev().find(|event| {
        event.reason == "Unhealthy"
            && event.message.starts_with(&start)
            && part_of(event, &part.spec.name)
            && since.is_none_or(|since| event.last_seen().is_some_and(|seen| seen >= since))
    })
}

fn part_of(event: &Event, container: &str) -> bool {
    let path = event.involved_object.field_path.as_str();
    path.is_empty() || path.ends_with(&format!("{{{container}}}"))
}
