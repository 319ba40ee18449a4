//! Against a real cluster: a deploy with nothing to do, a changed line, and a deploy from nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::bare::{Script, Tags};
use crate::process::{Call, timed};
use crate::table::{Report, Row, Times};
use crate::workspace::Config;

/// The workspace that is measured.
pub(crate) struct Lab {
    pub(crate) root: PathBuf,
    /// Its configuration.
    pub(crate) file: PathBuf,
    pub(crate) xtask: PathBuf,
    pub(crate) config: Config,
    pub(crate) runs: u32,
    /// The source file that gets another line.
    pub(crate) edit: PathBuf,
}

impl Lab {
    fn xtask(&self) -> Call {
        Call::new(&self.xtask, &self.root).args(["--config".to_owned(), self.file.display().to_string()])
    }

    pub(crate) fn deploy(&self) -> Call {
        self.xtask().args(["deploy", "--quiet"])
    }

    fn script(&self) -> Script<'_> {
        Script { root: self.root.clone(), config: &self.config, env: std::collections::BTreeMap::new() }
    }

    /// Nothing has changed since the last deploy.
    pub(crate) fn no_op(&self) -> Result<Report> {
        let script = self.script();
        self.deploy().run().context("the deploy before the measured ones")?;
        script.prepare()?;
        let before = script.revisions()?;
        let ours: Times = (0..self.runs).map(|_| Ok(self.deploy().run()?.time)).collect::<Result<_>>()?;
        if script.revisions()? != before {
            bail!("a deploy with nothing to do made a new revision: {before:?}");
        }
        let mut deployments = Vec::new();
        for release in self.config.releases()? {
            deployments.extend(script.deployments(release)?);
        }
        let mut bare = Times::default();
        let mut last = Vec::new();
        for _ in 0..self.runs {
            last = script.no_op(&deployments, true)?;
            bare.push(last.iter().map(|(_, time)| *time).sum());
        }
        self.tidy(&["bench"])?;
        let parts: Vec<String> = last.iter().map(|(what, time)| format!("{what} {:.2} s", time.as_secs_f64())).collect();
        Ok(Report {
            rows: vec![Row {
                what: "deploy, nothing to do".to_owned(),
                ours,
                bare: Some(("build, upgrade, rollout status, health".to_owned(), bare)),
                goal: Some("0.2 s"),
            }],
            notes: vec![format!("bare no-op, last run: {}", parts.join(", "))],
        })
    }

    /// One more line in a source file of one service.
    pub(crate) fn line(&self) -> Result<Report> {
        let script = self.script();
        let service = self.service_of_edit()?;
        let file = Edited::begin(&self.root, &self.edit)?;
        self.deploy().run().context("the deploy before the measured ones")?;
        script.prepare()?;
        let mut ours = Times::default();
        for run in 0..self.runs {
            file.another_line(&format!("xtask {run}"))?;
            ours.push(self.deploy().run()?.time);
        }
        let mut deployments = Vec::new();
        for release in self.config.releases()?.iter().filter(|r| r.tag_key(&service).is_some()) {
            deployments.extend(script.deployments(release)?);
        }
        let mut tags: Vec<String> = Vec::new();
        let mut bare = |hooks: bool| -> Result<Times> {
            let runs = (0..self.runs).map(|run| {
                let tag = format!("bench-{}-{run}", if hooks { "hooks" } else { "bare" });
                tags.push(tag.clone());
                file.another_line(&format!("bare {tag}"))?;
                timed(|| {
                    let env = script.docker_env()?;
                    script.build(&service, &tag, &env)?;
                    for release in self.config.releases()?.iter().filter(|r| r.tag_key(&service).is_some()) {
                        script.upgrade(release, Tags::New { service: &service, tag: &tag, hooks })?;
                    }
                    deployments.iter().try_for_each(|d| script.rollout(d))?;
                    script.health()
                })
            });
            runs.collect()
        };
        let (script_times, floor) = (bare(true)?, bare(false)?);
        drop(file);
        self.deploy().run().context("the deploy after the measured ones")?;
        let env = script.docker_env()?;
        tags.iter().try_for_each(|tag| script.untag(&service, tag, &env))?;
        Ok(Report {
            rows: vec![
                Row {
                    what: format!("one line of `{service}` changed"),
                    ours: ours.clone(),
                    bare: Some(("build it, upgrade with its tag, rollout status, health".to_owned(), script_times)),
                    goal: None,
                },
                Row {
                    what: "the same beside the least that it needs".to_owned(),
                    ours,
                    bare: Some(("as above with `--no-hooks`: the build and the pod's start".to_owned(), floor)),
                    goal: Some("no more than that"),
                },
            ],
            notes: Vec::new(),
        })
    }

    /// From no cluster at all. Deletes the cluster, twice.
    pub(crate) fn cold(&self) -> Result<Report> {
        let script = self.script();
        self.deploy().run().context("the deploy before the measured ones")?;
        script.prepare()?;
        let then = Deployed::read(&script)?;
        self.delete()?;
        let ours = self.deploy().run()?.time;
        self.delete()?;
        let bare = timed(|| then.again(&script))?;
        self.delete()?;
        self.deploy().run().context("the deploy after the measured ones")?;
        Ok(Report {
            rows: vec![Row {
                what: "deploy from nothing".to_owned(),
                ours: [ours].into_iter().collect(),
                bare: Some((
                    "minikube start, builds, secrets, upgrades, rollout status, health".to_owned(),
                    [bare].into_iter().collect(),
                )),
                goal: None,
            }],
            notes: vec!["from nothing: one run each, docker's layer cache gone with the cluster in both".to_owned()],
        })
    }

    fn delete(&self) -> Result<()> {
        self.xtask().args(["cleanup", "--scope", "all", "--volumes", "--yes", "--quiet"]).run().map(drop)
    }

    fn tidy(&self, tags: &[&str]) -> Result<()> {
        let script = self.script();
        let env = script.docker_env()?;
        for service in self.config.services.keys() {
            tags.iter().try_for_each(|tag| script.untag(service, tag, &env))?;
        }
        self.deploy().run().context("the deploy after the measured ones").map(drop)
    }

    fn service_of_edit(&self) -> Result<String> {
        let found = self.config.services.iter().find(|(_, service)| self.edit.starts_with(&service.context));
        found.map(|(name, _)| name.clone()).with_context(|| format!("`{}` is in no service's context", self.edit.display()))
    }
}

