//! Makes a file of `schemas/` from an API server's `OpenAPI` document (version 2):
//!
//! ```text
//! kubectl get --raw /openapi/v2 > openapi.json       # the newest version: from a cluster
//! go mod download -json k8s.io/kubernetes@v1.28.15   # the oldest: .Dir of the answer, api/openapi-spec/swagger.json
//! cargo run -p chartcheck --example kube-schema -- openapi.json crates/chartcheck/schemas/kubernetes-1.36.json
//! ```
//!
//! It keeps the kinds of `chartcheck::kube::KINDS` and what they refer to, drops descriptions, and refuses unknown fields.

use chartcheck::kube::KINDS;
use serde_json::{Map, Value, json};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(source), Some(target)) = (args.next(), args.next()) else {
        return Err("needs two arguments: the OpenAPI document and the file to write".into());
    };
    let document: Value = serde_json::from_str(&std::fs::read_to_string(source)?)?;
    let definitions = document["definitions"].as_object().ok_or("no `definitions` in the document")?;
    let mut kinds = Map::new();
    let mut taken = Map::new();
    for (api_version, kind) in KINDS {
        let name = definition_of(definitions, api_version, kind).ok_or_else(|| format!("no {api_version} {kind}"))?;
        kinds.insert(format!("{api_version}/{kind}"), json!(name));
        take(name, definitions, &mut taken);
    }
    let schema = json!({"kinds": kinds, "$defs": taken});
    std::fs::write(target, serde_json::to_string(&schema)?.replace("},\"io.k8s.", "},\n\"io.k8s.") + "\n")?;
    Ok(())
}

fn definition_of<'a>(definitions: &'a Map<String, Value>, api_version: &str, kind: &str) -> Option<&'a str> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let wanted = json!({"group": group, "kind": kind, "version": version});
    let of_kind = |value: &Value| value["x-kubernetes-group-version-kind"].as_array().is_some_and(|all| all.contains(&wanted));
    definitions.iter().find(|(_, value)| of_kind(value)).map(|(name, _)| name.as_str())
}

fn take(name: &str, definitions: &Map<String, Value>, taken: &mut Map<String, Value>) {
    if taken.contains_key(name) {
        return;
    }
    // A ref may lead back to where it came from.
    taken.insert(name.to_owned(), Value::Null);
    let mut value = Value::Null;
    if let Some(found) = definitions.get(name) {
        value = strict(found, definitions, taken);
    }
    taken.insert(name.to_owned(), value);
}

/// One schema of `OpenAPI` 2 as a strict JSON schema.
fn strict(value: &Value, definitions: &Map<String, Value>, taken: &mut Map<String, Value>) -> Value {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/")) {
        take(name, definitions, taken);
        return json!({"$ref": format!("#/$defs/{name}")});
    }
    match value["format"].as_str() {
        Some("int-or-string") => return json!({"type": ["integer", "string"]}),
        Some("date-time") => return json!({"type": "string"}),
        _ => {}
    }
    let mut result = Map::new();
    for key in ["type", "enum", "required"] {
        if let Some(kept) = value.get(key) {
            result.insert(key.to_owned(), kept.clone());
        }
    }
    if let Some(items) = value.get("items") {
        result.insert("items".to_owned(), strict(items, definitions, taken));
    }
    if let Some(properties) = value["properties"].as_object() {
        let properties: Map<String, Value> =
            properties.iter().map(|(key, inner)| (key.clone(), strict(inner, definitions, taken))).collect();
        result.insert("properties".to_owned(), Value::Object(properties));
        result.insert("additionalProperties".to_owned(), json!(false));
    } else if let Some(inner) = value.get("additionalProperties") {
        result.insert("additionalProperties".to_owned(), strict(inner, definitions, taken));
    }
    Value::Object(result)
}
