//! The pods of a release: waited for while the cluster is watched.

use plan::action::Action;
use plan::decide;
use plan::finding::Finding;
use report::event::StepName;
use tools::kubectl;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{desired, failure, observe, proof, watch};

pub(crate) struct Rollout(pub(crate) String);

impl Step for Rollout {
    fn name(&self, _cx: &Context) -> StepName {
        names::rollout(&self.0)
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::release(&self.0)]
    }

    fn decide(&self, cx: &Context) -> Action {
        let rolled = cx.look(|world| match desired::release(cx, world, &self.0) {
            Ok(wanted) => decide::rollout(&wanted, world),
            Err(action) => action,
        });
        if !matches!(rolled, Action::Keep { .. }) {
            return rolled;
        }
        let strangers: Vec<String> = proof::strangers(cx, &self.0).into_iter().map(|stranger| stranger.cause).collect();
        if strangers.is_empty() { rolled } else { Action::act("restart", strangers.join(", ")) }
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let wanted = cx.look(|world| desired::release(cx, world, &self.0)).map_err(failure::undecided)?;
        let unused = cx.look(|world| world.objects.as_ref().map(|o| decide::not_used(&wanted, o)).unwrap_or_default());
        if !unused.is_empty() {
            let (chart, _) = cx.chart(&self.0)?;
            let show = format!("helm show values {}", chart.display());
            return Err(unused.into_iter().map(|f| f.remedy("see what the chart calls them", &show)).collect());
        }
        watch::rollout(cx, run, &wanted)?;
        observe::refresh_objects(cx)?;
        // Ready is not enough: a chart that passes no pod annotation on keeps its pods when an image is built anew under its tag.
        let strangers = proof::strangers(cx, &self.0);
        if strangers.is_empty() {
            return Ok(());
        }
        for stranger in &strangers {
            let (kind, name) = stranger.subject.split_once('/').unwrap_or(("pod", &stranger.subject));
            run.progress(format!("starting {name} again"));
            kubectl::delete_one(&cx.runner, &cx.kube(), kind, name, true, cx.config.deadlines.rollout)
                .map_err(|error| failure::finding(cx, &error))?;
        }
        watch::rollout(cx, run, &wanted)?;
        observe::refresh_objects(cx)?;
        let strangers = proof::strangers(cx, &self.0);
        if strangers.is_empty() { Ok(()) } else { Err(strangers) }
    }
}
