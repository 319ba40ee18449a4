//! `cargo xtask`: from a fresh clone to a verified deployment on minikube, and back to nothing.

mod api;
mod ask;
mod browser;
mod bundle;
mod caches;
mod charts;
mod checks;
mod cli;
mod cluster_size;
mod containerd;
mod context;
mod desired;
mod exec;
mod failure;
mod generate;
mod health;
mod helm_tests;
mod hooks;
mod http;
mod inside;
mod job_logs;
mod look;
mod machine;
mod marker;
mod observe;
mod phases;
mod proof;
mod put_back;
mod remove;
mod retry;
mod session;
mod sources;
mod steps;
mod versions;
mod watch;
mod watch_files;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::session::Session;

fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let session = match Session::begin(&global) {
        Ok(session) => session,
        Err(error) => {
            report::last_words(&format!("error: {error:#}"));
            return ExitCode::from(plan::finding::Class::Internal.exit_code());
        }
    };
    let done = match command {
        Command::Setup => phases::deploy::setup(&session),
        Command::BuildImages { selection, build } => phases::deploy::build_images(&session, &selection, build),
        Command::Deploy { selection, build, watch } => phases::deploy::deploy(&session, &selection, build, watch),
        Command::Verify { selection } => phases::verify::verify(&session, &selection),
        Command::Test { selection } => phases::test::test(&session, &selection),
        Command::Cleanup { scope, volumes, selection } => phases::cleanup::cleanup(&session, scope, volumes, &selection),
        Command::Stop => phases::stop::stop(&session),
        Command::Doctor => phases::doctor::doctor(&session),
        Command::Plan { selection, build } => phases::plan::plan(&session, &selection, build),
        Command::Status { selection, watch } => phases::status::status(&session, &selection, watch),
        Command::Logs { service, follow, tail, previous, layout } => {
            phases::logs::logs(&session, &phases::logs::Request { service, follow, tail, previous }, &layout)
        }
        Command::Explain { code, list } => phases::explain::explain(&session, code.as_deref(), list),
        Command::Rollback { revision, release, layout } => {
            phases::rollback::rollback(&session, revision, release.as_deref(), &layout)
        }
        Command::Open { print, layout } => phases::open::open(&session, print, &layout),
        Command::Report { output, layout } => phases::report::report(&session, output, &layout),
        Command::Ci { only } => phases::ci::ci(&session, &only),
        Command::Completions { shell } => phases::completions::completions(&session, shell),
    };
    session.end(done)
}
