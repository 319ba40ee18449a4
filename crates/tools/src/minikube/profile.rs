//! `minikube profile list`: what each cluster was made with.

use std::collections::BTreeMap;

use calls::invocation::{Invocation, Tool};
use serde::Deserialize;

use super::SHORT;
use crate::answer::{Parsed, ToolError, json};
use crate::runner::{Output, Runner};

/// A profile and the configuration it was created with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, also of its context.
    pub name: String,
    /// `Skipped` with `--light`; else `OK`, `Stopped`, … or empty.
    pub status: String,
    /// `docker`, `kvm2`, …
    pub driver: String,
    /// `docker`, `containerd`, `crio`.
    pub runtime: String,
    /// CPUs it was given.
    pub cpus: u32,
    /// Memory it was given (MiB).
    pub memory_mib: u64,
    /// Disk it was given (MB); without meaning for the docker driver.
    pub disk_mb: u64,
    /// As in `v1.36.2`.
    pub kubernetes_version: String,
    /// The image of the node.
    pub base_image: String,
    /// Ports published at creation, `127.0.0.1:30300:30300`.
    pub exposed_ports: Vec<String>,
    /// Its nodes.
    pub nodes: Vec<ProfileNode>,
    /// Addons that were switched.
    pub addons: BTreeMap<String, bool>,
    /// Whether it is minikube's own current profile.
    pub active: bool,
    /// Whether its context is the current one.
    pub active_kube_context: bool,
}

/// One node of a [`Profile`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProfileNode {
    /// Its name; empty for the first.
    pub name: String,
    /// Its address; on macOS and Windows not reachable from the host. Empty before its first start.
    #[serde(rename = "IP")]
    pub ip: String,
    /// The API server's port.
    pub port: u16,
    /// Whether it is a control plane.
    pub control_plane: bool,
    /// Whether it takes pods.
    pub worker: bool,
}

/// What `minikube profile list` knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profiles {
    /// Those that can be read.
    pub valid: Vec<Profile>,
    /// The names of those that can't.
    pub invalid: Vec<String>,
}

impl Profiles {
    /// The profile of that name.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.valid.iter().find(|profile| profile.name == name)
    }
}

/// `minikube profile list --light -o json`: from files, without a look at the clusters.
pub fn profiles_invocation() -> Invocation {
    Invocation::new(Tool::Minikube, "list the minikube profiles", SHORT).args(["profile", "list", "--light", "-o", "json"])
}

/// All profiles. No profile is an empty list and exit code 0; an error is `{"error":…}` and exit code 80.
pub fn parse_profiles(output: &Output) -> Parsed<Profiles> {
    let told: Told = json(output)?;
    Ok(Profiles {
        valid: told.valid.unwrap_or_default().into_iter().map(Profile::from).collect(),
        invalid: told.invalid.unwrap_or_default().into_iter().map(|row| row.name).collect(),
    })
}

/// All profiles.
pub fn profiles(runner: &Runner) -> Result<Profiles, ToolError> {
    runner.ask(&profiles_invocation(), parse_profiles)
}

#[derive(Deserialize)]
struct Told {
    valid: Option<Vec<Row>>,
    invalid: Option<Vec<Named>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    name: String,
    #[serde(default)]
    status: String,
    config: Config,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    active_kube_context: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    driver: String,
    #[serde(rename = "CPUs")]
    cpus: u32,
    memory: u64,
    #[serde(default)]
    disk_size: u64,
    #[serde(default)]
    kic_base_image: String,
    exposed_ports: Option<Vec<String>>,
    #[serde(rename = "KubernetesConfig")]
    kubernetes: KubernetesConfig,
    nodes: Option<Vec<ProfileNode>>,
    addons: Option<BTreeMap<String, bool>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KubernetesConfig {
    kubernetes_version: String,
    container_runtime: String,
}

impl From<Row> for Profile {
    fn from(Row { name, status, config, active, active_kube_context }: Row) -> Self {
        Self {
            name,
            status,
            driver: config.driver,
            runtime: config.kubernetes.container_runtime,
            cpus: config.cpus,
            memory_mib: config.memory,
            disk_mb: config.disk_size,
            kubernetes_version: config.kubernetes.kubernetes_version,
            base_image: config.kic_base_image,
            exposed_ports: config.exposed_ports.unwrap_or_default(),
            nodes: config.nodes.unwrap_or_default(),
            addons: config.addons.unwrap_or_default(),
            active,
            active_kube_context,
        }
    }
}
