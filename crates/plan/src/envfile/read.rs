//! The text of an environment file.
//!
//! The form is what docker, dotenv and shells agree on: `[export] KEY=value`, single quotes (as it stands), double quotes
//! (with `\n`, `\r`, `\t`, `\"`, `\\`, `\$`), both over several lines, and comments. Nothing is expanded.
//! No problem ever holds a piece of a value, nor of a line that could not be read.

use crate::config::names::is_variable;
use crate::invocation::Secret;
use crate::problem::Problem;

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The key.
    pub key: String,
    /// The value, without its quotes; may be empty.
    pub value: Secret,
    /// The line where it begins, from 1.
    pub line: usize,
}

/// An environment file, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// The file as it was named, for messages.
    pub file: String,
    /// Whether it is there.
    pub exists: bool,
    /// Its assignments in order, each key once.
    pub assignments: Vec<Assignment>,
    /// Assignments that stand in comments (`#KEY=value`): in an example, what may be set.
    pub commented: Vec<Assignment>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl EnvFile {
    /// A file that is not there.
    pub fn absent(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// Reads `text`. What can't be read is in [`EnvFile::problems`]; the rest is read all the same.
    pub fn parse(text: &str, file: &str) -> Self {
        let mut this = Self { exists: true, ..Self::absent(file) };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while at < lines.len() {
            at += this.line(&lines[at..], at + 1);
        }
        this
    }

    /// The assignment of `key`, where its value is not empty: an empty one counts as none.
    pub fn get(&self, key: &str) -> Option<&Assignment> {
        self.assignments.iter().find(|one| one.key == key && !one.value.reveal().is_empty())
    }

    /// The line to name for `key`: that of its assignment, even an empty one.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.assignments.iter().find(|one| one.key == key).map(|one| one.line)
    }

    /// Reads what begins on the first of `lines`, which is line `number`; says how many lines that were.
    fn line(&mut self, lines: &[&str], number: usize) -> usize {
        let line = lines.first().copied().unwrap_or_default().trim();
        if let Some(comment) = line.strip_prefix('#') {
            self.comment(comment.trim(), number);
            return 1;
        }
        if line.is_empty() {
            return 1;
        }
        let bare = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((key, rest)) = bare.split_once('=') else {
            let instead = match bare.split_once(':') {
                Some((key, _)) if is_variable(key.trim()) && !presentable(key.trim()).is_empty() => {
                    format!("write `{}=` and the value", key.trim())
                }
                _ => "write `KEY=value`, or begin the line with `#`".to_owned(),
            };
            self.problem(number, "", "this line has no `=`", instead);
            return 1;
        };
        let key = key.trim();
        if !is_variable(key) {
            let instead = "write letters, digits and `_` before the `=`, not beginning with a digit";
            self.problem(number, "", "what stands before the `=` is not a variable name", instead);
            return 1;
        }
        let (value, used) = match value(rest.trim_start(), lines.get(1..).unwrap_or_default()) {
            Ok(found) => found,
            Err((what, instead)) => {
                self.problem(number, key, what, instead);
                (String::new(), 1)
            }
        };
        if value.contains('\0') {
            self.problem(number, key, "the value has a NUL character, which no process can be given", "remove it");
        }
        if let Some(first) = self.line_of(key) {
            self.problem(number, key, format!("it is set on line {first} already"), "remove one of the two lines");
        } else {
            self.assignments.push(Assignment { key: key.to_owned(), value: Secret::new(value), line: number });
        }
        used
    }

    /// `#KEY=value`: kept apart. Other comments are not looked at.
    fn comment(&mut self, text: &str, line: usize) {
        let Some((key, rest)) = text.split_once('=') else { return };
        if !is_variable(key) || key.chars().any(|c| c.is_ascii_lowercase()) {
            return;
        }
        if let Ok((value, _)) = value(rest.trim_start(), &[]) {
            self.commented.push(Assignment { key: key.to_owned(), value: Secret::new(value), line });
        }
    }

    fn problem(&mut self, line: usize, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.problems.push(Problem::error(&self.file, line, presentable(key), what, instead));
    }
}

/// The key where it looks like one, else nothing: a line of a secret that lost its quotes may look like `key=`.
pub(super) fn presentable(key: &str) -> &str {
    let usual = key.len() <= 64 && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if usual { key } else { "" }
}

/// What is wrong, and what to write instead.
type Wrong = (&'static str, &'static str);

/// The value that `first` begins, and how many lines it takes; `more` are the lines after it.
fn value(first: &str, more: &[&str]) -> Result<(String, usize), Wrong> {
    match first.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(quote, &first[1..], more),
        _ => Ok((unquoted(first).to_owned(), 1)),
    }
}

/// Up to a `#` that follows a space, or to the end of the line.
fn unquoted(text: &str) -> &str {
    let comment = text.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || text[..*at].ends_with(char::is_whitespace)));
    comment.map_or(text, |(at, _)| &text[..at]).trim_end()
}

