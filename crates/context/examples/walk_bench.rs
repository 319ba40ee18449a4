//! How long a digest of many files takes, beside other programs that read the same metadata.
//!
//! `cargo run --release -p context --example walk_bench -- [FILES] [RUNS]`, by default 100,000 files of about 1 kB and 5 runs.
//! Makes the files under the system's folder for temporary files. Best of the runs, in milliseconds.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use context::{BuildInputs, StatCache, digest};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let files = args.next().transpose()?.unwrap_or(100_000);
    let runs = args.next().transpose()?.unwrap_or(5);
    let dir = tempfile::tempdir()?;
    let (context, cache) = (dir.path().join("context"), dir.path().join("stat-cache.json"));
    fill(&context, files)?;
    let inputs = BuildInputs { dockerfile: context.join("Dockerfile"), context: context.clone(), ..BuildInputs::default() };
    // Files have to be older than the cache's margin before it trusts them.
    std::thread::sleep(Duration::from_millis(2500));

    let mut rows = Vec::new();
    let cold = best(1, || digest(&inputs, &mut StatCache::in_memory()).map(drop).map_err(Failure::from))?;
    rows.push(("digest, every file read".to_owned(), cold));
    let mut stored = StatCache::load(&cache);
    let first = digest(&inputs, &mut stored)?;
    rows.push(("stat cache written".to_owned(), best(1, || Ok(stored.save()?))?));
    let mut hashed = 0;
    let warm = best(runs, || {
        let mut cache = StatCache::load(&cache);
        hashed = digest(&inputs, &mut cache)?.hashed;
        // The process ends soon after in real use: giving the memory back is not part of the work.
        std::mem::forget(cache);
        Ok(())
    })?;
    rows.push((format!("digest, stat cache read, {hashed} files read"), warm));
    let mut kept = StatCache::load(&cache);
    rows.push((
        "the same with the cache in memory (watching)".to_owned(),
        best(runs, || digest(&inputs, &mut kept).map(drop).map_err(Failure::from))?,
    ));
    rows.push(("find -printf (metadata of every file)".to_owned(), best(runs, || find(&context))?));
    git(&context, &["init", "--quiet"])?;
    git(&context, &["add", "."])?;
    rows.push(("git status (its index refreshed)".to_owned(), best(runs, || git(&context, &["status", "--short"]))?));

    let mut out = io::stdout().lock();
    writeln!(out, "{} files, {} bytes, digest {}\n", first.files, first.bytes, first.short())?;
    for (what, time) in rows {
        writeln!(out, "{:>8.0} ms  {what}", time.as_secs_f64() * 1000.0)?;
    }
    Ok(())
}

/// Folders of 100 files, nested three deep.
fn fill(context: &Path, files: usize) -> io::Result<()> {
    for i in 0..files {
        let dir = context.join(format!("package-{}/src/module-{}", i / 2000, i / 100));
        if i % 100 == 0 {
            std::fs::create_dir_all(&dir)?;
        }
        std::fs::write(dir.join(format!("file-{i}.txt")), format!("{i}\n").repeat(1000 / (i.to_string().len() + 1)))?;
    }
    std::fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY . /\n")?;
    std::fs::write(context.join(".dockerignore"), ".git\n**/node_modules\n**/*.pyc\n*.md\n!README.md\n")
}

fn best(runs: usize, mut work: impl FnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

fn find(context: &Path) -> Result<(), Failure> {
    run(Path::new("/"), "find", &[&context.to_string_lossy(), "-printf", "%p %s %T@ %m %i\n"])
}

fn git(context: &Path, args: &[&str]) -> Result<(), Failure> {
    run(context, "git", args)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has to start what it is compared with; the crate starts no process")]
fn run(dir: &Path, program: &str, args: &[&str]) -> Result<(), Failure> {
    let status = Command::new(program).args(args).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("`{program}` failed: {status}").into()) }
}
