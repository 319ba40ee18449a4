//! What a script does with the bare tools: build, upgrade, wait, ask for health. Nothing of xtask is used here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{Call, timed};
use crate::workspace::{Config, Release};

/// The script's view of the workspace.
pub(crate) struct Script<'a> {
    pub(crate) root: PathBuf,
    pub(crate) config: &'a Config,
    /// PATH and the like, for simulated tools; empty for the real ones.
    pub(crate) env: BTreeMap<String, OsString>,
}

/// How an upgrade is told which images to run.
#[derive(Clone, Copy)]
pub(crate) enum Tags<'a> {
    /// As deployed.
    Same,
    /// This tag for this service, with or without the chart's hooks.
    New { service: &'a str, tag: &'a str, hooks: bool },
}

impl Script<'_> {
    fn call(&self, program: &str) -> Call {
        Call::new(program, &self.root).envs(&self.env)
    }

    pub(crate) fn kubectl(&self) -> Call {
        self.call("kubectl").args(["--context", &self.config.cluster.profile, "--namespace", &self.config.namespace])
    }

    pub(crate) fn helm(&self) -> Call {
        self.call("helm").args(["--kube-context", &self.config.cluster.profile, "--namespace", &self.config.namespace])
    }

    pub(crate) fn minikube(&self) -> Call {
        self.call("minikube").args(["--profile", &self.config.cluster.profile])
    }

    /// `eval "$(minikube docker-env)"`.
    pub(crate) fn docker_env(&self) -> Result<BTreeMap<String, OsString>> {
        let text = self.minikube().args(["docker-env", "--shell", "bash"]).run()?.stdout;
        let exported = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let mut env: BTreeMap<String, OsString> = self.env.clone();
        env.extend(exported.map(|(name, value)| (name.to_owned(), value.trim_matches('"').into())));
        Ok(env)
    }

    /// `docker build` of one service, in the node's daemon.
    pub(crate) fn build(&self, service: &str, tag: &str, env: &BTreeMap<String, OsString>) -> Result<()> {
        let what = self.config.services.get(service).with_context(|| format!("no service `{service}`"))?;
        let image = format!("{}:{tag}", what.image);
        let context = what.context.display().to_string();
        self.call("docker").envs(env).args(["build", "--quiet=true", "--tag", &image, &context]).run().map(drop)
    }

    pub(crate) fn untag(&self, service: &str, tag: &str, env: &BTreeMap<String, OsString>) -> Result<()> {
        let what = self.config.services.get(service).with_context(|| format!("no service `{service}`"))?;
        self.call("docker").envs(env).args(["image", "rm", &format!("{}:{tag}", what.image)]).run().map(drop)
    }

    /// What a fresh clone needs once: charts that the release's chart depends on. Not timed.
    pub(crate) fn prepare(&self) -> Result<()> {
        let charts = self.config.releases()?.iter().map(|release| release.chart.display().to_string());
        charts.into_iter().try_for_each(|chart| self.call("helm").args(["dependency", "build", &chart]).run().map(drop))
    }

    /// `helm upgrade --install --wait`, with the values of the last time.
    pub(crate) fn upgrade(&self, release: &Release, tags: Tags<'_>) -> Result<()> {
        let chart = release.chart.display().to_string();
        let mut args =
            vec!["upgrade".to_owned(), "--install".to_owned(), release.name.clone(), chart, "--reuse-values=true".to_owned()];
        if let Tags::New { service, tag, hooks } = tags {
            if let Some(key) = release.tag_key(service) {
                args.extend(["--set-string".to_owned(), format!("{key}={tag}")]);
            }
            args.extend((!hooks).then(|| "--no-hooks".to_owned()));
        }
        args.extend(["--wait", "--timeout", "5m"].map(str::to_owned));
        self.helm().args(args).run().map(drop)
    }

    /// The Deployments of a release: a script has them written down, so this is not timed.
    pub(crate) fn deployments(&self, release: &Release) -> Result<Vec<String>> {
        let selector = format!("app.kubernetes.io/instance={}", release.name);
        let names = self.kubectl().args(["get", "deployments", "--selector", &selector, "--output", "name"]).run()?.stdout;
        Ok(names.lines().map(str::to_owned).collect())
    }

    pub(crate) fn rollout(&self, deployment: &str) -> Result<()> {
        self.kubectl().args(["rollout", "status", deployment, "--timeout", "5m"]).run().map(drop)
    }

    /// The two health calls of the public service: alive, and ready (which asks the backend).
    pub(crate) fn health(&self) -> Result<()> {
        let ip = self.minikube().args(["ip"]).run()?.stdout.trim().to_owned();
        for path in ["/api/health", "/api/health/ready"] {
            get(&ip, self.config.public.node_port, path)?;
        }
        Ok(())
    }

    /// The number of each release's revisions, to prove that a run changed none.
    pub(crate) fn revisions(&self) -> Result<BTreeMap<String, String>> {
        let json: Value = serde_json::from_str(&self.helm().args(["list", "--output", "json"]).run()?.stdout)?;
        let text = |release: &Value, key: &str| release[key].as_str().unwrap_or_default().to_owned();
        Ok(json.as_array().into_iter().flatten().map(|r| (text(r, "name"), text(r, "revision"))).collect())
    }

    /// Everything that a script does when nothing changed; gives the time of each part.
    pub(crate) fn no_op(&self, deployments: &[String], health: bool) -> Result<Vec<(&'static str, Duration)>> {
        let mut parts = Vec::new();
        let mut env = BTreeMap::new();
        parts.push(("docker-env", timed(|| self.docker_env().map(|e| env = e))?));
        parts.push(("docker build", timed(|| self.config.services.keys().try_for_each(|s| self.build(s, "bench", &env)))?));
        let releases = self.config.releases()?;
        parts.push(("helm upgrade", timed(|| releases.iter().try_for_each(|r| self.upgrade(r, Tags::Same)))?));
        parts.push(("rollout status", timed(|| deployments.iter().try_for_each(|d| self.rollout(d)))?));
        if health {
            parts.push(("health", timed(|| self.health())?));
        }
        Ok(parts)
    }
}

/// GET over plain HTTP/1.0; anything but 200 is an error.
fn get(host: &str, port: u16, path: &str) -> Result<()> {
    let mut stream = TcpStream::connect((host, port)).with_context(|| format!("{host}:{port} does not answer"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { bail!("http://{host}:{port}{path} answers `{status}`") }
}