/// A source file that gets more lines and is put back when this is dropped, or by the next run when this one was killed.
struct Edited {
    file: PathBuf,
    kept: PathBuf,
    text: String,
}

impl Edited {
    fn begin(root: &Path, edit: &Path) -> Result<Self> {
        // Not in the context: it would be sent.
        let kept = root.join("target").join("bench").join(edit);
        let file = &root.join(edit);
        std::fs::create_dir_all(kept.parent().context("a file without a folder")?)?;
        if kept.exists() {
            std::fs::rename(&kept, file).with_context(|| format!("can't put `{}` back", file.display()))?;
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()))?;
        std::fs::copy(file, &kept)?;
        Ok(Self { file: file.to_owned(), kept, text })
    }

    /// The file with one more line: a comment in Python and shell.
    fn another_line(&self, what: &str) -> Result<()> {
        Ok(std::fs::write(&self.file, format!("{}# bench {what}\n", self.text))?)
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        // What can't be put back now is put back by the next run.
        drop(std::fs::rename(&self.kept, &self.file));
    }
}

/// What was deployed, as a script would have it in its files.
struct Deployed {
    start: Vec<String>,
    /// Release, chart, values.
    releases: Vec<(String, String, Vec<u8>)>,
    secrets: Vec<u8>,
}

