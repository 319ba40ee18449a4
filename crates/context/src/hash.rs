//! Content digests of many files, side by side.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use hmac_sha256::Hash as Sha256;

use crate::error::Problem;
use crate::manifest::Sum;
use crate::stat::{Stat, stat};

/// How often a file that changes while it is read is read again.
const TRIES: usize = 3;

/// A file's content: its digest, and the state in which it was read.
pub(crate) type Hashed = (Stat, Sum);

/// How many threads read and hash: more do not help a disk.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8)
}

/// The digests of `files`, in their order.
pub(crate) fn files(files: &[PathBuf]) -> Vec<Result<Hashed, Problem>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = vec![0; 128 * 1024];
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(i) else { return done };
            done.push((i, file(path, &mut buffer)));
        }
    };
    let helpers = threads().min(files.len()).saturating_sub(1);
    let mut done = std::thread::scope(|scope| {
        let running: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for thread in running {
            match thread.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

fn file(path: &Path, buffer: &mut [u8]) -> Result<Hashed, Problem> {
    for _ in 0..TRIES {
        match attempt(path, buffer) {
            Ok(Some(hashed)) => return Ok(hashed),
            Ok(None) => {}
            Err(e) => return Err(Problem::Unreadable { path: path.to_owned(), reason: e.to_string() }),
        }
    }
    Err(Problem::Unsteady { path: path.to_owned() })
}

/// Nothing when the file changed meanwhile.
fn attempt(path: &Path, buffer: &mut [u8]) -> io::Result<Option<Hashed>> {
    let mut file = File::open(path)?;
    let before = stat(&file.metadata()?);
    let mut sha = Sha256::new();
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(n) => {
                sha.update(&buffer[..n]);
                size += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let steady = stat(&file.metadata()?) == before && size == before.size;
    Ok(steady.then(|| (before, sha.finalize())))
}
