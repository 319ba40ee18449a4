//! How long after the API server shows a failure its cause stands on the screen.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::lab::Lab;
use crate::process::Call;
use crate::table::{Report, Row, Times};

/// A way to break the public service, as values above the charts' own, and how the API server shows it.
struct Break {
    what: &'static str,
    set: &'static str,
    shows: fn(&Value) -> bool,
}

const BREAKS: [Break; 4] = [
    Break {
        what: "a key that the Secret lacks",
        set: r#"set = { secretKeys = { frontend = ["NOT_THERE"] } }"#,
        shows: |pod| waiting(pod, &["CreateContainerConfigError"]),
    },
    Break {
        what: "an image that the node lacks",
        set: r#"set = { image = { frontend = { tag = "not-there" } } }"#,
        shows: |pod| waiting(pod, &["ErrImageNeverPull"]),
    },
    Break {
        what: "a command that does not exist",
        set: r#"set = { command = { frontend = ["/not/there"] } }"#,
        shows: |pod| waiting(pod, &["RunContainerError"]) || ended(pod),
    },
    Break {
        what: "more CPU than the node has",
        set: r#"set = { resources = { frontend = { requests = { cpu = "64" }, limits = { cpu = "64" } } } }"#,
        shows: unschedulable,
    },
];

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten()
}

fn waiting(pod: &Value, reasons: &[&str]) -> bool {
    statuses(pod).any(|s| s.pointer("/state/waiting/reason").and_then(Value::as_str).is_some_and(|r| reasons.contains(&r)))
}

fn ended(pod: &Value) -> bool {
    statuses(pod).any(|s| s.pointer("/state/terminated").or_else(|| s.pointer("/lastState/terminated")).is_some())
}

fn unschedulable(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| c["type"] == "PodScheduled" && c["reason"] == "Unschedulable")
}

impl Lab {
    /// Breaks the deployment in each way and puts it back.
    pub(crate) fn failure(&self) -> Result<Report> {
        let text = std::fs::read_to_string(self.root.join("xtask.toml"))?;
        let broken = self.root.join("bench.local.toml");
        let mut report = Report::default();
        let measured: Result<()> = BREAKS.iter().try_for_each(|broken_by| {
            let mut times = Times::default();
            for _ in 0..self.runs {
                times.push(self.one(&text, &broken, broken_by)?);
            }
            report.rows.push(Row {
                what: format!("cause on screen: {}", broken_by.what),
                ours: times,
                bare: None,
                goal: Some("1 s"),
            });
            Ok(())
        });
        // Also after an error, nothing stays broken and no file stays behind.
        let restored = Call::new(&self.xtask, &self.root).args(["deploy"]).run();
        std::fs::remove_file(&broken).or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        measured?;
        restored?;
        report.notes.push(
            "cause on screen: from the watch event in which the API server shows the failure to xtask's line `error[XT…]`"
                .to_owned(),
        );
        Ok(report)
    }

    fn one(&self, text: &str, broken: &Path, by: &Break) -> Result<Duration> {
        Call::new(&self.xtask, &self.root).args(["deploy"]).run().context("the application has to run before it is broken")?;
        let head = "releases]]\n";
        let at = text.find(head).context("xtask.toml has no release")? + head.len();
        std::fs::write(broken, format!("{}{}\n{}", &text[..at], by.set, &text[at..]))?;

        let path = format!(
            "/api/v1/namespaces/{}/pods?watch=1&labelSelector=app.kubernetes.io/component=frontend",
            self.config.namespace
        );
        let seen: Arc<Mutex<Option<Instant>>> = Arc::default();
        let sink = Arc::clone(&seen);
        let shows = by.shows;
        let watch = Call::new("kubectl", &self.root).args(["--context", &self.config.cluster.profile, "get", "--raw", &path]);
        let _watching = watch.follow(move |line| {
            let Ok(event) = serde_json::from_str::<Value>(line) else { return };
            if event.get("object").is_some_and(shows) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
            }
        })?;
        let config = broken.display().to_string();
        let mut said: Option<Instant> = None;
        Call::new(&self.xtask, &self.root).args(["deploy", "--config", &config]).stderr_lines(|line| {
            if line.starts_with("error[") {
                said.get_or_insert_with(Instant::now);
            }
        })?;
        let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
        match (seen, said) {
            (Some(seen), Some(said)) => Ok(said.saturating_duration_since(seen)),
            (None, _) => bail!("the API server never showed: {}", by.what),
            (_, None) => bail!("xtask named no cause for: {}", by.what),
        }
    }
}
