//! Why the volumes of a pod don't come.

use super::cause::{Cause, Depth};
use super::pods::{View, first_line};
use crate::catalogue::codes;

/// Seconds: a Secret or claim may be created a moment after the pod; the kubelet tries again after 0.5, 1, 2, 4, 8 and 16 s.
pub(crate) const GRACE: i64 = 35;

pub(crate) fn cause(view: &View<'_>) -> Option<Cause> {
    let creating = |reason: &str| matches!(reason, "ContainerCreating" | "PodInitializing");
    let statuses = view.pod.status.container_statuses.iter().chain(&view.pod.status.init_container_statuses);
    let mut waits = statuses.filter_map(|status| status.state.waiting.as_ref()).map(|waiting| waiting.reason.as_str());
    if !waits.any(creating) {
        return None;
    }
    let event = view
        .events()
        .into_iter()
        .rev()
        .find(|event| matches!(event.reason.as_str(), "FailedMount" | "FailedAttachVolume" | "FailedMapVolume"))?;
    let message = event.message.as_str();
    let who = view.who();
    let volume = message.split('"').nth(1).unwrap_or("?");
    let rest = message.split_once(" : ").map_or(message, |(_, rest)| rest);
    let scope = &view.facts.scope;
    let named = |word: &str| rest.split_once(&format!("{word} \"")).and_then(|(_, rest)| rest.split('"').next());
    let missing = message.contains("not found") || message.contains("non-existent");
    let found = match (missing, named("secret"), named("configmap")) {
        (true, Some(secret), _) => view
            .finding(
                codes::MOUNT_SOURCE_MISSING,
                format!("{who} can't start: secret `{secret}` for volume `{volume}` does not exist"),
            )
            .remedy("install again; it comes from .env or the chart", "cargo xtask deploy")
            .remedy("see which exist", scope.kubectl("get secrets")),
        (true, _, Some(config_map)) => view
            .finding(
                codes::MOUNT_SOURCE_MISSING,
                format!("{who} can't start: configmap `{config_map}` for volume `{volume}` does not exist"),
            )
            .remedy("install again; it comes with the chart", "cargo xtask deploy")
            .remedy("see which exist", scope.kubectl("get configmaps")),
        (true, None, None) => view
            .finding(codes::MOUNT_SOURCE_MISSING, format!("{who} can't start: volume `{volume}`: {}", first_line(rest)))
            .remedy("install again", "cargo xtask deploy")
            .remedy("", view.describe()),
        (false, _, _) => view
            .finding(codes::MOUNT_FAILED, format!("{who} can't start: volume `{volume}` can't be mounted: {}", first_line(rest)))
            .remedy("", view.describe()),
    };
    let found = found.evidence(format!("event {} (seen {} times)", event.reason, event.times()), message);
    let first = event.first_seen()?;
    let deadline = view.bounded(first.plus_seconds(GRACE));
    Some(Cause::until(Depth::Placement, found, deadline, format!("{GRACE}s for the volume to appear")))
}
