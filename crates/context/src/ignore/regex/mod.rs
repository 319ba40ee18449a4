//! The part of Go's regular expressions that a pattern can turn into, matched in time linear in the path.
//!
//! A crate for regular expressions would be most of this crate's build time, and would read classes differently from Go.

mod parse;

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
        let ops = parse::parse(text)?;
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
