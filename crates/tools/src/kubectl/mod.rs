//! kubectl. Every call names context and namespace.

mod api;
mod follow;
mod growing;
mod watch;

use std::time::Duration;

use calls::invocation::{Invocation, Stdin, Tool};
use serde_json::Value;

use crate::answer::{Parsed, Refusal, ToolError, json, succeeded};
use crate::runner::{Output, Runner};
use crate::target::Target;

pub use api::{Api, ApiError, Stream, StreamStopper, parse_raw_list, parse_response, proxy_invocation};
pub use follow::{
    Logs, PortForward, PortForwardError, logs, logs_follow, logs_invocation, parse_forwarding, port_forward,
    port_forward_invocation,
};
pub use growing::GrowingLog;
pub use watch::{Watch, WatchEvent, WatchItem, WatchPath, parse_watch_line};

/// A question to the API server.
const SHORT: Duration = Duration::from_secs(60);

/// The name under which our fields are kept by the API server.
pub const FIELD_MANAGER: &str = "xtask";

fn call(target: &Target, what: impl Into<String>, deadline: Duration) -> Invocation {
    target.kubectl(Invocation::new(Tool::Kubectl, what, deadline))
}

/// Which objects of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// A label selector, `app.kubernetes.io/instance=todo-app`; empty for all.
    pub labels: String,
    /// A field selector; empty for none.
    pub fields: String,
}

impl Selection {
    /// All of them.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those with these labels.
    pub fn labels(selector: impl Into<String>) -> Self {
        Self { labels: selector.into(), fields: String::new() }
    }

    fn apply(&self, invocation: Invocation) -> Invocation {
        let flags = [("-l", &self.labels), ("--field-selector", &self.fields)];
        flags.into_iter().filter(|(_, value)| !value.is_empty()).fold(invocation, |i, (flag, value)| i.args([flag, value]))
    }
}

/// `kubectl get KIND,KIND… -o json`: several kinds in one process.
pub fn get_invocation(target: &Target, kinds: &[&str], selection: &Selection) -> Invocation {
    let kinds = kinds.join(",");
    selection
        .apply(call(target, format!("read {kinds} in namespace `{}`", target.namespace), SHORT).args(["get", &kinds]))
        .args(["-o", "json"])
}

/// The objects of a list; a namespace that does not exist has none.
pub fn parse_list(output: &Output) -> Parsed<Vec<Value>> {
    match json(output)? {
        Value::Object(mut list) => match list.remove("items") {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(Refusal::Unclear("not a list of objects".to_owned())),
        },
        _ => Err(Refusal::Unclear("not a list of objects".to_owned())),
    }
}

/// The objects of some kinds.
pub fn get(runner: &Runner, target: &Target, kinds: &[&str], selection: &Selection) -> Result<Vec<Value>, ToolError> {
    runner.ask(&get_invocation(target, kinds, selection), parse_list)
}

/// `kubectl get KIND NAME -o json`
pub fn get_one_invocation(target: &Target, kind: &str, name: &str) -> Invocation {
    call(target, format!("read {kind} `{name}`"), SHORT).args(["get", kind, name, "-o", "json"])
}

/// The object; `None` when the API server says `NotFound`.
pub fn parse_one(output: &Output) -> Parsed<Option<Value>> {
    if is_not_found(output) { Ok(None) } else { json(output).map(Some) }
}

/// One object, if there is one.
pub fn get_one(runner: &Runner, target: &Target, kind: &str, name: &str) -> Result<Option<Value>, ToolError> {
    runner.ask(&get_one_invocation(target, kind, name), parse_one)
}

fn is_not_found(output: &Output) -> bool {
    !output.exit.is_success() && output.stderr.contains("Error from server (NotFound): ")
}

/// `kubectl get --raw PATH`
pub fn get_raw_invocation(context: &str, path: &str) -> Invocation {
    Invocation::new(Tool::Kubectl, format!("read `{path}`"), SHORT).args(["--context", context, "get", "--raw", path])
}

