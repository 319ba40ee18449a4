//! `explain`: what a code of a failure means.

use plan::catalogue;
use plan::finding::Class;
use plan::problem;
use serde_json::json;

use crate::report::event::Event;
use crate::session::{Done, Phase, Session};

/// `cargo xtask explain CODE`, `explain --list`.
pub(crate) fn explain(session: &Session, code: Option<&str>, list: bool) -> Phase {
    if list {
        let lines: Vec<String> = catalogue::all().map(|entry| format!("{}  {}", entry.code, entry.title)).collect();
        let data = json!(catalogue::all().map(|entry| json!({"code": entry.code, "title": entry.title})).collect::<Vec<_>>());
        session.reporter.send(Event::Answer { about: "codes", text: lines.join("\n"), data });
        return Ok(Done::default());
    }
    let code = code.unwrap_or_default();
    let Some(entry) = catalogue::find(code) else {
        let mut finding = plan::finding::Finding::error(catalogue::codes::UNKNOWN, Class::Usage, code, format!("there is no code `{code}`"));
        if let Some(near) = problem::nearest(&code.to_ascii_uppercase(), catalogue::all().map(|e| e.code)) {
            finding = finding.remedy("did you mean", format!("cargo xtask explain {near}"));
        }
        return Err(finding.remedy("see all", "cargo xtask explain --list").into());
    };
    session.reporter.send(Event::Answer { about: "explain", text: catalogue::explain(entry), data: json!({"code": entry.code, "title": entry.title}) });
    Ok(Done::default())
}
