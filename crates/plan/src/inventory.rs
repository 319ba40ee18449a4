//! The inventory: the ConfigMap in the namespace that lists what this deployment made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desired::{INVENTORY, OWNER_LABEL};
use crate::objects::{Objects, label, text};

/// What is written down of a release after it was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The fingerprint it was made from.
    pub fingerprint: String,
    /// `kind/name -> digest` of its live objects right after.
    pub objects: BTreeMap<String, String>,
    /// What its hooks were run for; empty where they run at each upgrade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<String>,
    /// What each part of the fingerprint was, to say what changed: `chart`, and one for each value path.
    pub parts: BTreeMap<String, String>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The deployment.
    pub owner: String,
    /// The layout that was deployed last.
    pub layout: String,
    /// By release.
    pub releases: BTreeMap<String, Entry>,
    /// Secrets that the tool made.
    pub secrets: Vec<String>,
    /// Image repositories that the tool built.
    pub repositories: Vec<String>,
}

impl Inventory {
    /// Reads it from the live objects; `None` where there is none.
    ///
    /// # Errors
    /// The text of what can't be read, where the ConfigMap is there and is not ours or not understood.
    pub fn read(objects: &Objects) -> Result<Option<Self>, String> {
        let Some(map) = objects.get("ConfigMap", INVENTORY) else { return Ok(None) };
        let body = text(map, "/data/inventory.json");
        let mut found: Self = serde_json::from_str(body).map_err(|e| format!("ConfigMap `{INVENTORY}`: {e}: {body}"))?;
        label(map, OWNER_LABEL).clone_into(&mut found.owner);
        Ok(Some(found))
    }

    /// The ConfigMap, for `kubectl apply`.
    pub fn manifest(&self, namespace: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": INVENTORY, "namespace": namespace, "labels": {OWNER_LABEL: self.owner}},
            "data": {"inventory.json": serde_json::to_string(self).unwrap_or_default()},
        })
    }
}
