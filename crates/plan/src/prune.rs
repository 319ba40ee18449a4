//! Which images of this project are old.

use std::collections::{BTreeMap, BTreeSet};

/// How many images of a service stay besides those in use: enough to roll back twice.
pub const KEEP: usize = 3;

/// An image of this project on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its repository.
    pub repository: String,
    /// Its tag.
    pub tag: String,
    /// When it was made, as docker writes it: sorts as text.
    pub created: String,
}

/// The references to remove: all but the newest `keep` of each repository, never one that is used, never the alias `latest`.
pub fn old(images: Vec<Kept>, used: &BTreeSet<String>, keep: usize) -> Vec<String> {
    let mut by_repository: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for image in images.into_iter().filter(|i| i.tag != "latest" && i.tag != "<none>" && i.repository != "<none>") {
        by_repository.entry(image.repository.clone()).or_default().push(image);
    }
    let mut old = Vec::new();
    for mut images in by_repository.into_values() {
        images.sort_by(|a, b| b.created.cmp(&a.created).then(a.tag.cmp(&b.tag)));
        images.dedup_by(|a, b| a.tag == b.tag);
        let references = images.into_iter().map(|i| format!("{}:{}", i.repository, i.tag));
        old.extend(references.skip(keep).filter(|reference| !used.contains(reference)));
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(repository: &str, tag: &str, day: u8) -> Kept {
        Kept { repository: repository.into(), tag: tag.into(), created: format!("2026-11-{day:02} 02:50:18 +0000 UTC") }
    }

    #[test]
    fn the_newest_the_used_and_the_alias_stay() {
        let images = vec![
            image("a", "1", 1),
            image("a", "2", 2),
            image("a", "3", 3),
            image("a", "4", 4),
            image("a", "latest", 1),
            image("b", "1", 1),
        ];
        let used = BTreeSet::from(["a:1".to_owned()]);
        assert_eq!(old(images.clone(), &used, 2), ["a:2"]);
        assert_eq!(old(images, &BTreeSet::new(), 3), ["a:1"]);
    }
}
