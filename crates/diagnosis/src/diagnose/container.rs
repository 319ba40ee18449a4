//! Why a container does not run: what it waits for.

use super::cause::{Cause, Depth};
use super::ends::{ended_badly, running_again};
use super::pods::{Part, View, first_line};
use super::registry::{self, Refusal};
use crate::catalogue::codes;
use crate::finding::Finding;

/// Seconds that a pull which may heal is given from the creation of the pod: the kubelet tries two or three times in them.
pub(crate) const PULL_GRACE: i64 = 30;

/// The cause in this container, if there is one.
pub(crate) fn cause(view: &View<'_>, part: &Part<'_>) -> Option<Cause> {
    let Some(status) = part.status else { return early(view, part) };
    if let Some(waiting) = &status.state.waiting {
        return match waiting.reason.as_str() {
            "ContainerCreating" | "PodInitializing" | "" => early(view, part),
            "CrashLoopBackOff" => ended_badly(view, part).or_else(|| Some(crash_loop(view, part, &waiting.message))),
            reason => waits(view, part, reason, &waiting.message),
        };
    }
    if let Some(terminated) = &status.state.terminated {
        // An init container that ended well, and any container of a pod that need not go on, are fine.
        let fine = terminated.exit_code == 0
            && (part.init || view.pod.spec.restart_policy != "Always" && !view.pod.spec.restart_policy.is_empty());
        return if fine { None } else { ended_badly(view, part) };
    }
    running_again(view, part)
}

/// It crashes, and how it ended is not known any more (the runtime has forgotten the container).
fn crash_loop(view: &View<'_>, part: &Part<'_>, message: &str) -> Cause {
    let restarts = part.status.map_or(0, |status| status.restart_count);
    let found = view
        .finding(codes::CRASH_LOOP, format!("{} ends at every start, restarted {restarts} times", view.who()))
        .evidence(format!("container {} waiting.reason", part.spec.name), format!("CrashLoopBackOff: {message}"))
        .remedy("see its log", view.logs(&part.spec.name, true));
    Cause::now(Depth::Crash, found)
}

/// Events tell some causes a moment before the state does.
fn early(view: &View<'_>, part: &Part<'_>) -> Option<Cause> {
    if part.status.is_some_and(|status| status.restart_count > 0) {
        return None;
    }
    let path = format!("spec.{}{{{}}}", if part.init { "initContainers" } else { "containers" }, part.spec.name);
    let mut events: Vec<_> = view.events().into_iter().filter(|event| event.involved_object.field_path == path).collect();
    // What came after a success is news, what came before it is over.
    let last_good = events.iter().rposition(|event| matches!(event.reason.as_str(), "Created" | "Started"));
    events.drain(..last_good.map_or(0, |at| at + 1));
    events.into_iter().filter(|event| event.kind == "Warning").find_map(|event| {
        let message = event.message.as_str();
        match event.reason.as_str() {
            "ErrImageNeverPull" => waits(view, part, "ErrImageNeverPull", message),
            "InspectFailed" => waits(view, part, "InvalidImageName", message),
            "Failed" if message.starts_with("Failed to pull image") => waits(view, part, "ErrImagePull", message),
            "Failed" => {
                let message = message.strip_prefix("Error: ")?;
                let reference =
                    message.contains("not found") || message.contains("couldn't find key") || message.contains("runAsNonRoot");
                reference.then(|| waits(view, part, "CreateContainerConfigError", message)).flatten()
            }
            _ => None,
        }
    })
}

/// A reason to wait that is no progress.
fn waits(view: &View<'_>, part: &Part<'_>, reason: &str, message: &str) -> Option<Cause> {
    let evidence = |finding: Finding| {
        let source = format!("container {} waiting.reason", part.spec.name);
        let text = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
        finding.evidence(source, text)
    };
    let cause = match reason {
        "ErrImageNeverPull" => Cause::now(Depth::Image, evidence(never_pull(view, part))),
        "InvalidImageName" | "ImageInspectError" => {
            let text = format!("{} can't start: image name `{}` is not valid", view.who(), part.spec.image);
            let found = view.finding(codes::IMAGE_NAME_INVALID, text).advice(
                "a repository is lower case, with one tag: correct it in xtask.toml or the values, then: cargo xtask deploy",
            );
            Cause::now(Depth::Image, evidence(found))
        }
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" => pull(view, part, message, evidence),
        "CreateContainerConfigError" => Cause::now(Depth::Reference, evidence(reference(view, part, message))),
        "CreateContainerError" | "RunContainerError" | "StartError" | "PostStartHookError" | "PreCreateHookError" => {
            Cause::now(Depth::Start, evidence(start(view, part, message)))
        }
        _ => return None,
    };
    Some(cause)
}

