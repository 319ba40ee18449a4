//! The proof that what runs is what was built: the image on the node and the one in every running container, by identity.

use plan::catalogue::{codes, finding};
use plan::finding::Finding;
use plan::objects::text;
use serde_json::Value;

use crate::context::Context;
use crate::desired;

/// Compares every running container of this deployment with the image that its inputs gave.
///
/// cri-dockerd reports the image's own id (`docker://sha256:…`, recording `pods/healthy`), the same as `docker image inspect`. containerd
/// reports the digest of the image's configuration, which docker's containerd store does not show: there the container's tag is
/// compared, which is a digest of the inputs, and the label of that tag on the node.
pub(crate) fn running_is_built(cx: &Context) -> Result<String, Vec<Finding>> {
    let mut findings = Vec::new();
    let (mut by_id, mut by_label) = (0, 0);
    for release in &cx.layout().releases {
        let wanted = cx.look(|world| desired::release(cx, world, &release.name)).map_err(crate::failure::undecided)?;
        cx.look(|world| {
            let (Some(objects), Some(images)) = (&world.objects, &world.images) else { return };
            for workload in plan::decide::workloads(objects, &wanted.name) {
                for pod in objects.pods_of(text(workload, "/kind"), text(workload, "/metadata/name")) {
                    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
                    for status in statuses.into_iter().flatten().filter(|s| s.pointer("/state/running").is_some()) {
                        let image = text(status, "/image");
                        let Some((reference, node_image)) =
                            images.iter().find(|(reference, _)| image.ends_with(reference.as_str()))
                        else {
                            continue;
                        };
                        let running = text(status, "/imageID");
                        match running.strip_prefix("docker://") {
                            Some(id) if id == node_image.id => by_id += 1,
                            Some(id) => findings.push(
                                finding(
                                    codes::POD_IMAGE_DIFFERS,
                                    format!("pod/{}", text(pod, "/metadata/name")),
                                    format!("pod `{}` runs another image under the tag {reference}", text(pod, "/metadata/name")),
                                )
                                .evidence("status.containerStatuses.imageID", id)
                                .evidence("docker image inspect", &node_image.id)
                                .remedy("build and roll out anew", "cargo xtask deploy --rebuild"),
                            ),
                            None => by_label += 1,
                        }
                    }
                }
            }
        });
    }
    findings.dedup();
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(match (by_id, by_label) {
        (id, 0) => format!("{id} containers run the image that was built, by its id"),
        (0, label) => format!("{label} containers run the tag that was built, by its input digest"),
        (id, label) => format!("{id} containers proved by id, {label} by input digest"),
    })
}
