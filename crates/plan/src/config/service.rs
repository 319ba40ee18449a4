//! `[services.NAME]`: one container image and how it wants to be run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::names;
use super::read::Item;
use super::table::Table;
use crate::units::{DURATION_HINT, SIZE_HINT, parse_duration, parse_size};

pub(super) const KEYS: &[&str] = &[
    "context",
    "dockerfile",
    "image",
    "port",
    "health",
    "build_budget",
    "size_budget",
    "build_args",
    "target",
    "keys",
    "needs",
    "pod_security",
    "read_only_root",
    "run_as_user",
    "replicas",
    "migrations",
    "test",
];
pub(super) const HEALTH_KEYS: &[&str] = &["liveness", "readiness"];
/// How many pods of a service there may be: more is a slip of the finger on one node.
pub(super) const REPLICAS: std::ops::RangeInclusive<u32> = 1..=100;

/// The paths that the probes ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether the process lives; must not depend on anything else.
    pub liveness: String,
    /// Whether it can serve.
    pub readiness: String,
}

/// The Pod Security Standard that the service's pods keep to, from strict to loose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodSecurity {
    /// Non-root, no capabilities, seccomp.
    #[default]
    Restricted,
    /// May run as root.
    Baseline,
    /// Anything.
    Privileged,
}

impl PodSecurity {
    /// As the label `pod-security.kubernetes.io/enforce` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Baseline => "baseline",
            Self::Privileged => "privileged",
        }
    }
}

/// `[services.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, a DNS label.
    pub name: String,
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// The build context: a directory that exists.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context, with `/`.
    pub dockerfile: String,
    /// The image's repository, without a tag.
    pub image: String,
    /// The port that the container listens on.
    pub port: u16,
    /// The paths that the probes ask.
    pub health: Health,
    /// A build that takes longer is warned about.
    pub build_budget: Option<Duration>,
    /// An image of more bytes is warned about.
    pub size_budget: Option<u64>,
    /// Build arguments; never secrets, since they stay readable in the image.
    pub build_args: BTreeMap<String, String>,
    /// The stage of the Dockerfile to build, where it is not the last.
    pub target: Option<String>,
    /// The keys of the environment that the service gets, as listed.
    pub keys: Vec<String>,
    /// The services that it talks to.
    pub needs: Vec<String>,
    /// The Pod Security Standard of its pods.
    pub pod_security: PodSecurity,
    /// Whether its root filesystem is read-only.
    pub read_only_root: bool,
    /// The user id, where the image does not say a numeric one.
    pub run_as_user: Option<u32>,
    /// How many pods, where it says so. A layout may say otherwise: see `ServiceMapping::replicas`.
    pub replicas: Option<u32>,
    /// Files and folders of the context on which the release's helm hooks depend: unchanged ones need no hooks. Empty: hooks always run.
    pub migrations: Vec<String>,
    /// The command that runs its own tests, in the context.
    pub test: Option<Vec<String>>,
}

impl Service {
    /// Reads one service of the deployment `deployment`. Its references are checked when all services are known.
    pub(super) fn read(name: &Item<String>, table: &Table<'_, '_>, deployment: &str) -> Self {
        let reader = table.reader;
        if !names::is_label(&name.value) {
            reader.wrong(name, format!("`{}` is not a service name", name.value), names::LABEL_HINT);
        }
        let (context, dockerfile) = build(table);
        let migrations = migrations(table, &context);
        let image = table.text_or("image", &format!("{deployment}-{}", name.value));
        if table.get("image").is_some() && !names::is_repository(&image.value) {
            let what = format!("`{}` is not an image name", image.value);
            reader.wrong(&image, what, "write it in lowercase, without a tag: each build gets a tag of its own");
        }
        if table.get("port").is_none() {
            reader.missing(table.at(), &table.key("port"), "missing", "write the port that the container listens on");
        }
        let security =
            [PodSecurity::Restricted, PodSecurity::Baseline, PodSecurity::Privileged].map(|level| (level.as_str(), level));
        Self {
            name: name.value.clone(),
            line: table.line(),
            context,
            dockerfile,
            image: image.value,
            port: table.port("port", 1..=65_535).map_or(0, |item| item.value),
            health: health(&table.table("health", HEALTH_KEYS)),
            build_budget: table.parsed("build_budget", parse_duration, "not a duration", DURATION_HINT).map(|item| item.value),
            size_budget: table.parsed("size_budget", parse_size, "not a size", SIZE_HINT).map(|item| item.value),
            build_args: build_args(&table.table("build_args", &[])),
            target: table
                .parsed(
                    "target",
                    |text| (!text.is_empty()).then(|| text.to_owned()),
                    "not a stage",
                    "name a stage of the Dockerfile",
                )
                .map(|item| item.value),
            keys: keys(table),
            needs: table.texts("needs").unwrap_or_default().into_iter().map(|item| item.value).collect(),
            pod_security: table.choice("pod_security", &security).map_or_else(PodSecurity::default, |item| item.value),
            read_only_root: table.flag("read_only_root").is_none_or(|item| item.value),
            run_as_user: run_as_user(table),
            replicas: table.number("replicas", REPLICAS).map(|item| item.value),
            migrations,
            test: test(table),
        }
    }
}

