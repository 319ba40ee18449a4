//! helm 3.22 or, where the world says version 4, with the flags of 4.3.

use std::path::Path;

use serde_json::{Value, json};

use crate::clock::{now, rfc3339};
use crate::cluster::{key, plural, put, remove, text};
use crate::render::{Chart, render, values};
use crate::world::{Profile, Release, Revision};
use crate::{Answer, Sim, err, fail, out, unknown};

pub(crate) fn run(sim: &Sim) -> Answer {
    let four = sim.store.look(|world| world.versions.helm.starts_with("v4"))?;
    if let Some(flag) = refused_flag(sim, four) {
        return fail(1, &format!("Error: unknown flag: {flag}"));
    }
    match sim.args.words()[..] {
        ["version"] => {
            out(&sim.store.look(|world| world.versions.helm.clone())?)?;
            Ok(0)
        }
        ["upgrade", release, chart] if sim.args.has(&["--install"]) => upgrade(sim, release, Path::new(chart)),
        ["status", release] => status(sim, release),
        ["list"] => list(sim),
        ["history", release] => history(sim, release),
        ["rollback", release, revision] => rollback(sim, release, revision),
        ["uninstall", release] => uninstall(sim, release),
        ["get", "values", release] => told(sim, release, |revision| revision.values.to_string()),
        ["get", "manifest", release] => told(sim, release, |revision| documents(&revision.objects)),
        // Its charts have none: hooks come from templates, which are not rendered here.
        ["get", "hooks", release] => told(sim, release, |_| String::new()),
        ["template", release, chart] => template(sim, release, Path::new(chart)),
        ["lint", chart] => lint(Path::new(chart)),
        ["dependency", "build", chart] => match Chart::read(Path::new(chart)) {
            Ok(_) => {
                out("Saving 0 charts\nDeleting outdated charts")?;
                Ok(0)
            }
            Err(error) => fail(1, &error),
        },
        ["test", release] => told(sim, release, |revision| {
            format!("NAME: {release}\nSTATUS: {}\nREVISION: {}\nTEST SUITE: None", revision.status, revision.number)
        }),
        _ => Err(unknown(&sim.args)),
    }
}

/// A flag that this major doesn't have.
fn refused_flag(sim: &Sim, four: bool) -> Option<&'static str> {
    let gone: &[&str] = if four { &["--all", "-a", "--client"] } else { &["--force-conflicts", "--rollback-on-failure"] };
    gone.iter().find(|flag| sim.args.flag(&[flag]).is_some()).copied()
}

/// Runs what needs the API server, in the namespace that is named.
fn on_cluster(sim: &Sim, run: impl FnOnce(&mut Profile, &str) -> Result<Vec<String>, String>) -> Answer {
    let context = sim.args.flag(&["--kube-context"]).unwrap_or("minikube");
    let namespace = sim.args.flag(&["-n", "--namespace"]).unwrap_or("default");
    let answer = sim.store.change(|world| {
        let Some(profile) = world.profiles.get_mut(context).filter(|p| p.kubeconfig) else {
            return Ok(Err(format!("Error: Kubernetes cluster unreachable: context \"{context}\" does not exist")));
        };
        if !profile.running || !profile.api_server {
            let ip = &profile.ip;
            return Ok(Err(format!(
                "Error: Kubernetes cluster unreachable: Get \"https://{ip}:8443/version\": dial tcp {ip}:8443: connect: connection refused"
            )));
        }
        Ok(run(profile, namespace))
    })?;
    match answer {
        Ok(lines) => {
            for line in lines {
                out(&line)?;
            }
            Ok(0)
        }
        Err(words) => fail(1, &words),
    }
}

