//! The environment file (`.env`): reading it, checking it against the rules of xtask.toml, and who gets what.

use std::collections::BTreeMap;

use crate::invocation::Secret;
use crate::problem::Problem;

/// Where a key's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The environment file, at this line.
    File(usize),
    /// The default of its rule.
    Default,
    /// Inferred from the presence of this other key.
    Inferred(String),
    /// It has to be generated once and kept: development only.
    Generate,
    /// The development database makes it.
    Database,
    /// Nowhere: the application does without it.
    Absent,
}

/// One key, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether it goes to the Secret (else to the ConfigMap).
    pub secret: bool,
    /// Its value, where it is known now: not with [`Source::Generate`], [`Source::Database`], [`Source::Absent`].
    pub value: Option<Secret>,
    /// Where the value comes from.
    pub source: Source,
}

/// Every key of the rules, resolved against an environment file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// By key.
    pub keys: BTreeMap<String, Entry>,
    /// What is odd and yet works.
    pub warnings: Vec<Problem>,
}

/// What one service, or one release, gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// For the Secret.
    pub secret: BTreeMap<String, Secret>,
    /// For the ConfigMap.
    pub plain: BTreeMap<String, String>,
}
