//! Rules about objects among each other.

use super::{Finding, items, pod_of, report, text};
use serde_json::Value;

/// The labels that Kubernetes recommends, on every object.
pub(super) fn labels(object: &Value, found: &mut Vec<Finding>) {
    for label in ["name", "instance", "version", "part-of", "managed-by"] {
        if object["metadata"]["labels"].get(format!("app.kubernetes.io/{label}")).is_none() {
            report(found, "labels", object, format!("no app.kubernetes.io/{label}"));
        }
    }
}

/// Every `Secret` and `ConfigMap` that a pod needs is in the render or said to exist. A hook's must be there before the hook.
pub(super) fn references(object: &Value, pod: &Value, all: &[Value], external: &[&str], found: &mut Vec<Finding>) {
    let hook = |object: &Value| text(&object["metadata"]["annotations"]["helm.sh/hook"]).contains("install");
    for container in items(&pod["containers"]) {
        let from_env = items(&container["env"]).flat_map(|entry| {
            let from = &entry["valueFrom"];
            [("Secret", &from["secretKeyRef"]), ("ConfigMap", &from["configMapKeyRef"])]
        });
        let from_all = items(&container["envFrom"])
            .flat_map(|entry| [("Secret", &entry["secretRef"]), ("ConfigMap", &entry["configMapRef"])]);
        for (kind, reference) in from_env.chain(from_all).filter(|(_, reference)| !reference.is_null()) {
            let (name, key) = (text(&reference["name"]), text(&reference["key"]));
            let source = all.iter().find(|other| other["kind"] == kind && other["metadata"]["name"] == name);
            let has_key =
                |source: &Value| key.is_empty() || source["stringData"].get(key).is_some() || source["data"].get(key).is_some();
            match source {
                None if external.contains(&name) => {}
                None => report(found, "references", object, format!("{kind} {name} is nowhere")),
                Some(source) if !has_key(source) => report(found, "references", object, format!("{kind} {name} has no {key}")),
                Some(source) if hook(object) && !hook(source) => {
                    report(found, "references", object, format!("{kind} {name} does not exist yet when this hook runs"));
                }
                Some(_) => {}
            }
        }
    }
}

/// Selectors hold no version, match their own pods, and each Service the pods of exactly one workload.
pub(super) fn selectors(objects: &[Value], found: &mut Vec<Finding>) {
    let pods: Vec<(&Value, &Value)> = objects
        .iter()
        .filter(|object| pod_of(object).is_some())
        .map(|object| {
            let labels = if object["kind"] == "Pod" {
                &object["metadata"]["labels"]
            } else {
                &object["spec"]["template"]["metadata"]["labels"]
            };
            (object, labels)
        })
        .collect();
    let matches = |selector: &Value, labels: &Value| {
        selector.as_object().is_some_and(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
    };
    for object in objects {
        let selector = match text(&object["kind"]) {
            "Service" => &object["spec"]["selector"],
            "Deployment" | "StatefulSet" | "PodDisruptionBudget" => &object["spec"]["selector"]["matchLabels"],
            "NetworkPolicy" => &object["spec"]["podSelector"]["matchLabels"],
            _ => continue,
        };
        let keys: Vec<&str> = selector.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let mut expected = ["app.kubernetes.io/component", "app.kubernetes.io/instance", "app.kubernetes.io/name"];
        expected.sort_unstable();
        if keys != expected {
            report(found, "selectors", object, format!("selects by {}", keys.join(", ")));
        }
        let selected: Vec<&Value> =
            pods.iter().filter(|(_, labels)| matches(selector, labels)).map(|(owner, _)| *owner).collect();
        if selected.len() != 1 {
            report(found, "selectors", object, format!("selects the pods of {} objects", selected.len()));
        }
        if object["kind"] == "Service" {
            let named: Vec<&Value> = selected
                .iter()
                .filter_map(|owner| pod_of(owner))
                .flat_map(|pod| items(&pod["containers"]))
                .flat_map(|container| items(&container["ports"]))
                .map(|port| &port["name"])
                .collect();
            for port in items(&object["spec"]["ports"]) {
                if !named.contains(&&port["targetPort"]) {
                    report(found, "ports", object, format!("no container port {}", port["targetPort"]));
                }
            }
        }
    }
}

/// A budget where there is more than one pod and none where there is one; an autoscaler instead of a number, never both.
pub(super) fn scaling(objects: &[Value], found: &mut Vec<Finding>) {
    for object in objects.iter().filter(|object| object["kind"] == "Deployment") {
        let name = &object["metadata"]["name"];
        let of = |kind: &str| objects.iter().find(|other| other["kind"] == kind && other["metadata"]["name"] == *name);
        let scaler = of("HorizontalPodAutoscaler");
        if scaler.is_some() == object["spec"].get("replicas").is_some() {
            report(found, "one-decides", object, "needs either replicas or an autoscaler");
        }
        let pods = match scaler {
            Some(scaler) => scaler["spec"]["minReplicas"].as_u64(),
            None => object["spec"]["replicas"].as_u64(),
        };
        if (pods.unwrap_or_default() > 1) != of("PodDisruptionBudget").is_some() {
            report(
                found,
                "disruption-budget",
                object,
                format!("{} pods, budget: {}", pods.unwrap_or_default(), of("PodDisruptionBudget").is_some()),
            );
        }
    }
}
