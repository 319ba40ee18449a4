//! Rendered manifests against the Kubernetes API's own schemas, strictly: an unknown field is an error.
//!
//! The schemas in `schemas/` are made by `examples/kube-schema.rs` from the API servers' `/openapi/v2` and hold only the
//! kinds that the charts use. The oldest supported version and the newest one are stored.

use serde_json::Value;
use std::collections::BTreeMap;

/// The stored schemas: minor version of Kubernetes, text.
pub const VERSIONS: [(&str, &str); 2] =
    [("1.28", include_str!("../schemas/kubernetes-1.28.json")), ("1.36", include_str!("../schemas/kubernetes-1.36.json"))];

/// The kinds that the charts render, as `(apiVersion, kind)`.
pub const KINDS: [(&str, &str); 14] = [
    ("v1", "ConfigMap"),
    ("v1", "LimitRange"),
    ("v1", "Pod"),
    ("v1", "ResourceQuota"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
];

/// Validators of one Kubernetes version.
pub struct Validators {
    by_kind: BTreeMap<String, jsonschema::Validator>,
}

impl Validators {
    /// Compiles a stored schema.
    pub fn new(schema: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(schema).map_err(|error| error.to_string())?;
        let mut by_kind = BTreeMap::new();
        for (api_version, kind) in KINDS {
            let key = format!("{api_version}/{kind}");
            let definition = schema.pointer(&format!("/kinds/{}", key.replace('/', "~1"))).and_then(Value::as_str);
            let definition = definition.ok_or_else(|| format!("the stored schema has no `{key}`"))?;
            let root = serde_json::json!({"$ref": format!("#/$defs/{definition}"), "$defs": schema["$defs"]});
            by_kind.insert(key, jsonschema::validator_for(&root).map_err(|error| error.to_string())?);
        }
        Ok(Self { by_kind })
    }

    /// What is wrong with an object: one line for each problem, with the path of the field.
    pub fn problems(&self, object: &Value) -> Vec<String> {
        let key = format!("{}/{}", object["apiVersion"].as_str().unwrap_or("?"), object["kind"].as_str().unwrap_or("?"));
        let name = object["metadata"]["name"].as_str().unwrap_or("?");
        match self.by_kind.get(&key) {
            None => vec![format!("{key} {name}: no schema of this kind is stored")],
            Some(validator) => {
                validator.iter_errors(object).map(|error| format!("{key} {name} {}: {error}", error.instance_path())).collect()
            }
        }
    }
}

/// The objects of a render, in its order.
pub fn objects(render: &str) -> Result<Vec<Value>, String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(render).map_err(|error| error.to_string())?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}
