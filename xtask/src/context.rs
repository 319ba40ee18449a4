//! What every phase is given: the configuration, the runner, the reporter, and what was last seen of the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError, RwLock};

use fs_err as fs;
use plan::config::{Config, Layout, Public, Release, Service, ServiceMapping};
use plan::desired::Image;
use plan::diagnose::facts::Timestamp;
use plan::envfile::{Resolved, Source};
use plan::finding::Finding;
use plan::invocation::Secret;
use plan::parts::Part;
use plan::snapshot::Snapshot;
use plan::version::Version;
use report::Reporter;
use serde_json::{Value, json};
use tools::Target;
use tools::helm::Helm;
use tools::runner::Runner;

use crate::api::ApiServer;
use crate::caches::Caches;
use crate::cli::BuildFlags;
use crate::sources::Sources;
use crate::{charts, failure};

/// What a phase works with.
pub(crate) struct Context {
    /// The folder of xtask.toml.
    pub(crate) root: PathBuf,
    /// The folder of caches and logs.
    pub(crate) state: PathBuf,
    /// xtask.toml, complete.
    pub(crate) config: Config,
    /// The layout of this run.
    pub(crate) layout: String,
    /// The environment file, resolved.
    pub(crate) environment: Resolved,
    /// Starts processes.
    pub(crate) runner: Runner,
    /// Tells what happens.
    pub(crate) reporter: Reporter,
    /// What is remembered between runs.
    pub(crate) caches: Caches,
    /// The API server, for lists.
    pub(crate) api: ApiServer,
    /// The build contexts.
    pub(crate) sources: Sources,
    /// What forces builds.
    pub(crate) build: BuildFlags,
    /// The services that this run is limited to; empty: all.
    pub(crate) only: BTreeSet<String>,
    /// `--yes`.
    pub(crate) yes: bool,
    /// Whether a person can be asked.
    pub(crate) interactive: bool,
    /// How many builds may run at once.
    pub(crate) build_slots: Slots,
    /// helm's major version, once it is known.
    helm: OnceLock<Helm>,
    /// One writer of the inventory at a time.
    pub(crate) inventory: Mutex<()>,
    /// Whether an image was built in this run.
    pub(crate) built: AtomicBool,
    /// When each release was changed in this run: trouble that is older is not this change's.
    pub(crate) changed_at: Mutex<BTreeMap<String, Timestamp>>,
    world: RwLock<Snapshot>,
    generated: Mutex<BTreeMap<String, Secret>>,
    chart_digests: Mutex<BTreeMap<String, String>>,
}

/// The pieces that a context is made of.
pub(crate) struct Parts {
    pub(crate) root: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) config: Config,
    pub(crate) layout: String,
    pub(crate) environment: Resolved,
    pub(crate) runner: Runner,
    pub(crate) reporter: Reporter,
    pub(crate) build: BuildFlags,
    pub(crate) only: BTreeSet<String>,
    pub(crate) yes: bool,
    pub(crate) interactive: bool,
}

