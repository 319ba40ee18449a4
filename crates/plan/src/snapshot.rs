//! What is true: one look at the cluster, the node's images and the live objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Runtime;
use crate::objects::Objects;

/// What is known of the cluster behind the profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClusterState {
    /// Not looked at yet.
    #[default]
    Unseen,
    /// There is no such profile.
    Missing,
    /// It is there and does not run.
    Stopped,
    /// It is there, paused.
    Paused,
    /// It runs, but the kubeconfig does not point at it (`status` bit 4, recordings `status-json-restarted`).
    KubeconfigStale,
    /// A part of it does not run; what minikube says of each part.
    Degraded(String),
    /// It runs and answers.
    Running,
}

/// What the API server says of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The node's name: the profile's, on a single-node cluster.
    pub name: String,
    /// The label `minikube.k8s.io/name`: the profile that made it.
    pub profile: String,
    /// Its internal address.
    pub address: String,
    /// `v1.36.2`.
    pub kubelet: String,
    /// `docker://26.1.5`, `containerd://1.7.24`.
    pub runtime: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
}

/// An image on the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeImage {
    /// `sha256:…` as docker names it.
    pub id: String,
    /// Every `repository:tag` of it.
    pub tags: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `sha256:…` of each manifest by which a registry would know it.
    pub repo_digests: Vec<String>,
    /// `sha256:…` of its configuration, where this machine built it: containerd names a running image by that.
    pub built: Option<String>,
}

/// Where the node's docker answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerHost {
    /// `DOCKER_HOST`
    pub host: String,
    /// `DOCKER_TLS_VERIFY`
    pub tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`
    pub cert_path: Option<String>,
}

impl DockerHost {
    /// The host part of `DOCKER_HOST` (`tcp://192.168.49.2:2376` -> `192.168.49.2`).
    pub fn address(&self) -> Option<&str> {
        let rest = self.host.strip_prefix("tcp://")?;
        rest.rsplit_once(':').map(|(host, _)| host)
    }
}

/// What an address of the application answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The service of xtask.toml.
    pub service: String,
    /// What was asked: a URL, or a path through the API server.
    pub address: String,
    /// Whether anything answered.
    pub reached: bool,
    /// Whether it answered as it should.
    pub ok: bool,
    /// In a few words: `200 in 38 ms`.
    pub said: String,
    /// The beginning of the body.
    pub body: String,
}

/// One look at the world. What is `None` was not looked at, or could not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The cluster.
    pub cluster: ClusterState,
    /// The node, when the API server answers.
    pub node: Option<Node>,
    /// Live objects: those of the namespace, the namespace itself, and the node.
    pub objects: Option<Objects>,
    /// The wanted images that the node has, by the tag asked for.
    pub images: Option<BTreeMap<String, NodeImage>>,
    /// What runs the containers on the node, as the profile says.
    pub runtime: Runtime,
    /// The node's docker; none where the runtime is containerd.
    pub docker: Option<DockerHost>,
    /// What the application's addresses answered.
    pub endpoints: Option<Vec<Endpoint>>,
}
