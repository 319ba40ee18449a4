//! The way to the API server that a run opens once and keeps.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tools::kubectl::Api;
use tools::runner::Runner;

/// Opened with the first question.
#[derive(Default)]
pub(crate) struct ApiServer(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    NotAsked,
    Open(Arc<Opened>),
    /// There is none on this system.
    Impossible,
}

/// The fields are dropped in this order: the process ends before its folder goes.
struct Opened {
    api: Api,
    _folder: tempfile::TempDir,
}

impl ApiServer {
    /// The objects of these lists; `None` where `kubectl get` has to be asked, because there is no such way or it does not answer.
    pub(crate) fn lists(&self, runner: &Runner, context: &str, paths: &[String]) -> Option<Vec<Value>> {
        let opened = self.opened(runner, context)?;
        let lists = opened.api.lists(paths);
        if lists.is_err() {
            // The cluster was started or moved since: the next question opens another.
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::NotAsked;
        }
        lists.ok()
    }

    fn opened(&self, runner: &Runner, context: &str) -> Option<Arc<Opened>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(opened) => return Some(Arc::clone(opened)),
            State::Impossible => return None,
            State::NotAsked if cfg!(not(unix)) => {
                *state = State::Impossible;
                return None;
            }
            State::NotAsked => {}
        }
        let folder = private_folder().ok()?;
        let api = Api::open(runner, context, folder.path().join("api")).ok()?;
        let opened = Arc::new(Opened { api, _folder: folder });
        *state = State::Open(Arc::clone(&opened));
        Some(opened)
    }
}

/// A folder that only this user can enter: whoever reaches the socket can read Secrets.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("xtask-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}
