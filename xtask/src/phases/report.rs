//! `report`: one support bundle with everything that a person who helps would ask for, and no secret. Works also when the cluster is down.

use std::path::{Path, PathBuf};

use fs_err as fs;
use plan::finding::Finding;
use plan::objects::{Objects, text};
use report::event::Event;
use serde_json::{Value, json};
use tools::kubectl::{self, Logs, Selection};
use tools::{docker, helm, minikube, versions};

use crate::bundle::{self, Bundle};
use crate::cli::LayoutFlag;
use crate::context::Context;
use crate::session::{Done, Phase, Session};
use crate::{failure, look, watch};

/// Lines of each log.
const TAIL: u32 = 500;

/// `cargo xtask report`.
pub(crate) fn report(session: &Session, output: Option<PathBuf>, layout: &LayoutFlag) -> Phase {
    let (cx, mut findings) = session.lenient_context(layout.layout.as_deref());
    let now = watch::now().unix_millis() / 1000;
    let name = format!("xtask-report-{now}");
    let output = output.unwrap_or_else(|| session.state.join(format!("{name}.tar")));
    let mut bundle = Bundle::new(&session.runner);
    sources(session, &mut bundle, cx.as_ref());
    tools_of(session, &mut bundle);
    if let Some(mut cx) = cx {
        profile(&mut bundle, &cx);
        match look::objects(&mut cx, layout.layout.is_some()) {
            Ok(objects) => {
                // First of all: what must be in nothing that follows.
                bundle::know_secrets(&cx.runner, objects.iter());
                findings.extend(deployed(session, &mut bundle, &cx, &objects));
            }
            Err(found) => {
                for part in ["cluster/objects.json", "cluster/events.json", "logs/", "docker-images.json", "status.txt"] {
                    bundle.lacks(part, &found.cause);
                }
                findings.push(found);
            }
        }
    }
    bundle.add_json("findings.json", &json!(findings));
    // Last: what was called for this bundle stands in it too.
    journal(session, &mut bundle);
    let file = write(&bundle, &name, now, &output).map_err(|e| failure::io(&e))?;
    let (files, missing) = bundle.counted();
    let data = json!({"file": file.display().to_string(), "files": files, "missing": missing});
    let mut said = format!("{}\n", file.display());
    if !missing.is_empty() {
        said.push_str("without ");
        said.push_str(&missing.join(", "));
        said.push('\n');
    }
    session.reporter.send(Event::Answer { about: "report", text: said, data });
    Ok(Done::saying(format!("Report written: {files} files, no secrets; README.md in it says what it holds"))
        .pointer("look", format!("tar -tf {}", file.display())))
}

fn write(bundle: &Bundle<'_>, name: &str, now: i64, output: &Path) -> std::io::Result<PathBuf> {
    let output = std::path::absolute(output)?;
    let folder = output.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Beside its place and then into it: a stopped run leaves no half of a bundle. Readable by this user only.
    let file = tempfile::NamedTempFile::new_in(folder)?;
    bundle.pack(
        name,
        &format!("{name}: a support bundle of cargo xtask"),
        u64::try_from(now).unwrap_or_default(),
        std::io::BufWriter::new(file.as_file()),
    )?;
    file.persist(&output).map_err(|e| e.error)?;
    Ok(output)
}

/// What the user wrote: xtask.toml whole, of .env the names.
fn sources(session: &Session, bundle: &mut Bundle<'_>, cx: Option<&Context>) {
    bundle.take("xtask.toml", fs::read_to_string(&session.config_file), |text| text);
    let Some(cx) = cx else { return };
    let keys: Vec<Value> = cx
        .environment
        .keys
        .iter()
        .map(|(key, entry)| json!({"key": key, "secret": entry.secret, "has_value": entry.value.is_some(), "source": format!("{:?}", entry.source)}))
        .collect();
    // Also what no rule names, and what a broken file kept from being read.
    for (key, value) in pairs_in(&cx.config.environment.file) {
        if cx.environment.keys.get(&key).is_none_or(|entry| entry.secret) {
            bundle.keep_out(&value);
        }
    }
    let exists = cx.config.environment.file.is_file();
    bundle.add_json("env-keys.json", &json!({"file_exists": exists, "resolved": keys, "in_file": pairs_in(&cx.config.environment.file).into_iter().map(|(key, _)| key).collect::<Vec<_>>()}));
}

/// The keys and raw values of an environment file, also of one that can't be read as a whole: what stands around the first `=` of a line.
fn pairs_in(file: &Path) -> Vec<(String, String)> {
    let lines = fs::read_to_string(file).unwrap_or_default();
    let pairs = lines.lines().filter_map(|line| line.trim().trim_start_matches("export ").split_once('='));
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()))
        .filter(|(name, _)| is_name(name))
        .collect()
}

fn tools_of(session: &Session, bundle: &mut Bundle<'_>) {
    let installed = versions::installed(&session.runner);
    let all: Vec<Value> = installed
        .into_iter()
        .map(|one| {
            let (version, problem) = match one.version {
                Some(Ok(version)) => (Some(version.to_string()), None),
                Some(Err(error)) => (None, Some(failure::of(&session.runner, &error))),
                None => (None, None),
            };
            json!({"tool": one.tool, "path": one.path.map(|p| p.display().to_string()), "version": version, "problem": problem})
        })
        .collect();
    let checkout = tools::git_revision(&session.root).map(|at| json!({"commit": at.commit, "changed": at.dirty}));
    let this = json!({
        "xtask": env!("CARGO_PKG_VERSION"), "checkout": checkout, "os": std::env::consts::OS, "architecture": std::env::consts::ARCH,
        "wsl": crate::machine::is_wsl(), "machine": format!("{:?}", crate::machine::look()), "tools": all,
    });
    bundle.add_json("versions.json", &this);
    bundle.take(
        "docker-host.txt",
        docker::info(&session.runner, &docker::Endpoint::Host).map_err(|e| failure::of(&session.runner, &e).cause),
        |info| format!("{info:#?}\n"),
    );
}

