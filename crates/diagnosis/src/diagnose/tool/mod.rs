//! Why a tool failed, from its exit code and its own words.

mod api;
mod docker;
mod helm;
mod kubectl;
mod minikube;

use std::time::Duration;

use super::facts::Seconds;
use crate::catalogue::{codes, finding, with_remedies};
use crate::finding::Finding;
use crate::invocation::Tool;

pub use calls::failure::ToolFailure;
pub use helm::release_status;
pub use minikube::status as minikube_status;

/// Begins the finding about a failed call.
trait Explain {
    /// With what the call was for and its own words.
    fn finding(&self, code: &'static str, cause: impl Into<String>) -> Finding;
}

impl Explain for ToolFailure {
    fn finding(&self, code: &'static str, cause: impl Into<String>) -> Finding {
        finding(code, self.tool.program(), cause).original(self.words().trim())
    }
}

/// The finding for a failed call: always one, at worst [`codes::UNKNOWN`] with the evidence.
pub fn tool(failure: &ToolFailure) -> Finding {
    if let Some(after) = failure.deadline_exceeded {
        return hung(failure, after);
    }
    if failure.signal == Some(2) {
        return failure.finding(codes::INTERRUPTED, format!("{} was interrupted: {}", failure.tool.program(), failure.what));
    }
    let found = match failure.tool {
        Tool::Minikube => minikube::explain(failure),
        Tool::Docker => docker::explain(failure),
        Tool::Helm => helm::explain(failure),
        Tool::Kubectl => kubectl::explain(failure),
        Tool::Cargo | Tool::App => None,
    };
    with_remedies(found.or_else(|| anywhere(failure)).unwrap_or_else(|| unknown(failure)))
}

/// What any tool may run into.
fn anywhere(failure: &ToolFailure) -> Option<Finding> {
    let words = failure.words();
    let name = failure.tool.program();
    let line = |pattern: &str| line_with(&words, pattern).to_owned();
    if words.contains("no space left on device") {
        return Some(disk_full(failure));
    }
    if words.contains("address already in use") || words.contains("unable to listen on any of the requested ports") {
        let line = line(if words.contains("address already in use") { "address already in use" } else { "unable to listen" });
        let found = failure.finding(codes::PORT_TAKEN, format!("{name}: a port is taken on this machine: {line}"));
        return Some(found.evidence(name, line).advice("end the program that uses it, or choose another port in xtask.toml"));
    }
    api::certificate(failure, &words).or_else(|| {
        let network = [
            "proxyconnect",
            "no such host",
            "Temporary failure in name resolution",
            "network is unreachable",
            "TLS handshake timeout",
        ];
        let pattern = network.into_iter().find(|pattern| words.contains(pattern))?;
        let line = line(pattern);
        Some(
            failure
                .finding(codes::NETWORK, format!("{name} can't reach the network: {}", super::registry::network_trouble(&line)))
                .evidence(format!("{name} ({})", failure.end()), line)
                .advice("check the connection and the VPN; behind a proxy set HTTP_PROXY, HTTPS_PROXY and NO_PROXY"),
        )
    })
}

fn disk_full(failure: &ToolFailure) -> Finding {
    let words = failure.words();
    failure
        .finding(codes::DISK_FULL, format!("no space left on the disk: {}", failure.what))
        .evidence(format!("{} ({})", failure.tool.program(), failure.end()), line_with(&words, "no space left on device"))
        .remedy("remove images of this project that no pod uses", "cargo xtask cleanup --scope images")
        .remedy("see what takes the room", "docker system df")
}

fn hung(failure: &ToolFailure, after: Duration) -> Finding {
    let name = failure.tool.program();
    let seconds = Seconds(i64::try_from(after.as_secs()).unwrap_or(i64::MAX));
    let text = format!("{name} did not end within {seconds}: {}", failure.what);
    let mut found = failure.finding(codes::TOOL_HUNG, text);
    let words = failure.words();
    if let Some(last) = words.lines().rev().find(|line| !line.trim().is_empty()) {
        found = found.evidence(format!("last line of {name}"), last.trim());
    }
    found
        .remedy("see whether daemon and cluster answer", "cargo xtask doctor")
        .remedy("see where it hangs", command_line(failure))
}

fn unknown(failure: &ToolFailure) -> Finding {
    let name = failure.tool.program();
    let last = failure.stderr.lines().chain(failure.stdout.lines()).filter(|line| !line.trim().is_empty());
    let tail: Vec<&str> = last.collect();
    let cut = |line: &&str| line.chars().take(400).collect::<String>();
    let tail = tail[tail.len().saturating_sub(12)..].iter().map(cut).collect::<Vec<_>>().join("\n");
    let text = format!("unknown failure of {name} ({}): {}", failure.end(), failure.what);
    let said = if tail.is_empty() { "it printed nothing".to_owned() } else { tail };
    failure
        .finding(codes::UNKNOWN, text)
        .evidence(format!("{name} ({})", failure.end()), said)
        .remedy("see it for yourself", command_line(failure))
        .remedy("a report: writes what is needed, without secrets", "cargo xtask report")
}

fn command_line(failure: &ToolFailure) -> String {
    let call = crate::invocation::Invocation::new(failure.tool, "", Duration::ZERO).args(failure.args.iter().cloned());
    call.command_line()
}

/// The line that contains `pattern`, trimmed.
fn line_with<'a>(text: &'a str, pattern: &str) -> &'a str {
    text.lines().find(|line| line.contains(pattern)).unwrap_or_default().trim()
}

/// What stands between `before` and `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0)
}

/// The same with a lower-case first letter: tools begin messages like sentences, causes are fragments. Names stay as they are.
fn fragment(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && (second.is_ascii_lowercase() || second == ' ') => {
            first.to_ascii_lowercase().to_string() + chars.as_str()
        }
        _ => text.to_owned(),
    }
}

/// `Deployment.apps "web" is invalid: FIELD: problem`: the object (`deployment/web`), the field and the problem.
struct Invalid<'a> {
    kind: String,
    name: &'a str,
    field: &'a str,
    problem: &'a str,
}

impl<'a> Invalid<'a> {
    fn find(words: &'a str) -> Option<Self> {
        let line = words.lines().find(|line| line.contains(" is invalid: "))?;
        let (object, problem) = line.split_once(" is invalid: ")?;
        let (kind, name) = object.rsplit_once(" \"")?;
        let kind = kind.rsplit(' ').next()?.split('.').next()?.to_lowercase();
        let (field, problem) = problem.split_once(": ").unwrap_or(("", problem));
        Some(Self { kind, name: name.trim_end_matches('"'), field, problem: problem.trim() })
    }

    fn cause(&self) -> String {
        let Self { kind, name, field, problem } = self;
        if problem.contains("field is immutable") {
            format!("{kind} `{name}`: `{field}` can't be changed once it exists")
        } else if field.is_empty() {
            format!("{kind} `{name}` is not valid: {problem}")
        } else {
            format!("{kind} `{name}`: `{field}`: {}", fragment(problem))
        }
    }
}
