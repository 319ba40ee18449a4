//! The typed questions, one after the other, as a deployment asks them; over simulated tools.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[cfg(test)]
#[path = "support/sim.rs"]
mod sim;

use std::path::{Path, PathBuf};
use std::time::Duration;

use calls::invocation::{Secret, Stdin, Tool};
use serde_json::json;
use sim::simulated;
use tools::docker::{BuildOptions, Endpoint, Removed, VertexState};
use tools::helm::{Helm, ReleaseStatus, Upgrade};
use tools::kubectl::{Logs, Selection, Watch, WatchEvent, WatchItem, WatchPath};
use tools::minikube::{StartEvent, StartOptions, Status};
use tools::runner::Runner;
use tools::{Target, ToolError, docker, helm, kubectl, minikube, versions};
use toolsim::harness::Sim;
use toolsim::{Broken, Fault, World};

const LONG: Duration = Duration::from_secs(60);

fn target() -> Target {
    Target::new("minikube", "todo")
}

/// A chart of two services, as little of one as the simulation reads.
fn chart(sim: &Sim) -> PathBuf {
    let dir = sim.dir().join("chart");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("Chart.yaml"), "apiVersion: v2\nname: todo-app\nversion: 1.0.0\nappVersion: \"3.0.0\"\n").unwrap();
    let values = "image:\n  backend: {repository: todo-backend, pullPolicy: Never}\n  frontend: {repository: todo-frontend}\n\
                  service:\n  backend: {name: backend-service, port: 8000}\n  frontend: {name: frontend-service, port: 3000, type: NodePort, nodePort: 30300}\n";
    std::fs::write(dir.join("values.yaml"), values).unwrap();
    dir
}

fn context(sim: &Sim) -> PathBuf {
    let dir = sim.dir().join("backend");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("Dockerfile"), "FROM python:3.13-slim\nCOPY . /app\nRUN pip install .\n").unwrap();
    dir
}

fn build(runner: &Runner, endpoint: &Endpoint, dir: &Path, tag: &str) -> Vec<docker::BuildProgress> {
    let mut options = BuildOptions::new("backend", dir);
    options.tags = vec![format!("todo-backend:{tag}"), "todo-backend:latest".to_owned()];
    options.labels.insert("xtask/inputs".to_owned(), tag.to_owned());
    let mut progress = Vec::new();
    docker::build(runner, endpoint, &options, &mut |p| progress.push(p)).unwrap();
    progress
}

fn upgrade(runner: &Runner, sim: &Sim, tag: &str) -> Result<helm::Release, ToolError> {
    let values = sim.dir().join("values.json");
    std::fs::write(&values, json!({"image": {"backend": {"tag": tag}}}).to_string()).unwrap();
    let upgrade = Upgrade {
        release: "todo-app".to_owned(),
        chart: chart(sim),
        values: vec![values],
        history_max: 3,
        no_hooks: false,
        force_conflicts: false,
        deadline: LONG,
    };
    helm::upgrade(runner, Helm::of(&"3.22".parse().unwrap()), &target(), &upgrade)
}

fn namespace(runner: &Runner) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "todo"}});
    kubectl::apply(runner, &target(), "make the namespace", Stdin::Text(object.to_string())).unwrap();
}

