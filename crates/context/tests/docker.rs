//! The digest's list of a context against what a real docker put into an image (`FROM scratch`, `COPY . /`).
//!
//! Random trees with random ignore files. Skipped with one line when no docker answers; `CONTEXT_TREES=1000` builds more.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

mod support;

use std::path::Path;

use context::{BuildInputs, ContextError, StatCache, digest};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::{Tree, docker_list, reachable, tree};

fn ours(dir: &Path) -> Result<Vec<String>, ContextError> {
    let inputs = BuildInputs { context: dir.to_owned(), dockerfile: dir.join("Dockerfile"), ..BuildInputs::default() };
    let digest = digest(&inputs, &mut StatCache::in_memory())?;
    Ok(digest.manifest().entries.into_iter().map(|(path, what)| format!("{path} {what}")).collect())
}

/// What differs, or nothing.
fn difference(tree: &Tree) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    tree.write(dir.path()).unwrap();
    let (ours, docker) = (ours(dir.path()), docker_list(dir.path()));
    match (ours, docker) {
        (Ok(ours), Ok(docker)) => (ours != docker).then(|| format!("ours {ours:#?}\ndocker {docker:#?}")),
        (Err(_), Err(docker)) if docker.contains("syntax error in pattern") || docker.contains("illegal exclusion pattern") => {
            None
        }
        (ours, docker) => Some(format!("ours {ours:#?}\ndocker {docker:#?}")),
    }
}

#[test]
fn random_trees_as_docker_sends_them() {
    if !reachable() {
        support::skip("no docker daemon answers (DOCKER_HOST): random trees are not compared");
        return;
    }
    let trees: usize = std::env::var("CONTEXT_TREES").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let seed: u8 = std::env::var("CONTEXT_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let strategy = tree();
    for i in 0..trees {
        let mut candidate = strategy.new_tree(&mut runner).unwrap();
        let Some(mut worst) = difference(&candidate.current()) else { continue };
        // Each look costs a build, so the search for a smaller case ends after a while.
        for _ in 0..200 {
            if !candidate.simplify() {
                break;
            }
            while difference(&candidate.current()).map(|d| worst = d).is_none() {
                if !candidate.complicate() {
                    break;
                }
            }
        }
        panic!("tree {i} of seed {seed}: {:#?}\n{worst}", candidate.current());
    }
}

/// Cases that a random tree meets rarely.
#[test]
fn known_trees_as_docker_sends_them() {
    if !reachable() {
        support::skip("no docker daemon answers (DOCKER_HOST): known trees are not compared");
        return;
    }
    let cases: &[(&str, &[u8])] = &[
        ("nothing left out", b""),
        ("Dockerfile and ignore file left out", b"Dockerfile\n.dockerignore\n"),
        ("sent without content", b"a\n!a/b\na\n"),
        ("a folder comes back for its file", b"*\n!a/b\n"),
        ("everything but", b"**\n!a\n"),
        ("byte order mark, CRLF, blank lines, comments", b"\xef\xbb\xbfa\r\n\r\n  # no comment\r\n#c\r\n"),
        ("white space around", b" \ta \n! a/b \n"),
        ("rooted, doubled, dotted", b"/a/\n//x\n./c/../d\n"),
        ("not UTF-8", b"n\xff*\n"),
        ("not UTF-8, exact", b"n\xff\n"),
        ("class of everything odd", b"[*]\n[?]a\n[a-c]\n[^x]b\n[[:alpha:]]\n"),
        ("escapes", b"\\a\n\\*\n\\!x\n\\d\n"),
        ("backwards range", b"a\n[z-a]\n"),
        ("backwards range that is never asked", b"![z-a]\n"),
        ("open class", b"[a\n"),
        ("nothing behind the mark", b"a\n!\n"),
        ("the whole context", b".\n"),
        ("up and out", b"../a\n/../c\n"),
        ("stars", b"***\n!**/b\n"),
        ("two double stars", b"**/**/b\n"),
        ("prefix", b"a**\n!a/b/**\n"),
    ];
    let failed: Vec<String> =
        cases.iter().filter_map(|(name, ignore)| difference(&Tree::known(ignore)).map(|d| format!("{name}: {d}"))).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
