//! xtask.toml: what is deployed, where to, and with what. The user's one file.
//!
//! Every key is described in `docs/configuration.md`; a test holds that page and [`KEYS`] together.

mod cluster;
mod database;
mod deadlines;
mod environment;
mod layout;
mod public;
mod service;

use std::collections::BTreeMap;
use std::path::Path;

pub use cluster::{Amount, Cluster, Runtime, Tools};
pub use database::Database;
pub use deadlines::Deadlines;
pub use environment::{Check, EnvironmentRules, KeyRule, Required};
pub use layout::{Layout, Release, ServiceMapping};
pub use public::{Access, Public};
pub use service::{Health, PodSecurity, Service};

use crate::problem::Problem;

/// Whether the files that the config names are there. Paths are as the config resolved them: joined to its own directory.
pub trait Files {
    /// Whether there is a file at `path`.
    fn is_file(&self, path: &Path) -> bool;
    /// Whether there is a directory at `path`.
    fn is_dir(&self, path: &Path) -> bool;
    /// The names in the directory `path`, for "did you mean"; empty where it can't be read.
    fn names(&self, path: &Path) -> Vec<String>;
}

/// xtask.toml, complete: every default filled in, every reference checked, every path joined to the file's directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file as it was named, for messages.
    pub file: String,
    /// The deployment's name: a DNS label, the value of the owner label.
    pub name: String,
    /// The namespace that everything goes to.
    pub namespace: String,
    /// The name of the layout that is deployed unless another is asked for; a key of `layouts`.
    pub layout: String,
    /// The cluster.
    pub cluster: Cluster,
    /// Which versions of the tools will do.
    pub tools: Tools,
    /// The services by name; at least one.
    pub services: BTreeMap<String, Service>,
    /// The service that a browser talks to, and how. A layout may say otherwise: see [`Layout::public`].
    pub public: Public,
    /// The environment file and what has to hold for its keys.
    pub environment: EnvironmentRules,
    /// The development database, where there is one.
    pub database: Option<Database>,
    /// The layouts by name; at least one.
    pub layouts: BTreeMap<String, Layout>,
    /// How long each kind of step may take.
    pub deadlines: Deadlines,
    /// What is odd and yet works.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// The layout of that name.
    pub fn layout(&self, name: &str) -> Option<&Layout> {
        self.layouts.get(name)
    }

    /// The Pod Security level that the namespace can enforce: the loosest of its services.
    pub fn pod_security(&self) -> PodSecurity {
        self.services.values().map(|service| service.pod_security).max().unwrap_or_default()
    }
}
