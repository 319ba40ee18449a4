//! The frame around a phase: what the process was given, the reporter, and the one place where a result becomes an exit code.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use fs_err as fs;
use plan::catalogue::codes;
use plan::config::{Config, Files};
use plan::envfile::{self, Resolved};
use plan::finding::{Class, Finding, Severity};
use plan::problem;
use report::Reporter;
use report::commands::Commands;
use report::display::{self, Format, ReportConfig, Verbosity};
use report::event::Event;
use report::files::ReportFiles;
use tools::runner::{Call, Cancel, RunLock, Runner, RunnerConfig};

use crate::cli::{BuildFlags, Colour, Global, MessageFormat, Selection};
use crate::context::{Context, Parts};

/// The variables of the environment that this tool reads itself; every other one is its children's.
mod variables {
    /// Set by cargo: the folder of xtask's manifest.
    pub(super) const MANIFEST_DIR: &str = "CARGO_MANIFEST_DIR";
    /// Any CI.
    pub(super) const CI: &str = "CI";
    /// GitHub's.
    pub(super) const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
}

/// How a phase ended when it did not fail.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The closing line.
    pub(crate) summary: String,
    /// What a person can do now.
    pub(crate) pointers: Vec<(&'static str, String)>,
    /// 0, unless the phase says otherwise without a finding of its own (`status` of something unhealthy).
    pub(crate) exit_code: u8,
}

impl Done {
    /// Ended well, with this closing line.
    pub(crate) fn saying(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// Adds a pointer.
    pub(crate) fn pointer(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.pointers.push((label, text.into()));
        self
    }
}

/// How a phase failed.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    /// Why, root causes first.
    pub(crate) findings: Vec<Finding>,
    /// What is not done now, and what to do.
    pub(crate) summary: String,
}

impl From<Finding> for Failed {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding], summary: String::new() }
    }
}

impl From<Vec<Finding>> for Failed {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, summary: String::new() }
    }
}

/// What a phase returns.
pub(crate) type Phase = Result<Done, Failed>;

/// One call of `cargo xtask`.
pub(crate) struct Session {
    /// The folder of xtask.toml.
    pub(crate) root: PathBuf,
    /// The folder of caches, records and the lock.
    pub(crate) state: PathBuf,
    /// xtask.toml.
    pub(crate) config_file: PathBuf,
    /// Starts processes.
    pub(crate) runner: Runner,
    /// Tells what happens.
    pub(crate) reporter: Reporter,
    /// `--yes`.
    pub(crate) yes: bool,
    interactive: bool,
    /// When this call began, or with `--watch` its last cycle.
    begun: Mutex<Instant>,
}

