//! minikube: the profile, its node, its docker daemon. Formats as of v1.38 (recordings and source); exit codes are a bit mask for
//! `status` and reasons elsewhere.

mod images;
mod profile;
mod start;
mod status;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use calls::invocation::{Invocation, Tool};
use serde::Deserialize;

use crate::answer::{Parsed, Refusal, ToolError, json, succeeded};
use crate::runner::{Output, Runner};

pub use images::{
    NodeImage, image_load, image_load_invocation, image_rm, image_rm_invocation, images, images_invocation, parse_images,
};
pub use profile::{Profile, ProfileNode, Profiles, parse_profiles, profiles, profiles_invocation};
pub use start::{START_DEADLINE, StartEvent, StartOptions, parse_start_event, start, start_invocation};
pub use status::{NodeStatus, State, Status, parse_status, status, status_invocation};

/// A question answered from the profile's files and one look at the node.
const SHORT: Duration = Duration::from_secs(60);

/// `stop` and `delete` wait for containers to end.
const LONG: Duration = Duration::from_secs(5 * 60);

fn call(profile: &str, what: impl Into<String>, deadline: Duration) -> Invocation {
    Invocation::new(Tool::Minikube, what, deadline).args(["-p", profile])
}

/// The `false exit code N` that some commands print on stdout when it is no terminal, beside their exit code.
fn is_exit_code_line(stdout: &str) -> bool {
    stdout.trim_start().starts_with("false exit code ")
}

/// `minikube stop`: keeps the profile and its data.
pub fn stop_invocation(profile: &str) -> Invocation {
    call(profile, format!("stop cluster `{profile}`"), LONG).arg("stop")
}

/// Stops the cluster.
pub fn stop(runner: &Runner, profile: &str) -> Result<(), ToolError> {
    runner.ask(&stop_invocation(profile), succeeded)
}

/// `minikube delete -p PROFILE`: of the named profile only, never `--all` or `--purge`.
pub fn delete_invocation(profile: &str) -> Invocation {
    call(profile, format!("delete cluster `{profile}`"), LONG).arg("delete")
}

/// Deletes the cluster. A profile that does not exist is deleted already (exit code 0 as well).
pub fn delete(runner: &Runner, profile: &str) -> Result<(), ToolError> {
    runner.ask(&delete_invocation(profile), succeeded)
}

/// Where the node's docker daemon is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerEnv {
    /// `DOCKER_HOST`.
    pub host: String,
    /// `DOCKER_TLS_VERIFY`, unset for `ssh://`.
    pub tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`, unset for `ssh://`.
    pub cert_path: Option<String>,
}

/// `minikube docker-env --shell none -o json`. Not read-only: it restarts a node's dockerd that does not answer.
pub fn docker_env_invocation(profile: &str) -> Invocation {
    call(profile, format!("find the docker daemon of cluster `{profile}`"), SHORT).args([
        "docker-env",
        "--shell",
        "none",
        "-o",
        "json",
    ])
}

/// The docker daemon of the node; of what is printed only the three variables that docker reads.
pub fn parse_docker_env(output: &Output) -> Parsed<DockerEnv> {
    if is_exit_code_line(&output.stdout) {
        return Err(Refusal::Failed);
    }
    let mut told: BTreeMap<String, String> = json(output)?;
    let mut take = |name: &str| told.remove(name).filter(|value| !value.is_empty());
    let host = take("DOCKER_HOST").ok_or_else(|| Refusal::Unclear("no DOCKER_HOST".to_owned()))?;
    Ok(DockerEnv { host, tls_verify: take("DOCKER_TLS_VERIFY"), cert_path: take("DOCKER_CERT_PATH") })
}

/// The docker daemon of the node; to be asked again after every start, its port may change.
pub fn docker_env(runner: &Runner, profile: &str) -> Result<DockerEnv, ToolError> {
    runner.ask(&docker_env_invocation(profile), parse_docker_env)
}

/// `minikube update-context`: repairs the kubeconfig entry of the profile. It also makes it the current context.
pub fn update_context_invocation(profile: &str) -> Invocation {
    call(profile, format!("repair the kubeconfig entry of cluster `{profile}`"), SHORT).arg("update-context")
}

