//! Runs an [`Invocation`]: the only place in the workspace that starts processes.
//!
//! Every child leads its own process group, reads nothing or given bytes, and lives no longer than its invocation says; what it
//! prints for people is redacted; every call stands in the journal.

mod cancel;
mod child;
mod env;
mod follow;
mod journal;
mod lines;
mod lock;
mod os;
mod output;
mod redact;
mod time;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use calls::invocation::{Invocation, Lifetime, Secret, Stdin, Tool};

pub use cancel::Cancel;
pub(crate) use follow::Stopper;
pub use follow::{Follow, FollowEvent};
pub use journal::Entry;
pub use lock::{LockError, Orphan, RunLock};
pub use output::{Channel, Exit, Output, RunError, StreamLine};
pub use redact::PLACEHOLDER;

use child::{Child, Ended};
use lines::{Lines, Tail, end_of};

/// How much of a streamed child's output is kept per channel (bytes).
const TAIL: usize = 256 * 1024;

/// How much of stderr goes into the journal (bytes).
const JOURNAL_TAIL: usize = 2 * 1024;

/// What an observer is told, for `-v`. Redacted.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// It is about to start.
    Starts(&'a Invocation),
    /// It has ended.
    Ended(&'a Entry),
}

/// Is told of every call.
pub type Observer = Arc<dyn Fn(Call<'_>) + Send + Sync>;

/// How a [`Runner`] works.
#[derive(Clone)]
pub struct RunnerConfig {
    /// Where children run when their invocation names no directory: the workspace root.
    pub root: PathBuf,
    /// The journal, by default `ROOT/target/xtask/journal.jsonl`.
    pub journal: PathBuf,
    /// The size at which the journal is moved aside (bytes), by default 4 MiB.
    pub journal_limit: u64,
    /// The run lock, by default `ROOT/target/xtask/lock`.
    pub lock: PathBuf,
    /// The environment that children start from, by default this process's own; tests give their own with a PATH to simulated tools.
    pub env: BTreeMap<OsString, OsString>,
    /// Between asking a group to end and ending it, by default 10 s.
    pub grace: Duration,
    /// The token that cancels.
    pub cancel: Cancel,
    /// Secrets that are known already; more by [`Runner::redact`].
    pub secrets: Vec<Secret>,
    /// Is told of every call.
    pub observer: Option<Observer>,
}

impl RunnerConfig {
    /// The defaults for the workspace at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let ours = root.join("target").join("xtask");
        Self {
            journal: ours.join("journal.jsonl"),
            journal_limit: 4 * 1024 * 1024,
            lock: ours.join("lock"),
            env: std::env::vars_os().collect(),
            grace: Duration::from_secs(10),
            cancel: Cancel::new(),
            secrets: Vec::new(),
            observer: None,
            root,
        }
    }
}

/// Starts processes. Cheap to clone; one for the whole run, shared by all threads.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
    /// Clean-up: the first cancel leaves its calls alone.
    spared: bool,
}

struct Shared {
    root: PathBuf,
    env: env::Env,
    grace: Duration,
    cancel: Cancel,
    redactor: redact::Redactor,
    journal: journal::Journal,
    lock_path: PathBuf,
    children: Mutex<Option<Arc<lock::Children>>>,
    found: Mutex<BTreeMap<String, PathBuf>>,
    observer: Option<Observer>,
}

impl Runner {
    /// A runner; starts nothing yet.
    pub fn new(config: RunnerConfig) -> Self {
        let RunnerConfig { root, journal, journal_limit, lock, env, grace, cancel, secrets, observer } = config;
        let redactor = redact::Redactor::default();
        for secret in &secrets {
            redactor.register(secret);
        }
        let shared = Shared {
            root,
            env,
            grace,
            cancel,
            redactor,
            journal: journal::Journal::new(journal, journal_limit),
            lock_path: lock,
            children: Mutex::default(),
            found: Mutex::default(),
            observer,
        };
        Self { shared: Arc::new(shared), spared: false }
    }

