//! The part of Go's regular expressions that a pattern can turn into, matched in time linear in the path.
//!
//! A crate for regular expressions would be most of this crate's build time, and would read classes differently from Go.

/// Text as Go reads it: each byte that is not UTF-8 becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> Vec<char> {
    let mut out = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.extend(chunk.valid().chars());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

#[derive(Clone, Debug)]
enum Op {
    /// One character of a set.
    One(Set),
    /// Go on at both.
    Split(usize, usize),
    Jump(usize),
    Begin,
    End,
    /// `\b`, or `\B` when false.
    WordEdge(bool),
}

#[derive(Clone, Debug)]
enum Set {
    Char(char),
    /// `.`: all but a line feed.
    Dot,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Set {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Dot => c != '\n',
            Self::Class { negated, ranges } => ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&c)) != *negated,
        }
    }
}

/// A compiled expression, with plain texts that decide most paths at once.
#[derive(Debug, Default)]
pub(super) struct Regex {
    ops: Vec<Op>,
    /// Every match begins so.
    head: Vec<u8>,
    /// Every match ends so.
    tail: Vec<u8>,
    /// Every match holds this.
    inside: Vec<u8>,
}

impl Regex {
    /// Compiles `^…$`. The error says what Go refuses.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let chars: Vec<char> = text.chars().collect();
        let mut parser = Parser { text: &chars, at: 0, ops: Vec::new() };
        parser.sequence()?;
        let ops = parser.ops;
        let runs = literal_runs(&ops);
        let utf8 = |run: &[char]| run.iter().collect::<String>().into_bytes();
        // The first op is `^` and the last is `$`; a literal that is not plain UTF-8 can't be looked for in bytes.
        let plain: Vec<&(usize, Vec<char>)> =
            runs.iter().filter(|(_, run)| !run.contains(&char::REPLACEMENT_CHARACTER)).collect();
        let head = plain.iter().find(|(start, _)| *start == 1).map(|(_, run)| utf8(run)).unwrap_or_default();
        let tail =
            plain.iter().find(|(start, run)| start + run.len() + 1 == ops.len()).map(|(_, run)| utf8(run)).unwrap_or_default();
        let inside = plain.iter().map(|(_, run)| utf8(run)).max_by_key(Vec::len).unwrap_or_default();
        Ok(Self { ops, head, tail, inside })
    }

    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let holds = |needle: &[u8]| needle.is_empty() || path.windows(needle.len()).any(|w| w == needle);
        path.starts_with(&self.head) && path.ends_with(&self.tail) && holds(&self.inside) && self.run(&decode(path))
    }

    fn run(&self, text: &[char]) -> bool {
        let mut now = vec![false; self.ops.len() + 1];
        let mut next = now.clone();
        self.enter(0, text, 0, &mut now);
        for (i, c) in text.iter().enumerate() {
            next.fill(false);
            for (at, op) in self.ops.iter().enumerate() {
                if now[at]
                    && let Op::One(set) = op
                    && set.has(*c)
                {
                    self.enter(at + 1, text, i + 1, &mut next);
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
        now[self.ops.len()]
    }

    /// Marks every op that can be reached from `at` without reading a character.
    fn enter(&self, at: usize, text: &[char], pos: usize, states: &mut [bool]) {
        if std::mem::replace(&mut states[at], true) {
            return;
        }
        let word = |i: Option<&char>| i.is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_');
        let pass = match self.ops.get(at) {
            None | Some(Op::One(_)) => return,
            Some(Op::Split(a, b)) => {
                self.enter(*a, text, pos, states);
                return self.enter(*b, text, pos, states);
            }
            Some(Op::Jump(to)) => return self.enter(*to, text, pos, states),
            Some(Op::Begin) => pos == 0,
            Some(Op::End) => pos == text.len(),
            Some(Op::WordEdge(wanted)) => (word(pos.checked_sub(1).and_then(|i| text.get(i))) != word(text.get(pos))) == *wanted,
        };
        if pass {
            self.enter(at + 1, text, pos, states);
        }
    }
}

/// Runs of plain characters that every match goes through: where each begins among the ops, and its text.
fn literal_runs(ops: &[Op]) -> Vec<(usize, Vec<char>)> {
    let mut runs: Vec<(usize, Vec<char>)> = Vec::new();
    let mut optional_until = 0;
    for (i, op) in ops.iter().enumerate() {
        match op {
            Op::Split(_, past) => optional_until = optional_until.max(*past),
            Op::One(Set::Char(c)) if i >= optional_until => match runs.last_mut() {
                Some((start, run)) if *start + run.len() == i => run.push(*c),
                _ => runs.push((i, vec![*c])),
            },
            _ => {}
        }
    }
    runs
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
