//! How a program ended, why, and whether once more may help.

use super::cause::{Cause, Depth};
use super::container::{exec_format, start};
use super::facts::{Terminated, Timestamp};
use super::log::{self, Line, Reason};
use super::pods::{Part, View};
use super::probes;
use crate::catalogue::codes;
use crate::finding::Finding;

/// Seconds after a first crash: the kubelet starts the container again at once, and again after 10 s.
pub(crate) const CRASH_GRACE: i64 = 20;
/// Seconds during which an end counts although the container runs again.
const RECENT: i64 = 180;

/// The program ended: how, why, and whether once more may help.
pub(crate) fn ended_badly(view: &View<'_>, part: &Part<'_>) -> Option<Cause> {
    let status = part.status?;
    let ended = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref())?;
    Some(end(view, part, ended, status.restart_count))
}

/// The container runs, but is about to be ended, or ended a moment ago.
pub(super) fn running_again(view: &View<'_>, part: &Part<'_>) -> Option<Cause> {
    let status = part.status?;
    let running_since = status.state.running.as_ref()?.started_at?;
    // The kubelet has said that it ends the container, which takes up to the grace period of the pod.
    if let Some(killed) = probes::kill(view, part, None).filter(|_| probes::kill_said(view, part) >= Some(running_since)) {
        return Some(killed);
    }
    let ended = status.last_state.terminated.as_ref()?;
    let finished = ended.finished_at.unwrap_or(running_since);
    if view.now.seconds_since(finished) > RECENT {
        return None;
    }
    if ended.reason == "OOMKilled" || probes::kill(view, part, Some(finished)).is_some() {
        return Some(end(view, part, ended, status.restart_count));
    }
    // One restart is forgiven; after two, a start says nothing until it has lasted.
    let lasted = view.now.seconds_since(running_since);
    let looping = status.restart_count >= 2 && was_short(ended) && lasted < 60;
    (looping && !(status.ready && part.spec.readiness_probe.is_some())).then(|| end(view, part, ended, status.restart_count))
}

fn end(view: &View<'_>, part: &Part<'_>, ended: &Terminated, restarts: i64) -> Cause {
    let who = view.who();
    let name = &part.spec.name;
    let evidence = |finding: Finding| {
        let text = format!("{} (exit {}), restarted {}", ended.reason, ended.exit_code, times(restarts));
        finding.evidence(format!("container {name} terminated"), text)
    };
    if ended.reason == "OOMKilled" {
        return Cause::now(Depth::Crash, evidence(out_of_memory(view, part)));
    }
    if let Some(killed) = probes::kill(view, part, ended.finished_at) {
        return killed;
    }
    if matches!(ended.reason.as_str(), "ContainerCannotRun" | "StartError") {
        let found = evidence(start(view, part, &ended.message));
        return Cause::now(Depth::Start, found.evidence(format!("container {name} terminated.message"), &ended.message));
    }
    let line = last_words(view, part, ended);
    if line.as_ref().is_some_and(|(line, _)| line.text.contains("exec format error")) {
        let text = format!("{who} can't start: image `{}` is not for this processor", part.spec.image);
        let said = line.map_or_else(String::new, |(_, log)| log);
        let found = evidence(view.finding(codes::EXEC_FORMAT, text)).evidence(format!("log of {name}"), said);
        return Cause::now(Depth::Start, exec_format(found));
    }
    let reason = line.as_ref().map_or(Reason::Other, |(line, _)| line.reason);
    let said = line.as_ref().map(|(line, _)| line.text.clone());
    let mut found = if part.init {
        let text = said.as_ref().map_or_else(|| format!("exit {}", ended.exit_code), Clone::clone);
        view.finding(codes::INIT_FAILED, format!("{who} can't start: init container `{name}` fails: {text}"))
    } else if ended.exit_code == 0 {
        view.finding(codes::EXITS_ZERO, format!("{who} ends at once without an error, so it is started again and again"))
            .advice("its command must stay in the foreground: check CMD in the Dockerfile and `command` in the values")
    } else {
        crash(view, ended, reason, line.as_ref().map(|(line, _)| line))
    };
    found = evidence(found);
    if let Some((_, log)) = &line {
        found = found.evidence(format!("log of {name}"), log);
    }
    found = found.remedy("see the whole log", view.logs(name, part.status.is_some_and(|status| status.restart_count > 0)));
    if !part.init && reason == Reason::Other {
        found = found.remedy("if it worked before: go back", "cargo xtask rollback");
    }
    let soft = reason == Reason::ServerAway;
    let cause = match grace(view, ended, restarts, reason) {
        Some((deadline, why)) => Cause::until(Depth::Crash, found, view.bounded(deadline), why),
        None => Cause::now(Depth::Crash, found),
    };
    if soft { cause.soft() } else { cause }
}

