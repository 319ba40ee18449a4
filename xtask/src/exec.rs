//! The executor: runs the steps of a phase as soon as what they need is there, side by side, and looks again after each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use plan::action::Action;
use plan::catalogue::{codes, finding};
use plan::finding::Finding;
use report::critical::{self, Timed};
use report::event::{Event, Outcome, StepName};

use crate::context::Context;

/// One thing that should be true, and how to make it so.
pub(crate) trait Step: Send + Sync {
    /// Its name in every view.
    fn name(&self, cx: &Context) -> StepName;
    /// What has to be done before: steps, or milestones that a step reaches while it runs.
    fn after(&self, cx: &Context) -> Vec<StepName>;
    /// Compares what should be with what was last seen. Pure: reads `cx.world` only.
    fn decide(&self, cx: &Context) -> Action;
    /// Changes the world, waits for it to follow, and looks again, so that `decide` can be asked once more.
    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>>;
    /// Everything that blocks the step, where that is more than the one finding of its decision.
    fn blocked(&self, _cx: &Context, finding: Finding) -> Vec<Finding> {
        vec![finding]
    }
    /// Milestones that are reached with the step at the latest.
    fn milestones(&self) -> Vec<StepName> {
        Vec::new()
    }
}

/// What a running step says of itself.
pub(crate) struct Running<'a> {
    cx: &'a Context,
    name: StepName,
    index: usize,
    messages: Sender<Message>,
}

impl Running<'_> {
    /// The step.
    pub(crate) const fn name(&self) -> &StepName {
        &self.name
    }

    /// How far the step is; replaces what it said before.
    pub(crate) fn progress(&self, text: impl Into<String>) {
        self.cx.reporter.send(Event::StepProgress { step: self.name.clone(), text: text.into() });
    }

    /// A line of a tool's output.
    pub(crate) fn output(&self, line: impl Into<String>) {
        self.cx.reporter.send(Event::StepOutput { step: self.name.clone(), line: line.into() });
    }

    /// Lets the steps go on that wait for this milestone.
    pub(crate) fn reached(&self, milestone: StepName) {
        // The scheduler is gone only when the run is over.
        self.messages.send(Message::Reached(milestone)).ok();
    }
}

enum Message {
    Reached(StepName),
    Done { index: usize, result: Result<Outcome, Vec<Finding>> },
}

/// How one step of a run ended.
#[derive(Clone, Debug)]
pub(crate) struct StepReport {
    /// Which.
    pub(crate) name: StepName,
    /// How.
    pub(crate) outcome: Outcome,
    /// How long it took.
    pub(crate) took: Duration,
    /// When it began, since the start of the run.
    pub(crate) began: Duration,
    /// The steps that it waited for.
    pub(crate) after: Vec<StepName>,
}

/// How a run ended.
#[derive(Debug, Default)]
pub(crate) struct RunReport {
    /// Every step, in the order in which they ended.
    pub(crate) steps: Vec<StepReport>,
    /// Why steps failed, root causes first.
    pub(crate) findings: Vec<Finding>,
}

impl RunReport {
    /// Whether every step is done.
    pub(crate) fn ok(&self) -> bool {
        self.findings.iter().all(|f| f.severity < plan::finding::Severity::Error)
            && self.steps.iter().all(|s| matches!(s.outcome, Outcome::Keep | Outcome::Ok))
    }

    /// What decided how long it took: `cluster 36.9s, then rollout 9.1s; images built meanwhile`.
    pub(crate) fn critical_path(&self) -> String {
        let done = self.steps.iter().filter(|step| step.outcome == Outcome::Ok);
        let timed = done.map(|s| Timed { name: &s.name, after: &s.after, start: s.began, end: s.began + s.took });
        critical::sentence(&timed.collect::<Vec<_>>())
    }

    /// How many steps are not done.
    pub(crate) fn open(&self) -> usize {
        self.steps.iter().filter(|s| !matches!(s.outcome, Outcome::Keep | Outcome::Ok)).count()
    }
}