impl Session {
    /// Sets up reporter, runner and signals; reads no configuration yet, so that `explain` works without one.
    pub(crate) fn begin(global: &Global) -> anyhow::Result<Self> {
        let Global { verbose, quiet, color, message_format, config, yes, junit } = global;
        let workspace = workspace_root()?;
        let config_file = match config {
            Some(file) => std::path::absolute(file).with_context(|| format!("cannot use `{}`", file.display()))?,
            None => workspace.join("xtask.toml"),
        };
        let root = config_file.parent().unwrap_or(Path::new(".")).to_owned();
        // Links lead to one folder by several names.
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let state = crate::context::state_folder(&real(&workspace), &real(&root));
        let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
        let says = |name: &str, value: &str| variable(name).is_some_and(|v| v == value);
        let reporter = Reporter::new(
            &ReportConfig {
                format: match message_format {
                    MessageFormat::Human => Format::Human,
                    MessageFormat::Json => Format::Json,
                },
                verbosity: match (quiet, verbose) {
                    (true, _) => Verbosity::Quiet,
                    (_, 0) => Verbosity::Normal,
                    (_, 1) => Verbosity::Verbose,
                    _ => Verbosity::Debug,
                },
                colour: match color {
                    Colour::Auto => display::Colour::Auto,
                    Colour::Always => display::Colour::Always,
                    Colour::Never => display::Colour::Never,
                },
                stdout_is_terminal: std::io::stdout().is_terminal(),
                stderr_is_terminal: std::io::stderr().is_terminal(),
                term_is_dumb: says("TERM", "dumb") || (!cfg!(windows) && variable("TERM").is_none()),
                is_ci: variable(variables::CI).is_some_and(|v| v != "false"),
                github_actions: says(variables::GITHUB_ACTIONS, "true"),
                no_color: variable("NO_COLOR").is_some(),
                clicolor_force: variable("CLICOLOR_FORCE").is_some_and(|v| v != "0"),
                clicolor_off: says("CLICOLOR", "0"),
                width: None,
                unicode: ["LC_ALL", "LC_CTYPE", "LANG"]
                    .iter()
                    .filter_map(|n| variable(n))
                    .any(|v| v.to_string_lossy().to_uppercase().contains("UTF-8")),
            },
            ReportFiles {
                junit: junit.clone(),
                timeline: Some(state.join("timeline.html")),
                step_summary: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            },
        )?;
        let typed = config.as_deref().map(Path::to_string_lossy);
        let reporter = reporter.with_commands(Commands::new(typed.as_deref()));
        let cancel = Cancel::new();
        cancel.on_signals().context("cannot listen for Ctrl-C")?;
        let sink = reporter.clone();
        let runner = Runner::new(RunnerConfig {
            cancel,
            observer: Some(std::sync::Arc::new(move |call: Call<'_>| {
                if let Call::Starts(invocation) = call {
                    sink.send(Event::Command { line: invocation.command_line() });
                }
            })),
            journal: state.join("journal.jsonl"),
            lock: state.join("lock"),
            ..RunnerConfig::new(&root)
        });
        let interactive = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && variable(variables::CI).is_none();
        Ok(Self { root, state, config_file, runner, reporter, yes: *yes, interactive, begun: Mutex::new(Instant::now()) })
    }

    /// Reads and checks xtask.toml and the environment file, all problems at once.
    pub(crate) fn context(&self, selection: &Selection, build: BuildFlags) -> Result<Context, Failed> {
        let config = self.config()?;
        let environment = Self::environment(&config)?;
        let layout = selection.layout.clone().unwrap_or_else(|| config.layout.clone());
        if !config.layouts.contains_key(&layout) {
            return Err(unknown("layout", &layout, config.layouts.keys()).into());
        }
        if layout != config.layout {
            self.reporter.of_layout(&layout);
        }
        for service in &selection.services {
            if config.layouts[&layout].of_service(service).is_none() {
                let known = config.layouts[&layout].releases.iter().flat_map(|r| r.services.keys());
                return Err(unknown("service", service, known).into());
            }
        }
        for warning in config.warnings.iter().chain(&environment.warnings) {
            self.reporter.send(Event::Note { text: format!("{}: {}", warning.place(), warning.sentence()) });
        }
        for entry in environment.keys.values().filter(|entry| entry.secret) {
            if let Some(value) = &entry.value {
                self.runner.redact(value);
            }
        }
        Context::new(Parts {
            root: self.root.clone(),
            state: self.state.clone(),
            config,
            layout,
            environment,
            runner: self.runner.clone(),
            reporter: self.reporter.clone(),
            build,
            only: selection.services.iter().cloned().collect::<BTreeSet<_>>(),
            yes: self.yes,
            interactive: self.interactive,
        })
        .map_err(|e| crate::failure::io(&e).into())
    }

    /// As much of a context as can be had, and the findings about the rest: for phases that look at what is broken too. Without a value in
    /// the environment file there is none; nothing may be deployed with such a context.
    pub(crate) fn lenient_context(&self, layout: Option<&str>) -> (Option<Context>, Vec<Finding>) {
        let config = match self.config() {
            Ok(config) => config,
            Err(failed) => return (None, failed.findings),
        };
        let mut findings = Vec::new();
        findings.extend(problem::finding(codes::CONFIG_PROBLEM, &config.warnings));
        let environment = Self::environment(&config).unwrap_or_else(|failed| {
            findings.extend(failed.findings);
            Resolved::default()
        });
        findings.extend(problem::finding(codes::ENV_FILE_PROBLEM, &environment.warnings));
        for value in environment.keys.values().filter(|entry| entry.secret).filter_map(|entry| entry.value.as_ref()) {
            self.runner.redact(value);
        }
        let layout =
            layout.filter(|name| config.layouts.contains_key(*name)).map_or_else(|| config.layout.clone(), str::to_owned);
        let context = Context::new(Parts {
            root: self.root.clone(),
            state: self.state.clone(),
            config,
            layout,
            environment,
            runner: self.runner.clone(),
            reporter: self.reporter.clone(),
            build: BuildFlags::default(),
            only: BTreeSet::new(),
            yes: self.yes,
            interactive: self.interactive,
        });
        match context {
            Ok(context) => (Some(context), findings),
            Err(error) => {
                findings.push(crate::failure::io(&error));
                (None, findings)
            }
        }
    }

    /// xtask.toml.
    pub(crate) fn config(&self) -> Result<Config, Failed> {
        let name = self.config_file.strip_prefix(&self.root).unwrap_or(&self.config_file);
        let text = fs::read_to_string(&self.config_file).map_err(|e| {
            Finding::error(
                codes::PATH_MISSING,
                Class::Config,
                name.display().to_string(),
                format!("cannot read the configuration: {e}"),
            )
            .advice("docs/configuration.md shows a minimal xtask.toml")
        })?;
        Config::parse(&text, self.config_file.display().to_string(), &Disk)
            .map_err(|problems| problem::finding(codes::CONFIG_PROBLEM, &problems).into_iter().collect::<Vec<_>>().into())
    }

    fn environment(config: &Config) -> Result<Resolved, Failed> {
        let read = |path: &Path| match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(crate::failure::io(&e)),
        };
        let text = read(&config.environment.file)?;
        let example = read(&config.environment.example)?;
        envfile::resolve(config, text.as_deref(), example.as_deref())
            .map_err(|problems| problem::finding(codes::ENV_FILE_PROBLEM, &problems).into_iter().collect::<Vec<_>>().into())
    }

    /// Takes the run lock: for phases that change something.
    pub(crate) fn lock(&self) -> Result<RunLock, Failed> {
        let lock = self.runner.lock().map_err(|e| Failed::from(crate::failure::lock(&e)))?;
        for orphan in lock.orphans() {
            self.reporter.send(Event::Note { text: format!("ended what a killed run left behind: process {}", orphan.pid) });
        }
        Ok(lock)
    }

    /// The clock of a further cycle starts.
    pub(crate) fn begin_again(&self) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The configuration's file.
    pub(crate) fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Says how it ended, and ends.
    pub(crate) fn end(&self, phase: Phase) -> ExitCode {
        let exit_code = self.tell(phase);
        match self.reporter.close() {
            Ok(()) => ExitCode::from(exit_code),
            Err(error) => {
                report::last_words(&format!("error: cannot write what happened: {error}"));
                ExitCode::from(Class::Internal.exit_code().max(exit_code))
            }
        }
    }

    /// Says how a run ended; the only place where a result becomes an exit code.
    pub(crate) fn tell(&self, phase: Phase) -> u8 {
        let (exit_code, summary, pointers) = match phase {
            Ok(Done { summary, pointers, exit_code }) => (exit_code, summary, pointers),
            Err(Failed { findings, summary }) => {
                let class = if self.runner.cancel().is_requested() {
                    Class::Interrupted
                } else {
                    findings.iter().find(|f| f.severity == Severity::Error).map_or(Class::Internal, |f| f.class)
                };
                for finding in findings {
                    self.reporter.send(Event::Finding(Box::new(finding)));
                }
                (class.exit_code(), summary, Vec::new())
            }
        };
        if let Some(problem) = self.runner.journal_problem() {
            self.reporter.send(Event::Note { text: format!("the journal could not be written: {problem}") });
        }
        self.reporter.send(Event::Finished { exit_code, summary, pointers, took: self.elapsed() });
        exit_code
    }

    /// How long this call, or with `--watch` this cycle, has been running.
    pub(crate) fn elapsed(&self) -> std::time::Duration {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Finding {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let mut finding =
        Finding::error(codes::CONFIG_PROBLEM, Class::Usage, name, format!("there is no {what} `{name}` in xtask.toml"));
    if let Some(near) = problem::nearest(name, known.iter().copied()) {
        finding = finding.advice(format!("did you mean `{near}`?"));
    }
    finding.advice(format!("known: {}", known.join(", ")))
}

/// The folder of the workspace: the one above xtask's manifest, as cargo says at run time, else as it was at build time.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let manifest =
        std::env::var_os(variables::MANIFEST_DIR).map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest.parent().context("xtask's manifest is in no folder")?;
    Ok(root.to_owned())
}

/// The real disk.
struct Disk;

impl Files for Disk {
    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn names(&self, path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}
