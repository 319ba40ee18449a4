//! The state of the world: what the simulated tools change and tell.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Fault};

/// All there is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct World {
    /// The versions that the tools say they have.
    pub versions: Versions,
    /// The machine.
    pub machine: Machine,
    /// Clusters by name.
    pub profiles: BTreeMap<String, Profile>,
    /// Images of the host's docker daemon.
    pub host_images: Vec<Image>,
    /// Faults, the first that fits strikes.
    pub faults: Vec<Fault>,
    /// The address that a new cluster's node gets; empty for 192.168.49.2. With 127.0.0.1 its node ports can be served for real.
    pub node_ip: String,
    /// How long a start takes (milliseconds), spread over its events.
    pub start_ms: u64,
    /// How long a build takes (milliseconds).
    pub build_ms: u64,
    /// How long a pod takes to be ready (milliseconds).
    pub ready_ms: u64,
    /// Builds that fail, by a word in the image's name: what the failing step prints.
    pub failing_builds: BTreeMap<String, String>,
    /// Containers that never get ready, by the name of their container.
    pub broken: BTreeMap<String, Broken>,
    /// What a path of a service answers: `backend-service/api/health` -> status and body. Others answer 200 `{"status":"ok"}`.
    pub http: BTreeMap<String, (u16, String)>,
}

/// What a broken container shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Broken {
    /// `CrashLoopBackOff`, `CreateContainerConfigError`, … or `Running` for one that is not ready.
    pub reason: String,
    /// Kubernetes' words.
    pub message: String,
    /// How often it was restarted.
    pub restarts: u32,
    /// Its log.
    pub log: String,
}

/// The versions of the tools.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Versions {
    /// `v1.38.1`
    pub minikube: String,
    /// `28.2.2`
    pub docker_client: String,
    /// `26.1.5`
    pub docker_server: String,
    /// `v3.22.0`
    pub helm: String,
    /// `v1.36.2`, also the cluster's unless its start says otherwise.
    pub kubernetes: String,
}

impl Default for Versions {
    fn default() -> Self {
        let [minikube, docker_client, docker_server, helm, kubernetes] =
            ["v1.38.1", "28.2.2", "26.1.5", "v3.22.0", "v1.36.2"].map(str::to_owned);
        Self { minikube, docker_client, docker_server, helm, kubernetes }
    }
}

/// The machine and its docker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// CPUs.
    pub cpus: u32,
    /// Memory (MiB).
    pub memory_mib: u64,
    /// `Docker Desktop` or a Linux.
    pub operating_system: String,
    /// Whether its docker daemon answers.
    pub docker: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self { cpus: 8, memory_mib: 16 * 1024, operating_system: "Debian GNU/Linux 12 (bookworm)".to_owned(), docker: true }
    }
}

/// A cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Whether its node runs.
    pub running: bool,
    /// Whether its API server answers, while the node runs.
    pub api_server: bool,
    /// Whether the kubeconfig points to it.
    pub kubeconfig: bool,
    /// `docker`
    pub driver: String,
    /// `docker` or `containerd`
    pub runtime: String,
    /// CPUs it was given.
    pub cpus: u32,
    /// Memory it was given (MiB).
    pub memory_mib: u64,
    /// `v1.36.2`
    pub kubernetes: String,
    /// Its node's address.
    pub ip: String,
    /// Enabled addons.
    pub addons: BTreeMap<String, bool>,
    /// Images of its node.
    pub images: Vec<Image>,
    /// Releases by `namespace/name`.
    pub releases: BTreeMap<String, Release>,
    /// Objects by `namespace/plural/name`; of no namespace: `/plural/name`.
    pub objects: BTreeMap<String, Value>,
    /// The last resource version.
    pub resource_version: u64,
    /// The latest changes, for watches.
    pub changes: Vec<Change>,
    /// What was true when controllers and kubelets had nothing left to do.
    pub settled: String,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            running: false,
            api_server: true,
            kubeconfig: true,
            driver: "docker".to_owned(),
            runtime: "docker".to_owned(),
            cpus: 2,
            memory_mib: 4096,
            kubernetes: Versions::default().kubernetes,
            ip: "192.168.49.2".to_owned(),
            addons: [("default-storageclass", true), ("storage-provisioner", true), ("metrics-server", false)]
                .map(|(name, on)| (name.to_owned(), on))
                .into(),
            images: Vec::new(),
            releases: BTreeMap::new(),
            objects: BTreeMap::new(),
            resource_version: 1,
            changes: Vec::new(),
            settled: String::new(),
        }
    }
}

