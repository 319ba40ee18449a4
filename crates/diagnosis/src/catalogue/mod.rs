//! The catalogue: every code that a finding may carry, what it means, how it is recognised and what to do.
//!
//! `cargo xtask explain` and docs/kubernetes/TROUBLESHOOTING.md are both made from it, so they can't disagree with the tool.

mod build;
mod cleanup;
mod cluster;
pub mod codes;
mod config;
mod internal;
mod pods;
mod release;
mod render;
mod tools;
mod verify;

pub use render::troubleshooting_md;

use serde::Serialize;

use crate::finding::{Class, Finding, FixClass, Severity};

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `XT412`
    pub code: &'static str,
    /// What is wrong, a lowercase fragment.
    pub title: &'static str,
    /// Decides the exit code.
    pub class: Class,
    /// How much it matters.
    pub severity: Severity,
    /// What it means, in sentences.
    pub meaning: &'static str,
    /// What it is recognised by: the field, event or words of a tool.
    pub recognised: &'static str,
    /// What to do, most likely first.
    pub remedies: &'static [&'static str],
    /// The class of the fix that the tool has for it, if it has one.
    pub fix: Option<FixClass>,
    /// Transient: trying again may help without anybody doing something (registries, networks). Others are never retried.
    pub retry: bool,
}

impl Entry {
    const fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    const fn retry(self) -> Self {
        Self { retry: true, ..self }
    }

    const fn fix(self, fix: FixClass) -> Self {
        Self { fix: Some(fix), ..self }
    }
}

const fn entry(
    code: &'static str,
    title: &'static str,
    class: Class,
    meaning: &'static str,
    recognised: &'static str,
    remedies: &'static [&'static str],
) -> Entry {
    Entry { code, title, class, severity: Severity::Error, meaning, recognised, remedies, fix: None, retry: false }
}

/// A layer of codes: the hundreds digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// `XT4`
    pub prefix: &'static str,
    /// What the layer is about.
    pub title: &'static str,
    /// Its codes, ascending.
    pub entries: &'static [Entry],
}

/// Every layer, in the order in which a run meets them.
pub const LAYERS: [Layer; 9] = [
    Layer { prefix: "XT1", title: "this machine and its tools", entries: tools::ENTRIES },
    Layer { prefix: "XT2", title: "xtask.toml and .env", entries: config::ENTRIES },
    Layer { prefix: "XT3", title: "the cluster", entries: cluster::ENTRIES },
    Layer { prefix: "XT4", title: "pods and rollouts", entries: pods::ENTRIES },
    Layer { prefix: "XT5", title: "image builds", entries: build::ENTRIES },
    Layer { prefix: "XT6", title: "helm releases", entries: release::ENTRIES },
    Layer { prefix: "XT7", title: "verification", entries: verify::ENTRIES },
    Layer { prefix: "XT8", title: "cleanup", entries: cleanup::ENTRIES },
    Layer { prefix: "XT9", title: "the tool itself", entries: internal::ENTRIES },
];

/// Every entry, ascending by code.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    LAYERS.iter().flat_map(|layer| layer.entries)
}

/// The entry of `code`, written in any case, with or without `XT`.
pub fn find(code: &str) -> Option<&'static Entry> {
    let wanted = code.trim().to_ascii_uppercase();
    let number = wanted.strip_prefix("XT").unwrap_or(&wanted);
    all().find(|entry| &entry.code[2..] == number)
}

/// A finding with the class, severity and fix that the catalogue has for `code` (one of [`codes`]).
pub fn finding(code: &'static str, subject: impl Into<String>, cause: impl Into<String>) -> Finding {
    match find(code) {
        Some(entry) => {
            Finding { severity: entry.severity, fix: entry.fix, ..Finding::error(entry.code, entry.class, subject, cause) }
        }
        None => Finding::error(code, Class::Internal, subject, cause),
    }
}

/// The finding with the catalogue's own remedies, if it has none that know more.
#[must_use]
pub fn with_remedies(finding: Finding) -> Finding {
    if !finding.remedies.is_empty() {
        return finding;
    }
    let remedies = find(finding.code).map_or(&[][..], |entry| entry.remedies);
    remedies.iter().fold(finding, |finding, remedy| finding.advice(*remedy))
}
