//! Kubernetes objects as the API gave them, and the few questions that are asked of them.

pub use diagnosis::images::{repository, unqualified};
use serde_json::Value;

/// The annotation that Helm puts on every object of a release (helm 3 and 4, `pkg/action/validate.go`).
const RELEASE_NAME: &str = "meta.helm.sh/release-name";

/// A list of objects from one or several `kubectl get … -o json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects(Vec<Value>);

impl Objects {
    /// Takes objects as they are.
    pub const fn new(items: Vec<Value>) -> Self {
        Self(items)
    }

    /// Adds more.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }

    /// Those of a kind (`Deployment`, as the API writes it).
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |o| text(o, "/kind") == kind)
    }

    /// One object by kind and name.
    pub fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.0.iter().find(|o| text(o, "/kind") == kind && text(o, "/metadata/name") == name)
    }

    /// The objects that Helm made for a release, without its own bookkeeping Secrets and without hooks.
    pub fn of_release<'a>(&'a self, release: &str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |o| {
            o.pointer("/metadata/annotations").and_then(|a| a.get(RELEASE_NAME)).and_then(Value::as_str) == Some(release)
        })
    }

    /// The status of the newest revision of a release as Helm's Secrets name it, without asking helm:
    /// `(revision, status)`. Source: labels `owner=helm,name,status,version` on `sh.helm.release.v1.*` (helm 3 and 4).
    pub fn helm_status(&self, release: &str) -> Option<(u32, String)> {
        self.newest_revision(release).map(|(revision, secret)| (revision, label(secret, "status").to_owned()))
    }

    /// When helm began the newest revision of a release, as the API writes it.
    pub fn helm_began(&self, release: &str) -> Option<&str> {
        self.newest_revision(release).map(|(_, secret)| text(secret, "/metadata/creationTimestamp"))
    }

    fn newest_revision(&self, release: &str) -> Option<(u32, &Value)> {
        self.of_kind("Secret")
            .filter(|o| label(o, "owner") == "helm" && label(o, "name") == release)
            .filter_map(|o| Some((label(o, "version").parse::<u32>().ok()?, o)))
            .max_by_key(|(revision, _)| *revision)
    }

    /// The pods whose controller chain ends at the workload `kind/name` (Deployments through their ReplicaSets).
    pub fn pods_of<'a>(&'a self, kind: &str, name: &str) -> Vec<&'a Value> {
        let owners: Vec<String> = if kind == "Deployment" {
            self.of_kind("ReplicaSet")
                .filter(|rs| owned_by(rs, kind, name))
                .map(|rs| text(rs, "/metadata/name").to_owned())
                .collect()
        } else {
            vec![name.to_owned()]
        };
        let owner_kind = if kind == "Deployment" { "ReplicaSet" } else { kind };
        self.of_kind("Pod").filter(|pod| owners.iter().any(|o| owned_by(pod, owner_kind, o))).collect()
    }
}

/// The string at a JSON pointer, or "".
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer, or 0, as the API leaves zeros out.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The value of a label, or "".
pub fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object.pointer("/metadata/labels").and_then(|l| l.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// The value of an annotation, or "".
pub fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object.pointer("/metadata/annotations").and_then(|l| l.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// Whether the object has the controller `kind/name`.
pub fn owned_by(object: &Value, kind: &str, name: &str) -> bool {
    object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .is_some_and(|refs| refs.iter().any(|r| text(r, "/kind") == kind && text(r, "/name") == name))
}

/// Whether a Job is complete. One that is suspended waits for somebody, and nobody waits for its pods.
pub fn job_settled(job: &Value) -> bool {
    let conditions = job.pointer("/status/conditions").and_then(Value::as_array);
    let complete = |c: &Value| text(c, "/type") == "Complete" && text(c, "/status") == "True";
    job.pointer("/spec/suspend") == Some(&Value::Bool(true)) || conditions.into_iter().flatten().any(complete)
}

/// How many pods a workload should have: of a `DaemonSet` the nodes decide.
pub fn pods_wanted(workload: &Value) -> i64 {
    if text(workload, "/kind") == "DaemonSet" {
        return number(workload, "/status/desiredNumberScheduled");
    }
    workload.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
}

/// How many of them are ready.
pub fn pods_ready(workload: &Value) -> i64 {
    number(workload, "/status/readyReplicas").max(number(workload, "/status/numberReady"))
}

/// Whether a workload (Deployment or StatefulSet) has rolled out: its controller has seen the newest spec, and every
/// replica is updated, ready and counted. The rule of `kubectl rollout status`, with readiness in place of availability for StatefulSets.
pub fn rolled_out(workload: &Value) -> bool {
    let wanted = workload.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let seen = number(workload, "/status/observedGeneration") >= number(workload, "/metadata/generation");
    let updated = number(workload, "/status/updatedReplicas");
    let ready = number(workload, "/status/readyReplicas");
    let all = number(workload, "/status/replicas");
    let steady = match text(workload, "/kind") {
        // A StatefulSet clears updatedReplicas' meaning when no update is under way: compare revisions.
        "StatefulSet" => text(workload, "/status/currentRevision") == text(workload, "/status/updateRevision") && ready == wanted,
        "DaemonSet" => {
            number(workload, "/status/numberReady") == number(workload, "/status/desiredNumberScheduled")
                && number(workload, "/status/updatedNumberScheduled") == number(workload, "/status/desiredNumberScheduled")
        }
        _ => updated == wanted && ready == wanted && all == wanted,
    };
    seen && steady
}
