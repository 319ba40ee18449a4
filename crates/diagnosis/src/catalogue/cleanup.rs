//! The codes of layer `cleanup`.

use super::{Entry, codes, entry};
use crate::finding::Class;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::LEFT_BEHIND,
        "not everything could be removed",
        Class::Cleanup,
        "Something of this deployment is still there; the finding lists it.",
        "looking again after the removal",
        &["run `cargo xtask cleanup` again; what stays is held by something else: see the evidence"],
    ),
    entry(
        codes::NAMESPACE_NOT_OURS,
        "the namespace is not ours",
        Class::Cleanup,
        "It carries no owner label of this deployment, or holds objects of others: it is left alone.",
        "labels of the namespace",
        &["delete it by hand if it is really not needed: `kubectl delete namespace NAME`"],
    ),
    entry(
        codes::IMAGE_IN_USE,
        "an image is in use",
        Class::Cleanup,
        "A container still uses it, so docker keeps it.",
        "`conflict: unable to remove`",
        &["remove the release first: `cargo xtask cleanup --scope release`"],
    ),
];
