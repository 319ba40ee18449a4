//! The tracker against what watches really do: lists, bookmarks, expiry, deletion, logs, clocks.

use diagnosis::diagnose::Timestamp;
use diagnosis::diagnose::live::{Kind, LogRequest, Target, Tracker, Verdict, Watch};
use serde_json::{Value, json};

use crate::support::{load, scope};
use crate::trace::{base, lines};

fn stdout(directory: &str, name: &str) -> String {
    load(directory, name)["stdout"].as_str().expect("text").to_owned()
}

/// The lines of a recorded watch; the recording may have been cut off in the middle of the last one, as a killed watch is.
fn whole_lines(name: &str) -> Vec<String> {
    let text = stdout("kubectl", name);
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(|line| line.trim().to_owned()).collect()
}

fn tracker(target: &str) -> Tracker {
    Tracker::new(scope("diag"), vec![Target::deployment(target)], Timestamp::from_unix_millis(0))
}

#[test]
fn an_expired_watch_asks_for_a_new_list() {
    let mut tracker = tracker("any");
    let now = Timestamp::from_unix_millis(0);
    tracker.list(Kind::Pods, &stdout("kubectl", "raw-list-pods-rv")).expect("readable");
    assert_eq!(tracker.resource_version(Kind::Pods), Some("3140"));
    let said = tracker.line(Kind::Pods, stdout("kubectl", "raw-watch-expired").trim(), now).expect("readable");
    assert_eq!(said, Watch::Relist("too old resource version: 1 (2162)".to_owned()));
    assert_eq!(tracker.resource_version(Kind::Pods), None, "the old place is of no use");
    assert_eq!(tracker.facts().pods.len(), 1, "what is known stays until the new list replaces it");
}

#[test]
fn a_bookmark_only_moves_the_place_to_go_on_from() {
    let mut tracker = tracker("any");
    let now = Timestamp::from_unix_millis(0);
    let mut bookmarks = 0;
    for line in whole_lines("raw-watch-bookmark") {
        let before = tracker.facts().pods.len();
        if tracker.line(Kind::Pods, &line, now).expect("readable") == Watch::Bookmark {
            bookmarks += 1;
            let place = serde_json::from_str::<Value>(&line).expect("JSON")["object"]["metadata"]["resourceVersion"].clone();
            assert_eq!(tracker.resource_version(Kind::Pods), place.as_str());
            assert_eq!(tracker.facts().pods.len(), before);
        }
    }
    assert!(bookmarks > 0, "the recording has bookmarks");
}

#[test]
fn a_list_replaces_what_was_known_of_its_kind() {
    let mut tracker = tracker("any");
    let now = Timestamp::from_unix_millis(0);
    for line in whole_lines("raw-watch-pods") {
        tracker.line(Kind::Pods, &line, now).expect("readable");
    }
    assert!(tracker.facts().pods.len() > 1);
    tracker.list(Kind::Pods, &stdout("kubectl", "raw-list-pods-rv")).expect("readable");
    assert_eq!(tracker.facts().pods.len(), 1);
}

#[test]
fn what_is_no_watch_event_is_an_error_that_names_the_stream() {
    let mut tracker = tracker("any");
    let now = Timestamp::from_unix_millis(0);
    for line in ["", "{\"type\":\"ADDED\"", "{}", "[]", r#"{"type":"GROWN","object":{}}"#] {
        let error = tracker.line(Kind::Pods, line, now).expect_err(line);
        assert!(error.to_string().contains("watch of pods"), "{error}");
    }
    let error = tracker.list(Kind::Events, "Error from server").expect_err("no JSON");
    assert!(error.to_string().contains("list of events"), "{error}");
}

/// Feeds a trace up to a moment.
fn until(name: &str, millis: i64) -> (Tracker, Timestamp) {
    let lines = lines(name);
    let base = base(&lines);
    let deployment = lines.iter().find(|line| line.kind == Some(Kind::Deployments)).expect("a deployment");
    let meta = &deployment.event["object"]["metadata"];
    let mut tracker = Tracker::new(
        scope(meta["namespace"].as_str().expect("text")),
        vec![Target::deployment(meta["name"].as_str().expect("text"))],
        Timestamp::from_unix_millis(base),
    );
    for line in lines.iter().filter(|line| line.at <= millis) {
        if let Some(kind) = line.kind {
            tracker.event(kind, &line.event, Timestamp::from_unix_millis(base + line.at)).expect("readable");
        }
    }
    (tracker, Timestamp::from_unix_millis(base + millis))
}

