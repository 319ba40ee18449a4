//! minikube, docker, helm and kubectl simulated: one binary that behaves as the tool it is called as, over a world that is a JSON
//! file.
//!
//! Put it on PATH under the four names ([`harness::Sim`] does that in a temporary directory) and let `TOOLSIM_STATE` name the file of
//! the world. Each call reads and changes the world under a lock, so that calls may run side by side, and is noted beside it in
//! `calls.jsonl` with its arguments, the environment that matters, and a hash of what it read from stdin.
//!
//! Formats come from recordings of the real tools. What is simulated is what a deployment needs: a command, flag or kind that is
//! not known ends with exit code 70 and says so, it never passes for success.

mod args;
mod calls;
mod clock;
mod cluster;
mod docker;
mod fault;
pub mod harness;
mod helm;
mod http;
mod kubectl;
mod minikube;
mod render;
mod world;

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub use calls::Call;
pub use fault::Fault;
pub use world::{Broken, Image, Machine, Profile, Release, Revision, Versions, World};

use args::Args;
use world::Store;

/// The environment variable that names the file of the world.
pub const STATE: &str = "TOOLSIM_STATE";

/// One call of a simulated tool.
struct Sim {
    store: Store,
    args: Args,
    stdin: Vec<u8>,
}

/// What a simulated command gives: its exit code, or why the simulation is at a loss.
type Answer = Result<u8, Error>;

/// Why the simulation is at a loss: a command or flag that it doesn't know, or a world that it can't read.
#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

fn unknown(args: &Args) -> Error {
    Error(format!("not simulated: {}", args.line()))
}

/// Runs the tool named by `called` (the path it was called as) and returns its exit code.
pub fn run(called: &str, args: &[String]) -> Result<u8, Error> {
    let tool = Path::new(called).file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if tool == fault::SLEEPER {
        return Ok(fault::sleep());
    }
    let state = std::env::var_os(STATE).ok_or_else(|| Error(format!("`{STATE}` does not name the file of the world")))?;
    let store = Store::at(PathBuf::from(state));
    if let ("toolsim", [command, port]) = (tool.as_str(), args)
        && command == "serve"
    {
        return serve(&store, port);
    }
    // A fault comes before stdin is read: a child that does not read is one of them.
    let fault = if store.look(|world| world.faults.is_empty())? {
        None
    } else {
        store.change(|world| Ok(fault::take(world, &tool, args)))?
    };
    let mut stdin = Vec::new();
    if fault.as_ref().is_none_or(|fault| !fault.ignore_stdin) {
        io::stdin().lock().read_to_end(&mut stdin)?;
    }
    calls::note(&store, &tool, args, &stdin)?;
    if let Some(fault) = &fault
        && let Some(code) = fault::act(fault)?
    {
        return Ok(code);
    }
    let sim = Sim { store, args: Args::new(&tool, args), stdin };
    match tool.as_str() {
        "minikube" => minikube::run(&sim),
        "docker" => docker::run(&sim),
        "helm" => helm::run(&sim),
        "kubectl" => kubectl::run(&sim),
        _ => Err(Error(format!("called as `{tool}`: not one of minikube, docker, helm, kubectl"))),
    }
}

/// `toolsim serve PORT`: answers on 127.0.0.1 as the Service with that node port would, until it is ended.
fn serve(store: &Store, port: &str) -> Answer {
    let port: u16 = port.parse().map_err(|_| Error(format!("`{port}` is no port")))?;
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    out(&format!("serving node port {port}"))?;
    http::serve(&listener, || true, |path| store.look(|world| http::node_port(world, port, path)).ok().flatten())?;
    Ok(0)
}

/// Prints a line to stdout; a reader that is gone ends the tool, as a broken pipe does.
fn out(line: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    Ok(())
}

/// Prints a line to stderr.
fn err(line: &str) -> Result<(), Error> {
    writeln!(io::stderr().lock(), "{line}")?;
    Ok(())
}

/// Prints `line` to stderr and exits with `code`.
fn fail(code: u8, line: &str) -> Answer {
    err(line)?;
    Ok(code)
}
