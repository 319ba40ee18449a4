//! `$NAME` and `${NAME…}` in a word of a Dockerfile.

use std::collections::BTreeMap;

/// Variables that are known. `None` as a value: declared, but nobody can say with what value.
pub(crate) type Scope = BTreeMap<String, Option<String>>;

/// The word with its variables replaced and its quotes taken off, or nothing when a variable is not known or the form of the
/// replacement (`${A#b}`, `${A/b/c}`) is one that this tool does not compute.
pub(crate) fn expand(word: &str, scope: &Scope, escape: char) -> Option<String> {
    Reader { text: word.chars().collect(), at: 0, escape, scope }.until(None)
}

struct Reader<'a> {
    text: Vec<char>,
    at: usize,
    escape: char,
    scope: &'a Scope,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.text.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// Up to the character `end`, which is taken, or to the end of the word.
    fn until(&mut self, end: Option<char>) -> Option<String> {
        let mut out = String::new();
        let mut quoted = false;
        while let Some(c) = self.next() {
            match c {
                c if Some(c) == end && !quoted => return Some(out),
                '\'' if !quoted => loop {
                    match self.next()? {
                        '\'' => break,
                        c => out.push(c),
                    }
                },
                '"' => quoted = !quoted,
                '$' => out.push_str(&self.variable()?),
                c if c == self.escape => match self.next() {
                    Some(next) if quoted && !matches!(next, '"' | '$') && next != self.escape => out.extend([c, next]),
                    Some(next) => out.push(next),
                    None => out.push(c),
                },
                c => out.push(c),
            }
        }
        (end.is_none() && !quoted).then_some(out)
    }

    /// What follows a `$`.
    fn variable(&mut self) -> Option<String> {
        if self.peek() != Some('{') {
            let name = self.name();
            return if name.is_empty() { Some("$".to_owned()) } else { self.value(&name) };
        }
        self.at += 1;
        let name = self.name();
        let mut operator = self.next()?;
        let colon = operator == ':';
        if colon {
            operator = self.next()?;
        }
        if operator == '}' && !colon && !name.is_empty() {
            return self.value(&name);
        }
        let word = self.until(Some('}'));
        // Declared with an unknown value, or not declared: a base image may set it.
        let value = self.scope.get(&name).cloned();
        let set = value.as_ref().map(|v| v.as_ref().map(|v| !colon || !v.is_empty()));
        match (operator, set) {
            (_, Some(None)) => None,
            ('-' | '?', Some(Some(true))) => value?,
            ('-', _) | ('+', Some(Some(true))) => word,
            ('+', _) => Some(String::new()),
            _ => None,
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
            self.at += 1;
        }
        name
    }

    fn value(&self, name: &str) -> Option<String> {
        self.scope.get(name).cloned().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let scope: Scope = [("A", Some("1")), ("E", Some("")), ("U", None)]
            .into_iter()
            .map(|(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned)))
            .collect();
        let cases = [
            ("plain", Some("plain")),
            ("x$A-y", Some("x1-y")),
            ("x${A}y", Some("x1y")),
            ("$N", None),
            ("$U", None),
            ("${A:-d}", Some("1")),
            ("${E:-d}", Some("d")),
            ("${E-d}", Some("")),
            ("${N:-d$A}", Some("d1")),
            ("${N:-${A}}", Some("1")),
            ("${A:+p}", Some("p")),
            ("${E:+p}", Some("")),
            ("${N+p}", Some("")),
            ("${U:-d}", None),
            ("${A:?m}", Some("1")),
            ("${N:?m}", None),
            ("${A#x}", None),
            ("${A", None),
            ("'$A'", Some("$A")),
            ("\"$A b\"", Some("1 b")),
            (r"\$A", Some("$A")),
            (r#""\x""#, Some(r"\x")),
            ("a$", Some("a$")),
            ("'open", None),
        ];
        for (word, expected) in cases {
            assert_eq!(expand(word, &scope, '\\').as_deref(), expected, "{word}");
        }
    }
}
