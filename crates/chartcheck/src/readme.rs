//! Each chart's README from the comments of its `values.yaml`: `# -- text` documents the key below it, `# @section -- Name`
//! starts a table.

use serde_json::Value;

/// A key of values.yaml with its comment.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names from the top down; a name may hold dots and slashes.
    pub path: Vec<String>,
    /// Section it stands in; empty before the first one.
    pub section: String,
    /// The comment, on one line.
    pub text: String,
}

impl Entry {
    /// The path as users write it in messages: `image.frontend.tag`.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// The documented keys, in the file's order. Lists and multi-line texts are skipped over; only keys on lines of their own count.
pub fn entries(values_yaml: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut section = String::new();
    let mut text: Option<String> = None;
    let mut path: Vec<(usize, String)> = Vec::new();
    for line in values_yaml.lines() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if let Some(name) = trimmed.strip_prefix("# @section -- ") {
            name.clone_into(&mut section);
            text = None;
        } else if let Some(first) = trimmed.strip_prefix("# -- ") {
            text = Some(first.to_owned());
        } else if let (Some(more), Some(text)) = (trimmed.strip_prefix("# "), text.as_mut()) {
            text.push(' ');
            text.push_str(more);
        } else if let Some(key) = key_of(trimmed) {
            path.retain(|(depth, _)| *depth < indent);
            path.push((indent, key.to_owned()));
            if let Some(text) = text.take() {
                let path = path.iter().map(|(_, name)| name.clone()).collect();
                entries.push(Entry { path, section: section.clone(), text });
            }
        } else {
            text = None;
        }
    }
    entries
}

fn key_of(line: &str) -> Option<&str> {
    if line.starts_with(['#', '-']) {
        return None;
    }
    let (key, rest) = line.split_once(':')?;
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    (plain && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

/// The value at a path.
pub fn at<'a>(values: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(values, |value, name| value.get(name))
}

/// Keys of values.yaml that neither have a comment nor stand below one that has.
pub fn undocumented(values: &Value, entries: &[Entry]) -> Vec<String> {
    let mut missing = Vec::new();
    collect(values, &mut Vec::new(), entries, &mut missing);
    missing
}

fn collect(value: &Value, path: &mut Vec<String>, entries: &[Entry], missing: &mut Vec<String>) {
    if entries.iter().any(|entry| entry.path == *path) {
        return;
    }
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, inner) in object {
                path.push(key.clone());
                collect(inner, path, entries, missing);
                path.pop();
            }
        }
        _ => missing.push(path.join(".")),
    }
}

/// The README of a chart.
pub fn readme(chart: &Value, values: &Value, entries: &[Entry], intro: &str) -> String {
    let text = |key: &str| chart[key].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![
        "<!-- Generated from Chart.yaml, values.yaml and INTRO.md: UPDATE_CHARTS=1 cargo test -p chartcheck -->".to_owned(),
        format!("# {}\n\n{}.\n", text("name"), text("description")),
        format!(
            "Chart {}, application {}, Kubernetes {}. Helm 3.12 or newer, or Helm 4.\n",
            text("version"),
            text("appVersion"),
            text("kubeVersion").replace("-0", "")
        ),
        intro.trim().to_owned(),
    ];
    let mut section = None;
    for entry in entries {
        if section != Some(&entry.section) {
            let title = if entry.section.is_empty() { "Values" } else { &entry.section };
            lines.push(format!("\n## {title}\n\n| Key | Default | Meaning |\n| --- | --- | --- |"));
            section = Some(&entry.section);
        }
        let default = at(values, &entry.path).map(shown).unwrap_or_default();
        lines.push(format!("| `{}` | {default} | {} |", entry.name(), entry.text.replace('|', "\\|")));
    }
    lines.join("\n") + "\n"
}

/// A default as it stands in a table: long ones are left to values.yaml.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 90 || text.contains("\\n") { "see values.yaml".to_owned() } else { format!("`{}`", text.replace('|', "\\|")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_belong_to_the_next_key_and_sections_to_all_that_follow() {
        let yaml = "# head\n\n# @section -- One\n\na:\n  # -- first\n  # goes on\n  b: 1\n  c: 2\n# -- list\nd:\n  - x: 1\n# @section -- Two\n# -- last\n/tmp: {}\n";
        let found: Vec<_> = entries(yaml).into_iter().map(|e| (e.name(), e.section, e.text)).collect();
        let expected = [("a.b", "One", "first goes on"), ("d", "One", "list"), ("/tmp", "Two", "last")];
        assert_eq!(found, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    #[test]
    fn a_leaf_without_a_comment_is_reported_by_its_path() {
        let values = serde_json::json!({"a": {"b": 1, "c": {"x": 1}}, "d": []});
        let entries = entries("a:\n  # -- one\n  c:\n    x: 1\n");
        assert_eq!(undocumented(&values, &entries), ["a.b", "d"]);
    }
}
