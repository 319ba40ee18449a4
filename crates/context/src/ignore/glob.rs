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

/// The syntax check that docker makes first: Go's `filepath.Match(pattern, ".")`, asked for its error only. It stops where the
/// match fails, so that a mistake behind a first `*` is often not seen.
pub(super) fn check(pattern: &[u8], dialect: Dialect) -> Result<(), &'static str> {
    let escapes = dialect == Dialect::Unix;
    let mut name: &[u8] = b".";
    let mut rest = pattern;
    while !rest.is_empty() {
        let stars = rest.iter().take_while(|b| **b == b'*').count();
        let (chunk, after) = rest[stars..].split_at(chunk_end(&rest[stars..], escapes));
        rest = after;
        if chunk.is_empty() {
            return Ok(());
        }
        let fits = |left: &[u8]| left.is_empty() || !after.is_empty();
        let mut matched = chunk_matches(chunk, name, escapes)?.filter(|left| fits(left));
        if matched.is_none() && stars > 0 && !name.is_empty() {
            matched = chunk_matches(chunk, &name[1..], escapes)?.filter(|left| fits(left));
        }
        let Some(left) = matched else { return Ok(()) };
        name = left;
    }
    Ok(())
}

/// Where the next `*` outside of a class is.
fn chunk_end(pattern: &[u8], escapes: bool) -> usize {
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if escapes => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => return at,
            _ => {}
        }
        at += 1;
    }
    pattern.len()
}

/// What `chunk`, which has no `*`, leaves of `name`; nothing when it does not match. Its syntax is read to the end either way.
fn chunk_matches<'n>(mut chunk: &[u8], mut name: &'n [u8], escapes: bool) -> Result<Option<&'n [u8]>, &'static str> {
    let mut failed = false;
    while let Some((&b, rest)) = chunk.split_first() {
        let c = name.first().copied();
        failed = failed || c.is_none();
        name = name.get(1..).unwrap_or_default();
        match b {
            b'[' => {
                let (after, hit) = class(rest, c, escapes)?;
                failed = failed || !hit;
                chunk = after;
            }
            // The name is `.`, never a separator.
            b'?' => chunk = rest,
            b'\\' if escapes => {
                let (next, after) = rest.split_first().ok_or("a backslash at the end escapes nothing")?;
                failed = failed || c != Some(*next);
                chunk = after;
            }
            literal => {
                failed = failed || c != Some(literal);
                chunk = rest;
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// A class behind its `[`: what follows it, and whether it holds `c`.
fn class(rest: &[u8], c: Option<u8>, escapes: bool) -> Result<(&[u8], bool), &'static str> {
    let (mut rest, negated) = rest.strip_prefix(b"^").map_or((rest, false), |rest| (rest, true));
    let mut hit = false;
    let mut empty = true;
    loop {
        if !empty && let Some(after) = rest.strip_prefix(b"]") {
            return Ok((after, hit != negated));
        }
        let (lo, after) = member(rest, escapes)?;
        let (hi, after) = match after.strip_prefix(b"-") {
            Some(after) => member(after, escapes)?,
            None => (lo, after),
        };
        hit = hit || c.is_some_and(|c| (lo..=hi).contains(&char::from(c)));
        empty = false;
        rest = after;
    }
}

/// One character of a class, and what follows it.
fn member(rest: &[u8], escapes: bool) -> Result<(char, &[u8]), &'static str> {
    const OPEN: &str = "`[` has no `]`";
    let rest = match rest.first() {
        None => return Err(OPEN),
        Some(b'-') => return Err("`-` in a class stands between two characters"),
        Some(b']') => return Err("a class holds at least one character, and a range two"),
        Some(b'\\') if escapes => &rest[1..],
        Some(_) => rest,
    };
    // Patterns are UTF-8 by now.
    let c = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()).ok_or(OPEN)?;
    let after = &rest[c.len_utf8()..];
    if after.is_empty() { Err(OPEN) } else { Ok((c, after)) }
}
