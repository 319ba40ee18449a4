//! A Secret that the tool writes, on stdin only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plan::action::Action;
use plan::decide;
use plan::desired::{GENERATED_SECRET, OWNER_LABEL, SALT_ANNOTATION, SecretObject};
use plan::finding::Finding;
use plan::invocation::Secret as Sensitive;
use plan::objects::annotation;
use plan::snapshot::Snapshot;
use report::event::StepName;
use serde_json::{Map, Value, json};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{desired, observe};

/// Which Secret.
pub(crate) enum Kind {
    /// What is made once for development.
    Generated,
    /// The development database's user, password and name.
    Database,
    /// The keys that the services of a release list.
    Release(String),
}

pub(crate) struct Secret(pub(crate) Kind);

impl Secret {
    fn wanted(&self, cx: &Context, world: &Snapshot) -> Result<SecretObject, Action> {
        let gone = |what: &str| Action::Blocked(Box::new(crate::failure::internal(format!("no {what} in this run"))));
        match &self.0 {
            Kind::Generated => desired::generated(cx, world),
            Kind::Database => desired::database_secret(cx, world, cx.database().ok_or_else(|| gone("database"))?),
            Kind::Release(name) => desired::release_secret(cx, world, cx.release(name).ok_or_else(|| gone("release"))?),
        }
    }

    fn object_name(&self, cx: &Context) -> String {
        match &self.0 {
            Kind::Generated => GENERATED_SECRET.to_owned(),
            Kind::Database => cx.database().map(|d| d.secret.clone()).unwrap_or_default(),
            Kind::Release(name) => cx.release(name).map(|r| r.secret.clone()).unwrap_or_default(),
        }
    }
}

impl Step for Secret {
    fn name(&self, cx: &Context) -> StepName {
        names::secret(&self.object_name(cx))
    }

    fn after(&self, cx: &Context) -> Vec<StepName> {
        let mut after = vec![names::namespace()];
        if let Kind::Release(_) = self.0 {
            after.push(names::secret(GENERATED_SECRET));
            after.extend(cx.database().map(|d| names::secret(&d.secret)));
        }
        after
    }

    fn decide(&self, cx: &Context) -> Action {
        cx.look(|world| match self.wanted(cx, world) {
            Ok(wanted) => decide::secret(&wanted, decode, world),
            Err(action) => action,
        })
    }

    fn apply(&self, cx: &Context, _run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let wanted = cx.look(|world| self.wanted(cx, world)).map_err(crate::failure::undecided)?;
        let name = &wanted.name;
        // A salt that is there stays: another one would roll pods whose secrets did not change.
        let salt = cx.look(|world| {
            let found = world.objects.as_ref().and_then(|o| o.get("Secret", name));
            found.map(|o| annotation(o, SALT_ANNOTATION).to_owned()).filter(|salt| !salt.is_empty())
        });
        let salt = salt.map_or_else(|| crate::generate::hex(16), Ok)?;
        let data: Map<String, Value> = wanted.data.iter().map(|(k, v)| (k.clone(), json!(STANDARD.encode(v.reveal())))).collect();
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
