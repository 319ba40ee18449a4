use serde_json::Value;

use crate::action::Action;
use crate::desired::Release;
use crate::objects::{Objects, pods_ready, pods_wanted, repository, rolled_out, text};
use crate::snapshot::Snapshot;

/// The workloads of a release.
pub fn workloads<'a>(objects: &'a Objects, release: &str) -> impl Iterator<Item = &'a Value> {
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
        let state = format!("{name} {}/{} ready", pods_ready(workload), pods_wanted(workload));
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
