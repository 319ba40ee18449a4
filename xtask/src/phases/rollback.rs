//! `rollback`: back to a revision of a release that worked, watched like a deploy. Touches no other release.

mod revisions;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use plan::action::Action;
use plan::catalogue::{codes, finding};
use plan::decide;
use plan::desired;
use plan::finding::{Class, Finding};
use plan::identity::live_digests;
use plan::inventory::Inventory;
use plan::objects::{Objects, text};
use report::event::{Event, StepName};
use report::text as shown;
use serde_json::Value;
use tools::docker::{self, Endpoint};
use tools::helm::{self, Rendered};

use crate::cli::LayoutFlag;
use crate::context::Context;
use crate::exec::{self, Running, Step};
use crate::session::{Done, Failed, Phase, Session};
use crate::steps::names;
use crate::{containerd, failure, hooks, look, observe, watch};
use revisions::{images_in, migration_jobs, targets};

/// The fingerprint of a release that was rolled back: that of no sources, so that the next deploy sees the difference.
const ROLLED_BACK: &str = "rolled back";

/// `cargo xtask rollback [REVISION]`.
pub(crate) fn rollback(session: &Session, revision: Option<u32>, release: Option<&str>, layout: &LayoutFlag) -> Phase {
    // What is deployed may be older than a broken .env: nothing of it is needed to go back.
    let (cx, problems) = session.lenient_context(layout.layout.as_deref());
    let Some(mut cx) = cx else { return Err(problems.into()) };
    for problem in &problems {
        session.reporter.send(Event::Note { text: format!("{}: cargo xtask doctor", problem.cause) });
    }
    let _lock = session.lock()?;
    look::objects(&mut cx, layout.layout.is_some())?;
    let name = chosen(&cx, release)?;
    let history = helm::history(&cx.runner, &cx.kube(), &name).map_err(|f| failure::finding(&cx, &f))?;
    let target = with_images(&cx, &name, &targets(&name, &history, revision)?)?;
    let current = history.iter().map(|row| row.revision).max().unwrap_or_default();
    cx.reporter.send(Event::Started {
        phase: "rollback",
        text: format!("{} on {}: {name} revision {current} back to {target}", cx.config.name, cx.profile()),
    });
    for warning in migrations(&cx, &name, current, target)? {
        cx.reporter.send(Event::Finding(Box::new(warning)));
    }
    let steps: Vec<Box<dyn Step>> = vec![
        Box::new(GoBack { name: name.clone(), target, before: current, done: OnceLock::new() }),
        Box::new(Rollout { name: name.clone() }),
    ];
    let report = exec::run(&cx, &steps);
    if !report.ok() {
        let gone_back =
            cx.look(|world| world.objects.as_ref().and_then(|o| o.helm_status(&name))).is_some_and(|(now, _)| now > current);
        let summary = if gone_back {
            format!("`{name}` was rolled back to revision {target}, which does not run either")
        } else {
            "Nothing was changed".to_owned()
        };
        return Err(Failed { findings: report.findings, summary });
    }
    let runs: Vec<String> =
        cx.look(|world| world.objects.as_ref().map(|o| images(o, &name))).unwrap_or_default().into_values().collect();
    let done = Done::saying(format!("Rolled back in {}: {name} runs {}", shown::duration(session.elapsed()), runs.join(", ")));
    Ok(done.pointer("next", "cargo xtask plan    shows what the next deploy would change back"))
}

/// The release that is meant: the only one of the layout, or the named one of this deployment.
fn chosen(cx: &Context, named: Option<&str>) -> Result<String, Finding> {
    let layout: Vec<String> = cx.layout().releases.iter().map(|r| r.name.clone()).collect();
    let usage = |cause: String| {
        let known = layout.iter().fold(Finding::error(codes::ROLLBACK_REFUSED, Class::Usage, "--release", cause), |f, name| {
            f.remedy("", format!("cargo xtask rollback --release {name}"))
        });
        Err(known)
    };
    let database = cx.config.database.as_ref().map(|d| d.release.as_str());
    match (named, layout.as_slice()) {
        (Some(name), _) if layout.iter().any(|known| known == name) || database == Some(name) => Ok(name.to_owned()),
        (Some(name), _) => usage(format!("release `{name}` is not of layout `{}`", cx.layout)),
        (None, [only]) => Ok(only.clone()),
        (None, _) => usage(format!("layout `{}` has {} releases: one has to be named", cx.layout, layout.len())),
    }
}

/// The first of these revisions whose images are still on the node; where there is none, why the first can't be had.
fn with_images(cx: &Context, name: &str, targets: &[u32]) -> Result<u32, Finding> {
    let mut refused: Option<Finding> = None;
    for &target in targets {
        match images_are_there(cx, name, target) {
            Ok(()) => {
                if let Some(first) = refused {
                    cx.reporter.send(Event::Note { text: format!("{}: going back to revision {target}", first.cause) });
                }
                return Ok(target);
            }
            Err(found) if found.code == codes::ROLLBACK_REFUSED => {
                refused.get_or_insert(found);
            }
            Err(found) => return Err(found),
        }
    }
    Err(refused.unwrap_or_else(|| failure::internal(format!("no revision of `{name}` to go back to"))))
}

