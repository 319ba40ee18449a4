//! The stat cache: content digests kept from run to run, never trusted wrongly.
//!
//! An entry is used only when
//! 1. size, modification time, change time, inode and mode are what they were when the content was hashed (what the system
//!    has of them; content can't be written without the change time moving, and no program can set that one), and
//! 2. the file was already *settled* then: its later time lies more than [`MARGIN`] before the moment at which the run that
//!    hashed it began to look. A file younger than that may be written again within one tick of the file system's clock and
//!    look the same ("racily clean" in git's words), so it is hashed again in each run until it has settled.
//!
//! The moment is taken from the wall clock before the first look, less the lag of the cache's own file system where that clock
//! is behind. A file is looked at again after hashing, and hashed again if it moved meanwhile.
//!
//! The file is a cache and nothing else: a missing, damaged or foreign one is an empty one. Limits: a program that writes
//! through a memory map can leave both times behind for as long as the system takes to write back (git has the same limit), and
//! on Windows, which gives no change time here, a program that restores size and modification time after a write goes unseen.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::Visitor;
use serde::{Deserialize, Serialize};

use crate::manifest::{Sum, hex};
use crate::stat::{Nanos, Stat, nanos};

/// How much older than the look a file has to be, in nanoseconds: the coarsest clock of a common file system (FAT) ticks every
/// two seconds.
pub(crate) const MARGIN: Nanos = 2_000_000_000;

/// Another number, another format: an older file is an empty one.
const FORMAT: u32 = 1;

/// One file: size, mtime, ctime, inode, mode, digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row(u64, Nanos, Nanos, u64, u32, Hex);

/// The files of one context.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Root {
    /// When the run that wrote the unsettled rows began to look.
    looked: Nanos,
    files: HashMap<String, Row>,
    /// Written by this process, so that `looked` does not count the file system's lag yet.
    #[serde(skip)]
    fresh: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    format: u32,
    roots: HashMap<String, Root>,
}

/// Content digests by path; see the module's documentation for when one is used.
#[derive(Debug, Default)]
pub struct StatCache {
    path: Option<PathBuf>,
    document: Document,
    changed: bool,
    ignored: Option<String>,
}

impl StatCache {
    /// A cache that is never written.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Reads the cache at `path`. Whatever is wrong with it makes it an empty one; [`StatCache::ignored`] tells what.
    pub fn load(path: &Path) -> Self {
        let empty = Self { path: Some(path.to_owned()), ..Self::default() };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return empty,
            Err(e) => return Self { ignored: Some(e.to_string()), ..empty },
        };
        match serde_json::from_slice::<Document>(&bytes) {
            Ok(document) if document.format == FORMAT => Self { document, ..empty },
            Ok(document) => Self { ignored: Some(format!("format {} is not {FORMAT}", document.format)), ..empty },
            Err(e) => Self { ignored: Some(e.to_string()), ..empty },
        }
    }

    /// Why the file at the path was not used, if it was there.
    pub fn ignored(&self) -> Option<&str> {
        self.ignored.as_deref()
    }

    /// Writes the cache, if anything changed: to a new file that then takes the old one's place.
    pub fn save(&mut self) -> io::Result<()> {
        let Some(path) = self.path.clone().filter(|_| self.changed) else { return Ok(()) };
        let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned);
        std::fs::create_dir_all(&dir)?;
        let fresh = dir.join(format!(".{}.{}", path.file_name().unwrap_or_default().to_string_lossy(), std::process::id()));
        let written = self.write(&fresh).and_then(|()| std::fs::rename(&fresh, &path));
        if written.is_err() {
            // The half-written file is of no use to anybody; the error that matters is the first one.
            drop(std::fs::remove_file(&fresh));
        }
        written?;
        self.changed = false;
        Ok(())
    }

    fn write(&mut self, fresh: &Path) -> io::Result<()> {
        let mut file = std::fs::File::create(fresh)?;
        let lag = nanos(SystemTime::now()).saturating_sub(nanos(file.metadata()?.modified()?)).max(0);
        for root in self.document.roots.values_mut().filter(|r| r.fresh) {
            root.looked = root.looked.saturating_sub(lag);
            root.fresh = false;
        }
        self.document.format = FORMAT;
        let bytes = serde_json::to_vec(&self.document)?;
        file.write_all(&bytes)?;
        file.sync_all()
    }

    /// Takes the rows of one context out of the cache; [`StatCache::put`] gives them back.
    pub(crate) fn take(&mut self, root: &str) -> Root {
        self.document.roots.remove(root).unwrap_or_default()
    }

    pub(crate) fn put(&mut self, root: String, rows: Root, changed: bool) {
        self.changed |= changed;
        self.document.roots.insert(root, rows);
    }
}

