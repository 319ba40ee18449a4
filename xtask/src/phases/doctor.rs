//! `doctor`: tools, machine, cluster and configuration, all at once, the worst first, a remedy under each. Changes nothing.

pub(super) mod cluster;
mod machine;
mod surroundings;

use std::collections::BTreeMap;

use plan::catalogue::{codes, finding};
use plan::config::Config;
use plan::finding::{Class, Finding, Severity};
use plan::snapshot::ClusterState;
use plan::version::{Version, VersionRange};
use report::event::Event;
use report::lines::{self, Line, State};
use report::text;
use serde_json::json;
use tools::versions::{self, Installed};

use crate::session::{Done, Phase, Session};
use crate::{failure, observe};

/// What one look gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Check {
    /// What was looked at: a tool, `memory`, `profile`.
    about: &'static str,
    /// What is as it should be, short: `docker 28.2.2`.
    fine: Vec<String>,
    /// What is not.
    findings: Vec<Finding>,
}

impl Check {
    fn new(about: &'static str) -> Self {
        Self { about, ..Self::default() }
    }

    fn fine(mut self, what: impl Into<String>) -> Self {
        self.fine.push(what.into());
        self
    }

    fn found(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self
    }
}

/// `cargo xtask doctor`.
#[expect(clippy::unnecessary_wraps, reason = "every phase has this shape; what is broken is this one's answer")]
pub(crate) fn doctor(session: &Session) -> Phase {
    let (cx, problems) = session.lenient_context(None);
    let mut checks = Vec::new();
    // Those of xtask.toml and those of the environment file.
    let (environment, config): (Vec<Finding>, Vec<Finding>) =
        problems.into_iter().partition(|f| f.code == codes::ENV_FILE_PROBLEM || f.code == codes::SECRET_VALUE_MISSING);
    if config.is_empty() {
        checks.push(Check::new("xtask.toml").fine("xtask.toml"));
    }
    if environment.is_empty()
        && let Some(cx) = &cx
    {
        checks.push(Check::new(".env").fine(if cx.config.environment.file.is_file() {
            ".env"
        } else {
            "no .env: secrets are made for development"
        }));
    }
    checks.push(Check::new("xtask.toml").found(config));
    checks.push(Check::new(".env").found(environment));
    let installed = versions::installed(&session.runner);
    let missing: Vec<&str> = installed.iter().filter(|i| i.path.is_none()).map(|i| i.tool.program()).collect();
    checks.extend(installed.iter().map(|one| tool(session, one, cx.as_ref().map(|cx| &cx.config))));
    let process_env: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let profile = cx.as_ref().map_or_else(|| "minikube".to_owned(), crate::context::Context::profile);
    let mut node_address = None;
    if let Some(cx) = cx.as_ref().filter(|_| !missing.contains(&"minikube")) {
        let state = observe::cluster_state(cx);
        let runs = state.as_ref().is_ok_and(|s| *s == ClusterState::Running);
        let can_ask = runs && !missing.contains(&"kubectl");
        std::thread::scope(|scope| {
            let host = scope.spawn(|| if missing.contains(&"docker") { Vec::new() } else { vec![machine::docker(cx, runs)] });
            let size = scope.spawn(|| if matches!(state, Ok(ClusterState::Missing)) { machine::size(cx) } else { Vec::new() });
            let disk = scope.spawn(|| if runs { vec![cluster::disk(cx), cluster::clock(cx)] } else { Vec::new() });
            let inside = scope.spawn(|| if can_ask { cluster::inside(cx) } else { Vec::new() });
            let (profile, address) = cluster::profile(cx, &state);
            node_address = address;
            let context = if missing.contains(&"kubectl") { Vec::new() } else { cluster::kubeconfig(cx, &state) };
            let joined = |thread: std::thread::ScopedJoinHandle<'_, Vec<Check>>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            checks.extend(joined(host));
            checks.extend(profile);
            checks.extend(context);
            checks.extend(joined(inside));
            checks.extend(joined(disk));
            checks.extend(joined(size));
        });
        checks.push(machine::port(cx, runs));
    }
    checks.push(surroundings::variables(&process_env, &profile));
    checks.push(surroundings::proxies(&process_env, node_address.as_deref().unwrap_or("192.168.49.2")));
    checks.push(machine::system());
    Ok(told(session, &checks))
}

/// A tool: there, and within the range.
fn tool(session: &Session, installed: &Installed, config: Option<&Config>) -> Check {
    let name = installed.tool.program();
    let check = Check::new(name);
    let (path, version) = match (&installed.path, &installed.version) {
        (None, _) | (_, None) => {
            return check.found([Finding {
                remedies: failure::missing(name).remedies.into_iter().take(1).collect(),
                ..failure::missing(name)
            }]);
        }
        (Some(_), Some(Err(error))) => return check.found([failure::of(&session.runner, error)]),
        (Some(path), Some(Ok(version))) => (path, version),
    };
    let range = config.and_then(|c| match name {
        "minikube" => Some(&c.tools.minikube),
        "docker" => Some(&c.tools.docker),
        "helm" => Some(&c.tools.helm),
        _ => None,
    });
    match range.and_then(|range| out_of_range(name, version, range)) {
        Some(found) => check.found([found.evidence("found at", path.display().to_string())]),
        None => check.fine(format!("{name} {version}")),
    }
}

