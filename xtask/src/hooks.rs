//! helm, watched while it runs: its hooks (migrations) run inside its own call, and it says nothing of them before its time is over.

use std::time::{Duration, Instant};

use plan::diagnose::live::{Kind, Progress, Target, Tracker, Verdict};
use plan::finding::Finding;
use plan::objects::{label, text};
use serde_json::Value;
use tools::helm::{self, Helm, Upgrade};
use tools::kubectl::{Watch, WatchEvent, WatchItem, WatchPath};
use tools::runner::FollowEvent;
use tools::{Refusal, ToolError};

use crate::context::Context;
use crate::exec::Running;
use crate::{failure, watch};

/// A release without hooks is applied within this: until then nothing is watched.
const NO_HOOKS: Duration = Duration::from_secs(2);
/// How long helm is waited for between two looks at the streams.
const TICK: Duration = Duration::from_millis(100);
/// What hooks are made of.
const KINDS: [Kind; 3] = [Kind::Jobs, Kind::Pods, Kind::Events];

/// Installs or upgrades a release. A hook that can't succeed ends the call at once; helm then marks the release as failed itself.
pub(crate) fn upgrade(cx: &Context, run: &Running<'_>, helm: Helm, upgrade: &Upgrade) -> Result<(), Vec<Finding>> {
    let invocation = helm::upgrade_invocation(helm, &cx.kube(), upgrade);
    let begun = Instant::now();
    let follow = cx.runner.spawn_follow(&invocation).map_err(|e| failure::internal(e.to_string()))?;
    let mut hooks: Option<Hooks> = None;
    loop {
        match follow.recv_timeout(TICK) {
            Some(FollowEvent::Ended(result)) => {
                let ended = cx
                    .runner
                    .answer(&invocation, result, |output| if output.exit.is_success() { Ok(()) } else { Err(Refusal::Failed) });
                return ended.map_err(|error| explained(cx, &upgrade.release, &error));
            }
            Some(FollowEvent::Line(_)) => continue,
            None => {}
        }
        if begun.elapsed() < NO_HOOKS {
            continue;
        }
        if hooks.is_none() {
            hooks = Some(Hooks::watch(cx, &upgrade.release)?);
        }
        if let Some(hooks) = &mut hooks
            && let Some(findings) = hooks.look(cx, run)
        {
            return Err(findings);
        }
    }
}

/// helm's failure: the hook that failed if one did, else helm's own words.
pub(crate) fn explained(cx: &Context, release: &str, error: &ToolError) -> Vec<Finding> {
    let own = failure::finding(cx, error);
    let mut causes = watch::look_for_causes(cx, release).unwrap_or_default();
    // The rollout has its own step: here only what runs inside helm's call explains its failure.
    causes.retain(|f| f.severity == plan::finding::Severity::Error && f.subject.starts_with("job/"));
    match causes.first_mut() {
        Some(first) => {
            first.original = own.original;
            causes
        }
        None => vec![own],
    }
}

/// The jobs that helm runs for a release, as they go on.
struct Hooks {
    release: String,
    watch: Watch,
    /// What came in before a job was seen.
    before: Vec<WatchItem>,
    tracker: Option<Tracker>,
    said: String,
}

impl Hooks {
    fn watch(cx: &Context, release: &str) -> Result<Self, Finding> {
        let namespace = &cx.config.namespace;
        let path =
            |kind: &Kind| WatchPath { kind: kind.resource().to_owned(), path: kind.list_path(namespace), labels: String::new() };
        let watch =
            Watch::start(&cx.runner, &cx.profile(), KINDS.iter().map(path).collect()).map_err(|f| failure::finding(cx, &f))?;
        Ok(Self { release: release.to_owned(), watch, before: Vec::new(), tracker: None, said: String::new() })
    }

    /// Takes in what has happened; gives the causes once a hook can't succeed.
    fn look(&mut self, cx: &Context, run: &Running<'_>) -> Option<Vec<Finding>> {
        while let Some(item) = self.watch.recv_timeout(Duration::ZERO) {
            let Some(tracker) = &mut self.tracker else {
                let job = self.active_job(&item);
                self.before.push(item);
                if let Some(job) = job {
                    self.follow(cx, job);
                }
                continue;
            };
            // A stream that is not understood is helm's to wait for: its own end comes.
            watch::take(cx, tracker, item).ok();
        }
        let tracker = self.tracker.as_mut()?;
        watch::fetch_logs(cx, tracker);
        let at = watch::now();
        if let Verdict::Failing(findings) = tracker.verdict(at) {
            return Some(findings);
        }
        let progress: Vec<String> = tracker.progress(at).iter().map(Progress::to_string).collect();
        watch::tell(run, &mut self.said, progress.join(", "));
        None
    }

    fn follow(&mut self, cx: &Context, job: String) {
        let scope = watch::scope(cx, Some(&self.release));
        let mut tracker = Tracker::new(scope, vec![Target::Job { name: job }], watch::changed_at(cx, &self.release));
        for item in self.before.drain(..) {
            watch::take(cx, &mut tracker, item).ok();
        }
        self.tracker = Some(tracker);
    }

    /// The name of a job of this release that has not ended, if the item holds one.
    fn active_job(&self, item: &WatchItem) -> Option<String> {
        let ours = |job: &&Value| {
            label(job, "app.kubernetes.io/instance") == self.release
                && job.pointer("/status/completionTime").is_none()
                && job.pointer("/metadata/deletionTimestamp").is_none()
        };
        let name = |job: &Value| text(job, "/metadata/name").to_owned();
        match item {
            WatchItem::Listed { kind, objects } if kind == Kind::Jobs.resource() => objects.iter().find(ours).map(name),
            WatchItem::Changed { kind, event: WatchEvent::Added(job) | WatchEvent::Modified(job) }
                if kind == Kind::Jobs.resource() =>
            {
                Some(job).filter(ours).map(name)
            }
            _ => None,
        }
    }
}
