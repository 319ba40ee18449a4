//! helm, watched while it runs: its hooks (migrations) run inside its own call, and it says nothing of them before its time is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use plan::diagnose::facts::Job;
use plan::diagnose::live::{Kind, Target, Tracker, Verdict};
use plan::finding::Finding;
use plan::objects::text;
use tools::helm::{self, Helm, Upgrade};
use tools::kubectl::Watch;
use tools::runner::FollowEvent;
use tools::{Refusal, ToolError};

use crate::context::Context;
use crate::exec::Running;
use crate::job_logs::JobLogs;
use crate::{failure, watch};

/// Where watching costs processes: a release without hooks is applied within this, and until then nothing is watched.
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
    let patience = if cx.api.way(&cx.runner, &cx.profile()).is_some() { Duration::ZERO } else { NO_HOOKS };
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
        if begun.elapsed() < patience {
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
    let Ok(facts) = watch::facts(cx, Some(release)) else { return vec![own] };
    let mut causes = plan::diagnose::cluster(&facts, watch::now());
    let before = jobs_before(cx);
    // The rollout has its own step: here only what ran inside helm's call explains its failure, and no job of a run before.
    let of_this_call = |subject: &str| {
        let job = subject.strip_prefix("job/").and_then(|name| facts.jobs.get(name));
        job.is_some_and(|job| !before.contains(&job.metadata.uid))
    };
    causes.retain(|f| f.severity == plan::finding::Severity::Error && of_this_call(&f.subject));
    match causes.first_mut() {
        Some(first) => {
            first.original = own.original;
            causes
        }
        None => vec![own],
    }
}

/// The uids of jobs that were there before helm was called: it makes its own anew.
fn jobs_before(cx: &Context) -> BTreeSet<String> {
    cx.look(|world| {
        let jobs = world.objects.iter().flat_map(|objects| objects.of_kind("Job"));
        jobs.map(|job| text(job, "/metadata/uid").to_owned()).collect()
    })
}

/// The jobs that helm runs for a release, as they go on.
struct Hooks {
    release: String,
    watch: Watch,
    tracker: Tracker,
    logs: JobLogs,
    /// See [`jobs_before`].
    before: BTreeSet<String>,
    /// The one that is followed: helm runs one after the other.
    job: Option<String>,
    said: String,
}

impl Hooks {
    fn watch(cx: &Context, release: &str) -> Result<Self, Finding> {
        let watch = watch::streams(cx, watch::paths(cx, &KINDS))?;
        let tracker = Tracker::new(watch::scope(cx, Some(release)), Vec::new(), watch::changed_at(cx, release));
        let (release, before) = (release.to_owned(), jobs_before(cx));
        Ok(Self { release, watch, tracker, logs: JobLogs::default(), before, job: None, said: String::new() })
    }

    /// Takes in what has happened; gives the causes once a hook can't succeed.
    fn look(&mut self, cx: &Context, run: &Running<'_>) -> Option<Vec<Finding>> {
        while let Some(item) = self.watch.recv_timeout(Duration::ZERO) {
            // A stream that is not understood is helm's to wait for: its own end comes.
            watch::take(cx, &mut self.tracker, item).ok();
        }
        if let Some(job) = self.running_job().filter(|job| self.job.as_ref() != Some(job)) {
            self.tracker.aim(vec![Target::Job { name: job.clone() }]);
            self.job = Some(job);
        }
        self.job.as_ref()?;
        watch::fetch_logs(cx, &mut self.tracker);
        self.logs.look(cx, &mut self.tracker);
        let at = watch::now();
        let text = match self.tracker.verdict(at) {
            Verdict::Failing(findings) => return Some(findings),
            Verdict::Grace { until, why, finding } => watch::grace(at, until, &why, &finding),
            Verdict::Waiting | Verdict::Done => watch::progress(&self.tracker, at),
        };
        watch::tell(run, &mut self.said, text);
        None
    }

    /// The youngest job that helm waits for: of this release by its label, or a hook that names no release.
    fn running_job(&self) -> Option<String> {
        let is_hook = |job: &&Job| match job.metadata.labels.get("app.kubernetes.io/instance") {
            Some(release) => *release == self.release,
            None => job.metadata.annotations.contains_key("helm.sh/hook"),
        };
        let is_over = |job: &Job| {
            let mut conditions = job.status.conditions.iter().filter(|condition| condition.status == "True");
            self.before.contains(&job.metadata.uid) || conditions.any(|c| matches!(c.kind.as_str(), "Complete" | "Failed"))
        };
        let jobs = self.tracker.facts().jobs.values().filter(is_hook).filter(|job| !is_over(job));
        let youngest = jobs.max_by_key(|job| (job.metadata.creation_timestamp, job.metadata.name.clone()))?;
        Some(youngest.metadata.name.clone())
    }
}
