//! Random trees, written to disk, and the list of an image's files.

#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use hmac_sha256::Hash as Sha256;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// One node of a tree.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    File(Vec<u8>, u32),
    Dir(BTreeMap<Vec<u8>, Node>, u32),
    Link(Vec<u8>),
    Fifo(u32),
}

/// A context with its ignore file.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) ignore: Vec<u8>,
    /// Written as `Dockerfile.dockerignore`, not as `.dockerignore`.
    pub(crate) own: bool,
    pub(crate) top: BTreeMap<Vec<u8>, Node>,
}

impl Tree {
    /// A fixed tree that holds something of everything.
    pub(crate) fn known(ignore: &[u8]) -> Self {
        let file = |text: &str, mode| Node::File(text.as_bytes().to_vec(), mode);
        let dir =
            |nodes: Vec<(&[u8], Node)>, mode| Node::Dir(nodes.into_iter().map(|(n, node)| (n.to_vec(), node)).collect(), mode);
        let deep = dir(vec![(b"b", file("b", 0o644)), (b"c", file("c", 0o755)), (b"empty", dir(vec![], 0o700))], 0o755);
        let top = [
            (&b"a"[..], dir(vec![(b"b", file("hello", 0o644)), (b"c", file("", 0o600)), (b"d", deep)], 0o750)),
            (b"ab", file("ab", 0o4755)),
            (b"x", file("x", 0o666)),
            (b"c", Node::Link(b"nowhere".to_vec())),
            (b"d", Node::Link(b"/etc/passwd".to_vec())),
            (b"n\xff", file("not UTF-8", 0o644)),
            (b"n\xffn", file("not UTF-8", 0o644)),
            (b"\xc3\xa9", file("accent", 0o644)),
            (b"!x", file("mark", 0o644)),
            (b"*", file("star", 0o644)),
            (b"[]x", file("bracket", 0o644)),
            (b"7", file("digit", 0o644)),
            (b"new\nline", file("", 0o644)),
            (b"back\\slash", file("", 0o644)),
            (b"empty", dir(vec![], 0o1777)),
            (b"pipe", Node::Fifo(0o640)),
        ];
        Self { ignore: ignore.to_vec(), own: false, top: top.into_iter().map(|(n, node)| (n.to_vec(), node)).collect() }
    }

    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        write(dir, &self.top)?;
        let name = if self.own { "Dockerfile.dockerignore" } else { ".dockerignore" };
        std::fs::write(dir.join("Dockerfile"), "FROM scratch\nCOPY . /\n")?;
        std::fs::write(dir.join(name), &self.ignore)
    }
}

fn write(dir: &Path, nodes: &BTreeMap<Vec<u8>, Node>) -> io::Result<()> {
    for (name, node) in nodes {
        let path = dir.join(OsStr::from_bytes(name));
        let mode = match node {
            Node::File(bytes, mode) => {
                std::fs::write(&path, bytes)?;
                *mode
            }
            Node::Dir(below, mode) => {
                std::fs::create_dir(&path)?;
                write(&path, below)?;
                *mode
            }
            Node::Link(target) => {
                symlink(OsStr::from_bytes(target), &path)?;
                continue;
            }
            Node::Fifo(mode) => {
                assert!(run("mkfifo", &[path.as_os_str()])?.status.success(), "mkfifo");
                *mode
            }
        };
        std::fs::set_permissions(&path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Few names, so that patterns meet them.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "c", "ab", "foo", "a.txt", "b.pyc", "node_modules", ".git", "src", "a b"])
            .prop_map(|s| s.as_bytes().to_vec()),
        1 => Just(b"n\xff".to_vec()),
        1 => Just("é".as_bytes().to_vec()),
        1 => prop::sample::select(vec!["!a", "#a", "[a]", "a-b", "A", "^a", "a\\b", "*"]).prop_map(|s| s.as_bytes().to_vec()),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let mode = prop::sample::select(vec![0o644, 0o755, 0o600, 0o444, 0o664, 0o4755]);
    let leaf = prop_oneof![
        8 => (vec(any::<u8>(), 0..20), mode).prop_map(|(bytes, mode)| Node::File(bytes, mode)),
        2 => prop::sample::select(vec!["a", "../b", "/abs", "nowhere", "src/a"]).prop_map(|s| Node::Link(s.as_bytes().to_vec())),
        1 => Just(Node::Dir(BTreeMap::new(), 0o755)),
    ];
    let dir_mode = prop::sample::select(vec![0o755, 0o700, 0o775, 0o1777, 0o2755]);
    leaf.prop_recursive(3, 30, 5, move |inner| {
        (btree_map(name(), inner, 0..5), dir_mode.clone()).prop_map(|(n, m)| Node::Dir(n, m))
    })
}

/// A pattern out of the pieces that mean something.
fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let text = |s: &'static [&'static str]| prop::sample::select(s).prop_map(|s: &str| s.as_bytes().to_vec());
    let odd = text(&[
        "[a-c]",
        "[^a]",
        "[*]",
        "[?]b",
        "\\a",
        "\\*",
        "[!a]",
        "^a",
        "a^",
        "\\d",
        "[[:alpha:]]",
        "[a",
        "[z-a]",
        "[a-]",
        "***",
    ]);
    let part = prop_oneof![
        10 => name(),
        6 => text(&["*", "**", "?", "*.txt", "a*", "*b", "a?", "**a", "a**", "n*", ".", "..", ""]),
        2 => odd,
    ];
    let glue = (text(&["", "", "", "!", "!", "/", "!/", "! ", " "]), text(&["", "", "", "/", " ", "\r", "\t"]));
    (glue, vec(part, 1..4)).prop_map(|((before, after), parts)| [before, parts.join(&b'/'), after].concat())
}

