//! `JUnit` XML: each step is a test case. The format is what Jenkins, GitLab and GitHub's report actions read in common.

use std::time::Duration;

use diagnosis::finding::{Finding, Severity};

use super::event::Outcome;
use super::record::{Record, StepRecord};

/// The file. `now` is the length of a run that has no end of its own.
pub(super) fn render(record: &Record, now: Duration) -> String {
    let mut cases: Vec<(Kind, String)> = record.steps.iter().map(|step| case(record, step, now)).collect();
    // An error that belongs to no step that failed (a refused config, say) is a case of its own: it must not be lost.
    for finding in
        record.findings.iter().filter(|finding| finding.severity == Severity::Error && owner(record, finding).is_none())
    {
        let name = format!("{} {}", finding.code, finding.subject);
        cases.push((
            Kind::Failed,
            element("finding", name.trim_end(), Duration::ZERO, &failure("failure", &finding.cause, &[finding])),
        ));
    }
    let count = |kind| cases.iter().filter(|(found, _)| *found == kind).count();
    let took = record.end.as_ref().map_or(now.saturating_sub(record.begun), |end| end.took);
    let counts = format!(
        "name=\"cargo xtask {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
        escape(record.phase),
        cases.len(),
        count(Kind::Failed),
        count(Kind::Stopped),
        count(Kind::Skipped),
        seconds(took),
    );
    let cases: String = cases.into_iter().map(|(_, xml)| xml).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite {counts}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failed,
    Stopped,
    Skipped,
}

fn case(record: &Record, step: &StepRecord, now: Duration) -> (Kind, String) {
    let (kind, mut inner) = match &step.end {
        None => (Kind::Stopped, failure("error", &format!("stopped while it ran: {}", step.progress), &[])),
        Some(end) => match end.outcome {
            Outcome::Keep | Outcome::Ok => (Kind::Passed, String::new()),
            Outcome::Skip => (Kind::Skipped, format!("      <skipped message=\"{}\"/>\n", escape(&end.text))),
            Outcome::Fail => {
                let causes: Vec<&Finding> =
                    record.findings_in_order().into_iter().filter(|finding| is_owner(record, finding, step)).collect();
                let message = causes.first().map_or(end.text.as_str(), |finding| finding.cause.as_str());
                (Kind::Failed, failure("failure", message, &causes))
            }
        },
    };
    if !step.output.is_empty() {
        let lines: Vec<&str> = step.output.iter().map(String::as_str).collect();
        inner.push_str(&format!("      <system-out>{}</system-out>\n", escape_text(&lines.join("\n"))));
    }
    let took = step.end.as_ref().map_or(now.saturating_sub(step.started), |end| end.took);
    (kind, element(step.name.kind, &step.name.to_string(), took, &inner))
}

fn is_owner(record: &Record, finding: &Finding, step: &StepRecord) -> bool {
    finding.severity == Severity::Error && owner(record, finding).is_some_and(|owner| std::ptr::eq(owner, step))
}

/// The failed step that a finding explains: the one about its service or subject, else the first that failed.
fn owner<'a>(record: &'a Record, finding: &Finding) -> Option<&'a StepRecord> {
    let failed = || record.steps.iter().filter(|step| step.end.as_ref().is_some_and(|end| end.outcome == Outcome::Fail));
    let about = |step: &&StepRecord| {
        let object = step.name.object.as_str();
        !object.is_empty() && (finding.service.as_deref() == Some(object) || finding.subject == object)
    };
    // One that names a service is not put under the step of another.
    let for_all = |step: &&StepRecord| finding.service.is_none() || step.name.object.is_empty();
    failed().find(about).or_else(|| failed().find(for_all))
}

fn element(class: &str, name: &str, took: Duration, inner: &str) -> String {
    let head = format!("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"", escape(class), escape(name), seconds(took));
    if inner.is_empty() { format!("{head}/>\n") } else { format!("{head}>\n{inner}    </testcase>\n") }
}

fn failure(tag: &str, message: &str, causes: &[&Finding]) -> String {
    let mut body = String::new();
    for finding in causes {
        body.push_str(&format!("{}: {}\n", finding.code, finding.cause));
        for evidence in &finding.evidence {
            body.push_str(&format!("{}: {}\n", evidence.source, evidence.text));
        }
        for remedy in &finding.remedies {
            body.push_str(&format!("fix: {} {}\n", remedy.text, remedy.command.as_deref().unwrap_or_default()));
        }
    }
    format!("      <{tag} message=\"{}\">{}</{tag}>\n", escape(message), escape_text(body.trim_end()))
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// For attributes, where a bare line end would be read as a space.
fn escape(text: &str) -> String {
    escape_text(text).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}

/// For text. What XML 1.0 can't hold even escaped is left out.
fn escape_text(text: &str) -> String {
    let can_be_held = |c: &char| matches!(c, '\n' | '\t') || !matches!(c, '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(can_be_held).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
