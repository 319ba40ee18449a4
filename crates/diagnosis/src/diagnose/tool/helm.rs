//! Why helm failed: helm 3 and 4 print the same words where not said otherwise.

use super::{Explain as _, Invalid, ToolFailure, api, between, line_with};
use crate::catalogue::{codes, finding};
use crate::diagnose::facts::Scope;
use crate::finding::Finding;

pub(super) fn explain(failure: &ToolFailure) -> Option<Finding> {
    let words = failure.words();
    let context = Call::of(failure);
    let source = format!("helm ({})", failure.end());
    // Order: what the chart can't be, what the cluster refuses, then who is away; "deadline exceeded" last, it says least.
    let found = chart(failure, &words, &context).or_else(|| refused(failure, &words, &context)).or_else(|| {
        let found = api::explain(failure);
        found.or_else(|| waiting(failure, &words, &context))
    })?;
    Some(if found.evidence.is_empty() { found.evidence(source, error_line(&words)) } else { found })
}

/// What the call was about.
struct Call<'a> {
    release: &'a str,
    /// ` --kube-context C -n N`
    place: String,
    namespace: Option<&'a str>,
    context: Option<&'a str>,
}

impl<'a> Call<'a> {
    fn of(failure: &'a ToolFailure) -> Self {
        let namespace = failure.flag(&["-n", "--namespace"]);
        let context = failure.flag(&["--kube-context"]);
        let mut place = String::new();
        for (flag, value) in [("--kube-context", context), ("-n", namespace)] {
            if let Some(value) = value {
                place.extend([" ", flag, " ", value]);
            }
        }
        Self { release: release(failure), place, namespace, context }
    }

    fn kubectl(&self, args: &str) -> String {
        let mut command = String::from("kubectl");
        for (flag, value) in [("--context", self.context), ("-n", self.namespace)] {
            if let Some(value) = value {
                command.extend([" ", flag, " ", value]);
            }
        }
        format!("{command} {args}")
    }
}

/// The release: the first argument after the subcommand that is no flag or value of one.
fn release(failure: &ToolFailure) -> &str {
    let without_value = [
        "--install",
        "--wait",
        "--atomic",
        "--create-namespace",
        "--reset-values",
        "--rollback-on-failure",
        "--strict",
        "--debug",
    ];
    let mut words = Vec::new();
    let mut args = failure.args.iter().map(String::as_str).peekable();
    while let Some(arg) = args.next() {
        if arg.starts_with('-') {
            let has_value = !arg.contains('=') && !without_value.contains(&arg);
            if has_value && args.peek().is_some_and(|next| !next.starts_with('-')) {
                args.next();
            }
        } else {
            words.push(arg);
        }
    }
    let at = usize::from(matches!(words.first(), Some(&("get" | "dependency")))) + 1;
    words.get(at).copied().unwrap_or("?")
}

/// `Error: …` up to the empty line, without the prefix.
fn error_line(words: &str) -> String {
    let start = words.find("Error: ").map_or(0, |at| at + "Error: ".len());
    let text = words[start..].trim();
    text.split("\n\n").next().unwrap_or(text).trim().to_owned()
}

