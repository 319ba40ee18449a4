//! A Secret that the tool writes, on stdin only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plan::action::Action;
use plan::decide;
use plan::desired::{OWNER_LABEL, SALT_ANNOTATION, SecretObject};
use plan::finding::Finding;
use plan::invocation::Secret as Sensitive;
use plan::objects::annotation;
use serde_json::{Map, Value, json};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::observe;
use crate::report::event::StepName;

pub(crate) struct Secret(pub(crate) SecretObject);

impl Step for Secret {
    fn name(&self) -> StepName {
        names::secret(&self.0.name)
    }

    fn after(&self) -> Vec<StepName> {
        vec![names::namespace()]
    }

    fn decide(&self, cx: &Context) -> Action {
        cx.look(|world| decide::secret(&self.0, decode, world))
    }

    fn apply(&self, cx: &Context, _run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let name = &self.0.name;
        let salt = cx.look(|world| {
            let found = world.objects.as_ref().and_then(|o| o.get("Secret", name));
            found.map(|o| annotation(o, SALT_ANNOTATION).to_owned()).filter(|salt| !salt.is_empty())
        });
        let salt = salt.map_or_else(|| crate::generate::hex(16), Ok)?;
        let data: Map<String, Value> = self.0.data.iter().map(|(k, v)| (k.clone(), json!(STANDARD.encode(v.reveal())))).collect();
        let manifest = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": name, "namespace": cx.config.namespace,
                "labels": {OWNER_LABEL: cx.config.name}, "annotations": {SALT_ANNOTATION: salt},
            },
            "data": data,
        });
        cx.apply_secret(Sensitive::new(manifest.to_string()), &format!("write Secret `{name}`"))?;
        Ok(observe::refresh_objects(cx)?)
    }
}

/// Base64 as the API gives a Secret's values.
pub(crate) fn decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}
