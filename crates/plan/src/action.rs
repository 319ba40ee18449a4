//! What a step is to do: the outcome of comparing what should be with what is.

use serde::Serialize;

use crate::finding::Finding;

/// The decision about one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Action {
    /// It is so already; what was compared.
    Keep {
        /// What is so now: `minikube runs kubernetes 1.36.2`.
        what: String,
    },
    /// Something is to be done.
    Do {
        /// The first word of the plan's line: `build`, `start`, `change`, `roll`, …
        verb: &'static str,
        /// Why: `3 files changed since todo-backend:3f9c2a71`.
        why: String,
    },
    /// It can't be known yet.
    Unknown {
        /// What has to happen first: `the cluster runs`.
        until: String,
    },
    /// It can't be done.
    Blocked(Box<Finding>),
}

impl Action {
    /// Nothing to do, because `what` is so already.
    pub fn keep(what: impl Into<String>) -> Self {
        Self::Keep { what: what.into() }
    }

    /// `verb` has to be done, because of `why`.
    pub fn act(verb: &'static str, why: impl Into<String>) -> Self {
        Self::Do { verb, why: why.into() }
    }

    /// Not known before `until` has happened.
    pub fn unknown(until: impl Into<String>) -> Self {
        Self::Unknown { until: until.into() }
    }

    /// Whether nothing is to be done.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep { .. })
    }
}
