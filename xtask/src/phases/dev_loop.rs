//! `deploy --watch`: deploys, waits for a change, deploys again, until Ctrl-C.

use std::time::Duration;

use plan::catalogue::codes;
use report::event::Event;

use super::deploy;
use crate::cli::{BuildFlags, Selection};
use crate::context::Context;
use crate::session::{Done, Failed, Phase, Session};
use crate::watch_files::{self, Watched};

/// Between two tries of a cycle that found another run at work.
const LOCKED: Duration = Duration::from_secs(2);

/// The first deploy and all that follow. A cycle that fails says so and the next change begins another; only Ctrl-C ends it: well
/// while it waits, as interrupted in the middle of a cycle.
pub(super) fn run(session: &Session, selection: &Selection, build: BuildFlags) -> Phase {
    let stop = || session.runner.cancel().is_requested();
    // What is wrong before anything was deployed is for the person who typed the command.
    let mut context = Some(session.context(selection, build)?);
    let mut watched = Watched::configuration(session.config_file().to_owned());
    let mut why = String::new();
    loop {
        let earlier = watched.look();
        let ready = match context.take() {
            Some(cx) => Ok(cx),
            // Read anew each time: the configuration may be what changed. What forces a build forced the first one.
            None => session.context(selection, BuildFlags::default()),
        };
        // The files count as they were before this cycle read them, so that a change meanwhile begins the next one.
        let (before, result) = match ready {
            Ok(cx) => {
                watched = Watched::of(&cx, session.config_file().to_owned());
                (watched.look().or_earlier(&earlier), deploy_once(session, &cx, &stop))
            }
            Err(failed) => {
                session.reporter.send(Event::Started { phase: "deploy", text: "the configuration changed".to_owned() });
                (earlier, Err(failed))
            }
        };
        if stop() {
            return result;
        }
        session.tell(told(result, &why, &watched));
        let Some(now) = watched.changed(&before, &stop) else {
            session.begin_again();
            session.reporter.send(Event::Started { phase: "deploy", text: String::new() });
            return Ok(Done::saying("Stopped watching; what was deployed goes on running"));
        };
        why = now.since(&before);
        session.begin_again();
    }
}

/// One deploy. While another run of xtask holds the lock, this one waits for it: the change would be forgotten otherwise.
fn deploy_once(session: &Session, cx: &Context, stop: &dyn Fn() -> bool) -> Phase {
    let mut waited = false;
    loop {
        match deploy::once(session, cx) {
            Err(failed) if is_locked(&failed) && !stop() => {
                if !waited {
                    waited = true;
                    session
                        .reporter
                        .send(Event::Note { text: "another run of cargo xtask is at work: waiting for it".to_owned() });
                }
                watch_files::sleep(LOCKED, stop);
            }
            other => return other,
        }
    }
}

fn is_locked(failed: &Failed) -> bool {
    failed.findings.iter().any(|finding| finding.code == codes::LOCK_HELD)
}

/// How a cycle ended, with what began it and what is waited for now.
fn told(result: Phase, why: &str, watched: &Watched) -> Phase {
    let after = if why.is_empty() { String::new() } else { format!(" after {why}") };
    match result {
        Ok(mut done) => {
            done.summary.push_str(&after);
            done.pointers.retain(|(label, _)| *label != "next");
            Ok(done.pointer("watch", format!("{}; Ctrl-C ends it", watched.describe())))
        }
        Err(mut failed) => {
            failed.summary = if failed.summary.is_empty() {
                format!("Not deployed{after}")
            } else {
                format!("{}{after}", failed.summary.trim_end_matches('.'))
            };
            failed.summary.push_str("; waiting for the next change");
            Err(failed)
        }
    }
}
