//! How long after the API server shows a failure its cause stands on the screen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::lab::Lab;
use crate::process::Call;
use crate::table::{Report, Row, Times};

/// A way to break the sample in layout `monolith`: values above all others, and how the API server shows it, by an object's state or by
/// a warning, which mostly comes a moment earlier.
struct Break {
    what: &'static str,
    set: &'static str,
    shows: fn(&Value) -> bool,
    /// In the message of the warning.
    warning: &'static str,
}

/// What can't heal, so that nothing is waited for: each from another part of the catalogue.
const BREAKS: [Break; 10] = [
    Break {
        what: "a key that the Secret lacks",
        set: r#"{ secretKeys = { frontend = ["NOT_THERE"] } }"#,
        shows: |object| waits(object, &["CreateContainerConfigError"]),
        warning: "couldn't find key NOT_THERE",
    },
    Break {
        what: "an image that the node lacks",
        set: r#"{ image = { frontend = { tag = "not-there" } } }"#,
        shows: |object| waits(object, &["ErrImageNeverPull"]),
        warning: "is not present with pull policy of Never",
    },
    Break {
        what: "a command that does not exist",
        set: r#"{ command = { frontend = ["/not/there"] } }"#,
        shows: |object| waits(object, &["RunContainerError"]) || ends(object, 1),
        warning: "/not/there",
    },
    Break {
        what: "more CPU than the node has",
        set: r#"{ resources = { frontend = { requests = { cpu = "64" }, limits = { cpu = "64" } } } }"#,
        shows: |object| has_condition(object, "PodScheduled", "False"),
        warning: "Insufficient cpu",
    },
    Break {
        what: "a program that crashes, the second time",
        set: r#"{ command = { frontend = ["node", "-e", "throw new Error('no configuration')"] } }"#,
        shows: |object| ends(object, 2),
        warning: "",
    },
    Break {
        what: "a program that ends without an error, the second time",
        set: r#"{ command = { frontend = ["node", "-e", "0"] } }"#,
        shows: |object| ends(object, 2),
        warning: "",
    },
    Break {
        what: "more memory than the limit",
        set: r#"{ command = { frontend = ["node", "-e", "const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1))"] } }"#,
        shows: |object| ends(object, 1),
        warning: "",
    },
    Break {
        what: "pods that Pod Security refuses",
        set: r#"{ podSecurity = { frontend = { profile = "privileged" } } }"#,
        shows: |object| has_condition(object, "ReplicaFailure", "True"),
        warning: "violates PodSecurity",
    },
    Break {
        what: "migrations whose image the node lacks",
        set: r#"{ image = { backend = { tag = "not-there" } } }"#,
        shows: |object| waits(object, &["ErrImageNeverPull"]),
        warning: "is not present with pull policy of Never",
    },
    Break {
        what: "migrations that fail, the second time",
        set: r#"{ migrations = { command = ["python", "-c", "raise SystemExit('no such table')"] } }"#,
        shows: |object| object.pointer("/status/failed").and_then(Value::as_i64) >= Some(2),
        warning: "BackoffLimitExceeded",
    },
];

fn statuses(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten()
}

fn waits(object: &Value, reasons: &[&str]) -> bool {
    statuses(object).any(|s| s.pointer("/state/waiting/reason").and_then(Value::as_str).is_some_and(|r| reasons.contains(&r)))
}

/// A container of the frontend has ended so many times; a migration that is done has ended too.
fn ends(object: &Value, times: i64) -> bool {
    let labels = object.pointer("/metadata/labels/app.kubernetes.io~1component");
    let of_frontend = labels.is_some_and(|component| component == "frontend");
    of_frontend
        && statuses(object).any(|status| {
            let runs = status.get("restartCount").and_then(Value::as_i64).unwrap_or_default();
            runs + i64::from(status.pointer("/state/terminated").is_some()) >= times
        })
}

fn has_condition(object: &Value, kind: &str, status: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| c["type"] == kind && c["status"] == status)
}

/// Lists in the API, below the namespace.
const LISTS: [&str; 4] = ["api/v1/pods", "api/v1/events", "apis/apps/v1/replicasets", "apis/batch/v1/jobs"];

/// How long the API server may take to show what xtask has named already.
const LATE: Duration = Duration::from_secs(20);

