//! One tolerant look at what is deployed, for the phases that only show: what can't be had is said, and nothing stops because of it.

use plan::catalogue::{codes, finding};
use plan::config::Runtime;
use plan::desired::IMAGE_OWNER_LABEL;
use plan::diagnose::Timestamp;
use plan::finding::Finding;
use plan::inventory::Inventory;
use plan::objects::{Objects, number, text};
use plan::snapshot::{ClusterState, DockerHost, Endpoint};
use report::lines::State;
use tools::docker;
use tools::kubectl::{self, Metric, Selection};

use crate::context::Context;
use crate::health::{self, Health, Images, Own, Part, Seen};
use crate::{failure, observe, watch};

/// Reads the live objects and the layout that is deployed. `chosen`: a layout that the user named.
pub(crate) fn objects(cx: &mut Context, chosen: bool) -> Result<Objects, Finding> {
    let objects = match observe::live_objects(cx) {
        Ok(objects) => objects,
        Err(unreachable) => {
            return Err(match observe::cluster_state(cx)? {
                // minikube says that all is well and kubectl says no: kubectl's reason is the finding.
                ClusterState::Running | ClusterState::Unseen => unreachable,
                state => not_running(&cx.profile(), &state),
            });
        }
    };
    if observe::node(&objects, &cx.profile()).is_none() {
        return Err(observe::not_this_profile(cx, &objects));
    }
    // What is shown is what was deployed, unless the user asks for another.
    if let (false, Ok(Some(inventory))) = (chosen, Inventory::read(&objects))
        && cx.config.layouts.contains_key(&inventory.layout)
    {
        cx.layout = inventory.layout;
    }
    observe::keep_objects(cx, objects.clone());
    Ok(objects)
}

/// Why nothing can be shown.
pub(crate) fn not_running(profile: &str, state: &ClusterState) -> Finding {
    let found = |code, what: &str| finding(code, profile, format!("cluster `{profile}` {what}"));
    match state {
        ClusterState::Missing => finding(codes::PROFILE_MISSING, profile, format!("there is no minikube profile `{profile}`"))
            .remedy("create it and deploy", "cargo xtask deploy"),
        ClusterState::Stopped => {
            found(codes::PROFILE_STOPPED, "is stopped").remedy("start it; nothing in it is lost", "cargo xtask setup")
        }
        ClusterState::Paused => found(codes::CLUSTER_PAUSED, "is paused").remedy("", format!("minikube unpause -p {profile}")),
        ClusterState::KubeconfigStale => found(codes::KUBECONFIG_STALE, "runs, but the kubeconfig does not point at it")
            .remedy("repair it", "cargo xtask setup")
            .remedy("", format!("minikube -p {profile} update-context")),
        ClusterState::Degraded(what) => found(codes::API_DOWN, "does not run completely")
            .evidence("minikube status", what)
            .remedy("start what is stopped", "cargo xtask setup"),
        ClusterState::Running | ClusterState::Unseen => {
            found(codes::API_DOWN, "does not answer").remedy("see everything", "cargo xtask doctor")
        }
    }
}

/// The docker that knows the images of this project, without a look at those that should be there: the node's, or this machine's where
/// the node has none. Kept in the world, where the way to the application is decided by it.
pub(crate) fn builder(cx: &Context) -> Result<docker::Endpoint, Finding> {
    let profile = cx.profile();
    let (address, uid) = cx.look(|world| {
        let node = world.node.as_ref();
        let object = node.and_then(|node| world.objects.as_ref()?.get("Node", &node.name));
        (node.map(|n| n.address.clone()), object.map(|o| text(o, "/metadata/uid").to_owned()))
    });
    let proven = |host: &DockerHost| host.address().is_some() && host.address() == address.as_deref();
    let docker = if let Some(host) = cx.caches.docker_host(&profile).filter(proven) {
        Some(host)
    } else if uid.is_some() && cx.caches.containerd_node(&profile) == uid {
        None
    } else {
        let docker = observe::node_docker(cx)?;
        match (&docker, &uid) {
            (Some(host), _) => cx.caches.remember_docker_host(&profile, host),
            (None, Some(uid)) => cx.caches.remember_containerd(&profile, uid),
            (None, None) => {}
        }
        docker
    };
    let endpoint = docker.as_ref().map_or(docker::Endpoint::Host, observe::endpoint);
    cx.update(|world| {
        world.runtime = if docker.is_some() { Runtime::Docker } else { Runtime::Containerd };
        world.docker = docker;
    });
    Ok(endpoint)
}

