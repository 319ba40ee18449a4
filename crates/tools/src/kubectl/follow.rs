//! Logs and port-forwards: what kubectl goes on doing until it is told to end.

use std::time::{Duration, Instant};

use calls::invocation::Invocation;

use super::{SHORT, call};
use crate::answer::{Parsed, ToolError, succeeded};
use crate::runner::{Follow, FollowEvent, Output, Runner};
use crate::target::Target;

/// Which log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// The pod, or `deployment/NAME`.
    pub object: String,
    /// The container, if not the only one.
    pub container: Option<String>,
    /// How many lines from the end; `None` for all.
    pub tail: Option<u32>,
    /// Of the container before its last restart.
    pub previous: bool,
    /// With the time of each line.
    pub timestamps: bool,
}

impl Logs {
    /// The path of the log in the API; `object` has to be a pod.
    pub fn path(&self, namespace: &str) -> String {
        let Self { object, container, tail, previous, timestamps } = self;
        let container = container.as_ref().map(|name| format!("container={name}"));
        let tail = tail.map(|lines| format!("tailLines={lines}"));
        let previous = previous.then(|| "previous=true".to_owned());
        let timestamps = timestamps.then(|| "timestamps=true".to_owned());
        let query: Vec<String> = [container, tail, previous, timestamps].into_iter().flatten().collect();
        format!("/api/v1/namespaces/{namespace}/pods/{object}/log?{}", query.join("&"))
    }

    /// The same for a log that goes on.
    pub(super) fn growing_path(&self, namespace: &str) -> String {
        format!("{}&follow=true", self.path(namespace))
    }
}

/// `kubectl logs`
pub fn logs_invocation(target: &Target, logs: &Logs) -> Invocation {
    let Logs { object, container, tail, previous, timestamps } = logs;
    let mut invocation = call(target, format!("read the log of `{object}`"), SHORT).args(["logs", object]);
    if let Some(container) = container {
        invocation = invocation.args(["-c", container]);
    }
    if let Some(tail) = tail {
        invocation = invocation.arg(format!("--tail={tail}"));
    }
    for (flag, on) in [("--previous", previous), ("--timestamps", timestamps)] {
        if *on {
            invocation = invocation.arg(flag);
        }
    }
    invocation
}

/// The log. An application may print its own secrets: the caller shows it through [`Runner::redacted`].
pub fn logs(runner: &Runner, target: &Target, logs: &Logs) -> Result<String, ToolError> {
    let text = |output: &Output| -> Parsed<String> {
        succeeded(output)?;
        Ok(runner.redacted(&output.stdout))
    };
    runner.ask(&logs_invocation(target, logs), text)
}

/// The log as it grows, redacted; ended when the answer is dropped.
pub fn logs_follow(runner: &Runner, target: &Target, logs: &Logs) -> Result<Follow, ToolError> {
    let invocation = logs_invocation(target, logs).arg("--follow").until_cancelled();
    runner.follow(&invocation)
}

/// A local port that leads into the cluster, as long as it is held.
#[derive(Debug)]
pub struct PortForward {
    /// The local port.
    pub port: u16,
    follow: Follow,
}

impl PortForward {
    /// Whether it has ended (its pod is gone), and what kubectl said.
    pub fn ended(&self) -> Option<String> {
        while let Some(event) = self.follow.recv_timeout(Duration::ZERO) {
            if let FollowEvent::Ended(result) = event {
                return Some(result.map_or_else(|error| error.to_string(), |output| output.stderr));
            }
        }
        None
    }
}

/// Why there is no port-forward.
pub type PortForwardError = ToolError;

/// `kubectl port-forward OBJECT LOCAL:REMOTE --address 127.0.0.1`; local port 0 takes a free one.
pub fn port_forward_invocation(target: &Target, object: &str, local: u16, remote: u16) -> Invocation {
    // kubectl writes a free local port as `:REMOTE`.
    let ports = if local == 0 { format!(":{remote}") } else { format!("{local}:{remote}") };
    call(target, format!("forward a local port to `{object}`"), SHORT)
        .args(["port-forward", object, &ports, "--address", "127.0.0.1"])
        .until_cancelled()
}

/// The local port in `Forwarding from 127.0.0.1:18999 -> 53`.
pub fn parse_forwarding(line: &str) -> Option<u16> {
    line.strip_prefix("Forwarding from 127.0.0.1:")?.split(' ').next()?.parse().ok()
}

/// Opens a local port into the cluster; it is closed when the answer is dropped.
pub fn port_forward(
    runner: &Runner,
    target: &Target,
    object: &str,
    (local, remote): (u16, u16),
    deadline: Duration,
) -> Result<PortForward, PortForwardError> {
    let invocation = port_forward_invocation(target, object, local, remote);
    let follow = runner.follow(&invocation)?;
    let until = Instant::now() + deadline;
    loop {
        match follow.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Some(FollowEvent::Line(line)) => {
                if let Some(port) = parse_forwarding(&line.text) {
                    return Ok(PortForward { port, follow });
                }
            }
            Some(FollowEvent::Ended(result)) => {
                // It ended before it forwarded anything, whatever its exit code.
                return runner.answer(&invocation, result, |_| Err(crate::answer::Refusal::Failed));
            }
            None => return Err(runner.too_late(&invocation)),
        }
    }
}
