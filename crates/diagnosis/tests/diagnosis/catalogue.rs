//! The catalogue: complete, used, and the page made from it current.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use diagnosis::catalogue::{self, LAYERS};

/// Codes that the command line gives, not the diagnosis in this crate, and where.
const OF_THE_COMMAND_LINE: &[(&str, &str)] = &[
    ("CONFIG_PROBLEM", "reading xtask.toml"),
    ("ENV_FILE_PROBLEM", "reading .env"),
    ("SECRET_VALUE_MISSING", "reading .env"),
    ("PATH_MISSING", "reading xtask.toml"),
    ("CONTEXT_NOT_PROFILE", "observe"),
    ("PROFILE_DIFFERS", "observe"),
    ("CONTEXT_TOO_LARGE", "build"),
    ("IMAGE_TOO_BIG", "build"),
    ("BUILD_TOO_SLOW", "build"),
    ("IMAGE_NOT_ON_NODE", "build"),
    ("IMAGE_NOT_USED", "the step rollout"),
    ("RELEASE_DIFFERS", "verify"),
    ("POD_IMAGE_DIFFERS", "verify"),
    ("CONFIG_KEY_MISSING", "verify"),
    ("SECRET_KEY_ABSENT", "verify"),
    ("HEALTH_WRONG", "verify"),
    ("BACKEND_UNREACHABLE", "verify"),
    ("ENDPOINT_UNREACHABLE", "verify"),
    ("REPLICAS_MISSING", "verify"),
    ("TEST_FAILED", "test and ci"),
    ("LEFT_BEHIND", "cleanup"),
    ("NAMESPACE_NOT_OURS", "cleanup"),
    ("INTERNAL", "anywhere"),
    ("LOCK_HELD", "run"),
    ("OUTPUT_UNREADABLE", "observe"),
];

#[test]
fn codes_are_unique_ascending_and_in_their_layer() {
    let mut seen = BTreeSet::new();
    for layer in &LAYERS {
        let mut last = "";
        for entry in layer.entries {
            assert!(entry.code.starts_with(layer.prefix), "{} does not belong to {}", entry.code, layer.prefix);
            assert!(entry.code > last, "{} comes after {last}", entry.code);
            assert!(seen.insert(entry.code), "{} stands twice", entry.code);
            last = entry.code;
        }
    }
}

#[test]
fn entries_are_written_as_people_read_them() {
    for entry in catalogue::all() {
        let code = entry.code;
        for (what, text) in [("title", entry.title), ("meaning", entry.meaning), ("recognised", entry.recognised)] {
            assert!(!text.trim().is_empty(), "{code} has no {what}");
            assert!(!text.replace("#!", "").contains('!'), "{code}: no exclamation mark in {what}");
            for word in ["successfully", "please", "Please"] {
                assert!(!text.contains(word), "{code}: no `{word}` in {what}");
            }
        }
        assert!(!entry.title.ends_with('.'), "{code}: a title is a fragment");
        assert!(!entry.title.starts_with(char::is_uppercase) || entry.title.starts_with("COPY"), "{code}: a title is lower case");
        assert!(entry.meaning.ends_with('.'), "{code}: a meaning is a sentence");
        assert!(!entry.remedies.is_empty(), "{code} says nothing that can be done");
    }
}

#[test]
fn a_code_is_found_however_it_is_written() {
    for text in ["XT412", "xt412", "412", " Xt412 "] {
        assert_eq!(catalogue::find(text).map(|entry| entry.code), Some("XT412"), "{text}");
    }
    for text in ["", "XT", "XT000", "four hundred"] {
        assert_eq!(catalogue::find(text), None, "{text}");
    }
}

/// Every name in codes.rs has an entry, every entry is given by the diagnosis or listed above, and nothing else is given.
#[test]
fn every_code_is_used_and_every_used_code_exists() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names: BTreeMap<String, String> = std::fs::read_to_string(source.join("catalogue/codes.rs"))
        .expect("readable")
        .lines()
        .filter_map(|line| {
            let (name, value) = line.strip_prefix("pub const ")?.split_once(": &str = \"")?;
            Some((name.to_owned(), value.trim_end_matches("\";").to_owned()))
        })
        .collect();
    for (name, code) in &names {
        assert!(catalogue::find(code).is_some(), "{name} ({code}) has no entry");
    }
    assert_eq!(names.len(), catalogue::all().count(), "every entry has a name");

    let mut used = BTreeSet::new();
    let mut open = vec![source.join("diagnose")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        for rest in text.split("codes::").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect();
            if !name.is_empty() {
                used.insert(name);
            }
        }
    }
    let elsewhere: BTreeSet<String> = OF_THE_COMMAND_LINE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unused: Vec<&String> = names.keys().filter(|name| !used.contains(*name) && !elsewhere.contains(*name)).collect();
    assert!(unused.is_empty(), "given by nothing: {unused:?}");
    let both: Vec<&String> = used.intersection(&elsewhere).collect();
    assert!(both.is_empty(), "given here after all: {both:?}");
}

#[test]
fn the_troubleshooting_page_is_current() {
    crate::support::check_document("docs/kubernetes/TROUBLESHOOTING.md", &catalogue::troubleshooting_md());
}
