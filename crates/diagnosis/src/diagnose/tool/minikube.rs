//! Why minikube failed, by its own names for reasons.
//!
//! `start --output=json` says them in events, the other commands in `X Exiting due to NAME: …`; some say nothing but an exit code.

use serde_json::Value;

use super::{Explain as _, ToolFailure, docker, line_with};
use crate::catalogue::codes;
use crate::finding::Finding;

/// minikube's own words for what ended it.
struct Reason {
    name: String,
    message: String,
    advice: String,
    url: String,
}

pub(super) fn explain(failure: &ToolFailure) -> Option<Finding> {
    let words = failure.words();
    let profile = profile(failure);
    if failure.args.first().is_some_and(|arg| arg == "status") {
        return status(profile, failure.exit_code, &failure.stdout, &failure.stderr).map(|found| found.original(words.trim()));
    }
    let of_image = failure.args.first().is_some_and(|arg| arg == "image");
    if let Some(found) = of_image.then(|| image(failure, &words)).flatten() {
        return Some(found);
    }
    if let Some(reason) = reason(failure) {
        return Some(by_name(failure, profile, &reason));
    }
    let state = by_exit(failure, profile, &words);
    state.map(|found| {
        if found.evidence.is_empty() {
            let said = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(nothing printed)");
            found.evidence(format!("minikube ({})", failure.end()), said)
        } else {
            found
        }
    })
}

fn profile(failure: &ToolFailure) -> &str {
    failure.flag(&["-p", "--profile"]).unwrap_or("minikube")
}

/// The event or line that ended it.
fn reason(failure: &ToolFailure) -> Option<Reason> {
    let events = failure.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let named: Vec<(Reason, Option<i32>)> = events
        .filter(|event| event.get("type").and_then(Value::as_str) == Some("io.k8s.sigs.minikube.error"))
        .filter_map(|event| {
            let data = event.get("data")?;
            let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let name = text("name");
            let exit = text("exitcode").parse().ok();
            (!name.is_empty())
                .then(|| (Reason { name, message: text("message"), advice: text("advice"), url: text("url") }, exit))
        })
        .collect();
    if !named.is_empty() {
        // The last one ended it, except that MK_USAGE only repeats what an event before it has said better.
        let last = named.iter().rposition(|(reason, _)| reason.name != "MK_USAGE").unwrap_or(named.len() - 1);
        let ended =
            named.iter().rposition(|(reason, exit)| *exit == failure.exit_code && reason.name != "MK_USAGE").unwrap_or(last);
        return named.into_iter().nth(ended).map(|(reason, _)| reason);
    }
    let words = failure.words();
    let (name, message) = words.split_once("Exiting due to ")?.1.split_once(": ")?;
    let message = message.split("\n\n* ").next().unwrap_or(message).trim();
    let advice = words.split_once("Suggestion: ").map_or("", |(_, rest)| rest.lines().next().unwrap_or_default());
    Some(Reason { name: name.to_owned(), message: message.to_owned(), advice: advice.to_owned(), url: String::new() })
}

