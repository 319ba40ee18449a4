//! `journal.jsonl`: one line a call, for people and for the support bundle. Holds no secret: text is redacted, of the environment
//! only names are kept, of stdin only the length.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::os;

/// One call, as it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// When it was started, RFC 3339 UTC.
    pub time: String,
    /// The program's name.
    pub tool: String,
    /// Its arguments.
    pub argv: Vec<String>,
    /// Why it was run.
    pub what: String,
    /// Where.
    pub cwd: String,
    /// The names of the variables that the invocation added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// How many bytes it was given to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin_bytes: Option<usize>,
    /// `0`, `1`…, `signal 15`, `deadline exceeded`, `cancelled`, `not found` or what the system said.
    pub exit: String,
    /// How long it ran (milliseconds).
    pub took_ms: u64,
    /// The end of what it said on stderr.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stderr_tail: String,
}

/// The file.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    limit: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    problem: Option<String>,
}

impl Journal {
    /// A journal at `path` that is moved to `…1.jsonl` when it is longer than `limit` bytes. Opened at the first line.
    pub(super) fn new(path: PathBuf, limit: u64) -> Self {
        Self { path, limit, state: Mutex::default() }
    }

    /// Appends one line. That it can't is no reason to stop a deployment: the first problem is kept for [`Journal::problem`].
    pub(super) fn write(&self, entry: &Entry) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.append(&mut state, entry) {
            state.file = None;
            state.problem.get_or_insert_with(|| format!("cannot write `{}`: {error}", self.path.display()));
        }
    }

    /// Why lines are missing, if they are.
    pub(super) fn problem(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }

    fn append(&self, state: &mut State, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if state.file.is_none() {
            state.file = Some(open(&self.path)?);
        }
        let full = state.file.as_ref().map_or(Ok(false), |file| file.metadata().map(|m| m.len() > self.limit))?;
        if full {
            state.file = None;
            fs_err::rename(&self.path, self.path.with_extension("1.jsonl"))?;
            state.file = Some(open(&self.path)?);
        }
        match &mut state.file {
            // One write to a file opened for appending: lines of two runs don't mix.
            Some(file) => file.write_all(&line),
            None => Ok(()),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    os::append_private(path)
}
