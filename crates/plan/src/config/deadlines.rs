//! `[deadlines]`: how long each kind of step may take before it counts as failed.

use std::time::Duration;

use super::table::Table;
use crate::units::{DURATION_HINT, parse_duration};

pub(super) const KEYS: &[&str] = &["cluster", "build", "release", "migration", "rollout", "endpoint", "cleanup"];

/// `[deadlines]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// `minikube start`, downloads included.
    pub cluster: Duration,
    /// The build of one image.
    pub build: Duration,
    /// `helm upgrade`, hooks apart.
    pub release: Duration,
    /// The migration job of a release.
    pub migration: Duration,
    /// Until all pods of a release are ready.
    pub rollout: Duration,
    /// Until the public address answers.
    pub endpoint: Duration,
    /// `helm uninstall` and the end of what it leaves.
    pub cleanup: Duration,
}

impl Deadlines {
    pub(super) fn read(table: &Table<'_, '_>) -> Self {
        let deadline = |name, seconds| {
            let read = table.parsed(name, parse_duration, "not a duration", DURATION_HINT);
            read.map_or(Duration::from_secs(seconds), |item| item.value)
        };
        Self {
            cluster: deadline("cluster", 600),
            build: deadline("build", 900),
            release: deadline("release", 120),
            migration: deadline("migration", 180),
            rollout: deadline("rollout", 300),
            endpoint: deadline("endpoint", 60),
            cleanup: deadline("cleanup", 180),
        }
    }
}
