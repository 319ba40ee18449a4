//! Faults from a script: this call fails, hangs, leaves a grandchild or says too much.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::world::World;

/// The name under which the simulation only sleeps: the grandchild.
pub(crate) const SLEEPER: &str = "toolsim-sleeper";

/// How long a hanging call hangs: longer than any test waits, and short enough to leave nothing for ever.
const HANG: Duration = Duration::from_secs(120);

/// One fault. What is set happens in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// The tool it strikes.
    pub tool: String,
    /// The words that its arguments must hold, in this order; others may stand between them.
    pub args: Vec<String>,
    /// How often it strikes; `None` for always.
    pub times: Option<u32>,
    /// Calls that it lets pass before the first.
    pub after: u32,
    /// It does not read its stdin.
    pub ignore_stdin: bool,
    /// It waits first (milliseconds).
    pub delay_ms: u64,
    /// It starts a process that keeps stdout and stderr open for two minutes, and ignores SIGTERM's effect on its parent.
    pub grandchild: bool,
    /// It prints this to stdout.
    pub stdout: String,
    /// It prints this to stderr.
    pub stderr: String,
    /// It then hangs.
    pub hang: bool,
    /// It then exits with this code; `None`: it goes on as if nothing had been.
    pub code: Option<u8>,
}

impl Fault {
    /// A fault of the calls of `tool` whose arguments hold these words.
    pub fn of(tool: &str, args: &[&str]) -> Self {
        Self { tool: tool.to_owned(), args: args.iter().map(|&a| a.to_owned()).collect(), ..Self::default() }
    }

    fn strikes(&self, tool: &str, args: &[String]) -> bool {
        let mut args = args.iter();
        self.tool == tool && self.args.iter().all(|word| args.any(|arg| arg == word))
    }
}

/// The fault that strikes this call, if one does.
pub(crate) fn take(world: &mut World, tool: &str, args: &[String]) -> Option<Fault> {
    let index = world.faults.iter().position(|fault| fault.times != Some(0) && fault.strikes(tool, args))?;
    let fault = &mut world.faults[index];
    if fault.after > 0 {
        fault.after -= 1;
        return None;
    }
    fault.times = fault.times.map(|times| times - 1);
    Some(fault.clone())
}

/// Does what the fault says; `None`: the call goes on.
pub(crate) fn act(fault: &Fault) -> Result<Option<u8>, Error> {
    std::thread::sleep(Duration::from_millis(fault.delay_ms));
    if fault.grandchild {
        grandchild()?;
    }
    let (mut stdout, mut stderr) = (std::io::stdout().lock(), std::io::stderr().lock());
    stdout.write_all(fault.stdout.as_bytes())?;
    stdout.flush()?;
    stderr.write_all(fault.stderr.as_bytes())?;
    if fault.hang {
        std::thread::sleep(HANG);
    }
    Ok(fault.code)
}

/// Starts the sleeper beside this program; it inherits stdout and stderr and so keeps them open.
fn grandchild() -> Result<(), Error> {
    let me = std::env::current_exe()?;
    let sleeper = me.with_file_name(SLEEPER).with_extension(std::env::consts::EXE_EXTENSION);
    #[expect(clippy::disallowed_methods, reason = "the simulation is a process of its own, whose grandchild the runner must end")]
    let child = Command::new(sleeper).stdin(Stdio::null()).spawn()?;
    // Left behind on purpose.
    drop(child);
    Ok(())
}

pub(crate) fn sleep() -> u8 {
    std::thread::sleep(HANG);
    0
}
