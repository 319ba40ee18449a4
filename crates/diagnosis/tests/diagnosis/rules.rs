//! What holds for all of it: folding, quiet where nothing is wrong, tolerance, and an answer to what is not known.

use std::time::Duration;

use calls::invocation::Tool;
use diagnosis::catalogue;
use diagnosis::diagnose::live::{Kind, Tracker, Verdict};
use diagnosis::diagnose::{Facts, Scope, Timestamp, ToolFailure, cluster, release_status, tool};
use diagnosis::finding::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{load, names, pods, scope};
use crate::trace;

#[test]
fn what_follows_from_a_root_folds_into_it() {
    let (facts, now) = pods(&load("pods", "database-never-pull-takes-all-down"));
    let findings = cluster(&facts, now);
    let [finding] = findings.as_slice() else { panic!("one root, not {findings:#?}") };
    assert_eq!((finding.code, finding.service.as_deref()), ("XT401", Some("dev-postgres")));
    assert_eq!(finding.collateral, ["backend (waits for dev-postgres)", "frontend (waits for dev-postgres)"]);
}

#[test]
fn without_known_dependencies_only_what_names_the_root_folds() {
    let (mut facts, now) = pods(&load("pods", "database-never-pull-takes-all-down"));
    facts.scope.waits_for.clear();
    let findings = cluster(&facts, now);
    let services: Vec<Option<&str>> = findings.iter().map(|finding| finding.service.as_deref()).collect();
    assert_eq!(services, [Some("dev-postgres"), Some("frontend")]);
    // The log of the backend says `failed to resolve host 'dev-postgres'`.
    assert_eq!(findings[0].collateral, ["backend (waits for dev-postgres)"]);
}

#[test]
fn the_same_cause_in_several_pods_is_one_finding() {
    let (facts, now) = pods(&load("pods", "partial-rollout"));
    let findings = cluster(&facts, now);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].evidence.iter().any(|evidence| evidence.source == "the same in"), "{findings:#?}");
}

#[test]
fn a_system_that_runs_raises_no_alarm_but_for_what_is_broken() {
    let mut facts = Facts::new(scope("kube-system"));
    facts.read(load("kubectl", "kube-system-pods")["stdout"].as_str().expect("text")).expect("readable");
    facts.read(load("kubectl", "nodes")["stdout"].as_str().expect("text")).expect("readable");
    assert!(!facts.pods.is_empty() && !facts.nodes.is_empty());
    // Right after the start, and a day later. The storage provisioner really was broken: the machine was offline.
    for seconds in [0, 86_400] {
        let findings = cluster(&facts, facts.latest().plus_seconds(seconds));
        let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
        assert_eq!(subjects, ["pod/storage-provisioner"], "{seconds}");
    }
}

#[test]
fn healthy_and_slow_rollouts_raise_no_alarm_at_any_moment() {
    let healthy: Vec<String> = trace::names().into_iter().filter(|name| name.contains("healthy")).collect();
    assert_eq!(healthy.len(), 10, "{healthy:?}");
    for name in healthy {
        let lines = trace::lines(&name);
        let base = trace::base(&lines);
        let mut tracker = Tracker::new(scope("any"), trace::targets(&lines), Timestamp::from_unix_millis(base));
        for line in &lines {
            let now = Timestamp::from_unix_millis(base + line.at);
            trace::feed(&mut tracker, line, now);
            // What only looks at one moment can't know that a service will come: it names the one that is not there.
            if name != "database-starts-late-healthy" {
                assert_eq!(cluster(tracker.facts(), now), [], "{name} at {}", line.at);
            }
            assert!(!matches!(tracker.verdict(now), Verdict::Failing(_)), "{name} at {}", line.at);
        }
        let later = Timestamp::from_unix_millis(base + 3_600_000);
        assert_eq!(tracker.verdict(later), Verdict::Done, "{name}");
    }
}

#[test]
fn a_request_that_no_node_could_ever_give_is_a_failure_at_once() {
    let lines = trace::lines("unschedulable-cpu");
    let base = trace::base(&lines);
    let mut tracker = Tracker::new(scope("t9"), trace::targets(&lines), Timestamp::from_unix_millis(base));
    tracker.facts_mut().read(load("kubectl", "nodes")["stdout"].as_str().expect("text")).expect("readable");
    for line in &lines {
        trace::feed(&mut tracker, line, Timestamp::from_unix_millis(base + line.at));
    }
    let Verdict::Failing(findings) = tracker.verdict(Timestamp::from_unix_millis(base + 1_300)) else { panic!("it can't heal") };
    assert_eq!(findings[0].cause, "unschedulable-cpu can't be scheduled: it asks for 64 CPU, the largest node has 2 CPU");
}

