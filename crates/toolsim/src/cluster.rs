//! The API server's objects, their versions and their changes.

use serde_json::{Value, json};

use crate::calls::sha256;
use crate::clock::{now, rfc3339};
use crate::world::{Change, Profile};

/// How many changes a watch can still be told; older ones are expired, as on a real API server.
const HISTORY: usize = 2000;

/// Kinds by their plural, with group and whether they are in a namespace.
pub(crate) const KINDS: &[(&str, &str, &str, bool)] = &[
    ("nodes", "Node", "v1", false),
    ("namespaces", "Namespace", "v1", false),
    ("pods", "Pod", "v1", true),
    ("services", "Service", "v1", true),
    ("configmaps", "ConfigMap", "v1", true),
    ("secrets", "Secret", "v1", true),
    ("serviceaccounts", "ServiceAccount", "v1", true),
    ("events", "Event", "v1", true),
    ("persistentvolumeclaims", "PersistentVolumeClaim", "v1", true),
    ("resourcequotas", "ResourceQuota", "v1", true),
    ("limitranges", "LimitRange", "v1", true),
    ("deployments", "Deployment", "apps/v1", true),
    ("replicasets", "ReplicaSet", "apps/v1", true),
    ("statefulsets", "StatefulSet", "apps/v1", true),
    ("daemonsets", "DaemonSet", "apps/v1", true),
    ("jobs", "Job", "batch/v1", true),
    ("cronjobs", "CronJob", "batch/v1", true),
    ("ingresses", "Ingress", "networking.k8s.io/v1", true),
    ("networkpolicies", "NetworkPolicy", "networking.k8s.io/v1", true),
    ("poddisruptionbudgets", "PodDisruptionBudget", "policy/v1", true),
    ("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2", true),
];

/// The plural of a kind as a person may write it: `Deployment`, `deployment`, `deployments`, `deploy`, `svc`…
pub(crate) fn plural(name: &str) -> Option<&'static str> {
    let name = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let short = match name.as_str() {
        "po" => "pods",
        "svc" => "services",
        "cm" => "configmaps",
        "ns" => "namespaces",
        "no" => "nodes",
        "deploy" => "deployments",
        "rs" => "replicasets",
        "sts" => "statefulsets",
        "ds" => "daemonsets",
        "pvc" => "persistentvolumeclaims",
        "ing" => "ingresses",
        "pdb" => "poddisruptionbudgets",
        "hpa" => "horizontalpodautoscalers",
        "sa" => "serviceaccounts",
        "ev" => "events",
        other => other,
    };
    KINDS.iter().find(|(plural, kind, ..)| *plural == short || kind.eq_ignore_ascii_case(short)).map(|(plural, ..)| *plural)
}

pub(crate) fn kind_of(plural: &str) -> (&'static str, &'static str, bool) {
    KINDS
        .iter()
        .find(|(p, ..)| *p == plural)
        .map_or(("", "", true), |(_, kind, version, namespaced)| (kind, version, *namespaced))
}

/// Where an object is kept.
pub(crate) fn key(namespace: &str, plural: &str, name: &str) -> String {
    format!("{}/{plural}/{name}", if kind_of(plural).2 { namespace } else { "" })
}

pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A new cluster's own objects.
pub(crate) fn boot(name: &str, profile: &mut Profile) {
    let (cpus, memory) = (profile.cpus.to_string(), format!("{}Ki", profile.memory_mib * 1024));
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"minikube.k8s.io/name": name, "minikube.k8s.io/primary": "true", "kubernetes.io/arch": "amd64"}},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": profile.ip}, {"type": "Hostname", "address": name}],
            "allocatable": {"cpu": cpus, "memory": memory, "pods": "110"},
            "capacity": {"cpu": cpus, "memory": memory, "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            "nodeInfo": {"kubeletVersion": profile.kubernetes, "containerRuntimeVersion": format!("{}://26.1.5", profile.runtime), "architecture": "amd64", "operatingSystem": "linux"},
        },
    });
    put(profile, "", node);
    for namespace in ["default", "kube-system"] {
        put(profile, "", namespace_object(namespace));
    }
}

pub(crate) fn namespace_object(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}, "status": {"phase": "Active"}})
}

