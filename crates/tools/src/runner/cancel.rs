//! Ends what runs when a person or a supervisor asks for it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::child::Message;
use super::os::{self, Group};

/// A shared token: the first request ends every child politely (SIGTERM to its group), the second at once (SIGKILL).
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    requests: AtomicU32,
    signal: AtomicI32,
    next: AtomicU64,
    live: Mutex<BTreeMap<u64, Live>>,
}

#[derive(Debug)]
struct Live {
    group: Group,
    wake: Sender<Message>,
    /// Started to clean up: the first request leaves it alone.
    spared: bool,
}

impl Cancel {
    /// A token that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds the token to SIGINT, SIGTERM and SIGHUP (Ctrl-C on Windows). To be called once, from `main`.
    pub fn on_signals(&self) -> io::Result<()> {
        let cancel = self.clone();
        os::watch_signals(move |signal| {
            cancel.0.signal.store(signal, Ordering::SeqCst);
            cancel.request();
        })
    }

    /// Asks for the end, as a signal would.
    pub fn request(&self) {
        let requests = self.0.requests.fetch_add(1, Ordering::SeqCst) + 1;
        for live in self.live().values().filter(|live| requests > 1 || !live.spared) {
            // First the word, then the signal: else the end of the child could be seen before its reason. A receiver that is gone
            // has already seen its child end.
            live.wake.send(Message::Cancelled).unwrap_or_default();
            if requests > 1 {
                live.group.kill();
            } else {
                live.group.terminate();
            }
        }
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        self.requests() > 0
    }

    /// The signal that asked first or last for the end (2 = SIGINT, 15 = SIGTERM), if it was a signal.
    pub fn signal(&self) -> Option<i32> {
        match self.0.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Whether a call may still start: `spared` calls (clean-up) may until the second request.
    pub(super) fn forbids(&self, spared: bool) -> bool {
        self.requests() > u32::from(spared)
    }

    /// Takes a running child under this token until the answer is dropped.
    pub(super) fn watch(&self, group: Group, wake: Sender<Message>, spared: bool) -> Watched {
        let id = self.0.next.fetch_add(1, Ordering::SeqCst);
        let again = wake.clone();
        self.live().insert(id, Live { group, wake, spared });
        // Asked for between the start of the child and its registration.
        if self.forbids(spared) {
            again.send(Message::Cancelled).unwrap_or_default();
            group.terminate();
        }
        Watched { cancel: self.clone(), id }
    }

    fn requests(&self) -> u32 {
        self.0.requests.load(Ordering::SeqCst)
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<u64, Live>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A child under a [`Cancel`].
#[derive(Debug)]
pub(super) struct Watched {
    cancel: Cancel,
    id: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.cancel.live().remove(&self.id);
    }
}
