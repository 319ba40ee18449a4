//! `setup`, `build-images` and `deploy`: three selections of the same steps.

use std::sync::OnceLock;

use plan::action::Action;
use plan::snapshot::{ClusterState, Snapshot};
use report::event::{Event, StepName};
use report::text;
use tools::minikube;

use super::doctor::cluster::differences;
use crate::cli::{BuildFlags, Selection};
use crate::context::Context;
use crate::exec::{self, RunReport, Step};
use crate::session::{Done, Failed, Phase, Session};
use crate::steps::secret::Kind;
use crate::steps::{cluster, endpoints, image, names, namespace, prune, release, retire, rollout, secret, tools as tools_step};
use crate::{desired, health, marker, observe};

/// `cargo xtask setup`.
pub(crate) fn setup(session: &Session) -> Phase {
    let cx = session.context(&Selection::default(), BuildFlags::default())?;
    run(session, &cx, "setup", || Ok(cluster_steps()))
}

/// `cargo xtask build-images`.
pub(crate) fn build_images(session: &Session, selection: &Selection, build: BuildFlags) -> Phase {
    let cx = session.context(selection, build)?;
    run(session, &cx, "build-images", || {
        let mut steps = cluster_steps();
        steps.extend(image_steps(&cx, true)?);
        Ok(steps)
    })
}

/// `cargo xtask deploy`.
pub(crate) fn deploy(session: &Session, selection: &Selection, build: BuildFlags, watch: bool) -> Phase {
    if watch {
        return super::dev_loop::run(session, selection, build);
    }
    let cx = session.context(selection, build)?;
    once(session, &cx)
}

/// One deploy.
pub(crate) fn once(session: &Session, cx: &Context) -> Phase {
    run(session, cx, "deploy", || all_steps(cx))
}

/// Tools and cluster.
fn cluster_steps() -> Vec<Box<dyn Step>> {
    vec![Box::new(tools_step::Tools::default()), Box::new(cluster::Cluster)]
}

/// The builds; `asked` leaves out the neighbours of the services that `--service` names.
fn image_steps(cx: &Context, asked: bool) -> Result<Vec<Box<dyn Step>>, Failed> {
    let forced = match cx.build {
        BuildFlags { no_cache: true, .. } => Some("--no-cache"),
        BuildFlags { pull: true, .. } => Some("--pull"),
        BuildFlags { rebuild: true, .. } => Some("--rebuild"),
        BuildFlags { .. } => None,
    };
    let mut steps: Vec<Box<dyn Step>> = Vec::new();
    for wanted in cx.images()?.into_iter().filter(|i| !asked || cx.is_asked(&i.service)) {
        let forced = forced.filter(|_| cx.is_asked(&wanted.service));
        steps.push(Box::new(image::Image { wanted, forced, built: OnceLock::new() }));
    }
    Ok(steps)
}

/// Every step of `deploy`, which `plan` and `verify` look at too.
pub(crate) fn all_steps(cx: &Context) -> Result<Vec<Box<dyn Step>>, Failed> {
    let mut steps = cluster_steps();
    steps.extend(image_steps(cx, false)?);
    steps.push(Box::new(namespace::Namespace(desired::namespace(cx))));
    if !cx.generated_keys().is_empty() {
        steps.push(Box::new(secret::Secret(Kind::Generated)));
    }
    let mut before: Vec<StepName> = vec![names::namespace()];
    // One service of a layout can't retire the other layout.
    if cx.only.is_empty() {
        steps.push(Box::new(retire::Retire::Others));
        before.push(names::retire(""));
    }
    if let Some(database) = cx.database() {
        steps.push(Box::new(secret::Secret(Kind::Database)));
        let after = vec![names::namespace(), names::secret(&database.secret)];
        steps.push(Box::new(release::Release { name: database.release.clone(), after }));
        steps.push(Box::new(rollout::Rollout(database.release.clone())));
        before.push(names::rollout(&database.release));
    }
    for wanted in &cx.layout().releases {
        let services: Vec<&String> = wanted.services.keys().filter(|s| cx.only.is_empty() || cx.only.contains(*s)).collect();
        if services.is_empty() {
            continue;
        }
        steps.push(Box::new(secret::Secret(Kind::Release(wanted.name.clone()))));
        let mut after = before.clone();
        after.push(names::secret(&wanted.secret));
        // A release's pods need all its images, also those that this run was not asked to build.
        after.extend(wanted.services.keys().map(|s| names::image(s)));
        after.extend(wanted.after.iter().map(|r| names::rollout(r)));
        steps.push(Box::new(release::Release { name: wanted.name.clone(), after }));
        steps.push(Box::new(rollout::Rollout(wanted.name.clone())));
    }
    if cx.only.is_empty() && cx.config.database.is_some() && cx.database().is_none() {
        steps.push(Box::new(retire::Retire::Database));
    }
    steps.push(Box::new(endpoints::Endpoints));
    steps.push(Box::new(prune::Prune::default()));
    Ok(steps)
}

