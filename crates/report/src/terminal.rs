//! The view for a terminal: finished steps scroll up, one live line per running step stays at the bottom.
//!
//! indicatif keeps the live lines; everything else is written while they are taken away (`MultiProgress::suspend`), never by its
//! `println`, which loses lines when it believes itself hidden and leaves ghosts of long ones.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::View;
use super::display::{self, DisplayConfig};
use super::event::{Event, StepName};
use super::human::{Human, Printed};
use super::record::Record;
use super::text;

/// How wide the terminal is now; `None` where it can't be asked.
pub(super) type Columns = Box<dyn Fn() -> Option<u16> + Send>;

/// Live lines.
pub(super) struct Terminal {
    human: Human,
    stderr: Box<dyn Write + Send>,
    stdout: Box<dyn Write + Send>,
    multi: MultiProgress,
    bars: Vec<(StepName, ProgressBar)>,
    columns: Columns,
    /// What a follower shows, below everything else; left on the screen at the end.
    screen: Option<(ProgressBar, String)>,
}

impl Terminal {
    pub(super) fn new(
        display: &DisplayConfig,
        target: ProgressDrawTarget,
        columns: Columns,
        stderr: Box<dyn Write + Send>,
        stdout: Box<dyn Write + Send>,
    ) -> Self {
        let mut terminal = Self {
            human: Human::new(display),
            stderr,
            stdout,
            multi: MultiProgress::with_draw_target(target),
            bars: Vec::new(),
            columns,
            screen: None,
        };
        terminal.measure();
        terminal
    }

    /// Follows a resized window. One column stays free: some terminals wrap as soon as the last one is written.
    fn measure(&mut self) {
        if let Some(columns) = (self.columns)() {
            self.human.layout.columns = display::columns(Some(columns)).min(usize::from(columns.saturating_sub(1)).max(20));
        }
    }

    fn write(&mut self, printed: &Printed) -> io::Result<()> {
        let Printed { progress, answer } = printed;
        if progress.is_empty() && answer.is_empty() {
            return Ok(());
        }
        let Self { multi, stderr, stdout, .. } = self;
        multi.suspend(|| {
            stderr.write_all(progress.as_bytes())?;
            stderr.flush()?;
            stdout.write_all(answer.as_bytes())?;
            stdout.flush()
        })
    }

    /// Brings the live lines up to date.
    fn redraw(&mut self, record: &Record, now: Duration) {
        for (name, bar) in &self.bars {
            if let Some(step) = record.step(name) {
                let elapsed = text::elapsed(now.saturating_sub(step.started));
                bar.set_message(self.human.layout.live(name, &step.progress, &elapsed));
                bar.tick();
            }
        }
    }

    /// Puts `text` in the place of what the screen showed before.
    fn redraw_screen(&mut self, text: &str) {
        let text = if self.human.layout.colour { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() };
        let (bar, shown) = self.screen.get_or_insert_with(|| {
            let bar = self.multi.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            (bar, String::new())
        });
        text.trim_end().clone_into(shown);
        bar.set_message(shown.clone());
        bar.tick();
    }

    /// What was shown last stays, as an answer.
    fn leave_screen(&mut self) -> io::Result<()> {
        let Some((bar, shown)) = self.screen.take() else { return Ok(()) };
        bar.finish_and_clear();
        self.multi.remove(&bar);
        self.write(&Printed { progress: String::new(), answer: shown + "\n" })
    }

    fn add(&mut self, name: &StepName) {
        if self.bars.iter().any(|(known, _)| known == name) {
            return;
        }
        let bar = self.multi.add(ProgressBar::no_length());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        self.bars.push((name.clone(), bar));
    }

    fn remove(&mut self, name: &StepName) {
        if let Some(index) = self.bars.iter().position(|(known, _)| known == name) {
            let (_, bar) = self.bars.remove(index);
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }
}

impl View for Terminal {
    fn event(&mut self, record: &Record, at: Duration, event: &Event) -> io::Result<()> {
        if let Event::Screen { text, .. } = event {
            self.redraw_screen(text);
            return Ok(());
        }
        let printed = self.human.print(record, event);
        match event {
            Event::StepStarted { step, .. } => self.add(step),
            Event::StepFinished { step, .. } => self.remove(step),
            Event::Finished { .. } => self.clear(),
            _ => {}
        }
        if matches!(event, Event::Finished { .. }) {
            self.leave_screen()?;
        }
        self.write(&printed)?;
        if matches!(event, Event::StepStarted { .. } | Event::StepProgress { .. }) {
            self.redraw(record, at);
        }
        Ok(())
    }

    fn tick(&mut self, record: &Record, now: Duration) -> io::Result<()> {
        self.measure();
        self.redraw(record, now);
        Ok(())
    }

    fn clear(&mut self) {
        for (_, bar) in self.bars.drain(..) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }

    fn suspend(&mut self, question: &mut dyn FnMut()) {
        self.multi.suspend(question);
    }

    fn close(&mut self, record: &Record, _now: Duration) -> io::Result<()> {
        self.clear();
        let printed = self.human.abandon(record);
        self.write(&printed)
    }
}
