//! `helm test`, watched while it runs: it waits for a test's pod until its time is over, also for one that can't start.

use std::time::{Duration, Instant};

use plan::finding::{Class, Finding, Severity};
use tools::helm::{self, Tests};
use tools::runner::FollowEvent;

use crate::context::Context;
use crate::{failure, watch};

/// How long helm is waited for between two looks at whether it has ended.
const TICK: Duration = Duration::from_millis(200);
/// Between two looks at the pods. A pod is given up when two of them find it stuck.
const LOOK: Duration = Duration::from_secs(5);

/// Runs the tests of a release.
pub(crate) fn run(cx: &Context, release: &str, deadline: Duration) -> Result<Tests, Vec<Finding>> {
    let invocation = helm::test_invocation(&cx.kube(), release, deadline);
    let follow = cx.runner.spawn_follow(&invocation).map_err(|e| failure::internal(e.to_string()))?;
    let mut looked = Instant::now();
    let mut suspects: Vec<String> = Vec::new();
    loop {
        match follow.recv_timeout(TICK) {
            Some(FollowEvent::Ended(result)) => {
                let tests = cx.runner.answer(&invocation, result, helm::parse_test);
                return Ok(tests.map_err(|f| failure::finding(cx, &f))?);
            }
            None if looked.elapsed() >= LOOK => {
                let mut stuck = stuck(cx, release);
                let names = stuck.iter().map(|f| f.subject.clone()).collect();
                stuck.retain(|f| suspects.contains(&f.subject));
                if !stuck.is_empty() {
                    return Err(stuck);
                }
                suspects = names;
                looked = Instant::now();
            }
            Some(FollowEvent::Line(_)) | None => {}
        }
    }
}

/// Why pods of tests can't start. A look that fails finds nothing: helm's own end comes.
fn stuck(cx: &Context, release: &str) -> Vec<Finding> {
    let Ok(facts) = watch::facts(cx, Some(release)) else { return Vec::new() };
    let mut found = plan::diagnose::cluster(&facts, watch::now());
    // Whatever keeps a pod from starting, here it is a test that fails.
    for finding in &mut found {
        finding.class = Class::Test;
    }
    found.retain(|finding| {
        let pod = finding.subject.strip_prefix("pod/").and_then(|name| facts.pods.get(name));
        finding.severity == Severity::Error
            && pod.is_some_and(|pod| pod.metadata.annotations.get("helm.sh/hook").is_some_and(|hook| hook.contains("test")))
    });
    found
}