/// Repairs the kubeconfig entry.
pub fn update_context(runner: &Runner, profile: &str) -> Result<(), ToolError> {
    runner.ask(&update_context_invocation(profile), succeeded)
}

/// `minikube ip`
pub fn ip_invocation(profile: &str) -> Invocation {
    call(profile, format!("read the address of cluster `{profile}`"), SHORT).arg("ip")
}

/// The node's address. On macOS, Windows and WSL with the docker driver it is printed too, but can't be reached from the host.
pub fn parse_ip(output: &Output) -> Parsed<IpAddr> {
    succeeded(output)?;
    let text = output.stdout.trim();
    text.parse().map_err(|_| Refusal::Unclear(format!("`{text}` is no address")))
}

/// The node's address.
pub fn ip(runner: &Runner, profile: &str) -> Result<IpAddr, ToolError> {
    runner.ask(&ip_invocation(profile), parse_ip)
}

/// `minikube service NAME --url`. Only for drivers whose node is reachable: elsewhere the command tunnels and does not end.
pub fn service_url_invocation(profile: &str, namespace: &str, service: &str) -> Invocation {
    call(profile, format!("read the URL of service `{service}`"), SHORT).args(["service", service, "-n", namespace, "--url"])
}

/// The URLs of a service, one a node port; none for a `ClusterIP` service (exit code 0 and a note).
pub fn parse_service_url(output: &Output) -> Parsed<Vec<String>> {
    succeeded(output)?;
    let lines = output.stdout.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('*') && !l.starts_with('!'));
    lines
        .map(|line| match line.split_once("://") {
            Some(("http" | "https", _)) => Ok(line.to_owned()),
            _ => Err(Refusal::Unclear(format!("`{line}` is no URL"))),
        })
        .collect()
}

/// The URLs of a service.
pub fn service_url(runner: &Runner, profile: &str, namespace: &str, service: &str) -> Result<Vec<String>, ToolError> {
    runner.ask(&service_url_invocation(profile, namespace, service), parse_service_url)
}

/// The space of a file system (bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// In all.
    pub total: u64,
    /// Taken.
    pub used: u64,
    /// Left.
    pub available: u64,
}

/// `minikube ssh -- df -P -k /var`: of the node, whose kubelet does not watch its disk (minikube switches that off).
pub fn disk_invocation(profile: &str) -> Invocation {
    call(profile, format!("read the disk space of cluster `{profile}`"), SHORT).args(["ssh", "--", "df", "-P", "-k", "/var"])
}

/// The disk space of the node's `/var`, from POSIX `df -P -k`.
pub fn parse_disk(output: &Output) -> Parsed<Disk> {
    succeeded(output)?;
    let unclear = || Refusal::Unclear("not the table of `df -P -k`".to_owned());
    let row = output.stdout.lines().filter(|l| !l.trim().is_empty()).nth(1).ok_or_else(unclear)?;
    let mut kib = row.split_whitespace().skip(1).map(|field| field.parse::<u64>().map(|k| k * 1024));
    let mut next = || kib.next().and_then(Result::ok).ok_or_else(unclear);
    Ok(Disk { total: next()?, used: next()?, available: next()? })
}

/// The disk space of the node.
pub fn disk(runner: &Runner, profile: &str) -> Result<Disk, ToolError> {
    runner.ask(&disk_invocation(profile), parse_disk)
}

/// `minikube addons list -o json`
pub fn addons_invocation(profile: &str) -> Invocation {
    call(profile, format!("list the addons of cluster `{profile}`"), SHORT).args(["addons", "list", "-o", "json"])
}

/// Each addon and whether it is enabled; without a profile nothing is.
pub fn parse_addons(output: &Output) -> Parsed<BTreeMap<String, bool>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Addon {
        #[serde(default)]
        status: String,
    }
    let addons: BTreeMap<String, Addon> = json(output)?;
    Ok(addons.into_iter().map(|(name, addon)| (name, addon.status == "enabled")).collect())
}

/// Each addon and whether it is enabled.
pub fn addons(runner: &Runner, profile: &str) -> Result<BTreeMap<String, bool>, ToolError> {
    runner.ask(&addons_invocation(profile), parse_addons)
}
