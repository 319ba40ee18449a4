//! `ci`: the checks of this repository, in the order in which they are cheapest to fail.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::catalogue::{codes, finding};
use plan::finding::Class;
use plan::invocation::{Invocation, Tool};
use report::event::{Event, StepName};
use report::text::duration;

use super::test::own_tests;
use crate::checks::Checks;
use crate::cli::{BuildFlags, Selection};
use crate::context::Context;
use crate::session::{Done, Failed, Phase, Session};

/// No check may take longer.
const DEADLINE: Duration = Duration::from_secs(45 * 60);

/// The variable that allows the end-to-end tests, which create and delete the cluster of xtask.toml.
pub(crate) const E2E: &str = "XTASK_E2E";

/// One check: a name, and the commands that have to succeed one after the other.
struct Check {
    name: &'static str,
    what: Result<Vec<Invocation>, String>,
}

/// `cargo xtask ci`.
pub(crate) fn ci(session: &Session, only: &[String]) -> Phase {
    let cx = session.context(&Selection::default(), BuildFlags::default())?;
    let checks = checks(&cx);
    if let Some(unknown) = only.iter().find(|name| checks.iter().all(|c| c.name != name.as_str())) {
        let known: Vec<&str> = checks.iter().map(|c| c.name).collect();
        let mut found = finding(codes::CONFIG_PROBLEM, unknown, format!("there is no check `{unknown}`"));
        found.class = Class::Usage;
        return Err(found.advice(format!("known: {}", known.join(", "))).into());
    }
    cx.reporter.send(Event::Started { phase: "ci", text: format!("{}: checks of the repository", cx.config.name) });
    let mut done = Checks::new(&cx);
    for check in checks.into_iter().filter(|c| only.is_empty() || only.iter().any(|name| name == c.name)) {
        let step = StepName::new("check", check.name);
        match check.what {
            Err(why) => done.skip(step, why),
            Ok(commands) => done.work(&step, || {
                let mut last = String::new();
                for command in commands {
                    cx.reporter.send(Event::StepProgress { step: step.clone(), text: command.what.clone() });
                    last = own_tests(&cx, &step, &command)?;
                }
                Ok(last)
            }),
        }
        if cx.cancelled() {
            break;
        }
    }
    let Checks { findings, passed, skipped, .. } = done;
    let summary = format!("{passed} passed, {} failed, {skipped} skipped", findings.len());
    if !findings.is_empty() {
        return Err(Failed { findings, summary });
    }
    Ok(Done::saying(summary).pointer("took", duration(session.elapsed())))
}

fn checks(cx: &Context) -> Vec<Check> {
    let allowed = std::env::var_os(E2E).is_some_and(|v| v == "1");
    let e2e = |commands: Vec<Invocation>| {
        if allowed { Ok(commands) } else { Err(format!("set {E2E}=1 to let it create and delete cluster `{}`", cx.profile())) }
    };
    vec![
        Check { name: "fmt", what: Ok(vec![cargo("check the formatting", &["fmt", "--all", "--check"])]) },
        Check {
            name: "clippy",
            what: Ok(vec![cargo("lint", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])]),
        },
        // Charts are linted, rendered and judged by the tests of crates/chartcheck, where helm is on PATH.
        Check { name: "test", what: Ok(vec![cargo("run the tests", &["test", "--workspace", "--no-fail-fast"])]) },
        Check { name: "backend", what: backend(cx) },
        Check { name: "frontend", what: frontend(cx) },
        Check {
            name: "e2e",
            what: e2e(vec![cargo(
                "run the journey",
                &["test", "-p", "xtask", "--test", "journey", "--", "--ignored", "--nocapture"],
            )]),
        },
    ]
}

fn cargo(what: &str, args: &[&str]) -> Invocation {
    Invocation::new(Tool::Cargo, what, DEADLINE).args(args.iter().copied())
}

fn program(what: &str, program: impl Into<PathBuf>, args: &[&str], cwd: &Path) -> Invocation {
    let mut invocation = Invocation::new(Tool::App, what, DEADLINE).args(args.iter().copied());
    invocation.program = Some(program.into());
    invocation.cwd = Some(cwd.to_owned());
    invocation
}

/// The sample backend's own tools, in a virtual environment of their own.
fn backend(cx: &Context) -> Result<Vec<Invocation>, String> {
    let folder = cx.root.join("examples/todo-chatbot/backend");
    let python = ["python3", "python"].into_iter().find(|p| cx.runner.locate_program(p).is_some()).ok_or("no python3 on PATH")?;
    let venv = cx.state.join("venv");
    let bin = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let inside = bin.join("python");
    let venv_name = venv.display().to_string();
    Ok(vec![
        program("make a virtual environment", python, &["-m", "venv", &venv_name], &folder),
        program(
            "install the locked dependencies",
            &inside,
            &["-m", "pip", "install", "-q", "--require-hashes", "-r", "requirements-dev.lock"],
            &folder,
        ),
        program("ruff", bin.join("ruff"), &["check", "."], &folder),
        program("mypy", bin.join("mypy"), &[], &folder),
        program("pytest", &inside, &["-m", "pytest"], &folder),
    ])
}

/// The sample frontend's own tools.
fn frontend(cx: &Context) -> Result<Vec<Invocation>, String> {
    let folder = cx.root.join("examples/todo-chatbot/frontend");
    let npm = cx.runner.locate_program("npm").ok_or("no npm on PATH")?;
    Ok(vec![
        program("install the locked dependencies", &npm, &["ci", "--no-audit", "--no-fund"], &folder),
        program("typecheck", &npm, &["run", "-s", "typecheck"], &folder),
        program("vitest", &npm, &["run", "-s", "test"], &folder),
    ])
}
