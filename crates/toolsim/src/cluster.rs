//! The API server's objects and what controllers make of them: Deployments and `StatefulSets` become pods, pods become ready.

use serde_json::{Value, json};

use crate::calls::sha256;
use crate::clock::{now, rfc3339};
use crate::world::{Broken, Change, Image, Profile, World};

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

/// Lets controllers and kubelets do what they would have done by now; whether anything is still to come by itself.
pub(crate) fn pass_time(world: &mut World) -> bool {
    let (broken, ready_ms) = (world.broken.clone(), world.ready_ms);
    let causes = sha256(&format!("{broken:?}{ready_ms}"));
    let mut waiting = false;
    for profile in world.profiles.values_mut().filter(|p| p.running && p.api_server) {
        // Images appear without a new resource version.
        let names: usize = profile.images.iter().map(|image| image.names.len()).sum();
        let settled = format!("{} {names} {causes}", profile.resource_version);
        if profile.settled == settled {
            continue;
        }
        let workloads: Vec<String> =
            profile.objects.keys().filter(|k| k.contains("/deployments/") || k.contains("/statefulsets/")).cloned().collect();
        for key in &workloads {
            pods_for(profile, key);
        }
        kubelet(profile, &broken, ready_ms);
        for key in &workloads {
            settle(profile, key);
        }
        let unready = profile.objects.iter().any(|(key, pod)| key.contains("/pods/") && !is_ready(pod));
        if unready || settled != format!("{} {names} {causes}", profile.resource_version) {
            waiting = true;
            profile.settled.clear();
        } else {
            profile.settled = settled;
        }
    }
    waiting
}

fn replicas(workload: &Value) -> u64 {
    workload.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)
}

/// Makes the pods of a workload's present template and takes those of an older one away.
fn pods_for(profile: &mut Profile, key: &str) {
    let Some(workload) = profile.objects.get(key).cloned() else { return };
    let (namespace, name) = (text(&workload, "/metadata/namespace").to_owned(), text(&workload, "/metadata/name").to_owned());
    let template = workload["spec"]["template"].clone();
    let hash = sha256(&template.to_string())[..10].to_owned();
    let is_deployment = text(&workload, "/kind") == "Deployment";
    let owner = if is_deployment { replica_set(profile, &workload, &hash) } else { workload.clone() };
    let prefix = format!("{namespace}/pods/");
    let mine: Vec<(String, bool)> = profile
        .objects
        .range(prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&prefix))
        .filter(|(_, pod)| text(pod, "/metadata/annotations/toolsim~1workload") == name)
        .map(|(key, pod)| (key.clone(), text(pod, "/metadata/labels/pod-template-hash") == hash))
        .collect();
    let wanted = usize::try_from(replicas(&workload)).unwrap_or_default();
    let current = mine.iter().filter(|(_, current)| *current).count();
    for n in current..wanted {
        let pod_name = if is_deployment {
            format!("{}-{}", text(&owner, "/metadata/name"), &sha256(&format!("{n} {}", profile.resource_version))[..5])
        } else {
            format!("{name}-{n}")
        };
        let pod = new_pod(&owner, &template, &namespace, &pod_name, (&name, &hash));
        remove(profile, &format!("{prefix}{pod_name}"));
        put(profile, &namespace, pod);
    }
    for (key, _) in mine.iter().filter(|(_, current)| *current).skip(wanted) {
        remove(profile, key);
    }
    // An old pod goes when the new ones are ready, as in a rolling update.
    let new_ready = profile
        .objects
        .range(prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&prefix))
        .filter(|(_, pod)| text(pod, "/metadata/annotations/toolsim~1workload") == name && is_ready(pod))
        .filter(|(_, pod)| text(pod, "/metadata/labels/pod-template-hash") == hash)
        .count();
    // A StatefulSet's new pod has taken the name of the old one already.
    if new_ready >= wanted && is_deployment {
        for (key, _) in mine.iter().filter(|(_, current)| !*current) {
            remove(profile, key);
        }
    }
}