/// The chart itself: missing, not renderable, values that don't fit.
fn chart(failure: &ToolFailure, words: &str, call: &Call<'_>) -> Option<Finding> {
    if words.contains("missing in charts/ directory") || words.contains("WARNING: no dependencies at") {
        let missing = between(words, "missing in charts/ directory: ", "\n")
            .map_or_else(String::new, |names| format!(": {}", names.trim()));
        let path = failure.args.iter().rev().find(|arg| !arg.starts_with('-')).map_or("CHART", String::as_str);
        let path =
            if failure.args.first().is_some_and(|arg| arg == "dependency") { path } else { chart_path(failure).unwrap_or(path) };
        return Some(
            failure
                .finding(codes::DEPENDENCY_MISSING, format!("chart `{path}` lacks the charts it depends on{missing}"))
                .remedy("", format!("helm dependency build {path}")),
        );
    }
    if let Some(path) = between(words, "path \"", "\" not found") {
        return Some(
            failure
                .finding(codes::CHART_MISSING, format!("there is no chart at `{path}`"))
                .advice("correct the path of the chart in xtask.toml"),
        );
    }
    if words.contains("Chart.yaml file is missing") {
        let path = chart_path(failure).unwrap_or("?");
        return Some(failure.finding(codes::CHART_MISSING, format!("`{path}` is no chart: it has no Chart.yaml")));
    }
    let unread = between(words, "failed to parse ", ": ").or_else(|| between(words, "Error: open ", ": no such file"));
    if let Some(file) = unread {
        let problem = if words.contains("no such file") {
            "it does not exist"
        } else {
            words.rsplit_once("yaml: ").map_or("it is no YAML", |(_, text)| text.trim())
        };
        return Some(failure.finding(codes::VALUES_UNREADABLE, format!("values file `{file}` can't be read: {problem}")));
    }
    if words.contains("don't meet the specifications of the schema") {
        let problems: Vec<&str> = words.lines().map(str::trim).filter_map(|line| line.strip_prefix("- ")).collect();
        let chart = words
            .lines()
            .map(str::trim)
            .find(|line| line.ends_with(':') && !line.contains(' '))
            .map(|line| line.trim_end_matches(':'));
        let text = format!("a value does not fit chart `{}`: {}", chart.unwrap_or(call.release), problems.join("; "));
        let found = failure.finding(codes::SCHEMA, text);
        // A strict schema refuses what the tool sets besides the values files.
        let found = if words.contains("dditional propert") {
            found.advice("what the chart does not take is left out by an empty path in `keys`, such as `public_origin = \"\"`: docs/configuration.md")
        } else {
            found
        };
        return Some(found.advice("correct the value in xtask.toml or the values file"));
    }
    template(failure, words)
}

