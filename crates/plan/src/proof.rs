//! Whether a running container is the image that the node has under its name, by what each runtime reports of itself.

use crate::snapshot::NodeImage;

/// What the name of a running image proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is that image.
    Same,
    /// It is another one.
    Another,
    /// Nothing: it is named by a digest that nobody here knows of that image. Then tag and label, both digests of the inputs, have to do.
    Unknown,
}

/// Compares `status.containerStatuses[].imageID` with an image of the node.
///
/// - `docker://sha256:…`: cri-dockerd gives docker's own id, that of `docker image inspect` (recording `pods/healthy`).
/// - `docker-pullable://NAME@sha256:…` and `NAME@sha256:…`: a manifest, for images with a name of a registry; docker's containerd store
///   lists one for each image.
/// - `sha256:…`: containerd gives the digest of the image's configuration, which the build tells (containerd 1.7 below docker 28).
pub fn compare(image_id: &str, image: &NodeImage) -> Proof {
    let of_docker = image_id.strip_prefix("docker://");
    let name = of_docker.or_else(|| image_id.strip_prefix("docker-pullable://")).unwrap_or(image_id);
    let (is_manifest, digest) = name.split_once('@').map_or((false, name), |(_, digest)| (true, digest));
    let known = std::iter::once(&image.id).chain(&image.repo_digests).chain(&image.built);
    if known.into_iter().any(|known| known == digest) {
        return Proof::Same;
    }
    // Only digests of the same thing tell a difference. In docker's classic store an id is that of the configuration; in its containerd
    // store it is a manifest's; a build that tells no other digest than that has told nothing new.
    let classic = image.repo_digests.is_empty();
    let comparable = match (of_docker, is_manifest) {
        (Some(_), false) => classic,
        (_, true) => !classic,
        (None, false) => image.built.as_ref().is_some_and(|built| classic || *built != image.id),
    };
    if comparable { Proof::Another } else { Proof::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_names_images_in_its_way() {
        // As docker's classic store, docker's containerd store, and `minikube image ls` describe an image that was built here or not.
        let classic = NodeImage { id: "sha256:c".into(), built: Some("sha256:c".into()), ..NodeImage::default() };
        let store = NodeImage {
            id: "sha256:m".into(),
            repo_digests: vec!["sha256:m".into()],
            built: Some("sha256:c".into()),
            ..NodeImage::default()
        };
        let elsewhere = NodeImage { built: None, ..store.clone() };
        let provenance = NodeImage { built: Some("sha256:m".into()), ..store.clone() };
        let listed = NodeImage { id: "sha256:c".into(), ..NodeImage::default() };
        for (image_id, image, expected) in [
            ("docker://sha256:c", &classic, Proof::Same),
            ("docker://sha256:x", &classic, Proof::Another),
            ("docker://sha256:x", &store, Proof::Unknown),
            ("docker-pullable://todo-backend@sha256:m", &store, Proof::Same),
            ("docker-pullable://todo-backend@sha256:x", &store, Proof::Another),
            ("docker-pullable://todo-backend@sha256:x", &classic, Proof::Unknown),
            ("sha256:c", &store, Proof::Same),
            ("sha256:x", &store, Proof::Another),
            ("sha256:c", &elsewhere, Proof::Unknown),
            ("sha256:c", &provenance, Proof::Unknown),
            ("sha256:c", &listed, Proof::Same),
            ("sha256:x", &listed, Proof::Unknown),
            ("docker.io/library/todo-backend@sha256:m", &store, Proof::Same),
        ] {
            assert_eq!(compare(image_id, image), expected, "{image_id} of {image:?}");
        }
    }
}
