//! `cleanup`: back to nothing, as far as is asked for.

use std::time::Instant;

use plan::catalogue::{codes, finding};
use plan::desired::{GENERATED_SECRET, INVENTORY, OWNER_LABEL};
use plan::finding::{Class, Finding};
use plan::objects::{Objects, annotation, label, text};
use plan::snapshot::ClusterState;
use report::event::{Event, Outcome, StepName};
use report::text::duration;
use serde_json::Value;
use tools::kubectl;

use super::deploy;
use crate::cli::{BuildFlags, Scope, Selection};
use crate::context::Context;
use crate::session::{Done, Failed, Phase, Session};
use crate::{ask, desired, failure, marker, observe, remove};

/// What there is to remove, found before anything is.
#[derive(Default)]
struct Found {
    releases: Vec<String>,
    secrets: Vec<String>,
    /// Volumes that are deleted by name.
    volumes: Vec<String>,
    /// Volumes that a chart made as part of its release: helm takes them with it.
    released: Vec<String>,
    images: Vec<String>,
    namespace: bool,
    cluster: bool,
    /// Volumes that stay, and the namespace because of them.
    kept: Vec<String>,
}

impl Found {
    /// A line for each thing that will go.
    fn lines(&self, cx: &Context) -> Vec<String> {
        let mut lines: Vec<String> = self.releases.iter().map(|r| format!("release    {r}")).collect();
        lines.extend(self.secrets.iter().map(|s| format!("secret     {s}")));
        lines.extend(self.volumes.iter().chain(&self.released).map(|v| format!("volume     {v}, with its data")));
        lines.extend(self.images.iter().map(|i| format!("image      {i}")));
        lines.extend(self.namespace.then(|| format!("namespace  {}", cx.config.namespace)));
        lines.extend(self.cluster.then(|| format!("cluster    {}, with everything in it", cx.profile())));
        lines
    }
}

/// `cargo xtask cleanup`.
pub(crate) fn cleanup(session: &Session, scope: Scope, volumes: bool, selection: &Selection) -> Phase {
    let cx = session.context(selection, BuildFlags::default())?;
    let _lock = session.lock()?;
    cx.reporter.send(Event::Started { phase: "cleanup", text: deploy::headline(&cx) });
    let state = observe::cluster_state(&cx)?;
    if state == ClusterState::Missing {
        marker::remove(&cx)?;
        return Ok(Done::saying(format!("Nothing to remove: there is no cluster `{}`", cx.profile())));
    }
    let ours = marker::is_ours(&cx);
    if scope == Scope::Cluster && !ours {
        return Err(not_ours(&cx).into());
    }
    let delete_cluster = ours && matches!(scope, Scope::Cluster | Scope::All);
    if state != ClusterState::Running && !delete_cluster {
        return Err(finding(
            codes::PROFILE_STOPPED,
            cx.profile(),
            format!("cluster `{}` does not run: what is in it can't be removed", cx.profile()),
        )
        .remedy("start it first", "cargo xtask setup")
        .into());
    }
    let found = if delete_cluster {
        Found { cluster: true, ..Found::default() }
    } else {
        look(&cx, scope, volumes || scope == Scope::All)?
    };
    let lines = found.lines(&cx);
    if lines.is_empty() {
        return Ok(Done::saying("Nothing to remove"));
    }
    for line in &lines {
        cx.reporter.send(Event::Note { text: format!("removes {line}") });
    }
    // What deploy makes again without loss is not asked about.
    if found.cluster || !found.volumes.is_empty() || !found.released.is_empty() {
        ask::confirm(&cx, "Remove all that for good?")?;
    }
    let failed = take_away(&cx, &found);
    if !failed.is_empty() {
        return Err(Failed { findings: failed, summary: "not everything could be removed".to_owned() });
    }
    let mut done = Done::saying(format!("Removed {} in {}", count(lines.len()), duration(session.elapsed())));
    if scope == Scope::All && !ours {
        cx.reporter.send(Event::Note { text: format!("cluster `{}` was not made by this project: it stays", cx.profile()) });
    }
    if scope == Scope::Release && !found.kept.is_empty() {
        done = done.pointer("kept", format!("{}: --volumes removes them", kept(&cx, &found.kept)));
    }
    Ok(done.pointer("next", "cargo xtask deploy"))
}

/// What stays, in words.
fn kept(cx: &Context, volumes: &[String]) -> String {
    let database = cx.look(|world| desired::database_volume(cx.config.database.as_ref()?, world.objects.as_ref()?));
    match volumes {
        [only] if database.as_ref() == Some(only) => "the database's volume, its password and generated secrets".to_owned(),
        [only] => format!("volume {only} and generated secrets"),
        all => format!("volumes {} and generated secrets", all.join(", ")),
    }
}

fn count(things: usize) -> String {
    if things == 1 { "1 thing".to_owned() } else { format!("{things} things") }
}

fn not_ours(cx: &Context) -> Finding {
    let profile = cx.profile();
    let mut found =
        finding(codes::LEFT_BEHIND, &profile, format!("cluster `{profile}` was not made by this project, so it is not deleted"));
    found.class = Class::Cleanup;
    found
        .evidence("marker beside minikube's profiles", "none of this deployment")
        .remedy("remove what this project put into it", "cargo xtask cleanup --scope all")
        .remedy("delete it all the same, with everything in it", format!("minikube -p {profile} delete"))
}

