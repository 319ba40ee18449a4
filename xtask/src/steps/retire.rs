//! Releases of this deployment that the configuration no longer asks for: those of another layout, or renamed ones. They go before the new
//! ones come, because the fixed names of Services and the node port can't be there twice.

use plan::action::Action;
use plan::finding::Finding;
use plan::inventory::Inventory;
use report::event::StepName;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{observe, remove};

pub(crate) struct Retire;

impl Step for Retire {
    fn name(&self, _cx: &Context) -> StepName {
        names::retire()
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::namespace()]
    }

    fn decide(&self, cx: &Context) -> Action {
        if cx.look(|world| world.objects.is_none()) {
            return Action::unknown("the cluster runs");
        }
        let old = retired(cx);
        if old.is_empty() {
            Action::keep("no release of another layout")
        } else {
            Action::act("remove", format!("{} (not part of layout {})", old.join(", "), cx.layout))
        }
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        for release in retired(cx) {
            run.progress(format!("removing {release}"));
            remove::release(cx, &release)?;
            remove::release_secret(cx, &release)?;
        }
        Ok(observe::refresh_objects(cx)?)
    }
}

/// The releases that the inventory lists, that are still there, and that neither the layout nor the database is.
fn retired(cx: &Context) -> Vec<String> {
    cx.look(|world| {
        let Some(objects) = &world.objects else { return Vec::new() };
        let inventory = Inventory::read(objects).ok().flatten().unwrap_or_default();
        let wanted = |name: &str| cx.release(name).is_some() || cx.database().is_some_and(|d| d.release == name);
        inventory.releases.into_keys().filter(|name| !wanted(name) && objects.helm_status(name).is_some()).collect()
    })
}
