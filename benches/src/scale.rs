//! A deploy with nothing to do, of many services: simulated tools, because so many pods would not fit on one node.
//!
//! Shows what grows with the number of services. Each simulated call takes as long as the real tool takes ([`PACE`]); the
//! script starts two processes per service.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::process::{Call, timed};
use crate::table::{Report, Row, Times};

/// The tools that are simulated.
const TOOLS: [&str; 4] = ["minikube", "docker", "helm", "kubectl"];

/// How long a call takes when there is nothing to do, in milliseconds: tool, word of its arguments. The first that fits counts.
/// minikube, kubectl and helm: measured on a real minikube; docker: on the test cluster, where nothing else ran.
const PACE: [(&str, &str, u64); 7] = [
    ("minikube", "docker-env", 220),
    ("minikube", "", 230),
    ("docker", "build", 230),
    ("docker", "", 50),
    ("helm", "upgrade", 400),
    ("helm", "", 50),
    ("kubectl", "", 60),
];

pub(crate) fn scale(root: &Path, xtask: &Path, target: &Path, counts: &[u32], runs: u32) -> Result<Report> {
    Call::new("cargo", root).args(["build", "--quiet", "--release", "--package", "toolsim"]).run()?;
    let toolsim = target.join("release").join(format!("toolsim{}", std::env::consts::EXE_SUFFIX));
    let mut report = Report::default();
    for count in counts {
        report.rows.push(one(xtask, &toolsim, *count, runs).with_context(|| format!("{count} services"))?);
    }
    report.notes.push(
        "services: simulated tools at the pace of the real ones with nothing to do (benches/src/scale.rs); no pods".to_owned(),
    );
    Ok(report)
}

fn one(xtask: &Path, toolsim: &Path, count: u32, runs: u32) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let server = Server::start()?;
    let services: Vec<String> = (1..=count).map(|i| format!("s{i}")).collect();
    workspace(folder.path(), &services, server.address.port())?;
    let env = simulated(folder.path(), toolsim)?;
    let call = |program: &str| Call::new(program, folder.path()).envs(&env);
    let deploy = Call::new(xtask, folder.path())
        .envs(&env)
        .args(["deploy", "--quiet", "--config"])
        .args([shown(folder.path(), "xtask.toml")]);

    call("minikube").args(["start", "--profile", "minikube", "--driver", "docker"]).run()?;
    serve_on_this_machine(folder.path())?;
    deploy.run().context("the deploy before the measured ones")?;
    let revision = || -> Result<String> {
        Ok(call("helm").args(["--kube-context", "minikube", "--namespace", "bench", "list", "--output", "json"]).run()?.stdout)
    };
    let before = revision()?;
    pace(folder.path())?;
    let ours: Times = (0..runs).map(|_| Ok(deploy.run()?.time)).collect::<Result<_>>()?;
    anyhow::ensure!(revision()? == before, "a deploy with nothing to do made a new revision");

    let mut bare = Times::default();
    for _ in 0..runs {
        bare.push(timed(|| {
            let exported = call("minikube").args(["docker-env", "--profile", "minikube", "--shell", "bash"]).run()?.stdout;
            let pairs = exported.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
            let docker: BTreeMap<String, OsString> = pairs.map(|(k, v)| (k.to_owned(), v.trim_matches('"').into())).collect();
            for service in &services {
                let tag = format!("{service}:bench");
                call("docker").envs(&docker).args(["build", "--tag", &tag, &shown(folder.path(), service)]).run()?;
            }
            let helm = ["--kube-context", "minikube", "--namespace", "bench", "upgrade", "--install", "bench"];
            call("helm").args(helm).args([shown(folder.path(), "chart"), "--wait".to_owned()]).run()?;
            for service in &services {
                let get = ["--context", "minikube", "--namespace", "bench", "get", "deployment"];
                call("kubectl").args(get).args([format!("bench-{service}"), "--output".to_owned(), "json".to_owned()]).run()?;
            }
            Ok(())
        })?);
    }
    Ok(Row {
        what: format!("deploy, nothing to do, simulated services: {count}"),
        ours,
        bare: Some(("docker-env, a build each, one upgrade, a look at each Deployment".to_owned(), bare)),
        goal: None,
    })
}

