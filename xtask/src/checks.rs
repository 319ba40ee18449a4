//! Work that is judged piece by piece: each piece is told as a step, what failed is collected, and nothing keeps the rest from being tried.

use std::time::{Duration, Instant};

use plan::finding::Finding;
use report::event::{Event, Outcome, StepName};

use crate::context::Context;
use crate::exec;

/// The pieces so far.
pub(crate) struct Checks<'a> {
    pub(crate) cx: &'a Context,
    /// Why pieces failed.
    pub(crate) findings: Vec<Finding>,
    pub(crate) passed: usize,
    pub(crate) skipped: usize,
}

impl<'a> Checks<'a> {
    pub(crate) fn new(cx: &'a Context) -> Self {
        Self { cx, findings: Vec::new(), passed: 0, skipped: 0 }
    }

    /// A look: it is told when it is over.
    pub(crate) fn look(&mut self, step: &StepName, look: impl FnOnce() -> Result<String, Vec<Finding>>) {
        self.finish(step, Instant::now(), look);
    }

    /// Work that takes a while: it is told when it begins, too.
    pub(crate) fn work(&mut self, step: &StepName, work: impl FnOnce() -> Result<String, Vec<Finding>>) {
        self.cx.reporter.send(Event::StepStarted { step: step.clone(), after: Vec::new() });
        self.finish(step, Instant::now(), work);
    }

    /// A piece that is not tried, and why.
    pub(crate) fn skip(&mut self, step: StepName, why: String) {
        self.skipped += 1;
        self.cx.reporter.send(Event::StepFinished { step, outcome: Outcome::Skip, text: why, took: Duration::ZERO });
    }

    fn finish(&mut self, step: &StepName, begun: Instant, piece: impl FnOnce() -> Result<String, Vec<Finding>>) {
        let (outcome, text) = match piece() {
            Ok(text) => {
                self.passed += 1;
                (Outcome::Ok, exec::without_object(step, &text))
            }
            Err(findings) => {
                let code = findings.first().map(|f| f.code.to_owned()).unwrap_or_default();
                self.findings.extend(findings);
                (Outcome::Fail, code)
            }
        };
        self.cx.reporter.send(Event::StepFinished { step: step.clone(), outcome, text, took: begun.elapsed() });
    }
}
