//! `cargo run --release -p benches -- [SCENARIO...]`: xtask beside the bare tools doing the same work. See benches/README.md.

mod bare;
mod builds;
mod failure;
mod lab;
mod process;
mod scale;
mod table;
mod workspace;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

use lab::Lab;
use process::Call;
use table::Report;
use workspace::Config;

#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
struct Cli {
    /// What to measure; without it all but `cold`
    scenarios: Vec<Scenario>,
    /// How often each thing is done; the table shows the median
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The configuration that is deployed, from the workspace's root
    #[arg(long, default_value = "xtask.toml", value_name = "FILE")]
    config: PathBuf,
    /// Measure xtask's release build, not the dev build that `cargo xtask` runs
    #[arg(long)]
    release: bool,
    /// The source file that gets another line in `line`, from the workspace's root
    #[arg(long, default_value = "examples/todo-chatbot/backend/app/main.py")]
    edit: PathBuf,
    /// How many services the simulated deployments have
    #[arg(long, value_delimiter = ',', default_value = "1,10,100")]
    services: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Start-up time
    Start,
    /// A deploy with nothing to do, on the cluster that runs
    Noop,
    /// A deploy after one line changed, on the cluster that runs
    Line,
    /// A deploy with nothing to do, of many services, with simulated tools
    Scale,
    /// How soon the cause of a failure is named, on the cluster that runs
    Failure,
    /// A cold, a warm and an idle build of xtask
    Build,
    /// A deploy from nothing: deletes the cluster
    Cold,
}

impl Scenario {
    const ALL_BUT_COLD: [Self; 6] = [Self::Start, Self::Noop, Self::Line, Self::Failure, Self::Scale, Self::Build];
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nowhere to tell of a failed write to stderr.
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// True when everything that was asked for could be measured.
fn run(cli: &Cli) -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("benches is in no workspace")?.to_owned();
    let file = root.join(&cli.config);
    let config = Config::read(&file)?;
    let profile = if cli.release { "release" } else { "dev" };
    let folder = if cli.release { "release" } else { "debug" };
    Call::new("cargo", &root).args(["build", "--quiet", "--package", "xtask", "--profile", profile]).run()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let xtask = target.join(folder).join(format!("xtask{}", std::env::consts::EXE_SUFFIX));
    let lab = Lab { root: root.clone(), file, xtask: xtask.clone(), config, runs: cli.runs, edit: cli.edit.clone() };

    let scenarios = if cli.scenarios.is_empty() { Scenario::ALL_BUT_COLD.to_vec() } else { cli.scenarios.clone() };
    let mut report = Report::default();
    let mut complete = true;
    for scenario in scenarios {
        writeln!(io::stderr(), "measuring {scenario:?}")?;
        let result = match scenario {
            Scenario::Start => builds::start(&root, &xtask, cli.runs),
            Scenario::Noop => lab.no_op(),
            Scenario::Line => lab.line(),
            Scenario::Failure => lab.failure(),
            Scenario::Scale => scale::scale(&root, &xtask, &target, &cli.services, cli.runs),
            Scenario::Build => builds::build(&root, cli.runs),
            Scenario::Cold => lab.cold(),
        };
        match result {
            Ok(more) => report.add(more),
            Err(error) => {
                complete = false;
                report.notes.push(format!("not measured: {scenario:?}: {error:#}"));
            }
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    report
        .notes
        .push(format!("{cores} cores, {} runs each, medians with the least and the most, xtask's {profile} build", cli.runs));
    writeln!(io::stdout(), "{}", report.markdown())?;
    Ok(complete)
}
