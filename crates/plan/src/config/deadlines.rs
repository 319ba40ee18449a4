//! `[deadlines]`: how long each kind of step may take before it counts as failed.

use std::time::Duration;

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
