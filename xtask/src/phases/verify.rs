//! `verify`: whether what runs is what should run. Looks only.

use std::time::Duration;

use plan::action::Action;
use plan::catalogue::{codes, finding};
use plan::config::{PodSecurity, Release};
use plan::finding::{Finding, Severity};
use plan::objects::text;
use plan::snapshot::ClusterState;
use report::event::{Event, StepName};
use report::text::duration;
use serde_json::Value;

use super::deploy;
use crate::checks::Checks;
use crate::cli::{BuildFlags, Selection};
use crate::context::Context;
use crate::inside;
use crate::session::{Done, Failed, Phase, Session};
use crate::steps::endpoints;
use crate::{observe, proof};

/// How long an answer from inside the cluster may take.
const ANSWER: Duration = Duration::from_secs(10);

/// `cargo xtask verify`.
pub(crate) fn verify(session: &Session, selection: &Selection) -> Phase {
    let cx = session.context(selection, BuildFlags::default())?;
    cx.reporter.send(Event::Started { phase: "verify", text: deploy::headline(&cx) });
    let world = deploy::look(&cx)?;
    cx.update(|seen| *seen = world);
    if cx.look(|world| world.cluster != ClusterState::Running) {
        let state = finding(
            codes::PROFILE_STOPPED,
            cx.profile(),
            format!("cluster `{}` does not run: there is nothing to verify", cx.profile()),
        );
        return Err(state.remedy("start it and deploy", "cargo xtask deploy").into());
    }
    let mut checks = Checks::new(&cx);
    as_deployed(&mut checks)?;
    settings(&mut checks);
    checks.look(&StepName::new("proof", "images"), || proof::running_is_built(&cx));
    if checks.findings.iter().all(|f| f.severity < Severity::Error) {
        answers(&mut checks);
    }
    let Checks { findings, passed, .. } = checks;
    let failed = findings.iter().filter(|f| f.severity == Severity::Error).count();
    if failed > 0 {
        return Err(Failed { findings, summary: format!("{failed} of {} checks failed", failed + passed) });
    }
    for warning in findings {
        cx.reporter.send(Event::Finding(Box::new(warning)));
    }
    for (_, service, _) in cx.services() {
        if service.pod_security != PodSecurity::Restricted {
            cx.reporter.send(Event::Note {
                text: format!("{} is opted down to pod security `{}` in xtask.toml", service.name, service.pod_security.as_str()),
            });
        }
    }
    Ok(Done::saying(format!("Verified in {}: {passed} checks, what runs is what should run", duration(session.elapsed()))))
}

/// Every step of deploy has to find nothing to do.
fn as_deployed(checks: &mut Checks<'_>) -> Result<(), Failed> {
    let cx = checks.cx;
    for step in deploy::all_steps(cx)? {
        let name = step.name(cx);
        if matches!(name.kind, "prune" | "endpoints") {
            continue;
        }
        checks.look(&name, || match step.decide(cx) {
            Action::Keep { what } => Ok(what),
            Action::Blocked(finding) => Err(vec![*finding]),
            Action::Do { why, .. } => Err(differs(cx, &name, &why)),
            Action::Unknown { until } => Err(differs(cx, &name, &format!("it can't be known before {until}"))),
        });
    }
    Ok(())
}

/// What it means that a step of deploy would have something to do. Where pods are the reason, they say why.
fn differs(cx: &Context, name: &StepName, why: &str) -> Vec<Finding> {
    let code = match name.kind {
        "image" => codes::IMAGE_NOT_ON_NODE,
        "secret" => codes::SECRET_KEY_ABSENT,
        "rollout" if why.contains("still runs") => codes::POD_IMAGE_DIFFERS,
        "rollout" => codes::REPLICAS_MISSING,
        _ => codes::RELEASE_DIFFERS,
    };
    let mut findings = Vec::new();
    if name.kind == "rollout" {
        findings = crate::watch::look_for_causes(cx, &name.object).unwrap_or_default();
        findings.retain(|f| f.severity == Severity::Error);
    }
    let mut own =
        finding(code, name.to_string(), format!("{name}: {why}")).evidence("compared with xtask.toml and the sources", why);
    own.class = plan::finding::Class::Verify;
    findings.push(own.remedy("put it right", "cargo xtask deploy").remedy("see what would be done", "cargo xtask plan"));
    findings
}

