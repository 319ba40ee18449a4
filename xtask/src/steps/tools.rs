//! The tools: there, and new enough.

use std::sync::OnceLock;

use plan::action::Action;
use plan::finding::Finding;

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::report::event::StepName;
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
            Err(findings) => findings.first().map_or_else(
                || Action::keep("none"),
                |first| {
                    // One decision has one finding: the others are named in it, and `doctor` shows them in full.
                    let mut first = first.clone();
                    first.collateral.extend(findings.iter().skip(1).map(|f| f.cause.clone()));
                    Action::Blocked(Box::new(first))
                },
            ),
        }
    }

    fn apply(&self, _cx: &Context, _run: &Running<'_>) -> Result<(), Vec<Finding>> {
        Ok(())
    }
}
