//! Lists and watches: what comes in, from where to go on, and what the cluster's clock says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::facts::{Event, Timestamp, Unreadable};
use super::Tracker;

/// The kinds that a rollout is followed by, one stream each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pods.
    Pods,
    /// Events.
    Events,
    /// Deployments.
    Deployments,
    /// `ReplicaSets`.
    ReplicaSets,
    /// `StatefulSets`.
    StatefulSets,
    /// `DaemonSets`.
    DaemonSets,
    /// Jobs.
    Jobs,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Pods, Self::Events, Self::Deployments, Self::ReplicaSets, Self::StatefulSets, Self::DaemonSets, Self::Jobs];

    /// As in `kind` of its objects.
    pub const fn object(self) -> &'static str {
        match self {
            Self::Pods => "Pod",
            Self::Events => "Event",
            Self::Deployments => "Deployment",
            Self::ReplicaSets => "ReplicaSet",
            Self::StatefulSets => "StatefulSet",
            Self::DaemonSets => "DaemonSet",
            Self::Jobs => "Job",
        }
    }

    /// As kubectl and URLs name it.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Events => "events",
            Self::Deployments => "deployments",
            Self::ReplicaSets => "replicasets",
            Self::StatefulSets => "statefulsets",
            Self::DaemonSets => "daemonsets",
            Self::Jobs => "jobs",
        }
    }

    /// The path for `kubectl get --raw`, to list.
    pub fn list_path(self, namespace: &str) -> String {
        let api = match self {
            Self::Pods | Self::Events => "api/v1",
            Self::Deployments | Self::ReplicaSets | Self::StatefulSets | Self::DaemonSets => "apis/apps/v1",
            Self::Jobs => "apis/batch/v1",
        };
        format!("/{api}/namespaces/{namespace}/{}", self.resource())
    }
}

/// What a line of a watch was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Something changed: ask for the verdict.
    Changed,
    /// Nothing but a place to go on from.
    Bookmark,
    /// The watch can't go on (`410 Expired`, or another error of the server): list again. The words say why.
    Relist(String),
}

/// Per kind where to go on; and the clock of the cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    versions: BTreeMap<Kind, String>,
    /// Milliseconds that this machine's clock is ahead: the least difference seen.
    ahead: Option<i64>,
}

/// Timestamps have whole seconds, and an event takes its time: below this, clocks are the same.
const SAME_CLOCK_MILLIS: i64 = 3_000;

impl Streams {
    /// The cluster's time at `now` of this machine.
    pub(super) fn cluster_time(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_unix_millis(now.unix_millis() - self.skew())
    }

    /// This machine's time at `time` of the cluster.
    pub(super) fn local_time(&self, time: Timestamp) -> Timestamp {
        Timestamp::from_unix_millis(time.unix_millis() + self.skew())
    }

    fn skew(&self) -> i64 {
        self.ahead.filter(|ahead| ahead.abs() > SAME_CLOCK_MILLIS).unwrap_or_default()
    }

    /// A fresh event says what time it is there.
    fn clock(&mut self, stamped: Timestamp, now: Timestamp) {
        let ahead = now.unix_millis() - stamped.unix_millis();
        self.ahead = Some(self.ahead.map_or(ahead, |known| known.min(ahead)));
    }
}

impl Tracker {
    /// Takes in a list of `kind`, which replaces what was known of it. Typed lists (`--raw`) and `kubectl get -o json` both do.
    pub fn list(&mut self, kind: Kind, json: &str) -> Result<(), Unreadable> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| Unreadable { what: format!("list of {}", kind.resource()), problem: error.to_string() })?;
        let Some(items) = value.get("items").and_then(Value::as_array) else {
            return Err(Unreadable { what: format!("list of {}", kind.resource()), problem: "it has no items".to_owned() });
        };
        self.facts.forget_kind(kind.object());
        for item in items {
            self.facts.add_kind(kind.object(), item)?;
        }
        if let Some(version) =
            value.pointer("/metadata/resourceVersion").and_then(Value::as_str).filter(|version| !version.is_empty())
        {
            self.streams.versions.insert(kind, version.to_owned());
        }
        Ok(())
    }

    /// From where the watch of `kind` goes on; `None`: list first.
    pub fn resource_version(&self, kind: Kind) -> Option<&str> {
        self.streams.versions.get(&kind).map(String::as_str)
    }

    /// Takes in one line of the watch of `kind`: `{"type":"MODIFIED","object":{…}}`.
    pub fn line(&mut self, kind: Kind, line: &str, now: Timestamp) -> Result<Watch, Unreadable> {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| Unreadable { what: format!("watch of {}", kind.resource()), problem: error.to_string() })?;
        self.event(kind, &value, now)
    }

    /// The same for a line that was parsed already.
    pub fn event(&mut self, kind: Kind, event: &Value, now: Timestamp) -> Result<Watch, Unreadable> {
        let missing = |problem: &str| Unreadable { what: format!("watch of {}", kind.resource()), problem: problem.to_owned() };
        let change = event.get("type").and_then(Value::as_str).ok_or_else(|| missing("it has no type"))?;
        let object = event.get("object").ok_or_else(|| missing("it has no object"))?;
        if change == "ERROR" {
            self.streams.versions.remove(&kind);
            let message = object.get("message").and_then(Value::as_str).unwrap_or("the watch ended with an error");
            return Ok(Watch::Relist(message.to_owned()));
        }
        if let Some(version) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            self.streams.versions.insert(kind, version.to_owned());
        }
        match change {
            "BOOKMARK" => Ok(Watch::Bookmark),
            "DELETED" => {
                let name = object
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .ok_or_else(|| missing("a deleted object has no name"))?;
                self.facts.remove(kind.object(), name);
                Ok(Watch::Changed)
            }
            "ADDED" | "MODIFIED" => {
                self.facts.add_kind(kind.object(), object)?;
                if kind == Kind::Events {
                    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                    let stamped = self.facts.events.get(name).and_then(Event::last_seen);
                    if let Some(stamped) = stamped {
                        self.streams.clock(stamped, now);
                    }
                }
                Ok(Watch::Changed)
            }
            other => Err(missing(&format!("type `{other}` is not known"))),
        }
    }
}