/// Services, configuration and secret keys are there; values are never looked at.
fn settings(checks: &mut Checks<'_>) {
    let cx = checks.cx;
    for (release, service, _) in cx.services() {
        // A worker has no Service to be found by.
        if service.port.is_some() {
            checks.look(&StepName::new("service", &service.name), || has_service(cx, release, &service.name));
        }
        checks.look(&StepName::new("config", &service.name), || referenced_keys(cx, release, &service.name));
    }
}

fn has_service(cx: &Context, release: &Release, service: &str) -> Result<String, Vec<Finding>> {
    let found = cx.look(|world| observe::service_of(cx, world, service));
    found.map(|s| format!("{} port {}", s.name, s.port)).ok_or_else(|| {
        let cause = format!("there is no Service for `{service}` in release `{}`", release.name);
        finding(codes::SERVICE_MISSING, service, cause).service(service).remedy("put it right", "cargo xtask deploy").into()
    })
}

/// Every key that a service's pods take from a ConfigMap or a Secret is there.
fn referenced_keys(cx: &Context, release: &Release, service: &str) -> Result<String, Vec<Finding>> {
    cx.look(|world| {
        let Some(objects) = &world.objects else { return Err(vec![]) };
        let workloads = cx.part(release, service).workloads(objects);
        let variables = workloads.into_iter().flat_map(|workload| {
            let containers = workload.pointer("/spec/template/spec/containers").and_then(Value::as_array);
            let env = containers.into_iter().flatten().filter_map(|c| c.pointer("/env")?.as_array()).flatten();
            env.map(move |env| (workload, env))
        });
        let (mut count, mut missing) = (0, Vec::new());
        for (workload, env) in variables {
            for (reference, kind, code) in [
                ("configMapKeyRef", "ConfigMap", codes::CONFIG_KEY_MISSING),
                ("secretKeyRef", "Secret", codes::SECRET_KEY_ABSENT),
            ] {
                let Some(wanted) = env.pointer(&format!("/valueFrom/{reference}")) else { continue };
                let (name, key) = (text(wanted, "/name"), text(wanted, "/key"));
                let optional = wanted.pointer("/optional").and_then(Value::as_bool).unwrap_or(false);
                let there = objects.get(kind, name).and_then(|o| o.pointer("/data")).and_then(|d| d.get(key)).is_some();
                count += 1;
                if !there && !optional {
                    let cause = format!("`{service}` needs key `{key}` of {kind} `{name}`, which is not there");
                    let evidence = format!("{}/{}", text(workload, "/kind").to_lowercase(), text(workload, "/metadata/name"));
                    missing.push(
                        finding(code, format!("{}/{name}", kind.to_lowercase()), cause)
                            .service(service)
                            .evidence(evidence, format!("env {}", text(env, "/name")))
                            .remedy("put it right", "cargo xtask deploy"),
                    );
                }
            }
        }
        if missing.is_empty() { Ok(format!("{count} {} present", if count == 1 { "key" } else { "keys" })) } else { Err(missing) }
    })
}

/// Health from this machine, from inside the cluster, and from one service to another.
fn answers(checks: &mut Checks<'_>) {
    let cx = checks.cx;
    if let Some(public) = cx.public_service() {
        checks.look(&StepName::new("endpoint", &public.name), || {
            let seen = observe::endpoints(cx)?;
            match seen.iter().find(|e| !e.ok) {
                Some(bad) => Err(endpoints::unanswered(cx, bad).into()),
                None => Ok(seen.iter().map(|e| format!("{} from this machine", e.said)).collect::<Vec<_>>().join(", ")),
            }
        });
    }
    let listens = |name: &str| cx.service(name).port.is_some();
    for (_, service, _) in cx.services().into_iter().filter(|(_, service, _)| service.port.is_some()) {
        for (what, path) in [("liveness", &service.health.liveness), ("readiness", &service.health.readiness)] {
            checks.look(&StepName::new("inside", format!("{} {what}", service.name)), || {
                inside::through_service(cx, &service.name, path, ANSWER)
            });
        }
    }
    for (_, service, _) in cx.services() {
        for needed in service.needs.iter().filter(|needed| listens(needed)) {
            checks.look(&StepName::new("reach", format!("{} to {needed}", service.name)), || {
                inside::from_pod(cx, &service.name, needed, ANSWER)
            });
        }
    }
}