fn shown(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// xtask.toml, a context for each service, and a chart whose values name them.
fn workspace(root: &Path, services: &[String], port: u16) -> Result<()> {
    let mut config = format!(
        "version = 1\nname = \"bench\"\nnamespace = \"bench\"\nlayout = \"all\"\n\n[cluster]\nprofile = \"minikube\"\ndriver = \"docker\"\n\
         \n[public]\nservice = \"s1\"\naccess = \"node-port\"\nnode_port = {port}\n"
    );
    let mut list = Vec::new();
    let mut values: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
    for service in services {
        // Writing to a String can't fail.
        let _infallible = write!(
            config,
            "\n[services.{service}]\ncontext = \"{service}\"\nimage = \"{service}\"\nport = 8000\n\
             health = {{ liveness = \"/api/health\", readiness = \"/api/health\" }}\nkeys = []\n"
        );
        list.push(format!("{service} = {{ at = \".{service}\" }}"));
        values.entry("image").or_default().insert(service, json!({"repository": service, "tag": "none", "pullPolicy": "Never"}));
        values.entry("service").or_default().insert(service, json!({"type": "ClusterIP", "port": 8000}));
        values.entry("replicaCount").or_default().insert(service, json!(1));
        let context = root.join(service);
        std::fs::create_dir_all(&context)?;
        std::fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY . /\n")?;
        for i in 0..20 {
            std::fs::write(context.join(format!("source-{i}.txt")), format!("{service} {i}\n").repeat(100))?;
        }
    }
    let _infallible = write!(
        config,
        "\n[layouts.all]\nreplicas = 1\n\n[[layouts.all.releases]]\nname = \"bench\"\nchart = \"chart\"\nvalues = []\nservices = {{ {} }}\n",
        list.join(", ")
    );
    std::fs::write(root.join("xtask.toml"), config)?;
    let chart = root.join("chart");
    std::fs::create_dir_all(chart.join("templates"))?;
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: bench\nversion: 0.1.0\nappVersion: \"1\"\n")?;
    std::fs::write(chart.join("values.yaml"), serde_json::to_vec_pretty(&values)?)?;
    Ok(())
}

/// A folder on PATH with the four tools, over a world of its own.
fn simulated(root: &Path, toolsim: &Path) -> Result<BTreeMap<String, OsString>> {
    let bin = root.join("bin");
    std::fs::create_dir_all(&bin)?;
    for tool in TOOLS {
        let file = bin.join(format!("{tool}{}", std::env::consts::EXE_SUFFIX));
        std::fs::copy(toolsim, &file).with_context(|| format!("can't copy `{}`", toolsim.display()))?;
    }
    // A world in which nothing was started yet.
    std::fs::write(root.join("world.json"), "{}")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(bin).chain(std::env::split_paths(&path));
    Ok([
        ("PATH".to_owned(), std::env::join_paths(paths)?),
        ("TOOLSIM_STATE".to_owned(), root.join("world.json").into()),
        ("HOME".to_owned(), root.into()),
        ("KUBECONFIG".to_owned(), root.join("kubeconfig").into()),
    ]
    .into())
}

/// The node's address becomes this machine's, where [`Server`] answers for the public service.
fn serve_on_this_machine(root: &Path) -> Result<()> {
    let file = root.join("world.json");
    let text = std::fs::read_to_string(&file)?;
    let world: Value = serde_json::from_str(&text)?;
    let ip = world.pointer("/profiles/minikube/ip").and_then(Value::as_str).context("the simulated world has no cluster")?;
    // In the profile, in the node's addresses, in the kubeconfig.
    let mut world: Value = serde_json::from_str(&text.replace(ip, "127.0.0.1"))?;
    world["build_ms"] = json!(0);
    world["ready_ms"] = json!(0);
    Ok(std::fs::write(file, serde_json::to_vec(&world)?)?)
}

/// From now on each call takes its time.
fn pace(root: &Path) -> Result<()> {
    let file = root.join("world.json");
    let mut world: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let delay = |(tool, word, ms): &(&str, &str, u64)| {
        let args: Vec<&str> = Some(*word).filter(|word| !word.is_empty()).into_iter().collect();
        json!({"tool": tool, "args": args, "delay_ms": ms})
    };
    world["faults"] = PACE.iter().map(delay).collect();
    Ok(std::fs::write(file, serde_json::to_vec(&world)?)?)
}

/// Answers 200 to everything, on a port that a Service may have on a node.
struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Result<Self> {
        let listener = (30400..32767)
            .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok())
            .context("no NodePort is free on this machine")?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // A client that went away needs no answer.
                drop(answer(stream));
            }
        });
        Ok(Self { address, stop, thread: Some(thread) })
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _read = stream.read(&mut request)?;
    let body = r#"{"status":"ok"}"#;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread; if nobody listens any more, it has ended.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
