//! What a question to a tool gives when it gives no answer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use calls::failure::ToolFailure as Failure;
use calls::invocation::{Invocation, Lifetime};

use crate::runner::{Exit, Follow, Output, RunError, Runner};

/// Why a question has no answer.
#[derive(Debug)]
pub enum ToolError {
    /// The program is not on PATH.
    NotFound {
        /// Its name.
        tool: String,
    },
    /// The tool failed, or did not end in time.
    Failed(Box<Failure>),
    /// The tool said something that is not understood; it is shown, not guessed.
    Unclear {
        /// What is wrong with the answer.
        problem: String,
        /// The answer.
        failure: Box<Failure>,
    },
    /// The run was cancelled.
    Cancelled {
        /// What it was run for.
        what: String,
    },
    /// The tool could not be started.
    Io {
        /// Its name.
        tool: String,
        /// What it was run for.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { tool } => write!(f, "`{tool}` was not found on PATH"),
            Self::Failed(failure) => write!(f, "`{}` failed: {}", failure.tool.program(), failure.what),
            Self::Unclear { problem, failure } => {
                let (tool, what) = (failure.tool.program(), &failure.what);
                write!(f, "`{tool}` gave an answer that is not understood: {what}: {problem}")
            }
            Self::Cancelled { what } => write!(f, "cancelled: {what}"),
            Self::Io { tool, what, .. } => write!(f, "cannot run `{tool}`: {what}"),
        }
    }
}

impl Error for ToolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl ToolError {
    /// The tool's own words, where it said any.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) | Self::Unclear { failure, .. } => Some(failure),
            Self::NotFound { .. } | Self::Cancelled { .. } | Self::Io { .. } => None,
        }
    }
}

/// Why a parser gives no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The tool says that it failed.
    Failed,
    /// The output is not understood, for this reason.
    Unclear(String),
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Unclear(format!("not the expected JSON: {error}"))
    }
}

/// What a parser returns.
pub type Parsed<T> = Result<T, Refusal>;

/// Refuses an output whose call did not exit with 0.
pub(crate) fn succeeded(output: &Output) -> Parsed<()> {
    if output.exit.is_success() { Ok(()) } else { Err(Refusal::Failed) }
}

/// Reads JSON from the stdout of a call that exited with 0.
pub(crate) fn json<T: serde::de::DeserializeOwned>(output: &Output) -> Parsed<T> {
    succeeded(output)?;
    Ok(serde_json::from_str(&output.stdout)?)
}

/// Reads one JSON value a line.
pub(crate) fn json_lines<T: serde::de::DeserializeOwned>(text: &str) -> Parsed<Vec<T>> {
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).map_err(Refusal::from)).collect()
}

impl Runner {
    /// Asks: runs `invocation` and reads its output with `parse`.
    pub fn ask<T>(&self, invocation: &Invocation, parse: impl FnOnce(&Output) -> Parsed<T>) -> Result<T, ToolError> {
        self.answer(invocation, self.capture(invocation), parse)
    }

    /// The same for the result of a call that was run otherwise.
    pub fn answer<T>(
        &self,
        invocation: &Invocation,
        result: Result<Output, RunError>,
        parse: impl FnOnce(&Output) -> Parsed<T>,
    ) -> Result<T, ToolError> {
        let output = result.map_err(|error| tool_error(invocation, error))?;
        parse(&output).map_err(|refusal| {
            let failure = Box::new(self.failure_of(invocation, &output));
            match refusal {
                Refusal::Failed => ToolError::Failed(failure),
                Refusal::Unclear(problem) => ToolError::Unclear { problem: self.redacted(&problem), failure },
            }
        })
    }

    /// Starts something that follows, with the errors of a question.
    pub(crate) fn follow(&self, invocation: &Invocation) -> Result<Follow, ToolError> {
        self.spawn_follow(invocation).map_err(|error| tool_error(invocation, error))
    }

    /// The error for a follower that did not say in time what it was started for.
    pub(crate) fn too_late(&self, invocation: &Invocation) -> ToolError {
        if self.cancel().is_requested() {
            return ToolError::Cancelled { what: invocation.what.clone() };
        }
        ToolError::Failed(Box::new(Failure { deadline_exceeded: Some(lifetime(invocation)), ..empty(invocation) }))
    }

    /// The output of a call as a failure, for callers that find out for themselves that it failed.
    pub fn failure_of(&self, invocation: &Invocation, output: &Output) -> Failure {
        let (exit_code, signal) = match output.exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
        };
        let (stdout, stderr) = (self.redacted(&output.stdout), output.stderr.clone());
        Failure { exit_code, signal, stdout, stderr, ..empty(invocation) }
    }
}

/// How long the call was allowed to take; a follower is only asked to begin.
fn lifetime(invocation: &Invocation) -> Duration {
    match invocation.lifetime {
        Lifetime::Deadline(deadline) => deadline,
        Lifetime::UntilCancelled => Duration::ZERO,
    }
}

fn empty(invocation: &Invocation) -> Failure {
    Failure {
        tool: invocation.tool,
        args: invocation.args.clone(),
        what: invocation.what.clone(),
        exit_code: None,
        signal: None,
        stdout: String::new(),
        stderr: String::new(),
        deadline_exceeded: None,
    }
}

fn tool_error(invocation: &Invocation, error: RunError) -> ToolError {
    match error {
        RunError::NotFound { tool } => ToolError::NotFound { tool },
        RunError::Cancelled { what } => ToolError::Cancelled { what },
        RunError::Io { tool, what, source } => ToolError::Io { tool, what, source },
        RunError::DeadlineExceeded { stdout, stderr, took, .. } => {
            ToolError::Failed(Box::new(Failure { stdout, stderr, deadline_exceeded: Some(took), ..empty(invocation) }))
        }
    }
}
