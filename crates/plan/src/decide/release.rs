use std::collections::BTreeMap;

use serde_json::Value;

use crate::action::Action;
use crate::desired::{IMAGE_ID_ANNOTATION, Release};
use crate::finding::{Class, Finding};
use crate::identity::{digest, live_digests};
use crate::inventory::Inventory;
use crate::snapshot::Snapshot;

/// Whether a release has to be installed or upgraded: it is kept when its fingerprint is the one that was written down,
/// helm's own bookkeeping says `deployed`, and its live objects are as they were right after the last change.
pub fn release(wanted: &Release, seen: &Snapshot) -> Action {
    let Some(objects) = &seen.objects else { return Action::unknown(super::CLUSTER) };
    let name = &wanted.name;
    let inventory = match Inventory::read(objects) {
        Ok(inventory) => inventory.unwrap_or_default(),
        Err(what) => {
            return Action::Blocked(Box::new(
                Finding::error("XT905", Class::Internal, name, "the inventory of this deployment can't be read")
                    .evidence("ConfigMap/xtask-inventory", what)
                    .advice("delete that ConfigMap: the next deploy writes it anew"),
            ));
        }
    };
    let Some((revision, status)) = objects.helm_status(name) else {
        return Action::act("install", format!("there is no release `{name}`"));
    };
    let Some(entry) = inventory.releases.get(name) else {
        return Action::act("upgrade", format!("release `{name}` revision {revision} was not made by this project's deploy"));
    };
    if status != "deployed" {
        return Action::act("upgrade", format!("release `{name}` revision {revision} is `{status}`"));
    }
    if entry.fingerprint != wanted.fingerprint() {
        return Action::act("upgrade", format!("{name}: {}", changes(&entry.parts, &parts(wanted)).join(", ")));
    }
    let live = live_digests(objects.of_release(name));
    let foreign: Vec<String> = entry
        .objects
        .iter()
        .filter_map(|(object, digest)| match live.get(object) {
            None => Some(format!("{object} is gone")),
            Some(now) if now != digest => Some(format!("{object} was changed by hand")),
            Some(_) => None,
        })
        .collect();
    if foreign.is_empty() {
        Action::keep(format!("{name} revision {revision}"))
    } else {
        Action::act("upgrade", format!("{name}: {}", foreign.join(", ")))
    }
}

/// Whether the hooks of a release were run for all that they depend on now, and nothing has gone wrong since.
pub fn hooks_are_done(wanted: &Release, inventory: Option<&Inventory>, seen: &Snapshot) -> bool {
    let entry = inventory.and_then(|inventory| inventory.releases.get(&wanted.name));
    let status = seen.objects.as_ref().and_then(|objects| objects.helm_status(&wanted.name));
    wanted.hooks.is_some()
        && entry.is_some_and(|entry| entry.hooks == wanted.hooks)
        && status.is_some_and(|(_, status)| status == "deployed")
}

/// The parts of a release's fingerprint by name, to say later what changed: the files, and each leaf of the overlay.
pub fn parts(release: &Release) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::from([("chart and values files".to_owned(), short(&release.files_digest))]);
    leaves(&release.overlay, String::new(), &mut parts);
    parts
}

fn leaves(value: &Value, path: String, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                leaves(inner, if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, into);
            }
        }
        other => {
            into.insert(path, short(&digest([other.to_string().as_bytes()])));
        }
    }
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

/// The names of the parts that differ.
pub fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let mut names: Vec<String> = now.iter().filter(|(k, v)| before.get(*k) != Some(v)).map(|(k, _)| k.clone()).collect();
    names.extend(before.keys().filter(|k| !now.contains_key(*k)).cloned());
    names.sort();
    names.dedup();
    // A new tag says it all.
    let of_image = |name: &String| name.ends_with(IMAGE_ID_ANNOTATION);
    if names.iter().any(|name| !of_image(name)) {
        names.retain(|name| !of_image(name));
    }
    names
}
