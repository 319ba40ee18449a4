//! One call of a tool as data: what will be run, why, for how long, and which bytes are secret.
//!
//! Made by who knows what is needed, run by `tools::runner`, the only place that starts processes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

/// The tools that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// minikube
    Minikube,
    /// docker
    Docker,
    /// helm
    Helm,
    /// kubectl
    Kubectl,
    /// cargo, for `cargo xtask ci` only.
    Cargo,
    /// A command of the application's own (its tests), for `cargo xtask test` and `ci`: named by [`Invocation::program`].
    App,
}

impl Tool {
    /// The name of the program on PATH.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Minikube => "minikube",
            Self::Docker => "docker",
            Self::Helm => "helm",
            Self::Kubectl => "kubectl",
            Self::Cargo => "cargo",
            Self::App => "",
        }
    }
}

/// Bytes that must never be shown: `Debug` and `Serialize` print a placeholder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Only for the bytes that go to a child's stdin or environment, and for checks.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("<secret>")
    }
}

/// What the child reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stdin {
    /// Nothing: a child never inherits the terminal.
    #[default]
    Null,
    /// These bytes, which may be shown.
    Text(String),
    /// These bytes, which may not.
    Secret(Secret),
}

/// How long a child may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    /// It is ended after this long.
    Deadline(Duration),
    /// It follows or watches: it is ended when its handle is dropped or the run is cancelled.
    UntilCancelled,
}

/// One call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invocation {
    /// Which tool.
    pub tool: Tool,
    /// The program, where it is not the tool's own name ([`Tool::App`]).
    pub program: Option<PathBuf>,
    /// Its arguments. Never a secret.
    pub args: Vec<String>,
    /// Added to the child's environment; never a secret (secrets go by stdin).
    pub env: BTreeMap<String, String>,
    /// Taken out of the child's environment.
    pub env_remove: Vec<String>,
    /// The working directory, if not the workspace root.
    pub cwd: Option<PathBuf>,
    /// What it reads.
    pub stdin: Stdin,
    /// How long it may live.
    pub lifetime: Lifetime,
    /// Why it is run, for people: a fragment such as "build image `todo-backend`".
    pub what: String,
}

impl Invocation {
    /// A call of `tool` for the reason `what`, with no arguments yet, ended after `deadline`.
    pub fn new(tool: Tool, what: impl Into<String>, deadline: Duration) -> Self {
        Self {
            tool,
            program: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            env_remove: Vec::new(),
            cwd: None,
            stdin: Stdin::Null,
            lifetime: Lifetime::Deadline(deadline),
            what: what.into(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<String>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the child's environment.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(key.into(), value.into());
        self
    }

    /// Takes a variable out of the child's environment.
    #[must_use]
    pub fn env_remove(mut self, key: impl Into<String>) -> Self {
        self.env_remove.push(key.into());
        self
    }

    /// What the child reads.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Lets it live until it is cancelled: for follow and watch.
    #[must_use]
    pub fn until_cancelled(mut self) -> Self {
        self.lifetime = Lifetime::UntilCancelled;
        self
    }

    /// The command as a person could paste it (POSIX quoting); holds no secret because arguments hold none.
    pub fn command_line(&self) -> String {
        let program = self.program.as_ref().map_or_else(|| self.tool.program().to_owned(), |p| p.display().to_string());
        std::iter::once(program.as_str()).chain(self.args.iter().map(String::as_str)).map(quote).collect::<Vec<_>>().join(" ")
    }
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