    /// The same runner for clean-up: its calls may start after the first Ctrl-C and are ended by the second.
    #[must_use]
    pub fn for_cleanup(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), spared: true }
    }

    /// The token that cancels this runner's calls.
    pub fn cancel(&self) -> &Cancel {
        &self.shared.cancel
    }

    /// Registers a secret that must not be shown: it, its base64 and URL-encoded forms, and the password inside it if it is a URL.
    pub fn redact(&self, secret: &Secret) {
        self.shared.redactor.register(secret);
    }

    /// `text` without any registered secret, for what other parts of the tool show.
    pub fn redacted(&self, text: &str) -> String {
        self.shared.redactor.redact(text)
    }

    /// Takes the run lock, for runs that change something; ends what a killed run left behind. From then on the children of this
    /// runner are listed in the lock file. A run that only looks needs no lock.
    pub fn lock(&self) -> Result<RunLock, LockError> {
        let lock = RunLock::take(&self.shared.lock_path)?;
        *self.shared.children.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&lock.children));
        Ok(lock)
    }

    /// Why lines are missing in the journal, if they are.
    pub fn journal_problem(&self) -> Option<String> {
        self.shared.journal.problem()
    }

    /// Where the program of `tool` is on the PATH of the children.
    pub fn locate(&self, tool: Tool) -> Option<PathBuf> {
        self.locate_program(tool.program())
    }

    /// Where a program of the application's is on PATH.
    pub fn locate_program(&self, name: &str) -> Option<PathBuf> {
        self.find(Path::new(name), &self.shared.root)
    }

    /// Runs a question to its end and gives back all that it said.
    pub fn capture(&self, invocation: &Invocation) -> Result<Output, RunError> {
        let mut outputs = [Vec::new(), Vec::new()];
        let (ended, call) = self.run(invocation, |channel, bytes| outputs[channel as usize].extend_from_slice(bytes))?;
        let [data, talk] = outputs.map(into_text);
        let talk = self.redacted(&talk);
        self.finish(invocation, call, ended, [data, talk])
    }

    /// Runs something long and hands each line to `on_line` while it runs.
    pub fn stream(&self, invocation: &Invocation, on_line: &mut dyn FnMut(StreamLine)) -> Result<Output, RunError> {
        let mut lines = [Lines::default(), Lines::default()];
        let mut tails = [Tail::new(TAIL), Tail::new(TAIL)];
        let mut take = |tail: &mut Tail, channel, text: &str| {
            let text = self.redacted(text);
            tail.push(&text);
            on_line(StreamLine { channel, text });
        };
        let (ended, call) = self.run(invocation, |channel, bytes| {
            let tail = &mut tails[channel as usize];
            lines[channel as usize].push(bytes, |text| take(tail, channel, text));
        })?;
        for channel in [Channel::Stdout, Channel::Stderr] {
            let tail = &mut tails[channel as usize];
            lines[channel as usize].finish(|text| take(tail, channel, text));
        }
        self.finish(invocation, call, ended, tails.map(Tail::into_string))
    }

    /// Starts something that follows or watches; it is ended, with its group, when the answer is dropped.
    pub fn spawn_follow(&self, invocation: &Invocation) -> Result<Follow, RunError> {
        let started = self.start(invocation)?;
        Follow::new(self.clone(), invocation.clone(), started).map_err(|source| RunError::Io {
            tool: name_of(invocation),
            what: invocation.what.clone(),
            source,
        })
    }

    fn run(&self, invocation: &Invocation, sink: impl FnMut(Channel, &[u8])) -> Result<(Ended, Started), RunError> {
        let started = self.start(invocation)?;
        let deadline = match invocation.lifetime {
            Lifetime::Deadline(limit) => Some(started.at + limit),
            Lifetime::UntilCancelled => None,
        };
        let ended = started.child.wait(deadline, self.shared.grace, sink);
        Ok((ended, started))
    }

    fn start(&self, invocation: &Invocation) -> Result<Started, RunError> {
        let tool = name_of(invocation);
        let what = invocation.what.clone();
        if let Some(observer) = &self.shared.observer {
            observer(Call::Starts(invocation));
        }
        let (time, at) = (SystemTime::now(), Instant::now());
        let fail = |exit: &str, error: RunError| {
            self.note(invocation, &tool, (time, Duration::ZERO), exit.to_owned(), "");
            error
        };
        if self.shared.cancel.forbids(self.spared) {
            return Err(fail("cancelled", RunError::Cancelled { what }));
        }
        let dir = invocation.cwd.clone().map_or_else(|| self.shared.root.clone(), |dir| self.shared.root.join(dir));
        let name = invocation.program.clone().unwrap_or_else(|| invocation.tool.program().into());
        let Some(program) = self.find(&name, &dir) else {
            return Err(fail("not found", RunError::NotFound { tool: tool.clone() }));
        };
        let env = env::for_child(self.shared.env.clone(), invocation);
        let child = match child::start(&program, invocation, &env, &dir) {
            Ok(child) => child,
            Err(source) => return Err(fail(&source.to_string(), RunError::Io { tool: tool.clone(), what, source })),
        };
        let watched = self.shared.cancel.watch(child.group, child.wake.clone(), self.spared);
        let children = self.shared.children.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(children) = &children {
            children.started(child.pid);
        }
        Ok(Started { child, children, watched, time, at })
    }

    fn finish(&self, invocation: &Invocation, call: Started, ended: Ended, texts: [String; 2]) -> Result<Output, RunError> {
        let [stdout, stderr] = texts;
        let tool = name_of(invocation);
        let what = invocation.what.clone();
        let (time, elapsed) = (call.time, call.at.elapsed());
        drop(call);
        self.note(invocation, &tool, (time, elapsed), ended.describe(), &stderr);
        let Ended { exit, deadline_exceeded, cancelled, error } = ended;
        if cancelled {
            return Err(RunError::Cancelled { what });
        }
        if deadline_exceeded {
            return Err(RunError::DeadlineExceeded { tool, what, stdout: self.redacted(&stdout), stderr, took: elapsed });
        }
        match (exit, error) {
            (Some(exit), _) => Ok(Output { exit, stdout, stderr, took: elapsed }),
            (None, Some(source)) => Err(RunError::Io { tool, what, source }),
            (None, None) => Err(RunError::Io { tool, what, source: std::io::Error::other("its end was not seen") }),
        }
    }

    fn note(&self, invocation: &Invocation, tool: &str, when: (SystemTime, Duration), exit: String, stderr: &str) {
        let (time, elapsed) = when;
        let entry = Entry {
            time: time::rfc3339(time),
            tool: tool.to_owned(),
            argv: invocation.args.iter().map(|arg| self.redacted(arg)).collect(),
            what: self.redacted(&invocation.what),
            cwd: invocation.cwd.as_deref().unwrap_or(&self.shared.root).display().to_string(),
            env: invocation.env.keys().cloned().collect(),
            stdin_bytes: match &invocation.stdin {
                Stdin::Null => None,
                Stdin::Text(text) => Some(text.len()),
                Stdin::Secret(secret) => Some(secret.reveal().len()),
            },
            exit,
            took_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            stderr_tail: end_of(stderr, JOURNAL_TAIL).to_owned(),
        };
        self.shared.journal.write(&entry);
        if let Some(observer) = &self.shared.observer {
            observer(Call::Ended(&entry));
        }
    }

    fn find(&self, name: &Path, dir: &Path) -> Option<PathBuf> {
        let key = name.display().to_string();
        let mut found = self.shared.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = found.get(&key) {
            return Some(path.clone());
        }
        let path = which::which_in(name, self.shared.env.get(std::ffi::OsStr::new("PATH")), dir).ok()?;
        // A relative program depends on the directory.
        if name.components().count() == 1 {
            found.insert(key, path.clone());
        }
        Some(path)
    }
}

/// A child that runs, with what has to be undone when it has ended.
struct Started {
    child: Child,
    children: Option<Arc<lock::Children>>,
    #[expect(dead_code, reason = "held: the child stays under the cancel token until this is dropped")]
    watched: cancel::Watched,
    time: SystemTime,
    at: Instant,
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(children) = &self.children {
            children.ended(self.child.pid);
        }
    }
}

impl Ended {
    fn describe(&self) -> String {
        match (self.cancelled, self.deadline_exceeded, self.exit, &self.error) {
            (true, ..) => "cancelled".to_owned(),
            (_, true, ..) => "deadline exceeded".to_owned(),
            (_, _, Some(exit), _) => exit.to_string(),
            (_, _, _, Some(error)) => error.to_string(),
            (_, _, None, None) => "end not seen".to_owned(),
        }
    }
}

fn name_of(invocation: &Invocation) -> String {
    invocation.program.as_ref().map_or_else(|| invocation.tool.program().to_owned(), |p| p.display().to_string())
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}
