//! What helm would make of a chart, as far as the simulation needs it: workloads and Services from the values, not from templates.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cluster::text;

/// A chart, read from its directory.
pub(crate) struct Chart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) app_version: String,
    values: Value,
    stateful: bool,
}

impl Chart {
    /// Reads a chart; the error is helm's own.
    pub(crate) fn read(dir: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(dir.join("Chart.yaml"))
            .map_err(|_| format!("Error: path \"{}\" not found", dir.display()))?;
        let about: Value = serde_saphyr::from_str(&text).map_err(|e| format!("Error: cannot load Chart.yaml: {e}"))?;
        let values = std::fs::read_to_string(dir.join("values.yaml")).unwrap_or_default();
        let values = yaml(&values).map_err(|e| format!("Error: cannot load values.yaml: {e}"))?;
        let word = |key: &str| about[key].as_str().map_or_else(|| about[key].to_string(), str::to_owned);
        let stateful = dir.join("templates").join("statefulset.yaml").exists();
        Ok(Self { name: word("name"), version: word("version"), app_version: word("appVersion"), values, stateful })
    }

    /// `name-version`
    pub(crate) fn full(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

fn yaml(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    serde_saphyr::from_str::<Value>(text).map_err(|e| e.to_string()).map(|value| if value.is_null() { json!({}) } else { value })
}

/// The values files, the last wins; what was given, without the chart's own.
pub(crate) fn values(files: &[&str]) -> Result<Value, String> {
    let mut given = json!({});
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|_| format!("Error: open {file}: no such file or directory"))?;
        merge(&mut given, yaml(&text).map_err(|error| format!("Error: failed to parse {file}: {error}"))?);
    }
    Ok(given)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (into, from) => *into = from,
    }
}

/// The objects of a release.
pub(crate) fn render(chart: &Chart, release: &str, namespace: &str, given: &Value) -> Vec<Value> {
    let mut values = chart.values.clone();
    merge(&mut values, given.clone());
    let mut objects = Vec::new();
    if let Some(config) =
        values.get("config").and_then(Value::as_object).filter(|_| text(&values, "/existingConfigMap").is_empty())
    {
        let data: Map<String, Value> =
            config.iter().map(|(k, v)| (k.clone(), json!(v.as_str().map_or_else(|| v.to_string(), str::to_owned)))).collect();
        objects.push(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("{release}-config")}, "data": data}),
        );
    }
    let image = &values["image"];
    if image["repository"].is_string() {
        // A chart of one service: its name is what the label says it is.
        let service =
            if chart.stateful { chart.name.clone() } else { chart.name.rsplit('-').next().unwrap_or(&chart.name).to_owned() };
        workload(chart, release, &values, (&service, ""), &mut objects);
    } else if let Some(services) = image.as_object() {
        for service in services.keys().filter(|name| image[name.as_str()]["repository"].is_string()) {
            workload(chart, release, &values, (service, service), &mut objects);
        }
    }
    for object in &mut objects {
        let meta = &mut object["metadata"];
        meta["namespace"] = json!(namespace);
        meta["annotations"]["meta.helm.sh/release-name"] = json!(release);
        meta["annotations"]["meta.helm.sh/release-namespace"] = json!(namespace);
        meta["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
        meta["labels"]["app.kubernetes.io/instance"] = json!(release);
        meta["labels"]["helm.sh/chart"] = json!(chart.full());
    }
    objects
}

/// One service's workload and Service; `suffix` is its key under each value in a chart of several, "" in a chart of one.
fn workload(chart: &Chart, release: &str, values: &Value, (service, suffix): (&str, &str), objects: &mut Vec<Value>) {
    let of = |key: &str| if suffix.is_empty() { values[key].clone() } else { values[key][suffix].clone() };
    let name = if suffix.is_empty() { release.to_owned() } else { format!("{release}-{suffix}") };
    let labels = json!({
        "app.kubernetes.io/name": chart.name, "app.kubernetes.io/instance": release, "app.kubernetes.io/component": service,
        "app.kubernetes.io/version": chart.app_version,
    });
    let image = of("image");
    let tag = image["tag"].as_str().filter(|tag| !tag.is_empty()).unwrap_or(&chart.app_version);
    let port = of("service")["port"].as_u64().unwrap_or(80);
    let mut template_labels = labels.clone();
    for (key, value) in of("podLabels").as_object().into_iter().flatten() {
        template_labels[key] = value.clone();
    }
    let container = json!({
        "name": service, "image": format!("{}:{tag}", text(&image, "/repository")),
        "imagePullPolicy": image["pullPolicy"].as_str().unwrap_or("IfNotPresent"), "ports": [{"containerPort": port}],
        "resources": of("resources"), "envFrom": [{"configMapRef": {"name": format!("{release}-config")}}],
    });
    let replicas = of("replicaCount").as_u64().unwrap_or(1);
    let kind = if chart.stateful { "StatefulSet" } else { "Deployment" };
    let mut annotations = of("podAnnotations");
    if !annotations.is_object() {
        annotations = json!({});
    }
    objects.push(json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app.kubernetes.io/instance": release, "app.kubernetes.io/component": service}},
            "template": {"metadata": {"labels": template_labels, "annotations": annotations}, "spec": {"containers": [container]}},
        },
    }));
    let exposed = of("service");
    let mut ports = json!({"port": port, "targetPort": port, "protocol": "TCP"});
    if let Some(node_port) = exposed["nodePort"].as_u64() {
        ports["nodePort"] = json!(node_port);
    }
    let service_name = exposed["name"].as_str().filter(|n| !n.is_empty()).unwrap_or(&name);
    objects.push(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": service_name, "labels": labels},
        "spec": {
            "type": exposed["type"].as_str().unwrap_or("ClusterIP"), "ports": [ports], "clusterIP": "10.96.0.10",
            "selector": {"app.kubernetes.io/instance": release, "app.kubernetes.io/component": service},
        },
    }));
}
