//! Why docker failed: the daemon, the build, the image.

use super::super::registry::{self, Refusal};
use super::{Explain as _, ToolFailure, between, disk_full, line_with};
use crate::catalogue::codes;
use crate::finding::Finding;

/// Lines of a failing step that are shown.
const STEP_LINES: usize = 20;

pub(super) fn explain(failure: &ToolFailure) -> Option<Finding> {
    let words = failure.words();
    daemon(failure, &words).or_else(|| build(failure, &words)).or_else(|| image(failure, &words))
}

/// The daemon is away or keeps us out.
pub(super) fn daemon(failure: &ToolFailure, words: &str) -> Option<Finding> {
    let source = format!("docker ({})", failure.end());
    if words.contains("permission denied while trying to connect to the") {
        let socket = between(words, "socket at ", ":").map(|scheme| {
            let rest = between(words, "socket at ", ": ").unwrap_or(scheme);
            rest.to_owned()
        });
        return Some(
            failure
                .finding(
                    codes::DOCKER_PERMISSION,
                    format!("this user may not use the docker daemon at {}", socket.as_deref().unwrap_or("its socket")),
                )
                .evidence(source, line_with(words, "permission denied while trying"))
                .remedy("join the group, then log in again", "sudo usermod -aG docker $USER")
                .remedy("for this terminal only", "newgrp docker"),
        );
    }
    if let Some(address) = unreachable(words) {
        return Some(docker_down(failure, &address).evidence(source, line_with(words, "Cannot connect to the Docker daemon")));
    }
    let tls = [
        "Client sent an HTTP request to an HTTPS server",
        "unable to resolve docker endpoint",
        "server gave HTTP response to HTTPS client",
    ];
    if let Some(pattern) = tls.into_iter().find(|pattern| words.contains(pattern)) {
        let line = line_with(words, pattern);
        let what = match between(line, "open ", ": no such file") {
            Some(file) => format!("its certificate `{file}` does not exist"),
            None => "DOCKER_HOST and DOCKER_TLS_VERIFY don't fit together".to_owned(),
        };
        return Some(
            failure
                .finding(codes::DOCKER_TLS, format!("docker can't talk to its daemon: {what}"))
                .evidence(source, line)
                .advice("leftovers of an older docker-env? open a new terminal, or unset DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH")
                .remedy("the certificates of the cluster are written by", "cargo xtask setup"),
        );
    }
    if words.contains("is too old. Minimum supported API version")
        || words.contains("client is newer than server")
        || words.contains("is too new. Maximum supported API version")
    {
        let line = line_with(words, "API version");
        return Some(
            failure
                .finding(codes::DOCKER_VERSION, "docker client and daemon don't understand each other")
                .evidence(source, line)
                .remedy("see both versions", "docker version"),
        );
    }
    None
}

/// The address of a daemon that does not answer.
pub(super) fn unreachable(words: &str) -> Option<String> {
    let rest = words.split_once("Cannot connect to the Docker daemon")?.1;
    Some(between(rest, " at ", ". Is the docker daemon").unwrap_or("its socket").to_owned())
}

/// The daemon does not answer at `address`.
pub(super) fn docker_down(failure: &ToolFailure, address: &str) -> Finding {
    let found = failure.finding(codes::DOCKER_DOWN, format!("docker daemon not reachable at {address}"));
    if address.starts_with("unix://") {
        found.remedy("start it (Linux; elsewhere start Docker Desktop)", "sudo systemctl start docker")
    } else if address.starts_with("tcp://") {
        found
            .remedy("it is the one of the cluster: start that", "cargo xtask setup")
            .advice("or forget it: open a new terminal, or unset DOCKER_HOST")
    } else {
        found.advice("start Docker Desktop")
    }
}

