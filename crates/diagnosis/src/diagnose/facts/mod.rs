//! What was seen: API objects, logs and time. Everything that diagnosis knows comes in here.

mod common;
mod event;
mod pod;
mod probe;
mod surroundings;
mod time;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;
use serde_json::Value;

pub use common::{Condition, Meta, Owner};
pub use event::*;
pub use pod::*;
pub use probe::{ExecAction, HttpGet, Probe, TcpSocket};
pub use surroundings::*;
pub use time::{Seconds, Timestamp};
pub use workload::*;

use crate::images::repository;

/// The label by which a chart says which of its parts an object is.
pub const COMPONENT: &str = "app.kubernetes.io/component";

/// What findings say about where they are: needed for commands that can be pasted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The kubectl context; named in every command.
    pub context: String,
    /// The namespace of the application.
    pub namespace: String,
    /// The helm release, where there is one.
    pub release: Option<String>,
    /// Value of the label `app.kubernetes.io/component` -> service of xtask.toml. A component that is not listed is its own name.
    pub services: BTreeMap<String, String>,
    /// Name of an image, without its tag -> service of xtask.toml.
    pub images: BTreeMap<String, String>,
    /// Service -> services that it waits for. What fails only because of another folds into that one.
    pub waits_for: BTreeMap<String, Vec<String>>,
}

impl Scope {
    /// `kubectl --context C -n N …`, to be pasted.
    pub fn kubectl(&self, args: &str) -> String {
        format!("{} {args}", self.kubectl_prefix(true))
    }

    /// `kubectl --context C …`, for objects outside namespaces.
    pub fn kubectl_cluster(&self, args: &str) -> String {
        format!("{} {args}", self.kubectl_prefix(false))
    }

    fn kubectl_prefix(&self, namespaced: bool) -> String {
        let mut command = String::from("kubectl");
        for (flag, value) in [("--context", Some(&self.context)), ("-n", namespaced.then_some(&self.namespace))] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                command.extend([" ", flag, " ", value]);
            }
        }
        command
    }

    /// The service that an object belongs to, by its labels and by the images of its pods: a chart need not set the label, and where it
    /// does may mean something else by it.
    pub fn service(&self, meta: &Meta, pods: &PodSpec) -> Option<String> {
        let component = meta.labels.get(COMPONENT);
        let by_label = component.and_then(|component| self.services.get(component));
        let mut images = pods.containers.iter().map(|container| repository(&container.image));
        by_label.or_else(|| images.find_map(|image| self.images.get(image))).or(component).cloned()
    }

    /// Whether `service` waits for `other`, directly or not.
    pub fn depends(&self, service: &str, other: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![service];
        while let Some(next) = open.pop() {
            for needed in self.waits_for.get(next).into_iter().flatten() {
                if needed == other {
                    return true;
                }
                if seen.insert(needed.as_str()) {
                    open.push(needed);
                }
            }
        }
        false
    }
}

/// The log of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// `kubectl logs POD -c CONTAINER`
    pub current: Option<String>,
    /// `kubectl logs POD -c CONTAINER --previous`
    pub previous: Option<String>,
}

/// What a probe's endpoint answered when it was asked once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; its first line is shown.
    pub body: String,
}

/// Everything seen of a namespace and its nodes.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Where it was seen.
    pub scope: Scope,
    /// Pods, by name, as all below.
    pub pods: BTreeMap<String, Pod>,
    /// Events, by the event's own name.
    pub events: BTreeMap<String, Event>,
    /// Deployments.
    pub deployments: BTreeMap<String, Deployment>,
    /// `ReplicaSets`.
    pub replica_sets: BTreeMap<String, ReplicaSet>,
    /// `StatefulSets`.
    pub stateful_sets: BTreeMap<String, StatefulSet>,
    /// `DaemonSets`.
    pub daemon_sets: BTreeMap<String, DaemonSet>,
    /// Jobs.
    pub jobs: BTreeMap<String, Job>,
    /// Nodes.
    pub nodes: BTreeMap<String, Node>,
    /// `PersistentVolumeClaims`.
    pub claims: BTreeMap<String, Claim>,
    /// `ResourceQuotas`.
    pub quotas: BTreeMap<String, Quota>,
    /// Namespaces.
    pub namespaces: BTreeMap<String, Bare>,
    /// Logs, by pod and container.
    pub logs: BTreeMap<(String, String), Logs>,
    /// Since when the log of a running container ends with a server that is away, where somebody follows that log.
    pub waits: BTreeMap<(String, String), Timestamp>,
    /// Keys (never values) of the Secrets that exist; empty if nobody looked.
    pub secret_keys: BTreeMap<String, BTreeSet<String>>,
    /// What readiness endpoints answered, by pod.
    pub answers: BTreeMap<String, Answer>,
}

/// Output that is not what the API gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What the output was of, such as `Pod`.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unreadable {}: {}", self.what, self.problem)
    }
}

impl std::error::Error for Unreadable {}

impl Facts {
    /// No facts yet, seen at `scope`.
    pub fn new(scope: Scope) -> Self {
        Self { scope, ..Self::default() }
    }

