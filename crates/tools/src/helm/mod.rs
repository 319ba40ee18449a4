//! helm 3 and 4. Every call names context and namespace; values go by files; nothing waits inside helm, because the pods are
//! watched from outside.

mod chart;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use calls::invocation::{Invocation, Tool};
use calls::version::Version;
use serde::Deserialize;

use crate::answer::{Parsed, Refusal, ToolError, json, succeeded};
use crate::runner::{Output, Runner};
use crate::target::Target;

pub use chart::{
    Dependency, Lint, dependency_build, dependency_build_invocation, dependency_list, dependency_list_invocation, lint,
    lint_invocation, parse_dependency_list, parse_lint, template, template_invocation,
};

/// A question to the API server.
const SHORT: Duration = Duration::from_secs(60);

/// What is left between helm's own `--timeout` and the end of its process, so that it is helm that marks the release failed.
const MARGIN: Duration = Duration::from_secs(15);

/// Where helm 3 and 4 take different flags (3.22 and 4.3, both tried).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helm {
    major: u32,
    minor: u32,
}

impl Helm {
    /// The flags of this version.
    pub const fn of(version: &Version) -> Self {
        Self { major: version.major, minor: version.minor }
    }

    /// `list` shows all states by itself since 4, where `--all` is gone.
    const fn lists_all(self) -> bool {
        self.major >= 4
    }

    /// `uninstall --ignore-not-found` came with 3.13.
    const fn ignores_not_found(self) -> bool {
        self.major >= 4 || self.minor >= 13
    }

    /// Server-side apply, and with it `--force-conflicts`, came with 4.
    const fn applies_on_server(self) -> bool {
        self.major >= 4
    }
}

fn call(target: &Target, what: String, deadline: Duration) -> Invocation {
    target.helm(Invocation::new(Tool::Helm, what, deadline))
}

/// helm's duration flags take Go's syntax.
fn timeout(deadline: Duration) -> String {
    format!("{}s", deadline.saturating_sub(MARGIN).as_secs().max(1))
}

/// What is installed or upgraded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The release.
    pub release: String,
    /// Its chart's directory.
    pub chart: PathBuf,
    /// Values files, the last wins. Never a secret: values are kept in the release's history.
    pub values: Vec<PathBuf>,
    /// How many revisions are kept.
    pub history_max: u32,
    /// Leave the chart's hooks out.
    pub no_hooks: bool,
    /// Take over fields that something else set (kubectl edit, scale); helm 4 only, helm 3 always does.
    pub force_conflicts: bool,
    /// How long it may take; hooks are waited for.
    pub deadline: Duration,
}

/// `helm upgrade --install`: the whole set of values each time (`--reset-values`), no `--wait`.
pub fn upgrade_invocation(helm: Helm, target: &Target, upgrade: &Upgrade) -> Invocation {
    let Upgrade { release, chart, values, history_max, no_hooks, force_conflicts, deadline } = upgrade;
    let mut invocation = call(target, format!("install release `{release}`"), *deadline)
        .args(["upgrade", "--install"])
        .arg(release)
        .arg(chart.display().to_string())
        .args(values_flags(values))
        .args(["--reset-values", "--history-max", &history_max.to_string(), "--timeout", &timeout(*deadline), "-o", "json"]);
    for (flag, on) in [("--no-hooks", *no_hooks), ("--force-conflicts", *force_conflicts && helm.applies_on_server())] {
        if on {
            invocation = invocation.arg(flag);
        }
    }
    invocation
}

/// What `upgrade -o json` and `status -o json` say of a release. What else they print (values, manifest, chart) is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its revision.
    pub revision: u32,
    /// Its state.
    pub status: ReleaseStatus,
    /// helm's sentence about it: `Upgrade complete`, or why it failed.
    pub description: String,
    /// When it was last deployed, RFC 3339.
    pub last_deployed: String,
}

/// The state of a release or a revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ReleaseStatus {
    /// It is the current one and complete.
    Deployed,
    /// It failed.
    Failed,
    /// Its first installation is under way or was killed.
    PendingInstall,
    /// An upgrade is under way or was killed.
    PendingUpgrade,
    /// A rollback is under way or was killed.
    PendingRollback,
    /// A later revision replaced it.
    Superseded,
    /// It is being removed, or the removal was killed.
    Uninstalling,
    /// It was removed and its history kept.
    Uninstalled,
    /// Another word of helm's.
    Other(String),
}

impl From<String> for ReleaseStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "deployed" => Self::Deployed,
            "failed" => Self::Failed,
            "pending-install" => Self::PendingInstall,
            "pending-upgrade" => Self::PendingUpgrade,
            "pending-rollback" => Self::PendingRollback,
            "superseded" => Self::Superseded,
            "uninstalling" => Self::Uninstalling,
            "uninstalled" => Self::Uninstalled,
            _ => Self::Other(word),
        }
    }
}