impl Root {
    pub(crate) fn new(looked: Nanos, capacity: usize) -> Self {
        Self { looked, files: HashMap::with_capacity(capacity), fresh: true }
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// The digest of a file that has not changed since, if that is certain.
    pub(crate) fn known(&self, path: &str, now: &Stat) -> Option<Sum> {
        let row = self.files.get(path)?;
        let then = Stat { size: row.0, mtime: row.1, ctime: row.2, inode: row.3, mode: row.4 };
        let settled = then.mtime.max(then.ctime).saturating_add(MARGIN) < self.looked;
        (then == *now && settled).then_some(row.5.0)
    }

    pub(crate) fn set(&mut self, path: String, stat: &Stat, sum: &Sum) {
        self.files.insert(path, Row(stat.size, stat.mtime, stat.ctime, stat.inode, stat.mode, Hex(*sum)));
    }
}

/// A digest, in hexadecimal in the file.
#[derive(Clone, Copy, Debug)]
struct Hex(Sum);

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Hex;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hex, E> {
                sum(text).map(Hex).ok_or_else(|| E::custom("not 64 hexadecimal digits"))
            }
        }
        // Read in place: a string per file would be a third of the time.
        from.deserialize_str(Digits)
    }
}

/// The digest behind its hexadecimal form.
fn sum(text: &str) -> Option<Sum> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? * 16 + digit(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    fn stat(mtime: Nanos, ctime: Nanos) -> Stat {
        Stat { size: 3, mtime, ctime, inode: 7, mode: 0o644 }
    }

    #[test]
    fn only_what_had_settled_is_trusted() {
        let looked = 1000 * SECOND;
        let settled = looked - MARGIN - 1;
        for (mtime, ctime, trusted) in [
            (settled, settled, true),
            (0, settled, true),
            (settled + 1, settled, false),
            (settled, settled + 1, false),
            (looked, 0, false),
            (looked + 3600 * SECOND, settled, false),
            (Nanos::MAX, settled, false),
        ] {
            let mut root = Root::new(looked, 1);
            root.set("a".to_owned(), &stat(mtime, ctime), &[1; 32]);
            assert_eq!(root.known("a", &stat(mtime, ctime)).is_some(), trusted, "{mtime} {ctime}");
        }
    }

    #[test]
    fn everything_must_be_as_it_was() {
        let then = stat(1, 2);
        let mut root = Root::new(1000 * SECOND, 1);
        root.set("a".to_owned(), &then, &[1; 32]);
        assert_eq!(root.known("a", &then), Some([1; 32]));
        assert_eq!(root.known("b", &then), None);
        for now in [
            Stat { size: 4, ..then },
            Stat { mtime: 0, ..then },
            Stat { ctime: 3, ..then },
            Stat { inode: 8, ..then },
            Stat { mode: 0o755, ..then },
        ] {
            assert_eq!(root.known("a", &now), None, "{now:?}");
        }
    }

    #[test]
    fn digests_in_hexadecimal() {
        let digest: Sum = std::array::from_fn(|i| u8::try_from(i * 8).unwrap());
        assert_eq!(sum(&hex(&digest)), Some(digest));
        assert_eq!(sum("00"), None);
        assert_eq!(sum(&"g".repeat(64)), None);
    }
}
