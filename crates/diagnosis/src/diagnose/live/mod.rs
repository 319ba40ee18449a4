//! A rollout as it happens: lists and watch events in, progress and verdicts out. Pure; the caller reads the streams and the clock.
//!
//! Per kind: list, give it to [`Tracker::list`], then watch from [`Tracker::resource_version`] and give each line to [`Tracker::line`];
//! on [`Watch::Relist`] list again, on the end of the stream watch again. After each change, and at [`Tracker::next_look`], ask
//! [`Tracker::verdict`]; fetch what [`Tracker::wants_logs`] names and give it to [`Tracker::log`] (a verdict may become milder or
//! more exact by it).

mod done;
mod progress;
mod streams;

use std::collections::BTreeSet;

use super::cause::{Cause, Depth, Heal};
use super::facts::{Facts, Pod, Scope, Seconds, Timestamp};
use super::{log, pods, probes, rank, workloads};
use crate::catalogue::{codes, finding};
use crate::finding::{Finding, Severity};

pub use progress::Progress;
pub use streams::{Kind, Watch};

/// Seconds: what was broken before the rollout began is tried again by the kubelet.
pub(crate) const OLD_TROUBLE: i64 = 30;

/// What has to become ready.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A Deployment; `generation` is the least that counts, where it is known (from the answer to the apply).
    Deployment {
        /// Its name.
        name: String,
        /// `metadata.generation` after the change.
        generation: Option<i64>,
    },
    /// A `StatefulSet`.
    StatefulSet {
        /// Its name.
        name: String,
        /// `metadata.generation` after the change.
        generation: Option<i64>,
    },
    /// A `DaemonSet`.
    DaemonSet {
        /// Its name.
        name: String,
        /// `metadata.generation` after the change.
        generation: Option<i64>,
    },
    /// A Job that has to complete.
    Job {
        /// Its name.
        name: String,
    },
}

impl Target {
    /// A Deployment of any generation.
    pub fn deployment(name: impl Into<String>) -> Self {
        Self::Deployment { name: name.into(), generation: None }
    }

    /// `Deployment/todo-backend`
    pub fn workload(&self) -> String {
        match self {
            Self::Deployment { name, .. } => format!("Deployment/{name}"),
            Self::StatefulSet { name, .. } => format!("StatefulSet/{name}"),
            Self::DaemonSet { name, .. } => format!("DaemonSet/{name}"),
            Self::Job { name } => format!("Job/{name}"),
        }
    }
}

/// Where the rollout stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong; it is not done.
    Waiting,
    /// Something is not right and may heal until then.
    Grace {
        /// When it becomes a failure, by the caller's clock.
        until: Timestamp,
        /// What the time was computed from: "the readiness probe allows 30s".
        why: String,
        /// What it will be then.
        finding: Box<Finding>,
    },
    /// It can't become ready by waiting; root causes first.
    Failing(Vec<Finding>),
    /// Every target is ready.
    Done,
}

/// A log that would make a finding better.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogRequest {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The log before its last restart.
    pub previous: bool,
    /// Which run of the container it is of: 0 is the first. A container may start again while its log is being read.
    pub run: i64,
    /// It runs and is not ready.
    pub running: bool,
}

impl LogRequest {
    /// Arguments for kubectl, after `--context` and `-n`.
    pub fn args(&self) -> Vec<String> {
        let mut args =
            vec!["logs".to_owned(), self.pod.clone(), "-c".to_owned(), self.container.clone(), "--tail=200".to_owned()];
        if self.previous {
            args.push("--previous".to_owned());
        }
        args
    }
}

/// Follows a rollout.
#[derive(Clone, Debug)]
pub struct Tracker {
    facts: Facts,
    targets: Vec<Target>,
    started: Timestamp,
    streams: streams::Streams,
    /// Runs whose log was given: pod, container, run, whether it still ran.
    logs_given: BTreeSet<(String, String, i64, bool)>,
}

