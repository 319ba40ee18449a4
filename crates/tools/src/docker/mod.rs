//! docker, each call at a named daemon: the node's or the host's. Formats as of client 28 and server 26 (recordings).

mod build;
mod images;
mod system;

use calls::invocation::Invocation;

pub use build::{
    BUILD_DEADLINE, BuildFailure, BuildLog, BuildOptions, BuildProgress, Built, VertexState, build, build_invocation,
    parse_build_failure,
};
pub use images::{
    ImageDetail, ImageRow, Inspected, Removed, history_size, history_size_invocation, images_by_label,
    images_by_label_invocation, inspect, inspect_invocation, parse_history_size, parse_images, parse_inspect, parse_remove,
    remove, remove_invocation, tag, tag_invocation,
};
pub use system::{
    Info, Usage, UsageRow, disk_usage, disk_usage_invocation, info, info_invocation, parse_disk_usage, parse_info, parse_size,
};

use crate::minikube::DockerEnv;

/// Which daemon is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The one that the user's docker talks to.
    Host,
    /// The one in the node, as `minikube docker-env` names it. Nothing of the user's own endpoint is inherited.
    Node(DockerEnv),
}

impl Endpoint {
    pub(crate) fn apply(&self, invocation: Invocation) -> Invocation {
        match self {
            Self::Host => invocation,
            Self::Node(env) => {
                let optional = [("DOCKER_TLS_VERIFY", &env.tls_verify), ("DOCKER_CERT_PATH", &env.cert_path)];
                let given = optional.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
                given.fold(invocation.env("DOCKER_HOST", &env.host), |invocation, (name, value)| invocation.env(name, value))
            }
        }
    }
}
