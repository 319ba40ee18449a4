//! One pattern against one path: the four ways in which `moby/patternmatcher` compares, and its syntax check.

use super::Dialect;
use super::regex::{Regex, decode};

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Glob {
    /// Tidied, without `!`.
    cleaned: Vec<u8>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The same bytes.
    Exact,
    /// `PREFIX**`.
    Prefix,
    /// `**SUFFIX`.
    Suffix,
    /// Anything else.
    Regex(Box<Regex>),
    /// Refused when compiled.
    Never,
}

impl Glob {
    pub(super) fn new(cleaned: &[u8], dialect: Dialect) -> Result<Self, String> {
        let kind = compile(&decode(cleaned), dialect)?;
        Ok(Self { cleaned: cleaned.to_vec(), kind })
    }

    pub(super) fn never(cleaned: &[u8]) -> Self {
        Self { cleaned: cleaned.to_vec(), kind: Kind::Never }
    }

    pub(super) fn matches(&self, path: &[u8]) -> bool {
        match &self.kind {
            Kind::Exact => path == self.cleaned,
            Kind::Prefix => path.starts_with(&self.cleaned[..self.cleaned.len() - 2]),
            Kind::Suffix => {
                let suffix = &self.cleaned[2..];
                // `**/foo` means `foo` at the top too.
                path.ends_with(suffix) || suffix.strip_prefix(b"/").is_some_and(|rest| path == rest)
            }
            Kind::Regex(regex) => regex.matches(path),
            Kind::Never => false,
        }
    }

    /// The pattern without a last `/**`, then without a last `/*`.
    pub(super) fn without_last_wildcard(&self) -> &[u8] {
        let p = self.cleaned.strip_suffix(b"/**").unwrap_or(&self.cleaned);
        p.strip_suffix(b"/*").unwrap_or(p)
    }
}

/// Characters that keep an exception from being a plain prefix.
pub(super) fn is_special(b: u8, dialect: Dialect) -> bool {
    matches!(b, b'*' | b'[' | b']' | b'?' | b'^') || (b == b'\\' && dialect == Dialect::Unix)
}

/// Turns the pattern into a regular expression, noticing the three forms that need none.
fn compile(pattern: &[char], dialect: Dialect) -> Result<Kind, String> {
    // A byte order mark at the start is lost on the way to the expression (Go's text/scanner).
    let pattern = pattern.strip_prefix(&['\u{feff}']).unwrap_or(pattern);
    let mut re = String::from("^");
    let mut kind = Kind::Exact;
    let regex = || Kind::Regex(Box::default());
    let mut at = 0;
    let mut first = true;
    while let Some(&c) = pattern.get(at) {
        at += 1;
        match c {
            '*' if pattern.get(at) == Some(&'*') => {
                at += 1;
                if pattern.get(at) == Some(&'/') {
                    at += 1;
                }
                if at < pattern.len() {
                    re.push_str("(.*/)?");
                    kind = regex();
                } else if matches!(kind, Kind::Exact) {
                    kind = Kind::Prefix;
                } else {
                    re.push_str(".*");
                    kind = regex();
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                re.push_str("[^/]*");
                kind = regex();
            }
            '?' => {
                re.push_str("[^/]");
                kind = regex();
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                re.push('\\');
                re.push(c);
            }
            // On Windows every backslash was turned into `/` before.
            '\\' if dialect == Dialect::Unix => {
                re.push('\\');
                if let Some(&next) = pattern.get(at) {
                    at += 1;
                    re.push(next);
                    kind = regex();
                }
            }
            '[' | ']' => {
                re.push(c);
                kind = regex();
            }
            other => re.push(other),
        }
        first = false;
    }
    if matches!(kind, Kind::Regex(_)) {
        re.push('$');
        kind = Kind::Regex(Box::new(Regex::new(&re)?));
    }
    Ok(kind)
}

/// The syntax check that docker makes first (Go's `filepath.Match`): classes must be closed and hold whole ranges.
pub(super) fn check(pattern: &[u8], dialect: Dialect) -> Result<(), &'static str> {
    let escapes = dialect == Dialect::Unix;
    let mut rest = pattern;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b == b'\\' && escapes {
            rest = rest.get(1..).ok_or("a backslash at the end escapes nothing")?;
        } else if b == b'[' {
            rest = rest.strip_prefix(b"^").unwrap_or(rest);
            let mut ranges = 0;
            loop {
                if ranges > 0
                    && let Some(after) = rest.strip_prefix(b"]")
                {
                    rest = after;
                    break;
                }
                rest = member(rest, escapes)?;
                if let Some(after) = rest.strip_prefix(b"-") {
                    rest = member(after, escapes)?;
                }
                ranges += 1;
            }
        }
    }
    Ok(())
}

/// One character of a class; what follows it.
fn member(rest: &[u8], escapes: bool) -> Result<&[u8], &'static str> {
    const OPEN: &str = "`[` has no `]`";
    let rest = match rest.first() {
        None => return Err(OPEN),
        Some(b'-') => return Err("`-` in a class stands between two characters"),
        Some(b']') => return Err("a class holds at least one character"),
        Some(b'\\') if escapes => &rest[1..],
        Some(_) => rest,
    };
    let after = match rest.utf8_chunks().next().map(|chunk| chunk.valid().chars().next()) {
        None => return Err(OPEN),
        Some(None) => return Err("a class holds bytes that are not UTF-8"),
        Some(Some(c)) => &rest[c.len_utf8()..],
    };
    if after.is_empty() { Err(OPEN) } else { Ok(after) }
}
