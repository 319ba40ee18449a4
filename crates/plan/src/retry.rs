//! Which failures pass by themselves, and how often and when something is tried again because of them.

use std::time::Duration;

use crate::catalogue::codes;
use crate::finding::{Finding, Severity};

/// The pauses before the second and the third try. Three tries in all: a name server or a registry that is away for longer is not
/// back within a time that a person wants to wait for without being told.
pub const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// The failures that may pass by themselves: no connection to a registry or another server. A rate limit does not pass within seconds
/// and gets worse by asking; a wrong name, a refused password and a step that fails stay as they are.
const TRANSIENT: [&str; 3] = [codes::BASE_NETWORK, codes::CLUSTER_DOWNLOAD, codes::NETWORK];

/// Words of the tools under one of these codes that say that it will not pass.
const LASTING: [&str; 4] = ["toomanyrequests", "too many requests", "rate limit", "429"];

/// How long to wait before the next try, after `tries` that ended with these findings; `None` when there is to be no other.
pub fn pause(findings: &[Finding], tries: usize) -> Option<Duration> {
    let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error).peekable();
    errors.peek()?;
    if errors.all(is_transient) { PAUSES.get(tries.checked_sub(1)?).copied() } else { None }
}

fn is_transient(finding: &Finding) -> bool {
    let words = finding.original.iter().chain(finding.evidence.iter().map(|evidence| &evidence.text)).chain([&finding.cause]);
    TRANSIENT.contains(&finding.code)
        && !words.map(|text| text.to_lowercase()).any(|text| LASTING.iter().any(|word| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::finding;

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        let of = |code| finding(code, "backend", "no connection");
        for (findings, tries, wait) in [
            (vec![of(codes::BASE_NETWORK)], 1, Some(2)),
            (vec![of(codes::BASE_NETWORK)], 2, Some(8)),
            (vec![of(codes::BASE_NETWORK)], 3, None),
            (vec![of(codes::CLUSTER_DOWNLOAD)], 1, Some(2)),
            (vec![of(codes::NETWORK)], 1, Some(2)),
            // Never: what stays as it is.
            (vec![of(codes::BASE_NOT_FOUND)], 1, None),
            (vec![of(codes::BASE_AUTH)], 1, None),
            (vec![of(codes::STEP_FAILED)], 1, None),
            (vec![of(codes::TOOL_HUNG)], 1, None),
            (vec![of(codes::INTERRUPTED)], 1, None),
            // One lasting cause is enough.
            (vec![of(codes::BASE_NETWORK), of(codes::STEP_FAILED)], 1, None),
            (vec![of(codes::BASE_NETWORK).original("toomanyrequests: You have reached your pull rate limit.")], 1, None),
            (vec![of(codes::BASE_NETWORK).evidence("stderr", "429 Too Many Requests")], 1, None),
            (vec![], 1, None),
            (vec![of(codes::NETWORK)], 0, None),
        ] {
            assert_eq!(pause(&findings, tries), wait.map(Duration::from_secs), "{findings:?} after {tries}");
        }
    }
}
