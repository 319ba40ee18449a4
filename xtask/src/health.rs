//! The health of a deployment from what was seen of it: pure, so that every state can be tested as a picture.

use plan::diagnose::facts::Timestamp;
use plan::finding::{Class, Finding, Severity};
use plan::objects::{Objects, label, number, pods_ready, pods_wanted, rolled_out, text};
use report::lines::{self, Line, State};
use report::text::size_decimal;
use serde_json::{Value, json};
use tools::kubectl::Metric;

/// Whose pods are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The service of xtask.toml, or the development database.
    pub(crate) name: String,
    /// Its release.
    pub(crate) release: String,
    /// What tells its workloads in the release; `None`: all of them are its own.
    pub(crate) own: Option<Own>,
}

/// What tells a service's workloads, as in [`plan::parts::Part`].
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// The chart's name for it.
    pub(crate) component: String,
    /// Its image, without a tag.
    pub(crate) image: String,
    /// Whether the release runs no other.
    pub(crate) alone: bool,
}

/// What this project's images take on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Images {
    /// How many.
    pub(crate) count: usize,
    /// The sum of their sizes (bytes); layers that they share are counted once for each.
    pub(crate) bytes: u64,
}

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// `todo-chatbot on minikube (layout monolith, namespace todo)`.
    pub(crate) headline: String,
    /// The releases, in the order of the layout.
    pub(crate) releases: Vec<String>,
    /// The services and the database.
    pub(crate) parts: Vec<Part>,
    /// Everything of the namespace, and the node.
    pub(crate) objects: &'a Objects,
    /// What the containers use, where the cluster has metrics.
    pub(crate) metrics: Option<&'a [Metric]>,
    /// The address and what it answered.
    pub(crate) endpoint: Option<(State, String)>,
    /// The images, or why they could not be counted.
    pub(crate) images: Result<Images, String>,
    /// This moment.
    pub(crate) now: Timestamp,
}

/// What it comes to.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    headline: String,
    lines: Vec<Line>,
    pods: Vec<PodRow>,
    releases: Vec<Value>,
    services: Vec<Value>,
    has_metrics: bool,
    images: Option<Images>,
}

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PodRow {
    part: String,
    name: String,
    state: String,
    ready: bool,
    restarts: i64,
    image: String,
    cpu_milli: Option<u64>,
    memory: Option<u64>,
    started: Option<Timestamp>,
    age: String,
}

/// Puts it together.
pub(crate) fn of(seen: &Seen<'_>) -> Health {
    let mut all = Vec::new();
    all.extend(cluster(seen.objects));
    let releases: Vec<(String, Option<(u32, String)>)> =
        seen.releases.iter().map(|name| (name.clone(), seen.objects.helm_status(name))).collect();
    all.extend(releases.iter().map(|(name, status)| release(name, status.as_ref())));
    let mut pods = Vec::new();
    let mut services = Vec::new();
    for part in &seen.parts {
        let workloads = workloads(seen.objects, part);
        let mut own: Vec<PodRow> = workloads
            .iter()
            .flat_map(|w| seen.objects.pods_of(text(w, "/kind"), text(w, "/metadata/name")))
            .map(|pod| row(seen, part, pod))
            .collect();
        own.sort_by(|a, b| a.name.cmp(&b.name));
        let mut line = match tasks(seen.objects, part) {
            tasks if workloads.is_empty() && !tasks.is_empty() => Line::new(State::Ok, &part.name, tasks.join(", ")),
            _ => service(part, &workloads, &own),
        };
        for claim in claims(seen.objects, part) {
            let phase = text(claim, "/status/phase");
            let size = text(claim, "/spec/resources/requests/storage");
            line.text = format!("{}, volume {size} {}", line.text, phase.to_lowercase());
            if phase != "Bound" {
                line.state = line.state.min(State::Wait);
            }
        }
        services.push(json!({
            "service": part.name, "release": part.release, "state": line.state.word(), "summary": line.text,
            "ready": own.iter().filter(|p| p.ready).count(), "wanted": wanted(&workloads), "restarts": own.iter().map(|p| p.restarts).sum::<i64>(),
        }));
        all.push(line);
        pods.extend(own);
    }
    if let Some((state, what)) = &seen.endpoint {
        all.push(Line::new(*state, "address", what));
    }
    all.push(match &seen.images {
        Ok(Images { count: 0, .. }) => Line::new(State::Ok, "images", "none of this project on the node"),
        Ok(Images { count, bytes }) => {
            Line::new(State::Ok, "images", format!("{count} of this project, at most {} on the node", size_decimal(*bytes)))
        }
        Err(why) => Line::new(State::Warn, "images", format!("not counted: {why}")),
    });
    Health {
        headline: seen.headline.clone(),
        lines: all,
        pods,
        releases: releases
            .iter()
            .map(|(name, status)| json!({"name": name, "revision": status.as_ref().map(|s| s.0), "status": status.as_ref().map(|s| &s.1)}))
            .collect(),
        services,
        has_metrics: seen.metrics.is_some(),
        images: seen.images.as_ref().ok().copied(),
    }
}