/// What the API server answers to a path, as JSON.
pub fn get_raw(runner: &Runner, context: &str, path: &str) -> Result<Value, ToolError> {
    runner.ask(&get_raw_invocation(context, path), json)
}

/// What `apply` did to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// `secret/todo-app-secrets`
    pub object: String,
    /// `serverside-applied`, `created`, `unchanged`…
    pub action: String,
}

/// `kubectl apply --server-side -f -`: manifests on stdin.
///
/// Server-side, because a client-side apply copies the whole object, with the values of a Secret, into the annotation
/// `kubectl.kubernetes.io/last-applied-configuration`, where `kubectl describe` shows it. `--force-conflicts`: what is applied here
/// is ours alone, and a field that was changed by hand is to be put right.
pub fn apply_invocation(target: &Target, what: impl Into<String>, manifests: Stdin) -> Invocation {
    let manager = format!("--field-manager={FIELD_MANAGER}");
    call(target, what, SHORT).args(["apply", "--server-side", &manager, "--force-conflicts", "-f", "-"]).stdin(manifests)
}

/// What was done, from lines such as `secret/todo-app-secrets serverside-applied`.
pub fn parse_apply(output: &Output) -> Parsed<Vec<Applied>> {
    succeeded(output)?;
    parse_actions(&output.stdout)
}

fn parse_actions(stdout: &str) -> Parsed<Vec<Applied>> {
    stdout
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match line.split_once(' ') {
            Some((object, action)) if object.contains('/') => {
                Ok(Applied { object: object.to_owned(), action: action.trim().to_owned() })
            }
            _ => Err(Refusal::Unclear(format!("`{line}` does not say what was done to which object"))),
        })
        .collect()
}

/// Applies manifests (JSON or YAML). With [`Stdin::Secret`] their bytes are shown nowhere.
pub fn apply(runner: &Runner, target: &Target, what: impl Into<String>, manifests: Stdin) -> Result<Vec<Applied>, ToolError> {
    runner.ask(&apply_invocation(target, what, manifests), parse_apply)
}

/// `kubectl delete KIND,KIND -l LABELS --ignore-not-found`; an empty selector is refused by kubectl, so nothing is deleted by
/// accident.
pub fn delete_invocation(target: &Target, kinds: &[&str], selection: &Selection, wait: bool, deadline: Duration) -> Invocation {
    let kinds = kinds.join(",");
    let what = format!("delete {kinds} with `{}` in namespace `{}`", selection.labels, target.namespace);
    let invocation = selection.apply(call(target, what, deadline).args(["delete", &kinds]));
    invocation.args(["--ignore-not-found", "-o", "name", &format!("--wait={wait}")])
}

/// The objects that were deleted, as `kind/name`.
pub fn parse_delete(output: &Output) -> Parsed<Vec<String>> {
    succeeded(output)?;
    Ok(output.stdout.lines().map(str::trim).filter(|line| line.contains('/')).map(str::to_owned).collect())
}

/// Deletes objects by kind and label; those that are gone already are no error.
pub fn delete(
    runner: &Runner,
    target: &Target,
    kinds: &[&str],
    selection: &Selection,
    wait: bool,
    deadline: Duration,
) -> Result<Vec<String>, ToolError> {
    runner.ask(&delete_invocation(target, kinds, selection, wait, deadline), parse_delete)
}

/// `kubectl delete KIND NAME --ignore-not-found`
pub fn delete_one_invocation(target: &Target, kind: &str, name: &str, wait: bool, deadline: Duration) -> Invocation {
    let wait = format!("--wait={wait}");
    call(target, format!("delete {kind} `{name}`"), deadline).args([
        "delete",
        kind,
        name,
        "--ignore-not-found",
        "-o",
        "name",
        &wait,
    ])
}

/// Deletes one object; whether it was there.
pub fn delete_one(
    runner: &Runner,
    target: &Target,
    kind: &str,
    name: &str,
    wait: bool,
    deadline: Duration,
) -> Result<bool, ToolError> {
    runner.ask(&delete_one_invocation(target, kind, name, wait, deadline), parse_delete).map(|deleted| !deleted.is_empty())
}