#[test]
fn progress_says_what_is_waited_for() {
    let cases = [
        ("healthy-install", 1_285, "healthy 0/2 ready, waiting for the controller"),
        ("healthy-install", 1_345, "healthy 0/2 ready, creating container"),
        ("healthy-install", 2_040, "healthy 2/2 ready"),
        ("slow-start-healthy", 5_000, "slow-start 0/1 ready, waiting for readiness: nothing listens on port 8000 (port 8000)"),
        ("unschedulable-cpu", 1_300, "unschedulable-cpu 0/1 ready, waiting for a node: 1 Insufficient cpu"),
        ("crash-loop", 17_000, "crash-loop 0/1 ready, `app` ended with exit code 1"),
        ("crash-loop", 46_700, "crash-loop 0/1 ready, waiting to restart (restarted 2 times)"),
        ("healthy-rolling-update", 8_800, "healthy 1/2 ready, creating pods"),
    ];
    for (name, at, expected) in cases {
        let (tracker, now) = until(name, at);
        let progress: Vec<String> = tracker.progress(now).iter().map(ToString::to_string).collect();
        assert_eq!(progress, [expected], "{name} at {at}");
    }
}

#[test]
fn a_deleted_pod_is_forgotten() {
    let (tracker, _) = until("healthy-rolling-update", 60_000);
    assert_eq!(tracker.facts().pods.len(), 2, "two old pods are gone");
}

#[test]
fn the_log_of_a_crash_is_asked_for_once_and_makes_the_finding_exact() {
    let (mut tracker, now) = until("crash-loop", 2_007);
    let wanted = tracker.wants_logs();
    let [request] = wanted.as_slice() else { panic!("one log, not {wanted:?}") };
    assert_eq!((request.container.as_str(), request.previous, request.run), ("app", false, 1));
    assert_eq!(request.args()[..2], ["logs".to_owned(), request.pod.clone()]);
    // The program of this trace is that of the recording `pods/crash-loop`, whose log was recorded.
    let log = &load("pods", "crash-loop")["logs"]["crash-loop-8b544cd44-q59cs/app"]["stdout"];
    tracker.log(request, log.as_str().expect("text"));
    assert_eq!(tracker.wants_logs(), Vec::<LogRequest>::new());
    let Verdict::Failing(findings) = tracker.verdict(now) else { panic!("it fails") };
    assert_eq!(findings[0].code, "XT438");
    assert!(findings[0].cause.contains("BETTER_AUTH_SECRET must be at least 32 characters"), "{}", findings[0].cause);
}

#[test]
fn a_server_that_is_away_makes_a_crash_milder() {
    let (mut tracker, now) = until("crash-loop", 2_007);
    let request = tracker.wants_logs().remove(0);
    // The words of the program in the recording `pods/init-failing`.
    let logs = load("pods", "init-failing")["logs"].clone();
    let said =
        logs.as_object().expect("logs").iter().find(|(key, _)| key.ends_with("/migrate")).expect("its log").1["stdout"].clone();
    tracker.log(&request, said.as_str().expect("text"));
    let Verdict::Grace { finding, why, .. } = tracker.verdict(now) else { panic!("it may heal") };
    assert_eq!((finding.code, why.as_str()), ("XT437", "90s for the server it needs"));
}

#[test]
fn a_clock_that_is_wrong_moves_no_deadline() {
    // This machine is five minutes ahead of, or behind, the cluster.
    for ahead in [-300_000, 300_000] {
        let lines = lines("readiness-failing");
        let base = base(&lines) + ahead;
        let mut tracker =
            Tracker::new(scope("t8"), vec![Target::deployment("readiness-failing")], Timestamp::from_unix_millis(base));
        for line in &lines {
            if let Some(kind) = line.kind {
                tracker.event(kind, &line.event, Timestamp::from_unix_millis(base + line.at)).expect("readable");
            }
        }
        let now = Timestamp::from_unix_millis(base + 23_421);
        let Verdict::Grace { until, .. } = tracker.verdict(now) else { panic!("{ahead}: it may still start") };
        let left = until.seconds_since(now);
        assert!((36..=40).contains(&left), "{ahead}: {left}s left of 60s after 22s");
    }
}

