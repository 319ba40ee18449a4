//! The support bundle: named texts, made safe one by one, packed into one tar file. What goes in is decided in `phases::report`.

use std::collections::BTreeMap;
use std::io;

use plan::invocation::Secret;
use plan::objects::{label, text};
use serde_json::{Value, json};
use tools::runner::Runner;

/// A value shorter than this (bytes) is a word (`todo`, `app`), and would be taken out of every line.
const SHORTEST: usize = 8;

/// The files of a bundle.
pub(crate) struct Bundle<'a> {
    runner: &'a Runner,
    files: BTreeMap<String, String>,
    missing: Vec<(String, String)>,
}

impl<'a> Bundle<'a> {
    /// An empty one. Everything that is added goes through the runner's redaction.
    pub(crate) fn new(runner: &'a Runner) -> Self {
        Self { runner, files: BTreeMap::new(), missing: Vec::new() }
    }

    /// Adds a text.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: &str) {
        self.files.insert(name.into(), text.to_owned());
    }

    /// Takes a value out of everything that is packed.
    pub(crate) fn keep_out(&self, value: &str) {
        if value.trim().len() >= SHORTEST {
            self.runner.redact(&Secret::new(value));
        }
    }

    /// Adds data.
    pub(crate) fn add_json(&mut self, name: impl Into<String>, data: &Value) {
        self.add(name, &format!("{data:#}\n"));
    }

    /// Says that something could not be had, and why.
    pub(crate) fn lacks(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.missing.push((name.into(), why.into()));
    }

    /// Adds what was had, or says why not.
    pub(crate) fn take<T, E: std::fmt::Display>(&mut self, name: &str, had: Result<T, E>, render: impl FnOnce(T) -> String) {
        match had {
            Ok(had) => self.add(name, &render(had)),
            Err(why) => self.lacks(name, why.to_string()),
        }
    }

    /// What it holds and what not, for a person: the first file of the bundle.
    fn contents(&self, headline: &str) -> String {
        let mut out =
            format!("# {headline}\n\nSecrets are taken out: of Secrets and of .env only the names of keys are kept.\n\n");
        out.extend(self.files.iter().map(|(name, text)| format!("- {name} ({} lines)\n", text.lines().count())));
        if !self.missing.is_empty() {
            out.push_str("\nWhat could not be had:\n\n");
            out.extend(self.missing.iter().map(|(name, why)| format!("- {name}: {}\n", why.replace('\n', " "))));
        }
        out
    }

    /// How many files, and what is missing.
    pub(crate) fn counted(&self) -> (usize, Vec<&str>) {
        (self.files.len() + 1, self.missing.iter().map(|(name, _)| name.as_str()).collect())
    }

    /// Packs it, as a folder of that name. Redaction is the last thing that happens to a text, so nothing can be forgotten.
    pub(crate) fn pack(&self, folder: &str, headline: &str, at: u64, into: impl io::Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(into);
        let contents = self.contents(headline);
        for (name, text) in std::iter::once((&"README.md".to_owned(), &contents)).chain(&self.files) {
            let safe = self.runner.redacted(text);
            let mut header = tar::Header::new_ustar();
            header.set_size(u64::try_from(safe.len()).unwrap_or(u64::MAX));
            header.set_mode(0o600);
            header.set_mtime(at);
            // A pod's name may be long: append_data writes a long path as its own entry.
            archive.append_data(&mut header, format!("{folder}/{name}"), safe.as_bytes())?;
        }
        archive.into_inner()?.flush()
    }
}

/// An object without what is secret or says nothing: of a Secret only the names of its keys.
pub(crate) fn safe_object(object: &Value) -> Value {
    let mut safe = object.clone();
    if let Some(metadata) = safe.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            // `kubectl apply` writes the whole object there, the values of a Secret too.
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            annotations.remove(plan::desired::SALT_ANNOTATION);
        }
    }
    if text(object, "/kind") == "Secret"
        && let Some(fields) = safe.as_object_mut()
    {
        for part in ["data", "stringData"] {
            let keys: Vec<String> =
                fields.remove(part).and_then(|data| Some(data.as_object()?.keys().cloned().collect())).unwrap_or_default();
            if !keys.is_empty() {
                fields.insert(format!("{part} (keys only)"), json!(keys));
            }
        }
    }
    safe
}

/// Every value of the live Secrets is a secret, wherever else it may stand: in a log, an event, a variable of a pod.
pub(crate) fn know_secrets<'o>(runner: &Runner, objects: impl Iterator<Item = &'o Value>) {
    // helm's own records are compressed manifests: nothing repeats them.
    for object in objects.filter(|o| text(o, "/kind") == "Secret" && label(o, "owner") != "helm") {
        let values = object.pointer("/data").and_then(Value::as_object).into_iter().flatten();
        for value in values.filter_map(|(_, value)| value.as_str()) {
            if let Some(plain) = crate::steps::secret::decode(value).filter(|plain| plain.trim().len() >= SHORTEST) {
                runner.redact(&Secret::new(plain));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use tools::runner::RunnerConfig;

    use super::*;

    /// A password that stands in a Secret, and by that in half of everything else.
    const CANARY: &str = "canary-6f1d9e/+\"pass";

    fn packed(bundle: &Bundle<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        bundle.pack("report", "a test", 0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn no_byte_of_a_bundle_is_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let runner = Runner::new(RunnerConfig::new(folder.path()));
        let encoded = STANDARD.encode(CANARY);
        let url = format!("postgresql://todo:{CANARY}@dev-postgres:5432/todo");
        let secret = json!({
            "kind": "Secret",
            "metadata": {"name": "todo-app-secrets", "managedFields": [], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": encoded}},
            "data": {"BETTER_AUTH_SECRET": encoded, "SHORT": STANDARD.encode("todo")},
        });
        know_secrets(&runner, [&secret].into_iter());
        let mut bundle = Bundle::new(&runner);
        bundle.add_json("objects.json", &json!([safe_object(&secret)]));
        bundle.add("logs/backend.log", &format!("connecting to {url}\nheader {encoded}\nquoted {}\n", json!(CANARY)));
        bundle.add("journal.jsonl", &json!({"stderr_tail": format!("refused: {CANARY}")}).to_string());
        bundle.add(format!("logs/{}.log", "a-pod-with-a-long-name-".repeat(8)), "a name over the hundred bytes of a tar header");
        bundle.lacks("events.json", format!("the API server said: {CANARY}"));
        let bytes = packed(&bundle);
        let shown = String::from_utf8_lossy(&bytes);
        for form in [CANARY, &encoded, json!(CANARY).to_string().trim_matches('"'), "canary-6f1d9e"] {
            assert!(!shown.contains(form), "{form}");
        }
        // What is kept is enough to work with: keys, words, and what was missing.
        for kept in ["BETTER_AUTH_SECRET", "connecting to", "<secret>", "- events.json: the API server said", "todo-app-secrets"]
        {
            assert!(shown.contains(kept), "{kept}");
        }
    }

    #[test]
    fn a_bundle_can_be_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let runner = Runner::new(RunnerConfig::new(folder.path()));
        let mut bundle = Bundle::new(&runner);
        let long = format!("logs/{}.log", "x".repeat(150));
        bundle.add(&long, "one line\n");
        let bytes = packed(&bundle);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names, ["report/README.md".to_owned(), format!("report/{long}")]);
    }
}
