//! Answers as lines of columns: state, about, text, and what to do below. Used by `status` and `doctor`; pure.

use anstyle::{AnsiColor, Style};
use diagnosis::finding::{Finding, Remedy, Severity};

use crate::text;

/// The columns that answers are laid out for; a pipe and a narrow terminal get the same.
pub const COLUMNS: usize = 80;
/// Where the text stands, unless a longer name pushes it.
const TEXT_AT: usize = 21;
const ABOUT_AT: usize = 8;

/// The first word of a line; it says the same as its colour. Ordered from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is broken.
    Fail,
    /// It may break something.
    Warn,
    /// It is on its way.
    Wait,
    /// It is as it should be.
    Ok,
}

impl State {
    /// As it is shown and as programs get it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Wait => "wait",
            Self::Ok => "ok",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Fail => AnsiColor::Red.on_default().bold(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Wait => AnsiColor::Cyan.on_default(),
            Self::Ok => AnsiColor::Green.on_default(),
        }
    }
}

impl From<Severity> for State {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Fail,
            Severity::Warning => Self::Warn,
            Severity::Info => Self::Ok,
        }
    }
}

/// One line, and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is.
    pub state: State,
    /// What it is about.
    pub about: String,
    /// What is so.
    pub text: String,
    /// Evidence, wrapped.
    pub details: Vec<String>,
    /// What to do; what may be pasted of it is never broken.
    pub remedies: Vec<Remedy>,
}

impl Line {
    /// A line with nothing below it.
    pub fn new(state: State, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { state, about: about.into(), text: text.into(), details: Vec::new(), remedies: Vec::new() }
    }

    /// A finding under the name of what was looked at.
    pub fn finding(about: &str, finding: &Finding) -> Self {
        Self {
            text: format!("{} ({})", finding.cause, finding.code),
            details: finding
                .evidence
                .iter()
                .map(|e| if e.source.is_empty() { e.text.clone() } else { format!("{}: {}", e.source, e.text) })
                .collect(),
            remedies: finding.remedies.clone(),
            ..Self::new(finding.severity.into(), about, "")
        }
    }
}

/// The lines, in the order given. Colours are taken out by the reporter where they are not wanted.
pub fn render(lines: &[Line]) -> String {
    lines.iter().map(one).collect()
}

fn one(line: &Line) -> String {
    let Line { state, about, text: what, details, remedies } = line;
    let style = state.style();
    let word = state.word();
    let about = text::pad(&text::clean(about), TEXT_AT - ABOUT_AT - 1);
    let at = ABOUT_AT + text::width(&about) + 1;
    let indent = " ".repeat(TEXT_AT);
    let mut out = format!("  {style}{word}{style:#}{}{about} ", " ".repeat(ABOUT_AT - 2 - word.len()));
    let mut wrapped = text::wrap(&text::clean(what), COLUMNS.saturating_sub(at).max(20)).into_iter();
    out.push_str(&wrapped.next().unwrap_or_default());
    out.truncate(out.trim_end().len());
    out.push('\n');
    let below = |text: &str| text::wrap(&text::clean(text), COLUMNS - TEXT_AT);
    let details = details.iter().flat_map(|d| d.lines()).flat_map(below);
    let mut rows: Vec<String> = wrapped.chain(details).collect();
    for (index, Remedy { text: why, command }) in remedies.iter().enumerate() {
        let label = if index == 0 { "fix:" } else { "or: " };
        match command {
            None => rows.extend(below(&format!("{label} {why}"))),
            Some(command) => {
                let command = text::clean(command);
                let both = if why.is_empty() { format!("{label} {command}") } else { format!("{label} {why}: {command}") };
                if text::width(&both) <= COLUMNS - TEXT_AT {
                    rows.push(both);
                } else {
                    rows.extend(below(&if why.is_empty() { label.to_owned() } else { format!("{label} {why}:") }));
                    rows.push(command);
                }
            }
        }
    }
    for row in rows {
        out.push_str(&indent);
        out.push_str(&row);
        out.push('\n');
    }
    out
}

/// A line that is all text behind its state.
pub fn plain(state: State, text: &str) -> String {
    let (style, word) = (state.style(), state.word());
    format!("  {style}{word}{style:#}{}{text}\n", " ".repeat(ABOUT_AT - 2 - word.len()))
}

/// A table under a heading: columns as wide as their longest cell, numbers (`right`) to the right; the last column is never padded.
pub fn table(heading: &[&str], right: &[bool], rows: &[Vec<String>]) -> String {
    let cells = |row: &[String], column: usize| row.get(column).map_or(0, |cell| text::width(cell));
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| rows.iter().map(|row| cells(row, column)).max().unwrap_or(0).max(text::width(heading[column])))
        .collect();
    let line = |row: &[String]| {
        let mut out = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let width = widths.get(column).copied().unwrap_or_default();
            let gap = " ".repeat(width.saturating_sub(text::width(cell)));
            out.push_str(if column == 0 { " " } else { "  " });
            let (first, second) =
                if right.get(column) == Some(&true) { (gap.as_str(), cell.as_str()) } else { (cell.as_str(), gap.as_str()) };
            out.push_str(first);
            out.push_str(second);
        }
        format!("{}\n", out.trim_end())
    };
    let heading: Vec<String> = heading.iter().map(|&h| h.to_owned()).collect();
    let dim = Style::new().dimmed();
    let mut out = format!("{dim}{}{dim:#}\n", line(&heading).trim_end());
    out.extend(rows.iter().map(|row| line(row)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stay_whole_and_text_is_wrapped() {
        let finding = Finding::warning(
            "XT314",
            diagnosis::finding::Class::Cluster,
            "minikube",
            "the profile `minikube` has 2 cpus, xtask.toml asks for 4, which needs a new cluster",
        )
        .evidence("minikube profile list", "cpus 2")
        .remedy(
            "make it anew; what is in it is lost",
            "cargo xtask cleanup --scope cluster --a-flag-that-makes-it-far-too-long-to-fit",
        )
        .advice("it works as it is, if the pods fit");
        let shown = render(&[Line::finding("profile", &finding), Line::new(State::Ok, "docker", "28.2.2")]);
        let plain = anstream::adapter::strip_str(&shown).to_string();
        insta::assert_snapshot!(plain, @r"
          warn  profile      the profile `minikube` has 2 cpus, xtask.toml asks for 4,
                             which needs a new cluster (XT314)
                             minikube profile list: cpus 2
                             fix: make it anew; what is in it is lost:
                             cargo xtask cleanup --scope cluster --a-flag-that-makes-it-far-too-long-to-fit
                             or:  it works as it is, if the pods fit
          ok    docker       28.2.2
        ");
    }
}