/// One crash is forgiven; a server that is away may come while Kubernetes tries three times more.
fn grace(view: &View<'_>, ended: &Terminated, restarts: i64, reason: Reason) -> Option<(Timestamp, String)> {
    let base = ended.finished_at.or(view.pod.metadata.creation_timestamp)?;
    // Restarts of long ago, mostly of the whole cluster, don't count.
    let restarts = if was_short(ended) { restarts } else { 0 };
    match (restarts, reason) {
        (0, _) => Some((base.plus_seconds(CRASH_GRACE), "one restart".to_owned())),
        (1..=3, Reason::ServerAway) => Some((base.plus_seconds(90), "90s for the server it needs".to_owned())),
        _ => None,
    }
}

fn out_of_memory(view: &View<'_>, part: &Part<'_>) -> Finding {
    let who = view.who();
    let limit = part.spec.resources.limits.get("memory");
    let text = match limit {
        Some(limit) => format!("{who} was ended: it used more memory than its limit of {limit}"),
        None => format!("{who} was ended: the node ran out of memory"),
    };
    let mut found = view.finding(codes::OOM_KILLED, text);
    if let Some(limit) = limit {
        found = found.evidence(format!("container {} resources.limits.memory", part.spec.name), limit);
    }
    found.remedy(format!("raise `resources.{who}.limits.memory` in the values, then"), "cargo xtask deploy")
}

fn crash(view: &View<'_>, ended: &Terminated, reason: Reason, line: Option<&Line>) -> Finding {
    let who = view.who();
    let Some(line) = line else {
        let text = format!("{who} ends with exit code {}{} at every start", ended.exit_code, signal(ended.exit_code));
        return view.finding(codes::CRASH_LOOP, text);
    };
    match (reason, line.variables.as_slice()) {
        (Reason::ServerAway, _) => view
            .finding(codes::DATABASE_UNREACHABLE, format!("{who} ends because a server it needs does not answer: {}", line.text))
            .advice("check the host in DATABASE_URL: in a pod `localhost` is the pod itself; this machine is `host.minikube.internal`")
            .remedy("see whether the database runs", "cargo xtask status"),
        (Reason::DatabaseRefuses, _) => view
            .finding(codes::DATABASE_UNREACHABLE, format!("{who} ends because the database refuses it: {}", line.text))
            .remedy("correct user, password and database in DATABASE_URL in .env, then", "cargo xtask deploy"),
        (Reason::Config, variables) => view
            .finding(codes::APP_CONFIG_REFUSED, format!("{who} refuses its configuration: {}", line.text))
            .remedy(format!("set {} in .env (or under `config`), then", variables.join(", ")), "cargo xtask deploy"),
        _ => view.finding(codes::CRASH_LOOP, format!("{who} ends with exit code {}: {}", ended.exit_code, line.text)),
    }
}

/// `once`, `2 times`.
pub(super) fn times(count: i64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn signal(exit_code: i64) -> &'static str {
    match exit_code {
        134 => " (abort)",
        137 => " (killed)",
        139 => " (segmentation fault)",
        143 => " (asked to end)",
        _ => "",
    }
}

/// The line that matters of the right log, and the last lines of that log.
fn last_words(view: &View<'_>, part: &Part<'_>, ended: &Terminated) -> Option<(Line, String)> {
    let key = (view.pod.metadata.name.clone(), part.spec.name.clone());
    let logs = view.facts.logs.get(&key);
    let status = part.status?;
    // The log of the end that is talked about: the current one if the container has ended, else the previous.
    let ended_now = status.state.terminated.is_some();
    let (first, second) = logs.map_or((None, None), |logs| {
        let (current, previous) = (logs.current.as_deref(), logs.previous.as_deref());
        if ended_now { (current, previous) } else { (previous, current) }
    });
    let written = Some(ended.message.as_str()).filter(|message| !message.trim().is_empty());
    [first, second, written].into_iter().flatten().find_map(|text| {
        let line = log::significant(text)?;
        let around = log::around(text, &line);
        Some((line, around))
    })
}

/// The run that ended was none that did its work for a while.
fn was_short(ended: &Terminated) -> bool {
    match (ended.started_at, ended.finished_at) {
        (Some(started), Some(finished)) => finished.seconds_since(started) < 60,
        _ => true,
    }
}