impl ReleaseStatus {
    /// Whether helm refuses the next upgrade because of it.
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

/// A release, from `-o json` of upgrade, install or status.
pub fn parse_release(output: &Output) -> Parsed<Release> {
    #[derive(Deserialize)]
    struct Told {
        name: String,
        namespace: String,
        version: u32,
        info: Told2,
    }
    #[derive(Deserialize)]
    struct Told2 {
        status: ReleaseStatus,
        #[serde(default)]
        description: String,
        #[serde(default)]
        last_deployed: String,
    }
    let Told { name, namespace, version, info } = json(output)?;
    let Told2 { status, description, last_deployed } = info;
    Ok(Release { name, namespace, revision: version, status, description, last_deployed })
}

/// Installs or upgrades a release.
pub fn upgrade(runner: &Runner, helm: Helm, target: &Target, upgrade: &Upgrade) -> Result<Release, ToolError> {
    runner.ask(&upgrade_invocation(helm, target, upgrade), parse_release)
}

/// `helm status RELEASE -o json`
pub fn status_invocation(target: &Target, release: &str) -> Invocation {
    call(target, format!("read the state of release `{release}`"), SHORT).args(["status", release, "-o", "json"])
}

/// The release; `None` when there is none (exit code 1 and a sentence).
pub fn parse_status(output: &Output) -> Parsed<Option<Release>> {
    if is_not_found(output) { Ok(None) } else { parse_release(output).map(Some) }
}

/// The release, if there is one.
pub fn status(runner: &Runner, target: &Target, release: &str) -> Result<Option<Release>, ToolError> {
    runner.ask(&status_invocation(target, release), parse_status)
}

fn is_not_found(output: &Output) -> bool {
    !output.exit.is_success() && output.stderr.contains("release: not found")
}

/// One row of `helm list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// The release.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its revision.
    pub revision: u32,
    /// Its state.
    pub status: ReleaseStatus,
    /// `todo-app-1.0.0`
    pub chart: String,
    /// `3.0.0`
    pub app_version: String,
    /// When it was last changed, as helm prints it.
    pub updated: String,
}

/// `helm list -o json`: releases in every state.
pub fn list_invocation(helm: Helm, target: &Target) -> Invocation {
    let invocation =
        call(target, format!("list the releases in namespace `{}`", target.namespace), SHORT).args(["list", "-o", "json"]);
    if helm.lists_all() { invocation } else { invocation.arg("--all") }
}

/// The releases of a namespace; none in a namespace that does not exist.
pub fn parse_list(output: &Output) -> Parsed<Vec<ReleaseRow>> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        namespace: String,
        revision: Number,
        updated: String,
        status: ReleaseStatus,
        chart: String,
        #[serde(default)]
        app_version: String,
    }
    let rows: Vec<Row> = json(output)?;
    rows.into_iter()
        .map(|row| {
            Ok(ReleaseRow {
                name: row.name,
                namespace: row.namespace,
                revision: row.revision.read()?,
                status: row.status,
                chart: row.chart,
                app_version: row.app_version,
                updated: row.updated,
            })
        })
        .collect()
}

/// helm prints revisions as text in `list` and as numbers in `history`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u32),
    Text(String),
}

impl Number {
    fn read(self) -> Parsed<u32> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text.parse().map_err(|_| Refusal::Unclear(format!("`{text}` is no revision"))),
        }
    }
}

/// The releases of a namespace.
pub fn list(runner: &Runner, helm: Helm, target: &Target) -> Result<Vec<ReleaseRow>, ToolError> {
    runner.ask(&list_invocation(helm, target), parse_list)
}

/// One revision of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number.
    pub revision: u32,
    /// Its state.
    pub status: ReleaseStatus,
    /// `todo-app-1.0.0`
    pub chart: String,
    /// `3.0.0`
    pub app_version: String,
    /// helm's sentence about it.
    pub description: String,
    /// When, RFC 3339.
    pub updated: String,
}

/// `helm history RELEASE -o json`
pub fn history_invocation(target: &Target, release: &str) -> Invocation {
    call(target, format!("read the history of release `{release}`"), SHORT).args(["history", release, "-o", "json"])
}

