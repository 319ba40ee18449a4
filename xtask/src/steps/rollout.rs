//! The pods of a release: waited for while the cluster is watched.

use plan::action::Action;
use plan::decide;
use plan::finding::Finding;
use report::event::StepName;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{desired, failure, observe, watch};

pub(crate) struct Rollout(pub(crate) String);

impl Step for Rollout {
    fn name(&self, _cx: &Context) -> StepName {
        names::rollout(&self.0)
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::release(&self.0)]
    }

    fn decide(&self, cx: &Context) -> Action {
        cx.look(|world| match desired::release(cx, world, &self.0) {
            Ok(wanted) => decide::rollout(&wanted, world),
            Err(action) => action,
        })
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let wanted = cx.look(|world| desired::release(cx, world, &self.0)).map_err(failure::undecided)?;
        watch::rollout(cx, run, &wanted)?;
        Ok(observe::refresh_objects(cx)?)
    }
}