fn never_pull(view: &View<'_>, part: &Part<'_>) -> Finding {
    let image = &part.spec.image;
    view.finding(
        codes::IMAGE_NEVER_PULL,
        format!("{} can't start: image `{image}` is not on the node, and its pull policy is Never", view.who()),
    )
    .remedy("build it into the node", "cargo xtask build-images")
    .remedy("see which images the node has", "minikube image ls")
}

fn pull(view: &View<'_>, part: &Part<'_>, message: &str, evidence: impl Fn(Finding) -> Finding) -> Cause {
    let image = &part.spec.image;
    let who = view.who();
    // The waiting message of a back-off is short in some versions; the event has the runtime's words.
    let said = view
        .events()
        .into_iter()
        .rev()
        .find(|event| event.reason == "Failed" && event.message.starts_with("Failed to pull image"))
        .map(|event| event.message.clone());
    let words = if registry::refusal(message) == Refusal::Other { said.as_deref().unwrap_or(message) } else { message };
    let kind = registry::refusal(words);
    let host = registry::host(image);
    let load = format!("minikube image load {image}");
    let found = match kind {
        Refusal::NotFound => view
            .finding(codes::PULL_NOT_FOUND, format!("{who} can't start: registry `{host}` has no image `{image}`"))
            .advice("correct repository and tag in the values")
            .remedy("an image that is built here: build it into the node", "cargo xtask build-images"),
        Refusal::Auth => view
            .finding(codes::PULL_AUTH, format!("{who} can't start: registry `{host}` refuses `{image}` without a login"))
            .advice("check the name: registries hide wrong names behind this")
            .remedy("or take it from this machine, where you are logged in", load),
        Refusal::RateLimit => view
            .finding(codes::PULL_RATE_LIMIT, format!("{who} can't start: registry `{host}` limits pulls, `{image}` did not come"))
            .remedy("take it from this machine", load),
        Refusal::Network => view
            .finding(
                codes::PULL_NETWORK,
                format!("{who} can't start: registry `{host}` of image `{image}`: {}", registry::network_trouble(words)),
            )
            .advice("check the connection, VPN and proxy; a wrong host name looks alike")
            .remedy("or take it from this machine", load),
        Refusal::Tls => view
            .finding(codes::PULL_TLS, format!("{who} can't start: the node does not trust the certificate of registry `{host}`"))
            .remedy("put its CA into ~/.minikube/certs, then", "minikube start --embed-certs")
            .remedy("or take the image from this machine", load),
        Refusal::Other => view
            .finding(codes::PULL_FAILED, format!("{who} can't start: image `{image}` can't be pulled: {}", first_line(words)))
            .remedy("", view.describe())
            .remedy("or take it from this machine", load),
    };
    let found = evidence(found);
    let found = match said {
        Some(said) if said != message => found.evidence("event Failed", said),
        _ => found,
    };
    match view.pod.metadata.creation_timestamp {
        Some(created) if kind.may_heal() => {
            let deadline = view.bounded(created.plus_seconds(PULL_GRACE));
            Cause::until(Depth::Image, found, deadline, format!("{PULL_GRACE}s for the registry"))
        }
        _ => Cause::now(Depth::Image, found),
    }
}

