//! `explain`: what a code of a failure means.

use plan::catalogue::{self, Entry};
use plan::finding::Class;
use plan::problem;
use report::event::Event;
use report::text;
use serde_json::json;

use crate::session::{Done, Phase, Session};

/// Where the text begins.
const INDENT: usize = 10;

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
        let mut finding =
            plan::finding::Finding::error(catalogue::codes::UNKNOWN, Class::Usage, code, format!("there is no code `{code}`"));
        if let Some(near) = problem::nearest(&code.to_ascii_uppercase(), catalogue::all().map(|e| e.code)) {
            finding = finding.remedy("did you mean", format!("cargo xtask explain {near}"));
        }
        return Err(finding.remedy("see all", "cargo xtask explain --list").into());
    };
    session.reporter.send(Event::Answer { about: "explain", text: page(entry), data: json!({"code": entry.code, "title": entry.title, "meaning": entry.meaning, "recognised": entry.recognised, "remedies": entry.remedies, "exit_code": entry.class.exit_code()}) });
    Ok(Done::default())
}

/// The entry as a page of at most 80 columns.
fn page(entry: &Entry) -> String {
    let mut lines = vec![format!("{}: {}", entry.code, entry.title), String::new()];
    let mut paragraph = |label: &str, body: &str| {
        for (index, line) in text::wrap(body, 80 - INDENT).into_iter().enumerate() {
            lines.push(format!("{:<INDENT$}{line}", if index == 0 { label } else { "" }));
        }
    };
    paragraph("meaning", entry.meaning);
    paragraph("seen by", entry.recognised);
    for (index, remedy) in entry.remedies.iter().enumerate() {
        paragraph(if index == 0 { "fix" } else { "or" }, remedy);
    }
    paragraph("exit", &entry.class.exit_code().to_string());
    lines.join("\n")
}
