//! Tries again what failed for a reason that passes by itself; which reasons and when is `plan::retry`.

use plan::finding::Finding;
use plan::retry;
use report::event::Event;
use report::text;

use crate::context::Context;
use crate::exec::Running;
use crate::watch_files::sleep;

/// Calls `attempt` until it succeeds, fails for good, or was tried often enough. Each further try is told with its reason.
pub(crate) fn transient<T>(
    cx: &Context,
    run: &Running<'_>,
    mut attempt: impl FnMut() -> Result<T, Vec<Finding>>,
) -> Result<T, Vec<Finding>> {
    let mut tries = 0;
    loop {
        tries += 1;
        let mut findings = match attempt() {
            Ok(done) => return Ok(done),
            Err(findings) => findings,
        };
        let all = retry::PAUSES.len() + 1;
        let Some(pause) = retry::pause(&findings, tries).filter(|_| !cx.cancelled()) else {
            if tries > 1
                && let Some(first) = findings.first_mut()
            {
                *first = first.clone().evidence("tries", format!("{tries}, after pauses of {}", pauses(tries - 1)));
            }
            return Err(findings);
        };
        let why = findings.first().map_or_else(String::new, |f| format!("{} [{}]", f.cause, f.code));
        let wait = text::duration(pause);
        cx.reporter.send(Event::Note { text: format!("{}: {why}; try {} of {all} in {wait}", run.name(), tries + 1) });
        run.progress(format!("waiting {wait} before try {} of {all}", tries + 1));
        sleep(pause, &|| cx.cancelled());
    }
}

fn pauses(count: usize) -> String {
    let all: Vec<String> = retry::PAUSES.iter().take(count).map(|pause| text::duration(*pause)).collect();
    all.join(" and ")
}