impl Context {
    /// Puts the pieces together; makes the folder of the caches.
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let Parts { root, state, config, layout, environment, runner, reporter, build, only, yes, interactive } = parts;
        fs::create_dir_all(&state)?;
        let sources = Sources::new(&config, state.clone());
        Ok(Self {
            sources,
            caches: Caches::new(state.clone()),
            api: ApiServer::default(),
            build_slots: Slots::new(crate::machine::build_slots()),
            helm: OnceLock::new(),
            inventory: Mutex::new(()),
            built: AtomicBool::new(false),
            changed_at: Mutex::default(),
            world: RwLock::default(),
            generated: Mutex::default(),
            chart_digests: Mutex::default(),
            root,
            state,
            config,
            layout,
            environment,
            runner,
            reporter,
            build,
            only,
            yes,
            interactive,
        })
    }

    /// Reads what was last seen of the world.
    pub(crate) fn look<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> T {
        read(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what was seen now.
    pub(crate) fn update(&self, write: impl FnOnce(&mut Snapshot)) {
        write(&mut self.world.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether the run is to stop.
    pub(crate) fn cancelled(&self) -> bool {
        self.runner.cancel().is_requested()
    }

    /// Notes which helm this is.
    pub(crate) fn helm_is(&self, version: &Version) {
        self.helm.get_or_init(|| Helm::of(version));
    }

    /// Which helm this is: known from the step `tools` on, asked for where that was not part of the run.
    pub(crate) fn helm(&self) -> Result<Helm, Finding> {
        if let Some(helm) = self.helm.get() {
            return Ok(*helm);
        }
        let version = tools::versions::helm(&self.runner).map_err(|f| failure::finding(self, &f))?;
        Ok(*self.helm.get_or_init(|| Helm::of(&version)))
    }

    /// The minikube profile, which is the kubeconfig's context too.
    pub(crate) fn profile(&self) -> String {
        self.config.cluster.profile.clone()
    }

    /// Where kubectl and helm are pointed, in every call.
    pub(crate) fn kube(&self) -> Target {
        Target::new(self.profile(), &self.config.namespace)
    }

    /// The layout of this run. It was checked when the context was made.
    pub(crate) fn layout(&self) -> &Layout {
        &self.config.layouts[&self.layout]
    }

    /// How the application is reached in this layout.
    pub(crate) fn public(&self) -> &Public {
        &self.layout().public
    }

    /// A service by its name in a layout; the configuration has checked that it is there.
    pub(crate) fn service(&self, name: &str) -> &Service {
        &self.config.services[name]
    }

    /// Which objects of its release are a service's.
    pub(crate) fn part<'a>(&'a self, release: &'a Release, service: &'a str) -> Part<'a> {
        let component = release.services.get(service).map_or(service, |mapping| mapping.component.as_str());
        Part { release: &release.name, component, image: &self.service(service).image, alone: release.services.len() == 1 }
    }

    /// The service that a browser talks to; none where all are workers.
    pub(crate) fn public_service(&self) -> Option<&Service> {
        self.config.services.get(&self.public().service)
    }

    /// The services of the layout that this run is about, with their releases.
    pub(crate) fn services(&self) -> Vec<(&Release, &Service, &ServiceMapping)> {
        let all = self.layout().releases.iter().flat_map(|r| r.services.iter().map(move |(name, mapping)| (r, name, mapping)));
        all.filter(|(_, name, _)| self.only.is_empty() || self.only.contains(*name))
            .map(|(r, name, m)| (r, self.service(name), m))
            .collect()
    }

    /// A release of the layout.
    pub(crate) fn release(&self, name: &str) -> Option<&Release> {
        self.layout().releases.iter().find(|r| r.name == name)
    }

    /// The chart and the values files of a release of the layout, or of the development database.
    pub(crate) fn chart(&self, name: &str) -> Result<(PathBuf, Vec<PathBuf>), Finding> {
        if let Some(release) = self.release(name) {
            return Ok((release.chart.clone(), release.values.clone()));
        }
        let database = self.database().filter(|d| d.release == name);
        database
            .map(|d| (d.chart.clone(), Vec::new()))
            .ok_or_else(|| failure::internal(format!("no release `{name}` in this layout")))
    }

    /// The image that should be there for a service.
    pub(crate) fn image(&self, service: &str) -> Result<Image, Finding> {
        self.sources.image(service)
    }

    /// The images of the releases that this run is about: pods of a release need them all.
    pub(crate) fn images(&self) -> Result<Vec<Image>, Finding> {
        let touched = self.layout().releases.iter().filter(|r| r.services.keys().any(|name| self.is_asked(name)));
        touched.flat_map(|r| r.services.keys()).map(|name| self.image(name)).collect()
    }

    /// Whether this run is about a service, or only about its neighbours in a release.
    pub(crate) fn is_asked(&self, service: &str) -> bool {
        self.only.is_empty() || self.only.contains(service)
    }

    /// Whether the development database is part of this deployment: its key has no value of the user's.
    pub(crate) fn database(&self) -> Option<&plan::config::Database> {
        let database = self.config.database.as_ref()?;
        let entry = self.environment.keys.get(&database.key)?;
        (entry.source == Source::Database).then_some(database)
    }

    /// The keys whose values are made once for development and kept in the cluster.
    pub(crate) fn generated_keys(&self) -> BTreeSet<String> {
        self.environment.to_generate().map(str::to_owned).collect()
    }

    /// A value made for development, the same one for the whole run; the runner never shows it.
    pub(crate) fn generate(&self, key: &str) -> Result<Secret, Finding> {
        let mut made = self.generated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = made.get(key) {
            return Ok(value.clone());
        }
        // 32 bytes are 64 hexadecimal digits: over the 32 characters that a signing secret needs.
        let value = Secret::new(crate::generate::hex(32)?);
        self.runner.redact(&value);
        made.insert(key.to_owned(), value.clone());
        Ok(value)
    }

    /// The digest of a chart and its values files, computed once a run.
    pub(crate) fn chart_digest(&self, chart: &Path, values: &[PathBuf]) -> Result<String, Finding> {
        let mut known = self.chart_digests.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{}|{values:?}", chart.display());
        if let Some(digest) = known.get(&key) {
            return Ok(digest.clone());
        }
        let digest = charts::digest(chart, values).map_err(|e| failure::io(&e))?;
        known.insert(key, digest.clone());
        Ok(digest)
    }

    /// Forgets the digest of a chart whose files the tool itself has added to.
    pub(crate) fn forget_chart_digests(&self) {
        self.chart_digests.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Writes an object, server-side: the API server merges, and no copy of it is left in an annotation.
    pub(crate) fn apply_object(&self, manifest: &Value, what: &str) -> Result<(), Finding> {
        tools::kubectl::apply(&self.runner, &self.kube(), what, plan::invocation::Stdin::Text(manifest.to_string()))
            .map(drop)
            .map_err(|f| failure::finding(self, &f))
    }

    /// Writes an object that nobody may see.
    pub(crate) fn apply_secret(&self, manifest: Secret, what: &str) -> Result<(), Finding> {
        tools::kubectl::apply(&self.runner, &self.kube(), what, plan::invocation::Stdin::Secret(manifest))
            .map(drop)
            .map_err(|f| failure::finding(self, &f))
    }

    /// A file for a child to read, 0600, gone when the value is dropped.
    pub(crate) fn scratch(suffix: &str, text: &str) -> Result<tempfile::NamedTempFile, Finding> {
        use std::io::Write as _;
        let write = || {
            let mut file = tempfile::Builder::new().prefix("xtask-").suffix(suffix).tempfile()?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
            Ok(file)
        };
        write().map_err(|e: std::io::Error| failure::io(&e))
    }

    /// The values of the development database's chart.
    pub(crate) fn database_values(database: &plan::config::Database) -> Value {
        let (repository, tag) = database.image.rsplit_once(':').unwrap_or((&database.image, "latest"));
        json!({
            "image": {"repository": repository, "tag": tag},
            "existingSecret": database.secret,
            "storage": {"size": plan::units::quantity(database.storage)},
        })
    }
}

/// The folder of caches, records and the lock of a configuration in `root`: in cargo's own folder of the workspace, each other folder
/// has one there too. Beside a foreign configuration it would lie in that project's build context, and each run would change what
/// the image is made from.
pub(crate) fn state_folder(workspace: &Path, root: &Path) -> PathBuf {
    let ours = workspace.join("target").join("xtask");
    if root == workspace {
        return ours;
    }
    let digest = plan::identity::digest([root.as_os_str().as_encoded_bytes()]);
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    ours.join(format!("{name}-{}", &digest[..8]))
}

/// A counting semaphore.
pub(crate) struct Slots {
    free: Mutex<usize>,
    changed: Condvar,
}

/// One slot, given back when dropped.
pub(crate) struct Slot<'a>(&'a Slots);

impl Slots {
    fn new(count: usize) -> Self {
        Self { free: Mutex::new(count.max(1)), changed: Condvar::new() }
    }

    /// Waits for a slot.
    pub(crate) fn acquire(&self) -> Slot<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.changed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.changed.notify_one();
    }
}
