//! The whole journey on a real cluster: from nothing to a verified deployment, through changes and faults, and back to nothing.
//!
//! It creates and deletes the cluster of xtask.toml, so it only runs when it is asked for: `XTASK_E2E=1 cargo xtask ci --only e2e`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test outside of cfg(test): it fails by panicking and shows what a person would see"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

const BACKEND: &str = "examples/todo-chatbot/backend/app/__init__.py";
const POD_BACK: Duration = Duration::from_secs(60);

/// The repository, with a configuration of its own beside xtask.toml: root needs `--force`.
struct Journey {
    root: PathBuf,
    config: PathBuf,
}

impl Journey {
    fn begin() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let text = std::fs::read_to_string(root.join("xtask.toml")).unwrap();
        let args = if output(new("id").arg("-u")).stdout.trim_ascii() == b"0" { "[\"--force\"]" } else { "[]" };
        let changed = text.replace("start_args = []", &format!("start_args = {args}"));
        assert!(changed != text || args == "[]", "xtask.toml no longer has `start_args = []`");
        let config = root.join("journey.local.toml");
        std::fs::write(&config, changed).unwrap();
        Self { root, config }
    }

    /// Runs xtask; gives exit code, stdout and stderr, and shows what a person would see.
    fn xtask(&self, args: &[&str]) -> (i32, String, String) {
        let begun = Instant::now();
        let mut command = new(env!("CARGO_BIN_EXE_xtask"));
        let out =
            output(command.args(args).arg("--config").arg(&self.config).current_dir(&self.root).env_remove("GITHUB_ACTIONS"));
        let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
        println!("$ cargo xtask {}    ({:.1}s)\n{stdout}{stderr}", args.join(" "), begun.elapsed().as_secs_f64());
        (out.status.code().unwrap_or(-1), stdout, stderr)
    }

    fn ok(&self, args: &[&str]) -> (String, String) {
        let (code, stdout, stderr) = self.xtask(args);
        assert_eq!(code, 0, "cargo xtask {} failed", args.join(" "));
        (stdout, stderr)
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let out = output(new("kubectl").args(["--context", "minikube", "-n", "todo"]).args(args).current_dir(&self.root));
        assert!(out.status.success(), "kubectl {args:?}: {}", text(&out.stderr));
        text(&out.stdout)
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(&[args, &["-o", "json"]].concat())).unwrap()
    }

    /// Asks the development database.
    fn psql(&self, query: &str) -> String {
        let psql = ["exec", "dev-postgres-0", "--", "psql", "-U", "todo", "-d", "todo", "-tAc", query];
        self.kubectl(&psql).trim().to_owned()
    }

    fn backend_version(&self) -> String {
        let answer =
            self.kubectl(&["get", "--raw", "/api/v1/namespaces/todo/services/http:backend-service:8000/proxy/api/version"]);
        serde_json::from_str::<Value>(&answer).unwrap()["version"].as_str().unwrap().to_owned()
    }

    /// Waits until `what` is so.
    fn until(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !so(self) {
            assert!(begun.elapsed() < POD_BACK, "not so after {} s: {what}", POD_BACK.as_secs());
            std::thread::sleep(Duration::from_millis(500));
        }
        println!("{what}: after {:.1}s", begun.elapsed().as_secs_f64());
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        // A test's own file; a next run writes it anew.
        drop(std::fs::remove_file(&self.config));
    }
}

/// Puts a source file back as it was.
struct Restored(PathBuf, String);