#[test]
fn a_generation_that_the_controller_has_not_seen_is_not_done() {
    let (tracker, now) = until("healthy-install", 60_000);
    assert_eq!(tracker.verdict(now), Verdict::Done);
    let lines = lines("healthy-install");
    let mut later = Tracker::new(
        scope("t1"),
        vec![Target::Deployment { name: "healthy".to_owned(), generation: Some(2) }],
        Timestamp::from_unix_millis(base(&lines)),
    );
    for line in &lines {
        if let Some(kind) = line.kind {
            later.event(kind, &line.event, now).expect("readable");
        }
    }
    assert_eq!(later.verdict(now), Verdict::Waiting, "generation 2 is not there yet");
    let said: Vec<String> = later.progress(now).iter().map(ToString::to_string).collect();
    assert_eq!(said, ["healthy 0/2 ready, waiting for the controller"]);
}

#[test]
fn trouble_from_before_gets_time_to_be_tried_again() {
    let lines = lines("bad-update-keeps-old-pods");
    let base = base(&lines);
    // The next run begins a minute later and lists what is there.
    let began = Timestamp::from_unix_millis(base + 90_000);
    let mut tracker = Tracker::new(scope("t4"), vec![Target::deployment("healthy")], began);
    for kind in Kind::ALL {
        let mut latest = std::collections::BTreeMap::new();
        for line in lines.iter().filter(|line| line.kind == Some(kind)) {
            latest.insert(line.event["object"]["metadata"]["name"].to_string(), line.event["object"].clone());
        }
        let items: Vec<Value> = latest.into_values().collect();
        let list = json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items});
        tracker.list(kind, &list.to_string()).expect("readable");
    }
    let Verdict::Grace { until, finding, .. } = tracker.verdict(began) else { panic!("the node tries again") };
    assert_eq!((finding.code, until.seconds_since(began)), ("XT401", 30));
    assert!(matches!(tracker.verdict(until), Verdict::Failing(_)), "it was not mended");
    assert_eq!(tracker.next_look(began), Some(until));
}

#[test]
fn giving_up_names_what_was_waited_for() {
    let (tracker, now) = until("slow-start-healthy", 5_000);
    let findings = tracker.give_up(now);
    assert_eq!(findings[0].code, "XT440");
    assert!(findings[0].cause.contains("nothing listens on port 8000"), "{}", findings[0].cause);
    let (tracker, now) = until("healthy-install", 1_345);
    let findings = tracker.give_up(now);
    assert_eq!(findings[0].code, "XT464");
    assert_eq!(findings[0].cause, "healthy is not ready after 1s: creating container");
}

/// The first try of the recorded migration, while it runs: its Job has no failure yet.
fn first_try_of_a_migration() -> (Tracker, (String, String), String, Timestamp) {
    let recording = load("pods", "app-migration-retrying");
    let mut job = recording["jobs"][0].clone();
    job["status"]["failed"] = json!(0);
    let running = |pod: &&Value| pod["status"]["phase"] == "Running";
    let pod = recording["pods"].as_array().expect("pods").iter().find(running).expect("one runs").clone();
    let name = pod["metadata"]["name"].as_str().expect("text").to_owned();
    let log = recording["logs"][format!("{name}/app")]["stdout"].as_str().expect("text").to_owned();
    let now = job["metadata"]["creationTimestamp"].as_str().and_then(Timestamp::parse).expect("a time");
    let target = Target::Job { name: job["metadata"]["name"].as_str().expect("text").to_owned() };
    let mut tracker = Tracker::new(scope("app"), Vec::new(), now);
    let added = |object: Value| json!({"type": "ADDED", "object": object});
    tracker.event(Kind::Jobs, &added(job), now).expect("readable");
    tracker.event(Kind::Pods, &added(pod), now).expect("readable");
    assert_eq!(tracker.growing_logs(), [], "nobody waits for it yet");
    tracker.aim(vec![target]);
    (tracker, (name, "app".to_owned()), log, now)
}