/// What the images of this project take.
pub(crate) fn images(cx: &Context, builder: &Result<docker::Endpoint, Finding>) -> Result<Images, String> {
    let endpoint = builder.as_ref().map_err(|finding| finding.cause.clone())?;
    let label = format!("{IMAGE_OWNER_LABEL}={}", cx.config.name);
    let cause = |f| failure::finding(cx, &f).cause;
    let mut ids: Vec<String> =
        docker::images_by_label(&cx.runner, endpoint, &label).map_err(cause)?.into_iter().map(|row| row.id).collect();
    ids.sort();
    ids.dedup();
    let found = docker::inspect(&cx.runner, endpoint, &ids).map_err(cause)?.found;
    Ok(Images { count: found.len(), bytes: found.iter().map(|image| image.size).sum() })
}

/// What a look costs processes for: taken at the start, and again when something changed, but not each time.
pub(crate) struct Extras {
    /// What the containers use.
    pub(crate) metrics: Option<Vec<Metric>>,
    /// What the images take.
    pub(crate) images: Result<Images, String>,
}

/// Asks for the extras, side by side.
pub(crate) fn extras(cx: &Context, builder: &Result<docker::Endpoint, Finding>) -> Extras {
    std::thread::scope(|scope| {
        let metrics = scope.spawn(|| kubectl::top(&cx.runner, &cx.kube(), &Selection::all()));
        let images = images(cx, builder);
        // A cluster without metrics and one whose metrics don't answer look the same here: there are none to show.
        let metrics = metrics.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).ok().flatten();
        Extras { metrics, images }
    })
}

/// The address, asked only where a pod could answer.
pub(crate) fn endpoint(cx: &Context, objects: &Objects) -> (Option<(State, String)>, Option<Finding>) {
    let Some(public) = cx.public_service().map(|service| &service.name) else { return (None, None) };
    let part = parts(cx).into_iter().find(|part| part.name == *public);
    let up = part.is_some_and(|part| health::ready(objects, &part) > 0);
    if !up {
        return (Some((State::Fail, format!("not asked: no pod of {public} is ready"))), None);
    }
    match observe::endpoints(cx) {
        Ok(all) => match all.first() {
            Some(Endpoint { ok: true, address, said, .. }) => (Some((State::Ok, format!("{address}  {said}"))), None),
            Some(bad) => (
                Some((State::Fail, format!("{}  {}", bad.address, bad.said))),
                Some(crate::steps::endpoints::unanswered(cx, bad)),
            ),
            None => (None, None),
        },
        Err(finding) => (Some((State::Fail, finding.cause.clone())), Some(finding)),
    }
}

/// Whose pods are shown.
pub(crate) fn parts(cx: &Context) -> Vec<Part> {
    let database = cx.database().filter(|_| cx.only.is_empty());
    let database = database.map(|d| Part { name: "database".to_owned(), release: d.release.clone(), own: None });
    let services = cx.services().into_iter().map(|(release, service, mapping)| Part {
        name: service.name.clone(),
        release: release.name.clone(),
        own: Some(Own { component: mapping.component.clone(), image: service.image.clone(), alone: release.services.len() == 1 }),
    });
    database.into_iter().chain(services).collect()
}

/// The releases of these parts, each once.
pub(crate) fn releases(parts: &[Part]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        if !names.contains(&part.release) {
            names.push(part.release.clone());
        }
    }
    names
}

/// The health as of these objects and extras.
pub(crate) fn health(cx: &Context, objects: &Objects, extras: &Extras, endpoint: Option<(State, String)>) -> Health {
    let parts = parts(cx);
    health::of(&Seen {
        headline: format!("{} on {} (layout {}, namespace {})", cx.config.name, cx.profile(), cx.layout, cx.config.namespace),
        releases: releases(&parts),
        parts,
        objects,
        metrics: extras.metrics.as_deref(),
        endpoint,
        images: extras.images.clone(),
        now: watch::now(),
    })
}