impl Restored {
    fn changed(path: PathBuf, from: &str, to: &str) -> Self {
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{} has no {from}", path.display());
        std::fs::write(&path, before.replace(from, to)).unwrap();
        Self(path, before)
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        std::fs::write(&self.0, &self.1).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test drives the tools as a person would, from outside")]
fn new(program: &str) -> Command {
    Command::new(program)
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
#[ignore = "creates and deletes a cluster: XTASK_E2E=1 cargo xtask ci --only e2e"]
fn from_nothing_to_a_running_application_and_back() {
    let journey = Journey::begin();
    journey.ok(&["cleanup", "--scope", "all", "--yes"]);
    // A cluster that somebody else made stays; XTASK_E2E=1 says that it may go.
    output(new("minikube").args(["-p", "minikube", "delete"]));

    // A fresh clone, one command, no .env.
    journey.ok(&["deploy"]);
    let (origin, _) = journey.ok(&["open", "--print"]);
    let origin = origin.trim().to_owned();
    journey.ok(&["verify"]);
    journey.ok(&["test"]);
    in_the_browser(&journey, &origin);
    let todos = journey.psql("select count(*) from todo");
    assert_ne!(todos, "0", "the browser's todos are in PostgreSQL");

    // Nothing to do: no new revision.
    let revisions = journey.json(&["get", "secrets", "-l", "owner=helm"])["items"].as_array().unwrap().len();
    let (_, said) = journey.ok(&["deploy"]);
    assert!(said.contains("Up to date in"), "{said}");
    assert_eq!(journey.json(&["get", "secrets", "-l", "owner=helm"])["items"].as_array().unwrap().len(), revisions);

    // A pod dies: it comes back, the todos are still there.
    journey.kubectl(&["delete", "pod", "-l", "app.kubernetes.io/component=backend", "--wait=false"]);
    journey.until("the backend's pod is back", |j| j.xtask(&["verify", "--quiet"]).0 == 0);
    assert_eq!(journey.psql("select count(*) from todo"), todos);

    // A changed line rolls out.
    assert_eq!(journey.backend_version(), "3.0.0");
    {
        let _restored = Restored::changed(journey.root.join(BACKEND), "\"3.0.0\"", "\"3.0.1\"");
        let (plan, _) = journey.ok(&["plan"]);
        assert!(plan.contains("app/__init__.py"), "{plan}");
        journey.ok(&["deploy"]);
        assert_eq!(journey.backend_version(), "3.0.1");
        journey.ok(&["verify"]);
    }
    journey.ok(&["deploy"]);
    assert_eq!(journey.backend_version(), "3.0.0");

    // A foreign hand is seen and put right.
    journey.kubectl(&["scale", "deployment/todo-app-frontend", "--replicas=0"]);
    let (code, ..) = journey.xtask(&["verify"]);
    assert_eq!(code, 9, "verify sees that a Deployment was scaled");
    journey.ok(&["deploy"]);
    journey.ok(&["verify"]);

    no_secret_leaks(&journey);

    // The other layout, and back.
    journey.ok(&["deploy", "--layout", "split"]);
    journey.ok(&["verify", "--layout", "split"]);
    assert_eq!(journey.psql("select count(*) from todo"), todos);
    journey.ok(&["deploy"]);

    // Away with the releases: the data stays until it is asked for.
    journey.ok(&["cleanup"]);
    assert!(journey.json(&["get", "pods"])["items"].as_array().unwrap().is_empty());
    journey.ok(&["deploy"]);
    assert_eq!(journey.psql("select count(*) from todo"), todos);

    // A stopped cluster is started again, with all that was in it.
    journey.ok(&["stop"]);
    journey.ok(&["deploy"]);
    assert_eq!(journey.psql("select count(*) from todo"), todos);

    // Back to nothing.
    let (code, _, said) = journey.xtask(&["cleanup", "--scope", "all"]);
    assert_eq!(code, 2, "without a terminal and without --yes nothing is deleted: {said}");
    journey.ok(&["cleanup", "--scope", "all", "--yes"]);
    let profiles = output(new("minikube").args(["profile", "list", "-o", "json"]));
    let profiles: Value = serde_json::from_slice(&profiles.stdout).unwrap();
    assert_eq!(profiles["valid"].as_array().map(Vec::len), Some(0), "{profiles}");
    journey.ok(&["cleanup", "--scope", "all", "--yes"]);
}

/// Playwright, where npm and a browser are at hand.
fn in_the_browser(journey: &Journey, origin: &str) {
    let folder = journey.root.join("examples/todo-chatbot/e2e");
    for args in [&["ci", "--no-audit", "--no-fund"][..], &["test"]] {
        let out = output(new("npm").args(args).current_dir(&folder).env("E2E_BASE_URL", origin));
        println!("$ npm {}\n{}{}", args.join(" "), text(&out.stdout), text(&out.stderr));
        assert!(out.status.success(), "npm {}", args.join(" "));
    }
}

/// The generated secrets are in none of the places where they must not be.
fn no_secret_leaks(journey: &Journey) {
    let mut secrets = Vec::new();
    for name in ["dev-postgres-secrets", "xtask-generated"] {
        for (key, value) in journey.json(&["get", "secret", name])["data"].as_object().unwrap() {
            if key.ends_with("PASSWORD") || key.ends_with("SECRET") {
                let decoded =
                    journey.kubectl(&["get", "secret", name, "-o", &format!("go-template={{{{.data.{key} | base64decode}}}}")]);
                secrets.push((key.clone(), decoded, value.as_str().unwrap().to_owned()));
            }
        }
    }
    assert_eq!(secrets.len(), 2);
    let helm = output(new("helm").args(["get", "all", "todo-app", "--kube-context", "minikube", "-n", "todo"]));
    assert!(helm.status.success());
    // Helm packs a release as base64 of base64 of gzip: `helm get all` is what is in it.
    let helm_database = output(new("helm").args(["get", "all", "dev-postgres", "--kube-context", "minikube", "-n", "todo"]));
    let mut places = vec![
        ("helm get all todo-app".to_owned(), text(&helm.stdout)),
        ("helm get all dev-postgres".to_owned(), text(&helm_database.stdout)),
    ];
    for entry in std::fs::read_dir(journey.root.join("target/xtask")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            places.push((path.display().to_string(), text(&std::fs::read(&path).unwrap())));
        }
    }
    for (key, plain, encoded) in &secrets {
        for (place, holds) in &places {
            assert!(!holds.contains(plain.as_str()) && !holds.contains(encoded.as_str()), "{key} stands in {place}");
        }
    }
}
