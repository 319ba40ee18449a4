//! Taking away what deploy made. "Already gone" is success; what is still there afterwards is named.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use plan::catalogue::{codes, finding};
use plan::desired::{IMAGE_OWNER_LABEL, OWNER_LABEL};
use plan::finding::{Class, Finding};
use plan::inventory::Inventory;
use plan::objects::{Objects, label, text};
use tools::docker::{self, Endpoint};
use tools::kubectl::{self, Selection};

use crate::context::Context;
use crate::{containerd, failure, observe};

/// Between two looks whether something is gone.
const PAUSE: Duration = Duration::from_millis(300);

/// Uninstalls a release and waits until its pods are gone.
pub(crate) fn release(cx: &Context, name: &str) -> Result<(), Vec<Finding>> {
    let deadline = cx.config.deadlines.cleanup;
    tools::helm::uninstall(&cx.runner, cx.helm()?, &cx.kube(), name, deadline).map_err(|f| failure::finding(cx, &f))?;
    // Hooks (test pods, a failed migration's job) are no part of the release for helm: it leaves them.
    let hooks = Selection::labels(format!("app.kubernetes.io/instance={name},app.kubernetes.io/managed-by=Helm"));
    kubectl::delete(&cx.runner, &cx.kube(), &["jobs", "pods"], &hooks, false, deadline).map_err(|f| failure::finding(cx, &f))?;
    let until = Instant::now() + deadline;
    loop {
        let objects = observe::live_objects(cx)?;
        let left: Vec<String> = objects.of_release(name).chain(pods(&objects, name)).map(shown).collect();
        let status = objects.helm_status(name);
        observe::keep_objects(cx, objects);
        // helm keeps no record of an uninstalled release unless it is told to.
        if left.is_empty() && status.is_none() {
            return Ok(());
        }
        if Instant::now() >= until || cx.cancelled() {
            return Err(left_behind(cx, name, &left).into());
        }
        std::thread::sleep(PAUSE);
    }
}

fn pods<'a>(objects: &'a Objects, release: &'a str) -> impl Iterator<Item = &'a serde_json::Value> {
    objects.of_kind("Pod").filter(move |p| label(p, "app.kubernetes.io/instance") == release)
}

fn shown(object: &serde_json::Value) -> String {
    format!("{}/{}", text(object, "/kind").to_lowercase(), text(object, "/metadata/name"))
}

/// What could not be removed.
pub(crate) fn left_behind(cx: &Context, what: &str, left: &[String]) -> Finding {
    let mut found =
        finding(codes::LEFT_BEHIND, what, format!("`{what}` is not gone after {} s", cx.config.deadlines.cleanup.as_secs()));
    found.class = Class::Cleanup;
    for object in left {
        found = found.evidence("still there", object);
    }
    let (context, namespace) = (cx.profile(), &cx.config.namespace);
    let first = left.first().map_or("all", String::as_str);
    found
        .remedy(
            "see what holds it (finalizers, a pod that does not end)",
            format!("kubectl --context {context} -n {namespace} get {first} -o yaml"),
        )
        .remedy("go on from here", "cargo xtask cleanup")
}

/// Deletes the Secret that the tool made for a release, by the name that any layout gives it.
pub(crate) fn release_secret(cx: &Context, release: &str) -> Result<(), Finding> {
    let all = cx.config.layouts.values().flat_map(|l| &l.releases);
    let secrets: BTreeSet<&str> = all.filter(|r| r.name == release).map(|r| r.secret.as_str()).collect();
    for secret in secrets {
        object(cx, "secret", secret)?;
    }
    Ok(())
}

/// Deletes one object that the tool made itself. One without the owner label is somebody else's and stays.
pub(crate) fn object(cx: &Context, kind: &str, name: &str) -> Result<(), Finding> {
    let found = kubectl::get_one(&cx.runner, &cx.kube(), kind, name).map_err(|f| failure::finding(cx, &f))?;
    if found.is_none_or(|o| label(&o, OWNER_LABEL) != cx.config.name) {
        return Ok(());
    }
    kubectl::delete_one(&cx.runner, &cx.kube(), kind, name, true, cx.config.deadlines.cleanup)
        .map(drop)
        .map_err(|f| failure::finding(cx, &f))
}

/// Everything of the namespace that carries the owner label, of these kinds.
pub(crate) fn owned(cx: &Context, kinds: &[&str]) -> Result<Vec<String>, Finding> {
    let selection = Selection::labels(format!("{OWNER_LABEL}={}", cx.config.name));
    let found = kubectl::get(&cx.runner, &cx.kube(), kinds, &selection).map_err(|f| failure::finding(cx, &f))?;
    Ok(found.iter().map(|o| text(o, "/metadata/name").to_owned()).collect())
}

/// The releases of this deployment that are there: those of the inventory and those of any layout of xtask.toml.
pub(crate) fn releases(cx: &Context, objects: &Objects) -> Vec<String> {
    let inventory = Inventory::read(objects).ok().flatten().unwrap_or_default();
    let mut names: BTreeSet<String> = inventory.releases.into_keys().collect();
    names.extend(cx.config.layouts.values().flat_map(|l| l.releases.iter().map(|r| r.name.clone())));
    names.extend(cx.config.database.as_ref().map(|d| d.release.clone()));
    let ours = |name: &String| objects.helm_status(name).is_some() || objects.of_release(name).next().is_some();
    names.into_iter().filter(ours).collect()
}

/// The images of this project on the node.
pub(crate) fn images(cx: &Context, endpoint: &Endpoint) -> Result<Vec<String>, Finding> {
    let rows = docker::images_by_label(&cx.runner, endpoint, &format!("{IMAGE_OWNER_LABEL}={}", cx.config.name))
        .map_err(|f| failure::finding(cx, &f))?;
    // The containerd store lists an image once more under its digest; that row goes with the last name.
    let is_named = |row: &docker::ImageRow| row.tag != "<none>" && row.repository != "<none>" && row.repository != "sha256";
    let (named, bare): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_named);
    let covered: BTreeSet<String> = named.iter().map(|row| row.id.clone()).collect();
    let mut all: BTreeSet<String> = named.into_iter().map(|row| format!("{}:{}", row.repository, row.tag)).collect();
    all.extend(bare.into_iter().map(|row| row.id).filter(|id| !covered.contains(id)));
    Ok(all.into_iter().collect())
}

/// Removes an image; one that a container still uses stays and is named.
pub(crate) fn image(cx: &Context, endpoint: &Endpoint, reference: &str) -> Result<(), Finding> {
    if *endpoint == Endpoint::Host {
        return containerd::remove(cx, reference);
    }
    match docker::remove(&cx.runner, endpoint, reference).map_err(|f| failure::finding(cx, &f))? {
        docker::Removed::InUse(words) => {
            Err(finding(codes::IMAGE_IN_USE, reference, format!("image `{reference}` is in use and was kept"))
                .evidence("docker image rm", words)
                .remedy("remove what uses it first", "cargo xtask cleanup --scope release"))
        }
        _ => Ok(()),
    }
}
