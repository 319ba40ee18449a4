//! From an error of a tool or of the system to the finding that a person sees.

use plan::action::Action;
use plan::catalogue::{codes, finding as finding_of};
use plan::diagnose;
use plan::finding::Finding;
use tools::runner::LockError;
use tools::{Failure, ToolError};

use crate::context::Context;

/// What a tool's failure means.
pub(crate) fn finding(cx: &Context, error: &ToolError) -> Finding {
    let mut found = classified(error);
    // The tool's own words may hold what it was given.
    found.original = found.original.map(|text| cx.runner.redacted(&text));
    found
}

/// The same without a context: where xtask.toml itself may be broken.
pub(crate) fn of(runner: &tools::runner::Runner, error: &ToolError) -> Finding {
    let mut found = classified(error);
    found.original = found.original.map(|text| runner.redacted(&text));
    found
}

fn classified(error: &ToolError) -> Finding {
    match error {
        ToolError::NotFound { tool } => missing(tool),
        ToolError::Failed(failure) => diagnose::tool(failure),
        ToolError::Unclear { problem, failure } => finding_of(
            codes::OUTPUT_UNREADABLE,
            failure.tool.program(),
            format!("`{}` answered in a way that is not understood: {problem}", failure.tool.program()),
        )
        .evidence(format!("{} {}", failure.tool.program(), failure.args.join(" ")), shown(failure))
        .remedy("its version may be new; see what it said", "cargo xtask report")
        .original(failure.stderr.clone()),
        ToolError::Cancelled { what } => interrupted(what),
        ToolError::Io { tool, what, source } => {
            finding_of(codes::INTERNAL, tool, format!("cannot run `{tool}` to {what}: {source}"))
        }
    }
}

/// A failed build, with the service it belongs to.
pub(crate) fn build(cx: &Context, service: &str, error: &ToolError) -> Finding {
    finding(cx, error).service(service)
}

/// A tool is not on PATH.
pub(crate) fn missing(tool: &str) -> Finding {
    finding_of(codes::TOOL_MISSING, tool, format!("`{tool}` is not installed, or not on PATH"))
        .advice(install_hint(tool))
        .remedy("check everything at once", "cargo xtask doctor")
}

/// Where a tool comes from, for this system.
pub(crate) fn install_hint(tool: &str) -> String {
    let page = match tool {
        "minikube" => "https://minikube.sigs.k8s.io/docs/start/",
        "docker" => "https://docs.docker.com/engine/install/",
        "helm" => "https://helm.sh/docs/intro/install/",
        "kubectl" => "https://kubernetes.io/docs/tasks/tools/",
        _ => "",
    };
    let package = match (std::env::consts::OS, tool) {
        ("macos", "docker") => Some("brew install --cask docker"),
        ("macos", "minikube") => Some("brew install minikube"),
        ("macos", "helm") => Some("brew install helm"),
        ("macos", "kubectl") => Some("brew install kubectl"),
        ("windows", "docker") => Some("winget install Docker.DockerDesktop"),
        ("windows", "minikube") => Some("winget install Kubernetes.minikube"),
        ("windows", "helm") => Some("winget install Helm.Helm"),
        ("windows", "kubectl") => Some("winget install Kubernetes.kubectl"),
        _ => None,
    };
    package.map_or_else(|| format!("install it: {page}"), |command| format!("install it: {command}  ({page})"))
}

/// Stopped by a person.
pub(crate) fn interrupted(what: &str) -> Finding {
    finding_of(codes::INTERRUPTED, "run", format!("stopped while it was to {what}"))
        .advice("run the same command again to go on from here")
}

/// A decision that has to be there by now, as the findings of a step.
pub(crate) fn undecided(action: Action) -> Finding {
    match action {
        Action::Blocked(finding) => *finding,
        Action::Unknown { until } => finding_of(codes::PROFILE_STOPPED, "cluster", format!("it can't be known before {until}"))
            .remedy("start it", "cargo xtask setup"),
        Action::Keep { .. } | Action::Do { .. } => internal("a decision was taken for the lack of one"),
    }
}

/// A bug of ours.
pub(crate) fn internal(what: impl Into<String>) -> Finding {
    finding_of(codes::INTERNAL, "xtask", what).remedy("write down what happened", "cargo xtask report")
}

/// A file that can't be read or written. The error of fs-err names it.
pub(crate) fn io(error: &std::io::Error) -> Finding {
    finding_of(codes::INTERNAL, "file", error.to_string())
}

/// The run lock is not to be had.
pub(crate) fn lock(error: &LockError) -> Finding {
    finding_of(codes::LOCK_HELD, "target/xtask/lock", error.to_string())
        .advice("wait for the other run, or end it; phases that only look (plan, status, logs, verify) need no lock")
}

fn shown(failure: &Failure) -> String {
    let text = if failure.stdout.trim().is_empty() { &failure.stderr } else { &failure.stdout };
    text.chars().take(500).collect()
}
