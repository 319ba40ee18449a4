//! The ignore file of a build: which one docker reads, and its lines.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::clean;
use super::regex::decode;
use crate::error::Problem;

/// Docker gives up on a longer line (Go's `bufio.MaxScanTokenSize`, bytes).
const LONGEST_LINE: usize = 64 * 1024;

/// An ignore file and its patterns.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IgnoreFile {
    /// Where it was read; empty when there is none.
    pub(crate) path: PathBuf,
    /// Line number, counted from 1, and the pattern with its `!`, as UTF-8.
    pub(crate) patterns: Vec<(usize, Vec<u8>)>,
}

/// Reads `<dockerfile>.dockerignore` beside the Dockerfile if it is there (even empty), else `.dockerignore` in the context.
pub(crate) fn find(context: &Path, dockerfile: &Path) -> Result<IgnoreFile, Problem> {
    let own = dockerfile.file_name().map(|name| {
        let mut name = OsString::from(name);
        name.push(".dockerignore");
        dockerfile.with_file_name(name)
    });
    for path in own.into_iter().chain([context.join(".dockerignore")]) {
        match std::fs::read(&path) {
            Ok(bytes) => return parse(path, &bytes),
            // A folder of that name is passed over, as docker does.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) => {}
            Err(_) if path.is_dir() => {}
            Err(e) => return Err(Problem::Unreadable { path, reason: e.to_string() }),
        }
    }
    Ok(IgnoreFile::default())
}

/// The patterns of `bytes`: a byte order mark is dropped, `\r\n` ends a line as `\n` does.
pub(crate) fn parse(path: PathBuf, bytes: &[u8]) -> Result<IgnoreFile, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut patterns = Vec::new();
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.len() >= LONGEST_LINE {
            let reason = format!("line {} is longer than 64 KiB, which docker does not read", i + 1);
            return Err(Problem::Unreadable { path, reason });
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(pattern) = clean::line(line) {
            // Patterns travel as JSON, which holds UTF-8 only.
            let sent: String = decode(&pattern).into_iter().collect();
            patterns.push((i + 1, sent.into_bytes()));
        }
    }
    Ok(IgnoreFile { path, patterns })
}
