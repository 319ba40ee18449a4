//! A call that failed, as it is explained.

use std::time::Duration;

use crate::invocation::Tool;

/// A call that failed, or that exited 0 and did not do what it should (`minikube image build`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolFailure {
    /// Which tool.
    pub tool: Tool,
    /// Its arguments; profile, context, namespace and release are read from them.
    pub args: Vec<String>,
    /// Its exit code, if it ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it (Unix).
    pub signal: Option<i32>,
    /// What it printed, redacted by the caller.
    pub stdout: String,
    /// What it complained about, redacted by the caller.
    pub stderr: String,
    /// It was ended after this long because its deadline had come.
    pub deadline_exceeded: Option<Duration>,
    /// What it was run for: a fragment such as "build image `todo-backend`" ([`Invocation::what`](crate::invocation::Invocation::what)).
    pub what: String,
}

impl ToolFailure {
    /// The value of a flag: `--name value`, `--name=value`.
    pub fn flag(&self, names: &[&str]) -> Option<&str> {
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            if names.contains(&arg.as_str()) {
                return args.next().map(String::as_str);
            }
            if let Some((name, value)) = arg.split_once('=').filter(|(name, _)| names.contains(name)) {
                debug_assert!(!name.is_empty());
                return Some(value);
            }
        }
        None
    }

    /// Everything it said, complaints first.
    pub fn words(&self) -> String {
        format!("{}\n{}", self.stderr, self.stdout)
    }

    /// How it ended, for people.
    pub fn end(&self) -> String {
        match (self.exit_code, self.signal) {
            (Some(code), _) => format!("exit {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "no exit code".to_owned(),
        }
    }
}