/// Writes an object as the API server does; whether it was new, changed or the same.
pub(crate) fn put(profile: &mut Profile, namespace: &str, mut object: Value) -> &'static str {
    let Some(plural) = plural(text(&object, "/kind")) else { return "unknown" };
    let namespaced = kind_of(plural).2;
    let namespace = match text(&object, "/metadata/namespace") {
        "" => namespace,
        own => own,
    }
    .to_owned();
    let key = key(&namespace, plural, text(&object, "/metadata/name"));
    if namespaced {
        object["metadata"]["namespace"] = json!(namespace);
    }
    let old = profile.objects.get(&key).cloned();
    for field in ["uid", "creationTimestamp", "resourceVersion", "generation"] {
        if let Some(value) = old.as_ref().and_then(|old| old["metadata"].get(field)) {
            object["metadata"][field] = value.clone();
        }
    }
    if let Some(status) = old.as_ref().and_then(|old| old.get("status")).filter(|_| object.get("status").is_none()) {
        object["status"] = status.clone();
    }
    if let Some(old) = &old {
        if *old == object {
            return "unchanged";
        }
        if old["spec"] != object["spec"] {
            object["metadata"]["generation"] = json!(old["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
        }
    } else {
        object["metadata"]["uid"] = json!(uid(&key, profile.resource_version));
        object["metadata"]["creationTimestamp"] = json!(rfc3339(now()));
        object["metadata"]["generation"] = json!(1);
    }
    let kind = if old.is_none() { "ADDED" } else { "MODIFIED" };
    commit(profile, &key, kind, object);
    if old.is_none() { "created" } else { "configured" }
}

/// Removes an object and what it owns.
pub(crate) fn remove(profile: &mut Profile, key: &str) -> bool {
    let Some(object) = profile.objects.remove(key) else { return false };
    let uid = text(&object, "/metadata/uid").to_owned();
    note(profile, key, "DELETED", object);
    if let Some(name) = key.strip_prefix("/namespaces/") {
        let inside: Vec<String> = profile.objects.keys().filter(|k| k.starts_with(&format!("{name}/"))).cloned().collect();
        for key in inside {
            remove(profile, &key);
        }
        profile.releases.retain(|release, _| !release.starts_with(&format!("{name}/")));
    }
    let owned: Vec<String> = profile
        .objects
        .iter()
        .filter(|(_, o)| text(o, "/metadata/ownerReferences/0/uid") == uid && !uid.is_empty())
        .map(|(key, _)| key.clone())
        .collect();
    for key in owned {
        remove(profile, &key);
    }
    true
}

fn commit(profile: &mut Profile, key: &str, kind: &str, mut object: Value) {
    object["metadata"]["resourceVersion"] = json!((profile.resource_version + 1).to_string());
    profile.objects.insert(key.to_owned(), object.clone());
    note(profile, key, kind, object);
}

fn note(profile: &mut Profile, key: &str, kind: &str, object: Value) {
    profile.resource_version += 1;
    let change = Change { version: profile.resource_version, key: key.to_owned(), r#type: kind.to_owned(), object };
    profile.changes.push(change);
    if profile.changes.len() > HISTORY {
        let surplus = profile.changes.len() - HISTORY;
        profile.changes.drain(..surplus);
    }
}

fn uid(key: &str, version: u64) -> String {
    let hash = sha256(&format!("{key} {version}"));
    format!("{}-{}-{}-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32])
}

/// The objects of a kind in a namespace (all of them for ""), by labels.
pub(crate) fn select(profile: &Profile, plural: &str, namespace: &str, labels: &str) -> Vec<Value> {
    let in_namespace = |key: &str| {
        let (space, rest) = key.split_once('/').unwrap_or_default();
        rest.starts_with(&format!("{plural}/")) && (namespace.is_empty() || !kind_of(plural).2 || space == namespace)
    };
    profile
        .objects
        .iter()
        .filter(|(key, o)| in_namespace(key) && has_labels(o, labels))
        .map(|(_, object)| object.clone())
        .collect()
}

/// `a=b,c==d,e!=f,g,!h`
pub(crate) fn has_labels(object: &Value, selector: &str) -> bool {
    selector.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let label = |name: &str| object["metadata"]["labels"].get(name.trim()).and_then(Value::as_str);
        if let Some((name, value)) = part.split_once("!=") {
            label(name) != Some(value.trim())
        } else if let Some((name, value)) = part.split_once('=') {
            label(name) == Some(value.trim_start_matches('=').trim())
        } else if let Some(name) = part.strip_prefix('!') {
            label(name).is_none()
        } else {
            label(part).is_some()
        }
    })
}
