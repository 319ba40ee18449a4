//! Every recorded case against the finding that it must give; the table goes into docs/diagnosis.md.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::{failure, load, names, pods};
use crate::trace;
use diagnosis::diagnose::live::Verdict;
use diagnosis::diagnose::{cluster, graces, minikube_status, tool};
use diagnosis::finding::Finding;

/// Recorded pods -> code of the first finding; `None`: must raise no alarm.
const PODS: &[(&str, Option<&str>)] = &[
    ("app-backend-bad-provider", Some("XT438")),
    ("app-backend-database-unknown", Some("XT437")),
    ("app-backend-no-env", Some("XT438")),
    ("app-backend-short-secret", Some("XT438")),
    ("app-frontend-backend-away", Some("XT440")),
    ("app-frontend-no-env", Some("XT438")),
    // Its server has not answered for two minutes; another try would not find it either.
    ("app-migration-retrying", Some("XT462")),
    ("command-not-executable", Some("XT435")),
    ("config-error-missing-configmap", Some("XT411")),
    ("config-error-missing-configmap-key", Some("XT413")),
    ("config-error-missing-secret", Some("XT410")),
    ("config-error-missing-secret-key", Some("XT412")),
    ("crash-db-name", Some("XT437")),
    ("crash-db-password", Some("XT437")),
    ("crash-db-refused", Some("XT437")),
    ("crash-db-refused-node", Some("XT437")),
    ("crash-db-unknown-host", Some("XT437")),
    ("crash-exit0", Some("XT431")),
    ("crash-loop", Some("XT438")),
    ("crash-node-module", Some("XT430")),
    ("crash-node-throw", Some("XT438")),
    ("crash-pydantic", Some("XT438")),
    ("crash-python-import", Some("XT430")),
    ("crash-python-keyerror", Some("XT438")),
    ("database-never-pull-takes-all-down", Some("XT401")),
    ("err-image-never-pull", Some("XT401")),
    ("evicted-emptydir", Some("XT460")),
    ("exec-format", Some("XT433")),
    ("failed-mount-configmap", Some("XT414")),
    ("failed-mount-configmap-key", Some("XT414")),
    ("failed-mount-secret", Some("XT414")),
    ("healthy", None),
    ("healthy-with-requests", None),
    ("image-pull-backoff", Some("XT405")),
    ("init-failing", Some("XT436")),
    ("invalid-image-name", Some("XT407")),
    ("job-done", None),
    ("job-failed", Some("XT462")),
    ("job-missing-secret", Some("XT410")),
    ("limit-range", Some("XT454")),
    ("liveness-500", Some("XT441")),
    ("liveness-failing", Some("XT441")),
    ("namespace-stuck", Some("XT461")),
    ("oom-killed", Some("XT432")),
    ("partial-rollout", Some("XT430")),
    ("pod-failed", Some("XT430")),
    ("pod-security", Some("XT452")),
    ("pod-security-job", Some("XT452")),
    ("pod-security-statefulset", Some("XT452")),
    ("pull-auth", Some("XT403")),
    ("pull-not-found", Some("XT402")),
    ("pull-rate-limit", Some("XT404")),
    ("pull-refused", Some("XT405")),
    ("pull-tls", Some("XT406")),
    ("pull-unavailable", Some("XT405")),
    ("pvc-pending", Some("XT424")),
    ("pvc-unbound", Some("XT424")),
    ("quota-exceeded", Some("XT453")),
    ("quota-needs-requests", Some("XT453")),
    ("readiness-404", Some("XT440")),
    ("readiness-500", Some("XT440")),
    ("readiness-failing", Some("XT440")),
    ("readiness-slow", Some("XT440")),
    ("run-as-nonroot-named-user", Some("XT451")),
    ("run-as-nonroot-violation", Some("XT450")),
    ("run-container-error", Some("XT434")),
    ("service-account-missing", Some("XT455")),
    ("slow-start", None),
    ("startup-kills", Some("XT442")),
    ("stuck-finalizer", Some("XT461")),
    ("unschedulable-cpu", Some("XT420")),
    ("unschedulable-hostport", Some("XT425")),
    ("unschedulable-memory", Some("XT421")),
    ("unschedulable-selector", Some("XT422")),
];

