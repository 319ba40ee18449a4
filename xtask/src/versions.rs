//! Which tools there are and whether they are new enough for xtask.toml.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use fs_err as fs;
use plan::catalogue::codes;
use plan::finding::{Class, Finding};
use plan::invocation::Tool;
use plan::version::{Version, VersionRange};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure;

/// The version of each tool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions(BTreeMap<&'static str, Version>);

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|(tool, version)| format!("{tool} {version}")).collect();
        f.write_str(&all.join(", "))
    }
}

const TOOLS: [Tool; 4] = [Tool::Minikube, Tool::Docker, Tool::Helm, Tool::Kubectl];

/// All tools, all problems at once. A tool whose file is the one that was asked at the last run is not asked again.
pub(crate) fn check(cx: &Context) -> Result<Versions, Vec<Finding>> {
    let stamps: BTreeMap<&'static str, Value> =
        TOOLS.iter().filter_map(|t| Some((t.program(), stamp(&cx.runner.locate(*t)?)?))).collect();
    if let Some(known) = remembered(cx, &stamps) {
        return judge(cx, known);
    }
    let mut findings = Vec::new();
    let mut versions = Versions::default();
    for installed in tools::versions::installed(&cx.runner) {
        let program = installed.tool.program();
        match installed.version {
            None => findings.push(failure::missing(program)),
            Some(Err(error)) => findings.push(failure::finding(cx, &error)),
            Some(Ok(version)) => {
                versions.0.insert(program, version);
            }
        }
    }
    if findings.is_empty() {
        let all: BTreeMap<&str, String> = versions.0.iter().map(|(tool, version)| (*tool, version.to_string())).collect();
        cx.caches.remember_versions(&json!({"stamps": stamps, "versions": all}));
    }
    match judge(cx, versions) {
        Err(more) => {
            findings.extend(more);
            Err(findings)
        }
        Ok(_) if !findings.is_empty() => Err(findings),
        Ok(versions) => Ok(versions),
    }
}

/// The versions of the last run, if every tool is still the same file.
fn remembered(cx: &Context, stamps: &BTreeMap<&'static str, Value>) -> Option<Versions> {
    let cached = cx.caches.versions()?;
    if stamps.len() != TOOLS.len() || cached.get("stamps") != Some(&json!(stamps)) {
        return None;
    }
    let version = |tool: &Tool| {
        let text = cached.pointer(&format!("/versions/{}", tool.program()))?.as_str()?;
        Some((tool.program(), text.parse().ok()?))
    };
    TOOLS.iter().map(version).collect::<Option<BTreeMap<_, _>>>().map(Versions)
}

/// What tells one file of a program from another: its path, size and time of change.
fn stamp(path: &Path) -> Option<Value> {
    let meta = fs::metadata(path).ok()?;
    let changed = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(json!([path.display().to_string(), meta.len(), changed.as_secs(), changed.subsec_nanos()]))
}

fn judge(cx: &Context, versions: Versions) -> Result<Versions, Vec<Finding>> {
    let ranges = &cx.config.tools;
    let wanted: [(&str, &VersionRange); 3] = [("minikube", &ranges.minikube), ("docker", &ranges.docker), ("helm", &ranges.helm)];
    let bad: Vec<Finding> = wanted
        .into_iter()
        .filter_map(|(tool, range)| {
            let version = versions.0.get(tool)?;
            (!range.contains(version)).then(|| {
                Finding::error(
                    codes::TOOL_TOO_OLD,
                    Class::Prerequisite,
                    tool,
                    format!("{tool} {version} is outside of the range `{range}` of xtask.toml"),
                )
                .evidence(format!("{tool} version"), version.to_string())
                .advice(failure::install_hint(tool))
            })
        })
        .collect();
    if let Some(version) = versions.0.get("helm") {
        cx.helm_is(version);
    }
    if bad.is_empty() { Ok(versions) } else { Err(bad) }
}
