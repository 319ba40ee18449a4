//! `status`: the health of everything at a glance, and with `--watch` as it changes. Changes nothing, takes no lock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use plan::catalogue::codes;
use plan::diagnose::Facts;
use plan::diagnose::live::Kind;
use plan::finding::{Finding, Severity};
use plan::objects::{Objects, text};
use report::event::Event;
use report::lines::{self, Line};
use serde_json::{Value, json};
use tools::kubectl::{Logs, WatchEvent, WatchItem, WatchPath};

use crate::cli::{BuildFlags, Selection};
use crate::context::Context;
use crate::health::Health;
use crate::look::{self, Extras};
use crate::session::{Done, Failed, Phase, Session};
use crate::watch;

/// How long nothing may come in before Ctrl-C is looked at.
const TICK: Duration = Duration::from_millis(200);
/// What comes in together is shown together.
const SETTLE: Duration = Duration::from_millis(150);
/// What costs a process or a question to the application is asked for at most this often, and only after a change.
const EXTRAS: Duration = Duration::from_secs(15);

/// `cargo xtask status`.
pub(crate) fn status(session: &Session, selection: &Selection, watch: bool) -> Phase {
    let mut cx = context(session, selection)?;
    let objects = look::objects(&mut cx, selection.layout.is_some()).map_err(|found| nothing_to_show(session, vec![found]))?;
    let releases = look::release_findings(&cx, &objects);
    let deployed = look::releases(&look::parts(&cx)).iter().any(|name| objects.helm_status(name).is_some());
    if !deployed && !watch {
        return Err(nothing_to_show(session, releases));
    }
    if watch {
        return follow(session, &cx, &objects);
    }
    let builder = look::builder(&cx);
    let (facts, extras, (endpoint, unanswered)) = std::thread::scope(|scope| {
        let facts = scope.spawn(|| watch::facts(&cx, None));
        let extras = scope.spawn(|| look::extras(&cx, &builder));
        let endpoint = look::endpoint(&cx, &objects);
        (joined(facts), joined(extras), endpoint)
    });
    let health = look::health(&cx, &objects, &extras, endpoint);
    let mut findings = plan::diagnose::cluster(&facts?, watch::now());
    findings.extend(releases);
    // A pod that is down explains an address that does not answer.
    if findings.iter().all(|f| f.severity < Severity::Error) {
        findings.extend(unanswered);
    }
    let findings = concerning(&cx, findings);
    session.reporter.send(Event::Answer { about: "status", text: health.text(), data: health.data(&findings) });
    let exit_code = health.exit_code(&findings);
    for finding in findings {
        session.reporter.send(Event::Finding(Box::new(finding)));
    }
    Ok(closing(&health, &extras, exit_code))
}

/// A broken .env keeps nobody from looking at what runs.
fn context(session: &Session, selection: &Selection) -> Result<Context, Failed> {
    let failed = match session.context(selection, BuildFlags::default()) {
        Ok(cx) => return Ok(cx),
        Err(failed) => failed,
    };
    if !failed.findings.iter().all(|f| f.code == codes::ENV_FILE_PROBLEM) {
        return Err(failed);
    }
    let (cx, findings) = session.lenient_context(selection.layout.as_deref());
    let Some(mut cx) = cx else { return Err(findings.into()) };
    cx.only.extend(selection.services.iter().cloned());
    session.reporter.send(Event::Note {
        text: format!("{}: cargo xtask doctor", failed.findings.iter().map(|f| f.cause.as_str()).collect::<Vec<_>>().join(", ")),
    });
    Ok(cx)
}

