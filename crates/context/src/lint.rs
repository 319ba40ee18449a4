//! COPY and ADD of files that are not sent: known before a build is started, and with the line that is to blame.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::dockerfile::{parse, stages};
use crate::error::Problem;
use crate::ignore::{self, Dialect, Matcher};
use crate::manifest::Content;
use crate::{BuildInputs, ContextDigest};

/// A source of a COPY or ADD that the build will not find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSource {
    /// The line of the instruction, counted from 1.
    pub line: usize,
    /// The source, as written once variables are replaced.
    pub copied: String,
    /// Why it is missing.
    pub why: Why,
}

/// Why a source is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The context has no such path. Sent paths that end in the same name may be what is meant.
    NotThere {
        /// At most three.
        similar: Vec<String>,
    },
    /// It is there, but the ignore file leaves it out.
    LeftOut {
        /// The ignore file.
        file: PathBuf,
        /// The line of its pattern, counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
    },
}

/// Sources of COPY and ADD that are certain to be missing when the stages for the inputs' target are built. Sources with
/// wildcards, with unknown variables, from other stages, from the network, or behind a symbolic link are not judged.
pub fn missing_sources(inputs: &BuildInputs, digest: &ContextDigest) -> Result<Vec<MissingSource>, Problem> {
    let text = crate::read_dockerfile(&inputs.dockerfile)?;
    let parsed = parse::parse(&String::from_utf8_lossy(&text));
    let sent: BTreeSet<&[u8]> = digest.entries.iter().map(|e| e.path.as_slice()).collect();
    let links: BTreeSet<&[u8]> =
        digest.entries.iter().filter(|e| matches!(e.content, Content::Symlink { .. })).map(|e| e.path.as_slice()).collect();
    let mut missing = Vec::new();
    for (line, source) in stages(&parsed, &inputs.args, inputs.target.as_deref()).into_iter().flat_map(|stage| stage.sources) {
        if source.contains(['*', '?', '[', '\\']) || is_remote(&source) {
            continue;
        }
        let path = ignore::clean_path(&[b"/", source.as_bytes()].concat());
        let path = &path[1..];
        let behind_link = path.iter().enumerate().any(|(i, b)| *b == b'/' && links.contains(&path[..i]));
        if path.is_empty() || behind_link || sent.contains(path) {
            continue;
        }
        let why = left_out(inputs, path).unwrap_or_else(|| Why::NotThere { similar: similar(path, digest) });
        missing.push(MissingSource { line, copied: source, why });
    }
    Ok(missing)
}

fn is_remote(source: &str) -> bool {
    source.contains("://") || source.starts_with("git@")
}

/// The pattern that keeps an existing path back.
fn left_out(inputs: &BuildInputs, path: &[u8]) -> Option<Why> {
    let relative = std::str::from_utf8(path).ok()?;
    std::fs::symlink_metadata(inputs.context.join(relative)).ok()?;
    let file = ignore::find(&inputs.context, &inputs.dockerfile).ok()?;
    let (line, pattern) = Matcher::new(&file, Dialect::native()).ok()?.decider(path)?;
    Some(Why::LeftOut { file: file.path, line, pattern })
}

/// Sent paths with the same last name.
fn similar(path: &[u8], digest: &ContextDigest) -> Vec<String> {
    let name = |path: &[u8]| path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_ascii_lowercase();
    let wanted = name(path);
    digest.entries.iter().filter(|e| name(&e.path) == wanted).take(3).map(|e| e.shown().into_owned()).collect()
}
