//! The way to the API server that a run opens once and keeps.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tools::Target;
use tools::kubectl::{Api, Logs};
use tools::runner::Runner;

/// Opened with the first question.
#[derive(Default)]
pub(crate) struct ApiServer(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    NotAsked,
    Open(Arc<Api>),
    /// There is none on this system.
    Impossible,
}

impl ApiServer {
    /// The objects of these lists; `None` where `kubectl get` has to be asked, because there is no such way or it does not answer.
    pub(crate) fn lists(&self, runner: &Runner, context: &str, paths: &[String]) -> Option<Vec<Value>> {
        let lists = self.way(runner, context)?.lists(paths);
        if lists.is_err() {
            // The cluster was started or moved since: the next question opens another.
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::NotAsked;
        }
        lists.ok()
    }

    /// The log of a pod, redacted; by a process where there is no such way.
    pub(crate) fn log(&self, runner: &Runner, target: &Target, logs: &Logs) -> String {
        let way = self.way(runner, &target.context);
        match way.and_then(|api| api.text(&logs.path(&target.namespace)).ok()) {
            Some(log) => runner.redacted(&log),
            // A log that is not there (yet) is empty, so that it isn't asked for again and again.
            None => tools::kubectl::logs(runner, target, logs).unwrap_or_default(),
        }
    }

    /// The way itself, for streams.
    pub(crate) fn way(&self, runner: &Runner, context: &str) -> Option<Arc<Api>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(api) => return Some(Arc::clone(api)),
            State::Impossible => return None,
            State::NotAsked if cfg!(not(unix)) => {
                *state = State::Impossible;
                return None;
            }
            State::NotAsked => {}
        }
        let api = Arc::new(Api::open(runner, context).ok()?);
        *state = State::Open(Arc::clone(&api));
        Some(api)
    }
}