/// Programs get an answer all the same; the findings say the rest.
fn nothing_to_show(session: &Session, findings: Vec<Finding>) -> Failed {
    session.reporter.send(Event::Answer {
        about: "status",
        text: String::new(),
        data: json!({"healthy": false, "findings": findings}),
    });
    Failed { findings, summary: String::new() }
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn closing(health: &Health, extras: &Extras, exit_code: u8) -> Done {
    let summary = match exit_code {
        0 => format!("Healthy: {}", health.pods_ready()),
        _ => format!("Not healthy: {}", health.not_fine().join(", ")),
    };
    let mut done = Done { exit_code, ..Done::saying(summary) };
    if extras.metrics.is_none() {
        done = done.pointer("also", "minikube addons enable metrics-server    shows cpu and memory too");
    }
    if exit_code == 0 { done } else { done.pointer("next", "cargo xtask logs    or    cargo xtask status --watch") }
}

/// With `--service`, what is about that service or about no service at all.
fn concerning(cx: &Context, findings: Vec<Finding>) -> Vec<Finding> {
    let wanted = |f: &Finding| cx.only.is_empty() || f.service.as_ref().is_none_or(|s| cx.only.contains(s));
    findings.into_iter().filter(wanted).collect()
}

/// The live objects as the streams tell them.
struct Live {
    objects: BTreeMap<(String, String), Value>,
    logs: BTreeMap<(String, String, bool), (i64, String)>,
}

/// Follows until Ctrl-C; shows what changed when it changed.
fn follow(session: &Session, cx: &Context, first: &Objects) -> Phase {
    let mut extras = look::extras(cx, &look::builder(cx));
    let namespace = &cx.config.namespace;
    let mut paths = watch::paths(cx, &Kind::ALL);
    // helm's own records say which revision is there.
    paths.push(WatchPath::core(namespace, "secrets").labels("owner=helm"));
    paths.push(WatchPath { kind: "nodes".to_owned(), path: "/api/v1/nodes".to_owned(), labels: String::new() });
    let kinds = paths.len();
    let stream = watch::streams(cx, paths)?;
    let mut live = Live { objects: BTreeMap::new(), logs: BTreeMap::new() };
    for object in first.iter() {
        live.put(text(object, "/kind").to_owned(), object.clone());
    }
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let mut shown: Vec<String> = Vec::new();
    let (mut asked, mut endpoint) = (Instant::now(), look::endpoint(cx, first).0);
    let mut trouble: BTreeMap<String, String> = BTreeMap::new();
    let mut changed = false;
    let mut last: Option<(Health, u8)> = None;
    while !cx.cancelled() {
        let mut next = stream.recv_timeout(TICK);
        let settled = Instant::now() + SETTLE;
        while let Some(item) = next {
            changed = true;
            match item {
                WatchItem::Listed { kind, objects } => {
                    trouble.remove(&kind);
                    live.list(&kind, objects);
                    listed.insert(kind);
                }
                WatchItem::Changed { kind, event } => live.take(&kind, event),
                WatchItem::Trouble { kind, message, .. } => {
                    trouble.insert(kind, message);
                }
            }
            next = stream.recv_timeout(settled.saturating_duration_since(Instant::now()));
        }
        // A grace that ends makes a finding without any event, so time passing is looked at too; it costs no process.
        if listed.len() < kinds && trouble.is_empty() {
            continue;
        }
        let objects = live.all();
        if changed && asked.elapsed() >= EXTRAS {
            extras = look::extras(cx, &look::builder(cx));
            asked = Instant::now();
        }
        if changed {
            crate::observe::keep_objects(cx, objects.clone());
            endpoint = look::endpoint(cx, &objects).0;
        }
        changed = false;
        let now = watch::now();
        let health = look::health(cx, &objects, &extras, endpoint.clone());
        let mut findings = plan::diagnose::cluster(&live.facts(cx)?, now);
        // Whoever stays to look sees it end; who looks once is told what to do if it doesn't.
        let passes = |f: &Finding| f.code == codes::RELEASE_PENDING && look::may_be_at_work(cx, &objects, &f.subject);
        findings.extend(look::release_findings(cx, &objects).into_iter().filter(|f| !passes(f)));
        let findings = concerning(cx, findings);
        let mut lines = health.steady_lines();
        lines.extend(findings.iter().map(|f| {
            lines::render(&[Line { details: Vec::new(), ..Line::finding(f.service.as_deref().unwrap_or("finding"), f) }])
        }));
        lines.extend(
            trouble
                .values()
                .next()
                .map(|what| lines::render(&[Line::new(lines::State::Warn, "stream", cx.runner.redacted(what))])),
        );
        // How long an answer took is no change.
        let key = |line: &String| line.split(" in ").next().unwrap_or_default().to_owned();
        let same = lines.len() == shown.len() && lines.iter().zip(&shown).all(|(a, b)| key(a) == key(b));
        if same {
            continue;
        }
        let changed_lines: String = lines.iter().filter(|line| !shown.iter().any(|s| key(s) == key(line))).cloned().collect();
        let gone: String = gone(&shown, &lines);
        let below: String = lines[health.steady_lines().len()..].concat();
        let mut screen = health.text();
        if !below.is_empty() {
            screen.push('\n');
            screen.push_str(&below);
        }
        session.reporter.send(Event::Screen {
            about: "status",
            text: screen,
            changed: changed_lines + &gone,
            data: health.data(&findings),
        });
        last = Some((health.clone(), health.exit_code(&findings)));
        shown = lines;
    }
    drop(stream);
    // Asked to end: that is how it ends.
    let summary = last.map_or_else(String::new, |(health, code)| match code {
        0 => format!("Healthy when last seen: {}", health.pods_ready()),
        _ => format!("Not healthy when last seen: {}", health.not_fine().join(", ")),
    });
    Ok(Done::saying(summary))
}

/// Pods and findings that are no longer there, a line each.
fn gone(before: &[String], now: &[String]) -> String {
    let subject = |line: &String| line.split_whitespace().skip(1).take(2).map(str::to_owned).collect::<Vec<_>>();
    let pods = before
        .iter()
        .filter(|line| subject(line).first().is_some_and(|about| anstream::adapter::strip_str(about).to_string() == "pod"));
    let left = pods.filter(|line| !now.iter().any(|n| subject(n) == subject(line)));
    left.filter_map(|line| Some(lines::render(&[Line::new(lines::State::Ok, "pod", format!("{}  gone", subject(line).get(1)?))])))
        .collect()
}

impl Live {
    fn put(&mut self, kind: String, object: Value) {
        self.objects.insert((kind, text(&object, "/metadata/name").to_owned()), object);
    }

    /// Replaces a kind by its list. Items of a list name no kind, so it is written into them.
    fn list(&mut self, resource: &str, objects: Vec<Value>) {
        let Some(kind) = kind_of(resource) else { return };
        let helm = |object: &Value| resource != "secrets" || plan::objects::label(object, "owner") == "helm";
        self.objects.retain(|(known, _), object| known != kind || !helm(object));
        for mut object in objects {
            if let Some(fields) = object.as_object_mut() {
                fields.insert("kind".to_owned(), Value::from(kind));
            }
            self.put(kind.to_owned(), object);
        }
    }

    fn take(&mut self, resource: &str, event: WatchEvent) {
        let Some(kind) = kind_of(resource) else { return };
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => self.put(kind.to_owned(), object),
            WatchEvent::Deleted(object) => {
                self.objects.remove(&(kind.to_owned(), text(&object, "/metadata/name").to_owned()));
            }
            // The stream relists by itself.
            WatchEvent::Bookmark(_) | WatchEvent::Error(_) => {}
        }
    }

    fn all(&self) -> Objects {
        Objects::new(self.objects.values().cloned().collect())
    }

    /// What diagnosis can use, with the logs of what ended, each fetched once a restart.
    fn facts(&mut self, cx: &Context) -> Result<Facts, Finding> {
        let mut facts = Facts::new(watch::scope(cx, None));
        let pods: Vec<&Value> = self.objects.values().filter(|o| text(o, "/kind") == "Pod").collect();
        let ended: Vec<(String, String, bool, i64)> = pods
            .iter()
            .flat_map(|pod| {
                watch::ended_containers(pod)
                    .into_iter()
                    .map(|(name, container, previous)| (name, container, previous, look::restarts(pod)))
            })
            .collect();
        for object in self.objects.values() {
            if matches!(
                text(object, "/kind"),
                "Pod"
                    | "Event"
                    | "Deployment"
                    | "ReplicaSet"
                    | "StatefulSet"
                    | "Job"
                    | "Node"
                    | "PersistentVolumeClaim"
                    | "ResourceQuota"
            ) {
                facts.add(object).map_err(|e| watch::unreadable(cx, "objects", &e.to_string()))?;
            }
        }
        for (pod, container, previous, restarts) in ended {
            let key = (pod.clone(), container.clone(), previous);
            if self.logs.get(&key).is_none_or(|(of, _)| *of != restarts) {
                let logs = Logs {
                    object: pod.clone(),
                    container: Some(container.clone()),
                    tail: Some(200),
                    previous,
                    timestamps: false,
                };
                self.logs.insert(key.clone(), (restarts, cx.api.log(&cx.runner, &cx.kube(), &logs)));
            }
            if let Some((_, log)) = self.logs.get(&key) {
                facts.add_log(&pod, &container, previous, log);
            }
        }
        Ok(facts)
    }
}

fn kind_of(resource: &str) -> Option<&'static str> {
    match resource {
        "secrets" => Some("Secret"),
        "nodes" => Some("Node"),
        other => Kind::ALL.into_iter().find(|kind| kind.resource() == other).map(Kind::object),
    }
}
