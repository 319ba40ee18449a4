//! One event stream, several views.
//!
//! Whoever does the work sends [`event::Event`]s through a [`Reporter`]; one thread gathers them into a record of the run and hands each
//! to the views: the screen (live lines, plain lines, GitHub, or JSON) and the files (`JUnit`, timeline, job summary). This is the only
//! crate that writes to stdout and stderr.
#![expect(clippy::format_push_string, reason = "writing to a String can't fail, and `write!` would look as if it could")]

pub mod commands;
pub mod critical;
pub mod display;
pub mod event;
pub mod files;
mod findings;
mod github;
mod human;
mod json;
mod junit;
mod layout;
pub mod lines;
mod plain;
mod record;
mod terminal;
#[cfg(test)]
mod tests;
pub mod text;
mod timeline;

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anstream::AutoStream;
use indicatif::ProgressDrawTarget;

use display::{DisplayConfig, ReportConfig, Screen};
use event::Event;
use files::ReportFiles;
use record::Record;

/// How often live lines are brought up to date.
const TICK: Duration = Duration::from_millis(100);

/// One way to show a run. `record` has always taken in `event` already; times are since the start of the run.
trait View: Send {
    /// Something happened.
    fn event(&mut self, record: &Record, at: Duration, event: &Event) -> io::Result<()>;
    /// Some time went by.
    fn tick(&mut self, _record: &Record, _now: Duration) -> io::Result<()> {
        Ok(())
    }
    /// Takes away whatever is not meant to stay.
    fn clear(&mut self) {}
    /// Runs `question` while nothing else is drawn.
    fn suspend(&mut self, question: &mut dyn FnMut()) {
        question();
    }
    /// The last call.
    fn close(&mut self, _record: &Record, _now: Duration) -> io::Result<()> {
        Ok(())
    }
}

/// Says `text` on stderr without a reporter: where there is none yet, or where it failed itself.
pub fn last_words(text: &str) {
    // If this can't be written either, the exit code is all that is left.
    drop(writeln!(AutoStream::auto(io::stderr()), "{text}"));
}

/// The handle that events are sent through. Clones share one stream; any thread may hold one.
#[derive(Clone, Debug)]
pub struct Reporter {
    inner: Arc<Inner>,
    commands: commands::Commands,
}

#[derive(Debug)]
struct Inner {
    started: Instant,
    to_sink: mpsc::Sender<Message>,
    sink: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

enum Message {
    Event(Duration, Box<Event>),
    /// Take the live lines away, say so, and wait until the other side of the second channel is gone.
    Suspend(mpsc::SyncSender<()>, mpsc::Receiver<()>),
    Close,
}

impl Reporter {
    /// Starts reporting to the process's own stdout and stderr, and to `files` when the run is over.
    pub fn new(config: &ReportConfig, files: ReportFiles) -> io::Result<Self> {
        let display = DisplayConfig::resolve(config);
        let choice = |colour| if colour { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
        let stdout = Box::new(Pipe(Some(AutoStream::new(io::stdout(), choice(display.colour_stdout)))));
        let stderr = Box::new(Pipe(Some(AutoStream::new(io::stderr(), choice(display.colour_stderr)))));
        let screen: Box<dyn View> = match display.screen {
            Screen::Live => {
                let columns = || terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0);
                Box::new(terminal::Terminal::new(&display, ProgressDrawTarget::stderr(), Box::new(columns), stderr, stdout))
            }
            Screen::Plain | Screen::GitHub => Box::new(plain::Plain::new(&display, stderr, stdout)),
            Screen::Json => Box::new(json::Json::new(stdout)),
        };
        let mut views = vec![screen];
        views.extend(files.views());
        Self::with_views(views)
    }

    fn with_views(views: Vec<Box<dyn View>>) -> io::Result<Self> {
        let started = Instant::now();
        let (to_sink, messages) = mpsc::channel();
        let sink = std::thread::Builder::new().name("report".to_owned()).spawn(move || {
            Sink { views: views.into_iter().map(Guarded::new).collect(), record: Record::default(), started }.run(&messages)
        })?;
        let inner = Arc::new(Inner { started, to_sink, sink: Mutex::new(Some(sink)) });
        Ok(Self { inner, commands: commands::Commands::default() })
    }

    /// The same stream, for a run whose commands need more than their own words.
    #[must_use]
    pub fn with_commands(self, commands: commands::Commands) -> Self {
        Self { commands, ..self }
    }

