use crate::action::Action;
use crate::config::Runtime;
use crate::desired::{IMAGE_DIGEST_LABEL, Image};
use crate::snapshot::Snapshot;

/// Whether the node lacks the image of these inputs. `why` says what changed, where that is known.
pub fn image(wanted: &Image, forced: Option<&str>, why: Option<&str>, seen: &Snapshot) -> Action {
    let Some(images) = &seen.images else { return Action::unknown(super::CLUSTER) };
    let reference = wanted.reference();
    match images.get(&reference) {
        _ if forced.is_some() => Action::act("build", forced.unwrap_or_default()),
        // A containerd node shows no labels; the tag is the digest of the inputs too, as far as nobody moved it.
        Some(_) if seen.runtime == Runtime::Containerd => Action::keep(format!("{reference}, by its tag")),
        // A tag can be moved by anybody; the label was given by the build of these inputs.
        Some(found) if found.labels.get(IMAGE_DIGEST_LABEL) == Some(&wanted.digest) => Action::keep(reference),
        Some(_) => Action::act("build", format!("{reference} on the node was not built from these inputs")),
        None => Action::act("build", why.map_or_else(|| format!("the node has no {reference}"), str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::snapshot::NodeImage;

    fn seen(runtime: Runtime, label: Option<&str>) -> Snapshot {
        let labels = label.into_iter().map(|digest| (IMAGE_DIGEST_LABEL.to_owned(), digest.to_owned())).collect();
        let image = NodeImage { id: "sha256:1".into(), tags: vec!["web:abc".into()], labels, ..NodeImage::default() };
        Snapshot { runtime, images: Some(BTreeMap::from([("web:abc".to_owned(), image)])), ..Snapshot::default() }
    }

    #[test]
    fn the_label_counts_where_it_can_be_read_and_the_tag_elsewhere() {
        let wanted = Image { service: "web".into(), repository: "web".into(), tag: "abc".into(), digest: "abcdef".into() };
        let empty = Snapshot { images: Some(BTreeMap::new()), ..Snapshot::default() };
        for (seen, forced, keep) in [
            (seen(Runtime::Docker, Some("abcdef")), None, true),
            (seen(Runtime::Docker, Some("moved")), None, false),
            (seen(Runtime::Docker, None), None, false),
            (seen(Runtime::Containerd, None), None, true),
            (seen(Runtime::Containerd, None), Some("--rebuild"), false),
            (empty, None, false),
        ] {
            assert_eq!(image(&wanted, forced, None, &seen).is_keep(), keep, "{seen:?} {forced:?}");
        }
        assert!(matches!(image(&wanted, None, None, &Snapshot::default()), Action::Unknown { .. }));
    }
}
