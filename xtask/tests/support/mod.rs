//! The binary as a person runs it: its own environment, a folder of its own, nothing of this machine's tools.

use std::path::Path;
use std::process::Command;

/// What a person sees, and the exit code.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// xtask with these arguments; `root` is where it believes that the repository is. No PATH, no colour, 80 columns.
#[expect(clippy::disallowed_methods, reason = "a test runs the product from outside, as a person does")]
pub(crate) fn xtask(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args).current_dir(root).env_clear();
    command.env("CARGO_MANIFEST_DIR", root.join("xtask")).env("PATH", root.join("no-such-bin"));
    command.env("HOME", root).env("COLUMNS", "80").env("NO_COLOR", "1").env("TERM", "dumb");
    // Windows programs don't start without it.
    if let Some(system) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", system);
    }
    command
}

/// Runs it to its end.
pub(crate) fn see(command: &mut Command) -> Seen {
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    Seen { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// The names of all phases, as `--help` lists them.
pub(crate) fn phases(root: &Path) -> Vec<String> {
    let help = see(&mut xtask(root, &["--help"])).stdout;
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // A line of a description is indented further than a name.
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}
