//! What each event is to a person, apart from how the screen is driven.

use diagnosis::finding::Class;

use super::display::{DisplayConfig, Verbosity};
use super::event::{Event, Outcome};
use super::findings;
use super::layout::{BOLD, Layout, State};
use super::record::{Record, RunEnd};
use super::text;

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Printed {
    /// To stderr.
    pub(super) progress: String,
    /// To stdout.
    pub(super) answer: String,
}

/// Turns events into lines.
#[derive(Debug)]
pub(super) struct Human {
    pub(super) layout: Layout,
    verbosity: Verbosity,
    /// Print tools' output as it comes (else a view shows it in its own way).
    pub(super) stream_output: bool,
    /// The headline and the steps that were so already: a run that changes nothing says one line, so these wait for the first change.
    held: String,
    shown: bool,
    /// Runs that have ended before this one (`deploy --watch`): a cycle is one line, unless it fails or more is wanted.
    ended: u32,
    answers_colour: bool,
}

impl Human {
    pub(super) fn new(display: &DisplayConfig) -> Self {
        Self {
            layout: Layout { columns: display.columns, colour: display.colour_stderr, ellipsis: display.ellipsis },
            verbosity: display.verbosity,
            stream_output: display.verbosity == Verbosity::Debug,
            held: String::new(),
            shown: false,
            ended: 0,
            answers_colour: display.colour_stdout,
        }
    }

    /// The lines that `event` adds. `record` has taken it in already.
    pub(super) fn print(&mut self, record: &Record, event: &Event) -> Printed {
        let quiet = self.verbosity == Verbosity::Quiet;
        let verbose = self.verbosity >= Verbosity::Verbose;
        let layout = self.layout;
        let progress = match event {
            Event::Answer { text, .. } | Event::Screen { changed: text, .. } => return self.answer(text),
            Event::Finished { .. } => return Printed { progress: self.closing(record), answer: String::new() },
            _ if quiet || self.is_brief() => return Printed::default(),
            Event::Started { text, .. } => {
                self.held.push_str(&format!("{}\n", layout.paint(BOLD, &text::clean(text))));
                return if verbose { self.show("") } else { Printed::default() };
            }
            // How many they are is in the closing line.
            Event::StepFinished { outcome: Outcome::Skip, .. } if !verbose => return Printed::default(),
            Event::StepFinished { step, outcome, text, took } => {
                let line = layout.step(State::from(*outcome), step, &text::clean(text), &took_cell(*outcome, *took));
                let hold = *outcome == Outcome::Keep && !self.shown && !verbose;
                if hold {
                    self.held.push_str(&line);
                    return Printed::default();
                }
                line
            }
            Event::StepOutput { step, line } if self.stream_output => layout.output(step, line),
            Event::StepProgress { step, text } if self.verbosity == Verbosity::Debug => layout.output(step, text),
            Event::Command { line } if verbose => layout.command(line),
            // What is said of the configuration before the run begins is no part of it: a run with nothing to do stays one line.
            Event::Note { text } if !self.shown && self.held.is_empty() => {
                return Printed { progress: layout.note(&text::clean(text)), answer: String::new() };
            }
            Event::Note { text } => layout.note(&text::clean(text)),
            Event::StepStarted { .. } => return self.show(""),
            Event::StepOutput { .. } | Event::StepProgress { .. } | Event::Command { .. } | Event::Finding(_) => {
                return Printed::default();
            }
        };
        self.show(&progress)
    }

    /// `line`, after what was held back for it.
    pub(super) fn show(&mut self, line: &str) -> Printed {
        self.shown = true;
        Printed { progress: std::mem::take(&mut self.held) + line, answer: String::new() }
    }

    /// Whether only the end of this run is told.
    pub(super) fn is_brief(&self) -> bool {
        self.ended > 0 && self.verbosity < Verbosity::Verbose
    }

    /// Whether nothing below findings is wanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    fn answer(&self, text: &str) -> Printed {
        let mut answer = if self.answers_colour { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() };
        if !answer.ends_with('\n') && !answer.is_empty() {
            answer.push('\n');
        }
        Printed { progress: String::new(), answer }
    }

    /// The findings of a run that never came to its end, so that a stopped run still says what it knew.
    pub(super) fn abandon(&mut self, record: &Record) -> Printed {
        if record.end.is_some() { Printed::default() } else { Printed { progress: self.closing(record), answer: String::new() } }
    }

    /// The findings, the closing line and what to do next.
    fn closing(&mut self, record: &Record) -> String {
        let mut out = String::new();
        let failed = record.end.as_ref().is_some_and(|end| end.exit_code != 0);
        if failed && !self.is_quiet() {
            out.push_str(&self.show("").progress);
        }
        let ordered = record.findings_in_order();
        if !ordered.is_empty() {
            self.separate(&mut out);
            out.push_str(&findings::render(&self.layout, &ordered, self.verbosity >= Verbosity::Verbose));
            self.shown = true;
        }
        if let Some(end) = &record.end
            && (failed || !self.is_quiet())
        {
            self.separate(&mut out);
            out.push_str(&self.end(record, end));
        }
        // What comes after is another run.
        self.held.clear();
        self.shown = false;
        self.ended += 1;
        out
    }

    fn separate(&self, out: &mut String) {
        if self.shown {
            out.push('\n');
        }
    }

    fn end(&self, record: &Record, end: &RunEnd) -> String {
        let layout = self.layout;
        let mut out = String::new();
        if !end.summary.is_empty() {
            for line in text::wrap(&text::clean(&end.summary), layout.columns) {
                out.push_str(&format!("{}\n", layout.paint(BOLD, &line)));
            }
        }
        let pointers: &[_] = if self.is_brief() { &[] } else { &end.pointers };
        for (label, text) in pointers {
            out.push_str(&layout.pointer(label, text));
        }
        if end.exit_code != 0 {
            match class_of(record, end.exit_code) {
                Some(class) => out.push_str(&format!("exit {} ({class})\n", end.exit_code)),
                None => out.push_str(&format!("exit {}\n", end.exit_code)),
            }
        }
        out
    }
}

/// Nothing for what took no time worth a word: a step that was so already or was not tried.
fn took_cell(outcome: Outcome, took: std::time::Duration) -> String {
    match outcome {
        Outcome::Keep | Outcome::Skip if took.is_zero() => String::new(),
        _ => text::duration(took),
    }
}

/// The name of the class with that exit code, as it is written in JSON and in the documentation.
pub(super) fn class_of(record: &Record, exit_code: u8) -> Option<String> {
    let found = record.findings.iter().map(|finding| finding.class).find(|class| class.exit_code() == exit_code);
    let class = found.or_else(|| Class::ALL.into_iter().find(|class| class.exit_code() == exit_code))?;
    serde_json::to_value(class).ok()?.as_str().map(str::to_owned)
}
