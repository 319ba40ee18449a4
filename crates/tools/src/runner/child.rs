//! One child: started with duct in its own group, its output as messages, its end always bounded in time.

use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use calls::invocation::{Invocation, Stdin};

use super::env::Env;
use super::os::{self, Group};
use super::{Channel, Exit};

/// After the child has ended: how long its output may still be held open by something that it started.
const DRAIN: Duration = Duration::from_millis(500);

/// After SIGKILL: how long the end may take to be seen.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// What a child, or the token it runs under, tells the thread that waits for it.
#[derive(Debug)]
pub(super) enum Message {
    Bytes(Channel, Vec<u8>),
    Eof,
    Exited(io::Result<Exit>),
    Cancelled,
}

/// A started child.
pub(super) struct Child {
    pub(super) pid: u32,
    pub(super) group: Group,
    pub(super) messages: Receiver<Message>,
    pub(super) wake: Sender<Message>,
}

/// How the wait for a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// `None`: it did not even end after SIGKILL, or its status could not be read.
    pub(super) exit: Option<Exit>,
    pub(super) deadline_exceeded: bool,
    pub(super) cancelled: bool,
    pub(super) error: Option<io::Error>,
}

/// Starts `program` for `invocation`.
pub(super) fn start(program: &Path, invocation: &Invocation, env: &Env, dir: &Path) -> io::Result<Child> {
    let (out_read, out_write) = io::pipe()?;
    let (err_read, err_write) = io::pipe()?;
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
    let expression = duct::cmd(program, &invocation.args)
        .dir(dir)
        .full_env(env)
        .unchecked()
        .stdout_file(out_write)
        .stderr_file(err_write)
        .before_spawn(os::lead_group);
    let expression = match &invocation.stdin {
        Stdin::Null => expression.stdin_null(),
        Stdin::Text(text) => expression.stdin_bytes(text.as_bytes()),
        Stdin::Secret(secret) => expression.stdin_bytes(secret.reveal().as_bytes()),
    };
    let handle = expression.start()?;
    // The expression holds the write ends; while it lives the readers see no end of file.
    drop(expression);
    let pid = handle.pids().first().copied().ok_or_else(|| io::Error::other("the started process has no id"))?;
    let (wake, messages) = channel();
    for (channel, mut pipe) in [(Channel::Stdout, out_read), (Channel::Stderr, err_read)] {
        let wake = wake.clone();
        spawn("output", move || pump(channel, &mut pipe, &wake))?;
    }
    let exits = wake.clone();
    spawn("wait", move || {
        let exit = handle.wait().map(|output| os::exit_of(output.status));
        // A receiver that is gone has given up waiting; the child is reaped all the same.
        exits.send(Message::Exited(exit)).unwrap_or_default();
    })?;
    Ok(Child { pid, group: Group::of(pid), messages, wake })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(|_| ())
}

fn pump(channel: Channel, pipe: &mut impl Read, wake: &Sender<Message>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                if wake.send(Message::Bytes(channel, buffer[..n].to_vec())).is_err() {
                    return;
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // A pipe that can't be read has ended for us; how the child did is told by its exit.
            Err(_) => break,
        }
    }
    wake.send(Message::Eof).unwrap_or_default();
}

/// What the wait is waiting for, each with its end.
enum Phase {
    /// The child runs; the deadline, if it has one.
    Running(Option<Instant>),
    /// The child has ended; its output may still be read.
    Draining(Instant),
    /// The group was asked to end.
    Asked(Instant),
    /// The group was ended.
    Killed(Instant),
}

impl Child {
    /// Hands all output to `sink` until the child has ended; ends it, with its group, at the deadline or when cancelled.
    pub(super) fn wait(&self, deadline: Option<Instant>, grace: Duration, mut sink: impl FnMut(Channel, &[u8])) -> Ended {
        let mut ended = Ended { exit: None, deadline_exceeded: false, cancelled: false, error: None };
        let mut phase = Phase::Running(deadline);
        let (mut open, mut alive) = (2, true);
        while alive || open > 0 {
            let message = match phase {
                Phase::Running(None) => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Phase::Running(Some(until)) | Phase::Draining(until) | Phase::Asked(until) | Phase::Killed(until) => {
                    self.messages.recv_timeout(until.saturating_duration_since(Instant::now()))
                }
            };
            match message {
                Ok(Message::Bytes(channel, bytes)) => sink(channel, &bytes),
                Ok(Message::Eof) => open -= 1,
                Ok(Message::Exited(exit)) => {
                    alive = false;
                    match exit {
                        Ok(exit) => ended.exit = Some(exit),
                        Err(error) => ended.error = Some(error),
                    }
                    if matches!(phase, Phase::Running(_)) {
                        phase = Phase::Draining(Instant::now() + DRAIN);
                    }
                }
                Ok(Message::Cancelled) => {
                    ended.cancelled = true;
                    if matches!(phase, Phase::Running(_) | Phase::Draining(_)) {
                        // The token has sent the signal.
                        phase = Phase::Asked(Instant::now() + grace);
                    }
                }
                Err(RecvTimeoutError::Timeout) => match phase {
                    Phase::Running(_) => {
                        ended.deadline_exceeded = true;
                        self.group.terminate();
                        phase = Phase::Asked(Instant::now() + grace);
                    }
                    Phase::Asked(_) => {
                        self.group.kill();
                        phase = Phase::Killed(Instant::now() + AFTER_KILL);
                    }
                    // Something outside the group holds the output open: what was read is all there will be.
                    Phase::Draining(_) | Phase::Killed(_) => break,
                },
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        ended
    }
}
