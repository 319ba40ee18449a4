//! `minikube status`.

use std::time::Duration;

use calls::invocation::Invocation;
use serde::Deserialize;

use super::call;
use crate::answer::{Parsed, Refusal, ToolError};
use crate::runner::{Exit, Output, Runner};

/// 0.23 s as a rule; 13 to 15 s just after the API server went away (measured).
const DEADLINE: Duration = Duration::from_secs(60);

/// The exit code of most commands for a profile that does not exist.
pub(super) const PROFILE_MISSING: Exit = Exit::Code(85);

/// The state of one part of a node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum State {
    /// It runs.
    Running,
    /// It was stopped.
    Stopped,
    /// It was paused.
    Paused,
    /// It is not there.
    Nonexistent,
    /// The kubeconfig has the right entry.
    Configured,
    /// The kubeconfig has a wrong entry or none: `minikube update-context` repairs it.
    Misconfigured,
    /// Of a worker: it has no such part.
    Irrelevant,
    /// Another word of minikube's (`Error`, `InsufficientStorage`, `Starting`…).
    Other(String),
}

impl From<String> for State {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Running" => Self::Running,
            "Stopped" => Self::Stopped,
            "Paused" => Self::Paused,
            "Nonexistent" => Self::Nonexistent,
            "Configured" => Self::Configured,
            "Misconfigured" => Self::Misconfigured,
            "Irrelevant" => Self::Irrelevant,
            _ => Self::Other(word),
        }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// The container or machine.
    pub host: State,
    /// The kubelet.
    pub kubelet: State,
    /// The API server.
    #[serde(rename = "APIServer")]
    pub api_server: State,
    /// The entry in the kubeconfig.
    pub kubeconfig: State,
    /// Whether it is a worker only.
    pub worker: bool,
}

/// The state of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is no such profile.
    ProfileMissing,
    /// The profile exists, its node was removed behind minikube's back; minikube's words.
    NodeMissing(String),
    /// The nodes, the control plane first.
    Nodes(Vec<NodeStatus>),
}

impl Status {
    /// Whether host, kubelet and API server run and the kubeconfig points there.
    pub fn is_running(&self) -> bool {
        match self {
            Self::ProfileMissing | Self::NodeMissing(_) => false,
            Self::Nodes(nodes) => nodes.iter().all(NodeStatus::is_running) && !nodes.is_empty(),
        }
    }

    /// Whether the cluster runs and only the kubeconfig does not point to it.
    pub fn only_kubeconfig_wrong(&self) -> bool {
        let Self::Nodes(nodes) = self else { return false };
        let parts = nodes.iter().all(|n| NodeStatus { kubeconfig: State::Configured, ..n.clone() }.is_running());
        parts && nodes.iter().any(|n| n.kubeconfig == State::Misconfigured)
    }
}

impl NodeStatus {
    fn is_running(&self) -> bool {
        let fine = |state: &State, word: &State| state == word || (self.worker && *state == State::Irrelevant);
        self.host == State::Running
            && self.kubelet == State::Running
            && fine(&self.api_server, &State::Running)
            && fine(&self.kubeconfig, &State::Configured)
    }
}

/// `minikube status -o json`
pub fn status_invocation(profile: &str) -> Invocation {
    call(profile, format!("read the state of cluster `{profile}`"), DEADLINE).args(["status", "-o", "json"])
}

/// The state. The exit code is a bit mask of what does not run (1 host, 2 kubelet or API server, 4 kubeconfig), so the words
/// decide; one node is an object, several are an array, a node that is gone is `null`, a profile that is missing event lines
/// and exit code 85.
pub fn parse_status(output: &Output) -> Parsed<Status> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        One(NodeStatus),
        Several(Vec<NodeStatus>),
    }
    if output.exit == PROFILE_MISSING {
        return Ok(Status::ProfileMissing);
    }
    let text = output.stdout.trim();
    if text.is_empty() {
        return Err(Refusal::Failed);
    }
    if text == "null" {
        return if output.stderr.contains("unknown state") {
            Ok(Status::NodeMissing(output.stderr.trim().to_owned()))
        } else {
            Err(Refusal::Failed)
        };
    }
    match serde_json::from_str(text)? {
        Told::One(node) => Ok(Status::Nodes(vec![node])),
        Told::Several(nodes) if nodes.is_empty() => Err(Refusal::Unclear("a status of no nodes".to_owned())),
        Told::Several(nodes) => Ok(Status::Nodes(nodes)),
    }
}

/// The state of a profile.
pub fn status(runner: &Runner, profile: &str) -> Result<Status, ToolError> {
    runner.ask(&status_invocation(profile), parse_status)
}
