//! Looking at the world: as few processes as can be, side by side, into one snapshot.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::desired::Image;
use plan::finding::Finding;
use plan::invocation::{Invocation, Tool};
use plan::objects::{Objects, label, text};
use plan::snapshot::{ClusterState, DockerHost, Node, NodeImage, Snapshot};
use serde_json::Value;

use crate::context::Context;
use crate::failure;

/// What answers within this answers; minikube's own status takes 15 s right after the API server went away (recordings).
const QUESTION: Duration = Duration::from_secs(30);

/// Kinds that say how the pods are; one process asks for them.
const WORKLOADS: &str = "deployments,statefulsets,daemonsets,replicasets,pods,jobs";
/// Kinds that releases and the tool itself write; the other process asks for them.
const SETTINGS: &str = "nodes,namespaces,services,configmaps,secrets,serviceaccounts,ingresses,networkpolicies,poddisruptionbudgets,\
                        horizontalpodautoscalers,persistentvolumeclaims,resourcequotas,limitranges";

/// Looks at everything that `deploy` compares. minikube is only asked when the API server does not answer, and the node's docker
/// through the remembered endpoint where that is provably the node's.
pub(crate) fn everything(cx: &Context, wanted: &[Image]) -> Result<Snapshot, Finding> {
    let remembered = cx.caches.docker_host(&cx.profile());
    let (live, images) = std::thread::scope(|scope| {
        let images = scope.spawn(|| remembered.as_ref().map(|host| node_images(cx, host, wanted)));
        let live = live_objects(cx);
        (live, images.join())
    });
    let images = images.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match live {
        Ok(objects) => {
            let node = node(&objects, &cx.profile());
            let mut snapshot =
                Snapshot { cluster: ClusterState::Running, node, objects: Some(objects), images: None, docker: None };
            // The answer counts only if it came from this node: a port of this machine may belong to another profile by now.
            let proven = remembered.filter(|host| host.address().is_some() && host.address() == snapshot.node.as_ref().map(|n| n.address.as_str()));
            match (proven, images) {
                (Some(host), Some(Ok(found))) => {
                    snapshot.docker = Some(host);
                    snapshot.images = Some(found);
                }
                _ => docker(cx, &mut snapshot, wanted)?,
            }
            Ok(snapshot)
        }
        Err(unreachable) => {
            let mut snapshot = Snapshot { cluster: cluster_state(cx)?, ..Snapshot::default() };
            if snapshot.cluster == ClusterState::Running {
                // minikube says that all is well and kubectl says no: kubectl's reason is the finding.
                return Err(unreachable);
            }
            snapshot.docker = None;
            Ok(snapshot)
        }
    }
}

/// Asks minikube where the node's docker is, remembers it, and lists the wanted images.
pub(crate) fn docker(cx: &Context, snapshot: &mut Snapshot, wanted: &[Image]) -> Result<(), Finding> {
    let host = tools::minikube::docker_env(&cx.runner, &cx.profile()).map_err(|f| failure::finding(cx, &f))?;
    let host = DockerHost { env: host };
    snapshot.images = Some(node_images(cx, &host, wanted)?);
    cx.caches.remember_docker_host(&cx.profile(), &host);
    snapshot.docker = Some(host);
    Ok(())
}

/// What minikube says of the profile.
pub(crate) fn cluster_state(cx: &Context) -> Result<ClusterState, Finding> {
    tools::minikube::status(&cx.runner, &cx.profile()).map(|s| s.state()).map_err(|f| failure::finding(cx, &f))
}

/// The objects of the namespace, the namespace itself and the node, by two processes side by side.
pub(crate) fn live_objects(cx: &Context) -> Result<Objects, Finding> {
    let ask = |kinds: &'static str, what: &'static str| {
        tools::kubectl::get(&cx.runner, &cx.kube(), kinds, what, QUESTION).map_err(|f| failure::finding(cx, &f))
    };
    std::thread::scope(|scope| {
        let workloads = scope.spawn(|| ask(WORKLOADS, "look at the workloads"));
        let settings = ask(SETTINGS, "look at the settings");
        let workloads = workloads.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut objects = Objects::new(settings?);
        objects.extend(Objects::new(workloads?));
        Ok(objects)
    })
}

/// The node of the profile, as the API server describes it.
pub(crate) fn node(objects: &Objects, profile: &str) -> Option<Node> {
    let found = objects.of_kind("Node").find(|n| label(n, "minikube.k8s.io/name") == profile && label(n, "minikube.k8s.io/primary") != "false")?;
    let addresses = found.pointer("/status/addresses").and_then(Value::as_array);
    let address = addresses.into_iter().flatten().find(|a| text(a, "/type") == "InternalIP").map(|a| text(a, "/address"));
    Some(Node {
        name: text(found, "/metadata/name").to_owned(),
        profile: label(found, "minikube.k8s.io/name").to_owned(),
        address: address.unwrap_or_default().to_owned(),
        kubelet: text(found, "/status/nodeInfo/kubeletVersion").to_owned(),
        runtime: text(found, "/status/nodeInfo/containerRuntimeVersion").to_owned(),
        architecture: text(found, "/status/nodeInfo/architecture").to_owned(),
        cpu_milli: plan::units::cpu_milli(text(found, "/status/allocatable/cpu")).unwrap_or_default(),
        memory: plan::units::quantity(text(found, "/status/allocatable/memory")).unwrap_or_default(),
    })
}

/// The wanted images that the node's docker has, with their labels: one process for all.
pub(crate) fn node_images(cx: &Context, host: &DockerHost, wanted: &[Image]) -> Result<BTreeMap<String, NodeImage>, Finding> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let references: Vec<String> = wanted.iter().map(Image::reference).collect();
    let found = tools::docker::inspect_images(&cx.runner, &host.env, &references).map_err(|f| failure::finding(cx, &f))?;
    Ok(found
        .into_iter()
        .flat_map(|image| {
            let node_image = NodeImage { id: image.id, tags: image.tags.clone(), labels: image.labels };
            image.tags.into_iter().map(move |tag| (tag, node_image.clone()))
        })
        .collect())
}

/// Looks at the live objects again and keeps what it saw.
pub(crate) fn refresh_objects(cx: &Context) -> Result<(), Finding> {
    let objects = live_objects(cx)?;
    let node = node(&objects, &cx.profile());
    cx.update(|world| {
        world.cluster = ClusterState::Running;
        world.node = node;
        world.objects = Some(objects);
    });
    Ok(())
}
