//! The paths that docker would send, with their metadata and what the stat cache knows; folders are read side by side.

use std::ffi::OsString;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Problem;
use crate::hash::threads;
use crate::ignore::{IgnoreFile, Matcher, Met};
use crate::manifest::Sum;
use crate::stat::{Kind, Stat, kind, stat};

/// One path that is sent.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to the context, `/` between names.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) stat: Stat,
    /// The text of a symbolic link.
    pub(crate) target: Vec<u8>,
    /// The digest of a file's content, if the stat cache knows it.
    pub(crate) known: Option<Sum>,
    /// A file that docker announces and then sends without its content.
    pub(crate) opens_empty: bool,
    dir: Arc<Path>,
    name: OsString,
}

impl Found {
    /// Where it is on this machine.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join(&self.name)
    }
}

/// What a walk needs to know.
pub(crate) struct Walk<'a> {
    pub(crate) context: &'a Path,
    pub(crate) matcher: &'a Matcher,
    pub(crate) ignore: &'a IgnoreFile,
    /// The stat cache: path and state to digest.
    pub(crate) known: &'a (dyn Fn(&[u8], &Stat) -> Option<Sum> + Sync),
}

/// A folder to read.
struct Job {
    /// Its place among the listings.
    id: usize,
    path: Vec<u8>,
    file: Arc<Path>,
    met: Met,
    left_out: bool,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// How many folders were ever queued.
    ids: usize,
    /// Folders that are being read: they may bring more jobs.
    busy: usize,
}

/// One name of a folder.
struct Listed {
    found: Found,
    /// The listing of a folder that is read too.
    below: Option<usize>,
    /// A folder that is left out but entered: sent only when something below it is.
    left_out: bool,
}

/// What one thread found.
#[derive(Default)]
struct Share {
    listings: Vec<(usize, Vec<Listed>)>,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    /// Everything that is sent, each folder before its content, the names of a folder in the order of their bytes.
    pub(crate) fn run(&self) -> (Vec<Found>, Vec<Problem>) {
        let top = Job { id: 0, path: Vec::new(), file: Arc::from(self.context), met: Met::default(), left_out: false };
        let queue = Mutex::new(Queue { jobs: vec![top], ids: 1, busy: 0 });
        let wake = Condvar::new();
        let work = || {
            let mut share = Share::default();
            while let Some(job) = next(&queue, &wake) {
                let reading = Reading { queue: &queue, wake: &wake };
                self.read(&job, &queue, &mut share);
                drop(reading);
            }
            share
        };
        let (listings, problems) = std::thread::scope(|scope| {
            let running: Vec<_> = (1..threads()).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for thread in running {
                match thread.join() {
                    Ok(share) => {
                        all.listings.extend(share.listings);
                        all.problems.extend(share.problems);
                    }
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            (all.listings, all.problems)
        });
        let mut by_id: Vec<Vec<Listed>> = Vec::new();
        by_id.resize_with(lock(&queue).ids, Vec::new);
        for (id, listing) in listings {
            by_id[id] = listing;
        }
        let mut found = Vec::new();
        flatten(&mut by_id, 0, &mut found);
        (found, problems)
    }

    /// Reads one folder; queues the folders in it that have to be read.
    fn read(&self, job: &Job, queue: &Mutex<Queue>, share: &mut Share) {
        let entries = match std::fs::read_dir(&job.file) {
            Ok(entries) => entries,
            // A folder that is left out is only entered for what an exception may bring back; docker minds no more than this.
            Err(e) if job.left_out && e.kind() == io::ErrorKind::PermissionDenied => return,
            Err(e) => return fail(&job.file, &e, share),
        };
        let mut listing = Vec::new();
        let mut more = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => match self.visit(job, &entry, share) {
                    Ok(Some((listed, below))) => {
                        more.extend(below.map(|below| (listing.len(), below)));
                        listing.push(listed);
                    }
                    Ok(None) => {}
                    Err(e) => fail(&entry.path(), &e, share),
                },
                Err(e) => fail(&job.file, &e, share),
            }
        }
        if !more.is_empty() {
            let mut queue = lock(queue);
            for (at, mut below) in more {
                below.id = queue.ids;
                queue.ids += 1;
                listing[at].below = Some(below.id);
                queue.jobs.push(below);
            }
        }
        listing.sort_unstable_by(|a, b| a.found.path.cmp(&b.found.path));
        share.listings.push((job.id, listing));
    }

    /// One name: nothing when it is left out; with a job when it is a folder to read.
    fn visit(&self, job: &Job, entry: &DirEntry, share: &mut Share) -> io::Result<Option<(Listed, Option<Job>)>> {
        let name = entry.file_name();
        let mut path = Vec::with_capacity(job.path.len() + name.len() + 1);
        path.extend_from_slice(&job.path);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_encoded_bytes());

        let is_dir = entry.file_type()?.is_dir();
        let mut met = Met::default();
        let verdict = match self.matcher.verdict(&path, &job.met, is_dir.then_some(&mut met)) {
            Ok(verdict) => verdict,
            Err(refused) => {
                share.problems.extend(self.matcher.problem(&refused, self.ignore));
                return Ok(None);
            }
        };
        if verdict.left_out && (!is_dir || self.matcher.prunes(&path)) {
            return Ok(None);
        }
        let meta = entry.metadata()?;
        let (kind, stat) = (kind(&meta), stat(&meta));
        let target = if kind == Kind::Symlink {
            std::fs::read_link(entry.path())?.into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        let known = if kind == Kind::File && !verdict.opens_empty { (self.known)(&path, &stat) } else { None };
        let below =
            is_dir.then(|| Job { id: 0, path: path.clone(), file: Arc::from(entry.path()), met, left_out: verdict.left_out });
        let found = Found { path, kind, stat, target, known, opens_empty: verdict.opens_empty, dir: Arc::clone(&job.file), name };
        Ok(Some((Listed { found, below: None, left_out: verdict.left_out }, below)))
    }
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

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Something that vanished since its folder was read is not there; all else is a problem.
fn fail(path: &Path, e: &io::Error, share: &mut Share) {
    if e.kind() != io::ErrorKind::NotFound {
        share.problems.push(Problem::Unreadable { path: path.to_owned(), reason: e.to_string() });
    }
}

/// Puts the listings into one list. A folder that is left out goes away again when nothing below it is sent.
fn flatten(listings: &mut Vec<Vec<Listed>>, id: usize, found: &mut Vec<Found>) {
    for listed in std::mem::take(&mut listings[id]) {
        found.push(listed.found);
        let before = found.len();
        if let Some(below) = listed.below {
            flatten(listings, below, found);
        }
        if listed.left_out && found.len() == before {
            found.pop();
        }
    }
}