impl Tracker {
    /// Follows `targets` from `now` on. The scope's services and what they wait for name and fold causes.
    pub fn new(scope: Scope, targets: Vec<Target>, now: Timestamp) -> Self {
        Self {
            facts: Facts::new(scope),
            targets,
            started: now,
            streams: streams::Streams::default(),
            logs_given: BTreeSet::new(),
        }
    }

    /// What is known; also for nodes, claims, quotas and secret keys that the caller wants to add.
    pub fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// What is known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes in a log that [`Self::wants_logs`] named; an empty text says that there is none.
    pub fn log(&mut self, request: &LogRequest, text: &str) {
        self.logs_given.insert((request.pod.clone(), request.container.clone(), request.run, request.running));
        self.facts.add_log(&request.pod, &request.container, request.previous, text);
    }

    /// Follows other targets from now on, with what is known.
    pub fn aim(&mut self, targets: Vec<Target>) {
        self.targets = targets;
    }

    /// The containers, by pod and name, of Jobs that run: what their logs say as they grow tells whether they get on.
    pub fn growing_logs(&self) -> Vec<(String, String)> {
        let is_target = |pod: &Pod| {
            let mut owners = pod.metadata.owner_references.iter().filter(|owner| owner.kind == "Job");
            owners.any(|owner| self.targets.contains(&Target::Job { name: owner.name.clone() }))
        };
        let running = self.facts.pods.values().filter(|pod| pod.status.phase == "Running" && is_target(pod));
        let parts = running.flat_map(|pod| pods::parts(pod).into_iter().map(move |part| (pod, part)));
        parts
            .filter(|(_, part)| !part.init && part.status.is_some_and(|status| status.state.running.is_some()))
            .map(|(pod, part)| (pod.metadata.name.clone(), part.spec.name.clone()))
            .collect()
    }

    /// Takes in such a log as it is at `now`.
    pub fn grew(&mut self, (pod, container): (&str, &str), text: &str, now: Timestamp) {
        self.facts.add_log(pod, container, false, text);
        let key = (pod.to_owned(), container.to_owned());
        if log::waits(text).is_some() {
            let since = self.streams.cluster_time(now);
            self.facts.waits.entry(key).or_insert(since);
        } else {
            self.facts.waits.remove(&key);
        }
    }

    /// Logs of containers that ended, or whose readiness probe failed several times; not given yet.
    pub fn wants_logs(&self) -> Vec<LogRequest> {
        let mut wanted = BTreeSet::new();
        for pod in self.facts.pods.values() {
            if pod.metadata.deletion_timestamp.is_some()
                || !workloads::is_current(&self.facts, pod)
                || !self.concerns(&workloads::workload(&self.facts, pod))
            {
                continue;
            }
            for part in pods::parts(pod) {
                let Some(status) = part.status else { continue };
                let ended = |state: &super::facts::ContainerState| {
                    state.terminated.as_ref().is_some_and(|end| end.exit_code != 0 || !part.init)
                };
                let previous = !ended(&status.state) && ended(&status.last_state);
                let running = !previous && !ended(&status.state);
                if running && !probes::fails_often(&self.facts, pod, &part) {
                    continue;
                }
                let (pod, container) = (pod.metadata.name.clone(), part.spec.name.clone());
                let run = if previous { status.restart_count - 1 } else { status.restart_count };
                if !self.logs_given.contains(&(pod.clone(), container.clone(), run, running)) {
                    wanted.insert(LogRequest { pod, container, previous, run, running });
                }
            }
        }
        wanted.into_iter().collect()
    }

