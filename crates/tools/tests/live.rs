//! The typed questions against the real tools, where a cluster is at hand: `TOOLS_LIVE_PROFILE=minikube cargo test -p tools --test live`.
//! Works in a namespace and with image tags of its own and removes both; the cluster is neither started nor stopped.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::path::Path;
use std::time::Duration;

use calls::invocation::{Invocation, Secret, Stdin, Tool};
use serde_json::json;
use tools::docker::{BuildOptions, Endpoint, Removed, VertexState};
use tools::helm::{Helm, ReleaseStatus, Upgrade};
use tools::kubectl::{Logs, Selection, Watch, WatchEvent, WatchItem, WatchPath};
use tools::runner::{Exit, FollowEvent, Runner, RunnerConfig};
use tools::{Target, docker, helm, kubectl, minikube, versions};

const NAMESPACE: &str = "tools-live";
const IMAGE: &str = "tools-live:1";
const LONG: Duration = Duration::from_secs(120);

/// The profile that the environment names, or a line that says why nothing is tested.
fn profile() -> Option<String> {
    let profile = std::env::var("TOOLS_LIVE_PROFILE").ok();
    if profile.is_none() {
        eprintln!("skipped: TOOLS_LIVE_PROFILE names no running minikube profile");
    }
    profile
}

/// Removes what the test made, also when it fails.
struct Clean<'a>(&'a Runner, &'a Target, &'a Endpoint);

impl Drop for Clean<'_> {
    fn drop(&mut self) {
        let gone = kubectl::delete_one(self.0, self.1, "namespace", NAMESPACE, true, LONG);
        let removed = docker::remove(self.0, self.2, IMAGE);
        eprintln!("cleaned up: {gone:?} {removed:?}");
    }
}

#[test]
fn the_real_tools() {
    let Some(profile) = profile() else { return };
    let dir = tempfile::tempdir().unwrap();
    let runner = Runner::new(RunnerConfig::new(dir.path()));
    let target = Target::new(&profile, NAMESPACE);
    for tool in versions::installed(&runner) {
        eprintln!("{:?} {:?}", tool.path.unwrap(), tool.version.unwrap().unwrap().to_string());
    }
    assert!(minikube::status(&runner, &profile).unwrap().is_running());
    let profiles = minikube::profiles(&runner).unwrap();
    let node_ip = minikube::ip(&runner, &profile).unwrap().to_string();
    assert_eq!(profiles.get(&profile).unwrap().nodes[0].ip, node_ip);
    assert!(minikube::disk(&runner, &profile).unwrap().available > 0);
    assert!(minikube::addons(&runner, &profile).unwrap()["default-storageclass"]);
    versions::api_server(&runner, &profile).unwrap();

    let node = Endpoint::Node(minikube::docker_env(&runner, &profile).unwrap());
    let clean = Clean(&runner, &target, &node);
    assert!(docker::info(&runner, &node).unwrap().cpus > 0);
    images(&runner, &node, dir.path());
    assert!(minikube::images(&runner, &profile).unwrap().iter().any(|i| i.tags.contains(&format!("docker.io/library/{IMAGE}"))));
    assert!(docker::disk_usage(&runner, &node).unwrap().images.count > 0);
    objects(&runner, &target);
    release(&runner, &target, dir.path());
    drop(clean);
    let journal = std::fs::read_to_string(dir.path().join("target/xtask/journal.jsonl")).unwrap();
    assert!(!journal.contains("hunter2"));
    let missing = Target::new("nosuch-context", "default");
    let error = kubectl::get(&runner, &missing, &["pods"], &Selection::all()).unwrap_err();
    assert!(error.failure().unwrap().stderr.contains("nosuch-context"));
}

