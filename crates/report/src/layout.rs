//! Lines as they stand on the screen: columns, colour, wrapping. Nothing here writes.

use anstyle::{AnsiColor, Style};

use super::event::{Outcome, StepName};
use super::text;

/// Between two pointers of which either will do.
const OR: &str = "    or    ";

/// Between a command and what it does.
const REMARK: &str = "    ";

/// The first word of a line; it says the same as its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Run,
    Keep,
    Ok,
    Fail,
    Skip,
    Note,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Keep => "keep",
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Note => "note",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Run => AnsiColor::Cyan.on_default(),
            Self::Ok => AnsiColor::Green.on_default(),
            Self::Fail => AnsiColor::Red.on_default().bold(),
            Self::Note => AnsiColor::Yellow.on_default(),
            Self::Keep | Self::Skip => DIM,
        }
    }
}

impl From<Outcome> for State {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Keep => Self::Keep,
            Outcome::Ok => Self::Ok,
            Outcome::Fail => Self::Fail,
            Outcome::Skip => Self::Skip,
        }
    }
}

pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const COMMAND: Style = AnsiColor::Cyan.on_default();

/// Where the columns are.
const KIND_AT: usize = 8;
const TEXT_AT: usize = KIND_AT + 10;
/// In the block of a finding.
const LABEL_AT: usize = 3;
const VALUE_AT: usize = 14;
const OBJECT_COLUMNS: usize = 10;

/// How lines are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) columns: usize,
    pub(super) colour: bool,
    pub(super) ellipsis: &'static str,
}

impl Layout {
    /// `text` in `style`, where there is colour.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A step that ended or began, as one or more whole lines; the time stands at the right edge of the first.
    pub(super) fn step(&self, state: State, step: &StepName, text: &str, took: &str) -> String {
        let (head, head_columns) = self.head(state, step);
        let object = object_cell(step, !text.is_empty());
        let gap = if took.is_empty() { 0 } else { 2 };
        let room = self.columns.saturating_sub(head_columns + text::width(took) + gap).max(20);
        let mut lines = text::wrap(&format!("{object}{text}"), room).into_iter();
        let first = lines.next().unwrap_or_default();
        let mut out = head;
        if took.is_empty() {
            out.push_str(&first);
            out.truncate(out.trim_end().len());
        } else {
            let columns = self.columns.saturating_sub(head_columns + text::width(took));
            // A name too long for its column pushes the time along rather than losing its end.
            let columns = columns.max(text::width(&first) + 2);
            out.push_str(&text::pad(&first, columns));
            out.push_str(&self.paint(DIM, took));
        }
        out.push('\n');
        for line in lines {
            out.push_str(&format!("{:TEXT_AT$}{line}\n", ""));
        }
        out
    }

    /// A running step in exactly one line of at most the given columns.
    pub(super) fn live(&self, step: &StepName, text: &str, elapsed: &str) -> String {
        let (head, head_columns) = self.head(State::Run, step);
        let room = self.columns.saturating_sub(head_columns + text::width(elapsed) + 2);
        let shown = text::truncate(&format!("{}{text}", object_cell(step, !text.is_empty())), room, self.ellipsis);
        format!("{head}{}  {}", text::pad(&shown, room), self.paint(DIM, elapsed))
    }

    /// `  note  text`, wrapped.
    pub(super) fn note(&self, text: &str) -> String {
        let lines = text::wrap(text, self.columns.saturating_sub(KIND_AT));
        let state = State::Note;
        let mut out = format!("  {}{}", self.paint(state.style(), state.word()), " ".repeat(KIND_AT - 2 - state.word().len()));
        out.push_str(&lines.join(&format!("\n{:KIND_AT$}", "")));
        out.push('\n');
        out
    }

    /// `        $ command`, never wrapped: it is there to be pasted.
    pub(super) fn command(&self, line: &str) -> String {
        format!("{:KIND_AT$}{}\n", "", self.paint(DIM, &format!("$ {}", text::clean(line))))
    }

    /// A line that a tool printed, named after its step, since several speak at once.
    pub(super) fn output(&self, step: &StepName, line: &str) -> String {
        format!("{:KIND_AT$}{} {}\n", "", self.paint(DIM, &format!("{step} |")), text::clean(line))
    }

