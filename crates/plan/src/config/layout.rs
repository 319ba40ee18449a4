//! `[layouts.NAME]`: how the services are laid out in releases.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::public::Public;

/// `[layouts.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Its name.
    pub name: String,
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// CPUs that it needs at least.
    pub min_cpus: u32,
    /// Bytes of memory that it needs at least.
    pub min_memory: u64,
    /// How the public service is reached in this layout.
    pub public: Public,
    /// Its releases, in the order of the file; at least one.
    pub releases: Vec<Release>,
}

impl Layout {
    /// The release that runs `service`, and how.
    pub fn of_service(&self, service: &str) -> Option<(&Release, &ServiceMapping)> {
        self.releases.iter().find_map(|release| release.services.get(service).map(|mapping| (release, mapping)))
    }
}

/// `[[layouts.NAME.releases]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// The chart: a directory with a Chart.yaml.
    pub chart: PathBuf,
    /// Values files in the order of helm: later ones win.
    pub values: Vec<PathBuf>,
    /// The services that it runs, by name; at least one.
    pub services: BTreeMap<String, ServiceMapping>,
    /// Other value paths of the chart for what concerns the release as a whole; an empty path: don't set.
    /// Names: [`Release::SETTINGS`].
    pub keys: BTreeMap<String, String>,
    /// Values that win over all others: a map.
    pub set: Value,
    /// The Secret that the tool makes for it.
    pub secret: String,
    /// The releases that have to be ready before.
    pub after: Vec<String>,
}

impl Release {
    /// What concerns a release as a whole and can be given another value path.
    pub const SETTINGS: [&str; 6] =
        ["existing_secret", "public_origin", "config", "ingress_enabled", "ingress_host", "ingress_class"];
}

/// `services.NAME` of a release: where the chart takes that service's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceMapping {
    /// What follows the setting's name in a value path: `.backend`, or nothing.
    pub at: String,
    /// The chart's name for the service: the label `app.kubernetes.io/component` and the container's name.
    pub component: String,
    /// Other value paths of the chart; an empty path: don't set. Names: [`ServiceMapping::SETTINGS`].
    pub keys: BTreeMap<String, String>,
    /// How many pods, where the file says so: here, for the layout, or for the service.
    pub replicas: Option<u32>,
}

impl ServiceMapping {
    /// What concerns one service and can be given another value path.
    pub const SETTINGS: [&str; 15] = [
        "image_repository",
        "image_tag",
        "image_pull_policy",
        "port",
        "startup_path",
        "liveness_path",
        "readiness_path",
        "secret_keys",
        "pod_annotations",
        "replicas",
        "pod_security",
        "read_only_root",
        "run_as_user",
        "service_type",
        "node_port",
    ];
}