    /// Takes in what `kubectl get … -o json` printed: an object, a `List` of mixed kinds or a `PodList`.
    pub fn read(&mut self, json: &str) -> Result<(), Unreadable> {
        let value = serde_json::from_str(json)
            .map_err(|error| Unreadable { what: "kubectl output".to_owned(), problem: error.to_string() })?;
        self.add(&value)
    }

    /// Takes in an object or a list of them; an object seen before is replaced. Kinds that don't matter are passed over.
    pub fn add(&mut self, object: &Value) -> Result<(), Unreadable> {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        let Some(item_kind) = kind.strip_suffix("List") else { return self.add_kind(kind, object) };
        for item in object.get("items").and_then(Value::as_array).into_iter().flatten() {
            // Items of a typed list (`PodList`) carry no kind of their own.
            let own = item.get("kind").and_then(Value::as_str).unwrap_or(item_kind);
            self.add_kind(own, item)?;
        }
        Ok(())
    }

    /// The same for an object whose kind is known from elsewhere.
    pub fn add_kind(&mut self, kind: &str, object: &Value) -> Result<(), Unreadable> {
        let unreadable = |error: serde_json::Error| Unreadable {
            what: kind.to_owned(),
            problem: format!("{error} in {}", object.to_string().chars().take(200).collect::<String>()),
        };
        macro_rules! take {
            ($map:ident, $type:ty) => {{
                let item = <$type>::deserialize(&*common::without_nulls(object)).map_err(unreadable)?;
                self.$map.insert(item.metadata.name.clone(), item);
            }};
        }
        match kind {
            "Pod" => take!(pods, Pod),
            "Event" => take!(events, Event),
            "Deployment" => take!(deployments, Deployment),
            "ReplicaSet" => take!(replica_sets, ReplicaSet),
            "StatefulSet" => take!(stateful_sets, StatefulSet),
            "DaemonSet" => take!(daemon_sets, DaemonSet),
            "Job" => take!(jobs, Job),
            "Node" => take!(nodes, Node),
            "PersistentVolumeClaim" => take!(claims, Claim),
            "ResourceQuota" => take!(quotas, Quota),
            "Namespace" => take!(namespaces, Bare),
            _ => {}
        }
        Ok(())
    }

    /// Forgets an object that was deleted.
    pub fn remove(&mut self, kind: &str, name: &str) {
        match kind {
            "Pod" => drop(self.pods.remove(name)),
            "Event" => drop(self.events.remove(name)),
            "Deployment" => drop(self.deployments.remove(name)),
            "ReplicaSet" => drop(self.replica_sets.remove(name)),
            "StatefulSet" => drop(self.stateful_sets.remove(name)),
            "DaemonSet" => drop(self.daemon_sets.remove(name)),
            "Job" => drop(self.jobs.remove(name)),
            "Node" => drop(self.nodes.remove(name)),
            "PersistentVolumeClaim" => drop(self.claims.remove(name)),
            "ResourceQuota" => drop(self.quotas.remove(name)),
            "Namespace" => drop(self.namespaces.remove(name)),
            _ => {}
        }
    }

    /// Forgets every object of a kind, before a new list of it is taken in.
    pub fn forget_kind(&mut self, kind: &str) {
        match kind {
            "Pod" => self.pods.clear(),
            "Event" => self.events.clear(),
            "Deployment" => self.deployments.clear(),
            "ReplicaSet" => self.replica_sets.clear(),
            "StatefulSet" => self.stateful_sets.clear(),
            "DaemonSet" => self.daemon_sets.clear(),
            "Job" => self.jobs.clear(),
            "Node" => self.nodes.clear(),
            "PersistentVolumeClaim" => self.claims.clear(),
            "ResourceQuota" => self.quotas.clear(),
            "Namespace" => self.namespaces.clear(),
            _ => {}
        }
    }

    /// Takes in a log. What is no log but a runtime's regret (`unable to retrieve container logs …`) is passed over.
    pub fn add_log(&mut self, pod: &str, container: &str, previous: bool, text: &str) {
        if text.trim().is_empty() || text.starts_with("unable to retrieve container logs") {
            return;
        }
        let logs = self.logs.entry((pod.to_owned(), container.to_owned())).or_default();
        let slot = if previous { &mut logs.previous } else { &mut logs.current };
        *slot = Some(text.to_owned());
    }

    /// Events about an object, oldest first.
    pub fn events_of<'a>(&'a self, kind: &'a str, meta: &'a Meta) -> Vec<&'a Event> {
        let mut found: Vec<_> = self
            .events
            .values()
            .filter(|event| {
                let about = &event.involved_object;
                // A name is used again (StatefulSets, Jobs); the uid is not.
                about.kind == kind && about.name == meta.name && (about.uid.is_empty() || about.uid == meta.uid)
            })
            .collect();
        found.sort_by_key(|event| event.last_seen());
        found
    }

    /// The latest moment that any object or event carries: a stand-in for "now" when facts were recorded.
    pub fn latest(&self) -> Timestamp {
        let events = self.events.values().filter_map(Event::last_seen);
        let conditions =
            |conditions: &[Condition]| conditions.iter().filter_map(|condition| condition.last_transition_time).max();
        let pods = self.pods.values().filter_map(|pod| conditions(&pod.status.conditions));
        let deployments = self.deployments.values().filter_map(|item| conditions(&item.status.conditions));
        events.chain(pods).chain(deployments).max().unwrap_or_default()
    }
}
