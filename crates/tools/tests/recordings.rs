//! Every parser against what the real tools printed.

#[cfg(test)]
mod support;

use std::path::Path;
use std::time::Duration;

use calls::invocation::{Invocation, Stdin};
use support::{made, recorded};
use tools::minikube::{StartEvent, StartOptions, State, Status};
use tools::{Parsed, Refusal, Target, docker, helm, kubectl, minikube, versions};

fn target() -> Target {
    Target::new("minikube", "todo")
}

fn line(invocation: &Invocation) -> String {
    invocation.command_line()
}

#[test]
fn versions_of_all_tools() {
    let show = |v: Parsed<calls::version::Version>| v.unwrap().to_string();
    assert_eq!(show(versions::parse_minikube(&recorded("minikube/version-json"))), "1.38.1");
    assert_eq!(show(versions::parse_helm(&recorded("helm/version-short"))), "3.22");
    assert_eq!(show(versions::parse_helm(&recorded("helm/version-template"))), "3.22");
    assert_eq!(show(versions::parse_kubectl(&recorded("kubectl/version-client"))), "1.36.2");
    let (client, server) = versions::parse_docker(&recorded("docker/version")).unwrap();
    assert_eq!((client.to_string(), server.unwrap().to_string()), ("28.2.2".to_owned(), "26.1.5+dfsg1".to_owned()));
    for name in ["docker/daemon-socket-missing", "docker/socket-permission-denied"] {
        let (client, server) = versions::parse_docker(&recorded(name)).unwrap();
        assert_eq!((client.to_string().as_str(), server), ("28.2.2", None), "{name}");
    }
    assert_eq!(versions::parse_docker(&recorded("docker/tls-cert-missing")), Err(Refusal::Failed));
    assert!(matches!(versions::parse_docker(&recorded("docker/plain-http-to-tls")), Err(Refusal::Unclear(_))));
}

#[test]
fn minikube_status_in_every_state() {
    let status = |name: &str| minikube::parse_status(&recorded(&format!("minikube/status-{name}"))).unwrap();
    for (name, running, host, api_server) in [
        ("json-running", true, State::Running, State::Running),
        ("json-restarted", true, State::Running, State::Running),
        ("json-stopped", false, State::Stopped, State::Stopped),
        ("json-apiserver-stopped", false, State::Running, State::Stopped),
        ("json-kubelet-stopped", false, State::Running, State::Running),
        ("json-container-paused", false, State::Paused, State::Paused),
    ] {
        let status = status(name);
        assert_eq!(status.is_running(), running, "{name}");
        let Status::Nodes(nodes) = status else { panic!("{name}: {status:?}") };
        assert_eq!((&nodes[0].host, &nodes[0].api_server), (&host, &api_server), "{name}");
    }
    assert_eq!(status("missing-profile"), Status::ProfileMissing);
    let Status::NodeMissing(words) = status("json-node-container-missing") else { panic!("the node is there") };
    assert!(words.contains("No such container: minikube"));
}

#[test]
fn minikube_status_of_several_nodes_and_of_garbage() {
    let one = recorded("minikube/status-json-running").stdout;
    let worker = one.replace("\"minikube\"", "\"minikube-m02\"").replace("\"Worker\":false", "\"Worker\":true");
    let worker =
        worker.replace("\"APIServer\":\"Running\"", "\"APIServer\":\"Irrelevant\"").replace("\"Configured\"", "\"Irrelevant\"");
    assert!(minikube::parse_status(&made(0, &format!("[{one},{worker}]"))).unwrap().is_running());
    let wrong = made(4, &one.replace("\"Configured\"", "\"Misconfigured\""));
    assert!(minikube::parse_status(&wrong).unwrap().only_kubeconfig_wrong());
    for garbage in ["{", "[]", "{}", "Running", &one[..one.len() / 2]] {
        assert!(matches!(minikube::parse_status(&made(0, garbage)), Err(Refusal::Unclear(_))), "{garbage}");
    }
    assert_eq!(minikube::parse_status(&made(1, "")), Err(Refusal::Failed));
}