fn upgrade(sim: &Sim, release: &str, chart: &Path) -> Answer {
    let chart = match Chart::read(chart) {
        Ok(chart) => chart,
        Err(error) => return fail(1, &error),
    };
    let given = match values(&sim.args.all(&["-f", "--values"])) {
        Ok(given) => given,
        Err(error) => return fail(1, &error),
    };
    let keep: usize = sim.args.flag(&["--history-max"]).and_then(|n| n.parse().ok()).unwrap_or(10);
    on_cluster(sim, |profile, namespace| {
        let id = format!("{namespace}/{release}");
        let last = profile.releases.get(&id).and_then(|r| r.revisions.last()).cloned();
        if last.as_ref().is_some_and(|r| r.status.starts_with("pending-")) {
            return Err("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress".to_owned());
        }
        if !profile.objects.contains_key(&format!("/namespaces/{namespace}")) {
            return Err(format!("Error: create: failed to create: namespaces \"{namespace}\" not found"));
        }
        let objects = render(&chart, release, namespace, &given);
        if let Some(words) = foreign(profile, release, namespace, &objects) {
            return Err(words);
        }
        let number = last.as_ref().map_or(1, |r| r.number + 1);
        let description = if number == 1 { "Install complete" } else { "Upgrade complete" };
        let revision = Revision {
            number,
            status: "deployed".to_owned(),
            chart: chart.full(),
            app_version: chart.app_version.clone(),
            description: description.to_owned(),
            updated: rfc3339(now()),
            values: given,
            objects,
        };
        let told = about(release, namespace, &revision).to_string();
        deploy(profile, namespace, release, revision, keep);
        Ok(vec![told])
    })
}

/// helm's refusal to take over what another release or nobody's made (recording `ownership-conflict`).
fn foreign(profile: &Profile, release: &str, namespace: &str, objects: &[Value]) -> Option<String> {
    objects.iter().find_map(|object| {
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        let live = profile.objects.get(&key(namespace, plural(kind)?, name))?;
        let owner = text(live, "/metadata/annotations/meta.helm.sh~1release-name");
        (owner != release).then(|| {
            format!(
                "Error: Unable to continue with install: {kind} \"{name}\" in namespace \"{namespace}\" exists and cannot be imported into the current release: \
                 invalid ownership metadata; annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \"{release}\""
            )
        })
    })
}

/// Makes a revision the current one: its objects, its record, and what the one before had more.
fn deploy(profile: &mut Profile, namespace: &str, release: &str, revision: Revision, keep: usize) {
    let id = format!("{namespace}/{release}");
    let before: Vec<Value> =
        profile.releases.get(&id).and_then(|r| r.revisions.last()).map(|r| r.objects.clone()).unwrap_or_default();
    let key_of = |object: &Value| plural(text(object, "/kind")).map(|p| key(namespace, p, text(object, "/metadata/name")));
    let wanted: Vec<String> = revision.objects.iter().filter_map(key_of).collect();
    for gone in before.iter().filter_map(key_of).filter(|key| !wanted.contains(key)) {
        remove(profile, &gone);
    }
    for object in &revision.objects {
        put(profile, namespace, object.clone());
    }
    let release_record = profile.releases.entry(id).or_default();
    for old in release_record.revisions.iter_mut().filter(|old| old.status == "deployed") {
        "superseded".clone_into(&mut old.status);
    }
    release_record.revisions.push(revision);
    if release_record.revisions.len() > keep {
        let surplus = release_record.revisions.len() - keep;
        release_record.revisions.drain(..surplus);
    }
    let revisions = release_record.revisions.clone();
    records(profile, namespace, release, &revisions);
}

/// helm keeps each revision in a Secret.
fn records(profile: &mut Profile, namespace: &str, release: &str, revisions: &[Revision]) {
    let prefix = format!("{namespace}/secrets/sh.helm.release.v1.{release}.v");
    let old: Vec<String> = profile.objects.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
    for key in old.iter().filter(|key| !revisions.iter().any(|r| **key == format!("{prefix}{}", r.number))) {
        remove(profile, key);
    }
    for revision in revisions {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {
                "name": format!("sh.helm.release.v1.{release}.v{}", revision.number),
                "labels": {"name": release, "owner": "helm", "status": revision.status, "version": revision.number.to_string()},
            },
            "data": {"release": "H4sIAAAAAAAA"},
        });
        put(profile, namespace, secret);
    }
}

fn about(release: &str, namespace: &str, revision: &Revision) -> Value {
    json!({
        "name": release, "namespace": namespace, "version": revision.number, "config": revision.values, "manifest": documents(&revision.objects),
        "info": {
            "status": revision.status, "description": revision.description, "first_deployed": revision.updated,
            "last_deployed": revision.updated, "deleted": "", "notes": "",
        },
    })
}

fn documents(objects: &[Value]) -> String {
    objects.iter().fold(String::new(), |text, object| format!("{text}---\n{object}\n"))
}

fn not_found<T>() -> Result<T, String> {
    Err("Error: release: not found".to_owned())
}

