//! What `deploy --watch` waits for: a change of anything that a deploy is made from.
//!
//! Polled through the stat caches of the build contexts instead of asking the system to tell: what counts is the digest that decides
//! about a build, so a file that is only touched, or that `.dockerignore` leaves out, wakes nobody. No process is started for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use context::{BuildInputs, Manifest, StatCache};
use fs_err as fs;

use crate::charts;
use crate::context::Context;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// How long nothing may change before a change counts as over: editors and `git checkout` write many files.
const QUIET: Duration = Duration::from_millis(250);
/// A tree that never comes to rest is deployed all the same.
const RESTLESS: Duration = Duration::from_secs(10);
/// Between two looks at Ctrl-C.
const SLICE: Duration = Duration::from_millis(25);
/// A look may take one part in this many of the time, however large the contexts are.
const SHARE: u32 = 10;

/// The files behind a deployment.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// xtask.toml, the environment file and its example: named as they were given.
    files: Vec<PathBuf>,
    /// Release, chart and values files.
    charts: Vec<(String, PathBuf, Vec<PathBuf>)>,
    contexts: Vec<Folder>,
}

/// The build context of a service.
#[derive(Debug)]
struct Folder {
    service: String,
    inputs: BuildInputs,
    cache: StatCache,
    /// Of the last look.
    manifest: Option<Arc<Manifest>>,
}

/// What they were at one moment: a name a person knows, and its state.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    parts: BTreeMap<String, String>,
    /// The ingredients of each build context, to name what changed.
    contexts: BTreeMap<String, Arc<Manifest>>,
}

impl Watched {
    /// Only the configuration, for as long as it can't be read.
    pub(crate) fn configuration(file: PathBuf) -> Self {
        Self { files: vec![file], ..Self::default() }
    }

    /// Everything that a deploy of `cx` is made from. The same file can be part of the configuration and of a chart.
    pub(crate) fn of(cx: &Context, config_file: PathBuf) -> Self {
        let releases = cx.layout().releases.iter().map(|r| (r.name.clone(), r.chart.clone(), r.values.clone()));
        let database = cx.database().map(|d| (d.release.clone(), d.chart.clone(), Vec::new()));
        let contexts = cx.services().into_iter().filter_map(|(_, service, _)| {
            let inputs = cx.sources.inputs(&service.name)?.clone();
            Some(Folder { service: service.name.clone(), inputs, cache: StatCache::in_memory(), manifest: None })
        });
        Self {
            files: vec![config_file, cx.config.environment.file.clone(), cx.config.environment.example.clone()],
            charts: releases.chain(database).collect(),
            contexts: contexts.collect(),
        }
    }

    /// What is watched, in a few words.
    pub(crate) fn describe(&self) -> String {
        let services = self.contexts.iter().map(|folder| folder.service.clone());
        let charts = match self.charts.len() {
            0 => None,
            1 => Some("1 chart".to_owned()),
            n => Some(format!("{n} charts")),
        };
        let files = self.files.iter().filter(|f| f.exists()).map(|f| name_of(f));
        services.chain(charts).chain(files).collect::<Vec<_>>().join(", ")
    }

    /// Looks. What can't be read has its error as its state, so that it counts as a change when it can be read again.
    pub(crate) fn look(&mut self) -> State {
        let mut state = State::default();
        for file in &self.files {
            let content = match fs::read(file) {
                Ok(bytes) => plan::identity::digest([bytes.as_slice()]),
                Err(e) => e.kind().to_string(),
            };
            state.parts.insert(name_of(file), content);
        }
        for (release, chart, values) in &self.charts {
            let content = charts::digest(chart, values).unwrap_or_else(|e| e.to_string());
            state.parts.insert(format!("chart of {release}"), content);
        }
        for folder in &mut self.contexts {
            let content = match context::digest(&folder.inputs, &mut folder.cache) {
                Ok(digest) => {
                    let known = folder.manifest.take().filter(|known| known.digest == digest.hex);
                    let manifest = known.unwrap_or_else(|| Arc::new(digest.manifest()));
                    state.contexts.insert(folder.service.clone(), Arc::clone(&manifest));
                    folder.manifest = Some(manifest);
                    digest.hex
                }
                Err(error) => error.to_string(),
            };
            state.parts.insert(folder.service.clone(), content);
        }
        state
    }

    /// Waits until something is other than in `then` and has come to rest; `None` when `stop` says so.
    pub(crate) fn changed(&mut self, then: &State, stop: &dyn Fn() -> bool) -> Option<State> {
        loop {
            let (now, took) = self.timed_look();
            if now.parts != then.parts {
                return self.at_rest(now, stop);
            }
            if !sleep(PAUSE.max(took * SHARE), stop) {
                return None;
            }
        }
    }

    fn at_rest(&mut self, mut seen: State, stop: &dyn Fn() -> bool) -> Option<State> {
        let until = Instant::now() + RESTLESS;
        loop {
            if !sleep(QUIET, stop) {
                return None;
            }
            let (now, _) = self.timed_look();
            if now.parts == seen.parts || Instant::now() >= until {
                return Some(now);
            }
            seen = now;
        }
    }

    fn timed_look(&mut self) -> (State, Duration) {
        let begun = Instant::now();
        (self.look(), begun.elapsed())
    }
}

impl State {
    /// The same, with what `earlier` knows as it was then.
    pub(crate) fn or_earlier(mut self, earlier: &Self) -> Self {
        for (name, content) in &mut self.parts {
            if let Some(then) = earlier.parts.get(name) {
                content.clone_from(then);
                if let Some(manifest) = earlier.contexts.get(name) {
                    self.contexts.insert(name.clone(), Arc::clone(manifest));
                }
            }
        }
        self
    }

    /// What is other than it was: `backend app/main.py, .env`.
    pub(crate) fn since(&self, then: &Self) -> String {
        let names = self.parts.keys().chain(then.parts.keys().filter(|name| !self.parts.contains_key(*name)));
        let differ = names.filter(|name| self.parts.get(*name) != then.parts.get(*name));
        let named = differ.map(|name| match (then.contexts.get(name), self.contexts.get(name)) {
            (Some(before), Some(now)) => {
                let changes = now.changed_since(before);
                if changes.is_empty() { name.clone() } else { format!("{name}: {}", context::summary(&changes, 2)) }
            }
            _ => name.clone(),
        });
        named.collect::<Vec<_>>().join("; ")
    }
}

/// A file by its own name: where it lies is known.
fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// Sleeps; `false` when `stop` said so meanwhile.
pub(crate) fn sleep(time: Duration, stop: &dyn Fn() -> bool) -> bool {
    let until = Instant::now() + time;
    loop {
        if stop() {
            return false;
        }
        match until.checked_duration_since(Instant::now()) {
            Some(left) => std::thread::sleep(left.min(SLICE)),
            None => return true,
        }
    }
}