    /// A pointer under the summary: `  open    http://…`.
    pub(super) fn pointer(&self, label: &str, text: &str) -> String {
        let row = |label: &str, text: &str| format!("  {} {text}\n", self.paint(BOLD, &text::pad(label, KIND_AT - 3)));
        // Commands are there to be pasted: never wrapped, but each on a line of its own where one is too short for both.
        if KIND_AT + text::width(text) <= self.columns {
            return row(label, text);
        }
        match (text.split_once(OR), text.split_once(REMARK)) {
            (Some((one, other)), _) => row(label, one) + &row("or", other),
            (None, Some((command, remark))) => row(label, command) + &row("", remark.trim_start()),
            (None, None) => row(label, text),
        }
    }

    /// `label` and `text` as in the block of a finding; further lines stand under the first.
    pub(super) fn labelled(&self, label: &str, text: &str) -> String {
        let columns = self.columns.saturating_sub(VALUE_AT).max(20);
        self.rows(label, text.split('\n').flat_map(|line| text::wrap(&text::clean(line), columns)), Style::new())
    }

    /// The same for a command: never wrapped, it is there to be pasted; on a line of its own where `before` leaves no room.
    pub(super) fn labelled_command(&self, label: &str, before: &str, command: &str) -> String {
        let (before, command) = (text::clean(before), text::clean(command));
        let both = format!("{before}: {command}");
        if before.is_empty() {
            self.rows(label, [command], COMMAND)
        } else if VALUE_AT + text::width(&both) <= self.columns {
            self.rows(label, [both], Style::new())
        } else {
            self.labelled(label, &format!("{before}:")) + &self.rows("", [command], COMMAND)
        }
    }

    fn rows(&self, label: &str, lines: impl IntoIterator<Item = String>, style: Style) -> String {
        let mut out = String::new();
        let gap = " ".repeat((VALUE_AT - LABEL_AT).saturating_sub(text::width(label)).max(1));
        let mut before =
            format!("{:LABEL_AT$}{}{gap}", "", if label.is_empty() { String::new() } else { self.paint(BOLD, label) });
        for line in lines {
            let row = if line.is_empty() { before } else { before + &self.paint(style, &line) };
            out.push_str(row.trim_end());
            out.push('\n');
            before = " ".repeat(VALUE_AT);
        }
        out
    }

    fn head(&self, state: State, step: &StepName) -> (String, usize) {
        let kind = text::pad(step.kind, TEXT_AT - KIND_AT - 1);
        let columns = KIND_AT + text::width(&kind) + 1;
        let gap = " ".repeat(KIND_AT - 2 - state.word().len());
        (format!("  {}{gap}{kind} ", self.paint(state.style(), state.word())), columns)
    }
}

fn object_cell(step: &StepName, text_follows: bool) -> String {
    match (step.object.is_empty(), text_follows) {
        (true, _) => String::new(),
        (false, false) => step.object.clone(),
        (false, true) => format!("{} ", text::pad(&step.object, OBJECT_COLUMNS - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { columns: 80, colour: false, ellipsis: "..." };

    #[test]
    fn a_live_line_is_one_line_of_its_columns() {
        let step = StepName::new("rollout", "");
        for text in ["", "backend 1/1 ready", &"frontend 0/1: waiting for readiness, ".repeat(5), &"日本".repeat(40)] {
            for columns in [40, 79, 80, 100] {
                let line = Layout { columns, ..LAYOUT }.live(&step, text, "6s");
                assert!(!line.contains('\n'));
                // A wide character may not fit the last free column.
                assert_eq!(text::width(&line), columns, "{line}");
            }
        }
    }

    #[test]
    fn lines_fit_the_columns_unless_a_name_does_not() {
        let step = StepName::new("image", "backend");
        let text = "todo-backend:3f9c2a71  214 MB (budget 300 MB), built from 41 files, base python:3.13-slim";
        for line in LAYOUT.step(State::Ok, &step, text, "41.2s").lines() {
            assert!(text::width(line) <= 80, "{line}");
        }
        let name = "registry.example.com/a/very/long/repository/name/that/nobody/should/break:3f9c2a71";
        assert!(LAYOUT.step(State::Ok, &step, name, "41.2s").contains(name));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let step = StepName::new("image", "backend");
        for state in [State::Run, State::Keep, State::Ok, State::Fail, State::Skip] {
            let plain = LAYOUT.step(state, &step, "todo-backend:3f9c2a71", "41.2s");
            let coloured = Layout { colour: true, ..LAYOUT }.step(state, &step, "todo-backend:3f9c2a71", "41.2s");
            assert_ne!(plain, coloured);
            assert_eq!(plain, anstream::adapter::strip_str(&coloured).to_string());
        }
    }
}