#[test]
fn from_nothing_to_a_release_and_back() {
    let (sim, runner) = simulated(&World::empty());
    let found = versions::installed(&runner);
    assert!(found.iter().all(|tool| tool.path.is_some() && matches!(tool.version, Some(Ok(_)))), "{found:?}");
    assert_eq!(minikube::status(&runner, "minikube").unwrap(), Status::ProfileMissing);
    assert!(minikube::profiles(&runner).unwrap().valid.is_empty());

    let mut steps = Vec::new();
    let options =
        StartOptions { profile: "minikube".to_owned(), cpus: Some(2), memory_mib: Some(4096), ..StartOptions::default() };
    minikube::start(&runner, &options, &mut |event| {
        if let StartEvent::Step { name, .. } = event {
            steps.push(name);
        }
    })
    .unwrap();
    assert_eq!(steps.last().map(String::as_str), Some("Done"));
    assert!(minikube::status(&runner, "minikube").unwrap().is_running());
    assert_eq!(minikube::profiles(&runner).unwrap().get("minikube").unwrap().memory_mib, 4096);
    assert_eq!(versions::api_server(&runner, "minikube").unwrap().to_string(), "1.36.2");
    assert!(minikube::disk(&runner, "minikube").unwrap().available > 0);

    let node = Endpoint::Node(minikube::docker_env(&runner, "minikube").unwrap());
    let dir = context(&sim);
    let progress = build(&runner, &node, &dir, "1a");
    assert_eq!(progress.iter().filter(|p| p.state == VertexState::Done && p.step.is_some()).count(), 3);
    assert_eq!(docker::images_by_label(&runner, &node, "xtask/inputs").unwrap().len(), 2);
    assert!(docker::images_by_label(&runner, &Endpoint::Host, "xtask/inputs").unwrap().is_empty(), "the host has none of it");
    let names = ["todo-backend:1a".to_owned(), "nosuch:1".to_owned()];
    let inspected = docker::inspect(&runner, &node, &names).unwrap();
    assert_eq!((inspected.found[0].labels["xtask/inputs"].as_str(), inspected.missing), ("1a", vec!["nosuch:1".to_owned()]));

    namespace(&runner);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"KEY": "hunter2"}});
    kubectl::apply(&runner, &target(), "write the secret", Stdin::Secret(Secret::new(secret.to_string()))).unwrap();
    let secret = kubectl::get_one(&runner, &target(), "secret", "s").unwrap().unwrap();
    assert_eq!(secret["data"]["KEY"], "aHVudGVyMg==");

    let release = upgrade(&runner, &sim, "1a").unwrap();
    assert_eq!((release.revision, release.status), (1, ReleaseStatus::Deployed));
    let pods = kubectl::get(&runner, &target(), &["pods"], &Selection::labels("app.kubernetes.io/component=backend")).unwrap();
    assert_eq!(pods[0]["spec"]["containers"][0]["image"], "todo-backend:1a");
    assert_eq!(pods[0]["status"]["containerStatuses"][0]["ready"], true);
    assert_eq!(minikube::service_url(&runner, "minikube", "todo", "frontend-service").unwrap(), ["http://192.168.49.2:30300"]);
    let health =
        kubectl::get_raw(&runner, "minikube", "/api/v1/namespaces/todo/services/backend-service:8000/proxy/api/health").unwrap();
    assert_eq!(health["status"], "ok");
    assert!(matches!(docker::remove(&runner, &node, "todo-backend:nosuch").unwrap(), Removed::Missing));

    upgrade(&runner, &sim, "1a").unwrap();
    let history = helm::history(&runner, &target(), "todo-app").unwrap();
    let states: Vec<_> = history.iter().map(|row| row.status.clone()).collect();
    assert_eq!(states, [ReleaseStatus::Superseded, ReleaseStatus::Deployed]);
    helm::rollback(&runner, &target(), "todo-app", 1, LONG).unwrap();
    let four = Helm::of(&"4.3".parse().unwrap());
    assert!(
        matches!(helm::list(&runner, Helm::of(&"3.22".parse().unwrap()), &target()).unwrap()[..], [ref row] if row.revision == 3)
    );
    helm::uninstall(&runner, four, &target(), "todo-app", LONG).unwrap();
    assert_eq!(helm::status(&runner, &target(), "todo-app").unwrap(), None);
    assert!(kubectl::get(&runner, &target(), &["deployments", "pods", "services"], &Selection::all()).unwrap().is_empty());
    minikube::stop(&runner, "minikube").unwrap();
    let Err(ToolError::Failed(failure)) = kubectl::get(&runner, &target(), &["pods"], &Selection::all()) else {
        panic!("a stopped cluster answered")
    };
    assert!(failure.stderr.contains("was refused"), "{}", failure.stderr);
    minikube::delete(&runner, "minikube").unwrap();
    assert_eq!(minikube::status(&runner, "minikube").unwrap(), Status::ProfileMissing);

    let calls = sim.calls().unwrap();
    assert!(!calls.iter().any(|call| call.line().contains("hunter2") || call.environ.iter().any(|v| v.contains("hunter2"))));
    let all_name = |tool: &str, flag: &str| {
        calls.iter().filter(|c| c.tool == tool).all(|c| c.args.iter().any(|a| a == flag || a == "version"))
    };
    assert!(all_name("kubectl", "--context") && all_name("helm", "--kube-context"), "every call names its context");
}

