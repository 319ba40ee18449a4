//! Every values file of every chart: lint, render, Kubernetes schemas, policy.

use crate::helm::{Helm, NEWEST, cases, external};
use chartcheck::kube::{VERSIONS, Validators, objects};
use chartcheck::policy::{ALLOWED, findings};
use chartcheck::tools::CHARTS;
use serde_json::Value;
use std::collections::BTreeSet;

fn refs(files: &[String]) -> Vec<&str> {
    files.iter().map(String::as_str).collect()
}

#[test]
fn every_values_file_passes_lint() {
    let Some(helm) = Helm::get() else { return };
    // Helm 3.12 has no such flag; it lints for the Kubernetes that it was built with.
    let versioned = helm.run(&["lint", "--help"], helm.dir()).stdout.contains("--kube-version");
    for chart in CHARTS {
        for case in cases(chart) {
            let mut args = vec!["lint", ".", "--strict"];
            if versioned {
                args.extend(["--kube-version", NEWEST]);
            }
            args.extend(case.iter().flat_map(|file| ["-f", file]));
            let finished = helm.run(&args, &helm.dir().join(chart));
            assert!(finished.success, "{chart} {case:?}: {}{}", finished.stdout, finished.stderr);
        }
    }
}

#[test]
fn every_render_is_valid_for_the_oldest_and_the_newest_kubernetes() {
    let Some(helm) = Helm::get() else { return };
    for (version, schema) in VERSIONS {
        let validators = Validators::new(schema).unwrap();
        for chart in CHARTS {
            for case in cases(chart) {
                let rendered = objects(&helm.render(chart, &refs(&case), version)).unwrap();
                assert!(!rendered.is_empty());
                let problems: Vec<String> = rendered.iter().flat_map(|object| validators.problems(object)).collect();
                assert!(problems.is_empty(), "{chart} {case:?} for Kubernetes {version}: {problems:#?}");
            }
        }
    }
}

#[test]
fn an_unknown_field_and_a_wrong_type_are_found() {
    for (version, schema) in VERSIONS {
        let validators = Validators::new(schema).unwrap();
        let wrong = serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"},
            "spec": {"typ": "NodePort", "ports": [{"port": "80"}]}});
        assert_eq!(validators.problems(&wrong).len(), 2, "Kubernetes {version}");
    }
}

#[test]
fn every_render_keeps_to_the_policy_and_every_exception_is_needed() {
    let Some(helm) = Helm::get() else { return };
    let mut used = BTreeSet::new();
    let mut broken = Vec::new();
    for chart in CHARTS {
        for case in cases(chart) {
            let rendered = objects(&helm.render(chart, &refs(&case), NEWEST)).unwrap();
            let known = external(chart, &case);
            for finding in findings(&rendered, &refs(&known)) {
                let allowed = ALLOWED.iter().position(|(rule, object, file, _)| {
                    finding.rule == *rule
                        && finding.object.starts_with(object)
                        && (file.is_empty() || case.iter().any(|f| f == file))
                });
                match allowed {
                    Some(index) => drop(used.insert(index)),
                    None => broken.push(format!("{chart} {case:?}: {} {}: {}", finding.rule, finding.object, finding.detail)),
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let unused: Vec<_> = ALLOWED.iter().enumerate().filter(|(index, _)| !used.contains(index)).collect();
    assert!(unused.is_empty(), "no render needs these exceptions: {unused:#?}");
}

/// The sum of one amount over the pods of all workloads, in milli-units.
fn total(rendered: &[Value], kind: &str, what: &str) -> u64 {
    let milli = |amount: &str| -> u64 {
        let units = [("Gi", 1000 << 30), ("Mi", 1000 << 20), ("m", 1)];
        let found = units.iter().find_map(|(unit, factor)| Some((amount.strip_suffix(unit)?, *factor)));
        let (number, factor) = found.unwrap_or((amount, 1000));
        number.parse::<u64>().unwrap() * factor
    };
    let workloads = rendered.iter().filter(|object| object["kind"] == "Deployment" || object["kind"] == "StatefulSet");
    workloads
        .map(|object| {
            let container = &object["spec"]["template"]["spec"]["containers"][0];
            object["spec"]["replicas"].as_u64().unwrap() * milli(container["resources"][kind][what].as_str().unwrap())
        })
        .sum()
}

#[test]
fn the_split_layout_keeps_the_second_plans_totals() {
    let Some(helm) = Helm::get() else { return };
    let mut rendered = Vec::new();
    for chart in ["todo-frontend", "todo-backend", "dev-postgres"] {
        let files: &[&str] =
            if chart == "dev-postgres" { &["ci/plain-values.yaml"] } else { &["ci/plain-values.yaml", "values-dev.yaml"] };
        rendered.extend(objects(&helm.render(chart, files, NEWEST)).unwrap());
    }
    let pods: Vec<_> =
        rendered.iter().filter(|object| object["kind"] == "Deployment").map(|object| &object["spec"]["replicas"]).collect();
    assert_eq!(pods, [2, 2]);
    // The plan: at most 4 CPU and 8 GiB with all replicas.
    assert!(total(&rendered, "limits", "cpu") <= 4000);
    assert!(total(&rendered, "limits", "memory") <= 1000 * (8 << 30));
    // The requests, with one more pod of each service, fit into 4 CPU beside a kube-system that asks for 850m.
    assert!(total(&rendered, "requests", "cpu") * 3 / 2 <= 4000 - 850);
}

#[test]
fn each_way_to_the_application_gives_its_own_origin() {
    let Some(helm) = Helm::get() else { return };
    let origins = |files: &[&str]| -> Vec<String> {
        let rendered = objects(&helm.render("todo-app", files, NEWEST)).unwrap();
        let config = rendered.iter().find(|object| object["kind"] == "ConfigMap").unwrap();
        ["BETTER_AUTH_URL", "FRONTEND_URL", "CORS_ORIGINS"].map(|key| config["data"][key].as_str().unwrap().to_owned()).to_vec()
    };
    assert_eq!(origins(&["ci/plain-values.yaml"]), ["http://localhost:3000"; 3]);
    assert_eq!(origins(&["ci/existing-secret-values.yaml"]), ["http://192.168.49.2:30300"; 3]);
    assert_eq!(origins(&["ci/ingress-values.yaml"]), ["https://todo.example.com"; 3]);
}

#[test]
fn what_the_tool_lays_over_the_development_values_renders() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("overlay.json");
    let overlay = serde_json::json!({
        "service": {"frontend": {"type": "ClusterIP"}},
        "existingSecret": "todo-app-secrets",
        "replicaCount": {"frontend": 1, "backend": 1},
        "config": {"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": "https://models.example.com/v1"},
        "secretKeys": {"frontend": ["DATABASE_URL"], "backend": ["DATABASE_URL", "OPENAI_API_KEY"]},
    });
    std::fs::write(&file, overlay.to_string()).unwrap();
    let files = ["values-dev.yaml", "values-todo-chatbot.yaml", file.to_str().unwrap()];
    let rendered = objects(&helm.render("todo-app", &files, NEWEST)).unwrap();
    let service = rendered.iter().find(|object| object["metadata"]["name"] == "frontend-service").unwrap();
    assert_eq!(service["spec"]["type"], "ClusterIP");
    assert_eq!(service["spec"]["ports"][0].get("nodePort"), None);
}
