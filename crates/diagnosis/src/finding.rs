//! A finding: one cause, named, with its evidence and the next command to type.

use serde::Serialize;

/// How much a finding matters to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing fails because of it.
    Info,
    /// Something will probably fail because of it.
    Warning,
    /// The step can't succeed.
    Error,
}

/// The class of a failure, which decides the exit code. One place maps it: [`Class::exit_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// xtask itself failed: a bug, or a file it could not write.
    Internal,
    /// The arguments are wrong (clap's own code).
    Usage,
    /// xtask.toml, .env or a file they name is wrong.
    Config,
    /// A tool is missing or too old, or its daemon does not answer, or the machine is too small.
    Prerequisite,
    /// The cluster does not start, run or answer.
    Cluster,
    /// An image does not build or does not reach the node.
    Build,
    /// helm refuses the release.
    Release,
    /// Pods don't become ready.
    Rollout,
    /// What runs is not what should run.
    Verify,
    /// Not everything could be removed.
    Cleanup,
    /// A test of `cargo xtask test` or a check of `cargo xtask ci` failed.
    Test,
    /// Stopped by Ctrl-C or a signal.
    Interrupted,
}

impl Class {
    /// Every class, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Internal,
        Self::Usage,
        Self::Config,
        Self::Prerequisite,
        Self::Cluster,
        Self::Build,
        Self::Release,
        Self::Rollout,
        Self::Verify,
        Self::Cleanup,
        Self::Test,
        Self::Interrupted,
    ];

    /// The process exit code of a run that failed with this class.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Prerequisite => 4,
            Self::Cluster => 5,
            Self::Rollout => 6,
            Self::Build => 7,
            Self::Release => 8,
            Self::Verify => 9,
            Self::Cleanup => 10,
            Self::Test => 11,
            Self::Interrupted => 130,
        }
    }
}

/// One line of evidence: where it was read and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Where: a field, `event`, `log`, `stderr`, a file with its line.
    pub source: String,
    /// What it said, as it stood there; several lines are allowed.
    pub text: String,
}

/// How far a fix may go without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FixClass {
    /// Loses nothing; applied where the phase asks for it.
    Safe,
    /// Changes or removes something a person may want: asked about, or `--yes`.
    Asks,
    /// Only described.
    Manual,
}

/// What a person can do, most likely first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// What it does or when it is right, a lowercase fragment; may be empty when the command says it all.
    pub text: String,
    /// A command that can be pasted, if there is one.
    pub command: Option<String>,
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code, e.g. `XT412`; every one stands in the catalogue.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Decides the exit code.
    pub class: Class,
    /// The object it is about, as kubectl, docker or helm would take it (`pod/todo-backend-…`), or a service or tool name.
    pub subject: String,
    /// The service of xtask.toml, where known.
    pub service: Option<String>,
    /// One line: what is wrong, naming the object; a lowercase fragment with names in backticks.
    pub cause: String,
    /// What the cause rests on.
    pub evidence: Vec<Evidence>,
    /// What to do, most likely first.
    pub remedies: Vec<Remedy>,
    /// What fails only because of this.
    pub collateral: Vec<String>,
    /// The class of the fix the tool could apply itself, if it has one.
    pub fix: Option<FixClass>,
    /// The tool's own words, shown under the finding with `-v`; redacted by the caller.
    pub original: Option<String>,
}

impl Finding {
    /// An error of `class` about `subject`, still without evidence and remedies.
    pub fn error(code: &'static str, class: Class, subject: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            class,
            subject: subject.into(),
            service: None,
            cause: cause.into(),
            evidence: Vec::new(),
            remedies: Vec::new(),
            collateral: Vec::new(),
            fix: None,
            original: None,
        }
    }

    /// The same with severity warning.
    pub fn warning(code: &'static str, class: Class, subject: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, class, subject, cause) }
    }

    /// Adds a line of evidence.
    #[must_use]
    pub fn evidence(mut self, source: impl Into<String>, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence { source: source.into(), text: text.into() });
        self
    }

    /// Adds a remedy with a command.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: Some(command.into()) });
        self
    }

    /// Adds a remedy that no single command can do.
    #[must_use]
    pub fn advice(mut self, text: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: None });
        self
    }

    /// Names the service of xtask.toml that it is about.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Keeps the tool's own words.
    #[must_use]
    pub fn original(mut self, text: impl Into<String>) -> Self {
        self.original = Some(text.into());
        self
    }
}

impl From<Finding> for Vec<Finding> {
    /// A failure of one cause, where several are possible.
    fn from(finding: Finding) -> Self {
        vec![finding]
    }
}
