use serde_json::Value;

use crate::action::Action;
use crate::desired::Release;
use crate::objects::{Objects, number, rolled_out, text};
use crate::snapshot::Snapshot;

/// The workloads of a release.
pub fn workloads<'a>(objects: &'a Objects, release: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.of_release(release).filter(|o| matches!(text(o, "/kind"), "Deployment" | "StatefulSet" | "DaemonSet"))
}

/// Whether the pods of a release are ready and run the wanted images.
pub fn rollout(wanted: &Release, seen: &Snapshot) -> Action {
    let Some(objects) = &seen.objects else { return Action::unknown(super::CLUSTER) };
    let all: Vec<&Value> = workloads(objects, &wanted.name).collect();
    if all.is_empty() {
        return Action::act("wait", format!("release `{}` has no workload yet", wanted.name));
    }
    let mut waiting = Vec::new();
    let mut ready = Vec::new();
    for workload in &all {
        let name = text(workload, "/metadata/name");
        let count = number(workload, "/status/readyReplicas").max(number(workload, "/status/numberReady"));
        let of = workload.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
        let state = format!("{name} {count}/{of} ready");
        if rolled_out(workload) { ready.push(state) } else { waiting.push(state) }
    }
    let strangers = not_on_wanted_image(objects, wanted);
    if !waiting.is_empty() {
        Action::act("wait", waiting.join(", "))
    } else if let Some((pod, image, wanted)) = strangers.first() {
        Action::act("wait", format!("pod `{pod}` still runs {image}, not {wanted}"))
    } else {
        Action::keep(ready.join(", "))
    }
}

/// Pods of the release's workloads that run another tag of a wanted image: `(pod, image, wanted)`. Containers are matched by
/// repository, so that it holds for charts of any labels and for pods with sidecars.
pub fn not_on_wanted_image(objects: &Objects, wanted: &Release) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for workload in workloads(objects, &wanted.name) {
        for pod in objects.pods_of(text(workload, "/kind"), text(workload, "/metadata/name")) {
            // A pod that is on its way out is no longer the service.
            if pod.pointer("/metadata/deletionTimestamp").is_some() {
                continue;
            }
            let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
            for image in containers.into_iter().flatten().map(|c| text(c, "/image")) {
                let same_repository = |w: &&String| repository(w) == repository(image);
                if let Some(wanted) = wanted.images.values().find(same_repository).filter(|w| *w != image) {
                    found.push((text(pod, "/metadata/name").to_owned(), image.to_owned(), wanted.clone()));
                }
            }
        }
    }
    found
}

/// The repository of an image reference: without its tag, and without docker's default host.
fn repository(reference: &str) -> &str {
    let reference = reference.strip_prefix("docker.io/library/").unwrap_or(reference);
    // A colon before the last slash belongs to a registry's port.
    match reference.rfind(':') {
        Some(colon) if !reference[colon..].contains('/') => &reference[..colon],
        _ => reference,
    }
}