/// The recorded node, with one condition turned: what the kubelet sets when it runs short.
#[test]
fn a_node_under_pressure_is_the_root() {
    let text = load("kubectl", "nodes")["stdout"].as_str().expect("text").to_owned();
    for (kind, status, code) in
        [("DiskPressure", "True", "XT322"), ("MemoryPressure", "True", "XT322"), ("Ready", "Unknown", "XT321")]
    {
        let mut list: Value = serde_json::from_str(&text).expect("JSON");
        for condition in list["items"][0]["status"]["conditions"].as_array_mut().expect("conditions") {
            if condition["type"] == kind {
                condition["status"] = status.into();
            }
        }
        let (mut facts, now) = pods(&load("pods", "evicted-emptydir"));
        facts.add(&list).expect("readable");
        let findings = cluster(&facts, now.plus_seconds(3_600));
        assert_eq!(findings[0].code, code, "{kind}");
        assert!(findings.iter().skip(1).all(|finding| finding.code != "XT460"), "the eviction follows from it");
    }
}

#[test]
fn an_evicted_pod_that_was_replaced_is_only_a_warning() {
    let recording = load("pods", "evicted-emptydir");
    let (mut facts, now) = pods(&recording);
    assert_eq!(cluster(&facts, now)[0].severity, Severity::Error, "two were evicted, one after the other");
    let evicted = facts.pods.values().find(|pod| pod.status.reason == "Evicted").expect("it was").metadata.name.clone();
    facts.remove("Pod", &evicted);
    let severities: Vec<Severity> = cluster(&facts, now).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Warning]);
}

#[test]
fn a_service_is_known_by_its_label_or_by_the_image_that_it_runs() {
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let scope = Scope {
        services: map(&[("front", "web")]),
        images: map(&[("shop-web", "web"), ("shop-api", "api")]),
        ..Scope::default()
    };
    for (component, image, service) in [
        (Some("front"), "other:1", Some("web")),
        (None, "shop-api:0123", Some("api")),
        // A chart may call all of itself by one name: the image is what the tool built.
        (Some("server"), "docker.io/library/shop-api:0123", Some("api")),
        (Some("cache"), "redis:8", Some("cache")),
        (None, "redis:8", None),
    ] {
        let mut facts = Facts::new(scope.clone());
        let labels: serde_json::Map<String, Value> =
            component.map(|c| ("app.kubernetes.io/component".to_owned(), Value::from(c))).into_iter().collect();
        facts
            .add(&json!({"kind": "Pod", "metadata": {"name": "p", "labels": labels}, "spec": {"containers": [{"image": image}]}}))
            .expect("readable");
        let pod = &facts.pods["p"];
        assert_eq!(facts.scope.service(&pod.metadata, &pod.spec).as_deref(), service, "{component:?} {image}");
    }
}

#[test]
fn the_state_of_a_release_is_read_as_helm_says_it() {
    let scope = Scope { context: "minikube".to_owned(), namespace: "rec".to_owned(), ..Scope::default() };
    let cases = [
        ("status-deployed", None, ""),
        ("status-failed", Some("XT619"), "release `bad` failed at revision 1: helm stopped waiting for its pods"),
        (
            "status-pending-install",
            Some("XT602"),
            "release `pend` is pending-install at revision 1: an earlier helm run was cut off",
        ),
        (
            "status-pending-upgrade",
            Some("XT602"),
            "release `web` is pending-upgrade at revision 3: an earlier helm run was cut off",
        ),
    ];
    for (name, code, cause) in cases {
        let status: Value = serde_json::from_str(load("helm", name)["stdout"].as_str().expect("text")).expect("JSON");
        let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).expect("text");
        let revision = status["version"].as_u64().expect("a revision");
        let found = release_status(&scope, text("/name"), revision, text("/info/status"), text("/info/description"));
        assert_eq!(found.as_ref().map(|finding| finding.code), code, "{name}");
        if let Some(found) = found {
            assert_eq!(found.cause, cause, "{name}");
            let by_hand =
                found.remedies.iter().filter_map(|remedy| remedy.command.as_deref()).find(|command| command.starts_with("helm"));
            assert!(by_hand.is_none_or(|command| command.contains("--kube-context minikube -n rec")), "{by_hand:?}");
        }
    }
}

fn failed(tool: Tool, stderr: &str) -> ToolFailure {
    ToolFailure {
        tool,
        args: vec!["version".to_owned()],
        exit_code: Some(1),
        signal: None,
        stdout: String::new(),
        stderr: stderr.to_owned(),
        deadline_exceeded: None,
        what: "look".to_owned(),
    }
}