/// Findings about releases themselves, which no pod shows.
pub(crate) fn release_findings(cx: &Context, objects: &Objects) -> Vec<Finding> {
    let names = releases(&parts(cx));
    let known: Vec<(String, Option<(u32, String)>)> =
        names.into_iter().map(|name| (name.clone(), objects.helm_status(&name))).collect();
    if known.iter().all(|(_, status)| status.is_none()) {
        return vec![not_deployed(cx, objects)];
    }
    let found = known.into_iter().filter_map(|(name, status)| match status {
        None => Some(
            finding(codes::RELEASE_NOT_FOUND, &name, format!("release `{name}` is not deployed"))
                .remedy("install it", deploy(cx)),
        ),
        Some((_, status)) if status == "deployed" => None,
        Some((revision, status)) if status.starts_with("pending-") => Some(
            finding(
                codes::RELEASE_PENDING,
                &name,
                format!("release `{name}` revision {revision} is {status}: a helm run is under way, or was cut off"),
            )
            .remedy("recover it, if no helm is at work", deploy(cx)),
        ),
        Some((revision, status)) => Some(
            finding(codes::RELEASE_STATE_FAILED, &name, format!("release `{name}` revision {revision} is {status}"))
                .remedy("upgrade over it", deploy(cx))
                .remedy("go back to the last one that worked", format!("cargo xtask rollback --release {name}")),
        ),
    });
    found.collect()
}

/// Whether a helm that began a revision may still be at it: it has no longer than this.
pub(crate) fn may_be_at_work(cx: &Context, objects: &Objects, release: &str) -> bool {
    let limit = cx.config.deadlines.release + cx.config.deadlines.migration;
    let began = objects.helm_began(release).and_then(Timestamp::parse);
    began.is_some_and(|began| watch::now().seconds_since(began) < i64::try_from(limit.as_secs()).unwrap_or(i64::MAX))
}

fn deploy(cx: &Context) -> String {
    if cx.layout == cx.config.layout {
        "cargo xtask deploy".to_owned()
    } else {
        format!("cargo xtask deploy --layout {}", cx.layout)
    }
}

fn not_deployed(cx: &Context, objects: &Objects) -> Finding {
    let namespace = &cx.config.namespace;
    let pods = objects.of_kind("Pod").count();
    let mut found = finding(
        codes::RELEASE_NOT_FOUND,
        &cx.config.name,
        format!("`{}` is not deployed in namespace `{namespace}` (layout {})", cx.config.name, cx.layout),
    );
    if pods > 0 {
        found = found.evidence(format!("namespace/{namespace}"), format!("{pods} pods of something else"));
    }
    found.remedy("deploy it", deploy(cx))
}

/// How many times the containers of a pod were started again.
pub(crate) fn restarts(pod: &serde_json::Value) -> i64 {
    let statuses = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let all = statuses.iter().flat_map(|at| pod.pointer(at).and_then(serde_json::Value::as_array).into_iter().flatten());
    all.map(|s| number(s, "/restartCount")).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_keeps_a_cluster_from_answering_has_a_command_that_helps() {
        for (state, code) in [
            (ClusterState::Missing, codes::PROFILE_MISSING),
            (ClusterState::Stopped, codes::PROFILE_STOPPED),
            (ClusterState::Paused, codes::CLUSTER_PAUSED),
            (ClusterState::KubeconfigStale, codes::KUBECONFIG_STALE),
            (ClusterState::Degraded("kubelet Stopped".into()), codes::API_DOWN),
            (ClusterState::Unseen, codes::API_DOWN),
        ] {
            let found = not_running("minikube", &state);
            assert_eq!(found.code, code);
            assert_eq!(found.class, plan::finding::Class::Cluster, "{state:?}");
            assert!(found.remedies.first().is_some_and(|r| r.command.is_some()), "{state:?}");
            assert!(found.cause.contains("`minikube`"), "{}", found.cause);
        }
    }

    #[test]
    fn restarts_of_all_containers_of_a_pod_count() {
        let pod = serde_json::json!({"status": {"containerStatuses": [{"restartCount": 2}, {}], "initContainerStatuses": [{"restartCount": 1}]}});
        assert_eq!((restarts(&pod), restarts(&serde_json::json!({}))), (3, 0));
    }
}
