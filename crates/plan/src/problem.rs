//! A problem in a file that a person wrote: where it is, what is wrong, and what to write instead.

use std::fmt::Write as _;

use crate::finding::{Class, Finding, Severity};

/// One problem. It never holds a value of an environment file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as it was named, e.g. `xtask.toml`.
    pub file: String,
    /// The line, from 1; always inside the file (1 for an empty file).
    pub line: usize,
    /// The key with its path, e.g. `services.backend.port`; empty for a problem of the file itself.
    pub key: String,
    /// What is wrong, a lowercase fragment with the value in backticks.
    pub what: String,
    /// What to write instead, a lowercase fragment; may be empty.
    pub instead: String,
    /// [`Severity::Error`] where nothing can be done with it, else [`Severity::Warning`].
    pub severity: Severity,
}

impl Problem {
    /// An error in `file` at `line` about `key`.
    pub fn error(
        file: impl Into<String>,
        line: usize,
        key: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), line, key: key.into(), what: what.into(), instead: instead.into(), severity: Severity::Error }
    }

    /// The same as a warning.
    pub fn warning(
        file: impl Into<String>,
        line: usize,
        key: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(file, line, key, what, instead) }
    }

    /// `xtask.toml:12`: editors and terminals open it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The key and what is wrong with it, on one line.
    pub fn sentence(&self) -> String {
        if self.key.is_empty() { self.what.clone() } else { format!("{}: {}", self.key, self.what) }
    }
}

/// All problems as one finding, each a line of evidence with what to write instead below it; `None` without problems.
///
/// `code` is `codes::CONFIG_PROBLEM` or `codes::ENV_FILE_PROBLEM` of the catalogue. The severity is that of the worst problem.
pub fn finding(code: &'static str, problems: &[Problem]) -> Option<Finding> {
    let first = problems.first()?;
    let worst = problems.iter().map(|p| p.severity).max()?;
    let noun = if worst == Severity::Error { "problem" } else { "warning" };
    let cause = format!("`{}` has {} {noun}{}", first.file, problems.len(), if problems.len() == 1 { "" } else { "s" });
    let mut finding = match worst {
        Severity::Error => Finding::error(code, Class::Config, &first.file, cause),
        Severity::Info | Severity::Warning => Finding::warning(code, Class::Config, &first.file, cause),
    };
    for problem in problems {
        let mut text = problem.sentence();
        if !problem.instead.is_empty() {
            text.push('\n');
            text.push_str(&problem.instead);
        }
        finding = finding.evidence(problem.place(), text);
    }
    finding = if problems.len() == 1 && !first.instead.is_empty() {
        finding.advice(first.instead.clone())
    } else {
        finding.advice("correct the lines above, then run the same command again")
    };
    Some(finding)
}

/// The problems as a person reads them: one block each, wrapped at 80 columns.
///
/// ```text
/// xtask.toml:12: services.backend.port: `70000` is no port
///     write a number from 1 to 65535
/// ```
pub fn render(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let state = if problem.severity == Severity::Error { "" } else { "warning: " };
        wrap(&mut out, &format!("{}: {state}{}", problem.place(), problem.sentence()), "", "    ");
        if !problem.instead.is_empty() {
            wrap(&mut out, &problem.instead, "    ", "    ");
        }
    }
    out
}

const WIDTH: usize = 80;

/// Breaks `text` at spaces so that no line is wider than [`WIDTH`], except for a single word that is.
fn wrap(out: &mut String, text: &str, first: &str, rest: &str) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            // Writing to a String can't fail.
            writeln!(out, "{line}").ok();
            rest.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{line}").ok();
}

/// The lines of a text, for the line of a byte offset.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The offset at which each line begins.
    starts: Vec<usize>,
}

impl Lines {
    /// Looks through `text` once.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        // An offset behind the last line break belongs to the last line.
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len()));
        Self { starts }
    }

    /// The line of `offset`, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// The offset at which `line`, from 1, begins; that of the last line for one behind it.
    pub fn start(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).or(self.starts.last()).copied().unwrap_or_default()
    }

    /// How many lines there are, at least 1.
    pub fn count(&self) -> usize {
        self.starts.len()
    }
}

/// The known name that `unknown` most likely stands for: the nearest one within a third of its length.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (unknown.chars().count() / 3).max(1);
    let folded = fold(unknown);
    known
        .into_iter()
        .filter_map(|name| {
            let distance = if fold(name) == folded { 0 } else { distance(unknown, name) };
            (distance <= limit).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Without what people mix up: case, `-` and `_`.
fn fold(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Edit distance with neighbours swapped as one edit.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::catalogue::codes::ENV_FILE_PROBLEM;

    use super::*;

    #[test]
    fn an_offset_is_on_the_line_that_holds_it() {
        let text = "a\nbb\n\nc\n";
        let lines = Lines::new(text);
        let seen: Vec<usize> = (0..=text.len()).map(|at| lines.line(at)).collect();
        assert_eq!(seen, [1, 1, 2, 2, 2, 3, 4, 4, 4]);
        assert_eq!(lines.count(), 4);
        assert_eq!((Lines::new("").line(0), Lines::new("").count()), (1, 1));
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        let known = ["context", "dockerfile", "health", "keys", "node_port", "port"];
        for (unknown, want) in [
            ("contxt", Some("context")),
            ("docker_file", Some("dockerfile")),
            ("nodePort", Some("node_port")),
            ("kyes", Some("keys")),
            ("prot", Some("port")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, known), want, "{unknown}");
        }
    }

    #[test]
    fn long_problems_are_wrapped_and_keep_their_words() {
        let what = "a sentence with many words that goes on for longer than a terminal is wide, so that it has to be broken";
        let text = render(&[Problem::error("xtask.toml", 3, "cluster.cpus", what, what)]);
        assert!(text.lines().count() == 4 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), format!("xtask.toml:3: cluster.cpus: {what} {what}"));
    }

    #[test]
    fn a_finding_holds_every_problem_and_the_worst_severity() {
        let problems = [
            Problem::warning(".env", 2, "FOO", "no rule knows it", ""),
            Problem::error(".env", 5, "BAR", "it is empty", "write a value"),
        ];
        let finding = finding(ENV_FILE_PROBLEM, &problems).unwrap();
        assert_eq!((finding.code, finding.severity, finding.class), ("XT202", Severity::Error, Class::Config));
        assert_eq!(finding.cause, "`.env` has 2 problems");
        let evidence: Vec<String> = finding.evidence.iter().map(|e| format!("{} {}", e.source, e.text)).collect();
        assert_eq!(evidence, [".env:2 FOO: no rule knows it", ".env:5 BAR: it is empty\nwrite a value"]);
        assert_eq!(super::finding(ENV_FILE_PROBLEM, &[]), None);
    }

    proptest! {
        #[test]
        fn every_offset_has_a_line_inside_the_text(text in "[a\n]{0,40}", offset in 0_usize..60) {
            let lines = Lines::new(&text);
            prop_assert!((1..=lines.count()).contains(&lines.line(offset)));
            prop_assert_eq!(lines.count(), text.lines().count().max(1));
        }

        #[test]
        fn distance_is_symmetric(a in "[ab]{0,6}", b in "[ab]{0,6}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
        }
    }
}
