//! `[cluster]` and `[tools]`: the minikube profile and the versions of the tools.

use crate::version::{Version, VersionRange};

/// `"auto"`, or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount<T> {
    /// As much as is good on this machine: see `config::resources`.
    Auto,
    /// So much and no less.
    Fixed(T),
}

/// What runs the containers in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// Docker, by cri-dockerd: images are built right where they run.
    #[default]
    Docker,
    /// containerd.
    Containerd,
}

impl Runtime {
    /// As `minikube start --container-runtime` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
        }
    }
}

/// `[cluster]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The minikube profile: also the name of the kubeconfig's context.
    pub profile: String,
    /// minikube's driver; `None` is `auto`: minikube chooses.
    pub driver: Option<String>,
    /// What runs the containers.
    pub runtime: Runtime,
    /// CPUs of the cluster.
    pub cpus: Amount<u32>,
    /// Bytes of memory of the cluster.
    pub memory: Amount<u64>,
    /// Bytes of disk of the cluster.
    pub disk: u64,
    /// The Kubernetes version; `None` is `default`: the one that minikube brings.
    pub kubernetes: Option<Version>,
    /// Further arguments of `minikube start`.
    pub start_args: Vec<String>,
}

/// `[tools]`: which versions will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// minikube
    pub minikube: VersionRange,
    /// The cluster's Kubernetes.
    pub kubernetes: VersionRange,
    /// helm
    pub helm: VersionRange,
    /// docker (the client, and the daemon in the cluster)
    pub docker: VersionRange,
}
