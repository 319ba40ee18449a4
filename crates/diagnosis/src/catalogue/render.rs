//! The catalogue as a page: docs/kubernetes/TROUBLESHOOTING.md.

use std::fmt::Write as _;

use super::{Entry, LAYERS};
use crate::finding::{Class, FixClass, Severity};

/// docs/kubernetes/TROUBLESHOOTING.md, complete.
pub fn troubleshooting_md() -> String {
    let mut page = String::from(
        "# Troubleshooting\n\n\
         Made from the catalogue in `crates/diagnosis/src/catalogue` by a test; don't edit it by hand.\n\
         In a terminal: `cargo xtask explain XT412`, all of them: `cargo xtask explain --list`.\n\n\
         Every failure carries a code. The first digit is the layer, the class decides the exit code.\n\n\
         | codes | layer |\n| --- | --- |\n",
    );
    // Writing to a String can't fail; the results carry nothing.
    for layer in &LAYERS {
        push(&mut page, format_args!("| {}xx | [{}](#{}) |\n", layer.prefix, layer.title, anchor(layer.title)));
    }
    page.push_str("\n| class | exit code |\n| --- | --- |\n");
    for class in Class::ALL {
        push(&mut page, format_args!("| {} | {} |\n", class_name(class), class.exit_code()));
    }
    for layer in &LAYERS {
        push(&mut page, format_args!("\n## {}\n", layer.title));
        for entry in layer.entries {
            section(&mut page, entry);
        }
    }
    page
}

fn section(page: &mut String, entry: &Entry) {
    push(page, format_args!("\n### {}: {}\n\n{}\n\n", entry.code, entry.title, entry.meaning));
    let severity = match entry.severity {
        Severity::Error => "",
        Severity::Warning => ", a warning only",
        Severity::Info => ", for information",
    };
    push(page, format_args!("Class {} (exit {}){severity}.", class_name(entry.class), entry.class.exit_code()));
    match entry.fix {
        Some(FixClass::Safe) => page.push_str(" The tool repairs it itself where the phase asks for it."),
        Some(FixClass::Asks) => page.push_str(" The tool can repair it, after a question or with `--yes`."),
        Some(FixClass::Manual) | None => {}
    }
    if entry.retry {
        page.push_str(" It may pass: the tool tries again a few times, and says so.");
    }
    push(page, format_args!("\nRecognised by: {}.\n\n", entry.recognised));
    for remedy in entry.remedies {
        push(page, format_args!("- {remedy}\n"));
    }
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    if page.write_fmt(text).is_err() {
        page.push('\u{fffd}');
    }
}

fn anchor(title: &str) -> String {
    title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-').collect::<String>().replace(' ', "-")
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Internal => "internal",
        Class::Usage => "usage",
        Class::Config => "config",
        Class::Prerequisite => "prerequisite",
        Class::Cluster => "cluster",
        Class::Build => "build",
        Class::Release => "release",
        Class::Rollout => "rollout",
        Class::Verify => "verify",
        Class::Cleanup => "cleanup",
        Class::Test => "test",
        Class::Interrupted => "interrupted",
    }
}
