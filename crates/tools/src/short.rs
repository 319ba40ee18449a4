//! Short local questions, asked with xshell: no stdin, nothing to stream, an answer of a line or two.
//!
//! xshell can't bound a call in time or put it into a process group, so only local programs that answer from files are asked here
//! (`git rev-parse`, `ps`, `taskkill`); everything that talks to a daemon or a network goes through [`crate::runner::Runner`].

use std::path::Path;

use xshell::{Shell, cmd};

/// What `program` said on stdout, trimmed; `None` where it is missing or refuses.
pub(crate) fn ask(program: &str, args: &[&str], dir: Option<&Path>) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this crate is the one place that may start processes")]
    let shell = Shell::new().ok()?;
    if let Some(dir) = dir {
        shell.change_dir(dir);
    }
    // `output` and not `read`: xshell's `read` would let stderr through to the terminal.
    let output = cmd!(shell, "{program} {args...}").quiet().ignore_status().output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The state of a git checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The full commit id.
    pub commit: String,
    /// Whether tracked or untracked files differ from it.
    pub dirty: bool,
}

/// The revision of the checkout that holds `dir`; `None` where there is no git or no commit.
pub fn git_revision(dir: &Path) -> Option<Revision> {
    let commit = ask("git", &["rev-parse", "--verify", "HEAD"], Some(dir))?;
    let changes = ask("git", &["status", "--porcelain"], Some(dir))?;
    Some(Revision { commit, dirty: !changes.is_empty() })
}
