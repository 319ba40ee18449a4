//! Why a pod gets no node.

use super::cause::{Cause, Depth};
use super::facts::{Condition, PodSpec};
use super::pods::View;
use super::quantity;
use crate::catalogue::codes;

/// Seconds that a pod may wait for another one to go before it is called unschedulable.
pub(crate) const GRACE: i64 = 30;

pub(crate) fn cause(view: &View<'_>, condition: &Condition) -> Cause {
    let message = condition.message.as_str();
    let who = view.who();
    let short = summary(message);
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let mut hopeless = false;
    let mut found = if has(&["Insufficient cpu", "Insufficient memory"]) {
        let (code, resource) = if message.contains("Insufficient cpu") {
            (codes::UNSCHEDULABLE_CPU, "cpu")
        } else {
            (codes::UNSCHEDULABLE_MEMORY, "memory")
        };
        let asked = requested(&view.pod.spec, resource);
        let largest = view.facts.nodes.values().filter_map(|node| quantity::milli(node.status.allocatable.get(resource)?)).max();
        hopeless = largest.is_some_and(|largest| asked > largest);
        let asks = quantity::show(resource, asked);
        let text = match largest {
            Some(largest) if hopeless => {
                format!(
                    "{who} can't be scheduled: it asks for {asks}, the largest node has {}",
                    quantity::show(resource, largest)
                )
            }
            _ => format!("{who} can't be scheduled: it asks for {asks}, no node has that much left"),
        };
        let name = if resource == "cpu" { "CPUs" } else { "memory" };
        let key = if resource == "cpu" { "cluster.cpus" } else { "cluster.memory" };
        view.finding(code, text)
            .evidence("spec.containers resources.requests", format!("{resource}: {asks}"))
            .advice(format!("lower `resources.requests.{resource}` of {who} in the values, then: cargo xtask deploy"))
            .remedy(
                format!(
                    "or make the cluster anew with more {name}: raise `{key}` in xtask.toml, run this, then `cargo xtask setup`"
                ),
                "cargo xtask cleanup --scope cluster",
            )
            .remedy("see what takes it now", view.facts.scope.kubectl_cluster("describe nodes"))
    } else if has(&["node affinity/selector", "didn't match Pod's node affinity"]) {
        let wanted: Vec<String> = view.pod.spec.node_selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = if wanted.is_empty() {
            format!("{who} can't be scheduled: no node matches its node affinity")
        } else {
            format!("{who} can't be scheduled: no node has the label `{}`", wanted.join("`, `"))
        };
        let found = view.finding(codes::UNSCHEDULABLE_SELECTOR, text).advice("remove nodeSelector or affinity from the values");
        match (wanted.is_empty(), view.facts.nodes.keys().next()) {
            (false, node) => found.remedy(
                "or label the node",
                view.facts.scope.kubectl_cluster(&format!(
                    "label node {} {}",
                    node.map_or("minikube", String::as_str),
                    wanted.join(" ")
                )),
            ),
            (true, _) => found,
        }
    } else if has(&["persistentvolumeclaim", "PersistentVolumeClaims", "volume node affinity"]) {
        volume(view, message, &who)
    } else if has(&["untolerated taint", "were unschedulable"]) {
        let text = format!("{who} can't be scheduled: {short}");
        let cordoned = message.contains("unschedulable");
        let found = view.finding(codes::UNSCHEDULABLE_TAINT, text);
        match view.facts.nodes.values().find(|node| node.spec.unschedulable) {
            Some(node) => found.remedy(
                "the node is cordoned; take it back",
                view.facts.scope.kubectl_cluster(&format!("uncordon {}", node.metadata.name)),
            ),
            None if cordoned => {
                found.remedy("the node is cordoned; take it back", view.facts.scope.kubectl_cluster("uncordon minikube"))
            }
            None => found.remedy("see the taints and why they are there", view.facts.scope.kubectl_cluster("describe nodes")),
        }
    } else {
        view.finding(codes::UNSCHEDULABLE, format!("{who} can't be scheduled: {short}")).remedy("", view.describe())
    };
    found = found.evidence("condition PodScheduled", message);
    let since = condition.last_transition_time.or(view.pod.metadata.creation_timestamp);
    match since {
        Some(since) if !hopeless => {
            let deadline = view.bounded(since.plus_seconds(GRACE));
            Cause::until(Depth::Placement, found, deadline, format!("{GRACE}s for other pods to make room"))
        }
        _ => Cause::now(Depth::Placement, found),
    }
}

fn volume(view: &View<'_>, message: &str, who: &str) -> crate::finding::Finding {
    let named = message.split('"').nth(1).map(str::to_owned);
    let claims = || view.pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    let claim = named.or_else(|| claims().next().map(|source| source.claim_name.clone()));
    let name = claim.unwrap_or_else(|| "?".to_owned());
    let scope = &view.facts.scope;
    let known = view.facts.claims.contains_key(&name);
    let text = if message.contains("not found") && !known {
        format!("{who} can't be scheduled: volume claim `{name}` does not exist")
    } else {
        format!("{who} can't be scheduled: volume claim `{name}` is not bound")
    };
    let mut found = view.finding(codes::UNSCHEDULABLE_VOLUME, text);
    if let Some(claim) = view.facts.claims.get(&name) {
        found = found.evidence(
            format!("persistentvolumeclaim/{name}"),
            format!("{}, storage class `{}`", claim.status.phase, claim.spec.storage_class_name),
        );
        for event in view.facts.events_of("PersistentVolumeClaim", &claim.metadata).iter().filter(|event| event.kind == "Warning")
        {
            found = found.evidence(format!("event {}", event.reason), &event.message);
        }
        found = found
            .remedy("see why it is not bound", scope.kubectl(&format!("describe pvc {name}")))
            .remedy("a missing storage class: minikube has one", "minikube addons enable default-storageclass");
    } else {
        found = found
            .remedy("the chart should bring it: install again", "cargo xtask deploy")
            .remedy("see which claims exist", scope.kubectl("get pvc"));
    }
    found
}

/// The scheduler's sentence without the part about preemption.
fn summary(message: &str) -> &str {
    let end = ["preemption:", "no new claims"].iter().filter_map(|word| message.find(word)).min().unwrap_or(message.len());
    let start = message.find("nodes are available: ").map_or(0, |at| at + "nodes are available: ".len());
    message.get(start..end).unwrap_or(message).trim().trim_end_matches(['.', ',', ' '])
}

/// What a pod asks for, in thousandths: all containers together, or the largest init container.
pub(crate) fn requested(spec: &PodSpec, resource: &str) -> i128 {
    let of = |container: &super::facts::Container| {
        container.resources.requests.get(resource).and_then(|text| quantity::milli(text)).unwrap_or_default()
    };
    let main: i128 = spec.containers.iter().map(of).sum();
    main.max(spec.init_containers.iter().map(of).max().unwrap_or_default())
}