/// Recorded calls that failed (some with exit code 0), and states that are fine (`None`).
const CALLS: &[(&str, &str, Option<&str>)] = &[
    ("docker", "build-bad-tag", Some("XT509")),
    ("docker", "build-base-not-pullable", Some("XT504")),
    ("docker", "build-base-plain-http", Some("XT516")),
    ("docker", "build-base-refused", Some("XT504")),
    ("docker", "build-base-tls", Some("XT516")),
    ("docker", "build-command-not-found", Some("XT501")),
    ("docker", "build-copy-missing", Some("XT502")),
    ("docker", "build-empty-dockerfile", Some("XT508")),
    ("docker", "build-exec-format", Some("XT518")),
    ("docker", "build-long-step", Some("XT501")),
    ("docker", "build-missing-arg-in-from", Some("XT508")),
    ("docker", "build-no-dockerfile", Some("XT507")),
    ("docker", "build-run-fails", Some("XT501")),
    ("docker", "build-step-killed", Some("XT517")),
    ("docker", "build-syntax-error", Some("XT508")),
    ("docker", "build-unknown-stage", Some("XT506")),
    ("docker", "build-unknown-target", Some("XT506")),
    ("docker", "client-too-old", Some("XT113")),
    ("docker", "context-missing-dir", Some("XT510")),
    ("docker", "daemon-socket-missing", Some("XT103")),
    ("docker", "daemon-unreachable-tcp", Some("XT103")),
    ("docker", "image-inspect-missing", Some("XT521")),
    ("docker", "image-rm-in-use", Some("XT803")),
    ("docker", "plain-http-to-tls", Some("XT105")),
    ("docker", "run-elf", Some("XT522")),
    ("docker", "run-exec-format", Some("XT522")),
    ("docker", "run-no-command", Some("XT522")),
    ("docker", "save-disk-full", Some("XT106")),
    ("docker", "socket-permission-denied", Some("XT104")),
    ("docker", "tls-cert-missing", Some("XT105")),
    ("helm", "apiserver-stopped", Some("XT309")),
    ("helm", "apiserver-unreachable", Some("XT309")),
    ("helm", "certificate-expired", Some("XT319")),
    ("helm", "context-missing", Some("XT312")),
    ("helm", "forbidden", Some("XT320")),
    ("helm", "hook-failed", Some("XT462")),
    ("helm", "hook-timeout", Some("XT610")),
    ("helm", "immutable-selector", Some("XT604")),
    ("helm", "lint-nil-pointer", Some("XT606")),
    ("helm", "missing-chart", Some("XT609")),
    ("helm", "missing-dependency", Some("XT608")),
    ("helm", "namespace-missing", Some("XT326")),
    ("helm", "no-chart-yaml", Some("XT609")),
    ("helm", "nodeport-conflict", Some("XT607")),
    ("helm", "nodeport-out-of-range", Some("XT607")),
    ("helm", "nodeport-range", Some("XT618")),
    ("helm", "object-invalid", Some("XT614")),
    ("helm", "ownership-conflict", Some("XT603")),
    ("helm", "rollback-no-revision", Some("XT615")),
    ("helm", "schema-violation", Some("XT605")),
    ("helm", "chart-refuses-values", Some("XT605")),
    ("helm", "status-notfound", Some("XT611")),
    ("helm", "template-nil-pointer", Some("XT606")),
    ("helm", "template-parse-error", Some("XT606")),
    ("helm", "template-yaml-error", Some("XT606")),
    ("helm", "tls-unknown-authority", Some("XT318")),
    ("helm", "uninstall-notfound", Some("XT611")),
    ("helm", "unknown-flag", Some("XT620")),
    ("helm", "unknown-kind", Some("XT613")),
    ("helm", "upgrade-atomic-timeout", Some("XT610")),
    ("helm", "upgrade-missing-dependency", Some("XT608")),
    ("helm", "upgrade-pending-install", Some("XT602")),
    ("helm", "upgrade-pending-upgrade", Some("XT602")),
    ("helm", "upgrade-wait-timeout", Some("XT610")),
    ("helm", "values-missing", Some("XT617")),
    ("helm", "values-unreadable", Some("XT617")),
    ("kubectl", "apiserver-stopped", Some("XT309")),
    ("kubectl", "apply-immutable", Some("XT604")),
    ("kubectl", "apply-invalid", Some("XT614")),
    ("kubectl", "certificate-expired", Some("XT319")),
    ("kubectl", "certificate-not-yet-valid", Some("XT319")),
    ("kubectl", "context-missing", Some("XT312")),
    ("kubectl", "deployment-notfound", Some("XT326")),
    ("kubectl", "forbidden", Some("XT320")),
    ("kubectl", "host-unknown", Some("XT309")),
    ("kubectl", "namespace-notfound", Some("XT326")),
    ("kubectl", "port-forward-address-in-use", Some("XT115")),
    ("kubectl", "port-forward-bad", Some("XT702")),
    ("kubectl", "proxy-down", Some("XT110")),
    ("kubectl", "rollout-status-timeout", Some("XT464")),
    ("kubectl", "tls-unknown-authority", Some("XT318")),
    ("kubectl", "top-no-metrics", Some("XT325")),
    ("kubectl", "unauthorized", Some("XT318")),
    ("kubectl", "unknown-kind", Some("XT613")),
    ("kubectl", "unreachable", Some("XT309")),
    ("kubectl", "wait-timeout", Some("XT464")),
    ("kubectl", "watch-two-kinds-refused", Some("XT902")),
    ("minikube", "docker-env-json-node-container-missing", Some("XT315")),
    ("minikube", "docker-env-json-stopped", Some("XT308")),
    ("minikube", "docker-env-missing-profile", Some("XT307")),
    ("minikube", "image-build-failing", Some("XT501")),
    ("minikube", "image-load-missing", Some("XT519")),
    ("minikube", "image-rm-missing", Some("XT521")),
    ("minikube", "ip-missing-profile", Some("XT307")),
    ("minikube", "ip-node-container-missing", Some("XT315")),
    ("minikube", "ip-stopped", Some("XT308")),
    ("minikube", "service-url-missing", Some("XT702")),
    ("minikube", "start-as-root-refused", Some("XT111")),
    ("minikube", "start-bad-driver", Some("XT303")),
    ("minikube", "start-bad-version", Some("XT306")),
    ("minikube", "start-docker-down", Some("XT103")),
    ("minikube", "start-driver-mismatch", Some("XT303")),
    ("minikube", "start-image-unreachable", Some("XT306")),
    ("minikube", "start-insufficient-cores", Some("XT107")),
    ("minikube", "start-insufficient-memory", Some("XT108")),
    ("minikube", "start-tiny-memory", Some("XT108")),
    ("minikube", "status-json-apiserver-stopped", Some("XT309")),
    ("minikube", "status-json-container-paused", Some("XT316")),
    ("minikube", "status-json-kubelet-stopped", Some("XT310")),
    ("minikube", "status-json-node-container-missing", Some("XT315")),
    ("minikube", "status-json-restarted", None),
    ("minikube", "status-json-running", None),
    ("minikube", "status-json-stopped", Some("XT308")),
    ("minikube", "status-layout-cluster-apiserver-stopped", Some("XT309")),
    ("minikube", "status-layout-cluster-kubelet-stopped", Some("XT310")),
    ("minikube", "status-layout-cluster-node-container-missing", Some("XT315")),
    ("minikube", "status-layout-cluster-restarted", None),
    ("minikube", "status-layout-cluster-running", None),
    ("minikube", "status-layout-cluster-stopped", Some("XT308")),
    ("minikube", "status-missing-profile", Some("XT307")),
    ("minikube", "status-text-apiserver-stopped", Some("XT309")),
    ("minikube", "status-text-kubelet-stopped", Some("XT310")),
    ("minikube", "status-text-node-container-missing", Some("XT315")),
    ("minikube", "status-text-restarted", None),
    ("minikube", "status-text-running", None),
    ("minikube", "status-text-stopped", Some("XT308")),
];