    /// Where the rollout stands at `now`.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let cluster_now = self.streams.cluster_time(now);
        let causes = self.causes(cluster_now);
        let due: Vec<Cause> = causes.iter().filter(|cause| cause.is_due(cluster_now)).cloned().collect();
        if !due.is_empty() {
            return Verdict::Failing(rank::rank(&self.facts, due));
        }
        if self.done_at(cluster_now).is_some_and(|at| cluster_now >= at) {
            return Verdict::Done;
        }
        let graces = causes.into_iter().filter_map(|cause| match cause.heal {
            Heal::Until { deadline, why } => Some((deadline, why, cause.finding)),
            Heal::Never => None,
        });
        match graces.min_by_key(|(deadline, ..)| *deadline) {
            Some((deadline, why, finding)) => {
                Verdict::Grace { until: self.streams.local_time(deadline), why, finding: Box::new(finding) }
            }
            None => Verdict::Waiting,
        }
    }

    /// When the verdict may change although nothing comes in: the end of a grace, or of the time that a program without a readiness
    /// probe is watched.
    pub fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let cluster_now = self.streams.cluster_time(now);
        let graces = self.causes(cluster_now).into_iter().filter_map(|cause| match cause.heal {
            Heal::Until { deadline, .. } => Some(deadline),
            Heal::Never => None,
        });
        let next = graces.chain(self.done_at(cluster_now)).filter(|at| *at > cluster_now).min()?;
        Some(self.streams.local_time(next))
    }

    /// The findings when the caller's own time is over: what is wrong or, if nothing is known to be, what was waited for.
    pub fn give_up(&self, now: Timestamp) -> Vec<Finding> {
        let cluster_now = self.streams.cluster_time(now);
        let causes = self.causes(cluster_now);
        if !causes.is_empty() {
            return rank::rank(&self.facts, causes);
        }
        let waited = Seconds(now.seconds_since(self.started));
        let unready = self.progress(now).into_iter().filter(|progress| !progress.done);
        let findings: Vec<Finding> = unready
            .map(|progress| {
                let (kind, name) = progress.workload.split_once('/').unwrap_or(("", &progress.workload));
                let subject = format!("{}/{name}", kind.to_lowercase());
                let text = format!("{} is not ready after {waited}: {}", progress.service, progress.doing);
                let mut found = finding(codes::ROLLOUT_DEADLINE, &subject, text)
                    .evidence(format!("{subject} status"), format!("{} of {} pods ready", progress.ready, progress.wanted))
                    .remedy("see every pod", "cargo xtask status")
                    .remedy("", self.facts.scope.kubectl(&format!("describe {} {name}", kind.to_lowercase())));
                found.service = Some(progress.service);
                found
            })
            .collect();
        findings
    }

    /// How every target stands, in their order.
    pub fn progress(&self, now: Timestamp) -> Vec<Progress> {
        let cluster_now = self.streams.cluster_time(now);
        self.targets.iter().map(|target| progress::of(&self.facts, target, cluster_now)).collect()
    }

    /// When every target is ready; in the future while a program without a readiness probe is still watched.
    fn done_at(&self, cluster_now: Timestamp) -> Option<Timestamp> {
        let mut latest = cluster_now;
        for target in &self.targets {
            latest = latest.max(done::at(&self.facts, target, cluster_now)?);
        }
        Some(latest)
    }

    /// Whether a workload is a target, or a target waits for its service.
    fn concerns(&self, workload: &str) -> bool {
        if workload.is_empty() || self.targets.iter().any(|target| target.workload() == workload) {
            return true;
        }
        let Some(service) = service_of(&self.facts, workload) else { return false };
        self.targets
            .iter()
            .filter_map(|target| service_of(&self.facts, &target.workload()))
            .any(|target| self.facts.scope.depends(&target, &service))
    }

    fn causes(&self, cluster_now: Timestamp) -> Vec<Cause> {
        let causes = super::causes(&self.facts, cluster_now)
            .into_iter()
            .filter(|cause| cause.finding.severity == Severity::Error && self.concerns(&cause.workload));
        let causes: Vec<Cause> = causes.map(|cause| self.forgive_old(cause)).collect();
        let hard: BTreeSet<Option<String>> =
            causes.iter().filter(|cause| cause.is_due(cluster_now)).map(|cause| cause.finding.service.clone()).collect();
        let unread: BTreeSet<String> = self
            .wants_logs()
            .into_iter()
            .filter(|request| !request.running)
            .map(|request| format!("pod/{}", request.pod))
            .collect();
        // While a service that it waits for is still coming up, a refused connection or an unready answer is no failure; nor is a
        // crash whose log nobody has read yet, which may say just that.
        let soft = |cause: &Cause| cause.soft || (cause.depth == Depth::Crash && unread.contains(&cause.finding.subject));
        causes
            .into_iter()
            .map(|cause| match &cause.finding.service {
                Some(service) if soft(&cause) && cause.depth != Depth::Deadline && self.needs_time(service, &hard) => Cause {
                    heal: Heal::Until {
                        deadline: cluster_now.plus_seconds(OLD_TROUBLE),
                        why: "a service that it waits for is still starting".to_owned(),
                    },
                    ..cause
                },
                _ => cause,
            })
            .collect()
    }

    fn needs_time(&self, service: &str, failing: &BTreeSet<Option<String>>) -> bool {
        self.facts.pods.values().any(|pod| {
            let Some(other) = self.facts.scope.service(&pod.metadata, &pod.spec) else { return false };
            let ready = pod.status.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True");
            !ready
                && pod.status.phase != "Succeeded"
                && pod.metadata.deletion_timestamp.is_none()
                && self.facts.scope.depends(service, &other)
                && !failing.contains(&Some(other))
        })
    }

    fn created(&self, kind: &str, name: &str) -> Option<Timestamp> {
        let facts = &self.facts;
        let meta = match kind {
            "pod" => &facts.pods.get(name)?.metadata,
            // A template that comes back finds its old set: what counts is since when that can't make pods.
            "replicaset" => {
                let set = facts.replica_sets.get(name)?;
                let failure = set.status.conditions.iter().find(|c| c.kind == "ReplicaFailure" && c.status == "True");
                return failure.and_then(|failure| failure.last_transition_time).or(set.metadata.creation_timestamp);
            }
            "deployment" => &facts.deployments.get(name)?.metadata,
            "statefulset" => &facts.stateful_sets.get(name)?.metadata,
            "daemonset" => &facts.daemon_sets.get(name)?.metadata,
            "job" => &facts.jobs.get(name)?.metadata,
            _ => return None,
        };
        meta.creation_timestamp
    }

    /// What was there before the rollout began may be broken for a reason that is mended already.
    fn forgive_old(&self, cause: Cause) -> Cause {
        let started = self.streams.cluster_time(self.started);
        let created = cause.finding.subject.split_once('/').and_then(|(kind, name)| self.created(kind, name));
        if created.is_none_or(|created| created >= started.plus_seconds(-2)) {
            return cause;
        }
        let patience = started.plus_seconds(OLD_TROUBLE);
        let heal = match cause.heal {
            Heal::Until { deadline, why } if deadline >= patience => Heal::Until { deadline, why },
            _ => Heal::Until { deadline: patience, why: format!("{OLD_TROUBLE}s: it was so before, the node tries again") },
        };
        Cause { heal, ..cause }
    }
}

/// The service of a workload, by the labels of its object and by its images.
fn service_of(facts: &Facts, workload: &str) -> Option<String> {
    let (kind, name) = workload.split_once('/')?;
    let (meta, template) = match kind {
        "Deployment" => facts.deployments.get(name).map(|it| (&it.metadata, &it.spec.template))?,
        "StatefulSet" => facts.stateful_sets.get(name).map(|it| (&it.metadata, &it.spec.template))?,
        "DaemonSet" => facts.daemon_sets.get(name).map(|it| (&it.metadata, &it.spec.template))?,
        "Job" => facts.jobs.get(name).map(|it| (&it.metadata, &it.spec.template))?,
        _ => return None,
    };
    facts.scope.service(meta, &template.spec)
}