/// Errors that name file and line.
fn template(failure: &ToolFailure, words: &str) -> Option<Finding> {
    let make = |place: &str, problem: &str| {
        let text = format!("{place}: {problem}");
        let found = failure.finding(codes::TEMPLATE, text).evidence(place, problem);
        match chart_path(failure) {
            Some(path) => found.remedy("see what it renders", format!("helm template {path} --debug")),
            None => found,
        }
    };
    if let Some((_, rest)) = words.split_once("template: ") {
        let line = rest.lines().next().unwrap_or(rest);
        // FILE:LINE[:COLUMN]: problem
        let (place, problem) = line.split_once(": ")?;
        if place.contains(".yaml:") || place.contains(".tpl:") || place.contains(".txt:") || place.contains(".yml:") {
            let mut parts = place.splitn(3, ':');
            let place = format!("{}:{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let problem = problem.rsplit_once(">: ").map_or(problem, |(_, problem)| problem.trim());
            let value = between(line, "at <", ">");
            let problem = value.map_or_else(|| problem.to_owned(), |value| format!("`{value}`: {problem}"));
            return Some(make(&place, &problem));
        }
    }
    // `fail` and `required` of a template: the chart's own words, a list of problems or one sentence.
    if let Some((_, rest)) = words.split_once("execution error at (") {
        let (place, said) = rest.split_once("): ")?;
        let listed: Vec<&str> = said.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
        let problem = if listed.is_empty() { said.lines().next().unwrap_or_default().to_owned() } else { listed.join("; ") };
        let found = failure.finding(codes::SCHEMA, format!("the chart refuses a value: {problem}")).evidence(place, said.trim());
        return Some(found.advice("correct the value in xtask.toml or the values file"));
    }
    if let Some((_, rest)) = words.split_once("parse error at (") {
        let (place, problem) = rest.lines().next()?.split_once("): ")?;
        return Some(make(place, problem));
    }
    if let Some((_, rest)) = words.split_once("YAML parse error on ") {
        let (file, problem) = rest.lines().next()?.split_once(": ")?;
        let place = between(problem, "line ", ":").map_or_else(|| file.to_owned(), |line| format!("{file}:{line} (as rendered)"));
        let problem = problem.rsplit_once(": ").map_or(problem, |(_, last)| last);
        return Some(make(&place, problem));
    }
    None
}

/// The chart of the call: the second word after the subcommand.
fn chart_path(failure: &ToolFailure) -> Option<&str> {
    let release = release(failure);
    let mut words = failure.args.iter().map(String::as_str).skip_while(|arg| *arg != release);
    match failure.args.first().map(String::as_str) {
        Some("lint") => words.next(),
        _ => words.nth(1).filter(|arg| !arg.starts_with('-')),
    }
}

/// The cluster refuses the release or an object of it.
fn refused(failure: &ToolFailure, words: &str, call: &Call<'_>) -> Option<Finding> {
    let release = call.release;
    let place = &call.place;
    if words.contains("another operation (install/upgrade/rollback) is in progress") {
        return Some(
            failure
                .finding(codes::RELEASE_PENDING, format!("release `{release}` is locked: an earlier helm run was cut off"))
                .remedy("repairs it and goes on", "cargo xtask deploy")
                .remedy("by hand: back to the last revision that worked", format!("helm rollback {release}{place}"))
                .remedy("by hand, if it was the first revision", format!("helm uninstall {release}{place}")),
        );
    }
    if words.contains("invalid ownership metadata") || words.contains("cannot be imported into the current release") {
        let object = between(words, "install: ", " in namespace")
            .or_else(|| between(words, "resource: ", " in namespace"))
            .unwrap_or("an object");
        let mut parts = object.split(' ');
        let (kind, name) = (parts.next().unwrap_or("object"), parts.next().unwrap_or_default().trim_matches('"'));
        return Some(
            failure
                .finding(codes::OWNERSHIP, format!("{} `{name}` exists and is not of release `{release}`", kind.to_lowercase()))
                .remedy("see whose it is", call.kubectl(&format!("get {} {name} --show-labels", kind.to_lowercase())))
                .remedy(
                    "if nobody needs it: delete it, then deploy again",
                    call.kubectl(&format!("delete {} {name}", kind.to_lowercase())),
                ),
        );
    }
    if let Some(invalid) = Invalid::find(words).filter(|invalid| invalid.problem.contains("field is immutable")) {
        return Some(
            failure
                .finding(codes::IMMUTABLE, invalid.cause())
                .remedy("delete it, its pods stop meanwhile", call.kubectl(&format!("delete {} {}", invalid.kind, invalid.name)))
                .remedy("then", "cargo xtask deploy"),
        );
    }
    if words.contains("provided port is already allocated") || words.contains("provided port is not in the valid range") {
        let service = between(words, "Service \"", "\"").unwrap_or("?");
        let port = between(words, "Invalid value: ", ":").unwrap_or("?");
        let range = words.contains("valid range");
        let found = if range {
            failure.finding(codes::NODEPORT_RANGE, format!("service `{service}`: NodePort {port} is not between 30000 and 32767"))
        } else {
            failure.finding(codes::NODEPORT_TAKEN, format!("service `{service}`: NodePort {port} is taken by another service"))
        };
        let context = call.context.map_or_else(String::new, |context| format!(" --context {context}"));
        let found = if range { found } else { found.remedy("see whose it is", format!("kubectl{context} get services -A")) };
        return Some(found.advice("choose another `public.node_port` in xtask.toml"));
    }
    if words.contains("no matches for kind") {
        let kind = between(words, "no matches for kind \"", "\"").unwrap_or("?");
        let version = between(words, "in version \"", "\"").unwrap_or("?");
        return Some(
            failure
                .finding(codes::KIND_UNKNOWN, format!("the cluster does not know kind `{kind}` of `{version}`"))
                .advice("install its custom resource definitions first, or correct apiVersion in the template"),
        );
    }
    if words.contains("Apply failed with") && words.contains("conflict") {
        let line = line_with(words, "Apply failed with");
        return Some(
            failure
                .finding(codes::APPLY_CONFLICT, format!("release `{release}`: another tool changed a field: {line}"))
                .advice("undo that change, or let helm overwrite it: add `--force-conflicts`"),
        );
    }
    about_the_call(failure, words, call)
}

/// helm or the cluster refuses what was asked for, before any object is touched; or a hook failed.
fn about_the_call(failure: &ToolFailure, words: &str, call: &Call<'_>) -> Option<Finding> {
    let release = call.release;
    let place = &call.place;
    if words.contains("unknown flag: ") {
        let flag = between(words, "unknown flag: ", "\n").unwrap_or("?").trim();
        return Some(
            failure
                .finding(codes::HELM_FLAG, format!("this helm does not know the flag `{flag}`"))
                .remedy("see which versions work", "cargo xtask doctor"),
        );
    }
    if words.contains("release: not found") {
        return Some(
            failure
                .finding(codes::RELEASE_NOT_FOUND, format!("there is no release `{release}`"))
                .remedy("see which exist", format!("helm list -a{place}"))
                .remedy("install it", "cargo xtask deploy"),
        );
    }
    if words.contains("release has no ") && words.contains("version") {
        return Some(
            failure
                .finding(codes::ROLLBACK_REFUSED, format!("release `{release}` has no such revision"))
                .remedy("see which it has", format!("helm history {release}{place}")),
        );
    }
    if let Some(name) = between(words, "namespaces \"", "\" not found") {
        return Some(
            failure
                .finding(codes::OBJECT_NOT_FOUND, format!("namespace `{name}` does not exist"))
                .remedy("create it and install", "cargo xtask deploy"),
        );
    }
    if let Some(job) = between(words, "job ", " failed: ").filter(|name| !name.contains(' ')) {
        let hook = between(words, "failed ", ":").unwrap_or("hook");
        return Some(
            failure
                .finding(codes::JOB_FAILED, format!("{hook} job `{job}` of release `{release}` failed"))
                .remedy("see why", call.kubectl(&format!("logs job/{job}"))),
        );
    }
    let invalid = Invalid::find(words)?;
    Some(failure.finding(codes::OBJECT_INVALID, invalid.cause()).advice("correct the value in the template or the values"))
}

/// helm waited and does not say for what.
fn waiting(failure: &ToolFailure, words: &str, call: &Call<'_>) -> Option<Finding> {
    let release = call.release;
    let timed_out = ["context deadline exceeded", "timed out waiting for the condition", "rate limiter Wait returned an error"];
    if timed_out.iter().any(|pattern| words.contains(pattern)) {
        let after = failure.flag(&["--timeout"]).map_or_else(String::new, |time| format!(" after {time}"));
        let removed = if words.contains("has been uninstalled") { " and removed it again" } else { "" };
        let hook = ["failed pre-", "failed post-", "hooks failed"].iter().any(|pattern| words.contains(pattern));
        let what = if hook { "a hook" } else { "the pods" };
        return Some(
            failure
                .finding(codes::HELM_TIMEOUT, format!("helm stopped waiting for {what} of release `{release}`{after}{removed}"))
                .remedy("names the pod and the cause", "cargo xtask status")
                .remedy("", call.kubectl("get events --sort-by=.lastTimestamp")),
        );
    }
    if words.contains("Error: ") {
        let text = error_line(words);
        let line = text.lines().next().unwrap_or_default();
        return Some(
            failure
                .finding(codes::RELEASE_FAILED, format!("release `{release}`: {line}"))
                .evidence(format!("helm ({})", failure.end()), text.clone())
                .remedy("see its revisions", format!("helm history {release}{}", call.place)),
        );
    }
    None
}

/// What `helm status -o json` (or a line of `helm list -o json`) says about a release, where that is wrong: cut off, or failed.
/// `status` is `info.status` (helm 3.22.0: deployed, failed, pending-install, pending-upgrade, pending-rollback, uninstalling, …).
pub fn release_status(scope: &Scope, release: &str, revision: u64, status: &str, description: &str) -> Option<Finding> {
    let mut place = String::new();
    for (flag, value) in [("--kube-context", &scope.context), ("-n", &scope.namespace)] {
        if !value.is_empty() {
            place.extend([" ", flag, " ", value]);
        }
    }
    let subject = format!("release/{release}");
    let evidence = |found: Finding| {
        found.evidence(format!("helm status {release}"), format!("{status}, revision {revision}: {description}"))
    };
    match status {
        "failed" => Some(
            evidence(finding(
                codes::RELEASE_STATE_FAILED,
                subject,
                format!("release `{release}` failed at revision {revision}: {}", why_failed(description)),
            ))
            .remedy("upgrades over it", "cargo xtask deploy")
            .remedy("or go back", "cargo xtask rollback"),
        ),
        "pending-install" | "pending-upgrade" | "pending-rollback" | "uninstalling" => {
            let found = evidence(finding(
                codes::RELEASE_PENDING,
                subject,
                format!("release `{release}` is {status} at revision {revision}: an earlier helm run was cut off"),
            ))
            .remedy("repairs it and goes on", "cargo xtask deploy");
            Some(if revision <= 1 || status == "uninstalling" {
                found.remedy("by hand", format!("helm uninstall {release}{place} --wait"))
            } else {
                found.remedy("by hand: back to the last revision that worked", format!("helm rollback {release}{place}"))
            })
        }
        _ => None,
    }
}

/// `Release "bad" failed: context deadline exceeded`: the part that says something.
fn why_failed(description: &str) -> &str {
    let why = description.split_once(" failed: ").map_or(description, |(_, why)| why);
    if why.contains("context deadline exceeded") { "helm stopped waiting for its pods" } else { why }
}
