//! The namespace, with the Pod Security level that it enforces.

use plan::action::Action;
use plan::decide;
use plan::desired::{Namespace as Wanted, OWNER_LABEL};
use plan::finding::Finding;
use report::event::StepName;
use serde_json::json;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::observe;

pub(crate) struct Namespace(pub(crate) Wanted);

impl Step for Namespace {
    fn name(&self, _cx: &Context) -> StepName {
        names::namespace()
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::cluster()]
    }

    fn decide(&self, cx: &Context) -> Action {
        cx.look(|world| decide::namespace(&self.0, world))
    }

    fn apply(&self, cx: &Context, _run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let Wanted { name, owner, pod_security } = &self.0;
        let level = |mode: &str| (format!("pod-security.kubernetes.io/{mode}"), json!(pod_security));
        let labels: serde_json::Map<_, _> =
            [(OWNER_LABEL.to_owned(), json!(owner)), level("enforce"), level("warn")].into_iter().collect();
        let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        cx.apply_object(&manifest, &format!("make namespace `{name}`"))?;
        Ok(observe::refresh_objects(cx)?)
    }
}
