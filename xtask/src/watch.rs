//! Watching the cluster while something happens in it: one stream a kind, no polling. The rules are in `plan::diagnose::live`.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plan::catalogue::{codes, finding};
use plan::desired::Release;
use plan::diagnose::facts::{Facts, Scope, Timestamp};
use plan::diagnose::live::{Kind, Target, Tracker, Verdict};
use plan::finding::Finding;
use plan::objects::{job_settled, number, text};
use serde_json::{Value, json};
use tools::ToolError;
use tools::kubectl::{Logs, Watch, WatchEvent, WatchItem, WatchPath};

use crate::context::Context;
use crate::exec::Running;
use crate::{failure, observe};

/// How long nothing may come in before Ctrl-C and the time are looked at.
const TICK: Duration = Duration::from_millis(200);

/// This moment.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Where findings are, and what waits for what.
pub(crate) fn scope(cx: &Context, release: Option<&str>) -> Scope {
    let services = cx.layout().releases.iter().flat_map(|r| r.services.iter());
    Scope {
        context: cx.profile(),
        namespace: cx.config.namespace.clone(),
        release: release.map(str::to_owned),
        services: services.map(|(name, mapping)| (mapping.component.clone(), name.clone())).collect(),
        images: cx.config.services.iter().map(|(name, service)| (service.image.clone(), name.clone())).collect(),
        waits_for: cx.config.services.iter().map(|(name, service)| (name.clone(), service.needs.clone())).collect(),
    }
}

/// From when on what happens is due to this run's change of a release.
pub(crate) fn changed_at(cx: &Context, release: &str) -> Timestamp {
    cx.changed_at.lock().unwrap_or_else(PoisonError::into_inner).get(release).copied().unwrap_or_else(now)
}

/// Waits until the workloads of a release are ready, and says at once when they can't be.
pub(crate) fn rollout(cx: &Context, run: &Running<'_>, wanted: &Release) -> Result<(), Vec<Finding>> {
    let targets = cx.look(|world| {
        let objects = world.objects.iter().flat_map(|o| o.of_release(&wanted.name));
        objects
            .filter_map(|o| {
                let (name, generation) = (text(o, "/metadata/name").to_owned(), Some(number(o, "/metadata/generation")));
                match text(o, "/kind") {
                    "Deployment" => Some(Target::Deployment { name, generation }),
                    "StatefulSet" => Some(Target::StatefulSet { name, generation }),
                    "DaemonSet" => Some(Target::DaemonSet { name, generation }),
                    "Job" if !job_settled(o) => Some(Target::Job { name }),
                    _ => None,
                }
            })
            .collect::<Vec<_>>()
    });
    if targets.is_empty() {
        return Ok(());
    }
    let mut kinds = vec![Kind::Pods, Kind::Events, Kind::Deployments, Kind::ReplicaSets, Kind::StatefulSets];
    // Rarer, and a stream costs something.
    let any = |is: fn(&Target) -> bool| targets.iter().any(is);
    kinds.extend(any(|target| matches!(target, Target::DaemonSet { .. })).then_some(Kind::DaemonSets));
    kinds.extend(any(|target| matches!(target, Target::Job { .. })).then_some(Kind::Jobs));
    let mut tracker = Tracker::new(scope(cx, Some(&wanted.name)), targets, changed_at(cx, &wanted.name));
    cx.look(|world| {
        for object in world.objects.iter().flat_map(plan::objects::Objects::iter) {
            // Nodes, claims, quotas and the names of secret keys make causes exact; what can't be read of them is left out.
            if matches!(text(object, "/kind"), "Node" | "PersistentVolumeClaim" | "ResourceQuota" | "Secret" | "ConfigMap") {
                tracker.facts_mut().add(object).ok();
            }
        }
    });
    follow(cx, run, &mut tracker, &kinds, cx.config.deadlines.rollout)
}

/// What is watched of these kinds.
pub(crate) fn paths(cx: &Context, kinds: &[Kind]) -> Vec<WatchPath> {
    let namespace = &cx.config.namespace;
    let path =
        |kind: &Kind| WatchPath { kind: kind.resource().to_owned(), path: kind.list_path(namespace), labels: String::new() };
    kinds.iter().map(path).collect()
}

/// Begins to watch, through the run's way to the API server where there is one.
pub(crate) fn streams(cx: &Context, paths: Vec<WatchPath>) -> Result<Watch, Finding> {
    let api = cx.api.way(&cx.runner, &cx.profile());
    Watch::start(&cx.runner, &cx.profile(), api.as_ref(), paths).map_err(|f| failure::finding(cx, &f))
}

fn follow(
    cx: &Context,
    run: &Running<'_>,
    tracker: &mut Tracker,
    kinds: &[Kind],
    deadline: Duration,
) -> Result<(), Vec<Finding>> {
    let watch = streams(cx, paths(cx, kinds))?;
    let until = Instant::now() + deadline;
    let mut listed = BTreeSet::new();
    let mut trouble: Option<Finding> = None;
    let mut said = String::new();
    loop {
        let mut next = watch.recv_timeout(TICK);
        while let Some(item) = next {
            if let WatchItem::Listed { kind, .. } = &item {
                listed.insert(kind.clone());
            }
            if let Some(found) = take(cx, tracker, item)? {
                trouble = Some(found);
            }
            next = watch.recv_timeout(Duration::ZERO);
        }
        fetch_logs(cx, tracker);
        let at = now();
        // Until every kind was listed once, what is missing may only not have been seen yet.
        if listed.len() >= kinds.len() {
            match tracker.verdict(at) {
                Verdict::Done => return Ok(()),
                Verdict::Failing(findings) => return Err(findings),
                Verdict::Grace { until, why, finding } => tell(run, &mut said, grace(at, until, &why, &finding)),
                Verdict::Waiting => tell(run, &mut said, progress(tracker, at)),
            }
        }
        if cx.cancelled() {
            return Err(vec![failure::interrupted("wait for the rollout")]);
        }
        if Instant::now() >= until {
            let mut findings = tracker.give_up(at);
            findings.extend(trouble);
            return Err(findings);
        }
    }
}

