//! The paths that docker would send, with their metadata; folders are read side by side.

use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Problem;
use crate::hash::threads;
use crate::ignore::{IgnoreFile, Matcher, Met};
use crate::stat::{Kind, Stat, kind, stat};

/// One path that is sent.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Relative to the context, `/` between names.
    pub(crate) path: Vec<u8>,
    pub(crate) file: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) stat: Stat,
    /// The text of a symbolic link.
    pub(crate) target: Vec<u8>,
    /// A file that docker announces and then sends without its content.
    pub(crate) opens_empty: bool,
}

/// A folder to read.
struct Job {
    path: Vec<u8>,
    file: PathBuf,
    met: Met,
    left_out: bool,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// Folders that are being read: they may bring more jobs.
    busy: usize,
}

/// What one thread found.
#[derive(Default)]
struct Share {
    found: Vec<Found>,
    /// Folders that are left out but were entered: sent when something below them is.
    entered: Vec<Found>,
    problems: Vec<Problem>,
}

/// Everything below `context` that `matcher` lets through, in the order of the paths' bytes.
pub(crate) fn walk(context: &Path, matcher: &Matcher, file: &IgnoreFile) -> (Vec<Found>, Vec<Problem>) {
    let top = Job { path: Vec::new(), file: context.to_owned(), met: Met::default(), left_out: false };
    let queue = Mutex::new(Queue { jobs: vec![top], busy: 0 });
    let wake = Condvar::new();
    let work = || {
        let mut share = Share::default();
        while let Some(job) = next(&queue, &wake) {
            let reading = Reading { queue: &queue, wake: &wake };
            let more = read(&job, matcher, file, &mut share);
            lock(&queue).jobs.extend(more);
            drop(reading);
        }
        share
    };
    let mut all = std::thread::scope(|scope| {
        let running: Vec<_> = (1..threads()).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for thread in running {
            match thread.join() {
                Ok(share) => all.add(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    add_parents(&mut all);
    all.found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    (all.found, all.problems)
}

impl Share {
    fn add(&mut self, other: Self) {
        self.found.extend(other.found);
        self.entered.extend(other.entered);
        self.problems.extend(other.problems);
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder is being read; dropped when it was, or when its thread panicked, so that no other thread waits for it in vain.
struct Reading<'a> {
    queue: &'a Mutex<Queue>,
    wake: &'a Condvar,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        lock(self.queue).busy -= 1;
        self.wake.notify_all();
    }
}

/// The next folder, or nothing when all are read.
fn next(queue: &Mutex<Queue>, wake: &Condvar) -> Option<Job> {
    let mut queue = lock(queue);
    loop {
        if let Some(job) = queue.jobs.pop() {
            queue.busy += 1;
            return Some(job);
        }
        if queue.busy == 0 {
            return None;
        }
        queue = wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Reads one folder; gives back the folders in it that have to be read.
fn read(job: &Job, matcher: &Matcher, file: &IgnoreFile, share: &mut Share) -> Vec<Job> {
    let mut more = Vec::new();
    let entries = match std::fs::read_dir(&job.file) {
        Ok(entries) => entries,
        // A folder that is left out is only entered for what an exception may bring back; docker minds no more than this.
        Err(e) if job.left_out && e.kind() == io::ErrorKind::PermissionDenied => return more,
        Err(e) => return fail(&job.file, &e, share),
    };
    for entry in entries {
        let step = match entry {
            Ok(entry) => visit(job, &entry, matcher, file, share).map_err(|e| (entry.path(), e)),
            Err(e) => Err((job.file.clone(), e)),
        };
        match step {
            Ok(job) => more.extend(job),
            Err((path, e)) => more.extend(fail(&path, &e, share)),
        }
    }
    more
}

/// Something that vanished since its folder was read is not there; all else is a problem.
fn fail(path: &Path, e: &io::Error, share: &mut Share) -> Vec<Job> {
    if e.kind() != io::ErrorKind::NotFound {
        share.problems.push(Problem::Unreadable { path: path.to_owned(), reason: e.to_string() });
    }
    Vec::new()
}

fn visit(job: &Job, entry: &DirEntry, matcher: &Matcher, file: &IgnoreFile, share: &mut Share) -> io::Result<Option<Job>> {
    let name = entry.file_name();
    let mut path = Vec::with_capacity(job.path.len() + name.len() + 1);
    path.extend_from_slice(&job.path);
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.as_encoded_bytes());

    let is_dir = entry.file_type()?.is_dir();
    let mut met = Met::default();
    let verdict = match matcher.verdict(&path, &job.met, is_dir.then_some(&mut met)) {
        Ok(verdict) => verdict,
        Err(refused) => {
            share.problems.extend(matcher.problem(&refused, file));
            return Ok(None);
        }
    };
    if verdict.left_out && (!is_dir || matcher.prunes(&path)) {
        return Ok(None);
    }
    let meta = entry.metadata()?;
    let found_kind = kind(&meta);
    let target = if found_kind == Kind::Symlink {
        std::fs::read_link(entry.path())?.into_os_string().into_encoded_bytes()
    } else {
        Vec::new()
    };
    let found = Found {
        file: entry.path(),
        kind: found_kind,
        stat: stat(&meta),
        target,
        opens_empty: verdict.opens_empty && !verdict.left_out,
        path: path.clone(),
    };
    let file = found.file.clone();
    let list = if verdict.left_out { &mut share.entered } else { &mut share.found };
    list.push(found);
    Ok(is_dir.then_some(Job { path, file, met, left_out: verdict.left_out }))
}

/// A folder that is left out is sent all the same when something below it is.
fn add_parents(all: &mut Share) {
    let mut entered: BTreeMap<Vec<u8>, Found> = all.entered.drain(..).map(|f| (f.path.clone(), f)).collect();
    if entered.is_empty() {
        return;
    }
    for i in 0..all.found.len() {
        let slashes: Vec<usize> = all.found[i].path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).collect();
        for at in slashes {
            let parent = entered.remove(&all.found[i].path[..at]);
            all.found.extend(parent);
        }
    }
}