#[test]
fn what_runs_already_is_told_apart_from_what_does_not() {
    let (sim, runner) = simulated(&World::running());
    sim.change(|world| world.profile("minikube").unwrap().kubeconfig = false).unwrap();
    let status = minikube::status(&runner, "minikube").unwrap();
    assert!(status.only_kubeconfig_wrong() && !status.is_running());
    minikube::update_context(&runner, "minikube").unwrap();
    assert!(minikube::status(&runner, "minikube").unwrap().is_running());
    sim.change(|world| world.machine.docker = false).unwrap();
    let told = versions::docker(&runner).unwrap();
    assert!(told.server.is_none() && told.problem.unwrap().stderr.contains("Cannot connect to the Docker daemon"));
    assert!(matches!(docker::info(&runner, &Endpoint::Host), Err(ToolError::Failed(_))));
}

#[test]
fn a_start_that_is_refused_ends_with_its_reason() {
    let (_sim, runner) = simulated(&World::empty());
    let options = StartOptions { profile: "minikube".to_owned(), cpus: Some(64), ..StartOptions::default() };
    let mut reason = None;
    let error = minikube::start(&runner, &options, &mut |event| {
        if let StartEvent::Error { name, exit_code, .. } = event {
            reason = Some((name, exit_code));
        }
    });
    assert_eq!(reason, Some((Some("RSRC_INSUFFICIENT_CORES".to_owned()), Some(29))));
    assert_eq!(error.unwrap_err().failure().unwrap().exit_code, Some(29));
}

#[test]
fn a_failing_build_tells_its_step_and_leaves_no_image() {
    let (sim, runner) = simulated(&World::running());
    sim.change(|world| world.failing_builds.insert("backend".to_owned(), "ERROR: No matching distribution".to_owned())).unwrap();
    let node = Endpoint::Node(minikube::docker_env(&runner, "minikube").unwrap());
    let mut options = BuildOptions::new("backend", context(&sim));
    options.tags = vec!["todo-backend:1".to_owned()];
    let error = docker::build(&runner, &node, &options, &mut |_| {}).unwrap_err();
    let failure = docker::parse_build_failure(&error.failure().unwrap().stderr).unwrap();
    assert_eq!(failure.step.as_deref(), Some("RUN pip install ."));
    assert_eq!(failure.tail, ["ERROR: No matching distribution"]);
    assert_eq!(docker::inspect(&runner, &node, &["todo-backend:1".to_owned()]).unwrap().missing, ["todo-backend:1"]);
}

#[test]
fn output_that_is_not_understood_is_shown() {
    let (sim, runner) = simulated(&World::running());
    sim.fault(Fault { stdout: "<html>proxy login</html>\n".into(), code: Some(0), ..Fault::of("kubectl", &["get", "pods"]) })
        .unwrap();
    let Err(ToolError::Unclear { problem, failure }) = kubectl::get(&runner, &target(), &["pods"], &Selection::all()) else {
        panic!("HTML was taken for pods")
    };
    assert!(problem.starts_with("not the expected JSON"), "{problem}");
    assert_eq!(failure.stdout, "<html>proxy login</html>\n");
}

fn kinds_of(watch: &Watch, until: impl Fn(&WatchItem) -> bool) -> Vec<WatchItem> {
    let mut items = Vec::new();
    while let Some(item) = watch.recv_timeout(Duration::from_secs(20)) {
        let last = until(&item);
        items.push(item);
        if last {
            return items;
        }
    }
    panic!("the watch fell silent: {items:?}")
}

