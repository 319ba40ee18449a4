//! A finding in the making: how deep it lies, whether it may heal, and what it hides.

use super::facts::Timestamp;
use crate::finding::Finding;

/// How near to the root a cause lies; smaller is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// The node itself.
    Node,
    /// The pod can't be created.
    Admission,
    /// The pod has no node, or no volume.
    Placement,
    /// The image does not come.
    Image,
    /// What the container refers to is missing.
    Reference,
    /// The container can't be started.
    Start,
    /// The program ends.
    Crash,
    /// A job gave up.
    Job,
    /// The program runs and does not answer.
    Probe,
    /// Time is over and nothing deeper is known.
    Deadline,
}

/// Whether waiting may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heal {
    /// It can't: say so at once.
    Never,
    /// It may, until then; `why` says what the time was computed from.
    Until {
        /// When it is too late.
        deadline: Timestamp,
        /// "the readiness probe allows 30s".
        why: String,
    },
}

/// A cause.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// What will be shown.
    pub(crate) finding: Finding,
    /// How deep it lies.
    pub(crate) depth: Depth,
    /// Whether waiting may help.
    pub(crate) heal: Heal,
    /// The workload that it stops (`Deployment/todo-backend`), empty for a node.
    pub(crate) workload: String,
    /// It looks like the consequence of something else being away (a refused connection, a failing readiness probe).
    pub(crate) soft: bool,
}

impl Cause {
    /// A cause that waiting does not help.
    pub(crate) fn now(depth: Depth, finding: Finding) -> Self {
        Self { finding, depth, heal: Heal::Never, workload: String::new(), soft: false }
    }

    /// A cause that may heal until `deadline`.
    pub(crate) fn until(depth: Depth, finding: Finding, deadline: Timestamp, why: impl Into<String>) -> Self {
        Self { heal: Heal::Until { deadline, why: why.into() }, ..Self::now(depth, finding) }
    }

    /// Marks it as possibly the consequence of something else.
    pub(crate) fn soft(self) -> Self {
        Self { soft: true, ..self }
    }

    /// Whether it is a failure at `now`.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        match &self.heal {
            Heal::Never => true,
            Heal::Until { deadline, .. } => now >= *deadline,
        }
    }
}