fn images(runner: &Runner, node: &Endpoint, dir: &Path) {
    let context = dir.join("image");
    std::fs::create_dir(&context).unwrap();
    std::fs::write(
        context.join("Dockerfile"),
        "FROM busybox:1.36\nCOPY Dockerfile /x\nRUN echo built here\nCMD [\"sleep\", \"600\"]\n",
    )
    .unwrap();
    let mut options = BuildOptions::new("live", &context);
    options.tags = vec![IMAGE.to_owned()];
    options.labels.insert("tools-live".to_owned(), "1".to_owned());
    let mut log = Vec::new();
    let built = docker::build(runner, node, &options, &mut |progress| {
        if let VertexState::Log(line) = progress.state {
            log.push(line);
        }
    })
    .unwrap();
    assert_eq!(built.run + built.cached, 3, "{built:?}");
    assert!(built.cached > 0 || log.contains(&"built here".to_owned()), "{log:?}");
    let again = docker::build(runner, node, &options, &mut |_| {}).unwrap();
    assert!(again.cached >= 2, "{again:?}");
    let names = [IMAGE.to_owned(), "tools-live:nosuch".to_owned()];
    let inspected = docker::inspect(runner, node, &names).unwrap();
    assert_eq!(inspected.found[0].labels["tools-live"], "1");
    assert_eq!(inspected.missing, ["tools-live:nosuch"]);
    assert!(docker::history_size(runner, node, IMAGE).unwrap() > 1_000_000);
    docker::tag(runner, node, IMAGE, "tools-live:2").unwrap();
    let tags: Vec<_> = docker::images_by_label(runner, node, "tools-live=1").unwrap().into_iter().map(|row| row.tag).collect();
    assert!(tags.contains(&"2".to_owned()), "{tags:?}");
    assert_eq!(docker::remove(runner, node, "tools-live:2").unwrap(), Removed::Removed);
    assert_eq!(docker::remove(runner, node, "tools-live:2").unwrap(), Removed::Missing);
    std::fs::write(context.join("Dockerfile"), "FROM busybox:1.36\nRUN echo why >&2; exit 3\n").unwrap();
    let failed = docker::build(runner, node, &options, &mut |_| {}).unwrap_err();
    let failure = docker::parse_build_failure(&failed.failure().unwrap().stderr).unwrap();
    assert_eq!((failure.step.as_deref(), failure.location.as_deref()), (Some("RUN echo why >&2; exit 3"), Some("Dockerfile:2")));
    assert_eq!(failure.tail, ["why"]);
}

fn objects(runner: &Runner, target: &Target) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let applied = kubectl::apply(runner, target, "make the namespace", Stdin::Text(namespace.to_string())).unwrap();
    assert_eq!((applied[0].object.as_str(), applied[0].action.as_str()), ("namespace/tools-live", "serverside-applied"));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"a": "b"}}, "stringData": {"KEY": "hunter2"}});
    kubectl::apply(runner, target, "write the secret", Stdin::Secret(Secret::new(secret.to_string()))).unwrap();
    let live = kubectl::get_one(runner, target, "secret", "s").unwrap().unwrap();
    assert_eq!(live["data"]["KEY"], "aHVudGVyMg==");
    assert!(live["metadata"].get("annotations").is_none(), "no copy of the values in an annotation: {live}");
    assert_eq!(kubectl::get_one(runner, target, "secret", "nosuch").unwrap(), None);
    assert_eq!(
        kubectl::delete(runner, target, &["secrets", "configmaps"], &Selection::labels("a=b"), true, LONG).unwrap(),
        ["secret/s"]
    );
    assert!(!kubectl::delete_one(runner, target, "secret", "s", true, LONG).unwrap());
}