#[test]
fn a_watch_lists_then_tells_each_change_of_several_kinds() {
    let (sim, runner) = simulated(&World::running());
    namespace(&runner);
    let node = Endpoint::Node(minikube::docker_env(&runner, "minikube").unwrap());
    build(&runner, &node, &context(&sim), "1a");
    let paths = vec![WatchPath::core("todo", "pods"), WatchPath::apps("todo", "deployments")];
    let watch = Watch::start(&runner, "minikube", None, paths).unwrap();
    let listed = std::cell::Cell::new(0);
    kinds_of(&watch, |item| {
        assert!(matches!(item, WatchItem::Listed { objects, .. } if objects.is_empty()), "{item:?}");
        listed.set(listed.get() + 1);
        listed.get() == 2
    });
    upgrade(&runner, &sim, "1a").unwrap();
    let ready = |item: &WatchItem, kind: &str| {
        matches!(item, WatchItem::Changed { kind: k, event: WatchEvent::Modified(object) }
            if k == kind && object["metadata"]["name"] == "todo-app-backend" && object["status"]["readyReplicas"] == 1)
    };
    let items = kinds_of(&watch, |item| ready(item, "deployments"));
    assert!(items.iter().any(|item| matches!(item, WatchItem::Changed { event: WatchEvent::Added(_), .. })));
    // The API server goes away: told as trouble, asked again, and listed anew when it is back.
    sim.change(|world| world.profile("minikube").unwrap().api_server = false).unwrap();
    let items = kinds_of(&watch, |item| matches!(item, WatchItem::Trouble { .. }));
    let Some(WatchItem::Trouble { failure: Some(failure), .. }) = items.last() else { panic!("{items:?}") };
    assert!(failure.stderr.contains("was refused"));
    sim.change(|world| world.profile("minikube").unwrap().api_server = true).unwrap();
    kinds_of(&watch, |item| matches!(item, WatchItem::Listed { objects, .. } if !objects.is_empty()));
    drop(watch);
    let left = sim.calls().unwrap().iter().filter(|c| c.args.iter().any(|a| a.contains("watch=1"))).count();
    assert!(left >= 2, "one process a kind");
}

#[test]
fn a_watch_that_is_too_old_lists_again() {
    let (sim, runner) = simulated(&World::running());
    namespace(&runner);
    let expired = r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","code":410}}"#;
    let line = format!("{expired}\n");
    let version = sim.change(|world| world.profile("minikube").unwrap().resource_version).unwrap();
    let url = format!("/api/v1/namespaces/todo/pods?watch=1&resourceVersion={version}&allowWatchBookmarks=true");
    sim.fault(Fault { stdout: line, code: Some(0), times: Some(1), ..Fault::of("kubectl", &["get", "--raw", &url]) }).unwrap();
    let watch = Watch::start(&runner, "minikube", None, vec![WatchPath::core("todo", "pods")]).unwrap();
    let lists = std::cell::Cell::new(0);
    let items = kinds_of(&watch, |_| {
        lists.set(lists.get() + 1);
        lists.get() == 2
    });
    let fault = sim.world().unwrap().faults[0].times;
    assert_eq!(fault, Some(0), "the fault has struck: {:?}", sim.lines_since(0).unwrap());
    assert!(items.iter().all(|item| matches!(item, WatchItem::Listed { .. })), "{items:?}");
}

/// What `/api/health` answers on a local port.
fn ask(port: u16) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    answer
}

