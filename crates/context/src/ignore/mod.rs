//! `.dockerignore`: which file is read, what its lines mean, and which paths they leave out.
//!
//! The rules are those of `moby/patternmatcher` and of the walk that sends a context (`tonistiigi/fsutil`), as the property
//! test against a real docker shows them; where those two have a quirk, it is kept, because an image shows it.

mod clean;
mod file;
mod glob;
mod regex;

use crate::error::Problem;
pub(crate) use clean::path as clean_path;
pub(crate) use file::{IgnoreFile, find};
use glob::Glob;

/// How the machine that runs `docker build` reads a backslash in a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Linux, macOS: a backslash takes the meaning from the next character.
    Unix,
    /// Windows: a backslash is a path separator.
    Windows,
}

impl Dialect {
    /// The dialect of this machine.
    pub const fn native() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }
}

/// One pattern, with the line it stands on.
#[derive(Debug)]
struct Pattern {
    line: usize,
    /// As written.
    text: String,
    /// `!`: sends again what an earlier pattern left out.
    exception: bool,
    glob: Glob,
    /// Set when docker refuses the pattern, but only once it is asked for a path.
    broken: Option<String>,
}

/// The compiled patterns of one ignore file, in their order.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    patterns: Vec<Pattern>,
    /// There is an exception.
    exceptions: bool,
    /// No exception holds a wildcard (apart from a last `/*` or `/**`): then a folder that is left out need only be entered
    /// when an exception begins with its path.
    prunable: bool,
}

/// Which patterns a folder met; its content inherits them. Docker answers twice, in two ways that can differ.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met {
    /// As the walk sees it: a pattern that could not change the answer is not tried, and counts as not met.
    walk: Vec<bool>,
    /// As opening a file sees it: every pattern is tried on the path and on each of its parents. Filled where exceptions exist.
    open: Vec<bool>,
}

/// What happens to one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The walk passes it over.
    pub(crate) left_out: bool,
    /// The walk announces it, but opening it is refused: a file arrives empty.
    pub(crate) opens_empty: bool,
}

impl Matcher {
    /// Compiles the patterns of `file`; the error holds every pattern that docker would refuse.
    pub(crate) fn new(file: &IgnoreFile, dialect: Dialect) -> Result<Self, Vec<Problem>> {
        let mut patterns = Vec::new();
        let mut problems = Vec::new();
        for (line, text) in &file.patterns {
            let shown = String::from_utf8_lossy(text).into_owned();
            let refuse = |reason: &str, instead: String| Problem::BadPattern {
                file: file.path.clone(),
                line: *line,
                pattern: shown.clone(),
                reason: reason.to_owned(),
                instead,
            };
            let Some(cleaned) = clean::matcher(text, dialect) else { continue };
            let exception = cleaned.first() == Some(&b'!');
            let body = if exception { &cleaned[1..] } else { &cleaned[..] };
            if body.is_empty() {
                problems.push(refuse("`!` names nothing", "`!PATH`, or take the line out".to_owned()));
                continue;
            }
            if let Err(reason) = glob::check(body, dialect) {
                problems.push(refuse(reason, instead(body, dialect)));
                continue;
            }
            let (glob, broken) = match Glob::new(body, dialect) {
                Ok(glob) => (glob, None),
                Err(reason) => (Glob::never(body), Some(reason)),
            };
            patterns.push(Pattern { line: *line, text: shown, exception, glob, broken });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let wild = |p: &Pattern| p.glob.without_last_wildcard().iter().any(|b| glob::is_special(*b, dialect));
        let prunable = !patterns.iter().any(|p| p.exception && wild(p));
        let exceptions = patterns.iter().any(|p| p.exception);
        Ok(Self { patterns, exceptions, prunable })
    }

    /// What happens to `path` (relative, `/` between names), given what its folder met. Fills `met` for a folder's content.
    ///
    /// The last pattern that matches wins.
    pub(crate) fn verdict(&self, path: &[u8], parent: &Met, mut met: Option<&mut Met>) -> Result<Verdict, Refused> {
        let inherited = |list: &[bool], i: usize| list.get(i).copied().unwrap_or(false);
        let (mut walk, mut open) = (false, false);
        for (i, p) in self.patterns.iter().enumerate() {
            let mut matched = None;
            let mut hit = inherited(&parent.walk, i);
            if !hit && p.exception == walk {
                hit = p.matches(path)?;
                matched = Some(hit);
            }
            if let Some(met) = met.as_deref_mut() {
                met.walk.push(hit);
            }
            if hit {
                walk = !p.exception;
            }
            if self.exceptions {
                // A folder's content needs to know of every pattern; for a file only those matter that can change the answer.
                let asked = met.is_some() || p.exception == open;
                let hit = inherited(&parent.open, i) || (asked && matched.unwrap_or_else(|| p.matches(path).unwrap_or(false)));
                if let Some(met) = met.as_deref_mut() {
                    met.open.push(hit);
                }
                if hit {
                    open = !p.exception;
                }
            }
        }
        Ok(Verdict { left_out: walk, opens_empty: self.exceptions && open && !walk })
    }

    /// May docker skip the content of the folder `path`, which is left out?
    pub(crate) fn prunes(&self, path: &[u8]) -> bool {
        if !self.prunable {
            return false;
        }
        let begins_with_folder = |p: &Pattern| {
            let pattern = p.glob.without_last_wildcard();
            pattern == path || (pattern.starts_with(path) && pattern.get(path.len()) == Some(&b'/'))
        };
        !self.patterns.iter().any(|p| p.exception && begins_with_folder(p))
    }

    /// The line and the text of the pattern that leaves `path` or a folder above it out.
    pub(crate) fn decider(&self, path: &[u8]) -> Option<(usize, String)> {
        let mut decider: Option<&Pattern> = None;
        for p in self.patterns.iter().filter(|p| p.broken.is_none()) {
            let parents = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(end, _)| &path[..end]);
            if parents.chain([path]).any(|part| p.glob.matches(part)) {
                decider = if p.exception { None } else { decider.or(Some(p)) };
            }
        }
        decider.map(|p| (p.line, p.text.clone()))
    }

    /// The problem behind a refusal, for the ignore file it came from.
    pub(crate) fn problem(&self, refused: &Refused, file: &IgnoreFile) -> Option<Problem> {
        let p = self.patterns.iter().find(|p| p.line == refused.line)?;
        Some(Problem::BadPattern {
            file: file.path.clone(),
            line: p.line,
            pattern: p.text.clone(),
            reason: p.broken.clone()?,
            instead: instead(p.text.as_bytes(), Dialect::native()),
        })
    }
}

impl Pattern {
    fn matches(&self, path: &[u8]) -> Result<bool, Refused> {
        if self.broken.is_some() {
            return Err(Refused { line: self.line });
        }
        Ok(self.glob.matches(path))
    }
}

/// A pattern that docker refuses when it is first needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    line: usize,
}

/// What to write for a pattern that docker refuses.
fn instead(body: &[u8], dialect: Dialect) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.strip_prefix('!').unwrap_or(&text);
    if dialect == Dialect::Unix && text.contains('\\') {
        return format!("`{}`, with `/` between names", text.trim_end_matches('\\').replace('\\', "/"));
    }
    if dialect == Dialect::Unix && text.contains('[') {
        return format!("`{}` if the brackets belong to the name", text.replace('[', "\\[").replace(']', "\\]"));
    }
    format!("`{}`, where `?` is any one character", text.replace(['[', ']'], "?"))
}

#[cfg(test)]
mod tests;
