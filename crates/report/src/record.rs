//! What is known of the run so far, gathered from the events; every view reads it, so that no two can disagree.

use std::time::Duration;

use diagnosis::finding::{Finding, Severity};

use super::event::{Event, Outcome, StepName};
use super::text;

/// Lines of a step's output that are kept; of a longer one the last.
const OUTPUT_LINES: usize = 2000;

/// One step.
#[derive(Clone, Debug)]
pub(super) struct StepRecord {
    pub(super) name: StepName,
    pub(super) after: Vec<StepName>,
    /// Since the start of the process.
    pub(super) started: Duration,
    /// What it said last while it ran.
    pub(super) progress: String,
    /// Its tools' output, safe to print.
    pub(super) output: std::collections::VecDeque<String>,
    /// Lines that were dropped from the front of `output`.
    pub(super) output_dropped: usize,
    pub(super) end: Option<StepEnd>,
}

/// How a step ended.
#[derive(Clone, Debug)]
pub(super) struct StepEnd {
    /// Since the start of the process.
    pub(super) at: Duration,
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
    pub(super) text: String,
}

/// How the run ended.
#[derive(Clone, Debug)]
pub(super) struct RunEnd {
    pub(super) exit_code: u8,
    pub(super) summary: String,
    pub(super) pointers: Vec<(&'static str, String)>,
    pub(super) took: Duration,
}

/// The run.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// When it began, since the start of the process: later than zero for the second and later runs of `--watch`.
    pub(super) begun: Duration,
    pub(super) phase: &'static str,
    pub(super) headline: String,
    /// In the order they began.
    pub(super) steps: Vec<StepRecord>,
    pub(super) findings: Vec<Finding>,
    pub(super) end: Option<RunEnd>,
}

impl Record {
    /// Takes in one event that happened `at` this time after the start of the run.
    pub(super) fn apply(&mut self, at: Duration, event: &Event) {
        match event {
            Event::Started { phase, text } => {
                if self.end.is_some() {
                    *self = Self { begun: at, ..Self::default() };
                }
                self.phase = phase;
                self.headline.clone_from(text);
            }
            Event::StepStarted { step, after } => {
                self.begin(step, at).after.clone_from(after);
            }
            Event::StepProgress { step, text } => self.running(step, at).progress = text::clean(text),
            Event::StepOutput { step, line } => {
                let record = self.running(step, at);
                record.output.push_back(text::clean(line));
                if record.output.len() > OUTPUT_LINES {
                    record.output.pop_front();
                    record.output_dropped += 1;
                }
            }
            Event::StepFinished { step, outcome, text, took } => {
                let end = StepEnd { at, took: *took, outcome: *outcome, text: text::clean(text) };
                self.running(step, at.saturating_sub(*took)).end = Some(end);
            }
            Event::Finding(finding) => {
                if !self.findings.contains(finding) {
                    self.findings.push((**finding).clone());
                }
            }
            Event::Finished { exit_code, summary, pointers, took } => {
                let end = RunEnd { exit_code: *exit_code, summary: summary.clone(), pointers: pointers.clone(), took: *took };
                self.end = Some(end);
            }
            Event::Command { .. } | Event::Note { .. } | Event::Answer { .. } | Event::Screen { .. } => {}
        }
    }

    /// The steps that run now, the oldest first.
    pub(super) fn live(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| step.end.is_none())
    }

    /// The last step of that name.
    pub(super) fn step(&self, name: &StepName) -> Option<&StepRecord> {
        self.steps.iter().rev().find(|step| step.name == *name)
    }

    /// The findings as they are to be read: errors before warnings, causes before what they bring down, else as they came.
    pub(super) fn findings_in_order(&self) -> Vec<&Finding> {
        let mut ordered: Vec<&Finding> = self.findings.iter().collect();
        ordered.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), self.follows_from_another(finding)));
        ordered
    }

    /// Whether another error names this one's subject or service among what it brings down. A cause never comes after its effect on
    /// the way from the configuration to the running app, which is the order of the classes.
    fn follows_from_another(&self, finding: &Finding) -> bool {
        let named = |collateral: &String| {
            let first = collateral.split_whitespace().next();
            first == Some(&*finding.subject) || (first.is_some() && first == finding.service.as_deref())
        };
        let others = self
            .findings
            .iter()
            .filter(|other| *other != finding && other.severity == Severity::Error && other.class <= finding.class);
        others.flat_map(|other| &other.collateral).any(named)
    }

    /// The running step of that name, begun `at` where its begin was not told.
    fn running(&mut self, name: &StepName, at: Duration) -> &mut StepRecord {
        match self.steps.iter().rposition(|step| step.name == *name && step.end.is_none()) {
            Some(index) => &mut self.steps[index],
            None => self.begin(name, at),
        }
    }

    fn begin(&mut self, name: &StepName, at: Duration) -> &mut StepRecord {
        self.steps.push(StepRecord {
            name: name.clone(),
            after: Vec::new(),
            started: at,
            progress: String::new(),
            output: std::collections::VecDeque::new(),
            output_dropped: 0,
            end: None,
        });
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }
}
