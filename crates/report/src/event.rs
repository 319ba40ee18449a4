//! What happens in a run, as data. The terminal, the JSON lines, `JUnit` and the CI annotations are all made from this.

use std::time::Duration;

use diagnosis::finding::Finding;
use serde::Serialize;

/// The name of a step, e.g. `image backend`: the first word is its kind, the rest its object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StepName {
    /// `tools`, `cluster`, `image`, `secret`, `release`, `rollout`, `endpoints`, …
    pub kind: &'static str,
    /// The object, may be empty.
    pub object: String,
}

impl StepName {
    /// `kind` alone, or `kind object`.
    pub fn new(kind: &'static str, object: impl Into<String>) -> Self {
        Self { kind, object: object.into() }
    }
}

impl std::fmt::Display for StepName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind)?;
        if !self.object.is_empty() {
            write!(f, " {}", self.object)?;
        }
        Ok(())
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was so already: nothing was done.
    Keep,
    /// It was done, and looking again showed it.
    Ok,
    /// It failed; a finding says why.
    Fail,
    /// Not tried, because something before it failed or the run was stopped.
    Skip,
}

/// One event. `at` times are measured by the writer of the stream.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins: one headline such as `todo-chatbot -> minikube (layout monolith)`. After `Finished` another run may begin
    /// (`deploy --watch`).
    Started {
        /// The phase: `deploy`, `setup`, …
        phase: &'static str,
        /// The headline.
        text: String,
    },
    /// A step begins to run: something will change or be waited for. (A look at the world is no step: a run that finds nothing to do is
    /// one line, and what comes before the first step is held back for that.)
    StepStarted {
        /// Which.
        step: StepName,
        /// The steps it had to wait for; the timeline finds the critical path by them. May be empty.
        after: Vec<StepName>,
    },
    /// A running step says how far it is: `backend 1/2 ready, pulling image`; replaces what it said before.
    StepProgress {
        /// Which.
        step: StepName,
        /// How far.
        text: String,
    },
    /// A line of a tool's own output (shown with `-vv`, kept for the failure).
    StepOutput {
        /// Which.
        step: StepName,
        /// The line, redacted.
        line: String,
    },
    /// A step ended.
    StepFinished {
        /// Which.
        step: StepName,
        /// How.
        outcome: Outcome,
        /// What is so now, or why it was skipped: `started: 4 cpus, 8 GiB, kubernetes 1.36.2`.
        text: String,
        /// How long it took.
        #[serde(serialize_with = "seconds")]
        took: Duration,
    },
    /// A tool is called (shown with `-v`); the journal has the rest.
    Command {
        /// As a person could paste it.
        line: String,
    },
    /// Something worth knowing that fails nothing: `a development secret was generated`.
    Note {
        /// One line.
        text: String,
    },
    /// What the phase was asked for, where that is not the run itself: the table of `status`, a line of `logs`, the text of
    /// `explain`. The only event a person finds on stdout; programs get `data` and never the text.
    Answer {
        /// What it is: `plan`, `status`, `log`, …; decides the shape of `data`.
        about: &'static str,
        /// For a person: one or more whole lines.
        #[serde(skip)]
        text: String,
        /// For a program: the same facts.
        data: serde_json::Value,
    },
    /// The same as [`Event::Answer`], again and again (`status --watch`): on a screen each takes the place of the one before, elsewhere only
    /// what changed is printed. Programs get it as an answer.
    #[serde(rename = "answer")]
    Screen {
        /// As of an answer.
        about: &'static str,
        /// All of it, for a screen.
        #[serde(skip)]
        text: String,
        /// The lines that are new since the last one.
        #[serde(skip)]
        changed: String,
        /// For a program: all of it.
        data: serde_json::Value,
    },
    /// A cause.
    Finding(Box<Finding>),
    /// The run ends.
    Finished {
        /// The exit code.
        exit_code: u8,
        /// The closing line: `Running in 1m 12s (…)`, `Up to date in 0.2s: …`, or what is not done.
        summary: String,
        /// What a person can do now, label and text: `open http://…`, `next cargo xtask status`.
        pointers: Vec<(&'static str, String)>,
        /// How long the run took.
        #[serde(serialize_with = "seconds")]
        took: Duration,
    },
}

impl Event {
    /// A step that was so already; it took no time of its own.
    pub fn kept(step: StepName, text: impl Into<String>) -> Self {
        Self::StepFinished { step, outcome: Outcome::Keep, text: text.into(), took: Duration::ZERO }
    }
}

fn seconds<S: serde::Serializer>(took: &Duration, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}
