//! Fingerprints: what a release was made from, what its live objects are, and what a Secret holds.

use std::collections::BTreeMap;

use hmac_sha256::{HMAC, Hash as Sha256};
use serde_json::Value;

use crate::invocation::Secret;
use crate::objects::text;

/// Lowercase hex of bytes.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        // Writing to a String can't fail.
        write!(out, "{b:02x}").ok();
        out
    })
}

/// SHA-256 over parts, each framed by its length, so that no two different lists give the same bytes.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// The digest of a service's secrets, keyed with a random salt that only readers of the Secret can see:
/// it rolls the pods when a value changes and gives nothing away about weak values.
pub fn secret_digest<'a>(salt: &[u8], secrets: impl IntoIterator<Item = (&'a str, &'a Secret)>) -> String {
    let mut mac = HMAC::new(salt);
    for (key, value) in secrets {
        for part in [key.as_bytes(), value.reveal().as_bytes()] {
            mac.update((part.len() as u64).to_be_bytes());
            mac.update(part);
        }
    }
    hex(&mac.finalize())[..16].to_owned()
}

/// What a release wrote, without what the cluster adds by itself: the digest that tells a foreign change.
/// `replicas` is left out where an autoscaler owns it.
pub fn object_digest(object: &Value, autoscaled: bool) -> String {
    let mut spec = object.clone();
    if let Some(map) = spec.as_object_mut() {
        map.remove("status");
    }
    if let Some(meta) = spec.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        // A recreated object has the same spec and another uid: that is no change.
        for key in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"] {
            meta.remove(key);
        }
        if let Some(notes) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            // Written by controllers.
            notes.retain(|k, _| {
                !k.starts_with("deployment.kubernetes.io/")
                    && !k.starts_with("pv.kubernetes.io/")
                    && !k.starts_with("autoscaling.alpha")
            });
        }
    }
    if autoscaled && let Some(spec) = spec.pointer_mut("/spec").and_then(Value::as_object_mut) {
        spec.remove("replicas");
    }
    if text(object, "/kind") == "Service"
        && let Some(spec) = spec.pointer_mut("/spec").and_then(Value::as_object_mut)
    {
        // Assigned by the API server, other after a recreation.
        for key in ["clusterIP", "clusterIPs"] {
            spec.remove(key);
        }
    }
    // serde_json's maps are ordered, so the text is canonical.
    digest([spec.to_string().as_bytes()])[..16].to_owned()
}

/// `kind/name -> digest` of a release's live objects, and the names that an autoscaler owns are known from `objects`.
pub fn live_digests<'a>(release: impl IntoIterator<Item = &'a Value>) -> BTreeMap<String, String> {
    let all: Vec<&Value> = release.into_iter().collect();
    let scaled: Vec<(&str, &str)> = all
        .iter()
        .filter(|o| text(o, "/kind") == "HorizontalPodAutoscaler")
        .map(|o| (text(o, "/spec/scaleTargetRef/kind"), text(o, "/spec/scaleTargetRef/name")))
        .collect();
    all.iter()
        // What a controller keeps writing to is no sign of a foreign hand.
        .filter(|o| {
            !matches!(
                text(o, "/kind"),
                "Pod" | "ReplicaSet" | "Job" | "PersistentVolumeClaim" | "Event" | "Endpoints" | "EndpointSlice"
            )
        })
        .map(|o| {
            let (kind, name) = (text(o, "/kind"), text(o, "/metadata/name"));
            (format!("{kind}/{name}"), object_digest(o, scaled.contains(&(kind, name))))
        })
        .collect()
}
