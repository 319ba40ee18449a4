//! The logs of jobs as they grow: a migration that waits for its database says so there, and nowhere else.

use std::collections::{BTreeMap, VecDeque};

use plan::diagnose::live::Tracker;
use tools::kubectl::{GrowingLog, Logs};

use crate::context::Context;
use crate::watch;

/// How many lines are kept of each.
const LINES: u32 = 200;

/// One stream a container, as long as it is held.
#[derive(Default)]
pub(crate) struct JobLogs(BTreeMap<(String, String), Growing>);

struct Growing {
    log: GrowingLog,
    lines: VecDeque<String>,
}

impl JobLogs {
    /// Follows what runs by now, and tells the tracker what came in.
    pub(crate) fn look(&mut self, cx: &Context, tracker: &mut Tracker) {
        let running = tracker.growing_logs();
        self.0.retain(|container, _| running.contains(container));
        for container in running {
            // A log that can't be followed says nothing now; how its container ends is told by the pod.
            let Some(growing) = self.of(cx, &container) else { continue };
            let before = growing.lines.len();
            while let Some(line) = growing.log.line() {
                growing.lines.push_back(line);
            }
            let came = growing.lines.len() > before;
            while growing.lines.len() > LINES as usize {
                growing.lines.pop_front();
            }
            if came {
                let text: String = growing.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
                tracker.grew((&container.0, &container.1), &text, watch::now());
            }
        }
    }

    fn of(&mut self, cx: &Context, container: &(String, String)) -> Option<&mut Growing> {
        if !self.0.contains_key(container) {
            let (object, name) = container.clone();
            let logs = Logs { object, container: Some(name), tail: Some(LINES), previous: false, timestamps: false };
            let api = cx.api.way(&cx.runner, &cx.profile());
            let log = GrowingLog::begin(&cx.runner, &cx.kube(), api.as_deref(), &logs).ok()?;
            self.0.insert(container.clone(), Growing { log, lines: VecDeque::new() });
        }
        self.0.get_mut(container)
    }
}
