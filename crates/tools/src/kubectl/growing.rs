//! A log as it grows, through the run's proxy where there is one, else by a `kubectl logs --follow`.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use calls::invocation::Tool;

use super::api::{Api, Stream, StreamStopper};
use super::follow::{Logs, logs_follow};
use crate::answer::ToolError;
use crate::runner::{Channel, Follow, FollowEvent, Runner};
use crate::target::Target;

/// Ended when it is dropped.
#[derive(Debug)]
pub struct GrowingLog(Source);

#[derive(Debug)]
enum Source {
    Stream { lines: Receiver<String>, stopper: StreamStopper },
    Process(Follow),
}

impl GrowingLog {
    /// Follows the log of a pod's container from its last lines on.
    pub fn begin(runner: &Runner, target: &Target, api: Option<&Api>, logs: &Logs) -> Result<Self, ToolError> {
        let source = match api.and_then(|api| api.follow(&logs.growing_path(&target.namespace)).ok()) {
            Some(stream) => read(runner.clone(), stream)?,
            None => Source::Process(logs_follow(runner, target, logs)?),
        };
        Ok(Self(source))
    }

    /// A line that has come, redacted; nothing is waited for. `None` when there is none now.
    pub fn line(&self) -> Option<String> {
        match &self.0 {
            Source::Stream { lines, .. } => lines.try_recv().ok(),
            Source::Process(follow) => loop {
                match follow.recv_timeout(Duration::ZERO)? {
                    FollowEvent::Line(line) if line.channel == Channel::Stdout => return Some(line.text),
                    FollowEvent::Line(_) => {}
                    // Its container has ended; how is told by the pod.
                    FollowEvent::Ended(_) => return None,
                }
            },
        }
    }
}

fn read(runner: Runner, mut stream: Stream) -> Result<Source, ToolError> {
    let io = |source| ToolError::Io { tool: Tool::Kubectl.program().to_owned(), what: "follow a log".to_owned(), source };
    let stopper = stream.stopper().map_err(|error| io(std::io::Error::other(error.to_string())))?;
    let (send, lines) = channel();
    let pump = move || {
        while let Ok(Some(line)) = stream.line() {
            if send.send(runner.redacted(&line)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("log".to_owned()).spawn(pump).map_err(io)?;
    Ok(Source::Stream { lines, stopper })
}

impl Drop for GrowingLog {
    fn drop(&mut self) {
        if let Source::Stream { stopper, .. } = &self.0 {
            stopper.stop();
        }
    }
}
