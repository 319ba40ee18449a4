//! The view for programs: one JSON object a line on stdout, every event, nothing else. docs/json.md describes each kind.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::View;
use super::event::Event;
use super::record::Record;

/// Grows when a field is removed or changes its meaning; new kinds and new fields don't count.
pub(super) const SCHEMA: u8 = 1;

/// JSON lines.
pub(super) struct Json {
    stdout: Box<dyn Write + Send>,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: u8,
    /// Seconds since the start of the run.
    at: f64,
    #[serde(flatten)]
    event: &'a Event,
}

impl Json {
    pub(super) fn new(stdout: Box<dyn Write + Send>) -> Self {
        Self { stdout }
    }
}

/// One event as its line, without the line end.
pub(super) fn line(at: Duration, event: &Event) -> serde_json::Result<String> {
    // Milliseconds as a decimal number of seconds: exact enough to order by, short enough to read.
    let at = (at.as_secs_f64() * 1000.0).round() / 1000.0;
    serde_json::to_string(&Line { schema: SCHEMA, at, event })
}

impl View for Json {
    fn event(&mut self, _record: &Record, at: Duration, event: &Event) -> io::Result<()> {
        let line = line(at, event)?;
        writeln!(self.stdout, "{line}")?;
        self.stdout.flush()
    }
}