/// What minikube says; its profiles without the variables that were given to docker.
fn profile(bundle: &mut Bundle<'_>, cx: &Context) {
    let cause = |e| failure::finding(cx, &e).cause;
    bundle.take("minikube/status.txt", minikube::status(&cx.runner, &cx.profile()).map_err(cause), |status| {
        format!("{status:#?}\n")
    });
    let profiles = minikube::profiles(&cx.runner).map_err(cause);
    bundle.take("minikube/profile.txt", profiles.map(|all| all.get(&cx.profile()).cloned()), |profile| format!("{profile:#?}\n"));
}

/// What runs.
fn deployed(session: &Session, bundle: &mut Bundle<'_>, cx: &Context, objects: &Objects) -> Vec<Finding> {
    let cause = |e| failure::finding(cx, &e).cause;
    let safe: Vec<Value> = objects.iter().map(bundle::safe_object).collect();
    bundle.add_json("cluster/objects.json", &json!(safe));
    let events = kubectl::get(&cx.runner, &cx.kube(), &["events"], &Selection::all()).map_err(cause);
    bundle.take("cluster/events.json", events, |events| {
        format!("{:#}\n", json!(events.iter().map(bundle::safe_object).collect::<Vec<_>>()))
    });
    for release in look::releases(&look::parts(cx)) {
        let history = helm::history(&cx.runner, &cx.kube(), &release).map_err(cause);
        bundle.take(&format!("helm/{release}-history.txt"), history, |rows| lines_of(rows.iter().map(|row| format!("{row:?}"))));
    }
    let builder = look::builder(cx);
    let extras = look::extras(cx, &builder);
    let images = builder.map_err(|f| f.cause).and_then(|builder| {
        let label = plan::desired::IMAGE_OWNER_LABEL;
        docker::images_by_label(&cx.runner, &builder, label).map_err(cause)
    });
    bundle.take("docker-images.txt", images, |rows| {
        lines_of(rows.iter().map(|row| format!("{}:{}  {}  {}", row.repository, row.tag, row.id, row.created_at)))
    });
    bundle.take("node-disk.txt", minikube::disk(&cx.runner, &cx.profile()).map_err(cause), |disk| format!("{disk:#?}\n"));
    for pod in objects.of_kind("Pod") {
        logs(bundle, cx, pod);
    }
    let (endpoint, unanswered) = look::endpoint(cx, objects);
    let health = look::health(cx, objects, &extras, endpoint);
    let mut findings: Vec<Finding> = match watch::facts(cx, None) {
        Ok(facts) => plan::diagnose::cluster(&facts, watch::now()),
        Err(found) => vec![found],
    };
    findings.extend(look::release_findings(cx, objects));
    findings.extend(unanswered);
    bundle.add("status.txt", &anstream::adapter::strip_str(&health.text()).to_string());
    session
        .reporter
        .send(Event::Note { text: format!("looked at {} objects in namespace {}", objects.iter().count(), cx.config.namespace) });
    findings
}

fn lines_of(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

/// Every container's log, and the one before its last restart.
fn logs(bundle: &mut Bundle<'_>, cx: &Context, pod: &Value) {
    let name = text(pod, "/metadata/name");
    for (at, statuses) in
        [("/spec/initContainers", "/status/initContainerStatuses"), ("/spec/containers", "/status/containerStatuses")]
    {
        let containers = pod.pointer(at).and_then(Value::as_array);
        for container in containers.into_iter().flatten().map(|c| text(c, "/name")) {
            let all = pod.pointer(statuses).and_then(Value::as_array);
            let status = all.into_iter().flatten().find(|s| text(s, "/name") == container);
            let restarted = status.is_some_and(|s| s.pointer("/lastState/terminated").is_some());
            let runs = [(false, ""), (true, "-previous")];
            for (previous, suffix) in runs.into_iter().filter(|(previous, _)| !previous || restarted) {
                let request = Logs {
                    object: name.to_owned(),
                    container: Some(container.to_owned()),
                    tail: Some(TAIL),
                    previous,
                    timestamps: true,
                };
                let log = kubectl::logs(&cx.runner, &cx.kube(), &request).map_err(|e| failure::finding(cx, &e).cause);
                bundle.take(&format!("logs/{name}-{container}{suffix}.log"), log, |log| log);
            }
        }
    }
}

/// The calls of this run and of those before.
fn journal(session: &Session, bundle: &mut Bundle<'_>) {
    for name in ["journal.1.jsonl", "journal.jsonl"] {
        match fs::read_to_string(session.state.join(name)) {
            Ok(text) => bundle.add(name, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => bundle.lacks(name, e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_an_environment_file_are_read_where_lines_are_broken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        fs::write(
            &file,
            "# KEY=comment\nA=canary\nexport B_2=\"canary\"\nbroken line canary\nC = canary=canary\ncanary canary=1\n",
        )
        .unwrap();
        let keys: Vec<String> = pairs_in(&file).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["A", "B_2", "C"]);
        assert!(pairs_in(&folder.path().join("none")).is_empty());
    }
}