fn by_name(failure: &ToolFailure, profile: &str, reason: &Reason) -> Finding {
    let name = reason.name.as_str();
    let said = super::fragment(reason.message.lines().next().unwrap_or_default());
    let all = reason.message.as_str();
    let make = |code, text: String| failure.finding(code, text);
    let docker_env = failure.args.iter().any(|arg| arg == "docker-env");
    let found = match name {
        _ if docker::unreachable(all).is_some() => docker::docker_down(failure, &docker::unreachable(all).unwrap_or_default()),
        "PROVIDER_DOCKER_NOT_RUNNING"
        | "PROVIDER_DOCKER_CANNOT_CONNECT"
        | "PROVIDER_DOCKER_REFUSED"
        | "DRV_DOCKER_NOT_RUNNING" => docker::docker_down(failure, "its socket"),
        "PROVIDER_DOCKER_DEADLINE_EXCEEDED" => {
            make(codes::DOCKER_DOWN, "the docker daemon hangs: it does not answer in time".to_owned())
                .advice("restart Docker Desktop, or on Linux: sudo systemctl restart docker")
        }
        "PROVIDER_DOCKER_PIPE_NOT_FOUND" => {
            make(codes::DOCKER_DOWN, "Docker Desktop is not running".to_owned()).advice("start Docker Desktop")
        }
        "PROVIDER_DOCKER_NEWGRP" => make(codes::DOCKER_PERMISSION, "this user may not use the docker daemon".to_owned())
            .remedy("join the group, then log in again", "sudo usermod -aG docker $USER"),
        "PROVIDER_DOCKER_NOT_FOUND" => {
            make(codes::TOOL_MISSING, "docker is not installed".to_owned()).advice("https://docs.docker.com/get-docker/")
        }
        "PROVIDER_DOCKER_VERSION_LOW" | "PROVIDER_DOCKER_DESKTOP_VERSION_BAD" => {
            make(codes::TOOL_TOO_OLD, format!("docker: {said}"))
        }
        "DRV_AS_ROOT" => make(codes::AS_ROOT, "minikube does not start a cluster in docker as root".to_owned())
            .advice("run it as a normal user in the group `docker`")
            .advice("or, in a container or a CI job that has only root: set `cluster.start_args = [\"--force\"]` in xtask.toml"),
        "GUEST_DRIVER_MISMATCH" => make(codes::DRIVER_MISMATCH, said)
            .advice("set `cluster.driver` in xtask.toml to the driver of the profile")
            .remedy("or make it anew: remove it, then run `cargo xtask setup`", "cargo xtask cleanup --scope cluster"),
        "K8S_OLD_UNSUPPORTED" | "K8S_NEW_UNSUPPORTED" | "K8S_DOWNGRADE_UNSUPPORTED" => {
            make(codes::K8S_VERSION, said).advice("change `cluster.kubernetes` in xtask.toml, or leave it out")
        }
        "MK_USAGE" | "MK_USAGE_NO_PROFILE" if docker_env => {
            make(codes::DOCKER_ENV, format!("the docker daemon of profile `{profile}` can't be used: {said}"))
        }
        "MK_USAGE" => make(codes::MINIKUBE_USAGE, format!("minikube does not accept the call: {said}"))
            .advice("check the values under [cluster] in xtask.toml"),
        "ENV_DRIVER_CONFLICT" | "ENV_MULTINODE_CONFLICT" | "ENV_PODMAN_MULTINODE_CONFLICT" => {
            make(codes::DOCKER_ENV, format!("the docker daemon of profile `{profile}` can't be used: {said}"))
                .remedy("make the profile anew: remove it, then run `cargo xtask setup`", "cargo xtask cleanup --scope cluster")
        }
        "SVC_NOT_FOUND" | "SVC_UNREACHABLE" => make(codes::SERVICE_MISSING, said).remedy("install it", "cargo xtask deploy"),
        "GUEST_STATUS" if all.contains("No such container") => node_missing(failure, profile),
        "GUEST_NOT_FOUND" => profile_missing(failure, profile),
        "GUEST_PROVISION_NOSPACE" | "RSRC_DOCKER_STORAGE" => {
            make(codes::DISK_FULL, format!("no space left for the cluster: {said}"))
                .remedy("see what takes the room", "docker system df")
        }
        "RSRC_INSUFFICIENT_STORAGE" => make(codes::TOO_LITTLE_DISK, said),
        _ if name.starts_with("RSRC_") && name.contains("CORES") => {
            make(codes::TOO_FEW_CPUS, said).advice("change `cluster.cpus` in xtask.toml")
        }
        _ if name.starts_with("RSRC_") && name.contains("MEM") => {
            make(codes::TOO_LITTLE_MEMORY, said).advice("change `cluster.memory` in xtask.toml")
        }
        _ if name.starts_with("INET_") => {
            let host = looked_up(all).map_or_else(String::new, |host| format!(" ({host})"));
            make(
                codes::CLUSTER_DOWNLOAD,
                format!(
                    "minikube can't download what profile `{profile}` needs{host}: {}",
                    super::super::registry::network_trouble(all)
                ),
            )
            .advice("check the connection and the VPN; behind a proxy set HTTP_PROXY, HTTPS_PROXY and NO_PROXY")
        }
        _ if name.starts_with("PROVIDER_") || name.starts_with("DRV_") => {
            make(codes::DRIVER_UNUSABLE, format!("the driver can't be used: {said}"))
                .advice("set `cluster.driver = \"docker\"` in xtask.toml")
        }
        _ => make(codes::CLUSTER_START_FAILED, format!("minikube ended with {name}: {said}"))
            .remedy("see what its components say", format!("minikube logs -p {profile}")),
    };
    let mut found = found.evidence(format!("minikube reason {name} ({})", failure.end()), shorten(all));
    // minikube 1.38 leaves Go placeholders in some advice.
    if !reason.advice.is_empty() && !reason.advice.contains("{{") {
        found = found.evidence("minikube advises", &reason.advice);
    }
    if !reason.url.is_empty() {
        found = found.evidence("minikube documentation", &reason.url);
    }
    found
}

