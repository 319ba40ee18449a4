//! The tools: there, and new enough.

use std::sync::OnceLock;

use plan::action::Action;
use plan::finding::Finding;
use report::event::StepName;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::versions::{self, Versions};

/// Looked at once a run.
#[derive(Default)]
pub(crate) struct Tools {
    seen: OnceLock<Result<Versions, Vec<Finding>>>,
}

impl Step for Tools {
    fn name(&self, _cx: &Context) -> StepName {
        names::tools()
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        Vec::new()
    }

    fn decide(&self, cx: &Context) -> Action {
        match self.seen.get_or_init(|| versions::check(cx)) {
            Ok(versions) => Action::keep(versions.to_string()),
            Err(findings) => {
                findings.first().map_or_else(|| Action::keep("none"), |first| Action::Blocked(Box::new(first.clone())))
            }
        }
    }

    fn blocked(&self, _cx: &Context, finding: Finding) -> Vec<Finding> {
        // Everything at once, as `doctor` has it.
        self.seen.get().and_then(|seen| seen.as_ref().err()).cloned().unwrap_or_else(|| vec![finding])
    }

    fn apply(&self, _cx: &Context, _run: &Running<'_>) -> Result<(), Vec<Finding>> {
        Ok(())
    }
}
