//! `[environment]`: the environment file and what has to hold for its keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a value has to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `postgres-url`: `postgres://` or `postgresql://`, with host and database.
    PostgresUrl,
    /// `url`: `http://` or `https://` with a host.
    Url,
    /// `min-length:N` characters.
    MinLength(usize),
    /// `prefix:TEXT`.
    Prefix(String),
    /// `one-of:A,B`.
    OneOf(Vec<String>),
}

/// Whether a key has to have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// In every deployment.
    Always,
    /// Never: the application does without.
    Never,
    /// Where another key has this value: `when KEY=VALUE`.
    When {
        /// The other key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// `[environment.keys]`: one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// The key.
    pub key: String,
    /// The line of xtask.toml where it stands, or where a service lists it.
    pub line: usize,
    /// Whether its value is a secret: secrets go to the Secret, others to the ConfigMap.
    pub secret: bool,
    /// What a value has to look like.
    pub check: Option<Check>,
    /// Whether it has to have a value.
    pub required: Required,
    /// The value where the file has none. Never on a secret.
    pub default: Option<String>,
    /// Where the file has no value but exactly one of these other keys: the value for that key.
    pub infer: BTreeMap<String, String>,
    /// Whether a secret is made once for development where the file has none.
    pub generate: bool,
    /// The group that is set as a whole or not at all.
    pub group: Option<String>,
}

/// `[environment]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRules {
    /// The environment file; it may be missing.
    pub file: PathBuf,
    /// The example that it is made from: its values are placeholders.
    pub example: PathBuf,
    /// A rule for every key that has one or that a service lists.
    pub keys: BTreeMap<String, KeyRule>,
}
