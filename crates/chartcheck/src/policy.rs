//! What every render has to keep to, whatever the schema allows. A finding that is meant stands in [`ALLOWED`] with its reason.

mod objects;
mod pods;

use serde_json::Value;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Name of the rule.
    pub rule: &'static str,
    /// `Kind/name`.
    pub object: String,
    /// What is wrong.
    pub detail: String,
}

/// An exception: rule, beginning of the object's name, values file (empty: any), reason.
pub type Exception = (&'static str, &'static str, &'static str, &'static str);

/// The written exceptions. One that no render needs any more fails the tests.
pub const ALLOWED: [Exception; 4] = [
    (
        "no-latest",
        "",
        "values-dev.yaml",
        "the alias that build-images keeps, for helm by hand; the tool gives the content's digest",
    ),
    ("restricted", "Deployment/", "ci/foreign-values.yaml", "shows how an application that needs root is opted down"),
    (
        "read-only-root",
        "Deployment/",
        "ci/foreign-values.yaml",
        "shows how an application that writes to its image is opted down",
    ),
    ("three-probes", "StatefulSet/dev-postgres", "", "a database has no HTTP path: exec and TCP probes"),
];

/// All broken rules of one render. `external` are the objects that the values say exist already.
pub fn findings(objects: &[Value], external: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for object in objects {
        objects::labels(object, &mut found);
        if let Some(pod) = pod_of(object) {
            pods::check(object, pod, &mut found);
            objects::references(object, pod, objects, external, &mut found);
        }
    }
    objects::selectors(objects, &mut found);
    objects::scaling(objects, &mut found);
    found.sort();
    found
}

/// `Kind/name`.
pub fn name_of(object: &Value) -> String {
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// The pod's spec of a Pod or of an object that makes pods.
pub fn pod_of(object: &Value) -> Option<&Value> {
    match text(&object["kind"]) {
        "Pod" => Some(&object["spec"]),
        "Deployment" | "StatefulSet" | "Job" => Some(&object["spec"]["template"]["spec"]),
        _ => None,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn report(found: &mut Vec<Finding>, rule: &'static str, object: &Value, detail: impl Into<String>) {
    found.push(Finding { rule, object: name_of(object), detail: detail.into() });
}