/// What is not right and may heal, and for how long it is given time.
pub(crate) fn grace(now: Timestamp, until: Timestamp, why: &str, finding: &Finding) -> String {
    let left = u64::try_from(until.seconds_since(now)).unwrap_or_default();
    // The time first: a live line is cut at the edge of the terminal.
    format!("{left}s left: {} ({why})", finding.cause)
}

/// How far every target is.
pub(crate) fn progress(tracker: &Tracker, now: Timestamp) -> String {
    tracker.progress(now).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Says how far it is, when that has changed.
pub(crate) fn tell(run: &Running<'_>, said: &mut String, text: String) {
    if *said != text {
        run.progress(text.clone());
        *said = text;
    }
}

fn kind_of(resource: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.resource() == resource)
}

/// Takes in what a stream brought. Gives the trouble of a stream that does not answer: it is asked again, so it fails nothing yet.
pub(crate) fn take(cx: &Context, tracker: &mut Tracker, item: WatchItem) -> Result<Option<Finding>, Finding> {
    match item {
        WatchItem::Listed { kind, objects } => take_list(cx, tracker, &kind, &objects)?,
        WatchItem::Changed { kind, event } => take_event(cx, tracker, &kind, event)?,
        WatchItem::Trouble { failure: Some(words), .. } => {
            return Ok(Some(failure::finding(cx, &ToolError::Failed(Box::new(words)))));
        }
        WatchItem::Trouble { message, .. } => return Ok(Some(failure::internal(message))),
    }
    Ok(None)
}

fn take_list(cx: &Context, tracker: &mut Tracker, resource: &str, objects: &[Value]) -> Result<(), Finding> {
    let Some(kind) = kind_of(resource) else { return Ok(()) };
    // Redacted below, where it is shown: events and logs may repeat what a program printed.
    let list = json!({"kind": format!("{}List", kind.object()), "items": objects}).to_string();
    tracker.list(kind, &list).map_err(|e| unreadable(cx, resource, &e.to_string()))
}

fn take_event(cx: &Context, tracker: &mut Tracker, resource: &str, event: WatchEvent) -> Result<(), Finding> {
    let Some(kind) = kind_of(resource) else { return Ok(()) };
    let (name, object) = match event {
        WatchEvent::Added(object) => ("ADDED", object),
        WatchEvent::Modified(object) => ("MODIFIED", object),
        WatchEvent::Deleted(object) => ("DELETED", object),
        // The stream relists by itself.
        WatchEvent::Bookmark(_) | WatchEvent::Error(_) => return Ok(()),
    };
    let event = json!({"type": name, "object": object});
    tracker.event(kind, &event, now()).map(drop).map_err(|e| unreadable(cx, resource, &e.to_string()))
}

pub(crate) fn unreadable(cx: &Context, resource: &str, what: &str) -> Finding {
    finding(codes::OUTPUT_UNREADABLE, resource, format!("what the API server says of {resource} is not understood"))
        .evidence(resource, cx.runner.redacted(what))
}

/// Fetches the logs that would make a cause exact, each once a restart.
pub(crate) fn fetch_logs(cx: &Context, tracker: &mut Tracker) {
    for request in tracker.wants_logs() {
        let logs = Logs {
            object: request.pod.clone(),
            container: Some(request.container.clone()),
            tail: Some(200),
            previous: request.previous,
            timestamps: false,
        };
        tracker.log(&request, &cx.api.log(&cx.runner, &cx.kube(), &logs));
    }
}

/// What is wrong in the namespace now.
pub(crate) fn look_for_causes(cx: &Context, release: &str) -> Result<Vec<Finding>, Finding> {
    Ok(plan::diagnose::cluster(&facts(cx, Some(release))?, now()))
}

/// Everything that diagnosis can use, from one look, with the logs of what failed.
pub(crate) fn facts(cx: &Context, release: Option<&str>) -> Result<Facts, Finding> {
    let objects = observe::listed(cx, observe::DIAGNOSED)?;
    let mut facts = Facts::new(scope(cx, release));
    for object in &objects {
        facts.add(object).map_err(|e| unreadable(cx, "objects", &e.to_string()))?;
    }
    for (pod, container, previous) in objects.iter().filter(|o| text(o, "/kind") == "Pod").flat_map(ended_containers) {
        let logs = Logs { object: pod.clone(), container: Some(container.clone()), tail: Some(200), previous, timestamps: false };
        facts.add_log(&pod, &container, previous, &cx.api.log(&cx.runner, &cx.kube(), &logs));
    }
    Ok(facts)
}

/// The containers of a pod that ended: `(pod, container, whether its end is that of the run before)`.
pub(crate) fn ended_containers(pod: &Value) -> Vec<(String, String, bool)> {
    let statuses = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let all = statuses.iter().flat_map(|at| pod.pointer(at).and_then(Value::as_array).into_iter().flatten());
    all.filter_map(|status| {
        let now = status.pointer("/state/terminated").is_some_and(|end| number(end, "/exitCode") != 0);
        let before = status.pointer("/lastState/terminated").is_some();
        let names = (text(pod, "/metadata/name").to_owned(), text(status, "/name").to_owned());
        (now || before).then_some((names.0, names.1, !now))
    })
    .collect()
}
