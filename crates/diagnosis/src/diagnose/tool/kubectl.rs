//! Why kubectl failed.

use super::{Explain as _, Invalid, ToolFailure, api, between, line_with};
use crate::catalogue::codes;
use crate::finding::Finding;

pub(super) fn explain(failure: &ToolFailure) -> Option<Finding> {
    let words = failure.words();
    let source = format!("kubectl ({})", failure.end());
    let context = failure.flag(&["--context"]);
    if words.contains("Metrics API not available") {
        return Some(
            failure
                .finding(codes::METRICS_MISSING, "the cluster has no metrics: CPU and memory of pods are not known")
                .evidence(source, line_with(&words, "Metrics API"))
                .remedy("", format!("minikube addons enable metrics-server -p {}", context.unwrap_or("minikube"))),
        );
    }
    if let Some(name) = between(&words, "deployment \"", "\" exceeded its progress deadline") {
        return Some(
            failure
                .finding(codes::ROLLOUT_DEADLINE, format!("deployment `{name}` made no progress within its deadline"))
                .evidence(source, line_with(&words, "progress deadline"))
                .remedy("see pods and causes", "cargo xtask status"),
        );
    }
    if words.contains("timed out waiting for the condition") {
        return Some(
            failure
                .finding(codes::ROLLOUT_DEADLINE, format!("kubectl gave up waiting: {}", failure.what))
                .evidence(source, line_with(&words, "timed out"))
                .remedy("see pods and causes", "cargo xtask status"),
        );
    }
    if words.contains("(NotFound)") {
        let line = line_with(&words, "(NotFound)");
        let said = line.split_once("(NotFound): ").map_or(line, |(_, rest)| rest);
        let object = said.split('"').nth(1).unwrap_or_default();
        let kind = said.split_whitespace().next().unwrap_or("object").trim_end_matches('s');
        let code = if kind == "service" { codes::SERVICE_MISSING } else { codes::OBJECT_NOT_FOUND };
        return Some(
            failure
                .finding(code, format!("{kind} `{object}` is not in the cluster"))
                .evidence(source, line)
                .remedy("see what is missing", "cargo xtask plan")
                .remedy("create it", "cargo xtask deploy"),
        );
    }
    if let Some(found) = rejected(failure, &words, &source) {
        return Some(found);
    }
    api::explain(failure)
}

/// The API server read the object and refuses it.
fn rejected(failure: &ToolFailure, words: &str, source: &str) -> Option<Finding> {
    if words.contains("no matches for kind") {
        let line = line_with(words, "no matches for kind");
        return Some(
            failure
                .finding(
                    codes::KIND_UNKNOWN,
                    format!(
                        "the cluster does not know kind `{}` of `{}`",
                        between(line, "kind \"", "\"").unwrap_or("?"),
                        between(line, "in version \"", "\"").unwrap_or("?")
                    ),
                )
                .evidence(source, line),
        );
    }
    let invalid = Invalid::find(words)?;
    let immutable = invalid.problem.contains("field is immutable");
    let found = failure
        .finding(if immutable { codes::IMMUTABLE } else { codes::OBJECT_INVALID }, invalid.cause())
        .evidence(source, line_with(words, " is invalid: "));
    Some(if immutable {
        found.remedy("delete it, its pods stop meanwhile", place(failure, &format!("delete {} {}", invalid.kind, invalid.name)))
    } else {
        found
    })
}

/// `kubectl --context … -n … ARGS` as in the failed call.
fn place(failure: &ToolFailure, args: &str) -> String {
    let mut command = String::from("kubectl");
    for (flag, value) in [("--context", failure.flag(&["--context"])), ("-n", failure.flag(&["-n", "--namespace"]))] {
        if let Some(value) = value {
            command.extend([" ", flag, " ", value]);
        }
    }
    format!("{command} {args}")
}
