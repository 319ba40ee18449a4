//! One run at a time, and nothing left of the last one.
//!
//! The lock is a file lock, so it ends with its process. The file lists the children of the run that holds it, appended as they
//! start (`+PID START`) and end (`-PID`): what a killed run left is found there by the next, and ended if the process id still
//! belongs to the process that was started then.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::os::{self, Group};

/// How long a process that was left behind may take to end politely.
const GRACE: Duration = Duration::from_secs(5);

/// Why the lock was not got.
#[derive(Debug)]
pub enum LockError {
    /// Another run holds it.
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process id of that run, where the file can be read while it is held (not on Windows).
        holder: Option<u32>,
    },
    /// The file can't be opened or written.
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { path, holder } => {
                write!(f, "another run of cargo xtask holds `{}`", path.display())?;
                holder.map_or(Ok(()), |pid| write!(f, " (process {pid})"))
            }
            Self::Io { path, .. } => write!(f, "cannot take the lock `{}`", path.display()),
        }
    }
}

impl Error for LockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Held { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// A process that a killed run left behind and this run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its process id.
    pub pid: u32,
    /// Whether it was seen to be gone afterwards.
    pub ended: bool,
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    pub(super) children: Arc<Children>,
    orphans: Vec<Orphan>,
}

impl RunLock {
    /// Takes the lock at `path` and ends what the last run left behind.
    pub(super) fn take(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = os::append_private(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read(&mut file).ok().and_then(|text| holder(&text));
                return Err(LockError::Held { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let orphans = left_behind(&read(&mut file).map_err(failed)?).into_iter().map(end).collect();
        file.set_len(0).map_err(failed)?;
        writeln!(file, "run {}", std::process::id()).map_err(failed)?;
        Ok(Self { children: Arc::new(Children { file: Mutex::new(file) }), orphans })
    }

    /// What a killed run had left behind.
    pub fn orphans(&self) -> &[Orphan] {
        &self.orphans
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The runner may hold the list a little longer than the lock; the lock itself ends here. An error leaves the lock to the
        // end of the process.
        let file = self.children.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.unlock().unwrap_or_default();
    }
}

/// The list of children in the lock file.
#[derive(Debug)]
pub(super) struct Children {
    file: Mutex<File>,
}

impl Children {
    /// Notes a started child. Where its start time can't be known it is not noted: nobody else must be ended for it.
    pub(super) fn started(&self, pid: u32) {
        if let Some(start) = os::start_time(pid) {
            self.line(&format!("+{pid} {start}\n"));
        }
    }

    /// Notes that a child has ended.
    pub(super) fn ended(&self, pid: u32) {
        self.line(&format!("-{pid}\n"));
    }

    fn line(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Not written (disk full): only the clean-up after a killed run is lost, not this run.
        file.write_all(line.as_bytes()).unwrap_or_default();
    }
}

fn read(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn holder(text: &str) -> Option<u32> {
    text.lines().next()?.strip_prefix("run ")?.trim().parse().ok()
}

/// The children that were started and not seen to end, with their start times.
fn left_behind(text: &str) -> Vec<(u32, String)> {
    let mut left = BTreeMap::new();
    for line in text.lines() {
        if let Some((pid, start)) = line.strip_prefix('+').and_then(|l| l.split_once(' ')) {
            if let Ok(pid) = pid.parse::<u32>() {
                left.insert(pid, start.to_owned());
            }
        } else if let Some(pid) = line.strip_prefix('-').and_then(|pid| pid.parse::<u32>().ok()) {
            left.remove(&pid);
        }
    }
    left.into_iter().filter(|(pid, start)| os::start_time(*pid).as_ref() == Some(start)).collect()
}

fn end((pid, start): (u32, String)) -> Orphan {
    let group = Group::of(pid);
    let is_there = || os::start_time(pid).as_ref() == Some(&start);
    group.terminate();
    for kill in [false, true] {
        let until = Instant::now() + GRACE;
        while is_there() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        if !kill {
            // Also when the first process is gone: its group may have others that did not listen.
            group.kill();
        }
    }
    Orphan { pid, ended: !is_there() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_as_it_was_written() {
        assert_eq!(holder("run 42\n+1 a\n"), Some(42));
        assert_eq!(holder("garbage"), None);
        let me = std::process::id();
        let start = os::start_time(me).unwrap();
        assert_eq!(left_behind(&format!("run 1\n+{me} {start}\n")), [(me, start.clone())]);
        assert_eq!(left_behind(&format!("run 1\n+{me} {start}\n-{me}\n")), []);
        assert_eq!(left_behind(&format!("run 1\n+{me} of another boot 1\n+x y\n+\n")), []);
        assert_eq!(left_behind(&format!("+{me} {}", &start[..start.len() - 1])), []);
    }

    #[test]
    fn a_second_run_is_refused_and_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("xtask/lock");
        let lock = RunLock::take(&path).unwrap();
        let Err(LockError::Held { holder, .. }) = RunLock::take(&path) else { panic!("the lock was taken twice") };
        assert_eq!(holder, cfg!(unix).then(std::process::id));
        drop(lock);
        assert_eq!(RunLock::take(&path).unwrap().orphans(), []);
    }
}