/// One change of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Its resource version.
    pub version: u64,
    /// `namespace/plural/name`
    pub key: String,
    /// `ADDED`, `MODIFIED`, `DELETED`
    pub r#type: String,
    /// The object.
    pub object: Value,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// `sha256:…`
    pub id: String,
    /// `name:tag`
    pub names: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its size (bytes).
    pub size: u64,
    /// When it was built, RFC 3339.
    pub created: String,
}

/// A release of helm.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    /// Its revisions, the oldest first.
    pub revisions: Vec<Revision>,
}

/// One revision of a release.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Revision {
    /// Its number.
    pub number: u32,
    /// `deployed`, `superseded`, `failed`, `pending-upgrade`…
    pub status: String,
    /// `todo-app-1.0.0`
    pub chart: String,
    /// `3.0.0`
    pub app_version: String,
    /// helm's sentence.
    pub description: String,
    /// When, RFC 3339.
    pub updated: String,
    /// What was given.
    pub values: Value,
    /// What was made.
    pub objects: Vec<Value>,
}

impl World {
    /// A machine with the tools and no cluster.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same with a running cluster `minikube`.
    pub fn running() -> Self {
        let mut world = Self::default();
        let mut profile = Profile { running: true, ..Profile::default() };
        crate::cluster::boot("minikube", &mut profile);
        world.profiles.insert("minikube".to_owned(), profile);
        world
    }

    /// Whether nothing changes by itself: every pod of every running cluster is what it will be.
    pub(crate) fn is_settled(&self) -> bool {
        self.profiles.values().filter(|p| p.running && p.api_server).all(|p| !p.settled.is_empty())
    }

    /// The cluster of that name.
    pub fn profile(&mut self, name: &str) -> Option<&mut Profile> {
        self.profiles.get_mut(name)
    }
}

/// The file of the world.
pub(crate) struct Store {
    path: PathBuf,
}

impl Store {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where calls are noted.
    pub(crate) fn calls(&self) -> PathBuf {
        self.path.with_file_name("calls.jsonl")
    }

    /// Changes the world while no other call looks at it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> Result<T, Error>) -> Result<T, Error> {
        let _locked = self.lock()?;
        let text = std::fs::read_to_string(&self.path).map_err(|e| Error(format!("{}: {e}", self.path.display())))?;
        let mut world: World = serde_json::from_str(&text).map_err(|e| Error(format!("{}: {e}", self.path.display())))?;
        crate::cluster::pass_time(&mut world);
        let answer = change(&mut world)?;
        // What was changed is seen at once: a rollout of pods that need no time is complete when its command returns. New pods, their
        // readiness, and the end of the old ones are a round each.
        for _ in 0..4 {
            if !crate::cluster::pass_time(&mut world) {
                break;
            }
        }
        let new = serde_json::to_string(&world)?;
        if new != text {
            // Renamed into place: a call that is killed while it writes must not leave half a world.
            let beside = self.path.with_extension(format!("{}.new", std::process::id()));
            std::fs::write(&beside, new)?;
            std::fs::rename(&beside, &self.path)?;
        }
        Ok(answer)
    }

    /// Looks at the world without changing it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> Result<T, Error> {
        // Renamed into place, so what is read is whole without the lock; what time would have changed is left to the next change.
        let text = std::fs::read_to_string(&self.path).map_err(|e| Error(format!("{}: {e}", self.path.display())))?;
        let mut world: World = serde_json::from_str(&text).map_err(|e| Error(format!("{}: {e}", self.path.display())))?;
        if crate::cluster::pass_time(&mut world) {
            return self.change(|world| Ok(look(world)));
        }
        Ok(look(&world))
    }

    /// Something that differs after each change of the world.
    pub(crate) fn stamp(&self) -> Option<(std::time::SystemTime, u64)> {
        let about = std::fs::metadata(&self.path).ok()?;
        Some((about.modified().ok()?, about.len()))
    }

    fn lock(&self) -> Result<File, Error> {
        let file = OpenOptions::new().create(true).append(true).open(self.path.with_extension("lock"))?;
        file.lock()?;
        Ok(file)
    }
}
