//! The steps: a file each says what it compares, how it makes it so, and how it is undone.

pub(crate) mod cluster;
pub(crate) mod endpoints;
pub(crate) mod image;
pub(crate) mod namespace;
pub(crate) mod prune;
pub(crate) mod release;
pub(crate) mod retire;
pub(crate) mod rollout;
pub(crate) mod secret;
pub(crate) mod tools;

use report::event::StepName;

/// The names by which steps wait for each other.
pub(crate) mod names {
    use super::StepName;

    pub(crate) fn tools() -> StepName {
        StepName::new("tools", "")
    }
    pub(crate) fn cluster() -> StepName {
        StepName::new("cluster", "")
    }
    /// A milestone of the cluster step: the node's docker answers and will not be reconfigured again
    /// (from minikube's event `Preparing Kubernetes` on, recording `start-cold-timed`).
    pub(crate) fn docker() -> StepName {
        StepName::new("docker", "")
    }
    pub(crate) fn image(service: &str) -> StepName {
        StepName::new("image", service)
    }
    pub(crate) fn namespace() -> StepName {
        StepName::new("namespace", "")
    }
    pub(crate) fn secret(name: &str) -> StepName {
        StepName::new("secret", name)
    }
    pub(crate) fn release(name: &str) -> StepName {
        StepName::new("release", name)
    }
    pub(crate) fn rollout(name: &str) -> StepName {
        StepName::new("rollout", name)
    }
    pub(crate) fn retire(what: &str) -> StepName {
        StepName::new("retire", what)
    }
    pub(crate) fn prune() -> StepName {
        StepName::new("prune", "")
    }
    pub(crate) fn endpoints() -> StepName {
        StepName::new("endpoints", "")
    }
}
