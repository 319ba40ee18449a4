//! The one place of the benchmarks that starts processes, and their clock.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A command that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    program: OsString,
    args: Vec<String>,
    dir: PathBuf,
    env: BTreeMap<String, OsString>,
    stdin: Option<Vec<u8>>,
}

/// What it printed, and how long it took.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) time: Duration,
}

impl Call {
    pub(crate) fn new(program: impl Into<OsString>, dir: &Path) -> Self {
        Self { program: program.into(), args: Vec::new(), dir: dir.to_owned(), env: BTreeMap::new(), stdin: None }
    }

    pub(crate) fn args<I: IntoIterator<Item = S>, S: Into<String>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn envs(mut self, env: &BTreeMap<String, OsString>) -> Self {
        self.env.extend(env.clone());
        self
    }

    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// Runs it to its end; anything but exit code 0 is an error with what it said.
    pub(crate) fn run(&self) -> Result<Ran> {
        let name = self.program.to_string_lossy();
        let input = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut command = self.command();
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("can't start `{name}`"))?;
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), &self.stdin) {
            pipe.write_all(bytes)?;
        }
        let output = child.wait_with_output()?;
        let time = start.elapsed();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let said = [stdout.trim(), String::from_utf8_lossy(&output.stderr).trim()].join("\n");
            let last: Vec<&str> = said.lines().rev().take(15).collect();
            let tail: Vec<&str> = last.into_iter().rev().collect();
            bail!("`{name} {}` ended with {}:\n{}", self.args.join(" "), output.status, tail.join("\n"));
        }
        Ok(Ran { stdout, time })
    }
}

impl Call {
    #[expect(clippy::disallowed_methods, reason = "benchmarks start what they measure; this crate is no part of xtask")]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.dir).envs(&self.env);
        command
    }

    /// Runs it to its end, whatever that is, and gives each line of stderr when it comes; the answer is all of them.
    pub(crate) fn stderr_lines(&self, mut on_line: impl FnMut(&str)) -> Result<String> {
        let mut child = self.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut all = String::new();
        for line in child.stderr.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
            let line = line?;
            on_line(&line);
            all.extend([line.as_str(), "\n"]);
        }
        child.wait()?;
        Ok(all)
    }

    /// Lets it run and gives each line of stdout when it comes, until the answer is dropped.
    pub(crate) fn follow(&self, mut on_line: impl FnMut(&str) + Send + 'static) -> Result<Following> {
        let mut child = self.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        if let Some(pipe) = child.stdout.take() {
            // It ends with the pipe, when the child is killed.
            std::thread::spawn(move || BufReader::new(pipe).lines().map_while(Result::ok).for_each(|line| on_line(&line)));
        }
        Ok(Following(child))
    }
}

/// A child that is ended when this is dropped.
pub(crate) struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Times a piece of work.
pub(crate) fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}
