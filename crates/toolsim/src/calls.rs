//! What was called, for tests to assert on.

use std::collections::BTreeMap;
use std::io::Write as _;

use hmac_sha256::Hash as Sha256;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::world::Store;

/// The variables that decide what a tool does; of others nothing is noted.
const VARIABLES: [&str; 11] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "DOCKER_BUILDKIT",
    "BUILDX_BUILDER",
    "MINIKUBE_ACTIVE_DOCKERD",
    "KUBECONFIG",
    "HELM_NAMESPACE",
    "CARGO_MANIFEST_DIR",
    "RUSTUP_TOOLCHAIN",
];

/// One call of a simulated tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Of its environment, what decides what a tool does.
    pub env: BTreeMap<String, String>,
    /// Its whole environment as `NAME=VALUE`, for tests that look for secrets in it.
    pub environ: Vec<String>,
    /// How much it read from stdin (bytes).
    pub stdin_bytes: usize,
    /// SHA-256 of what it read, in hex; empty for nothing.
    pub stdin_sha256: String,
    /// Its process id.
    pub pid: u32,
}

impl Call {
    /// The tool and its arguments.
    pub fn line(&self) -> String {
        format!("{} {}", self.tool, self.args.join(" "))
    }
}

pub(crate) fn note(store: &Store, tool: &str, args: &[String], stdin: &[u8]) -> Result<(), Error> {
    let call = Call {
        tool: tool.to_owned(),
        args: args.to_vec(),
        env: VARIABLES.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect(),
        environ: std::env::vars_os().map(|(name, value)| format!("{}={}", name.display(), value.display())).collect(),
        stdin_bytes: stdin.len(),
        stdin_sha256: if stdin.is_empty() { String::new() } else { hex(&Sha256::hash(stdin)) },
        pid: std::process::id(),
    };
    let mut line = serde_json::to_vec(&call)?;
    line.push(b'\n');
    // One write to a file opened for appending: lines of calls side by side don't mix.
    std::fs::OpenOptions::new().append(true).create(true).open(store.calls())?.write_all(&line)?;
    Ok(())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::hash(text.as_bytes()))
}