/// Go's chains of errors have their cause at the end, after what was tried.
fn shorten(text: &str) -> String {
    let noise = |line: &str| line.is_empty() || ["stdout:", "stderr:"].contains(&line) || line.starts_with("false exit code");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !noise(line) && !line.starts_with("Run 'docker")).collect();
    let text = lines.join("\n");
    let count = text.chars().count();
    if count <= 600 {
        return text;
    }
    let head: String = text.chars().take(200).collect();
    let tail: String = text.chars().skip(count - 350).collect();
    format!("{head} … {tail}")
}

/// `dial tcp: lookup gcr.io on …`
fn looked_up(text: &str) -> Option<&str> {
    text.split_once("lookup ").and_then(|(_, rest)| rest.split(' ').next())
}

/// Commands that only end with a number: 83 not running, 85 no profile, 80 with docker's words, 103 control plane.
fn by_exit(failure: &ToolFailure, profile: &str, words: &str) -> Option<Finding> {
    if words.contains("No such container") {
        return Some(node_missing(failure, profile));
    }
    if let Some(found) = docker::daemon(failure, words) {
        return Some(found);
    }
    match failure.exit_code? {
        85 => Some(profile_missing(failure, profile)),
        83 => Some(profile_stopped(failure, profile)),
        103 => Some(api_down(failure, profile)),
        _ => None,
    }
}

fn profile_missing(failure: &ToolFailure, profile: &str) -> Finding {
    failure
        .finding(codes::PROFILE_MISSING, format!("there is no minikube profile `{profile}`"))
        .remedy("create it", "cargo xtask setup")
}

fn profile_stopped(failure: &ToolFailure, profile: &str) -> Finding {
    failure
        .finding(codes::PROFILE_STOPPED, format!("minikube profile `{profile}` is stopped"))
        .remedy("start it", "cargo xtask setup")
}

fn api_down(failure: &ToolFailure, profile: &str) -> Finding {
    failure
        .finding(codes::API_DOWN, format!("the API server of profile `{profile}` does not run"))
        .remedy("start it", "cargo xtask setup")
        .remedy("see why it stopped", format!("minikube logs -p {profile}"))
}

fn node_missing(failure: &ToolFailure, profile: &str) -> Finding {
    failure
        .finding(codes::NODE_MISSING, format!("the node of profile `{profile}` is gone, its profile is still there"))
        .remedy("remove what is left of it", format!("minikube delete -p {profile}"))
        .remedy("then make it anew", "cargo xtask setup")
}

/// `minikube image …` exits 0 when it fails.
fn image(failure: &ToolFailure, words: &str) -> Option<Finding> {
    if let Some(found) = docker::build(failure, words) {
        return Some(found);
    }
    if words.contains("unable to add it to cache") {
        let image = words.split('\'').nth(1).unwrap_or("?");
        return Some(
            failure
                .finding(
                    codes::IMAGE_LOAD_FAILED,
                    format!("image `{image}` is not on this machine, so it can't be loaded into the node"),
                )
                .evidence("minikube image load", line_with(words, "unable to add it to cache"))
                .remedy("build it into the node", "cargo xtask build-images"),
        );
    }
    if words.contains("Failed to remove images") && words.contains("No such image") {
        let image = words.split_once("No such image: ").map_or("?", |(_, rest)| rest.lines().next().unwrap_or("?").trim());
        return Some(
            failure
                .finding(codes::IMAGE_MISSING, format!("there is no image `{image}` on the node"))
                .evidence("minikube image rm", line_with(words, "No such image")),
        );
    }
    None
}

