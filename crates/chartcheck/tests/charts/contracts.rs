//! docs/kubernetes/contracts against what the charts render.

use std::fs;
use std::path::PathBuf;

use crate::helm::{Helm, NEWEST};
use chartcheck::kube::objects;
use chartcheck::tools::charts_dir;
use serde_json::Value;

fn contract(file: &str) -> Value {
    let path: PathBuf = charts_dir().join("../docs/kubernetes/contracts").join(file);
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// Where `whole` lacks something of `part`: objects may have more keys, lists more items.
fn missing(part: &Value, whole: &Value, path: &str) -> Vec<String> {
    match (part, whole) {
        (Value::Object(part), Value::Object(_)) => {
            part.iter().flat_map(|(key, value)| missing(value, &whole[key], &format!("{path}.{key}"))).collect()
        }
        (Value::Array(part), Value::Array(_)) => {
            part.iter().enumerate().flat_map(|(i, value)| missing(value, &whole[i], &format!("{path}[{i}]"))).collect()
        }
        _ if part == whole => Vec::new(),
        _ => vec![format!("{path}: promised {part}, rendered {whole}")],
    }
}

const CHARTS: [&str; 2] = ["frontend-chart-contract.yaml", "backend-chart-contract.yaml"];

#[test]
fn the_charts_have_the_files_that_their_contracts_name() {
    for file in CHARTS {
        let contract = contract(file);
        let chart = charts_dir().join(contract["chart"].as_str().unwrap());
        for name in texts(&contract["files"]) {
            assert!(chart.join(name).is_file(), "{file}: {name}");
        }
    }
}

#[test]
fn the_charts_render_what_their_contracts_promise() {
    let Some(helm) = Helm::get() else { return };
    for file in CHARTS {
        let contract = contract(file);
        let chart = contract["chart"].as_str().unwrap();
        let rendered = objects(&helm.render(chart, &texts(&contract["values"]), NEWEST)).unwrap();
        for promised in contract["objects"].as_array().unwrap() {
            let (kind, name) = (&promised["kind"], &promised["metadata"]["name"]);
            let found = rendered.iter().find(|object| object["kind"] == *kind && object["metadata"]["name"] == *name);
            let found = found.unwrap_or_else(|| panic!("{file}: {chart} renders no {kind} {name}"));
            assert_eq!(missing(promised, found, &format!("{kind}")), Vec::<String>::new(), "{file}");
        }
    }
}

#[test]
fn the_charts_refuse_what_their_contracts_say() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    let values = dir.path().join("values.json");
    for file in CHARTS {
        let contract = contract(file);
        let chart = contract["chart"].as_str().unwrap();
        let mut refused: Vec<(Vec<&str>, Value, &str)> = Vec::new();
        for case in contract["refused"].as_array().unwrap() {
            refused.push((vec!["ci/plain-values.yaml"], case["values"].clone(), case["names"].as_str().unwrap()));
        }
        // Nothing given at all: each required value is named.
        refused.extend(texts(&contract["required"]).into_iter().map(|name| (Vec::new(), serde_json::json!({}), name)));
        for (mut files, wrong, names) in refused {
            fs::write(&values, wrong.to_string()).unwrap();
            files.push(values.to_str().unwrap());
            let finished = helm.template(chart, &files, NEWEST);
            assert!(!finished.success, "{file}: {chart} accepts {wrong}");
            assert!(finished.stderr.contains(names), "{file}: {wrong}: no `{names}` in {}", finished.stderr);
        }
    }
}

/// An amount in millicores or MiB.
fn amount(text: &str) -> u64 {
    let units = [("Gi", 1024), ("Mi", 1), ("m", 1)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = found.unwrap_or((text, 1000));
    number.parse::<u64>().unwrap() * factor
}

#[test]
fn the_pods_of_each_layout_ask_for_what_the_validation_says() {
    let Some(helm) = Helm::get() else { return };
    let validation = contract("deployment-validation.yaml");
    for (layout, charts) in
        [("monolith", &["todo-app", "dev-postgres"][..]), ("split", &["todo-frontend", "todo-backend", "dev-postgres"])]
    {
        let mut rendered = Vec::new();
        for chart in charts {
            let files: &[&str] =
                if *chart == "dev-postgres" { &["ci/plain-values.yaml"] } else { &["ci/plain-values.yaml", "values-dev.yaml"] };
            rendered.extend(objects(&helm.render(chart, files, NEWEST)).unwrap());
        }
        rendered.retain(|object| object["kind"] == "Deployment" || object["kind"] == "StatefulSet");
        for kind in ["requests", "limits"] {
            for what in ["cpu", "memory"] {
                let total: u64 = rendered
                    .iter()
                    .map(|object| {
                        let container = &object["spec"]["template"]["spec"]["containers"][0];
                        object["spec"]["replicas"].as_u64().unwrap()
                            * amount(container["resources"][kind][what].as_str().unwrap())
                    })
                    .sum();
                assert_eq!(validation["totals"][layout][kind][what].as_u64(), Some(total), "{layout}: {kind} of {what}");
                assert!(Some(total) <= validation["bound"][what].as_u64(), "{layout}: {kind} of {what}");
            }
        }
    }
}