fn cluster(objects: &Objects) -> Vec<Line> {
    let nodes = objects.of_kind("Node").map(|node| {
        let ready = is_ready(node);
        let info = |field: &str| text(node, &format!("/status/nodeInfo/{field}"));
        let runtime = info("containerRuntimeVersion").replacen("://", " ", 1);
        let what = format!(
            "kubernetes {}, {runtime}, node {} {}",
            info("kubeletVersion").trim_start_matches('v'),
            text(node, "/metadata/name"),
            if ready { "ready" } else { "not ready" }
        );
        Line::new(if ready { State::Ok } else { State::Fail }, "cluster", what)
    });
    nodes.collect()
}

fn release(name: &str, status: Option<&(u32, String)>) -> Line {
    match status {
        None => Line::new(State::Fail, "release", format!("{name}  not deployed")),
        Some((revision, status)) => {
            let state = match status.as_str() {
                "deployed" => State::Ok,
                pending if pending.starts_with("pending-") => State::Wait,
                _ => State::Fail,
            };
            Line::new(state, "release", format!("{name}  revision {revision} {status}"))
        }
    }
}

fn workloads<'a>(objects: &'a Objects, part: &'a Part) -> Vec<&'a Value> {
    match part.service() {
        None => plan::decide::workloads(objects, &part.release).collect(),
        Some(service) => service.workloads(objects),
    }
}

/// What a service runs besides, or instead of, pods that stay.
fn tasks(objects: &Objects, part: &Part) -> Vec<String> {
    part.service().map_or_else(Vec::new, |service| service.tasks(objects))
}

impl Part {
    fn service(&self) -> Option<plan::parts::Part<'_>> {
        let Own { component, image, alone } = self.own.as_ref()?;
        Some(plan::parts::Part { release: &self.release, component, image, alone: *alone })
    }
}

/// The volumes of the development database: what a service of the layout keeps is its chart's own matter.
fn claims<'a>(objects: &'a Objects, part: &'a Part) -> impl Iterator<Item = &'a Value> {
    let of_database = part.own.is_none();
    objects
        .of_kind("PersistentVolumeClaim")
        .filter(move |claim| of_database && label(claim, "app.kubernetes.io/instance") == part.release)
}

/// How many pods of a part are ready.
pub(crate) fn ready(objects: &Objects, part: &Part) -> i64 {
    workloads(objects, part).iter().map(|w| pods_ready(w)).sum()
}

fn wanted(workloads: &[&Value]) -> i64 {
    workloads.iter().map(|w| pods_wanted(w)).sum()
}

fn service(part: &Part, workloads: &[&Value], pods: &[PodRow]) -> Line {
    if workloads.is_empty() {
        return Line::new(State::Fail, &part.name, "not deployed");
    }
    let wanted = wanted(workloads);
    let ready: i64 = workloads.iter().map(|w| pods_ready(w)).sum();
    let mut images: Vec<&str> = pods.iter().filter(|p| p.state != "ending").map(|p| p.image.as_str()).collect();
    images.sort_unstable();
    images.dedup();
    let state = match () {
        () if workloads.iter().all(|w| rolled_out(w)) => State::Ok,
        () if ready > 0 || pods.iter().all(|p| is_progress(&p.state)) => State::Wait,
        () => State::Fail,
    };
    let rolling = if state == State::Wait && ready >= wanted { ", rolling out" } else { "" };
    Line::new(state, &part.name, format!("{ready}/{wanted} ready{rolling}  {}", images.join(", ")))
}

