//! A child that follows or watches, read line by line and ended when it is no longer wanted.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use calls::invocation::{Invocation, Lifetime};

use super::child::Message;
use super::lines::{Lines, Tail};
use super::os::Group;
use super::{Channel, Output, RunError, Runner, Started, StreamLine};

/// Between asking a follower to end and ending it: it holds no state that it could lose.
const GRACE: Duration = Duration::from_secs(1);

/// What a [`Follow`] tells.
#[derive(Debug)]
pub enum FollowEvent {
    /// A line.
    Line(StreamLine),
    /// The child has ended by itself, at its deadline or by the cancel token; nothing comes after this. Output as of
    /// [`Runner::stream`].
    Ended(Result<Output, RunError>),
}

/// A running follower. Dropping it ends the child with its whole group.
#[derive(Debug)]
pub struct Follow {
    events: Receiver<FollowEvent>,
    stopper: Stopper,
}

/// Ends a follower from another thread.
#[derive(Clone, Debug)]
pub(crate) struct Stopper {
    group: Group,
    wake: Sender<Message>,
}

impl Stopper {
    /// Ends it; its last event says so. Does nothing when it has ended.
    pub(crate) fn stop(&self) {
        // The waiting thread is gone when the child has ended, and its process id may be somebody else's by now.
        if self.wake.send(Message::Cancelled).is_ok() {
            self.group.terminate();
        }
    }
}

impl Follow {
    pub(super) fn new(runner: Runner, invocation: Invocation, started: Started) -> io::Result<Self> {
        let (send, events) = channel();
        let stopper = Stopper { group: started.child.group, wake: started.child.wake.clone() };
        std::thread::Builder::new().name("follow".to_owned()).spawn(move || supervise(&runner, &invocation, started, &send))?;
        Ok(Self { events, stopper })
    }

    /// The next event, or `None` when nothing came within `timeout`. After [`FollowEvent::Ended`] always `None`.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<FollowEvent> {
        self.events.recv_timeout(timeout).ok()
    }

    /// The next event, waited for without limit; `None` after [`FollowEvent::Ended`].
    pub fn recv(&self) -> Option<FollowEvent> {
        self.events.recv().ok()
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.stopper.stop();
        // The supervisor ends the group for good after its grace and then drops its sender; wait for that, so that nothing of ours
        // is alive when the run ends, but never without limit.
        let until = Instant::now() + GRACE + Duration::from_secs(3);
        while self.events.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
    }
}

fn supervise(runner: &Runner, invocation: &Invocation, started: Started, events: &Sender<FollowEvent>) {
    let mut lines = [Lines::default(), Lines::default()];
    let mut tails = [Tail::new(super::TAIL), Tail::new(super::TAIL)];
    let take = |tail: &mut Tail, channel, text: &str| {
        let text = runner.redacted(text);
        tail.push(&text);
        // A receiver that is gone wants nothing more; the child is being ended.
        events.send(FollowEvent::Line(StreamLine { channel, text })).unwrap_or_default();
    };
    let deadline = match invocation.lifetime {
        Lifetime::Deadline(limit) => Some(started.at + limit),
        Lifetime::UntilCancelled => None,
    };
    let ended = started.child.wait(deadline, GRACE, |channel, bytes| {
        let tail = &mut tails[channel as usize];
        lines[channel as usize].push(bytes, |text| take(tail, channel, text));
    });
    for channel in [Channel::Stdout, Channel::Stderr] {
        let tail = &mut tails[channel as usize];
        lines[channel as usize].finish(|text| take(tail, channel, text));
    }
    let result = runner.finish(invocation, started, ended, tails.map(Tail::into_string));
    events.send(FollowEvent::Ended(result)).unwrap_or_default();
}