#[test]
fn what_is_not_known_is_called_unknown_and_shown() {
    let found = tool(&failed(Tool::Helm, "something new\nand more of it\n"));
    assert_eq!(found.code, "XT902");
    assert_eq!(found.cause, "unknown failure of helm (exit 1): look");
    assert_eq!(found.evidence[0].text, "something new\nand more of it");
    assert!(found.remedies.iter().any(|remedy| remedy.command.as_deref() == Some("cargo xtask report")));
}

#[test]
fn a_tool_that_hangs_says_what_it_was_for_and_for_how_long() {
    let failure = ToolFailure { deadline_exceeded: Some(Duration::from_secs(72)), ..failed(Tool::Docker, "step 3\n") };
    let found = tool(&failure);
    assert_eq!((found.code, found.cause.as_str()), ("XT906", "docker did not end within 1m 12s: look"));
    assert_eq!(found.evidence[0].text, "step 3");
}

#[test]
fn an_interrupt_is_no_failure_of_the_tool() {
    let failure = ToolFailure { exit_code: None, signal: Some(2), ..failed(Tool::Docker, "") };
    assert_eq!(tool(&failure).code, "XT903");
}

/// Every field of every recorded pod, taken away or made null: it is read, and nothing breaks.
#[test]
fn missing_fields_are_tolerated() {
    for name in names("pods") {
        let recording = load("pods", &name);
        let Some(first) = recording["pods"].as_array().and_then(|pods| pods.first()) else { continue };
        let (seen, now) = pods(&recording);
        for pointer in pointers(first, String::new()) {
            let mut pod = first.clone();
            if let Some(value) = pod.pointer_mut(&pointer) {
                *value = Value::Null;
            }
            let mut facts = Facts { pods: std::collections::BTreeMap::new(), ..seen.clone() };
            // A list may hold null only by mistake of a server; an object's field may well be null.
            let in_list = pointer.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
            let read = facts.add_kind("Pod", &pod);
            assert!(in_list || read.is_ok(), "{name} {pointer}: {read:?}");
            for finding in cluster(&facts, now) {
                assert!(catalogue::find(finding.code).is_some());
            }
        }
    }
}

/// Every place of a value that diagnosis may read, as JSON pointers; maps of labels and the like only as a whole.
fn pointers(value: &Value, at: String) -> Vec<String> {
    let whole =
        ["labels", "annotations", "requests", "limits", "nodeSelector", "tolerations", "volumes", "volumeMounts", "manifest"];
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) if !whole.iter().any(|key| at.ends_with(key)) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) if !whole.iter().any(|key| at.ends_with(key)) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .filter(|(_, value)| value.is_object())
            .collect(),
        _ => Vec::new(),
    };
    let mut all: Vec<String> = children.into_iter().flat_map(|(key, value)| pointers(value, format!("{at}/{key}"))).collect();
    if !at.is_empty() {
        all.push(at);
    }
    all
}

proptest! {
    /// Whatever a tool prints: one finding, of the catalogue, with its words.
    #[test]
    fn any_output_gives_a_finding(stderr in "(?s).{0,200}", words in prop::sample::select(vec![
        "Error: ", "template: ", "path \"", "failed to solve: ", "Exiting due to X: ", "context \"", "Cannot connect to the Docker daemon",
        "process \"", "Dockerfile:1\n   1 | >>> RUN x\n", "invalid tag \"", "lookup ", " is invalid: ", "job ", "(NotFound): ",
    ]), which in 0_usize..4, exit in prop::option::of(0_i32..130)) {
        let tools = [Tool::Minikube, Tool::Docker, Tool::Helm, Tool::Kubectl];
        let failure = ToolFailure { exit_code: exit, ..failed(tools[which], &format!("{words}{stderr}")) };
        let found = tool(&failure);
        prop_assert!(catalogue::find(found.code).is_some());
        prop_assert!(!found.evidence.is_empty());
        prop_assert!(!found.remedies.is_empty());
    }

    /// Whatever comes as a line of a watch: it is taken in, or it is an error.
    #[test]
    fn any_line_of_a_watch_is_taken_or_refused(line in "(?s).{0,100}") {
        let mut tracker = Tracker::new(scope("any"), Vec::new(), Timestamp::from_unix_millis(0));
        let taken = tracker.line(Kind::Events, &line, Timestamp::from_unix_millis(0));
        prop_assert!(taken.is_ok() || taken.is_err_and(|error| error.to_string().contains("watch of events")));
    }
}