/// Words of a pod that is on its way.
fn is_progress(state: &str) -> bool {
    matches!(state, "ready" | "starting" | "creating" | "pending" | "ending")
}

fn row(seen: &Seen<'_>, part: &Part, pod: &Value) -> PodRow {
    let name = text(pod, "/metadata/name").to_owned();
    let statuses = || pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten();
    let used = |read: fn(&Metric) -> u64| {
        let own: Vec<u64> = seen.metrics?.iter().filter(|m| m.pod == name).map(read).collect();
        (!own.is_empty()).then(|| own.iter().sum())
    };
    let ready = is_ready(pod);
    let images = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let started = Timestamp::parse(text(pod, "/metadata/creationTimestamp"));
    PodRow {
        part: part.name.clone(),
        state: state_of(pod, ready),
        ready,
        restarts: statuses().map(|s| number(s, "/restartCount")).sum(),
        image: images.map(|c| text(c, "/image")).next().unwrap_or_default().to_owned(),
        cpu_milli: used(|m| m.cpu_milli),
        memory: used(|m| m.memory),
        started,
        age: started.map_or_else(|| "?".to_owned(), |at| age(seen.now.seconds_since(at))),
        name,
    }
}

/// Whether a pod is ready and stays.
pub(crate) fn is_serving(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_none() && is_ready(pod)
}

/// Of a pod or a node.
fn is_ready(object: &Value) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| text(c, "/type") == "Ready" && text(c, "/status") == "True")
}

/// What a pod does, in one word: `ready`, `starting`, or the reason why not, as kubectl names it.
fn state_of(pod: &Value, ready: bool) -> String {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return "ending".to_owned();
    }
    let of = |at: &str| pod.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
    let unfinished = |s: &Value| s.pointer("/state/terminated").is_none_or(|end| number(end, "/exitCode") != 0);
    let init = of("/status/initContainerStatuses").into_iter().filter(unfinished);
    for status in init.chain(of("/status/containerStatuses")) {
        let waiting = text(&status, "/state/waiting/reason");
        if !matches!(waiting, "" | "ContainerCreating" | "PodInitializing") {
            return waiting.to_owned();
        }
        let ended = text(&status, "/state/terminated/reason");
        if !ended.is_empty() {
            return ended.to_owned();
        }
    }
    match text(pod, "/status/phase") {
        "Running" if ready => "ready".to_owned(),
        "Running" if was_ready(pod) => "not ready".to_owned(),
        "Running" => "starting".to_owned(),
        "Pending" if text(pod, "/spec/nodeName").is_empty() => "pending".to_owned(),
        "Pending" => "creating".to_owned(),
        "Failed" if !text(pod, "/status/reason").is_empty() => text(pod, "/status/reason").to_owned(),
        other => other.to_lowercase(),
    }
}

/// Whether a pod that is not ready was so since its containers began. One that never was is still starting: how long that may go on is
/// for the diagnosis to say.
fn was_ready(pod: &Value) -> bool {
    let of = |at: &str| pod.pointer(at).and_then(Value::as_array).into_iter().flatten();
    let since = of("/status/conditions").find(|c| text(c, "/type") == "Ready").map(|c| text(c, "/lastTransitionTime"));
    let mut begun = of("/status/containerStatuses").map(|s| text(s, "/state/running/startedAt")).filter(|at| !at.is_empty());
    // RFC 3339 in UTC and whole seconds, as the API writes it: ordered as text.
    since.is_some_and(|since| begun.any(|begun| since > begun))
}

/// `45s`, `12m`, `3h`, `2d`: as kubectl shows ages.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s}s"),
        s @ 120..7_200 => format!("{}m", s / 60),
        s @ 7_200..172_800 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

/// Memory that lines up: whole MiB, and GiB from 10 on.
fn memory(bytes: u64) -> String {
    let mib = bytes >> 20;
    if mib >= 10 << 10 { format!("{} GiB", mib >> 10) } else { format!("{mib} MiB") }
}

