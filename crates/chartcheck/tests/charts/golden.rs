//! Renders as snapshots: a change of a chart shows what it changes. `INSTA_UPDATE=always cargo test -p chartcheck` takes them anew.

use crate::helm::{Helm, NEWEST};

#[test]
fn renders_are_as_reviewed() {
    let Some(helm) = Helm::get() else { return };
    let cases: [(&str, &str, &[&str]); 7] = [
        ("todo-app-tool", "todo-app", &["values-dev.yaml", "ci/existing-secret-values.yaml"]),
        ("todo-app-plain", "todo-app", &["ci/plain-values.yaml"]),
        ("todo-app-production", "todo-app", &["values-production.example.yaml"]),
        ("todo-app-foreign", "todo-app", &["ci/foreign-values.yaml"]),
        ("todo-frontend-dev", "todo-frontend", &["values-dev.yaml", "values-todo-chatbot.yaml", "ci/plain-values.yaml"]),
        ("todo-backend-dev", "todo-backend", &["values-dev.yaml", "values-todo-chatbot.yaml", "ci/plain-values.yaml"]),
        ("dev-postgres", "dev-postgres", &["ci/existing-secret-values.yaml"]),
    ];
    for (name, chart, values) in cases {
        insta::assert_snapshot!(name, in_order(&helm.render(chart, values, NEWEST)));
    }
}

/// The documents sorted by their source: the order in which helm prints them differs between its versions.
fn in_order(render: &str) -> String {
    let mut documents: Vec<&str> = render.split("---\n").map(str::trim).filter(|document| !document.is_empty()).collect();
    documents.sort_unstable();
    documents.join("\n---\n")
}
