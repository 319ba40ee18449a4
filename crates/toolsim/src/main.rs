//! Behaves as the tool it is called as: minikube, docker, helm or kubectl.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args();
    let called = args.next().unwrap_or_default();
    let args: Vec<String> = args.collect();
    match toolsim::run(&called, &args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Exit code 70 (EX_SOFTWARE) is none of the tools': the simulation itself is at a loss.
            writeln!(std::io::stderr(), "toolsim: {error}").unwrap_or_default();
            ExitCode::from(70)
        }
    }
}