/// `kubectl exec POD -c CONTAINER -- COMMAND`
pub fn exec_invocation(target: &Target, pod: &str, container: Option<&str>, command: &[&str], deadline: Duration) -> Invocation {
    let invocation = call(target, format!("run `{}` in `{pod}`", command.join(" ")), deadline).args(["exec", pod]);
    let invocation = container.into_iter().fold(invocation, |i, container| i.args(["-c", container]));
    invocation.arg("--").args(command.iter().copied())
}

/// Runs a command in a container. The exit code is the command's own, so it is part of the answer.
pub fn exec(
    runner: &Runner,
    target: &Target,
    pod: &str,
    container: Option<&str>,
    command: &[&str],
    deadline: Duration,
) -> Result<Output, ToolError> {
    let invocation = exec_invocation(target, pod, container, command, deadline);
    runner.ask(&invocation, |output| {
        // kubectl's own failures; a command's message does not begin like that by accident at this exit code.
        let own = output.stderr.starts_with("Error from server")
            || output.stderr.starts_with("error: ")
            || output.stderr.starts_with("The connection to the server");
        if output.exit == crate::runner::Exit::Code(1) && own { Err(Refusal::Failed) } else { Ok(output.clone()) }
    })
}

/// What a container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its pod.
    pub pod: String,
    /// Its name.
    pub container: String,
    /// CPU (thousandths of one).
    pub cpu_milli: u64,
    /// Memory (bytes).
    pub memory: u64,
}

/// `kubectl top pods --containers --no-headers`
pub fn top_invocation(target: &Target, selection: &Selection) -> Invocation {
    let what = format!("read what the pods in namespace `{}` use", target.namespace);
    selection.apply(call(target, what, SHORT).args(["top", "pods"])).args(["--containers", "--no-headers"])
}

/// What each container uses; `None` where the cluster has no metrics (yet).
pub fn parse_top(output: &Output) -> Parsed<Option<Vec<Metric>>> {
    if output.stderr.contains("Metrics API not available") || output.stderr.contains("metrics not available yet") {
        return Ok(None);
    }
    succeeded(output)?;
    let row = |line: &str| {
        let unclear = || Refusal::Unclear(format!("`{line}` is no row of `kubectl top`"));
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [pod, container, cpu, memory] => Ok(Metric {
                pod: pod.to_owned(),
                container: container.to_owned(),
                cpu_milli: milli(cpu).ok_or_else(unclear)?,
                memory: binary(memory).ok_or_else(unclear)?,
            }),
            _ => Err(unclear()),
        }
    };
    output.stdout.lines().filter(|line| !line.trim().is_empty()).map(row).collect::<Parsed<_>>().map(Some)
}

/// `12m` or `1`
fn milli(text: &str) -> Option<u64> {
    text.strip_suffix('m').map_or_else(|| text.parse::<u64>().ok().map(|cpus| cpus * 1000), |m| m.parse().ok())
}

/// `34Mi`
fn binary(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = ["", "Ki", "Mi", "Gi", "Ti"].iter().position(|u| *u == unit)?;
    number.parse::<u64>().ok()?.checked_mul(1024_u64.checked_pow(u32::try_from(power).ok()?)?)
}

/// What the pods use, if it is known.
pub fn top(runner: &Runner, target: &Target, selection: &Selection) -> Result<Option<Vec<Metric>>, ToolError> {
    runner.ask(&top_invocation(target, selection), parse_top)
}

/// `kubectl config view -o json`, the certificates left out.
pub fn config_view_invocation() -> Invocation {
    Invocation::new(Tool::Kubectl, "read the kubeconfig", SHORT).args(["config", "view", "-o", "json"])
}

/// The kubeconfig as kubectl merges it.
pub fn config_view(runner: &Runner) -> Result<Value, ToolError> {
    runner.ask(&config_view_invocation(), json)
}
