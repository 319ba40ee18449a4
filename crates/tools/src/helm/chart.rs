//! Charts on disk: rendering, linting, dependencies. No cluster is asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use calls::invocation::{Invocation, Tool};

use super::{SHORT, text, values_flags};
use crate::answer::{Parsed, Refusal, ToolError, succeeded};
use crate::runner::{Output, Runner};

/// `helm template`: offline, so neither context nor cluster is asked; fails on a `required` value that `lint` lets pass.
pub fn template_invocation(namespace: &str, release: &str, chart: &Path, values: &[PathBuf]) -> Invocation {
    Invocation::new(Tool::Helm, format!("render chart `{}`", chart.display()), SHORT)
        .args(["template", release])
        .arg(chart.display().to_string())
        .args(["-n", namespace])
        .args(values_flags(values))
}

/// The rendered chart as YAML.
pub fn template(runner: &Runner, namespace: &str, release: &str, chart: &Path, values: &[PathBuf]) -> Result<String, ToolError> {
    runner.ask(&template_invocation(namespace, release, chart, values), text)
}

/// `helm lint --strict`
pub fn lint_invocation(chart: &Path, values: &[PathBuf]) -> Invocation {
    Invocation::new(Tool::Helm, format!("lint chart `{}`", chart.display()), SHORT)
        .args(["lint", "--strict"])
        .arg(chart.display().to_string())
        .args(values_flags(values))
}

/// What `helm lint` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lint {
    /// Whether the chart passed.
    pub passed: bool,
    /// `INFO`, `WARNING` or `ERROR`, and what.
    pub messages: Vec<(String, String)>,
}

/// What helm lint found; a chart that does not pass is an answer too.
pub fn parse_lint(output: &Output) -> Parsed<Lint> {
    let messages = output.stdout.lines().filter_map(|line| {
        let (level, message) = line.strip_prefix('[')?.split_once("] ")?;
        Some((level.to_owned(), message.to_owned()))
    });
    let lint = Lint { passed: output.exit.is_success(), messages: messages.collect() };
    if !lint.passed && !output.stdout.starts_with("==> Linting") { Err(Refusal::Failed) } else { Ok(lint) }
}

/// Lints a chart.
pub fn lint(runner: &Runner, chart: &Path, values: &[PathBuf]) -> Result<Lint, ToolError> {
    runner.ask(&lint_invocation(chart, values), parse_lint)
}

/// `helm dependency build CHART`: `charts/` from `Chart.lock`; for `file://` dependencies without a network.
pub fn dependency_build_invocation(chart: &Path) -> Invocation {
    let what = format!("build the dependencies of chart `{}`", chart.display());
    Invocation::new(Tool::Helm, what, Duration::from_secs(120))
        .args(["dependency", "build", "--skip-refresh"])
        .arg(chart.display().to_string())
}

/// Builds `charts/` of a chart.
pub fn dependency_build(runner: &Runner, chart: &Path) -> Result<(), ToolError> {
    runner.ask(&dependency_build_invocation(chart), succeeded)
}

/// One dependency of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// The version asked for.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// `ok`, `missing`, `unpacked`, `wrong version`…
    pub status: String,
}

/// `helm dependency list CHART`
pub fn dependency_list_invocation(chart: &Path) -> Invocation {
    let what = format!("list the dependencies of chart `{}`", chart.display());
    Invocation::new(Tool::Helm, what, SHORT).args(["dependency", "list", "--max-col-width", "0"]).arg(chart.display().to_string())
}

/// The dependencies, from a table with tabs; a chart without any makes a warning.
pub fn parse_dependency_list(output: &Output) -> Parsed<Vec<Dependency>> {
    succeeded(output)?;
    let mut rows = Vec::new();
    for line in output.stdout.lines().filter(|l| !l.trim().is_empty() && !l.starts_with("WARNING: ")) {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        match cells[..] {
            ["NAME", "VERSION", "REPOSITORY", "STATUS", ..] => {}
            [name, version, repository, status, ..] => rows.push(Dependency {
                name: name.to_owned(),
                version: version.to_owned(),
                repository: repository.to_owned(),
                status: status.to_owned(),
            }),
            _ => return Err(Refusal::Unclear(format!("`{line}` is no row of the dependencies"))),
        }
    }
    Ok(rows)
}

/// The dependencies of a chart.
pub fn dependency_list(runner: &Runner, chart: &Path) -> Result<Vec<Dependency>, ToolError> {
    runner.ask(&dependency_list_invocation(chart), parse_dependency_list)
}