/// The revisions, the oldest first; none when there is no release.
pub fn parse_history(output: &Output) -> Parsed<Vec<HistoryRow>> {
    #[derive(Deserialize)]
    struct Row {
        revision: Number,
        updated: String,
        status: ReleaseStatus,
        chart: String,
        #[serde(default)]
        app_version: String,
        #[serde(default)]
        description: String,
    }
    if is_not_found(output) {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = json(output)?;
    rows.into_iter()
        .map(|row| {
            let Row { revision, updated, status, chart, app_version, description } = row;
            Ok(HistoryRow { revision: revision.read()?, status, chart, app_version, description, updated })
        })
        .collect()
}

/// The revisions of a release.
pub fn history(runner: &Runner, target: &Target, release: &str) -> Result<Vec<HistoryRow>, ToolError> {
    runner.ask(&history_invocation(target, release), parse_history)
}

/// `helm rollback RELEASE REVISION`
pub fn rollback_invocation(target: &Target, release: &str, revision: u32, deadline: Duration) -> Invocation {
    call(target, format!("roll release `{release}` back to revision {revision}"), deadline).args([
        "rollback",
        release,
        &revision.to_string(),
        "--timeout",
        &timeout(deadline),
    ])
}

/// Rolls a release back; also the way out of `pending-upgrade`.
pub fn rollback(runner: &Runner, target: &Target, release: &str, revision: u32, deadline: Duration) -> Result<(), ToolError> {
    runner.ask(&rollback_invocation(target, release, revision, deadline), succeeded)
}

/// `helm uninstall RELEASE --wait`
pub fn uninstall_invocation(helm: Helm, target: &Target, release: &str, deadline: Duration) -> Invocation {
    let args = ["uninstall", release, "--wait", "--timeout", &timeout(deadline)];
    let invocation = call(target, format!("uninstall release `{release}`"), deadline).args(args);
    if helm.ignores_not_found() { invocation.arg("--ignore-not-found") } else { invocation }
}

/// Nothing to tell: a release that is gone already is uninstalled, in older versions by their words only.
pub fn parse_uninstall(output: &Output) -> Parsed<()> {
    if is_not_found(output) { Ok(()) } else { succeeded(output) }
}

/// Removes a release; one that does not exist is removed already.
pub fn uninstall(runner: &Runner, helm: Helm, target: &Target, release: &str, deadline: Duration) -> Result<(), ToolError> {
    runner.ask(&uninstall_invocation(helm, target, release, deadline), parse_uninstall)
}

/// `helm get values RELEASE -o json`
pub fn get_values_invocation(target: &Target, release: &str) -> Invocation {
    call(target, format!("read the values of release `{release}`"), SHORT).args(["get", "values", release, "-o", "json"])
}

/// The values that were given; `null` for none.
pub fn get_values(runner: &Runner, target: &Target, release: &str) -> Result<serde_json::Value, ToolError> {
    runner.ask(&get_values_invocation(target, release), json)
}

/// `helm get manifest RELEASE`
pub fn get_manifest_invocation(target: &Target, release: &str) -> Invocation {
    call(target, format!("read the manifest of release `{release}`"), SHORT).args(["get", "manifest", release])
}

/// The manifest as YAML.
pub fn get_manifest(runner: &Runner, target: &Target, release: &str) -> Result<String, ToolError> {
    runner.ask(&get_manifest_invocation(target, release), text)
}

/// Which part of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// The objects.
    Manifest,
    /// The hooks: migrations, tests.
    Hooks,
}

/// `helm get manifest|hooks RELEASE --revision N`
pub fn get_revision_invocation(target: &Target, part: Rendered, release: &str, revision: u32) -> Invocation {
    let word = match part {
        Rendered::Manifest => "manifest",
        Rendered::Hooks => "hooks",
    };
    let what = format!("read the {word} of release `{release}` revision {revision}");
    call(target, what, SHORT).args(["get", word, release, "--revision", &revision.to_string()])
}

/// The part as YAML.
pub fn get_revision(runner: &Runner, target: &Target, part: Rendered, release: &str, revision: u32) -> Result<String, ToolError> {
    runner.ask(&get_revision_invocation(target, part, release, revision), text)
}

fn values_flags(values: &[PathBuf]) -> Vec<String> {
    values.iter().flat_map(|file| ["-f".to_owned(), file.display().to_string()]).collect()
}

fn text(output: &Output) -> Parsed<String> {
    succeeded(output)?;
    Ok(output.stdout.clone())
}

/// `helm test RELEASE --logs`
pub fn test_invocation(target: &Target, release: &str, deadline: Duration) -> Invocation {
    call(target, format!("test release `{release}`"), deadline).args(["test", release, "--logs", "--timeout", &timeout(deadline)])
}

/// How the tests of a release went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    /// Whether all passed.
    pub passed: bool,
    /// Each test's phase (`Succeeded`, `Failed`) by its name.
    pub suites: BTreeMap<String, String>,
    /// All that helm printed, with the logs.
    pub text: String,
}

/// How the tests went; a failing test is an answer too.
pub fn parse_test(output: &Output) -> Parsed<Tests> {
    let mut suites = BTreeMap::new();
    let mut suite = None;
    for line in output.stdout.lines() {
        if let Some(name) = line.strip_prefix("TEST SUITE:") {
            suite = Some(name.trim().to_owned()).filter(|name| name != "None");
        } else if let (Some(phase), Some(name)) = (line.strip_prefix("Phase:"), &suite) {
            suites.insert(name.clone(), phase.trim().to_owned());
        }
    }
    if !output.exit.is_success() && suites.is_empty() {
        return Err(Refusal::Failed);
    }
    Ok(Tests { passed: output.exit.is_success(), suites, text: output.stdout.clone() })
}

/// Runs the tests of a release.
pub fn test(runner: &Runner, target: &Target, release: &str, deadline: Duration) -> Result<Tests, ToolError> {
    runner.ask(&test_invocation(target, release, deadline), parse_test)
}
