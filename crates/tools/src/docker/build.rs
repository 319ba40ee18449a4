//! `docker build`, followed by its plain progress (`BuildKit`'s `--progress=plain`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use calls::invocation::{Invocation, Tool};

use super::Endpoint;
use crate::answer::{ToolError, succeeded};
use crate::runner::Runner;

/// A cold `npm ci` and `next build` on a slow line.
pub const BUILD_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// How many lines of a failing step are kept.
const TAIL: usize = 20;

/// What is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// For people: the service.
    pub name: String,
    /// The context.
    pub context: PathBuf,
    /// The Dockerfile, if not `Dockerfile` in the context.
    pub dockerfile: Option<PathBuf>,
    /// The stage, if not the last.
    pub target: Option<String>,
    /// Names of the image.
    pub tags: Vec<String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Build arguments. Never a secret: they stay in the image's history.
    pub args: BTreeMap<String, String>,
    /// Without layers of earlier builds.
    pub no_cache: bool,
    /// With newer base images if there are.
    pub pull: bool,
    /// How long it may take, e.g. [`BUILD_DEADLINE`].
    pub deadline: Duration,
}

impl BuildOptions {
    /// A build of `context` for service `name` with its defaults.
    pub fn new(name: impl Into<String>, context: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            context: context.into(),
            dockerfile: None,
            target: None,
            tags: Vec::new(),
            labels: BTreeMap::new(),
            args: BTreeMap::new(),
            no_cache: false,
            pull: false,
            deadline: BUILD_DEADLINE,
        }
    }
}

/// `docker build --progress=plain …`: the daemon's own builder, whatever builder the user's shell selects.
pub fn build_invocation(endpoint: &Endpoint, options: &BuildOptions) -> Invocation {
    let BuildOptions { name, context, dockerfile, target, tags, labels, args, no_cache, pull, deadline } = options;
    let mut invocation = endpoint
        .apply(Invocation::new(Tool::Docker, format!("build image `{name}`"), *deadline))
        // The old builder prints another progress and knows no `RUN --mount`.
        .env("DOCKER_BUILDKIT", "1")
        .args(["build", "--progress=plain"]);
    for tag in tags {
        invocation = invocation.args(["-t", tag]);
    }
    for (key, value) in labels {
        invocation = invocation.args(["--label".to_owned(), format!("{key}={value}")]);
    }
    for (key, value) in args {
        invocation = invocation.args(["--build-arg".to_owned(), format!("{key}={value}")]);
    }
    if let Some(dockerfile) = dockerfile {
        invocation = invocation.args(["-f".to_owned(), dockerfile.display().to_string()]);
    }
    if let Some(target) = target {
        invocation = invocation.args(["--target", target]);
    }
    for (flag, on) in [("--no-cache", no_cache), ("--pull", pull)] {
        if *on {
            invocation = invocation.arg(flag);
        }
    }
    invocation.arg(context.display().to_string())
}

/// Something that happened to one step of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildProgress {
    /// The number that `BuildKit` gave it.
    pub vertex: u32,
    /// The stage it belongs to (`builder`, `stage-2`); `None` in a build of one stage and for `BuildKit`'s own steps.
    pub stage: Option<String>,
    /// Its number within the stage; `None` for `BuildKit`'s own steps (`[internal]`, `exporting`).
    pub step: Option<u32>,
    /// How many the stage has.
    pub total: Option<u32>,
    /// What it does: `RUN npm ci`.
    pub name: String,
    /// What happened.
    pub state: VertexState,
}

/// What can happen to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VertexState {
    /// It began.
    Started,
    /// Its command printed a line.
    Log(String),
    /// It was done in an earlier build.
    Cached,
    /// It is done.
    Done,
    /// It failed; `BuildKit`'s words.
    Failed(String),
}

/// Reads the plain progress line by line.
#[derive(Debug, Default)]
pub struct BuildLog {
    vertices: BTreeMap<u32, Vertex>,
    configuration: Option<String>,
    /// After the first line of dashes `BuildKit` repeats what failed.
    summary: bool,
}

#[derive(Clone, Debug)]
struct Vertex {
    stage: Option<String>,
    step: Option<u32>,
    total: Option<u32>,
    name: String,
    tail: VecDeque<String>,
    error: Option<String>,
}

impl BuildLog {
    /// `sha256:…` of the configuration of the image that was written, once it was.
    pub fn configuration(&self) -> Option<&str> {
        self.configuration.as_deref()
    }

    /// Reads a line. `None`: it says nothing new about a step.
    pub fn line(&mut self, line: &str) -> Option<BuildProgress> {
        if line == "------" {
            self.summary = true;
        }
        if self.summary {
            return None;
        }
        let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
        let number: u32 = number.parse().ok()?;
        let Some(vertex) = self.vertices.get_mut(&number) else {
            // The first line of a step is its name; #0 only names the builder.
            let vertex = Vertex::named(rest);
            self.vertices.insert(number, vertex.clone());
            return (number > 0).then(|| vertex.at(number, VertexState::Started));
        };
        let state = if rest == "CACHED" {
            VertexState::Cached
        } else if rest == "DONE" || rest.strip_prefix("DONE ").is_some_and(is_seconds) {
            VertexState::Done
        } else if let Some(error) = rest.strip_prefix("ERROR: ") {
            vertex.error = Some(error.to_owned());
            VertexState::Failed(error.to_owned())
        } else if rest == "..." || rest.is_empty() {
            return None;
        } else if let Some(text) = log_text(rest) {
            if vertex.tail.len() == TAIL {
                vertex.tail.pop_front();
            }
            vertex.tail.push_back(text.to_owned());
            VertexState::Log(text.to_owned())
        } else {
            self.configuration = configuration(rest).or(self.configuration.take());
            // The name again after another step's lines, or details such as `transferring context: 2B`.
            return None;
        };
        Some(vertex.at(number, state))
    }
}

