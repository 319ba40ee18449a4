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
        let told = differ.map(|name| match (then.contexts.get(name), self.contexts.get(name)) {
            (Some(before), Some(now)) => {
                let changes = now.changed_since(before);
                if changes.is_empty() { name.clone() } else { format!("{name}: {}", context::summary(&changes, 2)) }
            }
            _ => name.clone(),
        });
        told.collect::<Vec<_>>().join("; ")
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A service `web`, its chart and an environment file in a folder of their own.
    fn project() -> (tempfile::TempDir, Watched) {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("web/src")).unwrap();
        fs::create_dir_all(at("chart/templates")).unwrap();
        for (path, text) in [
            ("web/Dockerfile", "FROM scratch\nCOPY . /\n"),
            ("web/.dockerignore", "*.log\n"),
            ("web/src/main.py", "1\n"),
            ("chart/Chart.yaml", "name: web\n"),
            ("chart/templates/web.yaml", "kind: Pod\n"),
            ("values.yaml", "a: 1\n"),
        ] {
            fs::write(at(path), text).unwrap();
        }
        let inputs = BuildInputs { context: at("web"), dockerfile: at("web/Dockerfile"), ..BuildInputs::default() };
        let watched = Watched {
            files: vec![at(".env")],
            charts: vec![("web".to_owned(), at("chart"), vec![at("values.yaml")])],
            contexts: vec![Folder { service: "web".to_owned(), inputs, cache: StatCache::in_memory(), manifest: None }],
        };
        (dir, watched)
    }

    #[test]
    fn what_a_deploy_is_made_from_counts_and_nothing_else() {
        let (dir, mut watched) = project();
        for (path, text, said) in [
            ("web/src/main.py", "2\n", "web: 1 file changed: src/main.py"),
            ("web/out.log", "ignored by docker\n", ""),
            ("README.md", "no part of it\n", ""),
            ("chart/templates/web.yaml", "kind: Job\n", "chart of web"),
            ("values.yaml", "a: 2\n", "chart of web"),
            ("values.yaml", "a: 2\n", ""),
            (".env", "A=1\n", ".env"),
            ("web/.dockerignore", "*.log\n*.tmp\n", "web: 1 file changed: .dockerignore"),
        ] {
            let before = watched.look();
            fs::write(dir.path().join(path), text).unwrap();
            assert_eq!(watched.look().since(&before), said, "{path}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_a_change_and_so_is_its_return() {
        let (dir, mut watched) = project();
        let whole = watched.look();
        let dockerfile = dir.path().join("web/Dockerfile");
        fs::rename(&dockerfile, dir.path().join("aside")).unwrap();
        let broken = watched.look();
        assert_eq!(broken.since(&whole), "web");
        fs::rename(dir.path().join("aside"), &dockerfile).unwrap();
        let again = watched.look();
        assert_eq!((again.since(&broken), again.since(&whole)), ("web".to_owned(), String::new()));
    }

    #[test]
    fn a_change_is_waited_for_and_the_wait_can_be_stopped() {
        let (dir, mut watched) = project();
        let before = watched.look();
        let asked = Cell::new(0);
        // Changed while it is waited for.
        let changed = watched.changed(&before, &|| {
            asked.set(asked.get() + 1);
            if asked.get() == 3 {
                fs::write(dir.path().join("web/src/main.py"), "3\n").unwrap();
            }
            false
        });
        assert_eq!(changed.unwrap().since(&before), "web: 1 file changed: src/main.py");
        let now = watched.look();
        assert!(watched.changed(&now, &|| true).is_none());
    }

    #[test]
    fn a_file_that_changed_before_it_was_watched_counts_as_it_was() {
        let (dir, mut watched) = project();
        let earlier = Watched { files: watched.files.clone(), ..Watched::default() }.look();
        fs::write(dir.path().join(".env"), "A=1\n").unwrap();
        let before = watched.look().or_earlier(&earlier);
        assert_eq!(watched.look().since(&before), ".env");
    }

    #[test]
    fn what_is_watched_is_named() {
        let (dir, watched) = project();
        assert_eq!(watched.describe(), "web, 1 chart");
        fs::write(dir.path().join(".env"), "A=1\n").unwrap();
        assert_eq!(watched.describe(), "web, 1 chart, .env");
    }
}
