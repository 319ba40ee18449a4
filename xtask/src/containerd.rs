//! Images on a node whose runtime is containerd: built by this machine's docker, loaded by minikube, known by their tag.
//!
//! `minikube docker-env` refuses such a profile. `minikube image load` and `image rm` exit 0 whatever happens (recordings
//! `image-load-missing`, `image-rm-missing`), so each is believed only when `minikube image ls` shows it. That list has no labels: what
//! counts is the tag, which is the digest of the inputs, and who built it is known from the labels in this machine's docker.

use std::collections::BTreeMap;

use plan::catalogue::{codes, finding};
use plan::desired::Image;
use plan::finding::Finding;
use plan::snapshot::NodeImage;
use tools::docker::{self, Endpoint};
use tools::minikube;

use crate::context::Context;
use crate::exec::Running;
use crate::failure;

/// What the profile itself says of its runtime; it wins over xtask.toml, which only says how a new one is made.
pub(crate) fn is_runtime(cx: &Context) -> Result<bool, Finding> {
    let profiles = minikube::profiles(&cx.runner).map_err(|f| failure::finding(cx, &f))?;
    Ok(profiles.get(&cx.profile()).is_some_and(|profile| profile.runtime == "containerd"))
}

/// The wanted images that the node has.
pub(crate) fn node_images(cx: &Context, wanted: &[Image]) -> Result<BTreeMap<String, NodeImage>, Finding> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let listed = minikube::images(&cx.runner, &cx.profile()).map_err(|f| failure::finding(cx, &f))?;
    let of = |image: &Image| {
        let reference = image.reference();
        let found = listed.iter().find(|row| row.tags.iter().any(|tag| is_name_of(tag, &reference)))?;
        let id = format!("sha256:{}", found.id);
        let built = cx.caches.built(&reference, &id);
        let image = NodeImage { id, tags: vec![reference.clone()], built, ..NodeImage::default() };
        Some((reference, image))
    };
    Ok(wanted.iter().filter_map(of).collect())
}

/// Which of these the node does not have.
pub(crate) fn missing(cx: &Context, references: Vec<String>) -> Result<Vec<String>, Finding> {
    let listed = minikube::images(&cx.runner, &cx.profile()).map_err(|f| failure::finding(cx, &f))?;
    let there = |reference: &str| listed.iter().flat_map(|row| &row.tags).any(|tag| is_name_of(tag, reference));
    Ok(references.into_iter().filter(|reference| !there(reference)).collect())
}

/// Brings an image from this machine's docker to the node, and looks whether it came.
pub(crate) fn load(cx: &Context, run: &Running<'_>, image: &Image) -> Result<(), Vec<Finding>> {
    let reference = image.reference();
    run.progress(format!("loading {reference} into the node"));
    minikube::image_load(&cx.runner, &cx.profile(), &reference).map_err(|f| failure::finding(cx, &f))?;
    let found = node_images(cx, std::slice::from_ref(image))?;
    if found.is_empty() {
        let profile = cx.profile();
        let cause = format!("minikube says that it loaded `{reference}` into the node, and the node does not have it");
        return Err(finding(codes::IMAGE_LOAD_FAILED, &reference, cause)
            .service(&image.service)
            .evidence("minikube image ls", format!("no row named {reference}"))
            .remedy("see what minikube wrote down", format!("minikube -p {profile} logs --audit"))
            .remedy("see whether the node's disk is full", format!("minikube -p {profile} ssh -- df -h /var"))
            .into());
    }
    cx.update(|world| world.images.get_or_insert_default().extend(found));
    Ok(())
}

/// Removes an image from the node and from this machine's docker.
pub(crate) fn remove(cx: &Context, reference: &str) -> Result<(), Finding> {
    let words = minikube::image_rm(&cx.runner, &cx.profile(), reference).map_err(|f| failure::finding(cx, &f))?;
    let listed = minikube::images(&cx.runner, &cx.profile()).map_err(|f| failure::finding(cx, &f))?;
    if listed.iter().flat_map(|row| &row.tags).any(|tag| is_name_of(tag, reference)) {
        return Err(finding(codes::IMAGE_IN_USE, reference, format!("image `{reference}` is still on the node"))
            .evidence("minikube image rm", if words.is_empty() { "says nothing" } else { &words })
            .remedy("remove what uses it first", "cargo xtask cleanup --scope release"));
    }
    match docker::remove(&cx.runner, &Endpoint::Host, reference).map_err(|f| failure::finding(cx, &f))? {
        docker::Removed::InUse(words) => {
            Err(finding(codes::IMAGE_IN_USE, reference, format!("image `{reference}` is in use and was kept"))
                .evidence("docker image rm", words)
                .advice("remove the container on this machine that uses it"))
        }
        docker::Removed::Removed | docker::Removed::Missing => Ok(()),
    }
}

/// Whether the node's name of an image, always with registry and path, is this reference.
fn is_name_of(listed: &str, reference: &str) -> bool {
    let short = listed.strip_prefix("docker.io/").unwrap_or(listed);
    listed == reference || short == reference || short.strip_prefix("library/") == Some(reference)
}

#[cfg(test)]
mod tests {
    use super::is_name_of;

    #[test]
    fn names_are_compared_as_docker_completes_them() {
        for (listed, reference, same) in [
            ("docker.io/library/todo-backend:abc", "todo-backend:abc", true),
            ("docker.io/me/todo-backend:abc", "me/todo-backend:abc", true),
            ("ghcr.io/me/todo-backend:abc", "ghcr.io/me/todo-backend:abc", true),
            ("docker.io/library/todo-backend:abc", "todo-backend:ab", false),
            ("docker.io/library/my-todo-backend:abc", "todo-backend:abc", false),
            ("ghcr.io/library/todo-backend:abc", "todo-backend:abc", false),
            ("docker.io/me/todo-backend:abc", "todo-backend:abc", false),
        ] {
            assert_eq!(is_name_of(listed, reference), same, "{listed} {reference}");
        }
    }
}
