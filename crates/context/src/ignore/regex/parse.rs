//! Text to ops: Go's syntax, as far as a pattern can turn into it.

use super::{Op, Set};

/// The ops of an expression. The error says what Go refuses.
pub(super) fn parse(text: &str) -> Result<Vec<Op>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Parser { text: &chars, at: 0, ops: Vec::new() };
    parser.sequence()?;
    Ok(parser.ops)
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
    ops: Vec<Op>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    /// Up to the end, or to the `)` of a group.
    fn sequence(&mut self) -> Result<(), String> {
        while let Some(c) = self.peek().filter(|c| *c != ')') {
            let start = self.ops.len();
            self.at += 1;
            match c {
                '^' => self.ops.push(Op::Begin),
                '$' => self.ops.push(Op::End),
                '.' => self.ops.push(Op::One(Set::Dot)),
                '[' => {
                    let set = self.class()?;
                    self.ops.push(Op::One(set));
                }
                '(' => {
                    self.sequence()?;
                    if !self.eat(')') {
                        return Err("docker can't read it as an expression: a group is open".to_owned());
                    }
                }
                '\\' => self.escape()?,
                other => self.ops.push(Op::One(Set::Char(other))),
            }
            self.quantifier(start);
        }
        Ok(())
    }

    fn quantifier(&mut self, start: usize) {
        // `start` never holds a jump target behind it, so that ops can be moved by one.
        if self.eat('*') {
            let moved = self.ops.split_off(start);
            let end = start + moved.len() + 2;
            self.ops.push(Op::Split(start + 1, end));
            self.ops.extend(moved.into_iter().map(shift));
            self.ops.push(Op::Jump(start));
        } else if self.eat('?') {
            let moved = self.ops.split_off(start);
            let end = start + moved.len() + 1;
            self.ops.push(Op::Split(start + 1, end));
            self.ops.extend(moved.into_iter().map(shift));
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.peek() {
            Some('A') => self.ops.push(Op::Begin),
            Some('z') => self.ops.push(Op::End),
            Some(c @ ('b' | 'B')) => self.ops.push(Op::WordEdge(c == 'b')),
            _ => {
                let set = if let Some((negated, ranges)) = self.named_escape() {
                    Set::Class { negated, ranges }
                } else {
                    Set::Char(self.char_escape()?)
                };
                self.ops.push(Op::One(set));
                return Ok(());
            }
        }
        self.at += 1;
        Ok(())
    }

    /// `\d`, `\s`, `\w` and their opposites.
    fn named_escape(&mut self) -> Option<(bool, Vec<(char, char)>)> {
        let c = self.peek()?;
        let ranges = match c.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            's' => vec![('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
            'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            _ => return None,
        };
        self.at += 1;
        Some((c.is_ascii_uppercase(), ranges))
    }

    /// The character behind a backslash.
    fn char_escape(&mut self) -> Result<char, String> {
        let Some(c) = self.peek() else {
            return Err("a backslash at the end escapes nothing".to_owned());
        };
        self.at += 1;
        let digit = |p: &Self, base| p.peek().and_then(|c| c.to_digit(base));
        let code = match c {
            'a' => 7,
            'f' => 12,
            't' => 9,
            'n' => 10,
            'r' => 13,
            'v' => 11,
            'x' => {
                let mut code = 0;
                for _ in 0..2 {
                    let Some(d) = digit(self, 16) else { return Err(unknown_escape(c)) };
                    code = code * 16 + d;
                    self.at += 1;
                }
                code
            }
            '0'..='7' if c == '0' || digit(self, 8).is_some() => {
                let mut code = c as u32 - '0' as u32;
                for _ in 0..2 {
                    let Some(d) = digit(self, 8) else { break };
                    code = code * 8 + d;
                    self.at += 1;
                }
                code
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c as u32,
            _ => return Err(unknown_escape(c)),
        };
        char::from_u32(code).ok_or_else(|| unknown_escape(c))
    }

    /// What follows `[`.
    fn class(&mut self) -> Result<Set, String> {
        let negated = self.eat('^');
        let mut ranges = Vec::new();
        let mut first = true;
        while first || self.peek() != Some(']') {
            first = false;
            if self.posix(&mut ranges)? {
                continue;
            }
            let lo = self.class_char(&mut ranges)?;
            let Some(lo) = lo else { continue };
            let mut hi = lo;
            if self.peek() == Some('-') && self.text.get(self.at + 1).is_some_and(|c| *c != ']') {
                self.at += 1;
                hi = if self.eat('\\') {
                    self.char_escape()?
                } else {
                    let c = self.peek().ok_or("`[` has no `]`")?;
                    self.at += 1;
                    c
                };
                if hi < lo {
                    return Err(format!("the range `{lo}-{hi}` runs backwards"));
                }
            }
            ranges.push((lo, hi));
        }
        self.at += 1;
        Ok(Set::Class { negated, ranges })
    }

    /// One character, or nothing when a set such as `\d` was added instead.
    fn class_char(&mut self, ranges: &mut Vec<(char, char)>) -> Result<Option<char>, String> {
        let Some(c) = self.peek() else { return Err("`[` has no `]` for docker".to_owned()) };
        self.at += 1;
        if c != '\\' {
            return Ok(Some(c));
        }
        match self.named_escape() {
            Some((false, set)) => ranges.extend(set),
            Some((true, set)) => ranges.extend(all_but(set)),
            None => return self.char_escape().map(Some),
        }
        Ok(None)
    }

    /// `[:alpha:]` and the like.
    fn posix(&mut self, ranges: &mut Vec<(char, char)>) -> Result<bool, String> {
        let rest = &self.text[self.at..];
        if !rest.starts_with(&['[', ':']) || rest.len() <= 2 {
            return Ok(false);
        }
        let Some(end) = rest[2..].windows(2).position(|w| w == [':', ']']) else { return Ok(false) };
        let name: String = rest[2..2 + end].iter().collect();
        let (negated, bare) = name.strip_prefix('^').map_or((false, name.as_str()), |bare| (true, bare));
        let set: &[(char, char)] = match bare {
            "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => &[('A', 'Z'), ('a', 'z')],
            "ascii" => &[('\0', '\x7f')],
            "blank" => &[('\t', '\t'), (' ', ' ')],
            "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
            "digit" => &[('0', '9')],
            "graph" => &[('!', '~')],
            "lower" => &[('a', 'z')],
            "print" => &[(' ', '~')],
            "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => &[('\t', '\r'), (' ', ' ')],
            "upper" => &[('A', 'Z')],
            "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => return Err(format!("there is no class `[:{name}:]`")),
        };
        self.at += end + 4;
        if negated {
            ranges.extend(all_but(set.to_vec()));
        } else {
            ranges.extend(set);
        }
        Ok(true)
    }
}

/// An op of a piece that moved by one place.
fn shift(op: Op) -> Op {
    match op {
        Op::Split(a, b) => Op::Split(a + 1, b + 1),
        Op::Jump(to) => Op::Jump(to + 1),
        other => other,
    }
}

/// The other characters; `set` is sorted.
fn all_but(set: Vec<(char, char)>) -> Vec<(char, char)> {
    let mut out = Vec::new();
    let mut from = Some('\0');
    for (lo, hi) in set {
        if let Some(start) = from
            && let Some(end) = before(lo)
            && start <= end
        {
            out.push((start, end));
        }
        from = char::from_u32(hi as u32 + 1);
    }
    out.extend(from.map(|start| (start, char::MAX)));
    out
}

/// The character before an ASCII one.
fn before(c: char) -> Option<char> {
    (c as u32).checked_sub(1).and_then(char::from_u32)
}

fn unknown_escape(c: char) -> String {
    if matches!(c, 'p' | 'P' | 'Q') {
        return format!("`\\{c}` begins a Unicode class or a quotation to docker, which this tool does not follow");
    }
    format!("docker knows no escape `\\{c}`")
}