fn look(cx: &Context, scope: Scope, volumes: bool) -> Result<Found, Failed> {
    let mut world = observe::everything(cx, observe::Wanted::Nothing)?;
    let mut found = Found::default();
    if matches!(scope, Scope::Release | Scope::All) {
        let objects = world.objects.take().unwrap_or_default();
        found.releases = remove::releases(cx, &objects);
        let keep = |name: &String| {
            !volumes && (name == GENERATED_SECRET || cx.config.database.as_ref().is_some_and(|d| d.secret == *name))
        };
        found.secrets = remove::owned(cx, &["secrets"])?.into_iter().filter(|s| !keep(s)).collect();
        let namespace = objects.get("Namespace", &cx.config.namespace);
        let ours = namespace.is_some_and(|n| label(n, OWNER_LABEL) == cx.config.name);
        let (released, left) = claims(cx, &objects, &found.releases, ours);
        found.released = released;
        *(if volumes { &mut found.volumes } else { &mut found.kept }) = left;
        // It would take them with it.
        found.namespace = ours && found.kept.is_empty();
        world.objects = Some(objects);
    }
    if matches!(scope, Scope::Images | Scope::All)
        && let Some(endpoint) = observe::build_endpoint(&world)
    {
        found.images = remove::images(cx, &endpoint)?;
    }
    cx.update(|seen| *seen = world);
    Ok(found)
}

/// The volumes that helm removes with these releases, and those that outlive them: of StatefulSets, and what a chart says to keep. In a
/// namespace that somebody else made, only the development database's is known to be ours.
fn claims(cx: &Context, objects: &Objects, releases: &[String], ours: bool) -> (Vec<String>, Vec<String>) {
    let name = |claim: &Value| text(claim, "/metadata/name").to_owned();
    let of_release = |claim: &&Value| {
        let release = annotation(claim, "meta.helm.sh/release-name");
        releases.iter().any(|r| r == release) && annotation(claim, "helm.sh/resource-policy") != "keep"
    };
    let (gone, left): (Vec<&Value>, Vec<&Value>) = objects.of_kind("PersistentVolumeClaim").partition(of_release);
    let database = cx.config.database.as_ref().and_then(|d| desired::database_volume(d, objects));
    let left = left.into_iter().map(name).filter(|claim| ours || database.as_ref() == Some(claim)).collect();
    (gone.into_iter().map(name).collect(), left)
}

/// Removes it, each thing for itself, so that one that resists does not keep the others.
fn take_away(cx: &Context, found: &Found) -> Vec<Finding> {
    let mut failed = Vec::new();
    let mut step = |kind: &'static str, object: &str, work: &mut dyn FnMut() -> Result<(), Vec<Finding>>| {
        if cx.cancelled() {
            if failed.is_empty() {
                failed.push(failure::interrupted("remove the rest"));
            }
            return;
        }
        let step = StepName::new(kind, object);
        cx.reporter.send(Event::StepStarted { step: step.clone(), after: Vec::new() });
        let begun = Instant::now();
        let (outcome, text) = match work() {
            Ok(()) => (Outcome::Ok, "removed".to_owned()),
            Err(findings) => {
                let code = findings.first().map(|f| f.code.to_owned()).unwrap_or_default();
                failed.extend(findings);
                (Outcome::Fail, code)
            }
        };
        cx.reporter.send(Event::StepFinished { step, outcome, text, took: begun.elapsed() });
    };
    for release in &found.releases {
        step("release", release, &mut || remove::release(cx, release));
    }
    for secret in &found.secrets {
        step("secret", secret, &mut || Ok(remove::object(cx, "secret", secret)?));
    }
    if !found.releases.is_empty() {
        step("inventory", INVENTORY, &mut || Ok(remove::object(cx, "configmap", INVENTORY)?));
    }
    for volume in &found.volumes {
        step("volume", volume, &mut || {
            let wait = cx.config.deadlines.cleanup;
            kubectl::delete_one(&cx.runner, &cx.kube(), "persistentvolumeclaim", volume, true, wait)
                .map_err(|f| failure::finding(cx, &f))?;
            Ok(())
        });
    }
    if found.namespace {
        step("namespace", &cx.config.namespace, &mut || {
            let wait = cx.config.deadlines.cleanup;
            kubectl::delete_one(&cx.runner, &cx.kube(), "namespace", &cx.config.namespace, true, wait)
                .map_err(|f| failure::finding(cx, &f))?;
            Ok(())
        });
    }
    if let Some(endpoint) = cx.look(observe::build_endpoint) {
        for image in &found.images {
            step("image", image, &mut || Ok(remove::image(cx, &endpoint, image)?));
        }
    }
    if found.cluster {
        step("cluster", &cx.profile(), &mut || {
            tools::minikube::delete(&cx.runner, &cx.profile()).map_err(|f| failure::finding(cx, &f))?;
            if observe::cluster_state(cx)? != ClusterState::Missing {
                return Err(remove::left_behind(cx, &cx.profile(), &[format!("profile {}", cx.profile())]).into());
            }
            Ok(marker::remove(cx)?)
        });
    }
    failed
}