impl Vertex {
    /// `[builder 2/5] RUN npm ci`, `[2/5] RUN …`, `[internal] load …`, `exporting to image`.
    fn named(text: &str) -> Self {
        let plain =
            |name: &str| Self { stage: None, step: None, total: None, name: name.to_owned(), tail: VecDeque::new(), error: None };
        let Some((inside, name)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else { return plain(text) };
        let (stage, position) = inside.rsplit_once(' ').map_or((None, inside), |(stage, position)| (Some(stage), position));
        let numbers = position.split_once('/').and_then(|(n, of)| Some((n.trim().parse().ok()?, of.parse().ok()?)));
        match numbers {
            // `[stage  2/10]` is padded.
            Some((step, total)) => Self {
                stage: stage.map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()),
                step: Some(step),
                total: Some(total),
                ..plain(name)
            },
            None => plain(text),
        }
    }

    fn at(&self, vertex: u32, state: VertexState) -> BuildProgress {
        BuildProgress { vertex, stage: self.stage.clone(), step: self.step, total: self.total, name: self.name.clone(), state }
    }
}

/// The digest in `writing image sha256:… done` (the classic store; recording `build-ok`) and in `exporting config sha256:… done`
/// (the containerd store).
fn configuration(rest: &str) -> Option<String> {
    let text = rest.strip_prefix("writing image ").or_else(|| rest.strip_prefix("exporting config "))?;
    text.split(' ').next().filter(|digest| digest.starts_with("sha256:")).map(str::to_owned)
}

/// The text of `0.100 text`: what a command printed, after the seconds since it began.
fn log_text(rest: &str) -> Option<&str> {
    let (time, text) = rest.split_once(' ').unwrap_or((rest, ""));
    is_seconds(time).then_some(text)
}

fn is_seconds(text: &str) -> bool {
    let text = text.strip_suffix('s').unwrap_or(text);
    text.contains('.') && !text.starts_with('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildFailure {
    /// The step that failed (`RUN npm ci`), if one did.
    pub step: Option<String>,
    /// What was wrong with that step.
    pub error: Option<String>,
    /// `Dockerfile:2`, where docker says.
    pub location: Option<String>,
    /// The last lines that the step printed (up to 20).
    pub tail: Vec<String>,
    /// docker's last word: what follows `ERROR: `.
    pub summary: String,
}

/// Reads why a build failed from what it wrote to stderr; `None` when it does not say.
pub fn parse_build_failure(stderr: &str) -> Option<BuildFailure> {
    let mut log = BuildLog::default();
    let (mut location, mut summary) = (None, None);
    for line in stderr.lines() {
        log.line(line);
        if let Some(error) = line.strip_prefix("ERROR: ") {
            summary = Some(error.to_owned());
        } else if location.is_none() && is_location(line) {
            location = Some(line.to_owned());
        }
    }
    let summary = summary?;
    // Steps that were cancelled because another failed say so; the cause is the other.
    let failed = log.vertices.values().filter(|v| v.error.is_some());
    let failed =
        failed.min_by_key(|v| v.error.as_deref().is_some_and(|e| e.contains("CANCELED") || e.contains("context canceled")));
    Some(BuildFailure {
        step: failed.map(|v| v.name.clone()),
        error: failed.and_then(|v| v.error.clone()),
        location,
        tail: failed.map(|v| v.tail.iter().cloned().collect()).unwrap_or_default(),
        summary: summary.strip_prefix("failed to solve: ").unwrap_or(&summary).to_owned(),
    })
}

/// `Dockerfile:2`, `build/web.Dockerfile:12`: a line of its own.
fn is_location(line: &str) -> bool {
    let Some((file, number)) = line.rsplit_once(':') else { return false };
    !file.is_empty()
        && !line.starts_with([' ', '#', '>'])
        && !file.contains(' ')
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
}

/// How a build went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Steps of the Dockerfile that were done now.
    pub run: usize,
    /// Steps of the Dockerfile that an earlier build had done.
    pub cached: usize,
    /// `sha256:…` of the image's configuration: its id in docker's classic store and for containerd. `docker build --iidfile` gives that of
    /// a manifest list instead, where the build has a provenance.
    pub configuration: Option<String>,
}

/// Builds an image and tells each step as it goes. The image is proved by looking at it, not by this: see [`super::inspect`].
pub fn build(
    runner: &Runner,
    endpoint: &Endpoint,
    options: &BuildOptions,
    on_progress: &mut dyn FnMut(BuildProgress),
) -> Result<Built, ToolError> {
    let invocation = build_invocation(endpoint, options);
    let mut log = BuildLog::default();
    let (mut cached, mut done) = (BTreeSet::new(), BTreeSet::new());
    let result = runner.stream(&invocation, &mut |line| {
        if let Some(progress) = log.line(&line.text) {
            if progress.step.is_some() {
                match progress.state {
                    VertexState::Cached => _ = cached.insert(progress.vertex),
                    VertexState::Done => _ = done.insert(progress.vertex),
                    VertexState::Started | VertexState::Log(_) | VertexState::Failed(_) => {}
                }
            }
            on_progress(progress);
        }
    });
    runner.answer(&invocation, result, succeeded)?;
    Ok(Built { run: done.difference(&cached).count(), cached: cached.len(), configuration: log.configuration })
}
