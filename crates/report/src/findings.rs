//! Findings as a person reads them: the cause first, then what it rests on, then what to type.

use diagnosis::finding::{Evidence, Finding, Remedy, Severity};

use super::layout::{COMMAND, ERROR, Layout, WARNING};
use super::text;

/// Findings shown in full; of the others one line each.
const IN_FULL: usize = 3;

/// All findings, in the order given. `verbose` shows each in full, with the tool's own words.
pub(super) fn render(layout: &Layout, findings: &[&Finding], verbose: bool) -> String {
    let in_full = if verbose { findings.len() } else { findings.len().min(IN_FULL) };
    let (full, brief) = findings.split_at(in_full);
    let mut blocks: Vec<String> = full.iter().map(|finding| block(layout, finding, verbose)).collect();
    if !brief.is_empty() {
        blocks.push(brief.iter().map(|finding| cause(layout, finding)).collect());
    }
    blocks.join("\n")
}

/// `error[XT412]: cause`, wrapped.
fn cause(layout: &Layout, finding: &Finding) -> String {
    let (word, style) = match finding.severity {
        Severity::Error => ("error", ERROR),
        Severity::Warning => ("warning", WARNING),
        Severity::Info => ("info", COMMAND),
    };
    let tag = format!("{word}[{}]", finding.code);
    let mut lines = text::wrap(&format!("{tag}: {}", text::clean(&finding.cause)), layout.columns).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut out = match first.strip_prefix(&tag) {
        Some(rest) => format!("{}{rest}\n", layout.paint(style, &tag)),
        None => format!("{first}\n"),
    };
    for line in lines {
        out.push_str(&format!("  {line}\n"));
    }
    out
}

fn block(layout: &Layout, finding: &Finding, verbose: bool) -> String {
    let mut out = cause(layout, finding);
    if !finding.subject.is_empty() {
        out.push_str(&match finding.subject.split_once('/') {
            // `pod/name`: the kind is the label. A longer one would push the column.
            Some((kind, name)) if kind.len() <= 10 && !name.contains('/') => layout.labelled(kind, name),
            _ => layout.labelled("about", &finding.subject),
        });
    }
    for (index, Evidence { source, text }) in finding.evidence.iter().enumerate() {
        let label = if index == 0 { "evidence" } else { "" };
        let text = text.trim_end();
        out.push_str(&match (source.is_empty(), text.contains('\n')) {
            (true, _) => layout.labelled(label, text),
            (false, false) => layout.labelled(label, &format!("{source}: {text}")),
            (false, true) => layout.labelled(label, &format!("{source}:\n{text}")),
        });
    }
    if !finding.collateral.is_empty() {
        out.push_str(&layout.labelled("also down", &finding.collateral.join(", ")));
    }
    for (index, Remedy { text, command }) in finding.remedies.iter().enumerate() {
        let label = if index == 0 { "fix" } else { "or" };
        match command {
            Some(command) => out.push_str(&layout.labelled_command(label, text, command)),
            None if text.is_empty() => {}
            None => out.push_str(&layout.labelled(label, text)),
        }
    }
    out.push_str(&layout.labelled_command("more", "", &format!("cargo xtask explain {}", finding.code)));
    if let (true, Some(original)) = (verbose, &finding.original) {
        out.push_str(&layout.labelled("original", original.trim_end()));
    }
    out
}
