//! Recorded on a test cluster (`kubectl get nodes,pods,deployments,statefulsets,replicasets,persistentvolumeclaims,secrets -o json`,
//! kubernetes 1.36, cut to the fields that are read): a healthy deployment, and one whose backend ends at once and whose frontend has an image that is not there.

use plan::catalogue::{codes, finding};
use report::text::width;

use super::*;

const HEALTHY: &str = include_str!("../../tests/data/status/healthy.json");
const BROKEN: &str = include_str!("../../tests/data/status/broken.json");

fn objects(recording: &str) -> Objects {
    Objects::new(serde_json::from_str(recording).unwrap())
}

fn part(name: &str, release: &str, component: Option<&str>) -> Part {
    let own = |component: &str| Own { component: component.to_owned(), image: format!("todo-{component}"), alone: false };
    Part { name: name.into(), release: release.into(), own: component.map(own) }
}

fn seen<'a>(objects: &'a Objects, metrics: Option<&'a [Metric]>, endpoint: (State, &str), now: &str) -> Seen<'a> {
    Seen {
        headline: "phases-test on minikube (layout monolith, namespace phases-test)".into(),
        releases: vec!["dev-postgres".into(), "todo-app".into()],
        parts: vec![
            part("database", "dev-postgres", None),
            part("backend", "todo-app", Some("backend")),
            part("frontend", "todo-app", Some("frontend")),
        ],
        objects,
        metrics,
        endpoint: Some((endpoint.0, endpoint.1.to_owned())),
        images: Ok(Images { count: 4, bytes: 378_000_000 }),
        now: Timestamp::parse(now).unwrap(),
    }
}

fn plain(health: &Health) -> String {
    let text = anstream::adapter::strip_str(&health.text()).to_string();
    assert!(text.lines().all(|line| width(line) <= lines::COLUMNS), "{text}");
    text
}

fn healthy(objects: &Objects) -> Health {
    let metric = |pod: &str, container: &str, cpu_milli, mib: u64| Metric {
        pod: pod.into(),
        container: container.into(),
        cpu_milli,
        memory: mib << 20,
    };
    // The newest pod has no metrics yet.
    let metrics = [metric("dev-postgres-0", "postgres", 6, 36), metric("todo-app-backend-58f4cbc4c7-7c4xm", "backend", 3, 72)];
    of(&seen(
        objects,
        Some(&metrics),
        (State::Ok, "http://192.168.67.2:30330/api/health/ready  200 in 9 ms"),
        "2026-11-21T05:04:30Z",
    ))
}

fn broken(objects: &Objects) -> Health {
    of(&seen(objects, None, (State::Fail, "not asked: no pod of frontend is ready"), "2026-11-21T05:06:30Z"))
}

#[test]
fn a_healthy_deployment_at_a_glance() {
    let objects = objects(HEALTHY);
    let health = healthy(&objects);
    insta::assert_snapshot!(plain(&health));
    assert_eq!((health.exit_code(&[]), health.is_fine(), health.pods_ready().as_str()), (0, true, "3 of 3 pods ready"));
    let warning = finding(codes::METRICS_MISSING, "metrics", "no metrics");
    assert_eq!(health.exit_code(&[warning]), 0, "a warning is no failure");
}

#[test]
fn a_broken_deployment_at_a_glance() {
    let objects = objects(BROKEN);
    let health = broken(&objects);
    insta::assert_snapshot!(plain(&health));
    assert_eq!(health.not_fine(), ["backend", "frontend", "address"]);
    // Not ready and nobody knows why: that is for `verify`'s code. A finding has its own.
    assert_eq!(health.exit_code(&[]), 9);
    assert_eq!(health.exit_code(&[finding(codes::CRASH_LOOP, "pod/x", "x")]), 6);
}

#[test]
fn what_is_not_deployed_is_said_and_not_guessed() {
    let none = Objects::default();
    let health = of(&Seen {
        images: Err("docker in the node does not answer".into()),
        endpoint: None,
        ..seen(&none, None, (State::Ok, ""), "2026-11-21T05:00:00Z")
    });
    insta::assert_snapshot!(plain(&health));
    assert!(!health.is_fine());
}

#[test]
fn what_changes_by_itself_is_no_change() {
    let objects = objects(HEALTHY);
    let other =
        of(&seen(&objects, None, (State::Ok, "http://192.168.67.2:30330/api/health/ready  200 in 9 ms"), "2026-11-22T05:04:30Z"));
    assert_eq!(healthy(&objects).steady_lines(), other.steady_lines());
    assert_ne!(healthy(&objects).steady_lines(), broken(&self::objects(BROKEN)).steady_lines());
}

#[test]
fn programs_get_the_same_facts() {
    let objects = objects(HEALTHY);
    let data = healthy(&objects).data(&[]);
    assert_eq!(data["healthy"], true);
    assert_eq!(data["pods"].as_array().map(Vec::len), Some(3));
    assert_eq!(data["pods"][1]["memory_bytes"], 72_u64 << 20);
    assert_eq!(data["pods"][2]["memory_bytes"], Value::Null);
    assert_eq!(data["services"][1]["ready"], 1);
    assert_eq!(data["releases"][1], json!({"name": "todo-app", "revision": 3, "status": "deployed"}));
}

#[test]
fn ages() {
    for (seconds, expected) in
        [(-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7_199, "119m"), (7_200, "2h"), (172_799, "47h"), (172_800, "2d")]
    {
        assert_eq!(age(seconds), expected);
    }
    for (bytes, expected) in [(0, "0 MiB"), (72 << 20, "72 MiB"), (10 << 30, "10 GiB")] {
        assert_eq!(memory(bytes), expected);
    }
}

#[test]
fn a_pod_that_never_was_ready_is_starting() {
    // Times as in the recordings `pods/readiness-failing` (never ready) and `pods/slow-start` (ready after 26 s, here not any more).
    for (since, begun, state) in [
        ("2026-11-21T02:06:52Z", "2026-11-21T02:06:54Z", "starting"),
        ("2026-11-21T02:07:21Z", "2026-11-21T02:06:55Z", "not ready"),
    ] {
        let pod = json!({"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": since}],
            "containerStatuses": [{"started": true, "ready": false, "state": {"running": {"startedAt": begun}}}],
        }});
        assert_eq!(state_of(&pod, false), state);
    }
}
