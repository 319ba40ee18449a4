//! `test`: the application's own tests, and the tests that its releases bring.

use std::time::Duration;

use fs_err as fs;
use plan::catalogue::{codes, finding};
use plan::finding::{Class, Finding};
use plan::invocation::{Invocation, Tool};
use report::event::{Event, StepName};
use report::text::duration;

use super::deploy;
use crate::checks::Checks;
use crate::cli::{BuildFlags, Selection};
use crate::context::Context;
use crate::helm_tests;
use crate::session::{Done, Failed, Phase, Session};

/// How long the tests of one service, or of one release, may take.
const DEADLINE: Duration = Duration::from_secs(20 * 60);
/// How many of the last lines of a failed test are shown.
const TAIL: usize = 40;

/// `cargo xtask test`.
pub(crate) fn test(session: &Session, selection: &Selection) -> Phase {
    let cx = session.context(selection, BuildFlags::default())?;
    let _lock = session.lock()?;
    cx.reporter.send(Event::Started { phase: "test", text: deploy::headline(&cx) });
    let world = deploy::look(&cx)?;
    cx.update(|seen| *seen = world);
    let mut checks = Checks::new(&cx);
    for (_, service, _) in cx.services() {
        if let Some(command) = &service.test {
            let step = StepName::new("test", &service.name);
            checks.work(&step, || {
                let mut invocation = Invocation::new(Tool::App, format!("test `{}`", service.name), DEADLINE)
                    .args(command.iter().skip(1).cloned());
                invocation.program = command.first().map(Into::into);
                invocation.cwd = Some(service.context.clone());
                Ok(own_tests(&cx, &step, &invocation)?)
            });
        }
    }
    let deployed: Vec<&str> = cx.look(|world| {
        let there = |name: &&str| world.objects.as_ref().is_some_and(|o| o.helm_status(name).is_some());
        cx.layout().releases.iter().map(|r| r.name.as_str()).filter(there).collect()
    });
    for release in &deployed {
        let step = StepName::new("helm-test", *release);
        checks.work(&step, || {
            let tests = helm_tests::run(&cx, release, DEADLINE)?;
            for line in tests.text.lines() {
                cx.reporter.send(Event::StepOutput { step: step.clone(), line: line.to_owned() });
            }
            if tests.passed {
                return Ok(match tests.suites.len() {
                    0 => "the chart brings no tests".to_owned(),
                    1 => "1 hook succeeded".to_owned(),
                    many => format!("{many} hooks succeeded"),
                });
            }
            let failed: Vec<String> = tests
                .suites
                .iter()
                .filter(|(_, phase)| *phase != "Succeeded")
                .map(|(name, phase)| format!("{name}: {phase}"))
                .collect();
            Err(test_failed(release, &format!("the helm tests of release `{release}` failed"))
                .evidence("helm test", failed.join("\n"))
                .original(tests.text)
                .into())
        });
    }
    if deployed.is_empty() {
        cx.reporter.send(Event::Note { text: "no release of this layout is deployed: its helm tests were not run".to_owned() });
    }
    let Checks { findings, passed, .. } = checks;
    if !findings.is_empty() {
        let failed = findings.len();
        return Err(Failed { findings, summary: format!("{passed} passed, {failed} failed") });
    }
    Ok(Done::saying(format!("{passed} passed, 0 failed in {}", duration(session.elapsed()))))
}

/// Runs a command and shows the end of its output when it fails.
pub(crate) fn own_tests(cx: &Context, step: &StepName, invocation: &Invocation) -> Result<String, Finding> {
    let mut lines: Vec<String> = Vec::new();
    let output = cx.runner.stream(invocation, &mut |line| {
        cx.reporter.send(Event::StepOutput { step: step.clone(), line: line.text.clone() });
        if !line.text.trim().is_empty() {
            lines.push(line.text);
        }
    });
    // The whole of it for whoever has to find out more; a log that can't be written hides no result.
    let log = cx.state.join(format!("{}.log", step.to_string().replace(' ', "-")));
    fs::write(&log, lines.join("\n")).ok();
    let tail = |lines: &[String]| lines[lines.len().saturating_sub(TAIL)..].join("\n");
    match output {
        Ok(output) if output.exit.is_success() => Ok(lines.last().cloned().unwrap_or_default()),
        Ok(output) => Err(test_failed(&step.to_string(), &format!("`{}` ended with {}", invocation.command_line(), output.exit))
            .evidence("its last lines", tail(&lines))
            .advice(format!("the whole of it: {}", log.display()))
            .remedy(
                "run it by itself",
                format!("cd {} && {}", invocation.cwd.as_deref().unwrap_or(&cx.root).display(), invocation.command_line()),
            )),
        Err(error) => Err(test_failed(&step.to_string(), &error.to_string()).evidence("its last lines", tail(&lines))),
    }
}

fn test_failed(subject: &str, cause: &str) -> Finding {
    let mut found = finding(codes::TEST_FAILED, subject, cause);
    found.class = Class::Test;
    found
}
