//! What a digest depends on, and what not; what is told when something is wrong.

#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use context::{BuildInputs, Change, ChangeKind, ContextDigest, Problem, StatCache, Why, digest, missing_sources, summary};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.write("Dockerfile", "FROM scratch\nCOPY . /\n");
        for (name, text) in files {
            tree.write(name, text);
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn inputs(&self) -> BuildInputs {
        BuildInputs { context: self.0.path().to_owned(), dockerfile: self.path("Dockerfile"), ..BuildInputs::default() }
    }

    fn digest(&self) -> ContextDigest {
        digest(&self.inputs(), &mut StatCache::in_memory()).unwrap()
    }
}

fn age(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn the_same_everywhere() {
    let files = [("src/a.py", "a"), ("src/b.py", "b"), ("README.md", "r")];
    let here = Tree::new(&files);
    let mut backwards = files;
    backwards.reverse();
    let there = Tree::new(&backwards);
    age(&there.path("src/a.py"), 100_000);
    assert_eq!(here.digest().hex, there.digest().hex);
    assert_eq!(here.digest().short(), &here.digest().hex[..12]);
    assert_eq!((here.digest().files, here.digest().bytes), (4, 3 + "FROM scratch\nCOPY . /\n".len() as u64));
}

/// Pinned: another value means that every image of every user is built again, which a change of the format has to be worth.
#[cfg(unix)]
#[test]
fn the_format() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::new(&[("a", "hello"), ("d/e", "")]);
    fs::create_dir(tree.path("empty")).unwrap();
    std::os::unix::fs::symlink("a", tree.path("link")).unwrap();
    for (name, mode) in [("Dockerfile", 0o644), ("a", 0o755), ("d", 0o755), ("d/e", 0o644), ("empty", 0o700)] {
        fs::set_permissions(tree.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut inputs = tree.inputs();
    inputs.args.insert("VERSION".to_owned(), "1".to_owned());
    inputs.target = Some("run".to_owned());
    inputs.platform = Some("linux/amd64".to_owned());
    inputs.bases.insert("node:22-alpine".to_owned(), "sha256:0".to_owned());
    let digest = digest(&inputs, &mut StatCache::in_memory()).unwrap();
    let manifest = digest.manifest();
    assert_eq!(manifest.entries["link"], "link a");
    assert_eq!(manifest.entries["empty"], "folder 700");
    assert_eq!(digest.hex, "4582e4467c6294283c9b561c097cdf9d19244db6ecec070d73ab7fa1d85b4897");
}

#[cfg(unix)]
type Set = fn(&mut BuildInputs);

#[cfg(unix)]
#[test]
fn every_ingredient_counts() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::new(&[("a", "1"), ("b", "1")]);
    let mut seen = vec![tree.digest().hex];
    let mut differs = |what: &str, hex: String| {
        assert!(!seen.contains(&hex), "{what} changes nothing");
        seen.push(hex);
    };
    tree.write("a", "2");
    differs("content", tree.digest().hex);
    fs::set_permissions(tree.path("a"), fs::Permissions::from_mode(0o755)).unwrap();
    differs("mode", tree.digest().hex);
    fs::create_dir(tree.path("empty")).unwrap();
    differs("an empty folder", tree.digest().hex);
    std::os::unix::fs::symlink("a", tree.path("link")).unwrap();
    differs("a link", tree.digest().hex);
    fs::remove_file(tree.path("link")).unwrap();
    std::os::unix::fs::symlink("b", tree.path("link")).unwrap();
    differs("a link's text", tree.digest().hex);
    fs::rename(tree.path("b"), tree.path("c")).unwrap();
    differs("a name", tree.digest().hex);
    tree.write("Dockerfile", "FROM scratch\nCOPY . /x\n");
    differs("the Dockerfile", tree.digest().hex);
    let mut inputs = tree.inputs();
    let set: [(&str, Set); 5] = [
        ("an argument", |i| drop(i.args.insert("A".to_owned(), "1".to_owned()))),
        ("an argument's value", |i| drop(i.args.insert("A".to_owned(), "2".to_owned()))),
        ("a target", |i| i.target = Some("t".to_owned())),
        ("a platform", |i| i.platform = Some("t".to_owned())),
        ("a base image", |i| drop(i.bases.insert("A".to_owned(), "2".to_owned()))),
    ];
    for (what, change) in set {
        change(&mut inputs);
        differs(what, digest(&inputs, &mut StatCache::in_memory()).unwrap().hex);
    }
}

#[test]
fn what_is_left_out_does_not_count() {
    let tree = Tree::new(&[(".dockerignore", "log\n.dockerignore\nDockerfile\n"), ("a", "1"), ("log/x", "1")]);
    let before = tree.digest();
    tree.write("log/x", "2");
    tree.write("log/y", "2");
    assert_eq!(tree.digest().hex, before.hex);
    // The Dockerfile is read all the same.
    tree.write("Dockerfile", "FROM scratch\n");
    assert_ne!(tree.digest().hex, before.hex);
    assert_eq!(before.manifest().entries.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn differences_are_told() {
    let tree = Tree::new(&[("app/main.py", "1"), ("app/old.py", "1"), ("same", "1")]);
    let mut inputs = tree.inputs();
    inputs.args.insert("V".to_owned(), "1".to_owned());
    let then = digest(&inputs, &mut StatCache::in_memory()).unwrap().manifest();
    tree.write("app/main.py", "2");
    tree.write("app/new.py", "2");
    fs::remove_file(tree.path("app/old.py")).unwrap();
    inputs.args.insert("V".to_owned(), "2".to_owned());
    let now = digest(&inputs, &mut StatCache::in_memory()).unwrap();
    let changes = now.changed_since(&then);
    let change = |what: &str, kind, in_context| Change { what: what.to_owned(), kind, in_context };
    assert_eq!(
        changes,
        [
            change("build argument V", ChangeKind::Content, false),
            change("app/main.py", ChangeKind::Content, true),
            change("app/new.py", ChangeKind::Added, true),
            change("app/old.py", ChangeKind::Removed, true),
        ]
    );
    assert_eq!(summary(&changes, 2), "4 inputs changed: build argument V, app/main.py, 2 more");
    assert_eq!(summary(&changes[1..], 9), "3 files changed: app/main.py, app/new.py (new), app/old.py (gone)");
    assert_eq!(summary(&[], 2), "nothing changed");
    assert!(now.changed_since(&now.manifest()).is_empty());
}

#[test]
fn a_part_is_its_files_and_what_is_in_its_folders() {
    let tree = Tree::new(&[("sql/1.sql", "a"), ("sql/old/0.sql", "b"), ("sql.md", "c"), ("app.py", "d")]);
    let paths = |of: &[&str]| -> Vec<String> {
        let of: Vec<String> = of.iter().map(|&path| path.to_owned()).collect();
        tree.digest().below(&of).into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(paths(&["sql"]), ["sql", "sql/1.sql", "sql/old", "sql/old/0.sql"]);
    assert_eq!(paths(&["sql/old", "app.py", "nothing"]), ["app.py", "sql/old", "sql/old/0.sql"]);
    let before = tree.digest().below(&["sql".to_owned()]);
    tree.write("app.py", "e");
    assert_eq!(tree.digest().below(&["sql".to_owned()]), before);
    tree.write("sql/old/0.sql", "e");
    assert_ne!(tree.digest().below(&["sql".to_owned()]), before);
}

#[test]
fn a_manifest_survives_json() {
    let manifest = Tree::new(&[("a", "1")]).digest().manifest();
    let text = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<context::Manifest>(&text).unwrap(), manifest);
}

#[test]
fn all_problems_at_once() {
    let tree = Tree::new(&[(".dockerignore", "[a\n!\n")]);
    fs::remove_file(tree.path("Dockerfile")).unwrap();
    let error = digest(&tree.inputs(), &mut StatCache::in_memory()).unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
    let missing = Problem::NoDockerfile { path: tree.path("Dockerfile") };
    assert_eq!(error.problems[0], missing);
    assert_eq!(error.to_string().lines().count(), 3);

    let nowhere = BuildInputs { context: tree.path("nowhere"), ..tree.inputs() };
    let error = digest(&nowhere, &mut StatCache::in_memory()).unwrap_err();
    assert_eq!(error.problems, [Problem::NoContext { path: tree.path("nowhere") }]);
}

#[test]
fn a_lowercase_dockerfile_stands_in() {
    let tree = Tree::new(&[]);
    fs::rename(tree.path("Dockerfile"), tree.path("dockerfile")).unwrap();
    assert_eq!(tree.digest().manifest().inputs.len(), 1);
}

#[test]
fn a_file_that_docker_empties_is_told() {
    let tree = Tree::new(&[(".dockerignore", "a\n!a/b\na\n"), ("a/b", "hello"), ("a/c", "x")]);
    let digest = tree.digest();
    assert_eq!(digest.sent_empty, ["a/b"]);
    let before = digest.hex;
    tree.write("a/b", "other");
    assert_eq!(tree.digest().hex, before);
}

#[test]
fn missing_sources_of_copies() {
    let tree = Tree::new(&[
        (".dockerignore", "dist\n"),
        ("dist/app.js", ""),
        ("src/main.py", ""),
        ("requirements.txt", ""),
        (
            "Dockerfile",
            "ARG DIR=src\nFROM a AS build\nCOPY dist/app.js /x/\nCOPY backend/requirements.txt /x/\nCOPY nothing* $UNSET /x/\n\
             COPY . src src/ ./src/../requirements.txt /x/\nCOPY <<EOF /x/\nCOPY gone /\nEOF\nADD https://example.org/x /x/\n\
             FROM b\nARG DIR\nENV SRC=src\nCOPY --from=build gone /x/\nCOPY $DIR/gone.py /x/\nCOPY [\"$SRC/other.py\", \"${SRC}/main.py\", \"/x/\"]\n",
        ),
    ]);
    let digest = tree.digest();
    let missing = missing_sources(&tree.inputs(), &digest).unwrap();
    let told: Vec<(usize, &str)> = missing.iter().map(|m| (m.line, m.copied.as_str())).collect();
    assert_eq!(told, [(3, "dist/app.js"), (4, "backend/requirements.txt"), (16, "src/other.py")]);
    assert_eq!(missing[0].why, Why::LeftOut { file: tree.path(".dockerignore"), line: 1, pattern: "dist".to_owned() });
    assert_eq!(missing[1].why, Why::NotThere { similar: vec!["requirements.txt".to_owned()] });
    assert_eq!(missing[2].why, Why::NotThere { similar: Vec::new() });
    // A target that does not need the second stage does not need its files.
    let inputs = BuildInputs { target: Some("build".to_owned()), args: BTreeMap::new(), ..tree.inputs() };
    assert_eq!(missing_sources(&inputs, &digest).unwrap().len(), 2);
}
