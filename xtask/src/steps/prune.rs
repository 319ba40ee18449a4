//! Old images of this project: removed after a build, because minikube switches the kubelet's own garbage collection off.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use plan::action::Action;
use plan::desired::IMAGE_OWNER_LABEL;
use plan::finding::Finding;
use plan::objects::text;
use plan::prune::{self, Kept};
use report::event::StepName;
use serde_json::Value;
use tools::docker::{self, Endpoint};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{containerd, failure, observe};

#[derive(Default)]
pub(crate) struct Prune {
    /// What came of it in this run.
    done: OnceLock<String>,
}

impl Step for Prune {
    fn name(&self, _cx: &Context) -> StepName {
        names::prune()
    }

    fn after(&self, cx: &Context) -> Vec<StepName> {
        // Beside the release and its rollout: what they need is in use or wanted.
        let images = cx.layout().releases.iter().flat_map(|release| release.services.keys()).map(|name| names::image(name));
        images.chain([names::cluster()]).collect()
    }

    fn decide(&self, cx: &Context) -> Action {
        // Only a build leaves something to remove.
        if cx.built.load(Ordering::Relaxed) {
            Action::act("remove", "old images of this project")
        } else {
            Action::keep(self.done.get().map_or("nothing was built", String::as_str))
        }
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        cx.built.store(false, Ordering::Relaxed);
        let Some(endpoint) = cx.look(observe::build_endpoint) else { return Ok(()) };
        let label = format!("{IMAGE_OWNER_LABEL}={}", cx.config.name);
        let all = docker::images_by_label(&cx.runner, &endpoint, &label).map_err(|f| failure::finding(cx, &f))?;
        let listed = all.into_iter().map(|i| Kept { repository: i.repository, tag: i.tag, created: i.created_at }).collect();
        let mut used: BTreeSet<String> = cx.images()?.iter().map(plan::desired::Image::reference).collect();
        used.extend(in_use(cx));
        let old = prune::old(listed, &used, prune::KEEP);
        if old.is_empty() {
            self.done.set("no old images".to_owned()).ok();
            return Ok(());
        }
        run.progress(format!("removing {}", old.join(", ")));
        for reference in &old {
            if endpoint == Endpoint::Host {
                containerd::remove(cx, reference)?;
            } else {
                // Not forced: docker refuses what a container still uses.
                docker::remove(&cx.runner, &endpoint, reference).map_err(|f| failure::finding(cx, &f))?;
            }
        }
        self.done.set(format!("{} old image{} removed", old.len(), if old.len() == 1 { "" } else { "s" })).ok();
        Ok(())
    }
}

/// Every image that a pod of the namespace names.
fn in_use(cx: &Context) -> Vec<String> {
    cx.look(|world| {
        let pods = world.objects.iter().flat_map(|o| o.of_kind("Pod"));
        let containers = pods.flat_map(|p| {
            let of = |at: &str| p.pointer(at).and_then(Value::as_array).into_iter().flatten();
            of("/spec/containers").chain(of("/spec/initContainers"))
        });
        containers.map(|c| text(c, "/image").to_owned()).collect()
    })
}