impl Lab {
    /// Breaks the deployment in each way, one after the other, and puts it back at the end.
    pub(crate) fn failure(&self) -> Result<Report> {
        let text = std::fs::read_to_string(&self.file)?;
        let broken = self.root.join("bench.local.toml");
        self.deploy().run().context("the application has to run before it is broken")?;
        let mut times: BTreeMap<&str, Times> = BTreeMap::new();
        let measured = (0..self.runs).try_for_each(|_| {
            BREAKS.iter().try_for_each(|by| {
                let took = self.one(&text, &broken, by).with_context(|| by.what)?;
                times.entry(by.what).or_default().push(took);
                Ok(())
            })
        });
        // Also after an error, nothing stays broken and no file stays behind.
        let restored = self.deploy().run();
        std::fs::remove_file(&broken).or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        measured.and(restored.map(drop))?;

        let row = |what: &str, ours: Times, goal| Row { what: format!("cause on screen: {what}"), ours, bare: None, goal };
        let mut rows: Vec<Row> =
            BREAKS.iter().map(|by| row(by.what, times.get(by.what).cloned().unwrap_or_default(), None)).collect();
        rows.push(row("all of them", times.values().cloned().reduce(Times::and).unwrap_or_default(), Some("1 s")));
        let note = "cause on screen: from the first watch event or warning in which `kubectl get --raw` shows the failure to xtask's line `error[XT…]`";
        Ok(Report { rows, notes: vec![note.to_owned()] })
    }

    fn one(&self, text: &str, broken: &Path, by: &Break) -> Result<Duration> {
        let head = format!("[[layouts.{}.releases]]\n", self.config.layout);
        let (before, after) = text.split_once(&head).with_context(|| format!("no `{}` in the configuration", head.trim()))?;
        std::fs::write(broken, format!("{before}{head}set = {}\n{after}", by.set))?;

        let shown: Arc<Mutex<Option<Instant>>> = Arc::default();
        let follow = |list: &str| {
            let (group, kind) = list.rsplit_once('/').unwrap_or_default();
            let path = format!("/{group}/namespaces/{}/{kind}", self.config.namespace);
            let kubectl = |path: &str| {
                Call::new("kubectl", &self.root).args(["--context", &self.config.cluster.profile, "get", "--raw", path])
            };
            // From now on: what is there already was broken before. A ReplicaSet comes back with its template.
            let now: Value = serde_json::from_str(&kubectl(&path).run()?.stdout)?;
            let items = now["items"].as_array().into_iter().flatten().filter(|_| kind != "replicasets");
            let before: BTreeSet<String> = items.map(|item| item["metadata"]["uid"].to_string()).collect();
            let version = now.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
            let (sink, matches, warning) = (Arc::clone(&shown), by.shows, by.warning);
            kubectl(&format!("{path}?watch=1&resourceVersion={version}")).follow(move |line| {
                let at = Instant::now();
                let Ok(event) = serde_json::from_str::<Value>(line) else { return };
                let warns = |object: &Value| {
                    let message = object.get("message").and_then(Value::as_str).unwrap_or_default();
                    object["type"] == "Warning" && !warning.is_empty() && message.contains(warning)
                };
                let is_new = |object: &&Value| !before.contains(&object["metadata"]["uid"].to_string());
                if event.get("object").filter(is_new).is_some_and(|object| matches(object) || warns(object)) {
                    sink.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(at);
                }
            })
        };
        let _following = LISTS.iter().map(|list| follow(list)).collect::<Result<Vec<_>>>()?;
        let mut said: Option<Instant> = None;
        let config = broken.display().to_string();
        let all = Call::new(&self.xtask, &self.root).args(["deploy", "--config", &config]).stderr_lines(|line| {
            if line.starts_with("error[") {
                said.get_or_insert_with(Instant::now);
            }
        })?;
        let seen = || *shown.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + LATE;
        while seen().is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        match (seen(), said) {
            // xtask's own stream may be a moment ahead of this one.
            (Some(shown), Some(said)) => Ok(said.saturating_duration_since(shown)),
            (None, _) => bail!("the API server never showed it; xtask said:\n{all}"),
            (_, None) => bail!("xtask named no cause:\n{all}"),
        }
    }
}