#[test]
fn a_running_job_that_waits_for_a_server_is_named_while_it_waits() {
    let (mut tracker, container, log, now) = first_try_of_a_migration();
    assert_eq!(tracker.growing_logs(), std::slice::from_ref(&container));
    let (pod, name) = (container.0.as_str(), container.1.as_str());
    tracker.grew((pod, name), &log, now);
    let Verdict::Grace { until, why, finding } = tracker.verdict(now) else { panic!("it may come") };
    assert_eq!((until.seconds_since(now), why.as_str(), finding.code), (10, "10s for the server it needs", "XT437"));
    // The same words again: the time goes on from the first.
    tracker.grew((pod, name), &format!("{log}{log}"), now.plus_seconds(4));
    let Verdict::Failing(findings) = tracker.verdict(until) else { panic!("it did not come") };
    assert_eq!(
        findings[0].cause,
        "job `app-migration-database-unknown` waits for a server that does not answer: waiting for the database: failed to \
         resolve host 'no-such-db': [Errno -2] Name or service not known"
    );
}

#[test]
fn a_server_that_only_starts_gets_longer_and_one_that_comes_is_no_trouble() {
    let (mut tracker, container, log, now) = first_try_of_a_migration();
    let (pod, name) = (container.0.as_str(), container.1.as_str());
    // The words of the program in the recording `pods/crash-db-refused`.
    let refused = load("pods", "crash-db-refused")["logs"].clone();
    let mut texts = refused.as_object().expect("logs").values().filter_map(|log| log["stdout"].as_str());
    let refused = texts.rfind(|text| text.contains("refused")).expect("its log").to_owned();
    tracker.grew((pod, name), &refused, now);
    let Verdict::Grace { until, .. } = tracker.verdict(now) else { panic!("it may come") };
    assert_eq!(until.seconds_since(now), 30);
    tracker.grew((pod, name), &format!("{refused}INFO: upgrade 0001 -> 0002\n"), now.plus_seconds(9));
    assert_eq!(tracker.verdict(until), Verdict::Waiting, "it came");
    // Away again, much later: from then on.
    let later = now.plus_seconds(300);
    tracker.grew((pod, name), &log, later);
    let Verdict::Grace { until, .. } = tracker.verdict(later) else { panic!("it may come again") };
    assert_eq!(until.seconds_since(later), 10);
}

fn changed(object: &Value) -> Value {
    json!({"type": "MODIFIED", "object": object})
}

/// A tracker of the recorded Job that knows its pods, the Job itself, and when it was made.
fn follower_of(recording: &Value) -> (Tracker, Value, Timestamp) {
    let job = recording["jobs"][0].clone();
    let now = job["metadata"]["creationTimestamp"].as_str().and_then(Timestamp::parse).expect("a time");
    let name = job["metadata"]["name"].as_str().expect("text").to_owned();
    let mut tracker = Tracker::new(scope("app"), vec![Target::Job { name }], now);
    for pod in recording["pods"].as_array().expect("pods") {
        tracker.event(Kind::Pods, &changed(pod), now).expect("readable");
    }
    (tracker, job, now)
}

#[test]
fn a_job_that_fails_twice_for_a_reason_of_its_own_is_not_waited_for() {
    let recording = load("pods", "job-failed");
    let (mut tracker, mut job, now) = follower_of(&recording);
    job["status"] = json!({"failed": 1, "active": 1});
    job["spec"]["backoffLimit"] = json!(6);
    tracker.event(Kind::Jobs, &changed(&job), now).expect("readable");
    let Verdict::Grace { why, finding, .. } = tracker.verdict(now) else { panic!("it tries again") };
    assert_eq!((why.as_str(), finding.code), ("try 2 of 7", "XT462"));
    job["status"]["failed"] = json!(2);
    tracker.event(Kind::Jobs, &changed(&job), now).expect("readable");
    assert!(matches!(tracker.verdict(now), Verdict::Grace { .. }), "its log may say that a server is away");
    for request in tracker.wants_logs() {
        let log = recording["logs"][format!("{}/{}", request.pod, request.container)]["stdout"].as_str().unwrap_or_default();
        tracker.log(&request, log);
    }
    assert!(matches!(tracker.verdict(now), Verdict::Failing(_)), "{:?}", tracker.verdict(now));
}

#[test]
fn a_job_that_is_made_anew_is_not_blamed_for_the_one_before() {
    let recording = load("pods", "job-missing-secret");
    let (mut tracker, mut job, now) = follower_of(&recording);
    tracker.event(Kind::Jobs, &changed(&job), now).expect("readable");
    assert!(matches!(tracker.verdict(now), Verdict::Failing(_)), "its own pod can't start");
    job["metadata"]["uid"] = json!("another");
    tracker.event(Kind::Jobs, &changed(&job), now).expect("readable");
    assert_eq!(tracker.verdict(now), Verdict::Waiting, "its pod is not there yet");
}