/// Trees as a person might have them, and worse.
pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let line = prop_oneof![12 => pattern(), 1 => Just(b"# a comment".to_vec()), 1 => Just(Vec::new())];
    let lines = (any::<bool>(), vec(line, 0..7)).prop_map(|(bom, lines)| {
        let mark: &[u8] = if bom { b"\xef\xbb\xbf" } else { b"" };
        [mark, &lines.join(&b'\n')].concat()
    });
    (lines, any::<bool>(), btree_map(name(), node(), 1..7)).prop_map(|(ignore, own, top)| Tree { ignore, own, top })
}

/// The only place of these tests that starts a process.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests ask the real docker, and make pipes; the crate itself starts no process"
)]
fn run(program: &str, args: &[&OsStr]) -> io::Result<Output> {
    Command::new(program).args(args).stdin(Stdio::null()).output()
}

/// Does a docker daemon answer?
pub(crate) fn reachable() -> bool {
    let args = ["version", "--format", "{{.Server.Version}}"].map(OsStr::new);
    run("docker", &args).is_ok_and(|out| out.status.success())
}

/// Says why a test did nothing, past the harness's capture.
pub(crate) fn skip(why: &str) {
    // Nowhere to tell of a failed write to stderr.
    drop(writeln!(io::stderr(), "skipped: {why}"));
}

/// The paths of the image that `dir` builds into, described as a manifest describes them, in the order of its map.
pub(crate) fn docker_list(dir: &Path) -> Result<Vec<String>, String> {
    let args = ["build", "--quiet", "--output", "type=tar,dest=-"].map(OsStr::new);
    let args = [&args[..], &[dir.as_os_str()]].concat();
    let mut out = run("docker", &args).map_err(|e| e.to_string())?;
    // Of two errors that docker has, it sometimes tells the one that follows from the other.
    for _ in 0..5 {
        if !String::from_utf8_lossy(&out.stderr).contains("context canceled") {
            break;
        }
        out = run("docker", &args).map_err(|e| e.to_string())?;
    }
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    let mut list: BTreeMap<String, String> = BTreeMap::new();
    for member in tar(&out.stdout) {
        let path = shown(member.path.strip_suffix(b"/").unwrap_or(&member.path));
        let what = match member.kind {
            b'0' | 0 => format!("file {:o} {}", member.mode, hex(&Sha256::hash(&member.data))),
            b'5' => format!("folder {:o}", member.mode),
            b'2' => format!("link {}", shown(&member.link)),
            b'6' => format!("pipe {:o}", member.mode),
            other => return Err(format!("tar member of kind {other}")),
        };
        list.insert(path, what);
    }
    Ok(list.into_iter().map(|(path, what)| format!("{path} {what}")).collect())
}

struct Member {
    path: Vec<u8>,
    link: Vec<u8>,
    kind: u8,
    mode: u32,
    data: Vec<u8>,
}

/// A POSIX tar as docker writes it: 512-byte headers, long or odd names in `x` records.
fn tar(mut bytes: &[u8]) -> Vec<Member> {
    let text = |field: &[u8]| field.split(|b| *b == 0).next().unwrap_or_default().to_vec();
    let octal = |field: &[u8]| u64::from_str_radix(String::from_utf8_lossy(&text(field)).trim(), 8).unwrap();
    let mut members = Vec::new();
    let mut extra: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    // A name outside ASCII can leave the plain field empty; only a block of zeros ends the archive.
    while bytes.len() >= 512 && bytes[..512].iter().any(|b| *b != 0) {
        let (header, rest) = bytes.split_at(512);
        let size = usize::try_from(octal(&header[124..136])).unwrap();
        let data = rest[..size].to_vec();
        bytes = &rest[size.next_multiple_of(512)..];
        let kind = header[156];
        if kind == b'x' {
            extra = pax(&data);
            continue;
        }
        let prefix = text(&header[345..500]);
        let name = text(&header[..100]);
        let plain = if prefix.is_empty() { name } else { [prefix, name].join(&b'/') };
        let mode = u32::try_from(octal(&header[100..108])).unwrap() & 0o7777;
        let path = extra.remove("path").unwrap_or(plain);
        let link = extra.remove("linkpath").unwrap_or_else(|| text(&header[157..257]));
        members.push(Member { path, link, kind, mode, data });
        extra.clear();
    }
    members
}

/// `LENGTH KEY=VALUE\n` records.
fn pax(mut data: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    while let Some(space) = data.iter().position(|b| *b == b' ') {
        let length: usize = String::from_utf8_lossy(&data[..space]).parse().unwrap();
        let record = &data[space + 1..length - 1];
        let equals = record.iter().position(|b| *b == b'=').unwrap();
        records.insert(String::from_utf8_lossy(&record[..equals]).into_owned(), record[equals + 1..].to_vec());
        data = &data[length..];
    }
    records
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        write!(out, "{b:02x}").unwrap();
        out
    })
}

/// Written apart from the crate's own, so that a mistake there shows.
fn shown(path: &[u8]) -> String {
    let mut out = String::new();
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                c if c.is_control() => out.extend(c.to_string().bytes().map(|b| format!("\\x{b:02x}"))),
                c => out.push(c),
            }
        }
        out.extend(chunk.invalid().iter().map(|b| format!("\\x{b:02x}")));
    }
    out
}