/// Runs `steps` in the order of their needs. Nothing new is begun after a failure or Ctrl-C; what runs may finish.
pub(crate) fn run(cx: &Context, steps: &[Box<dyn Step>]) -> RunReport {
    let mut report = RunReport::default();
    let names: Vec<StepName> = steps.iter().map(|s| s.name(cx)).collect();
    // A need that no step of this phase brings is no need: `deploy --service x` leaves the others out.
    let offered: BTreeSet<StepName> = names.iter().cloned().chain(steps.iter().flat_map(|s| s.milestones())).collect();
    let needs: Vec<BTreeSet<StepName>> =
        steps.iter().map(|s| s.after(cx).into_iter().filter(|n| offered.contains(n)).collect()).collect();
    // What a step waits for is told by steps: a milestone by the one that reaches it.
    let owner = |need: &StepName| {
        steps.iter().position(|s| s.milestones().contains(need)).map_or_else(|| need.clone(), |i| names[i].clone())
    };
    let mut after: Vec<BTreeSet<StepName>> = needs.iter().map(|needs| needs.iter().map(owner).collect()).collect();
    // What was so already only waited itself: who waited for it, waited for what it waited for.
    let mut kept: BTreeMap<StepName, BTreeSet<StepName>> = BTreeMap::new();
    let origin = Instant::now();
    let mut reached: BTreeSet<StepName> = BTreeSet::new();
    let mut waiting: BTreeSet<usize> = (0..steps.len()).collect();
    let mut started: BTreeMap<usize, Instant> = BTreeMap::new();
    let mut running = 0_usize;
    let mut failed = false;

    let (messages, inbox) = mpsc::channel::<Message>();
    std::thread::scope(|scope| {
        loop {
            if !failed && !cx.cancelled() {
                let ready: Vec<usize> = waiting.iter().copied().filter(|&i| needs[i].is_subset(&reached)).collect();
                for index in ready {
                    waiting.remove(&index);
                    running += 1;
                    started.insert(index, Instant::now());
                    let through = |need: StepName| kept.get(&need).cloned().unwrap_or_else(|| BTreeSet::from([need]));
                    after[index] = std::mem::take(&mut after[index]).into_iter().flat_map(through).collect();
                    let after: Vec<StepName> = after[index].iter().cloned().collect();
                    let step = &steps[index];
                    let messages = messages.clone();
                    let name = names[index].clone();
                    scope.spawn(move || {
                        let run = Running { cx, name, index, messages };
                        let result = attempt(cx, step.as_ref(), after, &run);
                        // The scheduler waits for this message, so it is there.
                        run.messages.send(Message::Done { index: run.index, result }).ok();
                    });
                }
            }
            if running == 0 {
                break;
            }
            let Ok(message) = inbox.recv() else { break };
            match message {
                Message::Reached(milestone) => {
                    reached.insert(milestone);
                }
                Message::Done { index, result } => {
                    running -= 1;
                    let took = started.get(&index).map(Instant::elapsed).unwrap_or_default();
                    let name = names[index].clone();
                    let outcome = match result {
                        Ok(outcome) => {
                            if outcome == Outcome::Keep {
                                kept.insert(name.clone(), after[index].clone());
                            }
                            reached.insert(name.clone());
                            reached.extend(steps[index].milestones());
                            outcome
                        }
                        Err(findings) => {
                            failed = true;
                            let first = findings.first();
                            // While others still run, nobody should have to wait for the end to read why.
                            let text = match first {
                                Some(first) if running > 0 => format!("{}: {}", first.code, first.cause),
                                _ => first.map_or_else(String::new, |first| first.code.to_owned()),
                            };
                            cx.reporter.send(Event::StepFinished { step: name.clone(), outcome: Outcome::Fail, text, took });
                            // One Ctrl-C stops all that runs: it is told once.
                            let told = report.findings.iter().any(|found| found.code == codes::INTERRUPTED);
                            report.findings.extend(findings.into_iter().filter(|f| !told || f.code != codes::INTERRUPTED));
                            Outcome::Fail
                        }
                    };
                    let began = started.get(&index).map_or(Duration::ZERO, |at| at.duration_since(origin));
                    report.steps.push(StepReport { name, outcome, took, began, after: after[index].iter().cloned().collect() });
                }
            }
        }
    });
    for index in waiting {
        let (name, after) = (names[index].clone(), after[index].iter().cloned().collect());
        report.steps.push(StepReport { name, outcome: Outcome::Skip, took: Duration::ZERO, began: origin.elapsed(), after });
        cx.reporter.send(Event::StepFinished {
            step: names[index].clone(),
            outcome: Outcome::Skip,
            text: if cx.cancelled() { "stopped before it began" } else { "not tried" }.to_owned(),
            took: Duration::ZERO,
        });
    }
    report
}

/// Decide, do, look again.
fn attempt(cx: &Context, step: &dyn Step, after: Vec<StepName>, run: &Running<'_>) -> Result<Outcome, Vec<Finding>> {
    let begun = Instant::now();
    let name = step.name(cx);
    let finish = |outcome, text: &str| {
        let text = without_object(&name, text);
        cx.reporter.send(Event::StepFinished { step: name.clone(), outcome, text, took: begun.elapsed() });
        Ok(outcome)
    };
    let decision = step.decide(cx);
    if let Action::Keep { what } = &decision {
        return finish(Outcome::Keep, what);
    }
    cx.reporter.send(Event::StepStarted { step: name.clone(), after });
    match decision {
        Action::Keep { .. } => {}
        Action::Blocked(finding) => return Err(step.blocked(cx, *finding)),
        Action::Unknown { until } => return Err(vec![unsettled(&name, &format!("it can't be known before {until}"))]),
        Action::Do { why, .. } => run.progress(why),
    }
    step.apply(cx, run)?;
    // An exit code proves nothing: the step is done when looking again says so.
    match step.decide(cx) {
        Action::Keep { what } => finish(Outcome::Ok, &what),
        Action::Blocked(finding) => Err(vec![*finding]),
        Action::Do { verb, why } => Err(vec![unsettled(&name, &format!("after it was done, it still asks for: {verb} ({why})"))]),
        Action::Unknown { until } => Err(vec![unsettled(&name, &format!("after it was done, it still waits until {until}"))]),
    }
}

/// What is said of a step beside its name: the name of its object stands there already.
pub(crate) fn without_object(name: &StepName, text: &str) -> String {
    let rest = text.strip_prefix(name.object.as_str()).filter(|rest| rest.starts_with([' ', ','])).unwrap_or(text);
    rest.trim_start_matches([' ', ',']).to_owned()
}

fn unsettled(name: &StepName, what: &str) -> Finding {
    finding(codes::INTERNAL, name.to_string(), format!("step `{name}` did not take effect: {what}"))
        .remedy("see what was called and what it said", "cargo xtask report")
}
