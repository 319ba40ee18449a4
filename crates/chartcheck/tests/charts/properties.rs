//! Random values: valid ones render to valid manifests, spoilt ones are refused.

use crate::helm::{Helm, NEWEST};
use chartcheck::kube::{VERSIONS, Validators, objects};
use chartcheck::policy::findings;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::fs;

/// Renders started for each property: each is a process, and the whole crate has to stay quick.
const CASES: u32 = 24;

/// Values of one service of the monolith.
fn service() -> impl Strategy<Value = Value> {
    let size = (1u32..2000, 0u32..2000, 16u32..4096, 0u32..4096);
    let scale = (1u32..6, any::<bool>(), 1u32..5, 0u32..5);
    let probe = ("/[a-z]{1,8}(/[a-z]{1,8})?", 1u32..4, 1u32..4, 1u32..4);
    let image = ("[a-z]{1,8}(/[a-z0-9]{1,8})?", "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", select(vec!["IfNotPresent", "Never"]));
    let env = prop::collection::btree_map("X_[A-Z_]{1,8}", "[ -~]{0,20}", 0..3);
    (size, scale, probe, image, env, 1024u32..65535, any::<bool>()).prop_map(
        |((cpu, more_cpu, memory, more_memory), (replicas, scaled, low, more), (path, period, timeout, failures), image, env, port, node)| {
            json!({
                "image": {"repository": image.0, "tag": image.1, "pullPolicy": image.2},
                "service": {"port": port, "type": if node { "NodePort" } else { "ClusterIP" }},
                "replicaCount": replicas,
                "resources": {
                    "requests": {"cpu": format!("{cpu}m"), "memory": format!("{memory}Mi")},
                    "limits": {"cpu": f64::from(cpu + more_cpu) / 1000.0, "memory": format!("{}Mi", memory + more_memory)},
                },
                "autoscaling": {"enabled": scaled, "minReplicas": low, "maxReplicas": low + more},
                "healthProbe": {"liveness": {"path": path, "periodSeconds": period, "timeoutSeconds": timeout, "failureThreshold": failures}},
                "extraEnv": env,
                "podAnnotations": {"xtask/secret-digest": image.1},
            })
        },
    )
}

fn monolith() -> impl Strategy<Value = Value> {
    (service(), service(), any::<[bool; 4]>(), "[a-z]{1,10}\\.example").prop_map(|(frontend, backend, flags, host)| {
        let mut values = json!({
            "existingSecret": "todo-app-secrets",
            "ingress": {"enabled": flags[0], "host": host, "tls": {"enabled": flags[1]}},
            "networkPolicy": {"enabled": flags[2]},
            "migrations": {"enabled": flags[3]},
        });
        for (key, value) in frontend.as_object().unwrap() {
            values[key] = json!({"frontend": value, "backend": backend[key]});
        }
        values
    })
}

/// One way to spoil values, as a change at a path.
fn spoil() -> impl Strategy<Value = (String, Value)> {
    let either = || select(vec!["frontend", "backend"]);
    prop_oneof![
        (select(vec!["/image", "/service", "/resources", "/healthProbe", "/ingress", "/migrations"]), "x[a-z]{3,9}")
            .prop_map(|(path, key)| (format!("{path}/{key}"), json!(1))),
        "x[a-z]{3,9}".prop_map(|key| (format!("/{key}"), json!({}))),
        (either(), any::<u32>()).prop_map(|(service, tag)| (format!("/image/{service}/tag"), json!(tag))),
        (either(), any::<u16>())
            .prop_filter("in range", |(_, port)| !(30000..=32767).contains(port))
            .prop_map(|(service, port)| (format!("/service/{service}/nodePort"), json!(port))),
        (either(), 1u32..1000)
            .prop_map(|(service, cores)| (format!("/resources/{service}/requests/cpu"), json!(format!("{}m", 4000 + cores)))),
        (either(), 5u32..1000)
            .prop_map(|(service, size)| (format!("/resources/{service}/requests/memory"), json!(format!("{}Gi", 8 + size)))),
        (either(), "[a-z ]{1,9}").prop_map(|(service, path)| (format!("/healthProbe/{service}/liveness/path"), json!(path))),
        (either(), any::<bool>()).prop_map(|(service, wrong)| (format!("/replicaCount/{service}"), json!(wrong))),
        "[a-z]{1,9}".prop_map(|text| ("/publicOrigin".to_owned(), json!(text))),
        (either(), "[a-z]{1,9}").prop_map(|(service, name)| (format!("/podSecurity/{service}"), json!({"profile": name}))),
        any::<i32>().prop_map(|number| ("/config".to_owned(), json!({"LLM_PROVIDER": number}))),
    ]
}

/// Sets the value at a JSON pointer and makes the objects on the way.
fn set(values: &mut Value, pointer: &str, new: Value) {
    let target = pointer.split('/').skip(1).fold(values, |value, key| &mut value[key]);
    *target = new;
}

#[test]
fn valid_values_render_to_valid_manifests() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("values.json");
    let validators = Validators::new(VERSIONS[1].1).unwrap();
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let outcome = TestRunner::new(config).run(&monolith(), |values| {
        fs::write(&file, values.to_string()).unwrap();
        let finished = helm.template("todo-app", &[file.to_str().unwrap()], NEWEST);
        prop_assert!(finished.success, "{}", finished.stderr);
        let rendered = objects(&finished.stdout).unwrap();
        let problems: Vec<String> = rendered.iter().flat_map(|object| validators.problems(object)).collect();
        prop_assert!(problems.is_empty(), "{problems:#?}");
        let found = findings(&rendered, &["todo-app-secrets"]);
        prop_assert!(found.iter().all(|finding| finding.rule == "no-latest"), "{found:#?}");
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn spoilt_values_are_refused() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("values.json");
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(monolith(), spoil()), |(mut values, (pointer, new))| {
        set(&mut values, &pointer, new);
        fs::write(&file, values.to_string()).unwrap();
        let finished = helm.template("todo-app", &[file.to_str().unwrap()], NEWEST);
        prop_assert!(!finished.success, "accepted with a wrong {pointer}");
        let key = pointer.rsplit('/').next().unwrap_or_default();
        prop_assert!(finished.stderr.contains(key), "no `{key}` in {}", finished.stderr);
        Ok(())
    });
    outcome.unwrap();
}