impl Health {
    /// Whether everything is as it should be.
    pub(crate) fn is_fine(&self) -> bool {
        self.lines.iter().all(|line| matches!(line.state, State::Ok | State::Warn))
    }

    /// What is not.
    pub(crate) fn not_fine(&self) -> Vec<String> {
        let bad = self.lines.iter().filter(|l| matches!(l.state, State::Fail | State::Wait));
        bad.map(|l| match (l.about.as_str(), l.text.split_whitespace().next()) {
            ("release", Some(name)) => format!("release {name}"),
            (about, _) => about.to_owned(),
        })
        .collect()
    }

    /// The exit code: that of the worst finding, or of `verify` where something is not ready without one.
    pub(crate) fn exit_code(&self, findings: &[Finding]) -> u8 {
        match findings.iter().find(|f| f.severity == Severity::Error) {
            Some(worst) => worst.class.exit_code(),
            None if self.is_fine() => 0,
            None => Class::Verify.exit_code(),
        }
    }

    /// The table.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{}\n", self.headline);
        out.push_str(&lines::render(&self.lines));
        if self.pods.is_empty() {
            return out;
        }
        out.push('\n');
        let mut heading = vec!["pod", "state", "restarts"];
        let mut right = vec![false, false, true];
        if self.has_metrics {
            heading.extend(["cpu", "memory"]);
            right.extend([true, true]);
        }
        heading.push("age");
        right.push(true);
        let rows: Vec<Vec<String>> = self.pods.iter().map(|pod| self.cells(pod)).collect();
        out.push_str(&lines::table(&heading, &right, &rows));
        out
    }

    fn cells(&self, pod: &PodRow) -> Vec<String> {
        let mut cells = vec![pod.name.clone(), pod.state.clone(), pod.restarts.to_string()];
        if self.has_metrics {
            cells.push(pod.cpu_milli.map_or_else(|| "-".to_owned(), |m| format!("{m}m")));
            cells.push(pod.memory.map_or_else(|| "-".to_owned(), memory));
        }
        cells.push(pod.age.clone());
        cells
    }

    /// The lines without what changes by itself (age, cpu, memory): what a follower compares, and a pipe gets of what changed.
    pub(crate) fn steady_lines(&self) -> Vec<String> {
        let of_pod = |pod: &PodRow| {
            let restarts = if pod.restarts == 1 { "restart" } else { "restarts" };
            let state = if is_progress(&pod.state) { if pod.ready { State::Ok } else { State::Wait } } else { State::Fail };
            Line::new(state, "pod", format!("{}  {}, {} {restarts}", pod.name, pod.state, pod.restarts))
        };
        self.lines.iter().cloned().chain(self.pods.iter().map(of_pod)).map(|line| lines::render(&[line])).collect()
    }

    /// The same facts for a program.
    pub(crate) fn data(&self, findings: &[Finding]) -> Value {
        let line = |l: &Line| json!({"state": l.state.word(), "about": l.about, "text": l.text});
        let pod = |p: &PodRow| {
            json!({
                "name": p.name, "service": p.part, "state": p.state, "ready": p.ready, "restarts": p.restarts, "image": p.image,
                "cpu_milli": p.cpu_milli, "memory_bytes": p.memory, "created_unix": p.started.map(|at| at.unix_millis() / 1000),
            })
        };
        json!({
            "healthy": self.exit_code(findings) == 0,
            "checks": self.lines.iter().map(line).collect::<Vec<_>>(),
            "releases": self.releases,
            "services": self.services,
            "pods": self.pods.iter().map(pod).collect::<Vec<_>>(),
            "images": self.images.map(|i| json!({"count": i.count, "bytes": i.bytes})),
            "findings": findings,
        })
    }

    /// `3 of 3 pods ready`
    pub(crate) fn pods_ready(&self) -> String {
        let counted = self.pods.iter().filter(|p| p.state != "ending");
        let (ready, all) = counted.fold((0, 0), |(ready, all), pod| (ready + usize::from(pod.ready), all + 1));
        format!("{ready} of {all} pods ready")
    }
}

#[cfg(test)]
mod tests;