#[test]
fn logs_and_a_port_of_the_cluster() {
    let (sim, runner) = simulated(&World::running());
    namespace(&runner);
    sim.change(|world| {
        let log = "starting\nValueError: DATABASE_URL\n".to_owned();
        let broken =
            Broken { reason: "CrashLoopBackOff".to_owned(), message: "back-off".to_owned(), restarts: 3, exit_code: 1, log };
        world.broken.insert("backend".to_owned(), broken);
        world.http.insert("frontend-service/api/health".to_owned(), (200, "{\"status\":\"ok\"}".to_owned()));
    })
    .unwrap();
    let node = Endpoint::Node(minikube::docker_env(&runner, "minikube").unwrap());
    build(&runner, &node, &context(&sim), "1a");
    upgrade(&runner, &sim, "1a").unwrap();
    let pods = kubectl::get(&runner, &target(), &["pods"], &Selection::labels("app.kubernetes.io/component=backend")).unwrap();
    assert_eq!(pods[0]["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "CrashLoopBackOff");
    let backend = Logs { object: "deployment/todo-app-backend".to_owned(), tail: Some(1), ..Logs::default() };
    assert_eq!(kubectl::logs(&runner, &target(), &backend).unwrap(), "ValueError: DATABASE_URL\n");
    let follow = kubectl::logs_follow(&runner, &target(), &backend).unwrap();
    assert!(matches!(follow.recv(), Some(tools::runner::FollowEvent::Line(line)) if line.text == "ValueError: DATABASE_URL"));
    drop(follow);

    let forward = kubectl::port_forward(&runner, &target(), "svc/frontend-service", (0, 3000), LONG).unwrap();
    let ok = |answer: &str| answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"ok\"}");
    assert!(ok(&ask(forward.port)));
    let service = sim.change(|world| {
        let services = world.profile("minikube").unwrap().objects.get_mut("todo/services/frontend-service").unwrap();
        services["spec"]["ports"][0]["nodePort"].take()
    });
    assert_eq!(service.unwrap(), 30300);
    let served = sim.serve(0).unwrap();
    assert!(ask(served.port()).starts_with("HTTP/1.1 503"), "no Service has this port");
    let port = served.port();
    sim.change(|world| {
        let service = world.profile("minikube").unwrap().objects.get_mut("todo/services/frontend-service").unwrap();
        service["spec"]["ports"][0]["nodePort"] = json!(port);
    })
    .unwrap();
    assert!(ok(&ask(port)));
    drop(served);
    let frontend =
        kubectl::get(&runner, &target(), &["pods"], &Selection::labels("app.kubernetes.io/component=frontend")).unwrap();
    let pod = frontend[0]["metadata"]["name"].as_str().unwrap();
    let inside = |url: &str| kubectl::exec(&runner, &target(), pod, None, &["wget", "-q", url], LONG).unwrap().exit;
    assert_eq!(inside("http://frontend-service:3000/api/health"), tools::runner::Exit::Code(0));
    assert_eq!(inside("http://backend-service:8000/api/health"), tools::runner::Exit::Code(7), "its pod is not ready");
    assert_eq!(forward.ended(), None);
    let Err(ToolError::Failed(failure)) = kubectl::port_forward(&runner, &target(), "svc/nosuch", (0, 80), LONG) else {
        panic!("a port led nowhere")
    };
    assert!(failure.stderr.contains("NotFound"), "{}", failure.stderr);
}

#[test]
fn a_release_that_is_pending_or_not_ours_is_refused_in_helm_s_words() {
    let (sim, runner) = simulated(&World::running());
    namespace(&runner);
    upgrade(&runner, &sim, "1a").unwrap();
    sim.change(|world| {
        let release = world.profile("minikube").unwrap().releases.get_mut("todo/todo-app").unwrap();
        release.revisions.last_mut().unwrap().status = "pending-upgrade".to_owned();
    })
    .unwrap();
    assert!(helm::status(&runner, &target(), "todo-app").unwrap().unwrap().status.is_pending());
    let error = upgrade(&runner, &sim, "1b").unwrap_err();
    assert!(error.failure().unwrap().stderr.contains("another operation (install/upgrade/rollback) is in progress"));
    helm::rollback(&runner, &target(), "todo-app", 1, LONG).unwrap();
    upgrade(&runner, &sim, "1b").unwrap();
}

#[test]
fn a_tool_without_its_flag_fails_as_the_real_one() {
    let (sim, runner) = simulated(&World::running());
    sim.change(|world| world.versions.helm = "v4.3.1".to_owned()).unwrap();
    assert_eq!(versions::helm(&runner).unwrap().to_string(), "4.3.1");
    let three = helm::list(&runner, Helm::of(&"3.22".parse().unwrap()), &target());
    assert!(three.unwrap_err().failure().unwrap().stderr.contains("unknown flag: --all"));
    assert!(helm::list(&runner, Helm::of(&"4.3".parse().unwrap()), &target()).unwrap().is_empty());
    let unknown = calls::invocation::Invocation::new(Tool::Kubectl, "test", LONG).args(["frobnicate"]);
    let output = runner.capture(&unknown).unwrap();
    assert_eq!(
        (output.exit, output.stderr.trim()),
        (tools::runner::Exit::Code(70), "toolsim: not simulated: kubectl frobnicate")
    );
    assert_eq!(kubectl::config_view(&runner).unwrap()["current-context"], "minikube");
}
