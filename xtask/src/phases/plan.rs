//! `plan`: what deploy would do and why.

use plan::action::Action;
use report::event::{Event, StepName};
use serde_json::json;

use super::deploy;
use crate::cli::{BuildFlags, Selection};
use crate::exec;
use crate::session::{Done, Failed, Phase, Session};

/// `cargo xtask plan`.
pub(crate) fn plan(session: &Session, selection: &Selection, build: BuildFlags) -> Phase {
    let cx = session.context(selection, build)?;
    let steps = deploy::all_steps(&cx)?;
    let world = deploy::look(&cx)?;
    cx.update(|seen| *seen = world);
    let decisions: Vec<(StepName, Action)> = steps.iter().map(|step| (step.name(&cx), step.decide(&cx))).collect();
    let mut findings = Vec::new();
    let mut lines = Vec::new();
    for (name, action) in &decisions {
        // What is only done after a change, or only looked at while deploying, is no part of the difference.
        if matches!(name.kind, "prune" | "endpoints") {
            continue;
        }
        let (verb, why) = match action {
            Action::Keep { what } => ("keep", what.clone()),
            Action::Do { verb, why } => (*verb, why.clone()),
            Action::Unknown { until } => ("later", format!("known when {until}")),
            Action::Blocked(finding) => {
                findings.push((**finding).clone());
                ("fail", finding.cause.clone())
            }
        };
        lines.push(
            format!("  {verb:<8}{:<11}{:<21}{}", name.kind, name.object, exec::without_object(name, &why)).trim_end().to_owned(),
        );
    }
    let data = json!(decisions.iter().map(|(name, action)| json!({"step": name, "decision": action})).collect::<Vec<_>>());
    session.reporter.send(Event::Answer { about: "plan", text: lines.join("\n"), data });
    let todo = decisions
        .iter()
        .filter(|(name, a)| {
            matches!(a, Action::Do { .. } | Action::Unknown { .. }) && !matches!(name.kind, "prune" | "endpoints")
        })
        .count();
    if !findings.is_empty() {
        return Err(Failed { findings, summary: "deploy would stop there".to_owned() });
    }
    Ok(if todo == 0 {
        Done::saying("Nothing to do")
    } else {
        Done::saying(format!("{todo} of {} steps to do", lines.len())).pointer("next", "cargo xtask deploy")
    })
}