fn replica_set(profile: &mut Profile, deployment: &Value, hash: &str) -> Value {
    let (namespace, name) = (text(deployment, "/metadata/namespace").to_owned(), text(deployment, "/metadata/name"));
    let own = format!("{name}-{hash}");
    let others: Vec<String> = profile
        .objects
        .iter()
        .filter(|(key, rs)| {
            key.starts_with(&format!("{namespace}/replicasets/")) && text(rs, "/metadata/ownerReferences/0/name") == name
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in others.iter().filter(|key| !key.ends_with(&format!("/{own}"))) {
        if let Some(mut other) = profile.objects.get(key).cloned() {
            other["spec"]["replicas"] = json!(0);
            put(profile, &namespace, other);
        }
    }
    let revision = profile.objects.get(&key(&namespace, "replicasets", &own)).map_or_else(
        || others.len() + 1,
        |rs| text(rs, "/metadata/annotations/deployment.kubernetes.io~1revision").parse().unwrap_or(1),
    );
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": own, "namespace": namespace, "labels": with_hash(&deployment["spec"]["template"]["metadata"]["labels"], hash),
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string()},
            "ownerReferences": [owner_of(deployment)],
        },
        "spec": {"replicas": deployment["spec"]["replicas"], "selector": deployment["spec"]["selector"], "template": deployment["spec"]["template"]},
    });
    put(profile, &namespace, set);
    profile.objects.get(&key(&namespace, "replicasets", &own)).cloned().unwrap_or_default()
}

fn with_hash(labels: &Value, hash: &str) -> Value {
    let mut labels = if labels.is_object() { labels.clone() } else { json!({}) };
    labels["pod-template-hash"] = json!(hash);
    labels
}

fn owner_of(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"], "uid": object["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    })
}

fn new_pod(owner: &Value, template: &Value, namespace: &str, name: &str, (workload, hash): (&str, &str)) -> Value {
    let mut annotations = template["metadata"]["annotations"].clone();
    if !annotations.is_object() {
        annotations = json!({});
    }
    annotations["toolsim/workload"] = json!(workload);
    annotations["toolsim/created"] = json!(now().to_string());
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": namespace, "labels": with_hash(&template["metadata"]["labels"], hash),
            "annotations": annotations, "ownerReferences": [owner_of(owner)],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending", "conditions": [], "containerStatuses": []},
    })
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| text(c, "/type") == "Ready" && text(c, "/status") == "True")
}

/// Brings each pod to the state that it should have by now.
fn kubelet(profile: &mut Profile, broken: &std::collections::BTreeMap<String, Broken>, ready_ms: u64) {
    let pods: Vec<Value> = profile.objects.iter().filter(|(key, _)| key.contains("/pods/")).map(|(_, pod)| pod.clone()).collect();
    for mut pod in pods {
        let created: u64 = text(&pod, "/metadata/annotations/toolsim~1created").parse().unwrap_or_default();
        let due = now() >= created + ready_ms;
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array).cloned().unwrap_or_default();
        let statuses: Vec<Value> =
            containers.iter().map(|c| container_status(c, &profile.images, broken, (due, created))).collect();
        let ready = statuses.iter().all(|s| s["ready"] == true);
        let running = statuses.iter().all(|s| s["state"].get("running").is_some());
        let namespace = text(&pod, "/metadata/namespace").to_owned();
        let condition = |kind: &str, on: bool| json!({"type": kind, "status": if on { "True" } else { "False" }, "lastTransitionTime": rfc3339(created)});
        pod["status"] = json!({
            "phase": if running { "Running" } else { "Pending" },
            "hostIP": profile.ip, "podIP": "10.244.0.5", "startTime": rfc3339(created),
            "conditions": [condition("PodScheduled", true), condition("Initialized", true), condition("ContainersReady", ready), condition("Ready", ready)],
            "containerStatuses": statuses,
        });
        put(profile, &namespace, pod);
    }
}

