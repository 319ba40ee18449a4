//! Patterns as docker tidies them before it compares anything: twice, first when it reads the file, then for the matcher.

use super::Dialect;

/// The shortest path that says the same: no empty names, no `.`, `..` taken back where it can be. `/` separates.
pub(crate) fn path(p: &[u8]) -> Vec<u8> {
    let rooted = p.first() == Some(&b'/');
    let mut names: Vec<&[u8]> = Vec::new();
    for name in p.split(|b| *b == b'/') {
        match name {
            b"" | b"." => {}
            b".." if names.last().is_some_and(|last| *last != b"..") => {
                names.pop();
            }
            b".." if rooted => {}
            other => names.push(other),
        }
    }
    let joined = names.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// Without white space (as Unicode sees it) at both ends; bytes that are not UTF-8 are no white space.
pub(super) fn trim(p: &[u8]) -> &[u8] {
    let mut p = p;
    while let Some(c) = first_char(p).filter(|c| c.is_whitespace()) {
        p = &p[c.len_utf8()..];
    }
    while let Some(c) = last_char(p).filter(|c| c.is_whitespace()) {
        p = &p[..p.len() - c.len_utf8()];
    }
    p
}

fn first_char(p: &[u8]) -> Option<char> {
    p.utf8_chunks().next()?.valid().chars().next()
}

fn last_char(p: &[u8]) -> Option<char> {
    let tail = &p[p.len().saturating_sub(4)..];
    let last = tail.utf8_chunks().last()?;
    if last.invalid().is_empty() { last.valid().chars().next_back() } else { None }
}

/// One line of the file as a pattern, or nothing for a blank line or a comment.
pub(super) fn line(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() == Some(&b'#') {
        return None;
    }
    let text = trim(text);
    let (mark, body) = match text.split_first()? {
        (b'!', rest) => (&b"!"[..], trim(rest)),
        _ => (&b""[..], text),
    };
    if body.is_empty() {
        return Some(mark.to_vec());
    }
    let cleaned = path(body);
    let relative = if cleaned.len() > 1 { cleaned.strip_prefix(b"/").unwrap_or(&cleaned) } else { &cleaned };
    Some([mark, relative].concat())
}

/// A pattern of [`line`] as the matcher tidies it once more; on Windows with `/` for every separator.
pub(super) fn matcher(pattern: &[u8], dialect: Dialect) -> Option<Vec<u8>> {
    let trimmed = trim(pattern);
    if trimmed.is_empty() {
        return None;
    }
    Some(match dialect {
        Dialect::Unix => path(trimmed),
        Dialect::Windows => path(&trimmed.iter().map(|b| if *b == b'\\' { b'/' } else { *b }).collect::<Vec<_>>()),
    })
}
