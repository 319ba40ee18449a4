//! Releases of this deployment that the configuration no longer asks for.
//!
//! Those of another layout, or renamed ones, go before the new ones come, because the fixed names of Services and the node port can't be
//! there twice. The development database goes last, when `.env` names another one: until the pods run on that, the pods before need it.

use plan::action::Action;
use plan::finding::Finding;
use plan::inventory::Inventory;
use report::event::StepName;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{observe, remove};

pub(crate) enum Retire {
    /// Whatever the layout does not have.
    Others,
    /// The development database.
    Database,
}

impl Step for Retire {
    fn name(&self, _cx: &Context) -> StepName {
        match self {
            Self::Others => names::retire(""),
            Self::Database => names::retire("database"),
        }
    }

    fn after(&self, cx: &Context) -> Vec<StepName> {
        match self {
            Self::Others => vec![names::namespace()],
            Self::Database => cx.layout().releases.iter().map(|release| names::rollout(&release.name)).collect(),
        }
    }

    fn decide(&self, cx: &Context) -> Action {
        if cx.look(|world| world.objects.is_none()) {
            return Action::unknown("the cluster runs");
        }
        let old = self.retired(cx);
        if old.is_empty() {
            Action::keep(match self {
                Self::Others => "no release of another layout",
                Self::Database => "no development database",
            })
        } else {
            Action::act("remove", format!("{} (not part of layout {})", old.join(", "), cx.layout))
        }
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        for release in self.retired(cx) {
            run.progress(format!("removing {release}"));
            remove::release(cx, &release)?;
            remove::release_secret(cx, &release)?;
        }
        Ok(observe::refresh_objects(cx)?)
    }
}

impl Retire {
    /// The releases that the inventory lists, that are still there, and that neither the layout nor the database is.
    fn retired(&self, cx: &Context) -> Vec<String> {
        cx.look(|world| {
            let Some(objects) = &world.objects else { return Vec::new() };
            let inventory = Inventory::read(objects).ok().flatten().unwrap_or_default();
            let database = cx.config.database.as_ref().map(|database| database.release.as_str());
            let wanted = |name: &str| cx.release(name).is_some() || cx.database().is_some_and(|d| d.release == name);
            let mine = |name: &str| matches!(self, Self::Database) == (Some(name) == database);
            let old = |name: &String| mine(name) && !wanted(name) && objects.helm_status(name).is_some();
            inventory.releases.into_keys().filter(old).collect()
        })
    }
}