/// A build that failed; also for `minikube image build`, which exits 0.
pub(super) fn build(failure: &ToolFailure, words: &str) -> Option<Finding> {
    if words.contains("no space left on device") {
        return Some(disk_full(failure));
    }
    let named = failure.flag(&["-f", "--file"]);
    let image = failure.flag(&["-t", "--tag"]).unwrap_or("?");
    let make = |code, text: String| {
        let mut found = failure.finding(code, text);
        found.subject = format!("image/{image}");
        found
    };
    if let Some(tag) = between(words, "invalid tag \"", "\"") {
        let text = format!("image tag `{tag}` is not valid");
        return Some(
            make(codes::TAG_INVALID, text)
                .evidence("docker build", line_with(words, "invalid tag"))
                .advice("lower case for the repository; letters, digits, `_`, `.`, `-` for the tag: correct it in xtask.toml"),
        );
    }
    if let Some(path) = between(words, "unable to prepare context: path \"", "\"") {
        let text = format!("build context `{path}` of image `{image}` does not exist");
        return Some(
            make(codes::CONTEXT_MISSING_DIR, text)
                .evidence("docker build", line_with(words, "unable to prepare context"))
                .advice("correct `context` in xtask.toml"),
        );
    }
    let solve = words.lines().rev().find_map(|line| line.split_once("failed to solve: ")).map(|(_, rest)| rest.trim())?;
    let place = Place::find(words);
    let file = named.map_or_else(|| "Dockerfile".to_owned(), str::to_owned);
    let at = place.as_ref().map_or_else(|| file.clone(), |place| format!("{}:{}", place.file, place.line));
    let source = place.as_ref().map_or_else(|| "docker build".to_owned(), |place| format!("{}:{}", place.file, place.line));
    let shown = place.as_ref().map_or_else(|| solve.to_owned(), |place| place.text.clone());

    if solve.contains("failed to read dockerfile") {
        let text = format!("there is no `{file}` in the build context of image `{image}`");
        return Some(
            make(codes::DOCKERFILE_MISSING, text)
                .evidence("docker build", solve)
                .advice("correct `context` and `dockerfile` in xtask.toml"),
        );
    }
    if solve.contains("the Dockerfile cannot be empty") {
        return Some(
            make(codes::DOCKERFILE_SYNTAX, format!("the Dockerfile of image `{image}` is empty")).evidence("docker build", solve),
        );
    }
    if solve.contains("should not be blank") {
        let text = format!(
            "{at}: `{}` has no value: an ARG before FROM needs a default",
            between(solve, "base name (", ")").unwrap_or("FROM")
        );
        return Some(
            make(codes::DOCKERFILE_SYNTAX, text)
                .evidence(source, shown)
                .advice("give it a default: `ARG NAME=value`, or pass `--build-arg`"),
        );
    }
    if let Some((_, problem)) = solve.split_once("dockerfile parse error on ") {
        let (_, problem) = problem.split_once(": ").unwrap_or(("", problem));
        return Some(make(codes::DOCKERFILE_SYNTAX, format!("{at}: {problem}")).evidence(source, shown));
    }
    if let Some(stage) = between(solve, "target stage \"", "\"") {
        let text = format!("the Dockerfile of image `{image}` has no stage `{stage}`");
        return Some(
            make(codes::STAGE_UNKNOWN, text)
                .evidence("docker build", solve)
                .advice("check `target` in xtask.toml against the names after `AS`"),
        );
    }
    if solve.contains("failed to resolve source metadata")
        || solve.contains("pull access denied")
        || solve.contains("failed to load cache key")
    {
        return Some(base(solve, &at, &source, &shown, make));
    }
    if solve.contains("failed to calculate checksum") || solve.contains("failed to compute cache key") {
        let missing = between(solve, ": \"", "\": not found").and_then(|path| path.rsplit('"').next()).unwrap_or("a file");
        let text = format!("{at}: `{}` is not in the build context of image `{image}`", missing.trim_start_matches('/'));
        return Some(
            make(codes::COPY_MISSING, text)
                .evidence(source, shown)
                .evidence("docker build", solve)
                .advice("the path is relative to `context`; .dockerignore may hide it"),
        );
    }
    if let Some((_, rest)) = solve.split_once("process \"") {
        return Some(step(words, rest, solve, &at, &source, &shown, make));
    }
    Some(
        make(codes::BUILD_FAILED, format!("image `{image}` does not build: {solve}"))
            .evidence("docker build", solve)
            .remedy("a report: writes what is needed, without secrets", "cargo xtask report"),
    )
}

