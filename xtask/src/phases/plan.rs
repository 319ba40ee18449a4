//! `plan`: what deploy would do and why.

use plan::action::Action;
use report::event::{Event, StepName};
use report::lines::COLUMNS;
use report::text;
use serde_json::json;

use super::deploy;
use crate::cli::{BuildFlags, Selection};
use crate::exec;
use crate::session::{Done, Failed, Phase, Session};

/// Where the reasons begin.
const WHY_AT: usize = 42;

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
        lines.push(line(verb, name, &exec::without_object(name, &why)));
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

/// One step: what is done with it, which it is, and why; a long reason goes on below.
fn line(verb: &str, name: &StepName, why: &str) -> String {
    let head = format!("  {verb:<8}{:<11}{:<20} ", name.kind, name.object);
    let wrapped = text::wrap(&text::clean(why), COLUMNS.saturating_sub(text::width(&head)).max(20));
    format!("{head}{}", wrapped.join(&format!("\n{}", " ".repeat(WHY_AT)))).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_to_80_columns() {
        let why = "14 files changed: app/__init__.py, app/main.py, app/a-file-with-a-long-name.py, 11 more";
        for object in ["", "api", "a-service-with-quite-a-long-name"] {
            let text = line("build", &StepName::new("image", object), why);
            assert!(text.lines().all(|line| text::width(line) <= COLUMNS), "{text}");
            assert!(text.starts_with(&format!("  build   image      {object} ")), "{text}");
        }
        let text = line("keep", &StepName::new("tools", ""), "docker 28.2.2, helm 3.22, kubectl 1.36.2, minikube 1.38.1");
        let (first, second) = text.split_once('\n').unwrap();
        assert_eq!(first.len() - first.trim_start_matches(|c| c != 'd').len(), WHY_AT, "{text}");
        assert_eq!(second.len() - second.trim_start().len(), WHY_AT, "{text}");
    }
}