fn out_of_range(name: &str, version: &Version, range: &VersionRange) -> Option<Finding> {
    (!range.contains(version)).then(|| {
        finding(codes::TOOL_TOO_OLD, name, format!("{name} {version} is outside of the range `{range}` of xtask.toml"))
            .advice(failure::install_hint(name))
    })
}

/// Says it: the worst first, what is fine in as few lines as it takes.
fn told(session: &Session, checks: &[Check]) -> Done {
    let mut bad: Vec<(&str, &Finding)> = checks.iter().flat_map(|c| c.findings.iter().map(|f| (c.about, f))).collect();
    // The class is the order in which a run would meet them.
    bad.sort_by_key(|(_, f)| (std::cmp::Reverse(f.severity), f.class));
    let count = |severity: Severity| bad.iter().filter(|(_, f)| f.severity == severity).count();
    let (problems, warnings) = (count(Severity::Error), count(Severity::Warning));
    let data = json!({
        "healthy": problems == 0,
        "checks": checks.iter().map(|c| json!({"about": c.about, "fine": c.fine, "findings": c.findings})).collect::<Vec<_>>(),
    });
    let fine: Vec<&str> = checks.iter().flat_map(|c| c.fine.iter().map(String::as_str)).collect();
    let mut text: String = bad.iter().map(|(about, f)| lines::render(&[Line::finding(about, f)])).collect();
    text.push_str(&fine_lines(&fine));
    session.reporter.send(Event::Answer { about: "doctor", text: session.runner.redacted(&text), data });
    let exit_code = bad.iter().find(|(_, f)| f.severity == Severity::Error).map_or(0, |(_, f)| f.class.exit_code());
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let summary = match (problems, warnings) {
        (0, 0) => "No problem found".to_owned(),
        (0, w) => plural(w, "warning"),
        (p, 0) => plural(p, "problem"),
        (p, w) => format!("{}, {}", plural(p, "problem"), plural(w, "warning")),
    };
    let mut done = Done { exit_code, ..Done::saying(summary) };
    if let Some((_, first)) = bad.first() {
        done = done.pointer("more", format!("cargo xtask explain {}", first.code));
    }
    done
}

/// `  ok    minikube 1.38.1   docker 28.2.2   …`, several to a line, each whole.
fn fine_lines(fine: &[&str]) -> String {
    const GAP: &str = "   ";
    let mut rows: Vec<String> = Vec::new();
    for what in fine {
        match rows.last_mut() {
            Some(row) if 8 + text::width(row) + GAP.len() + text::width(what) <= lines::COLUMNS => {
                row.push_str(GAP);
                row.push_str(what);
            }
            _ => rows.push((*what).to_owned()),
        }
    }
    // The first word of each line says its state, so each row is a line of its own; what it is about stands in it.
    rows.iter().map(|row| lines::plain(State::Ok, row)).collect()
}

/// A finding that is only to be known here, whatever its severity is where it stops a phase.
fn as_warning(found: Finding) -> Finding {
    Finding { severity: Severity::Warning, ..found }
}

/// A warning of this phase's own.
fn warning(code: &'static str, class: Class, subject: &str, cause: impl Into<String>) -> Finding {
    Finding::warning(code, class, subject, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fine_takes_few_lines() {
        let fine = [
            "minikube 1.38.1",
            "docker 28.2.2",
            "helm 3.22.0",
            "kubectl 1.36.2",
            "xtask.toml",
            "no .env: secrets are made for development",
        ];
        let shown = anstream::adapter::strip_str(&fine_lines(&fine)).to_string();
        insta::assert_snapshot!(shown, @r"
          ok    minikube 1.38.1   docker 28.2.2   helm 3.22.0   kubectl 1.36.2
          ok    xtask.toml   no .env: secrets are made for development
        ");
        assert!(shown.lines().all(|line| text::width(line) <= lines::COLUMNS));
    }

    #[test]
    fn a_version_outside_of_its_range_is_a_finding() {
        let range: VersionRange = ">=3.12, <5".parse().unwrap();
        assert_eq!(out_of_range("helm", &"3.22.0".parse().unwrap(), &range), None);
        let found = out_of_range("helm", &"3.11.3".parse().unwrap(), &range).unwrap();
        assert_eq!((found.code, found.class), (codes::TOOL_TOO_OLD, Class::Prerequisite));
    }
}
