//! The environment file (`.env`): reading it, checking it against the rules of xtask.toml, and who gets what.

mod example;
mod placeholder;
mod read;
mod resolve;
mod share;

use std::collections::BTreeMap;

pub use example::check_example;
pub use read::{Assignment, EnvFile, assignment};
pub use resolve::resolve;
pub use share::Share;

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
    /// Whether it goes to the Secret (else to the `ConfigMap`).
    pub secret: bool,
    /// Its value, where it is known now: with [`Source::Generate`] and [`Source::Database`] once it was supplied.
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