fn quoted(quote: char, first: &str, more: &[&str]) -> Result<(String, usize), Wrong> {
    let mut value = String::new();
    for (used, line) in std::iter::once(&first).chain(more).enumerate() {
        if used > 0 {
            value.push('\n');
        }
        let mut chars = line.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                let rest = line[at + 1..].trim_start();
                if rest.is_empty() || rest.starts_with('#') {
                    return Ok((value, used + 1));
                }
                return Err(("something follows the closing quote", "put the whole value into one pair of quotes"));
            }
            if c != '\\' || quote == '\'' {
                value.push(c);
                continue;
            }
            match chars.next().map(|(_, c)| c) {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(c @ ('"' | '\\' | '$')) => value.push(c),
                // Not an escape: it stays as it stands, as dotenv does.
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            }
        }
    }
    Err(("the quote is not closed", "end the value with the quote that begins it"))
}

/// `KEY=value` as [`EnvFile::parse`] reads it back, quoted where that is needed. Holds the value: not for logs.
pub fn assignment(key: &str, value: &Secret) -> String {
    let text = value.reveal();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,?&~*".contains(c);
    if text.chars().all(plain) {
        return format!("{key}={text}\n");
    }
    let mut out = format!("{key}=\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push_str("\"\n");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String, usize)> {
        let file = EnvFile::parse(text, ".env");
        assert_eq!(file.problems, [], "{text}");
        file.assignments.iter().map(|one| (one.key.clone(), one.value.reveal().to_owned(), one.line)).collect()
    }

    #[test]
    fn values_are_read_as_shells_docker_and_dotenv_do() {
        for (text, want) in [
            ("A=1", "1"),
            ("\u{feff}A=1\r\n", "1"),
            ("export A=1", "1"),
            ("export   A = 1 ", "1"),
            ("A=", ""),
            ("A=  ", ""),
            ("A=a b # comment", "a b"),
            ("A=a#b", "a#b"),
            ("A=#b", ""),
            ("A=a=b==", "a=b=="),
            ("A='a # b'  # comment", "a # b"),
            (r"A='a\nb'", r"a\nb"),
            (r#"A="a\nb\t\"\\\$\d""#, "a\nb\t\"\\$\\d"),
            ("A=\"a\r\nb\"", "a\nb"),
            ("A='a\n\n b'", "a\n\n b"),
            ("A=${B}", "${B}"),
            ("A=it's", "it's"),
            ("A=ä", "ä"),
        ] {
            assert_eq!(read(text), [("A".into(), want.into(), 1)], "{text}");
        }
        assert_eq!(read("# A=0\n\nA='x\ny'\n  B=2\n"), [("A".into(), "x\ny".into(), 3), ("B".into(), "2".into(), 5)]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn every_bad_line_is_named_without_what_it_holds() {
        let text = "hunter2\nA: hunter2\n1A=hunter2\nB='hunter2\nC=\"hunter2\" hunter2\nD=1\nD=hunter2\nE=hun\0ter2\nF=6\n";
        let file = EnvFile::parse(text, ".env");
        let lines: Vec<usize> = file.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 7, 8]);
        assert!(!crate::problem::render(&file.problems).contains("hunter"));
        assert!(!format!("{file:?}").contains("hunter"));
        insta::assert_snapshot!(crate::problem::render(&file.problems));
        // What follows is read all the same.
        assert_eq!(file.get("F").map(|one| one.value.reveal()), Some("6"));
    }

    #[test]
    fn assignments_in_comments_are_kept_apart() {
        let file = EnvFile::parse("# Words = more words\n#A=x\n# B=\"y\" # why\n# c=1\n#C='open\n", ".env.example");
        assert_eq!(file.assignments, []);
        let commented: Vec<(&str, &str)> = file.commented.iter().map(|one| (one.key.as_str(), one.value.reveal())).collect();
        assert_eq!(commented, [("A", "x"), ("B", "y")]);
        assert_eq!(file.problems, []);
    }

    #[test]
    fn an_empty_value_counts_as_none() {
        let file = EnvFile::parse("A=\nB=1", ".env");
        assert_eq!((file.get("A"), file.line_of("A"), file.line_of("B"), file.line_of("C")), (None, Some(1), Some(2), None));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_every_problem_is_inside(text in "[A-C=\"'\\\\ #\n\r\0$a]{0,60}") {
            let file = EnvFile::parse(&text, ".env");
            let lines = text.lines().count().max(1);
            for problem in &file.problems {
                prop_assert!((1..=lines).contains(&problem.line));
            }
        }

        #[test]
        fn any_text_at_all(text: String) {
            EnvFile::parse(&text, ".env");
        }

        #[test]
        fn what_is_written_is_read_back(values in prop::collection::vec("[^\0]{0,24}", 0..5)) {
            let text: String = values.iter().enumerate().map(|(i, v)| assignment(&format!("KEY_{i}"), &Secret::new(v))).collect();
            let file = EnvFile::parse(&text, ".env");
            prop_assert_eq!(&file.problems, &[]);
            let back: Vec<&str> = file.assignments.iter().map(|one| one.value.reveal()).collect();
            prop_assert_eq!(back, values.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
