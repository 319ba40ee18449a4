//! Why the API server refuses the pods of a workload: pod security, quotas, webhooks, missing service accounts.

use super::cause::{Cause, Depth};
use super::facts::{Facts, Meta, PodSpec, Timestamp};
use crate::catalogue::{codes, finding};
use crate::finding::Finding;

/// Seconds: a quota may be used by pods that are just going.
pub(crate) const QUOTA_GRACE: i64 = 30;

/// The API server refuses the pods of a workload.
pub(crate) fn creation_refused(
    facts: &Facts,
    (owner, pods): (&Meta, &PodSpec),
    subject: &str,
    message: &str,
    since: Option<Timestamp>,
) -> Cause {
    let scope = &facts.scope;
    let service = scope.service(owner, pods);
    let who = service.clone().unwrap_or_else(|| owner.name.clone());
    let make = |code, text: String| {
        let mut found = finding(code, subject, text).evidence(format!("{subject} FailedCreate"), message);
        found.service.clone_from(&service);
        found
    };
    if let Some((_, violation)) = message.split_once("violates PodSecurity ") {
        let (level, problems) = violation.split_once(": ").unwrap_or((violation, ""));
        let level = level.trim_matches('"').split(':').next().unwrap_or_default();
        let text =
            format!("{who} is refused by the Pod Security level `{level}` of its namespace: {}", without_details(problems));
        let found = make(codes::POD_SECURITY, text)
            .remedy(
                format!("keep to `{level}`, or opt it down: `services.{who}.pod_security = \"baseline\"` in xtask.toml, then"),
                "cargo xtask deploy",
            )
            .remedy(
                "or, where somebody else made the namespace, lower its level",
                scope.kubectl_cluster(&format!(
                    "label namespace {} --overwrite pod-security.kubernetes.io/enforce=baseline",
                    scope.namespace
                )),
            );
        return Cause::now(Depth::Admission, found);
    }
    if message.contains("exceeded quota") || message.contains("failed quota") {
        return quota(facts, &who, message, since, make);
    }
    if message.contains("serviceaccount") && message.contains("not found") {
        let account = message.split("serviceaccount \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("?");
        let found =
            make(codes::SERVICE_ACCOUNT_MISSING, format!("{who} can't start: service account `{account}` does not exist"))
                .remedy("it comes with the chart: run", "cargo xtask deploy")
                .remedy("see which exist", scope.kubectl("get serviceaccounts"));
        return Cause::now(Depth::Admission, found);
    }
    if message.contains("admission webhook") || message.contains("is forbidden") || message.contains("denied the request") {
        let found = make(codes::ADMISSION, format!("{who} is refused by the API server: {}", shorten(message)))
            .remedy("", scope.kubectl(&format!("describe {subject}")));
        return Cause::now(Depth::Admission, found);
    }
    let found = make(codes::POD_CREATE_FAILED, format!("the pods of {who} can't be created: {}", shorten(message)))
        .remedy("", scope.kubectl(&format!("describe {subject}")));
    Cause::now(Depth::Admission, found)
}

/// `pods "x" is forbidden: exceeded quota: q, requested: a=1, used: a=2, limited: a=2`
fn quota(
    facts: &Facts,
    who: &str,
    message: &str,
    since: Option<Timestamp>,
    make: impl Fn(&'static str, String) -> Finding,
) -> Cause {
    let scope = &facts.scope;
    let part = |name: &str| message.split_once(name).map(|(_, rest)| rest);
    if let Some(rest) = part("failed quota: ") {
        let (quota, must) = rest.split_once(": ").unwrap_or((rest, ""));
        let found = make(codes::QUOTA, format!("{who} is refused by quota `{quota}`: {must}"))
            .remedy(format!("set requests and limits in `resources.{who}` in the values, then"), "cargo xtask deploy")
            .remedy("see the quota", scope.kubectl(&format!("describe quota {quota}")));
        return Cause::now(Depth::Admission, found);
    }
    let rest = part("exceeded quota: ").unwrap_or(message);
    let quota = rest.split(',').next().unwrap_or("?");
    let list = |name: &str, end: &str| {
        part(name).map(|rest| rest.split(end).next().unwrap_or(rest).trim().to_owned()).unwrap_or_default()
    };
    let (asked, used, limit) = (list("requested: ", ", used:"), list("used: ", ", limited:"), list("limited: ", "\n"));
    let found = make(codes::QUOTA, format!("{who} is refused by quota `{quota}`: asks for {asked}, used {used}, limit {limit}"))
        .remedy(format!("lower `resources.{who}` or `replicaCount` in the values, then"), "cargo xtask deploy")
        .remedy("or raise the quota", scope.kubectl(&format!("edit quota {quota}")));
    match since {
        Some(since) => {
            let deadline = since.plus_seconds(QUOTA_GRACE);
            Cause::until(Depth::Admission, found, deadline, format!("{QUOTA_GRACE}s for other pods to go"))
        }
        None => Cause::now(Depth::Admission, found),
    }
}

/// `a != false (container "x" must …), b (…)` without what stands in parentheses: the evidence has it.
fn without_details(problems: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::new();
    for c in problems.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.replace(" ,", ",").trim().to_owned()
}

fn shorten(message: &str) -> &str {
    message.split_once("is forbidden: ").map_or(message, |(_, rest)| rest).trim()
}