/// What `minikube status` says is wrong; `None` when everything runs. Reads its JSON (also `--layout=cluster`), its text, and the
/// bit mask of its exit code (1 host, 2 kubelet or API server, 4 kubeconfig; minikube 1.38.1).
pub fn status(profile: &str, exit_code: Option<i32>, stdout: &str, stderr: &str) -> Option<Finding> {
    let failure = ToolFailure {
        tool: crate::invocation::Tool::Minikube,
        args: vec!["status".to_owned(), "-p".to_owned(), profile.to_owned()],
        exit_code,
        signal: None,
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
        deadline_exceeded: None,
        what: format!("look at profile `{profile}`"),
    };
    let source = format!("minikube status ({})", failure.end());
    if stderr.contains("No such container") {
        return Some(node_missing(&failure, profile).evidence(source, line_with(stderr, "No such container")));
    }
    if let Some(found) = docker::daemon(&failure, stderr) {
        return Some(found);
    }
    if exit_code == Some(85) {
        return Some(profile_missing(&failure, profile).evidence(source, format!("profile `{profile}` not found")));
    }
    let seen = Seen::read(stdout);
    let line = seen.describe();
    let found = if seen.disk_full {
        failure
            .finding(codes::NODE_DISK_FULL, format!("the disk of the node of profile `{profile}` is full"))
            .remedy("remove images that no pod uses", "cargo xtask cleanup --scope images")
            .remedy("see what takes the room", format!("minikube ssh -p {profile} -- df -h /var"))
    } else if seen.is(&seen.host, "paused") || seen.is(&seen.api_server, "paused") {
        failure
            .finding(codes::CLUSTER_PAUSED, format!("minikube profile `{profile}` is paused"))
            .remedy("", format!("minikube unpause -p {profile}"))
    } else if seen.is(&seen.host, "stopped") {
        profile_stopped(&failure, profile)
    } else if seen.is(&seen.host, "nonexistent") {
        node_missing(&failure, profile)
    } else if seen.is(&seen.kubelet, "stopped") {
        failure
            .finding(codes::KUBELET_DOWN, format!("the kubelet of profile `{profile}` does not run"))
            .remedy("start it", "cargo xtask setup")
            .remedy("see why it stopped", format!("minikube logs -p {profile}"))
    } else if !seen.api_server.is_empty() && !seen.is(&seen.api_server, "running") && !seen.is(&seen.api_server, "ok") {
        api_down(&failure, profile)
    } else if seen.is(&seen.kubeconfig, "misconfigured") || exit_code.is_some_and(|code| code & 4 != 0 && code < 8) {
        failure
            .finding(codes::KUBECONFIG_STALE, format!("the kubeconfig points at an old address of profile `{profile}`"))
            .remedy("", format!("minikube update-context -p {profile}"))
    } else if exit_code == Some(0) {
        return None;
    } else {
        return None.or_else(|| exit_code.is_some().then(|| super::unknown(&failure)));
    };
    Some(found.evidence(source, line))
}

/// The states, in whatever form they were printed.
#[derive(Default)]
struct Seen {
    host: String,
    kubelet: String,
    api_server: String,
    kubeconfig: String,
    disk_full: bool,
}

impl Seen {
    fn read(stdout: &str) -> Self {
        let value = stdout.lines().find_map(|line| serde_json::from_str::<Value>(line).ok().filter(|value| !value.is_null()));
        // Several nodes: an array, the control plane first.
        let value = match value {
            Some(Value::Array(nodes)) => nodes.into_iter().next(),
            other => other,
        };
        match value {
            Some(value) if value.get("Nodes").is_some() => Self::layout(&value),
            Some(value) => {
                let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let host = text("Host");
                Self {
                    disk_full: host == "InsufficientStorage",
                    host,
                    kubelet: text("Kubelet"),
                    api_server: text("APIServer"),
                    kubeconfig: text("Kubeconfig"),
                }
            }
            None => Self::plain(stdout),
        }
    }

    /// `--layout=cluster`: names and HTTP-like codes.
    fn layout(value: &Value) -> Self {
        let name = |value: Option<&Value>| {
            value.and_then(|v| v.get("StatusName")).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let node = value.get("Nodes").and_then(Value::as_array).and_then(|nodes| nodes.first());
        let component = |key: &str| name(node.and_then(|node| node.get("Components")).and_then(|components| components.get(key)));
        let code = |value: Option<&Value>| value.and_then(|v| v.get("StatusCode")).and_then(Value::as_i64);
        Self {
            host: name(node),
            kubelet: component("kubelet"),
            api_server: component("apiserver"),
            kubeconfig: name(value.get("Components").and_then(|components| components.get("kubeconfig"))),
            disk_full: code(Some(value)) == Some(507) || code(node) == Some(507),
        }
    }

    /// `host: Running`
    fn plain(stdout: &str) -> Self {
        let of = |key: &str| {
            stdout
                .lines()
                .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let host = of("host");
        Self {
            disk_full: host == "InsufficientStorage",
            host,
            kubelet: of("kubelet"),
            api_server: of("apiserver"),
            kubeconfig: of("kubeconfig"),
        }
    }

    fn is(&self, field: &str, state: &str) -> bool {
        debug_assert!([&self.host, &self.kubelet, &self.api_server, &self.kubeconfig].into_iter().any(|known| known == field));
        field.eq_ignore_ascii_case(state)
    }

    fn describe(&self) -> String {
        format!("host {}, kubelet {}, apiserver {}, kubeconfig {}", self.host, self.kubelet, self.api_server, self.kubeconfig)
    }
}
