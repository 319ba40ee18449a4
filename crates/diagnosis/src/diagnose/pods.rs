//! What is wrong with one pod: the first cause, from the node inwards.

use super::cause::{Cause, Depth, Heal};
use super::facts::{Condition, Container, ContainerStatus, Event, Facts, Pod, Timestamp};
use super::{container, ends, probes, scheduling, volumes};
use crate::catalogue::{codes, finding};
use crate::finding::Finding;

/// Seconds that a deleted pod may take beyond its own grace period.
pub(crate) const TERMINATION_SLACK: i64 = 30;

/// A pod and what is around it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) pod: &'a Pod,
    pub(crate) now: Timestamp,
    /// The Deployment's `progressDeadlineSeconds`, which bounds every grace.
    pub(crate) progress_deadline: Option<i64>,
    /// That deadline is over already.
    pub(crate) deadline_exceeded: bool,
}

impl<'a> View<'a> {
    /// The service, else the controller's name, else the pod's.
    pub(crate) fn who(&self) -> String {
        let meta = &self.pod.metadata;
        // A job runs a service's image and is something else: migrations.
        if of_job(self.pod)
            && let Some(job) = meta.labels.get(super::facts::COMPONENT).or(meta.owner_references.first().map(|owner| &owner.name))
        {
            return job.clone();
        }
        if let Some(service) = self.facts.scope.service(meta, &self.pod.spec) {
            return service;
        }
        let Some(owner) = meta.owner_references.first() else { return meta.name.clone() };
        match (owner.kind.as_str(), owner.name.rsplit_once('-')) {
            ("ReplicaSet", Some((deployment, _))) => deployment.to_owned(),
            _ => owner.name.clone(),
        }
    }

    /// The service of xtask.toml that it is of, by which its settings are named there.
    pub(crate) fn service(&self) -> String {
        self.facts.scope.service(&self.pod.metadata, &self.pod.spec).unwrap_or_else(|| self.who())
    }

    /// A finding about this pod.
    pub(crate) fn finding(&self, code: &'static str, cause: impl Into<String>) -> Finding {
        let mut finding = finding(code, format!("pod/{}", self.pod.metadata.name), cause);
        finding.service = self.facts.scope.service(&self.pod.metadata, &self.pod.spec);
        finding
    }

    /// `kubectl --context … -n … describe pod …`
    pub(crate) fn describe(&self) -> String {
        self.facts.scope.kubectl(&format!("describe pod {}", self.pod.metadata.name))
    }

    /// The command that shows the log of a container: `cargo xtask logs` for a service.
    pub(crate) fn logs(&self, container: &str, previous: bool) -> String {
        let previous = if previous { " --previous" } else { "" };
        self.facts.scope.kubectl(&format!("logs {} -c {container}{previous}", self.pod.metadata.name))
    }

    /// Its events, oldest first.
    pub(crate) fn events(&self) -> Vec<&'a Event> {
        self.facts.events_of("Pod", &self.pod.metadata)
    }

    pub(crate) fn condition(&self, kind: &str) -> Option<&'a Condition> {
        self.pod.status.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// `deadline`, but no later than the Deployment's own.
    pub(crate) fn bounded(&self, deadline: Timestamp) -> Timestamp {
        if self.deadline_exceeded {
            return self.now;
        }
        match (self.progress_deadline, self.pod.metadata.creation_timestamp) {
            (Some(seconds), Some(created)) => deadline.min(created.plus_seconds(seconds)),
            _ => deadline,
        }
    }
}

/// A container together with its state.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) spec: &'a Container,
    pub(crate) status: Option<&'a ContainerStatus>,
    pub(crate) init: bool,
}

/// The first cause of the pod's trouble, if it has any.
pub(crate) fn cause(view: &View<'_>) -> Option<Cause> {
    let pod = view.pod;
    if let Some(deleted) = pod.metadata.deletion_timestamp {
        return terminating(view, deleted);
    }
    match pod.status.phase.as_str() {
        "Succeeded" => return None,
        "Failed" => return failed(view),
        _ => {}
    }
    if let Some(unscheduled) = view.condition("PodScheduled").filter(|condition| condition.status == "False") {
        return Some(scheduling::cause(view, unscheduled));
    }
    let parts = parts(pod);
    let mut causes: Vec<Cause> = parts.iter().filter_map(|part| container::cause(view, part)).collect();
    if causes.is_empty() {
        causes.extend(volumes::cause(view));
        causes.extend(sandbox(view));
    }
    causes.extend(parts.iter().filter(|part| !part.init).filter_map(|part| probes::cause(view, part)));
    // A Job tries again by itself, and says when it gives up.
    causes.retain(|cause| cause.depth != Depth::Crash || !of_job(pod));
    // The first of the deepest: containers come in their order.
    let deepest = causes.iter().map(|cause| (cause.depth, !cause.is_due(view.now))).min()?;
    causes.into_iter().find(|cause| (cause.depth, !cause.is_due(view.now)) == deepest)
}

fn of_job(pod: &Pod) -> bool {
    pod.metadata.owner_references.iter().any(|owner| owner.kind == "Job")
}