impl Deployed {
    fn read(script: &Script<'_>) -> Result<Self> {
        let profiles: Value =
            serde_json::from_str(&script.minikube().args(["profile", "list", "--output", "json"]).run()?.stdout)?;
        let wanted = &script.config.cluster.profile;
        let profile = profiles["valid"].as_array().into_iter().flatten().find(|p| p["Name"] == wanted.as_str());
        let config = &profile.with_context(|| format!("minikube has no profile `{wanted}`"))?["Config"];
        let kubernetes = &config["KubernetesConfig"];
        let mut start = vec!["start".to_owned()];
        for (flag, value) in [
            ("--driver", &config["Driver"]),
            ("--cpus", &config["CPUs"]),
            ("--memory", &config["Memory"]),
            ("--kubernetes-version", &kubernetes["KubernetesVersion"]),
            ("--container-runtime", &kubernetes["ContainerRuntime"]),
        ] {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            start.push(format!("{flag}={value}"));
        }
        start.extend(script.config.cluster.start_args.clone());

        let charts: Vec<(String, String)> = script
            .revisions()?
            .into_keys()
            .map(|name| {
                let described = script.config.releases()?.iter().find(|r| r.name == name).map(|r| r.chart.display().to_string());
                Ok((name.clone(), described.unwrap_or_else(|| format!("helm/{name}"))))
            })
            .collect::<Result<_>>()?;
        let values = |name: &str| -> Result<Vec<u8>> {
            Ok(script.helm().args(["get", "values", name, "--output", "yaml"]).run()?.stdout.into_bytes())
        };
        let mut releases: Vec<(String, String, Vec<u8>)> =
            charts.into_iter().map(|(name, chart)| Ok((name.clone(), chart, values(&name)?))).collect::<Result<_>>()?;
        // A database comes before what asks it.
        releases.sort_by_key(|(name, _, _)| script.config.releases().is_ok_and(|all| all.iter().any(|r| r.name == *name)));
        let list = script.kubectl().args(["get", "secrets", "--field-selector", "type=Opaque", "--output", "json"]).run()?.stdout;
        Ok(Self { start, releases, secrets: bare_objects(&list)? })
    }

    /// The whole way with the bare tools. Images get the tags that the values name.
    fn again(&self, script: &Script<'_>) -> Result<()> {
        script.minikube().args(self.start.clone()).run()?;
        let env = script.docker_env()?;
        for service in script.config.services.keys() {
            script.build(service, "bench", &env)?;
        }
        script.kubectl().args(["create", "namespace", &script.config.namespace]).run()?;
        script.kubectl().args(["apply", "--filename", "-"]).stdin(self.secrets.clone()).run()?;
        for (name, chart, values) in &self.releases {
            let mut args = vec!["upgrade", "--install", name, chart, "--values", "-", "--wait", "--timeout", "5m"];
            let release = script.config.releases()?.iter().find(|r| r.name == *name);
            let keys: Vec<String> = script.config.services.keys().filter_map(|s| release?.tag_key(s)).collect();
            let sets: Vec<String> = keys.iter().map(|key| format!("{key}=bench")).collect();
            for set in &sets {
                args.extend(["--set-string", set.as_str()]);
            }
            script.helm().args(args).stdin(values.clone()).run()?;
        }
        for release in script.config.releases()? {
            script.deployments(release)?.iter().try_for_each(|d| script.rollout(d))?;
        }
        script.health()
    }
}

/// Objects as a file would hold them: without what a cluster adds.
fn bare_objects(list: &str) -> Result<Vec<u8>> {
    let mut list: Value = serde_json::from_str(list)?;
    for item in list["items"].as_array_mut().into_iter().flatten() {
        if let Some(meta) = item["metadata"].as_object_mut() {
            meta.retain(|key, _| matches!(key.as_str(), "name" | "labels" | "annotations"));
        }
    }
    Ok(serde_json::to_vec(&list)?)
}
