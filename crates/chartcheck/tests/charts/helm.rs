//! helm over one staged copy of the charts.

use chartcheck::tools::{Finished, charts_dir, find_on_path, run, stage};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use tempfile::TempDir;

/// The newest supported Kubernetes; renders are made for it where nothing else is said.
pub(crate) const NEWEST: &str = "1.36";

/// Chart, values files, Kubernetes version.
type Case = (String, Vec<String>, String);

/// helm, and the charts with their dependency in place.
pub(crate) struct Helm {
    program: PathBuf,
    stage: TempDir,
    /// Renders by chart, files and version: several tests look at the same one, and each is a process.
    renders: Mutex<HashMap<Case, String>>,
}

impl Helm {
    /// `None`, with one line on stderr, where helm is not on PATH.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub(crate) fn get() -> Option<&'static Self> {
        static HELM: OnceLock<Option<Helm>> = OnceLock::new();
        HELM.get_or_init(|| {
            let Some(program) = find_on_path("helm") else {
                eprintln!("skipped: helm is not on PATH, so no chart was rendered");
                return None;
            };
            let dir = tempfile::tempdir().unwrap();
            stage(dir.path()).unwrap();
            Some(Helm { program, stage: dir, renders: Mutex::default() })
        })
        .as_ref()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.stage.path()
    }

    pub(crate) fn run(&self, args: &[&str], dir: &Path) -> Finished {
        run(&self.program, args, dir).unwrap()
    }

    /// `helm template` of a chart as the release of the same name; values files are relative to the chart or absolute.
    pub(crate) fn template(&self, chart: &str, values: &[&str], kubernetes: &str) -> Finished {
        let mut args = vec!["template", chart, ".", "--namespace", "todo", "--kube-version", kubernetes];
        args.extend(values.iter().flat_map(|file| ["-f", file]));
        self.run(&args, &self.dir().join(chart))
    }

    /// The render of values that have to be accepted.
    pub(crate) fn render(&self, chart: &str, values: &[&str], kubernetes: &str) -> String {
        let key = (chart.to_owned(), values.iter().map(|file| (*file).to_owned()).collect(), kubernetes.to_owned());
        let known = self.renders.lock().unwrap().get(&key).cloned();
        known.unwrap_or_else(|| {
            let finished = self.template(chart, values, kubernetes);
            assert!(finished.success, "{chart} with {values:?}: {}", finished.stderr);
            self.renders.lock().unwrap().insert(key, finished.stdout.clone());
            finished.stdout
        })
    }
}

/// The sets of values files that each chart is checked with: every file of `ci/`, and every one that it ships. One that
/// brings no secrets goes on top of `ci/plain-values.yaml`.
pub(crate) fn cases(chart: &str) -> Vec<Vec<String>> {
    let root = charts_dir().join(chart);
    let list = |dir: &str, wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        let entries = fs::read_dir(root.join(dir)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| wanted(name));
        names.sort();
        names
    };
    let mut cases: Vec<Vec<String>> =
        list("ci", &|name| name.ends_with("-values.yaml")).into_iter().map(|name| vec![format!("ci/{name}")]).collect();
    for name in list(".", &|name| name.strip_suffix(".yaml").is_some_and(|stem| stem.starts_with("values-"))) {
        let own_secret = fs::read_to_string(root.join(&name)).unwrap().contains("existingSecret:");
        cases.push(if own_secret { vec![name] } else { vec!["ci/plain-values.yaml".to_owned(), name] });
    }
    cases
}

/// The objects that a set of values files says exist.
pub(crate) fn external(chart: &str, files: &[String]) -> Vec<String> {
    let root = charts_dir().join(chart);
    let mut names = Vec::new();
    for file in files {
        let values: serde_json::Value = serde_saphyr::from_str(&fs::read_to_string(root.join(file)).unwrap()).unwrap();
        for key in ["existingSecret", "existingConfigMap"] {
            names.extend(values[key].as_str().map(str::to_owned));
        }
    }
    names
}