const CHART: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: live}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: live}}\n  \
                     template:\n    metadata: {labels: {app: live}}\n    spec:\n      terminationGracePeriodSeconds: 1\n      containers:\n      - name: live\n        \
                     image: {{ .Values.image }}\n        imagePullPolicy: Never\n        command: [sh, -c, \"echo up; mkdir -p /w; echo hello > /w/index.html; exec httpd -f -p 8000 -h /w\"]\n";

fn release(runner: &Runner, target: &Target, dir: &Path) {
    let chart = dir.join("chart");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: live\nversion: 0.1.0\nappVersion: \"1\"\n").unwrap();
    std::fs::write(chart.join("templates/deployment.yaml"), CHART).unwrap();
    let values = dir.join("values.json");
    std::fs::write(&values, json!({"image": IMAGE}).to_string()).unwrap();
    let helm = Helm::of(&versions::helm(runner).unwrap());
    assert!(helm::lint(runner, &chart, std::slice::from_ref(&values)).unwrap().passed);
    assert!(helm::template(runner, NAMESPACE, "live", &chart, std::slice::from_ref(&values)).unwrap().contains(IMAGE));
    assert_eq!(helm::dependency_list(runner, &chart).unwrap(), []);
    assert_eq!(helm::status(runner, target, "live").unwrap(), None);

    let api = std::sync::Arc::new(kubectl::Api::open(runner, &target.context).unwrap());
    let watch = Watch::start(
        runner,
        &target.context,
        Some(&api),
        vec![WatchPath::core(NAMESPACE, "pods"), WatchPath::apps(NAMESPACE, "deployments")],
    )
    .unwrap();
    let upgrade = Upgrade {
        release: "live".to_owned(),
        chart,
        values: vec![values],
        history_max: 3,
        no_hooks: false,
        force_conflicts: true,
        deadline: LONG,
    };
    let release = helm::upgrade(runner, helm, target, &upgrade).unwrap();
    assert_eq!((release.revision, release.status), (1, ReleaseStatus::Deployed));
    let pod = loop {
        match watch.recv_timeout(LONG) {
            Some(WatchItem::Changed { kind, event: WatchEvent::Modified(pod) })
                if kind == "pods" && pod["status"]["containerStatuses"][0]["ready"] == true =>
            {
                break pod["metadata"]["name"].as_str().unwrap().to_owned();
            }
            Some(WatchItem::Trouble { message, .. }) => panic!("{message}"),
            Some(_) => {}
            None => panic!("no pod got ready"),
        }
    };
    drop(watch);
    assert!(kubectl::top(runner, target, &Selection::all()).is_ok());
    let logs = Logs { object: pod.clone(), container: Some("live".to_owned()), tail: Some(5), ..Logs::default() };
    assert_eq!(kubectl::logs(runner, target, &logs).unwrap(), "up\n");
    let follow = kubectl::logs_follow(runner, target, &logs).unwrap();
    assert!(matches!(follow.recv_timeout(LONG), Some(FollowEvent::Line(line)) if line.text == "up"));
    drop(follow);
    let output = kubectl::exec(runner, target, &pod, None, &["sh", "-c", "echo error: mine >&2; exit 7"], LONG).unwrap();
    assert_eq!(output.exit, Exit::Code(7));
    assert!(kubectl::exec(runner, target, "nosuch", None, &["true"], LONG).is_err());
    let forward = kubectl::port_forward(runner, target, "deployment/live", (0, 8000), LONG).unwrap();
    let get = Invocation::new(Tool::Kubectl, "test", LONG).args(["--context", &target.context, "version"]);
    runner.capture(&get).unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", forward.port)).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.ends_with("hello\n"), "{answer}");
    drop(forward);

    helm::upgrade(runner, helm, target, &upgrade).unwrap();
    assert_eq!(helm::history(runner, target, "live").unwrap().len(), 2);
    helm::rollback(runner, target, "live", 1, LONG).unwrap();
    assert_eq!(helm::get_values(runner, target, "live").unwrap(), json!({"image": IMAGE}));
    assert!(helm::get_manifest(runner, target, "live").unwrap().contains("kind: Deployment"));
    assert_eq!(helm::list(runner, helm, target).unwrap()[0].revision, 3);
    assert!(helm::test(runner, target, "live", LONG).unwrap().passed);
    helm::uninstall(runner, helm, target, "live", LONG).unwrap();
    helm::uninstall(runner, helm, target, "live", LONG).unwrap();
}
