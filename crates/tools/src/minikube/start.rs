//! `minikube start`, followed by its events.

use std::time::Duration;

use calls::invocation::Invocation;
use serde::Deserialize;

use super::call;
use crate::answer::{ToolError, succeeded};
use crate::runner::{Channel, Runner};

/// A first start pulls about 1 GB; minikube's own waits end after 6 minutes each.
pub const START_DEADLINE: Duration = Duration::from_secs(20 * 60);

/// What a cluster is started with. `None` leaves the choice to minikube (or to the existing profile).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartOptions {
    /// The profile.
    pub profile: String,
    /// `docker`, `kvm2`, …
    pub driver: Option<String>,
    /// `docker` or `containerd`: 1.39 makes containerd its default, so say which.
    pub runtime: Option<String>,
    /// CPUs.
    pub cpus: Option<u32>,
    /// Memory (MiB).
    pub memory_mib: Option<u64>,
    /// Disk (MiB); without meaning for the docker driver.
    pub disk_mib: Option<u64>,
    /// As in `v1.36.2`.
    pub kubernetes_version: Option<String>,
    /// `HOST:PORT:PORT`, published at creation only.
    pub ports: Vec<String>,
    /// Further flags, from `cluster.start_args`.
    pub extra_args: Vec<String>,
}

/// One event of a start, from a line of `--output=json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartEvent {
    /// It goes on to another step.
    Step {
        /// `Preparing Kubernetes`, …
        name: String,
        /// What it does, for people.
        message: String,
        /// Its number; steps are skipped. `None` on detours.
        current: Option<u32>,
        /// How many there are.
        total: Option<u32>,
    },
    /// Something is downloaded.
    Download {
        /// What.
        artifact: String,
        /// How far (percent); `None` when it begins.
        percent: Option<u8>,
    },
    /// Something worth knowing.
    Info {
        /// For people.
        message: String,
    },
    /// Something that may go wrong.
    Warning {
        /// For people.
        message: String,
    },
    /// Something went wrong; fatal when it has a name.
    Error {
        /// The reason's own name, `RSRC_INSUFFICIENT_CORES`.
        name: Option<String>,
        /// The exit code that goes with it.
        exit_code: Option<i32>,
        /// For people.
        message: String,
        /// What minikube advises.
        advice: Option<String>,
        /// Where it is explained.
        url: Option<String>,
    },
    /// A line that is no event: klog, a proxy, a driver.
    Noise(String),
}

/// `minikube start --output=json`, without questions and without a change of the user's current context.
pub fn start_invocation(options: &StartOptions) -> Invocation {
    let StartOptions { profile, driver, runtime, cpus, memory_mib, disk_mib, kubernetes_version, ports, extra_args } = options;
    let mut invocation = call(profile, format!("start cluster `{profile}`"), START_DEADLINE).args([
        "start",
        "--output=json",
        "--interactive=false",
        "--keep-context",
    ]);
    let flags = [
        ("driver", driver.clone()),
        ("container-runtime", runtime.clone()),
        ("cpus", cpus.map(|n| n.to_string())),
        ("memory", memory_mib.map(|n| format!("{n}mb"))),
        ("disk-size", disk_mib.map(|n| format!("{n}mb"))),
        ("kubernetes-version", kubernetes_version.clone()),
    ];
    for (flag, value) in flags {
        if let Some(value) = value {
            invocation = invocation.arg(format!("--{flag}={value}"));
        }
    }
    invocation.args(ports.iter().map(|port| format!("--ports={port}"))).args(extra_args)
}

/// Reads one line of a start.
pub fn parse_start_event(line: &str) -> StartEvent {
    #[derive(Deserialize)]
    struct Event {
        r#type: String,
        data: std::collections::BTreeMap<String, serde_json::Value>,
    }
    let Ok(Event { r#type, mut data }) = serde_json::from_str::<Event>(line) else { return StartEvent::Noise(line.to_owned()) };
    let mut text = |key: &str| match data.remove(key) {
        Some(serde_json::Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    match r#type.strip_prefix("io.k8s.sigs.minikube.") {
        Some("step") => StartEvent::Step {
            name: text("name"),
            message: text("message"),
            current: text("currentstep").parse().ok(),
            total: text("totalsteps").parse().ok(),
        },
        Some("download") => StartEvent::Download { artifact: text("artifact"), percent: None },
        Some("download.progress") => StartEvent::Download { artifact: text("artifact"), percent: percent(&text("progress")) },
        Some("info") => StartEvent::Info { message: text("message") },
        Some("warning") => StartEvent::Warning { message: text("message") },
        Some("error") => {
            let mut some = |key: &str| Some(text(key)).filter(|t| !t.is_empty());
            StartEvent::Error {
                name: some("name"),
                exit_code: some("exitcode").and_then(|code| code.parse().ok()),
                advice: some("advice"),
                url: some("url"),
                message: text("message"),
            }
        }
        _ => StartEvent::Noise(line.to_owned()),
    }
}

/// `0.25` as 25.
fn percent(fraction: &str) -> Option<u8> {
    let fraction: f64 = fraction.parse().ok()?;
    let percent = (fraction.clamp(0.0, 1.0) * 100.0).round();
    (0..=100_u8).find(|&n| f64::from(n) >= percent)
}

/// Starts the cluster and tells each event as it comes. On failure the error holds the events of the end: the reason is the last
/// [`StartEvent::Error`] with a name.
pub fn start(runner: &Runner, options: &StartOptions, on_event: &mut dyn FnMut(StartEvent)) -> Result<(), ToolError> {
    let invocation = start_invocation(options);
    let result = runner.stream(&invocation, &mut |line| match line.channel {
        Channel::Stdout => on_event(parse_start_event(&line.text)),
        Channel::Stderr => on_event(StartEvent::Noise(line.text)),
    });
    runner.answer(&invocation, result, succeeded)
}