/// Refuses to go back to images that were pruned: their pods would never start.
fn images_are_there(cx: &Context, name: &str, target: u32) -> Result<(), Finding> {
    let manifest =
        helm::get_revision(&cx.runner, &cx.kube(), Rendered::Manifest, name, target).map_err(|f| failure::finding(cx, &f))?;
    let built: Vec<String> = cx.config.services.values().map(|service| format!("{}:", service.image)).collect();
    let ours: Vec<String> =
        images_in(&manifest).into_iter().filter(|image| built.iter().any(|prefix| image.starts_with(prefix))).collect();
    let missing = match look::builder(cx)? {
        Endpoint::Host => containerd::missing(cx, ours)?,
        node @ Endpoint::Node(_) => docker::inspect(&cx.runner, &node, &ours).map_err(|f| failure::finding(cx, &f))?.missing,
    };
    let Some(first) = missing.first() else { return Ok(()) };
    let mut found = finding(
        codes::ROLLBACK_REFUSED,
        name,
        format!("revision {target} of release `{name}` runs `{first}`, which is no longer on the node"),
    );
    for image in &missing {
        found = found.evidence("images of the node", format!("no {image}"));
    }
    Err(found.advice("check out the sources of that time, then: cargo xtask deploy"))
}

/// What helm does not undo: the database stays as the newest migration left it.
fn migrations(cx: &Context, name: &str, current: u32, target: u32) -> Result<Vec<Finding>, Finding> {
    let of = |revision| {
        let hooks =
            helm::get_revision(&cx.runner, &cx.kube(), Rendered::Hooks, name, revision).map_err(|f| failure::finding(cx, &f))?;
        Ok(migration_jobs(&hooks))
    };
    let (now, then) = (of(current)?, of(target)?);
    let differing = now.into_iter().filter(|(job, image)| then.get(job) != Some(image));
    Ok(differing.map(|(job, image)| stays_migrated(name, target, &job, &image, then.get(&job).map(String::as_str))).collect())
}

fn stays_migrated(name: &str, target: u32, job: &str, image: &str, then: Option<&str>) -> Finding {
    let mut found = Finding::warning(
        codes::ROLLBACK_REFUSED,
        Class::Release,
        format!("job/{job}"),
        format!("the database stays as `{image}` migrated it: a rollback of `{name}` takes back no migration, and revision {target} has to run with the newer tables"),
    )
    .evidence("helm hooks", format!("job `{job}` ran with {image}"));
    if let Some(then) = then {
        found = found.evidence(format!("revision {target}"), then);
    }
    found.advice("if it does not run with them, go forward: correct the sources, then: cargo xtask deploy")
}

/// The images of a release's workloads as they are now, by workload and container.
fn images(objects: &Objects, name: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for workload in decide::workloads(objects, name) {
        let containers = workload.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            found.insert(
                format!("{}/{}", text(workload, "/metadata/name"), text(container, "/name")),
                text(container, "/image").to_owned(),
            );
        }
    }
    found
}

/// What should run, taken from the live objects: they are what was rolled back, not the sources.
fn as_it_is(cx: &Context, name: &str) -> desired::Release {
    let images = cx.look(|world| world.objects.as_ref().map(|o| images(o, name))).unwrap_or_default();
    desired::Release { name: name.to_owned(), files_digest: String::new(), overlay: Value::Null, images, hooks: None }
}

/// `helm rollback`.
struct GoBack {
    name: String,
    target: u32,
    before: u32,
    done: OnceLock<()>,
}

impl Step for GoBack {
    fn name(&self, _cx: &Context) -> StepName {
        names::release(&self.name)
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        Vec::new()
    }

    fn decide(&self, cx: &Context) -> Action {
        let Self { name, target, before, done } = self;
        let status = cx.look(|world| world.objects.as_ref().and_then(|o| o.helm_status(name)));
        match (status, done.get()) {
            (Some((now, status)), Some(())) if now > *before && status == "deployed" => {
                Action::keep(format!("{name} revision {now}, a copy of {target}"))
            }
            (Some((now, status)), Some(())) => Action::act("roll back", format!("revision {now} is {status}")),
            _ => Action::act("roll back", format!("to revision {target}")),
        }
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let Self { name, target, done, .. } = self;
        run.progress(format!("helm rollback to revision {target}"));
        helm::rollback(&cx.runner, &cx.kube(), name, *target, cx.config.deadlines.release)
            .map_err(|error| hooks::explained(cx, name, &error))?;
        done.get_or_init(|| ());
        observe::refresh_objects(cx)?;
        // Before the pods are waited for: whatever comes of them, the release is no longer what the sources say.
        write_down(cx, name, *target)?;
        Ok(observe::refresh_objects(cx)?)
    }
}

/// Notes in the inventory that the release was rolled back; without an inventory there is nothing that could be wrong.
fn write_down(cx: &Context, name: &str, target: u32) -> Result<(), Finding> {
    let _one_at_a_time = cx.inventory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let seen = cx.look(|world| {
        let objects = world.objects.as_ref()?;
        Some((Inventory::read(objects).ok().flatten()?, live_digests(objects.of_release(name))))
    });
    let Some((mut inventory, objects)) = seen else { return Ok(()) };
    // An entry that is not there is seen as a difference already.
    let Some(entry) = inventory.releases.get_mut(name) else { return Ok(()) };
    entry.fingerprint = format!("{ROLLED_BACK} to {target}");
    entry.objects = objects;
    entry.parts.retain(|part, _| !part.starts_with(ROLLED_BACK));
    entry.parts.insert(format!("{ROLLED_BACK} to revision {target}"), String::new());
    cx.apply_object(&inventory.manifest(&cx.config.namespace), "write down that the release was rolled back")
}

/// The pods of what was rolled back.
struct Rollout {
    name: String,
}

impl Step for Rollout {
    fn name(&self, _cx: &Context) -> StepName {
        names::rollout(&self.name)
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::release(&self.name)]
    }

    fn decide(&self, cx: &Context) -> Action {
        let wanted = as_it_is(cx, &self.name);
        cx.look(|world| decide::rollout(&wanted, world))
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        watch::rollout(cx, run, &as_it_is(cx, &self.name))?;
        Ok(observe::refresh_objects(cx)?)
    }
}
