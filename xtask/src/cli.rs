//! The command line: what a person can type. Each phase's own file does the work.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// From a fresh clone to a verified deployment on minikube, and back to nothing.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 xtask itself failed, 2 usage, 3 configuration, 4 prerequisite, 5 cluster, 6 rollout, 7 build, \
8 release, 9 verify, 10 cleanup, 11 test, 130 interrupted.
Configuration: xtask.toml (docs/configuration.md). Failures: cargo xtask explain --list.";

/// Options of every phase.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Show the commands that are run, and the tools' own words under a failure; twice: their output too
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Say only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Colour: auto, always or never
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub(crate) color: Colour,
    /// How to tell what happens: lines for people, or one JSON object a line on stdout (docs/json.md)
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    pub(crate) message_format: MessageFormat,
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", env = "XTASK_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Answer every question with yes
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
    /// Also write the result as JUnit XML
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    #[default]
    Human,
    Json,
}

/// Which services and which layout a phase is about.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Selection {
    /// The layout of xtask.toml to deploy, if not its default
    #[arg(long, value_name = "NAME")]
    pub(crate) layout: Option<String>,
    /// Only this service (may be repeated)
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<String>,
}

/// What forces a build that the digest of its inputs can't see.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct BuildFlags {
    /// Build even where the node has the image of these inputs
    #[arg(long)]
    pub(crate) rebuild: bool,
    /// Build without docker's layer cache (implies --rebuild)
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Ask the registry for newer base images (implies --rebuild)
    #[arg(long)]
    pub(crate) pull: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the cluster; create it if there is none
    Setup,
    /// Build the images inside the cluster's docker
    BuildImages {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        build: BuildFlags,
    },
    /// Everything: cluster, images, secrets, releases, rollout, checks; only what is missing is done
    Deploy {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        build: BuildFlags,
        /// Stay and deploy again whenever a source file changes
        #[arg(long)]
        watch: bool,
    },
    /// Check that what runs is what should run; changes nothing
    Verify {
        #[command(flatten)]
        selection: Selection,
    },
    /// Run the application's own tests and the releases' helm tests
    Test {
        #[command(flatten)]
        selection: Selection,
    },
    /// Remove what deploy made; what will go is listed first
    Cleanup {
        /// What to remove
        #[arg(long, value_enum, default_value_t)]
        scope: Scope,
        /// Also the development database's volume and its password
        #[arg(long)]
        volumes: bool,
        #[command(flatten)]
        selection: Selection,
    },
    /// Stop the cluster without losing anything; setup starts it again
    Stop,
    /// Check tools, machine, cluster and configuration, all at once
    Doctor,
    /// Print what deploy would do and why; changes nothing
    Plan {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        build: BuildFlags,
    },
    /// The health of everything at a glance
    Status {
        #[command(flatten)]
        selection: Selection,
        /// Stay and show every change
        #[arg(long)]
        watch: bool,
    },
    /// The logs of one service, or of all
    Logs {
        /// The service of xtask.toml
        service: Option<String>,
        /// Stay and follow
        #[arg(short, long)]
        follow: bool,
        /// How many lines of each container
        #[arg(long, default_value_t = 100, value_name = "LINES")]
        tail: u32,
        /// The logs of the containers before their last restart
        #[arg(long)]
        previous: bool,
        #[command(flatten)]
        layout: LayoutFlag,
    },
    /// What a code of a failure means and what to do
    Explain {
        /// Such as XT412
        #[arg(required_unless_present = "list")]
        code: Option<String>,
        /// Every code, a line each
        #[arg(long)]
        list: bool,
    },
    /// Go back to a revision that worked
    Rollback {
        /// The revision of the release; without it the last one that was deployed before this
        revision: Option<u32>,
        /// The release, where the layout has several
        #[arg(long, value_name = "NAME")]
        release: Option<String>,
        #[command(flatten)]
        layout: LayoutFlag,
    },
    /// Open the application in the browser; where the node can't be reached, serve it on localhost
    Open {
        /// Only print the address
        #[arg(long)]
        print: bool,
        #[command(flatten)]
        layout: LayoutFlag,
    },
    /// Write a support bundle without secrets
    Report {
        /// Where to; without it under target/xtask/
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        layout: LayoutFlag,
    },
    /// The checks of this repository: fmt, clippy, tests, charts, and end to end where a cluster is at hand
    Ci {
        /// Run only this check (may be repeated)
        #[arg(long = "only", value_name = "CHECK")]
        only: Vec<String>,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The layout alone.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LayoutFlag {
    /// The layout of xtask.toml, if not the one that is deployed
    #[arg(long, value_name = "NAME")]
    pub(crate) layout: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// The releases and the secrets; images, cluster and the database's volume stay
    #[default]
    Release,
    /// The images of this project on the node
    Images,
    /// The cluster, if this project made it
    Cluster,
    /// All of it, and the volume
    All,
}
