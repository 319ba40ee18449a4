//! What goes into a digest, entry by entry, so that two digests can be compared and the difference told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use hmac_sha256::Hash as Sha256;
use serde::{Deserialize, Serialize};

/// The SHA-256 of some bytes.
pub type Sum = [u8; 32];

/// What is sent for one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File {
        /// The SHA-256 of what is sent.
        sha256: Sum,
        /// How many bytes are sent.
        size: u64,
    },
    /// A folder.
    Dir,
    /// A symbolic link, never followed.
    Symlink {
        /// Its text.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A device file.
    Device {
        /// Block, not character.
        block: bool,
        /// Its number.
        number: u64,
    },
}

/// One path of the sent context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the context, `/` between names; bytes, because names need not be UTF-8.
    pub path: Vec<u8>,
    /// Permission bits, with setuid, setgid and sticky; 0 for symbolic links, whose modes mean nothing.
    pub mode: u32,
    /// What it holds.
    pub content: Content,
}

impl Entry {
    /// The path for people and for JSON: `\` is doubled, bytes that are not UTF-8 and control characters become `\xNN`.
    pub fn shown(&self) -> Cow<'_, str> {
        shown(&self.path)
    }

    pub(crate) fn describe(&self) -> String {
        match &self.content {
            Content::File { sha256, .. } => format!("file {:o} {}", self.mode, hex(sha256)),
            Content::Dir => format!("folder {:o}", self.mode),
            Content::Symlink { target } => format!("link {}", shown(target)),
            Content::Fifo => format!("pipe {:o}", self.mode),
            Content::Device { block, number } => format!("{} {:o} {number}", if *block { "block" } else { "char" }, self.mode),
        }
    }

    pub(crate) fn feed(&self, to: &mut Feed) {
        to.field(b"path", &self.path);
        to.field(b"mode", &self.mode.to_le_bytes());
        match &self.content {
            Content::File { sha256, .. } => to.field(b"file", sha256),
            Content::Dir => to.field(b"dir", b""),
            Content::Symlink { target } => to.field(b"link", target),
            Content::Fifo => to.field(b"fifo", b""),
            Content::Device { block, number } => to.field(if *block { b"block" } else { b"char" }, &number.to_le_bytes()),
        }
    }
}

/// A SHA-256 over named fields, each with its length, so that no two lists of fields give the same bytes.
pub(crate) struct Feed(Sha256);

impl Feed {
    pub(crate) fn new(format: &[u8]) -> Self {
        let mut feed = Self(Sha256::new());
        feed.field(b"format", format);
        feed
    }

    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        for part in [name, value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    pub(crate) fn sum(self) -> Sum {
        self.0.finalize()
    }
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        // Writing to a String can't fail.
        let _infallible = write!(out, "{b:02x}");
        out
    })
}

/// See [`Entry::shown`].
pub(crate) fn shown(path: &[u8]) -> Cow<'_, str> {
    let plain = |c: char| c != '\\' && !c.is_control();
    if let Ok(text) = std::str::from_utf8(path)
        && text.chars().all(plain)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(path.len() + 8);
    let escape = |out: &mut String, bytes: &[u8]| {
        for b in bytes {
            let _infallible = write!(out, "\\x{b:02x}");
        }
    };
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                c if plain(c) => out.push(c),
                c => escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        escape(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

/// A digest's ingredients, to be kept and compared with later ones. Holds no file content and no value of a build argument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The digest itself (SHA-256, hexadecimal).
    pub digest: String,
    /// Everything that is not in the context: `Dockerfile`, `build argument X`, `target`, `platform`, `base image X`.
    pub inputs: BTreeMap<String, String>,
    /// Path to kind, mode and digest.
    pub entries: BTreeMap<String, String>,
}

impl Manifest {
    /// What differs from an earlier one: other inputs first, then paths, each in order.
    pub fn changed_since(&self, then: &Self) -> Vec<Change> {
        if then.digest == self.digest { Vec::new() } else { diff(then, self) }
    }

    pub(crate) fn of(entries: &[Entry]) -> BTreeMap<String, String> {
        entries.iter().map(|e| (e.shown().into_owned(), e.describe())).collect()
    }
}

/// How one ingredient differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It is there no more.
    Removed,
    /// Its content differs.
    Content,
    /// Only its mode differs.
    Mode,
    /// It was a file and is a folder, or the like.
    Kind,
}

/// One difference between two digests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The path, or the name of another ingredient such as `build argument X`.
    pub what: String,
    /// How it differs.
    pub kind: ChangeKind,
    /// True for a path of the context.
    pub in_context: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.kind {
            ChangeKind::Added => f.write_str(" (new)"),
            ChangeKind::Removed => f.write_str(" (gone)"),
            ChangeKind::Mode => f.write_str(" (mode)"),
            ChangeKind::Content | ChangeKind::Kind => Ok(()),
        }
    }
}

/// What differs from `then` to `now`: other ingredients first, then paths.
pub(crate) fn diff(then: &Manifest, now: &Manifest) -> Vec<Change> {
    let mut changes = diff_map(&then.inputs, &now.inputs, false);
    changes.extend(diff_map(&then.entries, &now.entries, true));
    changes
}

fn diff_map(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>, in_context: bool) -> Vec<Change> {
    let mut changes: Vec<Change> = now
        .iter()
        .filter_map(|(what, new)| {
            let kind = match then.get(what) {
                None => ChangeKind::Added,
                Some(old) if old == new => return None,
                Some(old) if in_context => kind_of_change(old, new),
                Some(_) => ChangeKind::Content,
            };
            Some(Change { what: what.clone(), kind, in_context })
        })
        .collect();
    let gone = then.keys().filter(|what| !now.contains_key(*what));
    changes.extend(gone.map(|what| Change { what: what.clone(), kind: ChangeKind::Removed, in_context }));
    changes.sort();
    changes
}

/// Both are descriptions: `KIND MODE REST`, or `link TARGET`.
fn kind_of_change(old: &str, new: &str) -> ChangeKind {
    let part = |s: &'_ str, i: usize| s.split(' ').nth(i).map(str::to_owned);
    if part(old, 0) != part(new, 0) {
        ChangeKind::Kind
    } else if part(old, 2) == part(new, 2) && !old.starts_with("link ") {
        ChangeKind::Mode
    } else {
        ChangeKind::Content
    }
}

/// "3 files changed: app/main.py, Dockerfile, 1 more": at most `most` names.
pub fn summary(changes: &[Change], most: usize) -> String {
    if changes.is_empty() {
        return "nothing changed".to_owned();
    }
    let noun = match (changes.iter().all(|c| c.in_context), changes.len()) {
        (true, 1) => "file",
        (true, _) => "files",
        (false, 1) => "input",
        (false, _) => "inputs",
    };
    let mut names: Vec<String> = changes.iter().take(most.max(1)).map(ToString::to_string).collect();
    let rest = changes.len() - names.len();
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    format!("{} {noun} changed: {}", changes.len(), names.join(", "))
}
