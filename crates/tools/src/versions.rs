//! Which tools there are, where, and how old.

use std::path::PathBuf;
use std::time::Duration;

use calls::invocation::{Invocation, Tool};
use calls::version::Version;
use serde::Deserialize;

use crate::Failure;
use crate::answer::{Parsed, Refusal, ToolError, json, succeeded};
use crate::runner::{Output, Runner};

/// A version is printed from the binary; docker alone asks its daemon.
const DEADLINE: Duration = Duration::from_secs(20);

/// What is known of one tool.
#[derive(Debug)]
pub struct Installed {
    /// Which.
    pub tool: Tool,
    /// Where on PATH; `None`: it is missing.
    pub path: Option<PathBuf>,
    /// Its version, or why it could not be had; `None` where the tool is missing.
    pub version: Option<Result<Version, ToolError>>,
}

/// docker's two halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerVersions {
    /// The command line.
    pub client: Version,
    /// The daemon; `None` when it did not answer, [`DockerVersions::problem`] says why.
    pub server: Option<Version>,
    /// What the client says of a daemon that does not answer.
    pub problem: Option<Failure>,
}

/// The versions of minikube, helm and kubectl and of docker's client, looked up side by side.
pub fn installed(runner: &Runner) -> Vec<Installed> {
    let tools = [Tool::Minikube, Tool::Docker, Tool::Helm, Tool::Kubectl];
    std::thread::scope(|scope| {
        let asked: Vec<_> = tools.into_iter().map(|tool| (tool, scope.spawn(move || one(runner, tool)))).collect();
        asked.into_iter().map(|(tool, thread)| thread.join().unwrap_or(Installed { tool, path: None, version: None })).collect()
    })
}

fn one(runner: &Runner, tool: Tool) -> Installed {
    let path = runner.locate(tool);
    let version = path.is_some().then(|| match tool {
        Tool::Minikube => minikube(runner),
        Tool::Docker => docker_client(runner),
        Tool::Helm => helm(runner),
        Tool::Kubectl => kubectl(runner),
        Tool::Cargo | Tool::App => Err(ToolError::NotFound { tool: tool.program().to_owned() }),
    });
    Installed { tool, path, version }
}

/// `minikube version -o json`
pub fn minikube_invocation() -> Invocation {
    Invocation::new(Tool::Minikube, "read the version of minikube", DEADLINE).args(["version", "-o", "json"])
}

/// minikube's version.
pub fn parse_minikube(output: &Output) -> Parsed<Version> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        minikube_version: String,
    }
    version(&json::<Told>(output)?.minikube_version)
}

/// minikube's version.
pub fn minikube(runner: &Runner) -> Result<Version, ToolError> {
    runner.ask(&minikube_invocation(), parse_minikube)
}

/// `helm version --short`: both majors have it; `--client` is gone in 4 and `-o` never was.
pub fn helm_invocation() -> Invocation {
    Invocation::new(Tool::Helm, "read the version of helm", DEADLINE).args(["version", "--short"])
}

/// helm's version.
pub fn parse_helm(output: &Output) -> Parsed<Version> {
    succeeded(output)?;
    // A warning about the kubeconfig's file mode may stand on stderr, never on stdout.
    version(&output.stdout)
}

/// helm's version.
pub fn helm(runner: &Runner) -> Result<Version, ToolError> {
    runner.ask(&helm_invocation(), parse_helm)
}

/// `kubectl version --client -o json`
pub fn kubectl_invocation() -> Invocation {
    Invocation::new(Tool::Kubectl, "read the version of kubectl", DEADLINE).args(["version", "--client", "-o", "json"])
}

/// kubectl's version.
pub fn parse_kubectl(output: &Output) -> Parsed<Version> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        client_version: GitVersion,
    }
    version(&json::<Told>(output)?.client_version.git_version)
}

/// kubectl's version.
pub fn kubectl(runner: &Runner) -> Result<Version, ToolError> {
    runner.ask(&kubectl_invocation(), parse_kubectl)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GitVersion {
    git_version: String,
}

/// `kubectl --context C get --raw /version`: the API server's.
pub fn api_server_invocation(context: &str) -> Invocation {
    Invocation::new(Tool::Kubectl, format!("read the version of cluster `{context}`"), DEADLINE).args([
        "--context",
        context,
        "get",
        "--raw",
        "/version",
    ])
}

/// The API server's version.
pub fn parse_api_server(output: &Output) -> Parsed<Version> {
    version(&json::<GitVersion>(output)?.git_version)
}

/// The API server's version.
pub fn api_server(runner: &Runner, context: &str) -> Result<Version, ToolError> {
    runner.ask(&api_server_invocation(context), parse_api_server)
}

/// `docker version --format json`: client and daemon.
pub fn docker_invocation() -> Invocation {
    Invocation::new(Tool::Docker, "read the versions of docker", DEADLINE).args(["version", "--format", "json"])
}

/// docker's versions. When the daemon does not answer, the exit code is 1 and stdout still names the client.
pub fn parse_docker(output: &Output) -> Parsed<(Version, Option<Version>)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Half {
        version: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Told {
        client: Half,
        server: Option<Half>,
    }
    if output.stdout.trim().is_empty() {
        // E.g. a client that can't even read its certificates.
        succeeded(output)?;
    }
    let told: Told = serde_json::from_str(&output.stdout)?;
    // podman's docker prints an empty server version when there is none.
    let server = told.server.filter(|s| !s.version.is_empty()).map(|s| version(&s.version)).transpose()?;
    Ok((version(&told.client.version)?, server))
}

/// docker's versions; a daemon that does not answer is part of the answer.
pub fn docker(runner: &Runner) -> Result<DockerVersions, ToolError> {
    let invocation = docker_invocation();
    let mut problem = None;
    let (client, server) = runner.ask(&invocation, |output| {
        let versions = parse_docker(output)?;
        if versions.1.is_none() {
            problem = Some(runner.failure_of(&invocation, output));
        }
        Ok(versions)
    })?;
    Ok(DockerVersions { client, server, problem })
}

/// `docker --version`: the client alone, without asking a daemon.
pub fn docker_client_invocation() -> Invocation {
    Invocation::new(Tool::Docker, "read the version of docker", DEADLINE).arg("--version")
}

/// The client's version, from `Docker version 28.2.2, build e6534b4`.
pub fn parse_docker_client(output: &Output) -> Parsed<Version> {
    succeeded(output)?;
    let words = output.stdout.split_once("version ").map(|(_, rest)| rest).unwrap_or_default();
    version(words.split([',', ' ']).next().unwrap_or_default())
}

/// The client's version.
pub fn docker_client(runner: &Runner) -> Result<Version, ToolError> {
    runner.ask(&docker_client_invocation(), parse_docker_client)
}

fn version(text: &str) -> Parsed<Version> {
    text.parse().map_err(|error| Refusal::Unclear(format!("{error}")))
}
