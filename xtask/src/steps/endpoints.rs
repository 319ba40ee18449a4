//! The application's address, asked as a browser on this machine would.

use std::time::{Duration, Instant};

use plan::action::Action;
use plan::catalogue::{codes, finding};
use plan::finding::Finding;
use plan::snapshot::Endpoint;
use report::event::StepName;
use report::text;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};

use crate::observe;

/// Between two tries of an address that does not answer yet.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Endpoints;

impl Step for Endpoints {
    fn name(&self, _cx: &Context) -> StepName {
        names::endpoints()
    }

    fn after(&self, cx: &Context) -> Vec<StepName> {
        cx.layout().releases.iter().map(|r| names::rollout(&r.name)).collect()
    }

    fn decide(&self, cx: &Context) -> Action {
        cx.look(|world| match &world.endpoints {
            None if world.objects.is_none() => Action::unknown("the application runs"),
            None => Action::act("check", "the application's address"),
            Some(all) => match all.iter().find(|e| !e.ok) {
                Some(bad) => Action::act("check", format!("{}: {}", bad.address, bad.said)),
                None => Action::keep(all.iter().map(|e| format!("{} {}", e.service, e.said)).collect::<Vec<_>>().join(", ")),
            },
        })
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let until = Instant::now() + cx.config.deadlines.endpoint;
        loop {
            let seen = observe::endpoints(cx)?;
            let bad = seen.iter().find(|e| !e.ok).cloned();
            cx.update(|world| world.endpoints = Some(seen));
            let Some(bad) = bad else { return Ok(()) };
            if Instant::now() >= until || cx.cancelled() {
                return Err(vec![unanswered(cx, &bad)]);
            }
            run.progress(format!("{}: {}, until {}", bad.address, bad.said, text::duration(until - Instant::now())));
            std::thread::sleep(PAUSE);
        }
    }
}

/// What it means that an address does not answer as it should.
pub(crate) fn unanswered(cx: &Context, bad: &Endpoint) -> Finding {
    let code = if bad.reached { codes::HEALTH_WRONG } else { codes::ENDPOINT_UNREACHABLE };
    finding(code, &bad.service, format!("`{}` does not answer as it should at {}: {}", bad.service, bad.address, bad.said))
        .service(&bad.service)
        .evidence(&bad.address, if bad.body.is_empty() { &bad.said } else { &bad.body })
        .remedy("see what the service says", format!("cargo xtask logs {}", bad.service))
        .remedy("see everything at a glance", format!("cargo xtask status --layout {}", cx.layout))
}
