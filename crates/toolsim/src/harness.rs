//! For tests: a directory with the four tools on a PATH of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crate::world::{Store, World};
use crate::{Call, Error, Fault, STATE};

/// The names under which the simulation is called.
const TOOLS: [&str; 5] = ["minikube", "docker", "helm", "kubectl", crate::fault::SLEEPER];

/// The simulated tools in a temporary directory, which is removed with this.
#[derive(Debug)]
pub struct Sim {
    dir: tempfile::TempDir,
}

impl Sim {
    /// Puts the tools over `world` into a new directory.
    ///
    /// # Errors
    /// The simulation can't be built or the directory not be written.
    pub fn new(world: &World) -> Result<Self, Error> {
        let program = program()?;
        let dir = tempfile::Builder::new().prefix("toolsim").tempdir()?;
        let bin = dir.path().join("bin");
        std::fs::create_dir(&bin)?;
        for tool in TOOLS {
            let link = bin.join(tool).with_extension(std::env::consts::EXE_EXTENSION);
            // A hard link costs nothing; on another file system it has to be a copy.
            if std::fs::hard_link(&program, &link).is_err() {
                std::fs::copy(&program, &link)?;
            }
        }
        let sim = Self { dir };
        std::fs::write(sim.state(), serde_json::to_string(world)?)?;
        Ok(sim)
    }

    /// The directory, for files of the test; holds `bin`, `world.json` and `calls.jsonl`.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The file of the world.
    fn state(&self) -> PathBuf {
        self.dir.path().join("world.json")
    }

    /// The environment in which only the simulated tools are found, for `RunnerConfig::env`.
    pub fn env(&self) -> BTreeMap<OsString, OsString> {
        let mut env = BTreeMap::new();
        env.insert("PATH".into(), self.dir.path().join("bin").into());
        env.insert(STATE.into(), self.state().into());
        // Windows programs don't start without it.
        if let Some(root) = std::env::var_os("SystemRoot") {
            env.insert("SystemRoot".into(), root);
        }
        env
    }

    /// Takes a tool away.
    pub fn without(&self, tool: &str) -> Result<(), Error> {
        Ok(std::fs::remove_file(self.dir.path().join("bin").join(tool).with_extension(std::env::consts::EXE_EXTENSION))?)
    }

    /// The world as it is now.
    pub fn world(&self) -> Result<World, Error> {
        self.change(|world| world.clone())
    }

    /// Changes the world.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T, Error> {
        Store::at(self.state()).change(|world| Ok(change(world)))
    }

    /// Serves a node port of the simulated cluster on 127.0.0.1 until the answer is dropped; port 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken.
    pub fn serve(&self, port: u16) -> Result<NodePort, Error> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let port = listener.local_addr()?.port();
        let store = Store::at(self.state());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let tell = |path: &str| store.look(|world| crate::http::node_port(world, port, path)).ok().flatten();
            crate::http::serve(&listener, || !stopped.load(Ordering::SeqCst), tell)
        });
        Ok(NodePort { port, stop, thread: Some(thread) })
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) -> Result<(), Error> {
        self.change(|world| world.faults.push(fault))
    }

    /// The calls so far, in the order in which they began.
    pub fn calls(&self) -> Result<Vec<Call>, Error> {
        let file = self.dir.path().join("calls.jsonl");
        if !file.exists() {
            return Ok(Vec::new());
        }
        std::fs::read_to_string(file)?.lines().map(|line| serde_json::from_str(line).map_err(Error::from)).collect()
    }

    /// The calls so far as lines, without those before `since`.
    pub fn lines_since(&self, since: usize) -> Result<Vec<String>, Error> {
        Ok(self.calls()?.iter().skip(since).map(Call::line).collect())
    }
}

/// A served node port.
#[derive(Debug)]
pub struct NodePort {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl NodePort {
    /// Its number.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for NodePort {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread, which waits for a connection; if that fails it has ended already.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// The program: `toolsim` beside the tests' own directory, built once for each test process.
fn program() -> Result<PathBuf, Error> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PROGRAM.get_or_init(|| build().map_err(|e| e.to_string())).clone().map_err(Error)
}

fn build() -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    #[expect(clippy::disallowed_methods, reason = "a test helper: the runner is what is tested with it")]
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "toolsim", "--bin", "toolsim", "--message-format=json"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()?;
    if !output.status.success() {
        return Err(Error(format!("cannot build toolsim: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let built = messages.find_map(|m| m["executable"].as_str().map(PathBuf::from));
    built.ok_or_else(|| Error("cargo does not say where it put toolsim".to_owned()))
}