#[test]
fn minikube_profiles() {
    let profiles = minikube::parse_profiles(&recorded("minikube/profile-list-running")).unwrap();
    let profile = profiles.get("minikube").unwrap();
    assert_eq!((profile.driver.as_str(), profile.runtime.as_str()), ("docker", "docker"));
    assert_eq!((profile.cpus, profile.memory_mib, profile.disk_mb), (2, 8192, 20000));
    assert_eq!((profile.kubernetes_version.as_str(), profile.nodes[0].ip.as_str()), ("v1.36.2", "192.168.49.2"));
    assert!(profile.active_kube_context && profile.addons["storage-provisioner"]);
    assert_eq!(profiles.get("nosuch"), None);
    for name in ["stopped", "apiserver-stopped", "kubelet-stopped", "restarted", "node-container-missing"] {
        assert_eq!(
            minikube::parse_profiles(&recorded(&format!("minikube/profile-list-{name}"))).unwrap().valid.len(),
            1,
            "{name}"
        );
    }
    assert_eq!(minikube::parse_profiles(&made(0, r#"{"invalid":[],"valid":[]}"#)).unwrap(), minikube::Profiles::default());
    assert_eq!(minikube::parse_profiles(&made(80, r#"{"error":"x"}"#)), Err(Refusal::Failed));
}

#[test]
fn minikube_docker_env_and_its_false_exit_code() {
    for name in ["running", "restarted", "kubelet-stopped", "apiserver-stopped"] {
        let env = minikube::parse_docker_env(&recorded(&format!("minikube/docker-env-json-{name}"))).unwrap();
        assert_eq!(env.host, "tcp://192.168.49.2:2376");
        assert_eq!((env.tls_verify.as_deref(), env.cert_path.as_deref()), (Some("1"), Some("$HOME/.minikube/certs")));
    }
    for name in ["docker-env-json-stopped", "docker-env-missing-profile", "docker-env-json-node-container-missing"] {
        assert_eq!(minikube::parse_docker_env(&recorded(&format!("minikube/{name}"))), Err(Refusal::Failed), "{name}");
    }
    // The same words even with exit code 0 are no environment.
    assert_eq!(minikube::parse_docker_env(&made(0, "false exit code 83\n")), Err(Refusal::Failed));
    assert!(matches!(minikube::parse_docker_env(&made(0, r#"{"DOCKER_HOST":""}"#)), Err(Refusal::Unclear(_))));
}

#[test]
fn minikube_small_answers() {
    assert_eq!(minikube::parse_ip(&recorded("minikube/ip-running")).unwrap().to_string(), "192.168.49.2");
    assert_eq!(minikube::parse_ip(&recorded("minikube/ip-missing-profile")), Err(Refusal::Failed));
    assert_eq!(minikube::parse_service_url(&recorded("minikube/service-url")).unwrap(), ["http://192.168.49.2:30300"]);
    assert_eq!(minikube::parse_service_url(&recorded("minikube/service-url-clusterip")).unwrap(), [""; 0]);
    assert_eq!(minikube::parse_service_url(&recorded("minikube/service-url-missing")), Err(Refusal::Failed));
    let addons = minikube::parse_addons(&recorded("minikube/addons-list-json")).unwrap();
    assert!(addons["default-storageclass"] && !addons["metrics-server"]);
    let images = minikube::parse_images(&recorded("minikube/image-ls-json")).unwrap();
    let busybox = images.iter().find(|i| i.tags == ["docker.io/library/busybox:1.36"]).unwrap();
    assert_eq!((busybox.size, busybox.id.len()), (1_980_000, 64));
    let df = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/vda         264212084 23633548  71867716      25% /var\n";
    assert_eq!(minikube::parse_disk(&made(0, df)).unwrap().available, 71_867_716 * 1024);
    assert!(minikube::parse_disk(&made(0, "df: /var: No such file\n")).is_err());
}

#[test]
fn minikube_start_events() {
    let events = |name: &str| -> Vec<StartEvent> {
        recorded(&format!("minikube/{name}")).stdout.lines().map(minikube::parse_start_event).collect()
    };
    let errors = |name: &str| -> Vec<(String, i32)> {
        let named = |event: StartEvent| match event {
            StartEvent::Error { name: Some(name), exit_code: Some(code), .. } => Some((name, code)),
            _ => None,
        };
        events(name).into_iter().filter_map(named).collect()
    };
    for (name, reason, code) in [
        ("start-insufficient-cores", "RSRC_INSUFFICIENT_CORES", 29),
        ("start-insufficient-memory", "RSRC_OVER_ALLOC_MEM", 10),
        ("start-tiny-memory", "RSRC_INSUFFICIENT_REQ_MEMORY", 23),
        ("start-driver-mismatch", "GUEST_DRIVER_MISMATCH", 81),
        ("start-image-unreachable", "INET_LOOKUP_HOST", 48),
    ] {
        assert_eq!(errors(name).last(), Some(&(reason.to_owned(), code)), "{name}");
    }
    let restart = events("start-restart");
    assert!(!restart.iter().any(|e| matches!(e, StartEvent::Noise(_))), "{restart:?}");
    let last = restart.last().unwrap();
    assert!(matches!(last, StartEvent::Step { name, current: Some(19), total: Some(19), .. } if name == "Done"), "{last:?}");
    let down = events("start-docker-down");
    let advised = down.iter().any(|e| matches!(e, StartEvent::Error { advice: Some(a), .. } if a == "Start the Docker service"));
    assert!(advised, "{down:?}");
    assert_eq!(minikube::parse_start_event("E1121 cache.go:238] no"), StartEvent::Noise("E1121 cache.go:238] no".to_owned()));
}

#[test]
fn minikube_commands() {
    let options = StartOptions {
        profile: "todo".to_owned(),
        driver: Some("docker".to_owned()),
        runtime: Some("docker".to_owned()),
        cpus: Some(2),
        memory_mib: Some(4096),
        extra_args: vec!["--force".to_owned()],
        ..StartOptions::default()
    };
    assert_eq!(
        line(&minikube::start_invocation(&options)),
        "minikube -p todo start --output=json --interactive=false --keep-context --driver=docker --container-runtime=docker --cpus=2 --memory=4096mb --force"
    );
    assert_eq!(line(&minikube::delete_invocation("todo")), "minikube -p todo delete");
    assert_eq!(line(&minikube::docker_env_invocation("todo")), "minikube -p todo docker-env --shell none -o json");
}

fn progress(name: &str) -> Vec<docker::BuildProgress> {
    let mut log = docker::BuildLog::default();
    recorded(&format!("docker/{name}")).stderr.lines().filter_map(|l| log.line(l)).collect()
}

#[test]
fn docker_build_tells_what_it_wrote() {
    for (name, expected) in [
        ("build-ok", Some("sha256:dbc6a51b5ffa85a9e446106aa5dbed644e8d380e31318b481ff2c020750167bc")),
        ("build-ok-cached", Some("sha256:dbc6a51b5ffa85a9e446106aa5dbed644e8d380e31318b481ff2c020750167bc")),
        ("build-command-not-found", None),
    ] {
        let mut log = docker::BuildLog::default();
        recorded(&format!("docker/{name}")).stderr.lines().for_each(|line| drop(log.line(line)));
        assert_eq!(log.configuration(), expected, "{name}");
    }
}

#[test]
fn docker_build_progress() {
    let ok = progress("build-ok");
    let steps: Vec<_> =
        ok.iter().filter(|p| p.state == docker::VertexState::Started).map(|p| (p.step, p.total, p.name.as_str())).collect();
    assert_eq!(
        steps[3..6],
        [
            (Some(1), Some(3), "FROM docker.io/library/busybox:1.36"),
            (None, None, "[internal] load build context"),
            (Some(2), Some(3), "RUN echo hello > /x")
        ]
    );
    let cached = progress("build-ok-cached");
    let cached: Vec<_> = cached.iter().filter(|p| p.state == docker::VertexState::Cached).map(|p| p.name.as_str()).collect();
    assert_eq!(cached, ["RUN echo hello > /x", "COPY app.txt /app.txt"]);
    let parallel = progress("build-multi-stage-parallel");
    let done: Vec<_> = parallel
        .iter()
        .filter(|p| p.state == docker::VertexState::Done && p.step == Some(2))
        .map(|p| (p.stage.as_deref(), p.vertex))
        .collect();
    assert_eq!(done, [(Some("b"), 6), (Some("a"), 5), (Some("stage-2"), 7)]);
    let started = parallel.iter().filter(|p| p.vertex == 5 && p.state == docker::VertexState::Started).count();
    assert_eq!(started, 1, "a step that is shown again has not begun again");
}

#[test]
fn docker_build_failures() {
    let failure = |name: &str| docker::parse_build_failure(&recorded(&format!("docker/{name}")).stderr).unwrap();
    let npm = failure("build-command-not-found");
    assert_eq!((npm.step.as_deref(), npm.location.as_deref()), (Some("RUN npm ci"), Some("Dockerfile:2")));
    assert_eq!(npm.tail, ["/bin/sh: npm: not found"]);
    assert_eq!(npm.summary, "process \"/bin/sh -c npm ci\" did not complete successfully: exit code: 127");
    let copy = failure("build-copy-missing");
    assert_eq!(copy.step.as_deref(), Some("COPY requirements.txt /"));
    assert!(copy.error.unwrap().ends_with("\"/requirements.txt\": not found"));
    for (name, location, words) in [
        ("build-syntax-error", Some("Dockerfile:2"), "unknown instruction: RNU"),
        ("build-no-dockerfile", None, "failed to read dockerfile"),
        ("build-empty-dockerfile", None, "the Dockerfile cannot be empty"),
        ("build-unknown-target", None, "target stage \"nosuch\" could not be found"),
        ("build-bad-tag", None, "invalid reference format"),
        ("context-missing-dir", None, "unable to prepare context"),
        ("build-base-not-pullable", Some("Dockerfile:1"), "no such host"),
    ] {
        let failure = failure(name);
        assert_eq!(failure.location.as_deref(), location, "{name}");
        assert!(failure.summary.contains(words), "{name}: {}", failure.summary);
    }
    let minikube = docker::parse_build_failure(&recorded("minikube/image-build-failing").stderr).unwrap();
    assert_eq!(minikube.step.as_deref(), Some("RUN false"), "its exit code is 0, its words are not");
    assert_eq!(docker::parse_build_failure(&recorded("docker/build-ok").stderr), None);
    assert_eq!(docker::parse_build_failure("garbage"), None);
}

#[test]
fn docker_images() {
    let rows = docker::parse_images(&recorded("docker/images-json")).unwrap();
    assert_eq!((rows[0].repository.as_str(), rows[0].tag.as_str()), ("rec", "multi-stage-parallel"));
    assert!(rows.iter().all(|row| row.id.starts_with("sha256:")));
    assert_eq!(docker::parse_images(&made(0, "")).unwrap(), []);
    let inspected = docker::parse_inspect(&recorded("docker/image-inspect")).unwrap();
    assert_eq!((inspected.found[0].tags.len(), inspected.found[0].size), (2, 1_982_264));
    assert!(inspected.found[0].labels.is_empty());
    let none = docker::parse_inspect(&recorded("docker/image-inspect-missing")).unwrap();
    assert_eq!((none.found.len(), none.missing), (0, vec!["nosuch:1".to_owned()]));
    assert_eq!(docker::parse_inspect(&recorded("docker/daemon-socket-missing")), Err(Refusal::Failed));
    // 2 B + 6 B + 1.98 MB
    assert_eq!(docker::parse_history_size(&recorded("docker/history")).unwrap(), 1_980_008);
    assert!(matches!(docker::parse_remove(&recorded("docker/image-rm-in-use")).unwrap(), docker::Removed::InUse(_)));
}

#[test]
fn docker_daemon() {
    let info = docker::parse_info(&recorded("docker/info")).unwrap();
    assert_eq!((info.cpus, info.memory, info.rootless), (2, 25_325_268_992, false));
    assert!(!info.is_docker_desktop());
    assert_eq!(docker::parse_info(&recorded("docker/daemon-unreachable-tcp")), Err(Refusal::Failed));
    let usage = docker::parse_disk_usage(&recorded("docker/system-df")).unwrap();
    assert_eq!((usage.images.count, usage.images.size, usage.images.reclaimable), (14, 622_900_000, 42_270_000));
    assert_eq!(usage.build_cache.size, 121_600_000);
    for (text, bytes) in [
        ("0B", Some(0)),
        ("1.98MB", Some(1_980_000)),
        ("1.346GB", Some(1_346_000_000)),
        ("2056192", Some(2_056_192)),
        ("3 apples", None),
        ("", None),
    ] {
        assert_eq!(docker::parse_size(text), bytes, "{text}");
    }
}

#[test]
fn docker_commands_carry_their_daemon_and_no_more() {
    let env = minikube::parse_docker_env(&recorded("minikube/docker-env-json-running")).unwrap();
    let node = docker::Endpoint::Node(env);
    let mut options = docker::BuildOptions::new("backend", Path::new("backend"));
    options.tags = vec!["todo-backend:1a2b".to_owned(), "todo-backend:latest".to_owned()];
    options.labels.insert("xtask/inputs".to_owned(), "sha256:1a2b".to_owned());
    let build = docker::build_invocation(&node, &options);
    assert_eq!(
        line(&build),
        "docker build --progress=plain -t todo-backend:1a2b -t todo-backend:latest --label xtask/inputs=sha256:1a2b backend"
    );
    assert_eq!(build.env.keys().collect::<Vec<_>>(), ["DOCKER_BUILDKIT", "DOCKER_CERT_PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY"]);
    assert!(docker::info_invocation(&docker::Endpoint::Host).env.is_empty());
}

#[test]
fn helm_releases() {
    use helm::ReleaseStatus::{Deployed, Failed, PendingInstall, PendingUpgrade, Superseded};
    for (name, status, revision) in [
        ("status-deployed", Deployed, 2),
        ("status-failed", Failed, 1),
        ("status-pending-install", PendingInstall, 1),
        ("status-pending-upgrade", PendingUpgrade, 3),
    ] {
        let release = helm::parse_status(&recorded(&format!("helm/{name}"))).unwrap().unwrap();
        assert_eq!((&release.status, release.revision), (&status, revision), "{name}");
    }
    assert_eq!(helm::parse_status(&recorded("helm/status-notfound")).unwrap(), None);
    for name in ["context-missing", "apiserver-stopped", "apiserver-unreachable"] {
        assert_eq!(helm::parse_status(&recorded(&format!("helm/{name}"))), Err(Refusal::Failed), "{name}");
    }
    for name in ["install-ok", "upgrade-noop"] {
        assert_eq!(helm::parse_release(&recorded(&format!("helm/{name}"))).unwrap().status, Deployed, "{name}");
    }
    let rows = helm::parse_list(&recorded("helm/list")).unwrap();
    assert_eq!((rows[0].name.as_str(), rows[0].revision, rows[0].chart.as_str()), ("web", 2, "web-0.1.0"));
    assert!(helm::parse_list(&recorded("helm/list-pending")).unwrap()[0].status.is_pending());
    let history = helm::parse_history(&recorded("helm/history-after-rollback")).unwrap();
    let statuses: Vec<_> = history.iter().map(|row| row.status.clone()).collect();
    assert_eq!(statuses, [Superseded, Superseded, PendingUpgrade, Deployed]);
    assert_eq!(helm::parse_history(&recorded("helm/status-notfound")).unwrap(), []);
    helm::parse_uninstall(&recorded("helm/uninstall-notfound")).unwrap();
    helm::parse_uninstall(&recorded("helm/uninstall-notfound-ignored")).unwrap();
    assert_eq!(helm::parse_uninstall(&recorded("helm/apiserver-stopped")), Err(Refusal::Failed));
    let cut = recorded("helm/list").stdout;
    assert!(matches!(helm::parse_list(&made(0, &cut[..cut.len() - 4])), Err(Refusal::Unclear(_))));
}

#[test]
fn helm_charts() {
    let lint = helm::parse_lint(&recorded("helm/lint-nil-pointer")).unwrap();
    assert!(!lint.passed);
    assert_eq!(lint.messages[0], ("INFO".to_owned(), "Chart.yaml: icon is recommended".to_owned()));
    assert_eq!(lint.messages[1].0, "ERROR");
    assert_eq!(helm::parse_lint(&recorded("helm/schema-violation")), Err(Refusal::Failed));
    assert_eq!(helm::parse_dependency_list(&recorded("helm/missing-dependency")).unwrap(), []);
}

#[test]
fn helm_commands_by_version() {
    let of = |text: &str| helm::Helm::of(&text.parse().unwrap());
    assert_eq!(line(&helm::list_invocation(of("3.22"), &target())), "helm --kube-context minikube -n todo list -o json --all");
    assert_eq!(line(&helm::list_invocation(of("4.3"), &target())), "helm --kube-context minikube -n todo list -o json");
    let upgrade = helm::Upgrade {
        release: "todo-app".to_owned(),
        chart: "helm/todo-app".into(),
        values: vec!["helm/todo-app/values-dev.yaml".into(), "target/xtask/v.json".into()],
        history_max: 5,
        no_hooks: false,
        force_conflicts: true,
        deadline: Duration::from_secs(315),
    };
    assert_eq!(
        line(&helm::upgrade_invocation(of("3.22"), &target(), &upgrade)),
        "helm --kube-context minikube -n todo upgrade --install todo-app helm/todo-app -f helm/todo-app/values-dev.yaml -f target/xtask/v.json \
         --reset-values --history-max 5 --timeout 300s -o json"
    );
    assert!(line(&helm::upgrade_invocation(of("4.3"), &target(), &upgrade)).ends_with(" --force-conflicts"));
    assert!(!line(&helm::uninstall_invocation(of("3.12"), &target(), "x", Duration::from_secs(60))).contains("not-found"));
    assert!(
        line(&helm::uninstall_invocation(of("3.13"), &target(), "x", Duration::from_secs(60))).ends_with("--ignore-not-found")
    );
}

#[test]
fn kubectl_answers() {
    assert_eq!(kubectl::parse_list(&recorded("kubectl/nodes")).unwrap().len(), 1);
    assert!(kubectl::parse_list(&recorded("kubectl/kube-system-pods")).unwrap().len() > 1);
    assert_eq!(kubectl::parse_one(&recorded("kubectl/namespace-notfound")).unwrap(), None);
    for name in ["apiserver-stopped", "context-missing", "forbidden", "unreachable"] {
        assert_eq!(kubectl::parse_list(&recorded(&format!("kubectl/{name}"))), Err(Refusal::Failed), "{name}");
        assert_eq!(kubectl::parse_one(&recorded(&format!("kubectl/{name}"))), Err(Refusal::Failed), "{name}");
    }
    assert!(matches!(kubectl::parse_list(&made(0, "{\"kind\":\"Pod\"}")), Err(Refusal::Unclear(_))));
    assert_eq!(kubectl::parse_top(&recorded("kubectl/top-no-metrics")), Ok(None));
    assert_eq!(kubectl::parse_forwarding("Forwarding from 127.0.0.1:18999 -> 53"), Some(18999));
    assert_eq!(kubectl::parse_forwarding("Forwarding from [::1]:18999 -> 53"), None);
}

#[test]
fn kubectl_watch_lines() {
    use kubectl::WatchEvent;
    let recording = recorded("kubectl/raw-watch-pods");
    let mut events: Vec<_> = recording.stdout.lines().map(kubectl::parse_watch_line).collect();
    // The recording ends as a broken connection does: in the middle of a line.
    assert!(matches!(events.pop(), Some(Err(Refusal::Unclear(_)))));
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| matches!(event, Ok(WatchEvent::Added(pod)) if pod["kind"] == "Pod")));
    let expired = recorded("kubectl/raw-watch-expired");
    let event = kubectl::parse_watch_line(expired.stdout.trim()).unwrap();
    assert!(matches!(event, WatchEvent::Error(status) if status["code"] == 410));
    for garbage in ["", "{", "{\"type\":\"NEW\",\"object\":{}}", "{\"type\":\"BOOKMARK\",\"object\":{}}"] {
        assert!(matches!(kubectl::parse_watch_line(garbage), Err(Refusal::Unclear(_))), "{garbage}");
    }
}

#[test]
fn kubectl_commands() {
    let apply = kubectl::apply_invocation(&target(), "write the secret", Stdin::Text("{}".to_owned()));
    assert_eq!(
        line(&apply),
        "kubectl --context minikube -n todo apply --server-side --field-manager=xtask --force-conflicts -f -"
    );
    let get = kubectl::get_invocation(&target(), &["pods", "deployments"], &kubectl::Selection::labels("a=b"));
    assert_eq!(line(&get), "kubectl --context minikube -n todo get pods,deployments -l a=b -o json");
    let forward = kubectl::port_forward_invocation(&target(), "svc/frontend-service", 0, 3000);
    assert_eq!(line(&forward), "kubectl --context minikube -n todo port-forward svc/frontend-service :3000 --address 127.0.0.1");
}