/// Looks, and either finds everything as it should be or lets the executor do what is missing.
fn run(
    session: &Session,
    cx: &Context,
    phase: &'static str,
    steps: impl FnOnce() -> Result<Vec<Box<dyn Step>>, Failed>,
) -> Phase {
    let _lock = session.lock()?;
    cx.reporter.send(Event::Started { phase, text: headline(cx) });
    let early = observe::ask_early(cx);
    // The steps need the digests of the build contexts, which are computed while the cluster is asked.
    let (steps, world) = std::thread::scope(|scope| {
        let world = scope.spawn(|| look(cx));
        (steps(), world.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (steps, world) = (&steps?, world?);
    cx.update(|seen| *seen = world);
    if let Some(kept) = all_kept(cx, steps, early)? {
        for (step, text) in kept {
            let text = exec::without_object(&step, &text);
            cx.reporter.send(Event::kept(step, text));
        }
        return Ok(finished(cx, format!("Up to date in {}: {}", text::duration(session.elapsed()), counted(cx, steps))));
    }
    announce(cx);
    // No step waits for what is only said.
    let report = std::thread::scope(|scope| {
        scope.spawn(|| existing_profile(cx));
        exec::run(cx, steps)
    });
    told(session, cx, phase, &report)
}

/// Every step with what was compared, if nothing is to be done. What the address answers counts last: it can only be right when the rest
/// is.
fn all_kept(cx: &Context, steps: &[Box<dyn Step>], early: observe::Early) -> Result<Option<Vec<(StepName, String)>>, Failed> {
    let mut early = Some(early);
    let mut kept = Vec::new();
    for step in steps {
        let name = step.name(cx);
        if name == names::endpoints()
            && let Some(early) = early.take()
        {
            let seen = observe::endpoints_early(cx, early)?;
            cx.update(|world| world.endpoints = Some(seen));
        }
        match step.decide(cx) {
            Action::Keep { what } => kept.push((name, what)),
            _ => return Ok(None),
        }
    }
    Ok(Some(kept))
}

/// Looks at the world as far as the tools are there for it.
pub(crate) fn look(cx: &Context) -> Result<Snapshot, Failed> {
    Ok(observe::everything(cx, observe::Wanted::Images)?)
}

/// `todo-chatbot -> minikube (layout monolith)`.
pub(crate) fn headline(cx: &Context) -> String {
    format!("{} -> {} (layout {})", cx.config.name, cx.profile(), cx.layout)
}

/// Says where a profile that was there before is not what xtask.toml asks for. It is used as it is, so what can't be asked fails nothing.
fn existing_profile(cx: &Context) {
    if cx.look(|world| world.cluster == ClusterState::Missing) {
        return;
    }
    let Ok(profiles) = minikube::profiles(&cx.runner) else { return };
    let Some(profile) = profiles.get(&cx.profile()) else { return };
    if let Some(differs) = differences(&cx.config.cluster, profile, marker::is_ours(cx)) {
        cx.reporter.send(Event::Finding(Box::new(differs)));
    }
}

/// Says what a user without an environment file should know.
fn announce(cx: &Context) {
    // What is there already was announced when it was made.
    let there = |secret: &str| {
        cx.look(|world| match &world.objects {
            Some(objects) => objects.get("Secret", secret).is_some(),
            // What a cluster holds that does not run is not known; a new one holds nothing.
            None => world.cluster != ClusterState::Missing,
        })
    };
    let generated: Vec<String> = cx.generated_keys().into_iter().collect();
    if !generated.is_empty() && !there(plan::desired::GENERATED_SECRET) {
        cx.reporter.send(Event::Note {
            text: format!(
                "{} {} not set in .env: generated once for development, kept in the cluster",
                generated.join(", "),
                if generated.len() == 1 { "is" } else { "are" }
            ),
        });
    }
    if let Some(database) = cx.database().filter(|d| !there(&d.secret)) {
        cx.reporter.send(Event::Note {
            text: format!(
                "{} is not set in .env: a development database `{}` ({}) runs in the cluster",
                database.key, database.release, database.image
            ),
        });
    }
}

fn told(session: &Session, cx: &Context, phase: &'static str, report: &RunReport) -> Phase {
    if !report.ok() {
        let (open, all) = (report.open(), report.steps.len());
        return Err(Failed {
            findings: report.findings.clone(),
            summary: format!("{open} of {all} steps not done; nothing was rolled back. Run the same command to go on from here."),
        });
    }
    let took = text::duration(session.elapsed());
    let path = report.critical_path();
    let parts = if path.is_empty() { String::new() } else { format!(" ({path})") };
    let what = match phase {
        "deploy" => "Running",
        "setup" => "Cluster ready",
        _ => "Images ready",
    };
    Ok(finished(cx, format!("{what} in {took}{parts}")))
}

/// The closing line with what to do now.
fn finished(cx: &Context, summary: String) -> Done {
    let mut done = Done::saying(summary);
    let releases = &cx.layout().releases;
    let deployed =
        cx.look(|world| world.objects.as_ref().is_some_and(|o| releases.iter().any(|r| o.helm_status(&r.name).is_some())));
    if !deployed {
        return done.pointer("next", "cargo xtask deploy");
    }
    if cx.public_service().is_some()
        && let Ok((origin, access)) = cx.look(|world| desired::reached(cx, world))
    {
        done = if access == plan::config::Access::PortForward {
            done.pointer("open", format!("cargo xtask open    serves {origin}"))
        } else {
            done.pointer("open", origin)
        };
    }
    done.pointer("next", "cargo xtask status --watch    or    cargo xtask test")
}

/// `2 images, 1 release, 3 pods ready, http://… answers`.
fn counted(cx: &Context, steps: &[Box<dyn Step>]) -> String {
    let of = |kind: &str| steps.iter().filter(|s| s.name(cx).kind == kind).count();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    for (kind, what) in [("image", "image"), ("release", "release")] {
        if of(kind) > 0 {
            parts.push(plural(of(kind), what));
        }
    }
    if of("rollout") > 0 {
        let pods = cx.look(|world| {
            let objects = world.objects.as_ref();
            objects.map_or(0, |o| o.of_kind("Pod").filter(|pod| health::is_serving(pod)).count())
        });
        parts.push(format!("{} ready", plural(pods, "pod")));
    } else {
        parts.push(format!("cluster {} runs", cx.profile()));
    }
    if of("endpoints") > 0
        && cx.public_service().is_some()
        && let Ok((origin, access)) = cx.look(|world| desired::reached(cx, world))
    {
        let forwarded = access == plan::config::Access::PortForward;
        let what = if forwarded { format!("`{}`", cx.public().service) } else { origin };
        parts.push(format!("{what} answers"));
    }
    parts.join(", ")
}
