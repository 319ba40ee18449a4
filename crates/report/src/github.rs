//! GitHub's workflow commands: folded output, annotations, the job summary.
//!
//! Facts: the runner reads `::command key=value::text` at the start of a line (after spaces) and, anywhere in a line, `##[command]`;
//! both streams count. So no tool's line may reach the log as it came.

use std::fmt::Write as _;

use diagnosis::finding::{Finding, Severity};

use super::layout::State;
use super::record::{Record, StepRecord};
use super::text;

/// `lines` with everything that the runner would take for a command made plain text.
pub(super) fn defuse(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len());
    for line in lines.split_inclusive('\n') {
        if line.trim_start().starts_with("::") {
            out.push_str("| ");
        }
        out.push_str(&line.replace("##[", "# #["));
    }
    out
}

/// The line of a step that ended, with its tools' output folded under it.
pub(super) fn group(title: &str, step: &StepRecord) -> String {
    let mut titles: Vec<&str> = title.lines().collect();
    let last = titles.pop().unwrap_or_default();
    let mut out = String::new();
    for line in titles {
        out.push_str(&defuse(line));
        out.push('\n');
    }
    out.push_str(&format!("::group::{}\n", escape(last)));
    if step.output_dropped > 0 {
        out.push_str(&format!("| ({} earlier lines left out)\n", step.output_dropped));
    }
    for line in &step.output {
        out.push_str(&format!("| {}\n", defuse(line)));
    }
    out.push_str("::endgroup::\n");
    out
}

/// One annotation for each finding.
pub(super) fn annotations(findings: &[&Finding]) -> String {
    findings.iter().map(|finding| annotation(finding)).collect()
}

fn annotation(finding: &Finding) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = format!("title={}", escape_property(format!("{} {}", finding.code, finding.subject).trim_end()));
    if let Some((file, line)) = finding.evidence.iter().find_map(|evidence| place(&evidence.source)) {
        properties = format!("file={},line={line},{properties}", escape_property(file));
    }
    let mut text = text::clean(&finding.cause);
    for remedy in finding.remedies.iter().take(1) {
        text.push_str("\nfix: ");
        match &remedy.command {
            Some(command) if remedy.text.is_empty() => text.push_str(command),
            Some(command) => text.push_str(&format!("{}: {command}", remedy.text)),
            None => text.push_str(&remedy.text),
        }
    }
    text.push_str(&format!("\nmore: cargo xtask explain {}", finding.code));
    format!("::{command} {properties}::{}\n", escape(&text))
}

/// `xtask.toml:12` and `xtask.toml:12:3` are places that GitHub can show.
fn place(source: &str) -> Option<(&str, u32)> {
    let (file, rest) = source.split_once(':')?;
    let line = rest.split(':').next()?.parse().ok()?;
    (!file.is_empty() && !file.contains(char::is_whitespace)).then_some((file, line))
}

/// As the runner's own toolkit escapes the text of a command.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property, where `:` and `,` have a meaning too.
fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

/// The table for `$GITHUB_STEP_SUMMARY`.
pub(super) fn summary(record: &Record) -> String {
    let mut out = format!("### {}\n\n", cell(&record.headline));
    if !record.steps.is_empty() {
        out.push_str("| state | step | result | took |\n|---|---|---|---:|\n");
    }
    for step in &record.steps {
        let (state, text, took) = match &step.end {
            Some(end) => (State::from(end.outcome).word(), end.text.as_str(), text::duration(end.took)),
            None => ("stopped", step.progress.as_str(), String::new()),
        };
        // Writing to a String can't fail.
        _ = writeln!(out, "| {state} | {} | {} | {took} |", cell(&step.name.to_string()), cell(text));
    }
    for finding in record.findings_in_order() {
        let word = if finding.severity == Severity::Error { "error" } else { "warning" };
        _ = write!(out, "\n**{word}\\[{}\\]** {}\n", finding.code, cell(&finding.cause));
        for remedy in &finding.remedies {
            let command = remedy.command.as_ref().map(|command| format!("`{}`", command.replace('`', "'"))).unwrap_or_default();
            _ = writeln!(out, "- {} {command}", cell(&remedy.text));
        }
    }
    if let Some(end) = &record.end {
        _ = write!(out, "\n{}\n", cell(&end.summary));
        for (label, text) in &end.pointers {
            _ = writeln!(out, "- {label}: {}", cell(text));
        }
    }
    out
}

/// Text inside a Markdown table: one line, no cell ends, no HTML.
fn cell(text: &str) -> String {
    let text = text::clean(&text.replace('\n', " "));
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('|', "\\|")
}