fn container_status(
    container: &Value,
    images: &[Image],
    broken: &std::collections::BTreeMap<String, Broken>,
    (due, created): (bool, u64),
) -> Value {
    let (name, image) = (text(container, "/name"), text(container, "/image"));
    let waiting = |reason: &str, message: &str, restarts: u32| {
        json!({"name": name, "image": image, "imageID": "", "ready": false, "started": false, "restartCount": restarts,
               "state": {"waiting": {"reason": reason, "message": message}}})
    };
    let full = if image.contains(':') { image.to_owned() } else { format!("{image}:latest") };
    let found = images.iter().find(|i| i.names.contains(&full));
    // Only images that are built here have to be here; others are taken as pulled.
    let local = text(container, "/imagePullPolicy") == "Never";
    if found.is_none() && local {
        return waiting("ErrImageNeverPull", &format!("Container image \"{image}\" is not present with pull policy of Never"), 0);
    }
    if let Some(fault) = broken.get(name)
        && fault.reason != "Running"
    {
        return waiting(&fault.reason, &fault.message, fault.restarts);
    }
    let ready = due && !broken.contains_key(name);
    let id = found.map_or_else(|| format!("sha256:{}", sha256(&full)), |i| i.id.clone());
    json!({"name": name, "image": image, "imageID": format!("docker://{id}"), "ready": ready, "started": true,
           "restartCount": broken.get(name).map_or(0, |b| b.restarts), "state": {"running": {"startedAt": rfc3339(created)}}})
}

/// Writes a workload's status from its pods.
fn settle(profile: &mut Profile, key: &str) {
    let Some(mut workload) = profile.objects.get(key).cloned() else { return };
    let namespace = text(&workload, "/metadata/namespace").to_owned();
    let name = text(&workload, "/metadata/name").to_owned();
    let hash = sha256(&workload["spec"]["template"].to_string())[..10].to_owned();
    let pods: Vec<&Value> = profile
        .objects
        .iter()
        .filter(|(k, pod)| {
            k.starts_with(&format!("{namespace}/pods/")) && text(pod, "/metadata/annotations/toolsim~1workload") == name
        })
        .map(|(_, pod)| pod)
        .collect();
    let current = |pod: &&&Value| text(pod, "/metadata/labels/pod-template-hash") == hash;
    let (all, updated) = (pods.len(), pods.iter().filter(current).count());
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let complete = ready >= usize::try_from(replicas(&workload)).unwrap_or_default() && all == updated;
    workload["status"] = if text(&workload, "/kind") == "Deployment" {
        json!({
            "observedGeneration": workload["metadata"]["generation"], "replicas": all, "updatedReplicas": updated,
            "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": all - ready.min(all),
            "conditions": [
                {"type": "Available", "status": if ready > 0 { "True" } else { "False" }, "reason": if ready > 0 { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" }},
                {"type": "Progressing", "status": "True", "reason": if complete { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" }},
            ],
        })
    } else {
        json!({
            "observedGeneration": workload["metadata"]["generation"], "replicas": all, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": ready, "currentReplicas": updated, "currentRevision": format!("{name}-{hash}"), "updateRevision": format!("{name}-{hash}"),
        })
    };
    put(profile, &namespace, workload);
    let sets: Vec<Value> = profile
        .objects
        .iter()
        .filter(|(k, set)| {
            k.starts_with(&format!("{namespace}/replicasets/")) && text(set, "/metadata/ownerReferences/0/name") == name
        })
        .map(|(_, set)| set.clone())
        .collect();
    for mut set in sets {
        let uid = text(&set, "/metadata/uid").to_owned();
        let owned = profile.objects.values().filter(|pod| text(pod, "/metadata/ownerReferences/0/uid") == uid);
        let (mut all, mut ready) = (0, 0);
        for pod in owned {
            all += 1;
            ready += usize::from(is_ready(pod));
        }
        set["status"] = json!({"observedGeneration": set["metadata"]["generation"], "replicas": all, "readyReplicas": ready, "availableReplicas": ready});
        put(profile, &namespace, set);
    }
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