/// Init containers first, as they run.
pub(crate) fn parts(pod: &Pod) -> Vec<Part<'_>> {
    let status = |statuses: &'_ [ContainerStatus], name: &str| statuses.iter().position(|status| status.name == name);
    let init = pod.spec.init_containers.iter().map(|spec| Part {
        spec,
        status: status(&pod.status.init_container_statuses, &spec.name).map(|at| &pod.status.init_container_statuses[at]),
        init: true,
    });
    let main = pod.spec.containers.iter().map(|spec| Part {
        spec,
        status: status(&pod.status.container_statuses, &spec.name).map(|at| &pod.status.container_statuses[at]),
        init: false,
    });
    init.chain(main).collect()
}

fn terminating(view: &View<'_>, deleted: Timestamp) -> Option<Cause> {
    let over = view.now.seconds_since(deleted);
    (over > TERMINATION_SLACK).then(|| stuck(view.facts, "pod", &view.pod.metadata, over)).map(|mut cause| {
        cause.finding.service = view.facts.scope.service(&view.pod.metadata, &view.pod.spec);
        cause
    })
}

/// An object that should be gone for `over` seconds.
pub(crate) fn stuck(facts: &Facts, kind: &str, meta: &super::facts::Meta, over: i64) -> Cause {
    let name = &meta.name;
    let held = if meta.finalizers.is_empty() {
        "nothing says why: does its node answer?".to_owned()
    } else {
        format!("held by finalizer `{}`", meta.finalizers.join("`, `"))
    };
    let over = super::facts::Seconds(over);
    let text = format!("{kind} `{name}` does not go away: {held}");
    let mut found = finding(codes::STUCK_TERMINATING, format!("{kind}/{name}"), text)
        .evidence(format!("{kind}/{name} metadata.deletionTimestamp"), format!("should have been gone {over} ago"));
    let namespaced = kind != "namespace";
    let run = |args: &str| if namespaced { facts.scope.kubectl(args) } else { facts.scope.kubectl_cluster(args) };
    if meta.finalizers.is_empty() {
        found = found.remedy("see what its node says", run(&format!("describe {kind} {name}")));
        if kind == "pod" {
            found = found.remedy("forget it", run(&format!("delete pod {name} --grace-period=0 --force")));
        }
    } else {
        found = found
            .evidence(format!("{kind}/{name} metadata.finalizers"), meta.finalizers.join(", "))
            .remedy("let the owner of the finalizer finish; see what it says", run(&format!("describe {kind} {name}")))
            .remedy(
                "last resort, skips what the finalizer protects",
                run(&format!(r#"patch {kind} {name} --type=merge -p {{"metadata":{{"finalizers":null}}}}"#)
                    .replace("-p {", "-p '{")
                    .replace("null}}", "null}}'")),
            );
    }
    Cause::now(Depth::Placement, found)
}

fn failed(view: &View<'_>) -> Option<Cause> {
    let status = &view.pod.status;
    let who = view.who();
    if status.reason == "Evicted" {
        let found =
            view.finding(codes::EVICTED, format!("{who} was evicted: {}", status.message.trim().trim_end_matches('.'))).evidence(
                format!("pod/{} status", view.pod.metadata.name),
                format!("Evicted: {}", status.message.trim().trim_end_matches('.')),
            );
        // Over its own limit, or in the way when the node ran short.
        let found = if status.message.contains("exceeds the") {
            found.remedy(format!("raise that limit in the values of {who}, or write less, then"), "cargo xtask deploy")
        } else {
            found.remedy("remove images that no pod uses", "cargo xtask cleanup --scope images").remedy(
                "see what the node is short of",
                view.facts.scope.kubectl_cluster(&format!("describe node {}", view.pod.spec.node_name)),
            )
        };
        return Some(Cause::now(Depth::Placement, found));
    }
    // A failed pod of a Job is one try of several: the Job says when it gives up.
    if of_job(view.pod) {
        return None;
    }
    let ended = parts(view.pod).into_iter().find_map(|part| ends::ended_badly(view, &part));
    let reason = if status.reason.is_empty() { "its program ended with an error" } else { &status.reason };
    // It ended for good: nothing starts it again.
    let ended = ended.map(|cause| Cause { heal: Heal::Never, ..cause });
    Some(ended.unwrap_or_else(|| {
        let found = view
            .finding(codes::POD_FAILED, format!("{who} failed: {reason} {}", status.message).trim_end())
            .evidence(format!("pod/{} status", view.pod.metadata.name), format!("{reason} {}", status.message).trim_end())
            .remedy("", view.describe());
        Cause::now(Depth::Crash, found)
    }))
}

/// Seconds that a node may need to set up the network of a pod.
pub(crate) const SANDBOX_GRACE: i64 = 20;

fn sandbox(view: &View<'_>) -> Option<Cause> {
    let event = view.events().into_iter().rev().find(|event| event.reason == "FailedCreatePodSandBox")?;
    let first = event.first_seen()?;
    let found = view
        .finding(codes::SANDBOX_FAILED, format!("{} can't be set up on the node: {}", view.who(), first_line(&event.message)))
        .evidence("event FailedCreatePodSandBox", &event.message)
        .remedy("see what the node says", view.describe())
        .remedy("a restart of the cluster mostly helps: stop it, then run `cargo xtask setup`", "minikube stop");
    Some(Cause::until(
        Depth::Placement,
        found,
        first.plus_seconds(SANDBOX_GRACE),
        format!("{SANDBOX_GRACE}s for the network of the node"),
    ))
}

/// The first line of a message.
pub(crate) fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}
