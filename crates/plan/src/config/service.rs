//! `[services.NAME]`: one container image and how it wants to be run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The paths that the probes ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether the process lives; must not depend on anything else.
    pub liveness: String,
    /// Whether it can serve.
    pub readiness: String,
}

/// The Pod Security Standard that the service's pods keep to, from strict to loose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodSecurity {
    /// Non-root, no capabilities, seccomp.
    #[default]
    Restricted,
    /// May run as root.
    Baseline,
    /// Anything.
    Privileged,
}

impl PodSecurity {
    /// As the label `pod-security.kubernetes.io/enforce` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Baseline => "baseline",
            Self::Privileged => "privileged",
        }
    }
}

/// `[services.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, a DNS label.
    pub name: String,
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// The build context: a directory that exists.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context, with `/`.
    pub dockerfile: String,
    /// The image's repository, without a tag.
    pub image: String,
    /// The port that the container listens on.
    pub port: u16,
    /// The paths that the probes ask.
    pub health: Health,
    /// A build that takes longer is warned about.
    pub build_budget: Option<Duration>,
    /// An image of more bytes is warned about.
    pub size_budget: Option<u64>,
    /// Build arguments; never secrets, since they stay readable in the image.
    pub build_args: BTreeMap<String, String>,
    /// The stage of the Dockerfile to build, where it is not the last.
    pub target: Option<String>,
    /// The keys of the environment that the service gets, as listed.
    pub keys: Vec<String>,
    /// The services that it talks to.
    pub needs: Vec<String>,
    /// The Pod Security Standard of its pods.
    pub pod_security: PodSecurity,
    /// Whether its root filesystem is read-only.
    pub read_only_root: bool,
    /// The user id, where the image does not say a numeric one.
    pub run_as_user: Option<u32>,
    /// How many pods, where it says so. A layout may say otherwise: see `ServiceMapping::replicas`.
    pub replicas: Option<u32>,
    /// The command that runs its own tests, in the context.
    pub test: Option<Vec<String>>,
}
