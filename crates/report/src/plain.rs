//! The view for pipes, logs and CI: a line when a step starts, a line when it ends, a sign of life in between.

use std::io::{self, Write};
use std::time::Duration;

use super::View;
use super::display::{DisplayConfig, Screen};
use super::event::Event;
use super::github;
use super::human::{Human, Printed};
use super::layout::State;
use super::record::Record;
use super::text;

/// After this long without a line the running steps are named: some CI systems end jobs that say nothing, and people wonder.
const SILENCE: Duration = Duration::from_secs(30);

/// Plain lines.
pub(super) struct Plain {
    human: Human,
    stderr: Box<dyn Write + Send>,
    stdout: Box<dyn Write + Send>,
    github: bool,
    last_line: Duration,
}

impl Plain {
    pub(super) fn new(display: &DisplayConfig, stderr: Box<dyn Write + Send>, stdout: Box<dyn Write + Send>) -> Self {
        let github = display.screen == Screen::GitHub;
        let mut human = Human::new(display);
        // On GitHub a step's output is folded under its line when it ends; as it comes, steps would be mixed.
        human.stream_output &= !github;
        Self { human, stderr, stdout, github, last_line: Duration::ZERO }
    }

    fn write(&mut self, at: Duration, printed: &Printed) -> io::Result<()> {
        let Printed { progress, answer } = printed;
        if !answer.is_empty() {
            self.stdout.write_all(answer.as_bytes())?;
            self.stdout.flush()?;
        }
        if !progress.is_empty() {
            let progress = if self.github { github::defuse(progress) } else { progress.clone() };
            self.stderr.write_all(progress.as_bytes())?;
            self.stderr.flush()?;
            self.last_line = at;
        }
        Ok(())
    }
}

impl View for Plain {
    fn event(&mut self, record: &Record, at: Duration, event: &Event) -> io::Result<()> {
        if self.github && matches!(event, Event::Finished { .. }) {
            self.stderr.write_all(github::annotations(&record.findings_in_order()).as_bytes())?;
        }
        let mut printed = self.human.print(record, event);
        match event {
            Event::StepStarted { step, .. } if !self.human.is_quiet() && !self.human.is_brief() => {
                printed.progress.push_str(&self.human.layout.step(State::Run, step, "", ""));
            }
            Event::StepFinished { step, .. } if self.github && !printed.progress.is_empty() => {
                if let Some(step) = record.step(step)
                    && !step.output.is_empty()
                {
                    self.stderr.write_all(github::group(&printed.progress, step).as_bytes())?;
                    self.stderr.flush()?;
                    self.last_line = at;
                    return Ok(());
                }
            }
            _ => {}
        }
        self.write(at, &printed)
    }

    fn tick(&mut self, record: &Record, now: Duration) -> io::Result<()> {
        if now.saturating_sub(self.last_line) < SILENCE || self.human.is_quiet() {
            return Ok(());
        }
        let layout = self.human.layout;
        let running = |step: &super::record::StepRecord| {
            layout.step(State::Run, &step.name, &step.progress, &text::elapsed(now.saturating_sub(step.started)))
        };
        let lines: String = record.live().map(running).collect();
        let printed = if lines.is_empty() { Printed::default() } else { self.human.show(&lines) };
        self.write(now, &printed)
    }

    fn close(&mut self, record: &Record, now: Duration) -> io::Result<()> {
        let printed = self.human.abandon(record);
        self.write(now, &printed)?;
        self.stderr.flush()?;
        self.stdout.flush()
    }
}
