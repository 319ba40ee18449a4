//! What a foreign hand left in an object that helm's merge does not take out: fields that the chart never set.
//!
//! helm 3 patches what changed between two renders and leaves the rest of a live object alone (three-way merge). So an object that still
//! differs after an upgrade from the same sources is replaced as a whole by what helm rendered.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::finding::Finding;
use plan::identity::live_digests;
use plan::invocation::{Invocation, Secret, Stdin, Tool};
use plan::objects::text;
use serde_json::{Value, json};
use tools::{Refusal, helm};

use crate::context::Context;
use crate::{failure, observe};

const DEADLINE: Duration = Duration::from_secs(60);

/// Replaces the objects of a release whose digest is not the one that the same sources gave before.
pub(crate) fn leftovers(cx: &Context, release: &str, expected: &BTreeMap<String, String>) -> Result<Vec<String>, Finding> {
    let live = cx.look(|world| world.objects.as_ref().map(|o| live_digests(o.of_release(release))).unwrap_or_default());
    let differing: Vec<&String> = expected
        .iter()
        .filter(|(name, digest)| live.get(*name).is_some_and(|now| now != *digest))
        .map(|(name, _)| name)
        .collect();
    if differing.is_empty() {
        return Ok(Vec::new());
    }
    let rendered = rendered(cx, release)?;
    let mut replaced = Vec::new();
    for name in differing {
        let same = |o: &&Value| format!("{}/{}", text(o, "/kind"), text(o, "/metadata/name")) == *name;
        let Some(object) = rendered.iter().find(same) else { continue };
        let mut object = object.clone();
        mark(cx, release, &mut object);
        let replace = call(cx, format!("put `{name}` back"), &["replace", "-f", "-"], object.to_string());
        cx.runner
            .ask(&replace, |output| if output.exit.is_success() { Ok(()) } else { Err(Refusal::Failed) })
            .map_err(|f| failure::finding(cx, &f))?;
        replaced.push(name.clone());
    }
    observe::refresh_objects(cx)?;
    Ok(replaced)
}

/// What helm rendered, as JSON: kubectl reads the YAML.
fn rendered(cx: &Context, release: &str) -> Result<Vec<Value>, Finding> {
    let manifest = helm::get_manifest(&cx.runner, &cx.kube(), release).map_err(|f| failure::finding(cx, &f))?;
    let convert = call(
        cx,
        format!("read the manifest of `{release}`"),
        &["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"],
        manifest,
    );
    cx.runner
        .ask(&convert, |output| {
            if !output.exit.is_success() {
                return Err(Refusal::Failed);
            }
            let documents = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
            let mut objects = Vec::new();
            for document in documents {
                let document = document?;
                match document.pointer("/items").and_then(Value::as_array) {
                    Some(items) => objects.extend(items.iter().cloned()),
                    None => objects.push(document),
                }
            }
            Ok(objects)
        })
        .map_err(|f| failure::finding(cx, &f))
}

/// A manifest may hold what nobody should see: it goes on stdin and is never shown.
fn call(cx: &Context, what: String, args: &[&str], stdin: String) -> Invocation {
    Invocation::new(Tool::Kubectl, what, DEADLINE)
        .args(["--context", &cx.profile(), "-n", &cx.config.namespace])
        .args(args.iter().copied())
        .stdin(Stdin::Secret(Secret::new(stdin)))
}

/// What helm itself writes on the objects of a release (`pkg/action/validate.go`): without it the next upgrade is refused.
fn mark(cx: &Context, release: &str, object: &mut Value) {
    object["metadata"]["annotations"]["meta.helm.sh/release-name"] = json!(release);
    object["metadata"]["annotations"]["meta.helm.sh/release-namespace"] = json!(cx.config.namespace);
    object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
}
