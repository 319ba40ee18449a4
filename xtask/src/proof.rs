//! The proof that what runs is what was built: the image on the node and the one in every running container, by identity.

use plan::catalogue::{codes, finding};
use plan::finding::Finding;
use plan::objects::text;
use plan::proof::{Proof, compare};
use plan::snapshot::Snapshot;
use serde_json::Value;

use crate::context::Context;
use crate::{desired, failure, watch};

/// Compares every running container of this deployment with the image that its inputs gave.
pub(crate) fn running_is_built(cx: &Context) -> Result<String, Vec<Finding>> {
    let mut findings = Vec::new();
    let (mut by_id, mut by_label) = (0, 0);
    for release in &cx.layout().releases {
        // What can't be decided yet can't be proved.
        cx.look(|world| desired::release(cx, world, &release.name)).map_err(failure::undecided)?;
        for (proof, found) in of_release(cx, &release.name) {
            match proof {
                Proof::Same => by_id += 1,
                Proof::Another => findings.push(found),
                Proof::Unknown => by_label += 1,
            }
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let all = by_id + by_label;
    Ok(match (by_id, by_label) {
        (_, 0) => format!("{all} of {all} containers run the image that was built, by its id"),
        (0, _) => format!("{all} of {all} containers run the tag that was built, by its input digest"),
        (id, _) => format!("{id} of {all} containers run the image that was built, by its id; the others by its input digest"),
    })
}

/// The same for one release that was rolled out: what runs something else.
pub(crate) fn strangers(cx: &Context, release: &str) -> Vec<Finding> {
    let all = of_release(cx, release).into_iter();
    all.filter(|(proof, _)| *proof == Proof::Another).map(|(_, found)| found).collect()
}

/// Each running container of a built image, with what it would mean if it ran another one.
fn of_release(cx: &Context, release: &str) -> Vec<(Proof, Finding)> {
    cx.look(|world| {
        let Snapshot { objects: Some(objects), images: Some(images), .. } = world else { return Vec::new() };
        let mut all = Vec::new();
        for workload in plan::decide::workloads(objects, release) {
            let (kind, name) = (text(workload, "/kind"), text(workload, "/metadata/name"));
            for pod in objects.pods_of(kind, name).into_iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none())
            {
                let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
                for status in statuses.into_iter().flatten().filter(|s| s.pointer("/state/running").is_some()) {
                    let (image, image_id) = (text(status, "/image"), text(status, "/imageID"));
                    let of_node = images.iter().find(|(reference, _)| image.ends_with(reference.as_str()));
                    let Some((reference, node_image)) = of_node else { continue };
                    let pod = text(pod, "/metadata/name");
                    let cause = format!("pod `{pod}` runs another image under the tag {reference}");
                    let found = finding(codes::POD_IMAGE_DIFFERS, format!("pod/{pod}"), cause)
                        .evidence("status.containerStatuses.imageID", image_id)
                        .evidence("the image on the node", node_image.built.as_ref().unwrap_or(&node_image.id))
                        .remedy("start it again", watch::scope(cx, Some(release)).kubectl(&format!("delete pod {pod}")));
                    all.push((compare(image_id, node_image), found));
                }
            }
        }
        all
    })
}