/// FROM, or COPY --from, with an image that does not come.
fn base(solve: &str, at: &str, source: &str, shown: &str, make: impl Fn(&'static str, String) -> Finding) -> Finding {
    let reference = solve.split(": ").next().unwrap_or("?");
    if shown.contains("--from=") && !reference.contains(['/', ':', '.']) {
        let text = format!("{at}: there is no stage `{reference}`, so docker looked for an image of that name");
        return make(codes::STAGE_UNKNOWN, text).evidence(source, shown).advice("check the name against the names after `AS`");
    }
    let host = registry::host(reference);
    let load = format!("minikube image load {reference}");
    let found = match registry::refusal(solve) {
        Refusal::NotFound => make(codes::BASE_NOT_FOUND, format!("{at}: registry `{host}` has no image `{reference}`"))
            .advice("correct the name in the Dockerfile"),
        Refusal::Auth => make(codes::BASE_AUTH, format!("{at}: registry `{host}` refuses `{reference}` without a login"))
            .remedy("check the name; for a private image", "docker login"),
        Refusal::RateLimit => make(codes::BASE_AUTH, format!("{at}: registry `{host}` limits pulls, `{reference}` did not come"))
            .remedy("pulls of a login count apart", "docker login")
            .remedy("or take it from this machine", load),
        Refusal::Tls => {
            let trouble = match registry::network_trouble(solve) {
                "it does not speak TLS" => "it does not speak TLS",
                _ => "its certificate is not trusted",
            };
            make(codes::BASE_TLS, format!("{at}: registry `{host}` of base image `{reference}`: {trouble}"))
                .remedy("put its CA into ~/.minikube/certs, then", "minikube start --embed-certs")
                .remedy("or take the image from this machine", load)
        }
        Refusal::Network | Refusal::Other => {
            let trouble = registry::network_trouble(solve);
            make(codes::BASE_NETWORK, format!("{at}: registry `{host}` of base image `{reference}`: {trouble}"))
                .advice("check the connection, VPN and proxy of the machine that runs the cluster")
                .remedy("offline, if this machine has the image", load)
        }
    };
    found.evidence(source, shown).evidence("docker build", solve)
}

/// A RUN that ended with an error.
fn step(
    words: &str,
    rest: &str,
    solve: &str,
    at: &str,
    source: &str,
    shown: &str,
    make: impl Fn(&'static str, String) -> Finding,
) -> Finding {
    let lines = step_lines(words);
    let code = solve.rsplit_once("exit code: ").map_or("?", |(_, code)| code.trim());
    let command = between(rest, "/bin/sh -c ", "\" did not complete").unwrap_or(shown.trim_start_matches("RUN "));
    let command = command.lines().next().unwrap_or(command);
    let last = lines.iter().rev().find(|line| !line.trim().is_empty()).map(String::as_str);
    let found = if code == "137" || solve.contains("signal: killed") {
        make(codes::BUILD_KILLED, format!("{at}: `{}` was killed (exit 137): mostly too little memory", short(command)))
            .advice("give Docker Desktop or the cluster more memory, or build one image at a time")
    } else if words.contains("exec format error") {
        make(codes::BUILD_EXEC_FORMAT, format!("{at}: `{}` runs a program for another processor", short(command)))
            .advice("remove `--platform` from the FROM line")
    } else {
        let said = last.map_or_else(String::new, |line| format!(": {}", line.trim()));
        let found = make(codes::STEP_FAILED, format!("{at}: `{}` ends with exit code {code}{said}", short(command)));
        if code == "127" {
            found.advice("the command is not in the image of this stage: install it in a step before, or use another base image")
        } else {
            found.advice("correct that line of the Dockerfile or what it reads, then: cargo xtask build-images")
        }
    };
    let found = found.evidence(source, shown);
    if lines.is_empty() { found.evidence("docker build", solve) } else { found.evidence("output of the step", lines.join("\n")) }
}

fn short(command: &str) -> String {
    let unescaped = command.replace("\\\\", "\\").replace("\\\"", "\"");
    if unescaped.chars().count() <= 60 { unescaped } else { format!("{}…", unescaped.chars().take(57).collect::<String>()) }
}

/// The last lines that the failing step printed: `#5 0.126 text`, of the step with `#5 ERROR: process`.
fn step_lines(words: &str) -> Vec<String> {
    let id = words.lines().find_map(|line| {
        let (id, rest) = line.split_once(' ')?;
        (id.starts_with('#') && rest.starts_with("ERROR: process")).then_some(id)
    });
    let Some(id) = id else { return Vec::new() };
    let prefix = format!("{id} ");
    let printed: Vec<String> = words
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .filter_map(|rest| {
            let (time, text) = rest.split_once(' ')?;
            time.parse::<f64>().ok().map(|_| text.to_owned())
        })
        .collect();
    printed[printed.len().saturating_sub(STEP_LINES)..].to_vec()
}

/// `Dockerfile:2` and the line that buildkit marks with `>>>`.
struct Place {
    file: String,
    line: String,
    text: String,
}

impl Place {
    fn find(words: &str) -> Option<Self> {
        let lines: Vec<&str> = words.lines().collect();
        let at = lines.iter().position(|line| line.contains(" | >>> "))?;
        let (_, text) = lines[at].split_once(" | >>> ")?;
        let head = lines[..at].iter().rev().find(|line| {
            line.rsplit_once(':')
                .is_some_and(|(file, number)| !file.is_empty() && !file.contains(' ') && number.parse::<u32>().is_ok())
        })?;
        let (file, line) = head.rsplit_once(':')?;
        Some(Self { file: file.to_owned(), line: line.to_owned(), text: text.trim_end().to_owned() })
    }
}

/// An image that is missing, in use, or can't be started.
fn image(failure: &ToolFailure, words: &str) -> Option<Finding> {
    let source = format!("docker ({})", failure.end());
    if words.contains("No such image") {
        let image = words.split_once("No such image: ").map_or("?", |(_, rest)| rest.lines().next().unwrap_or("?").trim());
        return Some(
            failure
                .finding(codes::IMAGE_MISSING, format!("there is no image `{image}`"))
                .evidence(source, line_with(words, "No such image"))
                .remedy("build it", "cargo xtask build-images"),
        );
    }
    if words.contains("conflict: unable to ") {
        let image = between(words, "reference \"", "\"").unwrap_or("?");
        return Some(
            failure
                .finding(codes::IMAGE_IN_USE, format!("image `{image}` is in use and stays"))
                .evidence(source, line_with(words, "conflict: "))
                .remedy("remove the release first", "cargo xtask cleanup --scope release"),
        );
    }
    let exec = ["exec format error", "permission denied", "no such file or directory", "executable file not found"];
    if words.contains("OCI runtime create failed") || words.contains("exec format error") {
        let why = exec.into_iter().find(|why| words.contains(why)).unwrap_or("it can't be started");
        let command = between(words, "exec: \"", "\"").or_else(|| between(words, "exec ", ": ")).unwrap_or("its command");
        return Some(
            failure
                .finding(codes::IMAGE_NOT_EXECUTABLE, format!("the image can't be started: `{command}`: {why}"))
                .evidence(source, line_with(words, "exec"))
                .advice("check ENTRYPOINT, CMD and the rights of the file in the Dockerfile"),
        );
    }
    None
}
