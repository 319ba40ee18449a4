//! Joins the parts in `helm/todo-lib/schema/values.parts.json` to each chart's `values.schema.json`: what the charts share
//! is said once, and each chart still carries one complete file, since helm follows no references to other files.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Parts {
    charts: BTreeMap<String, Chart>,
    values: BTreeMap<String, Map<String, Value>>,
    definitions: BTreeMap<String, Value>,
}

/// What one chart's schema is made of.
#[derive(Deserialize)]
struct Chart {
    /// Services whose name is part of the path (`image.frontend`); empty in a chart of one service.
    services: Vec<String>,
    /// The groups of values it has.
    values: Vec<String>,
}

/// The schema of every chart, by its name, as the text of `values.schema.json`.
pub fn schemas(parts: &str) -> Result<BTreeMap<String, String>, serde_json::Error> {
    let parts: Parts = serde_json::from_str(parts)?;
    let mut schemas = BTreeMap::new();
    for (name, chart) in &parts.charts {
        schemas.insert(name.clone(), serde_json::to_string_pretty(&schema(name, chart, &parts))? + "\n");
    }
    Ok(schemas)
}

fn schema(name: &str, chart: &Chart, parts: &Parts) -> Value {
    let mut properties = Map::new();
    if !chart.services.is_empty() {
        for (key, value) in parts.values.get("service").into_iter().flatten() {
            properties.insert(key.clone(), each_service(&chart.services, value));
        }
    }
    for (key, value) in chart.values.iter().filter_map(|group| parts.values.get(group)).flatten() {
        properties.insert(key.clone(), value.clone());
    }
    let required: Vec<String> = properties.keys().filter(|key| *key != "global").cloned().collect();
    // Helm puts a key for every dependency into the values that it validates.
    properties.insert("todo-lib".to_owned(), json!({"type": "object"}));
    let mut defs = Map::new();
    take_definitions(&Value::Object(properties.clone()), &parts.definitions, &mut defs);
    // The oldest draft in use: Helm 3.12 reads it too.
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Generated from helm/todo-lib/schema/values.parts.json: UPDATE_CHARTS=1 cargo test -p chartcheck",
        "title": format!("Values of {name}"),
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
        "definitions": defs,
    })
}

fn each_service(services: &[String], value: &Value) -> Value {
    let properties: Map<String, Value> = services.iter().map(|service| (service.clone(), value.clone())).collect();
    json!({"type": "object", "additionalProperties": false, "required": services, "properties": properties})
}

/// Adds the definitions that `value` refers to, and those that they refer to.
fn take_definitions(value: &Value, all: &BTreeMap<String, Value>, taken: &mut Map<String, Value>) {
    match value {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/definitions/"));
            if let Some((name, definition)) = name.and_then(|name| all.get_key_value(name))
                && !taken.contains_key(name)
            {
                taken.insert(name.clone(), definition.clone());
                take_definitions(definition, all, taken);
            }
            object.values().for_each(|inner| take_definitions(inner, all, taken));
        }
        Value::Array(items) => items.iter().for_each(|inner| take_definitions(inner, all, taken)),
        _ => {}
    }
}
