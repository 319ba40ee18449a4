//! What a call gives: its output, or why there is none.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By this signal (Unix only).
    Signal(i32),
}

impl Exit {
    /// Whether it ended with exit code 0. That alone proves nothing: `minikube image build` exits 0 when the build fails.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote to stdout. From [`super::Runner::capture`]: data, whole and as written, may hold secrets that were asked for. From
    /// [`super::Runner::stream`]: the last 256 KiB, redacted.
    pub stdout: String,
    /// What it wrote to stderr, redacted (the last 256 KiB when streamed).
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

/// Which of its two outputs a child wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Data.
    Stdout,
    /// Everything else; docker's build progress.
    Stderr,
}

/// One line of a running child, redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamLine {
    /// Where it was written to.
    pub channel: Channel,
    /// The line without its end.
    pub text: String,
}

/// Why there is no [`Output`]. An exit code other than 0 is no such reason: the caller knows what it means.
#[derive(Debug)]
pub enum RunError {
    /// The program is not on PATH.
    NotFound {
        /// Its name.
        tool: String,
    },
    /// It ran longer than it may and was ended.
    DeadlineExceeded {
        /// The tool's name.
        tool: String,
        /// What it was run for.
        what: String,
        /// What it had written to stdout until then, redacted.
        stdout: String,
        /// What it had written to stderr until then, redacted.
        stderr: String,
        /// How long it ran.
        took: Duration,
    },
    /// The run was cancelled, before the call or during it.
    Cancelled {
        /// What it was run for.
        what: String,
    },
    /// It could not be started, or its end not be seen.
    Io {
        /// The tool's name.
        tool: String,
        /// What it was run for.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { tool } => write!(f, "`{tool}` was not found on PATH"),
            Self::DeadlineExceeded { tool, what, took, .. } => {
                write!(f, "`{tool}` did not end within {} s: {what}", took.as_secs())
            }
            Self::Cancelled { what } => write!(f, "cancelled: {what}"),
            Self::Io { tool, what, .. } => write!(f, "cannot run `{tool}`: {what}"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
