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
