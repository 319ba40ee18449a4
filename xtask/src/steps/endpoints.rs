//! The application's address, asked as a browser on this machine would.

use std::time::{Duration, Instant};

use plan::action::Action;
use plan::catalogue::{codes, finding};
use plan::config::Access;
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
                None if all.is_empty() => Action::keep("no service listens on a port"),
                None => Action::keep(all.iter().map(|e| format!("{} {}", e.service, e.said)).collect::<Vec<_>>().join(", ")),
            },
        })
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        if let Some(lacks) = no_ingress(cx) {
            return Err(vec![lacks]);
        }
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

/// Where an ingress is to lead to the application and the chart made none for its host: waiting does not help.
fn no_ingress(cx: &Context) -> Option<Finding> {
    let public = cx.public();
    let host = public.host.as_deref().filter(|_| public.access == Access::Ingress)?;
    let (release, _) = cx.layout().of_service(&public.service)?;
    let hosts: Vec<String> = cx.look(|world| {
        let ingresses = world
            .objects
            .iter()
            .flat_map(|o| o.of_release(&release.name))
            .filter(|o| plan::objects::text(o, "/kind") == "Ingress");
        let rules = ingresses.filter_map(|o| o.pointer("/spec/rules")?.as_array()).flatten();
        rules.map(|rule| plan::objects::text(rule, "/host").to_owned()).collect()
    });
    // A rule without a host is for all of them.
    if hosts.iter().any(|h| h == host || h.is_empty()) {
        return None;
    }
    let there = if hosts.is_empty() { "no Ingress".to_owned() } else { format!("only for {}", hosts.join(", ")) };
    Some(
        finding(codes::ENDPOINT_UNREACHABLE, &public.service, format!("release `{}` has no Ingress for host `{host}`", release.name))
            .service(&public.service)
            .evidence(format!("Ingresses of release {}", release.name), there)
            .advice("name the chart's own values as `ingress_enabled` and `ingress_host` in `keys` of the release, or write them to `set`")
            .advice("or reach it otherwise: `public.access = \"port-forward\"`"),
    )
}

/// What it means that an address does not answer as it should.
pub(crate) fn unanswered(cx: &Context, bad: &Endpoint) -> Finding {
    let code = if bad.reached { codes::HEALTH_WRONG } else { codes::ENDPOINT_UNREACHABLE };
    let found =
        finding(code, &bad.service, format!("`{}` does not answer as it should at {}: {}", bad.service, bad.address, bad.said))
            .service(&bad.service)
            .evidence(&bad.address, if bad.body.is_empty() { &bad.said } else { &bad.body })
            .remedy("see what the service says", format!("cargo xtask logs {}", bad.service));
    let found = match ingress_host(cx).filter(|_| !bad.reached) {
        Some((host, address)) => found
            .remedy("the name has to lead to the node", format!("echo '{address} {host}' | sudo tee -a /etc/hosts"))
            .remedy("and something has to serve Ingresses there", format!("minikube -p {} addons enable ingress", cx.profile())),
        None => found,
    };
    found.remedy("see everything at a glance", format!("cargo xtask status --layout {}", cx.layout))
}

/// The host of the ingress, where there is to be one, and the node's address.
fn ingress_host(cx: &Context) -> Option<(String, String)> {
    let public = cx.public();
    let host = public.host.clone().filter(|_| public.access == Access::Ingress)?;
    Some((host, cx.look(|world| world.node.as_ref().map(|node| node.address.clone()))?))
}
