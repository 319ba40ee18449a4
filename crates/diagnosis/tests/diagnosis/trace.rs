//! Traces: what four watches gave during a rollout, and when.

use diagnosis::diagnose::Timestamp;
use diagnosis::diagnose::live::{Kind, LogRequest, Target, Tracker, Verdict};
use serde_json::Value;

use crate::support::{data, scope};

/// The traces, by name.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(data().join("traces")).expect("traces are there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// One line of a trace.
pub(crate) struct Line {
    /// Milliseconds since the watch began.
    pub(crate) at: i64,
    /// The stream, or `None` for an action.
    pub(crate) kind: Option<Kind>,
    /// The watch event.
    pub(crate) event: Value,
}

/// The lines of a trace.
pub(crate) fn lines(name: &str) -> Vec<Line> {
    let path = data().join("traces").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let kind = event["kind"].as_str().expect("a kind");
            Line {
                at: millis(event["at"].as_f64().expect("a time")),
                kind: Kind::ALL.into_iter().find(|known| known.resource() == kind),
                event,
            }
        })
        .collect()
}

/// Seconds of a trace as milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "traces are minutes long")]
pub(crate) fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

/// The moment at which the watch began: the first object says when it was created.
pub(crate) fn base(lines: &[Line]) -> i64 {
    let created = |line: &Line| {
        let created = line.kind.and(line.event["object"]["metadata"]["creationTimestamp"].as_str())?;
        Some(Timestamp::parse(created).expect("RFC 3339").unix_millis() - line.at)
    };
    lines.iter().find_map(created).expect("an object")
}

/// What the trace rolls out, in the order in which it appears.
pub(crate) fn targets(lines: &[Line]) -> Vec<Target> {
    let mut targets = Vec::new();
    for line in lines {
        let name = || line.event["object"]["metadata"]["name"].as_str().expect("text").to_owned();
        let target = match line.kind {
            Some(Kind::Deployments) if line.event["type"] == "ADDED" => Target::deployment(name()),
            Some(Kind::StatefulSets) if line.event["type"] == "ADDED" => Target::StatefulSet { name: name(), generation: None },
            Some(Kind::Jobs) if line.event["type"] == "ADDED" => Target::Job { name: name() },
            _ => continue,
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// Gives a line to the tracker: a watch event, or a log that was fetched when a container ended.
pub(crate) fn feed(tracker: &mut Tracker, line: &Line, now: Timestamp) {
    if let Some(kind) = line.kind {
        tracker.event(kind, &line.event, now).expect("readable");
    } else if line.event["kind"] == "log" {
        let text = |key: &str| line.event[key].as_str().expect("text").to_owned();
        // The container may have started again while its log was read: then this is the log of the new run, and empty.
        let wanted = |request: &LogRequest| request.pod == text("pod") && request.container == text("container");
        if let Some(request) = tracker.wants_logs().into_iter().find(wanted) {
            tracker.log(&request, &text("text"));
        }
    }
}

/// Every change of the verdict and the millisecond (since the watch began) at which it came: on a line, or at a moment that
/// `next_look` named. After the last line the clock goes on for `more` milliseconds.
pub(crate) fn replay(name: &str, more: i64) -> Vec<(i64, Verdict)> {
    let lines = lines(name);
    let base = base(&lines);
    let mut tracker = Tracker::new(scope("any"), targets(&lines), Timestamp::from_unix_millis(base));
    let mut changes: Vec<(i64, Verdict)> = Vec::new();
    let look = |tracker: &Tracker, at: i64, changes: &mut Vec<(i64, Verdict)>| {
        let verdict = tracker.verdict(Timestamp::from_unix_millis(base + at));
        if changes.last().is_none_or(|(_, last)| summary(last) != summary(&verdict)) {
            changes.push((at, verdict));
        }
    };
    let end = lines.last().map_or(0, |line| line.at) + more;
    let mut now = 0;
    for line in lines.iter().map(Some).chain([None]) {
        let next = line.map_or(end, |line| line.at);
        // A caller sleeps until the next line or the next look.
        while let Some(at) = tracker.next_look(Timestamp::from_unix_millis(base + now)).map(|at| at.unix_millis() - base) {
            if at >= next || at <= now {
                break;
            }
            now = at;
            look(&tracker, now, &mut changes);
        }
        now = next;
        if let Some(line) = line {
            feed(&mut tracker, line, Timestamp::from_unix_millis(base + now));
        }
        look(&tracker, now, &mut changes);
    }
    changes
}

/// What a verdict says, short.
pub(crate) fn summary(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Waiting => "waiting".to_owned(),
        Verdict::Done => "done".to_owned(),
        Verdict::Grace { finding, .. } => format!("grace {}", finding.code),
        Verdict::Failing(findings) => {
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
            format!("failing {}", codes.join(" "))
        }
    }
}