fn told(sim: &Sim, release: &str, tell: impl FnOnce(&Revision) -> String) -> Answer {
    on_cluster(sim, |profile, namespace| {
        match profile.releases.get(&format!("{namespace}/{release}")).and_then(|r| r.revisions.last()) {
            Some(revision) => Ok(vec![tell(revision)]),
            None => not_found(),
        }
    })
}

fn status(sim: &Sim, release: &str) -> Answer {
    on_cluster(sim, |profile, namespace| {
        match profile.releases.get(&format!("{namespace}/{release}")).and_then(|r| r.revisions.last()) {
            Some(revision) => Ok(vec![about(release, namespace, revision).to_string()]),
            None => not_found(),
        }
    })
}

fn list(sim: &Sim) -> Answer {
    on_cluster(sim, |profile, namespace| {
        let rows: Vec<Value> = profile
            .releases
            .iter()
            .filter_map(|(id, release)| {
                let (space, name) = id.split_once('/')?;
                let last = release.revisions.last()?;
                (space == namespace).then(|| {
                    json!({"name": name, "namespace": space, "revision": last.number.to_string(), "updated": last.updated, "status": last.status,
                           "chart": last.chart, "app_version": last.app_version})
                })
            })
            .collect();
        Ok(vec![Value::Array(rows).to_string()])
    })
}

fn history(sim: &Sim, release: &str) -> Answer {
    on_cluster(sim, |profile, namespace| {
        let Some(record) = profile.releases.get(&format!("{namespace}/{release}")) else { return not_found() };
        let row = |r: &Revision| {
            json!({"revision": r.number, "updated": r.updated, "status": r.status, "chart": r.chart, "app_version": r.app_version,
                   "description": r.description})
        };
        Ok(vec![Value::Array(record.revisions.iter().map(row).collect()).to_string()])
    })
}

fn rollback(sim: &Sim, release: &str, revision: &str) -> Answer {
    on_cluster(sim, |profile, namespace| {
        let Some(record) = profile.releases.get(&format!("{namespace}/{release}")) else { return not_found() };
        let Some(target) = record.revisions.iter().find(|r| r.number.to_string() == revision).cloned() else {
            return Err("Error: release has no such version".to_owned());
        };
        let number = record.revisions.last().map_or(1, |r| r.number + 1);
        let next = Revision {
            number,
            status: "deployed".to_owned(),
            description: format!("Rollback to {revision}"),
            updated: rfc3339(now()),
            ..target
        };
        deploy(profile, namespace, release, next, 10);
        Ok(vec!["Rollback was a success! Happy Helming!".to_owned()])
    })
}

fn uninstall(sim: &Sim, release: &str) -> Answer {
    let ignore = sim.args.has(&["--ignore-not-found"]);
    on_cluster(sim, |profile, namespace| {
        let Some(Release { revisions }) = profile.releases.remove(&format!("{namespace}/{release}")) else {
            return if ignore {
                Ok(vec![format!("release \"{release}\" uninstalled")])
            } else {
                Err(format!("Error: uninstall: Release not loaded: {release}: release: not found"))
            };
        };
        for object in revisions.last().map(|r| r.objects.clone()).unwrap_or_default() {
            if let Some(plural) = plural(text(&object, "/kind")) {
                remove(profile, &key(namespace, plural, text(&object, "/metadata/name")));
            }
        }
        records(profile, namespace, release, &[]);
        Ok(vec![format!("release \"{release}\" uninstalled")])
    })
}

fn template(sim: &Sim, release: &str, chart: &Path) -> Answer {
    let chart = match Chart::read(chart) {
        Ok(chart) => chart,
        Err(error) => return fail(1, &error),
    };
    let namespace = sim.args.flag(&["-n", "--namespace"]).unwrap_or("default");
    match values(&sim.args.all(&["-f", "--values"])) {
        Ok(given) => {
            out(&documents(&render(&chart, release, namespace, &given)))?;
            Ok(0)
        }
        Err(error) => fail(1, &error),
    }
}

fn lint(chart: &Path) -> Answer {
    out(&format!("==> Linting {}", chart.display()))?;
    match Chart::read(chart) {
        Ok(_) => {
            out("[INFO] Chart.yaml: icon is recommended\n\n1 chart(s) linted, 0 chart(s) failed")?;
            Ok(0)
        }
        Err(error) => {
            err(&error)?;
            fail(1, "Error: 1 chart(s) linted, 1 chart(s) failed")
        }
    }
}
