//! Recordings as facts.

use std::path::PathBuf;

use calls::invocation::Tool;
use diagnosis::diagnose::{Facts, Scope, Timestamp, ToolFailure};
use serde_json::Value;

/// tests/data
pub(crate) fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The recordings of a directory, by name, in order.
pub(crate) fn names(directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(data().join(directory)).expect("recordings are there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// One recording.
pub(crate) fn load(directory: &str, name: &str) -> Value {
    let path = data().join(directory).join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the recordings were made.
pub(crate) fn scope(namespace: &str) -> Scope {
    let waits = [("frontend", "backend"), ("backend", "dev-postgres")];
    Scope {
        context: "minikube".to_owned(),
        namespace: namespace.to_owned(),
        waits_for: waits.into_iter().map(|(service, needed)| (service.to_owned(), vec![needed.to_owned()])).collect(),
        ..Scope::default()
    }
}

/// A recording of `pods/` as facts, and the moment it was made: no earlier than anything in it.
pub(crate) fn pods(recording: &Value) -> (Facts, Timestamp) {
    let namespace = recording["pods"][0]["metadata"]["namespace"].as_str().unwrap_or("diag").to_owned();
    let mut facts = Facts::new(scope(&namespace));
    // `manifest` is what was applied, not what was seen.
    let seen = recording.as_object().expect("an object").iter().filter(|(key, _)| *key != "manifest");
    for objects in seen.filter_map(|(_, value)| value.as_array()) {
        for object in objects {
            facts.add(object).expect("readable");
        }
    }
    for (key, log) in recording["logs"].as_object().into_iter().flatten() {
        let parts: Vec<&str> = key.split('/').collect();
        if log["exit_code"] == 0 {
            facts.add_log(parts[0], parts[1], parts.len() == 3, log["stdout"].as_str().unwrap_or_default());
        }
    }
    // Recordings without a time of their own were made right after the last thing in them.
    let now = recording["recorded_at"].as_str().and_then(Timestamp::parse).unwrap_or_else(|| facts.latest());
    (facts, now)
}

/// A recorded call as a failure.
pub(crate) fn failure(recording: &Value) -> ToolFailure {
    let argv: Vec<String> =
        recording["argv"].as_array().expect("argv").iter().map(|arg| arg.as_str().expect("text").to_owned()).collect();
    let tools = [Tool::Minikube, Tool::Docker, Tool::Helm, Tool::Kubectl];
    // One was recorded through `su` to be another user.
    let line = argv.join(" ");
    let tool = tools
        .into_iter()
        .find(|tool| argv[0] == tool.program())
        .unwrap_or_else(|| *tools.iter().find(|tool| line.contains(tool.program())).expect("a known tool"));
    let text = |key: &str| recording[key].as_str().unwrap_or_default().to_owned();
    ToolFailure {
        tool,
        args: if argv[0] == tool.program() { argv[1..].to_vec() } else { Vec::new() },
        exit_code: recording["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok()),
        signal: None,
        stdout: text("stdout"),
        stderr: text("stderr"),
        deadline_exceeded: None,
        what: "replay a recording".to_owned(),
    }
}

/// Compares a generated document with the file in the repository; `UPDATE_DOCS=1` writes it.
pub(crate) fn check_document(path: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("writable");
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{path}: {error}"));
        return;
    }
    // A checkout on Windows may have CRLF.
    let current = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(current == text, "{path} is not current; fix: UPDATE_DOCS=1 cargo test -p plan");
}
