//! `completions`: a script for the shell.

use clap::CommandFactory as _;
use report::event::Event;

use crate::cli::Cli;
use crate::session::{Done, Phase, Session};

/// `cargo xtask completions SHELL`. The script completes `xtask`, for those who alias it or put it on PATH.
#[expect(clippy::unnecessary_wraps, reason = "a phase like the others, which can fail")]
pub(crate) fn completions(session: &Session, shell: clap_complete::Shell) -> Phase {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "xtask", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    let data = serde_json::json!({"script": text});
    session.reporter.send(Event::Answer { about: "completions", text, data });
    Ok(Done::default())
}
