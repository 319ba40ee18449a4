//! A helm release: installed or upgraded where its fingerprint or its live objects say so.

use std::sync::PoisonError;

use plan::action::Action;
use plan::decide;
use plan::finding::Finding;
use plan::identity::live_digests;
use plan::inventory::{Entry, Inventory};
use report::event::{Event, StepName};
use tools::helm::{self, Upgrade};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{charts, desired, failure, hooks, observe, put_back, watch};

/// How many revisions helm keeps: enough to go back, few enough to look at.
const HISTORY: u32 = 5;

pub(crate) struct Release {
    pub(crate) name: String,
    /// What must be there before: images, Secrets, other rollouts.
    pub(crate) after: Vec<StepName>,
}

impl Step for Release {
    fn name(&self, _cx: &Context) -> StepName {
        names::release(&self.name)
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        self.after.clone()
    }

    fn decide(&self, cx: &Context) -> Action {
        cx.look(|world| match desired::release(cx, world, &self.name) {
            Ok(wanted) => decide::release(&wanted, world),
            Err(action) => action,
        })
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let (chart, mut values) = cx.chart(&self.name)?;
        recover(cx, run, &self.name)?;
        if charts::has_dependencies(&chart).map_err(|e| failure::io(&e))? {
            run.progress("packing the chart's dependencies");
            helm::dependency_build(&cx.runner, &chart).map_err(|f| failure::finding(cx, &f))?;
            // The first time it writes Chart.lock: the next run has to find what was written down in this one.
            cx.forget_chart_digests();
        }
        let wanted = cx.look(|world| desired::release(cx, world, &self.name)).map_err(failure::undecided)?;
        let before = cx.look(|world| world.objects.as_ref().and_then(|o| Inventory::read(o).ok().flatten()));
        let no_hooks = cx.look(|world| decide::hooks_are_done(&wanted, before.as_ref(), world));
        let overlay = Context::scratch(&format!("values-{}.json", self.name), &wanted.overlay.to_string())?;
        values.push(overlay.path().to_owned());
        let upgrade = Upgrade {
            release: self.name.clone(),
            chart,
            values,
            history_max: HISTORY,
            no_hooks,
            force_conflicts: true,
            deadline: cx.config.deadlines.release + cx.config.deadlines.migration,
        };
        let helm = cx.helm()?;
        // The API server counts in whole seconds.
        let begun = watch::now().plus_seconds(-1);
        cx.changed_at.lock().unwrap_or_else(PoisonError::into_inner).insert(self.name.clone(), begun);
        run.progress(if no_hooks { "helm upgrade, without hooks: what they depend on is unchanged" } else { "helm upgrade" });
        hooks::upgrade(cx, run, helm, &upgrade)?;
        observe::refresh_objects(cx)?;
        // From the same sources the same objects have to come.
        if let Some(entry) =
            before.and_then(|mut i| i.releases.remove(&self.name)).filter(|e| e.fingerprint == wanted.fingerprint())
        {
            for object in put_back::leftovers(cx, &self.name, &entry.objects)? {
                cx.reporter
                    .send(Event::Note { text: format!("{object} was replaced: helm left in it what a foreign hand had added") });
            }
        }
        write_down(cx, &wanted)?;
        Ok(observe::refresh_objects(cx)?)
    }
}

/// Brings a release that a killed helm left `pending-*` back to where an upgrade is accepted.
///
/// helm refuses any upgrade of such a release and its maintainers will not repair it (helm/helm#7653). Nothing of ours can still be at it:
/// this run holds the lock, and children of a killed run were ended.
fn recover(cx: &Context, run: &Running<'_>, name: &str) -> Result<(), Vec<Finding>> {
    let status = cx.look(|world| world.objects.as_ref().and_then(|o| o.helm_status(name)));
    let Some((revision, status)) = status else { return Ok(()) };
    if !status.starts_with("pending-") {
        return Ok(());
    }
    let good = cx.look(|world| world.objects.as_ref().and_then(|o| desired::last_good_revision(o, name)));
    if let Some(good) = good {
        run.progress(format!("revision {revision} is {status}: rolling back to {good}"));
        helm::rollback(&cx.runner, &cx.kube(), name, good, cx.config.deadlines.release).map_err(|f| failure::finding(cx, &f))?;
        cx.reporter.send(Event::Note {
            text: format!("release `{name}` was left {status} by a killed helm: rolled back to revision {good}"),
        });
    } else {
        run.progress(format!("revision {revision} is {status}: removing it"));
        helm::uninstall(&cx.runner, cx.helm()?, &cx.kube(), name, cx.config.deadlines.release)
            .map_err(|f| failure::finding(cx, &f))?;
        cx.reporter.send(Event::Note {
            text: format!("release `{name}` was left {status} by a killed helm: removed, to be installed anew"),
        });
    }
    Ok(observe::refresh_objects(cx)?)
}

/// Writes down what the release was made from and what its live objects are now.
fn write_down(cx: &Context, wanted: &plan::desired::Release) -> Result<(), Vec<Finding>> {
    // Releases of a layout run side by side, the inventory is one.
    let _one_at_a_time = cx.inventory.lock().unwrap_or_else(PoisonError::into_inner);
    observe::refresh_objects(cx)?;
    let (mut inventory, objects) = cx.look(|world| {
        let objects = world.objects.as_ref();
        let inventory = objects.and_then(|o| Inventory::read(o).ok().flatten()).unwrap_or_default();
        (inventory, objects.map(|o| live_digests(o.of_release(&wanted.name))).unwrap_or_default())
    });
    inventory.owner.clone_from(&cx.config.name);
    inventory.layout.clone_from(&cx.layout);
    inventory.releases.insert(
        wanted.name.clone(),
        Entry { fingerprint: wanted.fingerprint(), objects, hooks: wanted.hooks.clone(), parts: decide::parts(wanted) },
    );
    for image in cx.images()? {
        if !inventory.repositories.contains(&image.repository) {
            inventory.repositories.push(image.repository);
        }
    }
    cx.apply_object(&inventory.manifest(&cx.config.namespace), "write down what was deployed")?;
    Ok(())
}