/// The context and the Dockerfile in it.
fn build(table: &Table<'_, '_>) -> (PathBuf, String) {
    let reader = table.reader;
    let Some(context) = table.text("context") else {
        if table.get("context").is_none() {
            let instead = "write the directory that `docker build` gets, relative to this file";
            reader.missing(table.at(), &table.key("context"), "missing", instead);
        }
        return (PathBuf::new(), String::new());
    };
    let mut dockerfile = table.text_or("dockerfile", "Dockerfile");
    if table.get("dockerfile").is_none() {
        dockerfile.at = context.at;
    }
    let path = reader.dir(&context);
    if !is_inside(&dockerfile.value) {
        let what = format!("`{}` is not inside the context", dockerfile.value);
        reader.wrong(&dockerfile, what, "write a path relative to the context, without `..`");
    } else if reader.is_dir(&path) && !reader.is_file(&path.join(&dockerfile.value)) {
        let what = format!("there is no file `{}` in `{}`", dockerfile.value, context.value);
        let instead = reader.beside(&path.join(&dockerfile.value), &dockerfile.value);
        reader.wrong(&dockerfile, what, instead.unwrap_or_else(|| "write a path relative to the context".to_owned()));
    }
    (path, dockerfile.value)
}

/// Whether a path stays in the folder that it is relative to.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && !path.starts_with(['/', '\\']) && !path.contains(':') && path.split(['/', '\\']).all(|part| part != "..")
}

fn migrations(table: &Table<'_, '_>, context: &Path) -> Vec<String> {
    let reader = table.reader;
    let listed = table.texts("migrations").unwrap_or_default();
    for item in &listed {
        let path = context.join(&item.value);
        if !is_inside(&item.value) {
            reader.wrong(item, format!("`{}` is not inside the context", item.value), "write a path relative to the context");
        } else if reader.is_dir(context) && !reader.is_file(&path) && !reader.is_dir(&path) {
            let instead = reader.beside(&path, &item.value);
            let instead = instead.unwrap_or_else(|| "name a file or a folder of the context".to_owned());
            reader.wrong(item, format!("there is no `{}` in the context", item.value), instead);
        }
    }
    listed.into_iter().map(|item| item.value.trim_end_matches('/').to_owned()).collect()
}

fn health(table: &Table<'_, '_>) -> Health {
    let path = |name, default: &str| {
        let item = table.text_or(name, default);
        if !names::is_http_path(&item.value) {
            table.reader.wrong(&item, format!("`{}` is not a path", item.value), "write a path such as `/api/health`");
        }
        item.value
    };
    let liveness = path("liveness", "/api/health");
    let readiness = path("readiness", if names::is_http_path(&liveness) { &liveness } else { "/" });
    Health { liveness, readiness }
}

fn build_args(table: &Table<'_, '_>) -> BTreeMap<String, String> {
    let reader = table.reader;
    let mut args = BTreeMap::new();
    for (name, value) in table.entries() {
        if !names::is_variable(&name.value) {
            reader.wrong(&name, format!("`{}` is not a build argument name", name.value), "write letters, digits and `_`");
        }
        let upper = name.value.to_ascii_uppercase();
        if ["SECRET", "PASSWORD", "TOKEN", "API_KEY"].iter().any(|word| upper.contains(word)) {
            let what = "build arguments stay readable in the image: this looks like a secret";
            reader.warn(name.at, &name.key, what, "let the service read it at run time: list it in `keys`");
        }
        if let Some(value) = reader.as_text(&name.key, value) {
            args.insert(name.value, value.value);
        }
    }
    args
}

fn keys(table: &Table<'_, '_>) -> Vec<String> {
    let mut keys = Vec::new();
    for item in table.texts("keys").unwrap_or_default() {
        if !names::is_variable(&item.value) {
            table.reader.wrong(&item, format!("`{}` is not a variable name", item.value), "write letters, digits and `_`");
        } else if keys.contains(&item.value) {
            table.reader.wrong(&item, format!("`{}` is listed twice", item.value), "list it once");
        } else {
            keys.push(item.value);
        }
    }
    keys
}

fn run_as_user(table: &Table<'_, '_>) -> Option<u32> {
    let user = table.number("run_as_user", 0..=u32::try_from(i32::MAX).unwrap_or(u32::MAX))?;
    let restricted =
        table.get("pod_security").is_none() || table.text("pod_security").is_some_and(|item| item.value == "restricted");
    if user.value == 0 && restricted {
        let what = "user 0 is root, which `pod_security = \"restricted\"` does not allow";
        table.reader.wrong(&user, what, "write another user, or set `pod_security = \"baseline\"`");
    }
    Some(user.value)
}

fn test(table: &Table<'_, '_>) -> Option<Vec<String>> {
    let words: Vec<String> = table.texts("test")?.into_iter().map(|item| item.value).collect();
    if words.first().is_none_or(String::is_empty) {
        let what = "a command has at least the name of a program";
        table.reader.error(table.at(), &table.key("test"), what, "write a list such as `[\"npm\", \"test\"]`");
    }
    Some(words)
}