    /// The run is about this layout, which is not the default: commands name it from now on.
    pub fn of_layout(&self, name: &str) {
        self.commands.of_layout(name);
    }

    /// Reports that `event` happened now. After [`Reporter::close`] it goes nowhere.
    pub fn send(&self, event: Event) {
        let event = self.commands.complete(event);
        self.inner.send(Message::Event(self.inner.started.elapsed(), Box::new(event)));
    }

    /// Runs `question` (a prompt, a child that owns the terminal) while no live line is drawn.
    pub fn suspend<T>(&self, question: impl FnOnce() -> T) -> T {
        let (ready, is_ready) = mpsc::sync_channel(1);
        let (done, is_done) = mpsc::sync_channel(1);
        self.inner.send(Message::Suspend(ready, is_done));
        if is_ready.recv().is_err() {
            // The sink has ended: nothing is drawn any more.
        }
        let answer = question();
        drop(done);
        answer
    }

    /// Writes out what is still to be written, takes the live lines away and waits for both. The second call does nothing.
    ///
    /// # Errors
    /// The first error of a view: a full disk, a file that can't be written. A reader that went away (`| head`) is none.
    pub fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}

impl Inner {
    fn send(&self, message: Message) {
        // It fails when the sink has ended, and then there is nobody left to tell.
        drop(self.to_sink.send(message));
    }

    fn close(&self) -> io::Result<()> {
        self.send(Message::Close);
        match self.sink.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(sink) => {
                sink.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes the report stopped early")))
            }
            None => Ok(()),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Only for the early ways out: whoever wants to know of errors has called `close`.
        drop(self.close());
    }
}

/// The reading end: its thread owns the record and the views.
struct Sink {
    views: Vec<Guarded>,
    record: Record,
    started: Instant,
}

impl Sink {
    fn run(mut self, messages: &mpsc::Receiver<Message>) -> io::Result<()> {
        let mut next_tick = Instant::now() + TICK;
        let mut last = Duration::ZERO;
        loop {
            match messages.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(Message::Event(at, event)) => {
                    // Two threads may have looked at the clock in the other order than they sent.
                    last = last.max(at);
                    let at = last;
                    self.record.apply(at, &event);
                    self.each(|view, record| view.event(record, at, &event));
                }
                Ok(Message::Suspend(ready, done)) => {
                    // The answer is given when the other side drops its end, whether it sends or not.
                    let mut wait = || {
                        if ready.send(()).is_ok() {
                            done.iter().for_each(drop);
                        }
                    };
                    self.suspend(&mut wait);
                }
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= next_tick {
                let now = self.started.elapsed();
                self.each(|view, record| view.tick(record, now));
                next_tick = Instant::now() + TICK;
            }
        }
        let now = self.started.elapsed();
        self.each(|view, record| view.close(record, now));
        self.views.into_iter().find_map(|view| view.error).map_or(Ok(()), Err)
    }

    fn each(&mut self, mut call: impl FnMut(&mut dyn View, &Record) -> io::Result<()>) {
        for view in &mut self.views {
            view.call(|view| call(view, &self.record));
        }
    }

    /// Only the screen draws; it is the first view.
    fn suspend(&mut self, wait: &mut dyn FnMut()) {
        match self.views.first_mut() {
            Some(screen) => screen.view.suspend(wait),
            None => wait(),
        }
    }
}

/// A stream whose reader may go away, as in `| head`: from then on it takes everything and keeps nothing.
struct Pipe<W>(Option<W>);

impl<W: Write> Pipe<W> {
    fn or_closed<T>(&mut self, gone: T, call: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        match self.0.as_mut().map(call) {
            Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.0 = None;
                Ok(gone)
            }
            Some(result) => result,
            None => Ok(gone),
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.or_closed(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.or_closed((), Write::flush)
    }
}

/// A view that is left alone after its first error: a full disk must not stop a deployment.
struct Guarded {
    view: Box<dyn View>,
    error: Option<io::Error>,
}

impl Guarded {
    fn new(view: Box<dyn View>) -> Self {
        Self { view, error: None }
    }

    fn call(&mut self, call: impl FnOnce(&mut dyn View) -> io::Result<()>) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = call(&mut *self.view) {
            self.view.clear();
            self.error = Some(error);
        }
    }
}