/// `CreateContainerConfigError`: something that the container refers to.
fn reference(view: &View<'_>, part: &Part<'_>, message: &str) -> Finding {
    let who = view.who();
    let scope = &view.facts.scope;
    let service = view.service();
    let quoted = |word: &str| message.split_once(&format!("{word} \"")).and_then(|(_, rest)| rest.split('"').next());
    if let Some((key, kind, name)) = missing_key(message) {
        let secret = kind == "Secret";
        let code = if secret { codes::SECRET_KEY_MISSING } else { codes::CONFIGMAP_KEY_MISSING };
        let mut found = view.finding(code, format!("{who} can't start: {} `{name}` has no key `{key}`", kind.to_lowercase()));
        if let Some(keys) = view.facts.secret_keys.get(name).filter(|_| secret) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            found = found.evidence(format!("secret/{name}"), format!("has the keys {}", keys.join(", ")));
        }
        return if secret {
            found.remedy(
                format!("set {key} in .env and list it in `services.{service}.keys` of xtask.toml, then"),
                "cargo xtask deploy",
            )
        } else {
            found.remedy(format!("set {key} under `config` in the values, then"), "cargo xtask deploy")
        }
        .remedy("see which keys it has", scope.kubectl(&format!("describe {} {name}", kind.to_lowercase())));
    }
    if let Some(name) = quoted("secret").filter(|_| message.contains("not found")) {
        return view
            .finding(codes::SECRET_MISSING, format!("{who} can't start: secret `{name}` does not exist"))
            .remedy(
                format!(
                    "the tool makes one for the release if `services.{service}.keys` in xtask.toml lists any; if it does, run"
                ),
                "cargo xtask deploy",
            )
            .advice("a chart that takes its name from another value than `existingSecret`: `keys.existing_secret` of the release")
            .remedy("see which exist", scope.kubectl("get secrets"));
    }
    if let Some(name) = quoted("configmap").filter(|_| message.contains("not found")) {
        return view
            .finding(codes::CONFIGMAP_MISSING, format!("{who} can't start: configmap `{name}` does not exist"))
            .remedy("it comes with the chart: run", "cargo xtask deploy")
            .remedy("see which exist", scope.kubectl("get configmaps"));
    }
    let image = &part.spec.image;
    if message.contains("non-numeric user") {
        let user = message.split_once('(').and_then(|(_, rest)| rest.split(')').next()).unwrap_or("?");
        return view
            .finding(
                codes::USER_NOT_NUMERIC,
                format!("{who} can't start: image `{image}` names its user `{user}`, runAsNonRoot needs a number"),
            )
            .remedy("write the number in the Dockerfile (`USER 10001`), then", "cargo xtask deploy")
            .advice(format!("or set `services.{service}.run_as_user` in xtask.toml to the image's numeric user id"));
    }
    if message.contains("will run as root") || message.contains("runAsUser breaks non-root policy") {
        return view
            .finding(codes::RUNS_AS_ROOT, format!("{who} can't start: image `{image}` runs as root, the pod forbids that"))
            .remedy("set a numeric user in the Dockerfile (`USER 10001`), then", "cargo xtask deploy")
            .advice(format!("or opt it down: `services.{service}.pod_security = \"baseline\"` in xtask.toml"));
    }
    view.finding(codes::CONTAINER_START_FAILED, format!("{who} can't start: {}", first_line(message))).remedy("", view.describe())
}

/// `couldn't find key KEY in Secret NAMESPACE/NAME`
fn missing_key(message: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = message.split_once("couldn't find key ")?.1.split_once(" in ")?;
    let (kind, object) = rest.split_once(' ')?;
    let name = object.split_whitespace().next()?.rsplit('/').next()?;
    Some((key, kind, name))
}

/// The runtime could not start the program.
pub(super) fn start(view: &View<'_>, part: &Part<'_>, message: &str) -> Finding {
    let who = view.who();
    let image = &part.spec.image;
    let command = message
        .split_once("exec: \"")
        .and_then(|(_, rest)| rest.split('"').next())
        .or_else(|| message.split_once("exec ").and_then(|(_, rest)| rest.split(':').next()))
        .unwrap_or("its command");
    if message.contains("exec format error") {
        let text = match node_architecture(view) {
            Some(node) => format!("{who} can't start: `{command}` in image `{image}` is not a program for this node ({node})"),
            None => format!("{who} can't start: `{command}` in image `{image}` is not a program for this processor"),
        };
        return exec_format(view.finding(codes::EXEC_FORMAT, text));
    }
    if message.contains("permission denied") {
        return view
            .finding(
                codes::COMMAND_NOT_EXECUTABLE,
                format!("{who} can't start: `{command}` in image `{image}` is not executable"),
            )
            .remedy("`COPY --chmod=755` or `RUN chmod +x` in the Dockerfile, then", "cargo xtask deploy");
    }
    if ["no such file or directory", "executable file not found"].iter().any(|words| message.contains(words)) {
        return view
            .finding(codes::COMMAND_MISSING, format!("{who} can't start: image `{image}` has no command `{command}`"))
            .remedy("correct `command` in the values or CMD in the Dockerfile, then", "cargo xtask deploy")
            .remedy(
                "see what the image starts",
                format!("docker image inspect --format '{{{{.Config.Entrypoint}}}} {{{{.Config.Cmd}}}}' {image}"),
            );
    }
    view.finding(codes::CONTAINER_START_FAILED, format!("{who} can't start: {}", first_line(message))).remedy("", view.describe())
}

pub(super) fn exec_format(found: Finding) -> Finding {
    found
        .remedy("build it on this machine, without `--platform`", "cargo xtask build-images")
        .advice("a script needs `#!/bin/sh` as its first line")
}

fn node_architecture<'a>(view: &View<'a>) -> Option<&'a str> {
    let node = view.facts.nodes.get(&view.pod.spec.node_name)?;
    Some(node.status.node_info.architecture.as_str()).filter(|text| !text.is_empty())
}