/// Calls with an exit code other than 0 that are no failures.
const NO_FAILURES: &[&str] = &["kubectl/watch-output-events"];

/// One line of the table.
struct Row {
    recording: String,
    expected: Option<&'static str>,
    given: Option<Finding>,
}

impl Row {
    fn is_right(&self) -> bool {
        self.given.as_ref().map(|finding| finding.code) == self.expected
    }
}

fn rows() -> Vec<Row> {
    let of_pods = PODS.iter().map(|(name, expected)| {
        let (facts, now) = pods(&load("pods", name));
        Row { recording: format!("pods/{name}"), expected: *expected, given: cluster(&facts, now).into_iter().next() }
    });
    let of_calls = CALLS.iter().map(|(directory, name, expected)| {
        let failure = failure(&load(directory, name));
        let status = *directory == "minikube" && name.starts_with("status");
        let given = if status {
            minikube_status("minikube", failure.exit_code, &failure.stdout, &failure.stderr)
        } else {
            Some(tool(&failure))
        };
        Row { recording: format!("{directory}/{name}"), expected: *expected, given }
    });
    of_pods.chain(of_calls).collect()
}

#[test]
fn every_recording_gives_its_finding() {
    let wrong: Vec<String> = rows()
        .iter()
        .filter(|row| !row.is_right())
        .map(|row| {
            let given = row.given.as_ref().map(|finding| format!("{} {}", finding.code, finding.cause));
            format!("{}: expected {:?}, given {given:?}", row.recording, row.expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_recording_is_left_out() {
    let listed: BTreeSet<String> = PODS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("pods").into_iter().collect::<BTreeSet<_>>(), listed);
    for directory in ["docker", "helm", "kubectl", "minikube"] {
        for name in names(directory) {
            let failed = failure(&load(directory, &name)).exit_code != Some(0);
            let here = CALLS.iter().any(|(of, listed, _)| *of == directory && *listed == name);
            let known = NO_FAILURES.contains(&format!("{directory}/{name}").as_str());
            assert!(!failed || here || known, "{directory}/{name} failed and is not in the table");
        }
    }
}

/// What makes a finding useful: it names its object, has evidence and something to do, and fits a terminal.
#[test]
fn findings_are_complete() {
    for row in rows() {
        let Some(finding) = row.given else { continue };
        let at = &row.recording;
        assert!(!finding.evidence.is_empty(), "{at}: no evidence");
        assert!(!finding.remedies.is_empty(), "{at}: nothing to do");
        assert!(!finding.cause.ends_with('.'), "{at}: a cause is a fragment: {}", finding.cause);
        assert!(!finding.cause.contains('\n'), "{at}: a cause is one line: {}", finding.cause);
        let first = finding.cause.split_whitespace().next().unwrap_or_default();
        let name = first.contains(['-', '/', '.', ':']);
        assert!(name || first.starts_with(char::is_lowercase), "{at}: a cause starts in lower case: {}", finding.cause);
        for remedy in &finding.remedies {
            assert!(!remedy.text.is_empty() || remedy.command.is_some(), "{at}: an empty remedy");
            let Some(command) = &remedy.command else { continue };
            if command.starts_with("kubectl") {
                let placed = command.contains("--context ") || at.starts_with("kubectl/") || at.starts_with("helm/");
                assert!(placed, "{at}: `{command}` names no context");
            }
        }
    }
}

#[test]
fn the_table_is_current() {
    let rows = rows();
    let mut page = String::from(
        "# Diagnosis: every recorded case\n\n\
         Made by `crates/diagnosis/tests/diagnosis/recordings.rs` from the recordings in `crates/diagnosis/tests/data`; don't edit it by hand\n\
         (`UPDATE_DOCS=1 cargo test -p plan`). What each code means: [TROUBLESHOOTING](kubernetes/TROUBLESHOOTING.md).\n\n",
    );
    let given = rows.iter().filter(|row| row.given.is_some()).count();
    let expected = rows.iter().filter(|row| row.expected.is_some()).count();
    let right = rows.iter().filter(|row| row.expected.is_some() && row.is_right()).count();
    let quiet = rows.iter().filter(|row| row.expected.is_none()).count();
    writeln!(
        page,
        "{} recordings: {expected} of something broken, {quiet} of something healthy or slow.\n\
         Precision {right}/{given}, recall {right}/{expected} (first finding).\n",
        rows.len()
    )
    .expect("a string");
    page.push_str("| recording | expected | given | cause |\n| --- | --- | --- | --- |\n");
    for row in &rows {
        let (code, cause) =
            row.given.as_ref().map_or(("none", String::new()), |finding| (finding.code, finding.cause.replace('|', "\\|")));
        writeln!(page, "| {} | {} | {code} | {cause} |", row.recording, row.expected.unwrap_or("none")).expect("a string");
    }
    page.push_str("\n## What may heal, and for how long\n\nNever longer than the `progressDeadlineSeconds` of the Deployment.\n\n| what | time |\n| --- | --- |\n");
    for (what, time) in graces() {
        writeln!(page, "| {what} | {time} |").expect("a string");
    }
    page.push_str(
        "\n## Rollouts, replayed\n\n\
         The same tracker that follows a real rollout, fed with what four watches gave. Seconds since the watch began; after the last\n\
         event the clock goes on, so that the end of a grace is seen. Those named `healthy` end well and raise no alarm at any of their\n\
         events.\n\n\
         | trace | verdicts |\n| --- | --- |\n",
    );
    for name in trace::names() {
        let mut verdicts = trace::replay(&name, 90_000);
        // A caller stops at a failure.
        if let Some(failing) = verdicts.iter().position(|(_, verdict)| matches!(verdict, Verdict::Failing(_))) {
            verdicts.truncate(failing + 1);
        }
        let verdicts: Vec<String> = verdicts
            .iter()
            .map(|(at, verdict)| {
                let why = if let Verdict::Grace { why, .. } = verdict { format!(" ({why})") } else { String::new() };
                format!("{}.{:03} {}{why}", at / 1_000, at % 1_000, trace::summary(verdict))
            })
            .collect();
        writeln!(page, "| {name} | {} |", verdicts.join("<br>")).expect("a string");
    }
    crate::support::check_document("docs/diagnosis.md", &page);
}
