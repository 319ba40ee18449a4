//! Images of a daemon.

use std::collections::BTreeMap;
use std::time::Duration;

use calls::invocation::{Invocation, Tool};
use serde::Deserialize;

use super::Endpoint;
use crate::answer::{Parsed, Refusal, ToolError, json_lines, succeeded};
use crate::runner::{Output, Runner};

const DEADLINE: Duration = Duration::from_secs(60);

/// One name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    /// `sha256:…`
    pub id: String,
    /// `todo-backend`
    pub repository: String,
    /// `latest`; `<none>` for one without a name.
    pub tag: String,
    /// When it was built, as docker prints it.
    pub created_at: String,
}

/// `docker images --filter label=LABEL --format json --no-trunc`; `label` is `KEY` or `KEY=VALUE`.
pub fn images_by_label_invocation(endpoint: &Endpoint, label: &str) -> Invocation {
    let what = format!("list the images with label `{label}`");
    endpoint.apply(Invocation::new(Tool::Docker, what, DEADLINE)).args([
        "images",
        "--filter",
        &format!("label={label}"),
        "--format",
        "json",
        "--no-trunc",
    ])
}

/// One row a name; the same image may have several.
pub fn parse_images(output: &Output) -> Parsed<Vec<ImageRow>> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "ID")]
        id: String,
        #[serde(rename = "Repository")]
        repository: String,
        #[serde(rename = "Tag")]
        tag: String,
        #[serde(rename = "CreatedAt")]
        created_at: String,
    }
    succeeded(output)?;
    let rows: Vec<Row> = json_lines(&output.stdout)?;
    let rows = rows.into_iter();
    Ok(rows.map(|Row { id, repository, tag, created_at }| ImageRow { id, repository, tag, created_at }).collect())
}

/// The names of all images with a label.
pub fn images_by_label(runner: &Runner, endpoint: &Endpoint, label: &str) -> Result<Vec<ImageRow>, ToolError> {
    runner.ask(&images_by_label_invocation(endpoint, label), parse_images)
}

/// What an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDetail {
    /// `sha256:…`
    pub id: String,
    /// Its names.
    pub tags: Vec<String>,
    /// `sha256:…` of each manifest by which a registry would know it.
    pub repo_digests: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its size as this daemon's store counts it (bytes): unpacked in the classic store, compressed in containerd's.
    pub size: u64,
    /// When it was built, RFC 3339.
    pub created: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
}

/// What `docker image inspect` found, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// Those that exist.
    pub found: Vec<ImageDetail>,
    /// Those that don't, as they were asked for.
    pub missing: Vec<String>,
}

/// `docker image inspect NAME…`
pub fn inspect_invocation(endpoint: &Endpoint, images: &[String]) -> Invocation {
    let what = format!("inspect {} image{}", images.len(), if images.len() == 1 { "" } else { "s" });
    endpoint.apply(Invocation::new(Tool::Docker, what, DEADLINE)).args(["image", "inspect"]).args(images)
}

/// The images. A missing one makes the exit code 1 and is named on stderr; the others are on stdout all the same.
pub fn parse_inspect(output: &Output) -> Parsed<Inspected> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        id: String,
        repo_tags: Option<Vec<String>>,
        repo_digests: Option<Vec<String>>,
        config: Option<Config>,
        size: u64,
        #[serde(default)]
        created: String,
        #[serde(default)]
        architecture: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Config {
        labels: Option<BTreeMap<String, String>>,
    }
    let missing: Vec<String> = output.stderr.lines().filter_map(missing_image).collect();
    if missing.is_empty() {
        succeeded(output)?;
    }
    let rows: Vec<Row> = serde_json::from_str(&output.stdout)?;
    let found = rows
        .into_iter()
        .map(|row| ImageDetail {
            id: row.id,
            tags: row.repo_tags.unwrap_or_default(),
            repo_digests: (row.repo_digests.into_iter().flatten())
                .filter_map(|name| name.split_once('@').map(|(_, digest)| digest.to_owned()))
                .collect(),
            labels: row.config.and_then(|config| config.labels).unwrap_or_default(),
            size: row.size,
            created: row.created,
            architecture: row.architecture,
        })
        .collect();
    Ok(Inspected { found, missing })
}

/// The name in `Error response from daemon: No such image: NAME` (older: `Error: No such image: NAME`).
fn missing_image(line: &str) -> Option<String> {
    line.split_once("No such image: ").map(|(_, name)| name.trim().to_owned())
}

/// What the images are; asks nothing for no images.
pub fn inspect(runner: &Runner, endpoint: &Endpoint, images: &[String]) -> Result<Inspected, ToolError> {
    if images.is_empty() {
        return Ok(Inspected::default());
    }
    runner.ask(&inspect_invocation(endpoint, images), parse_inspect)
}

/// `docker history --no-trunc --human=false --format json IMAGE`
pub fn history_size_invocation(endpoint: &Endpoint, image: &str) -> Invocation {
    let what = format!("measure the layers of image `{image}`");
    let args = ["history", "--no-trunc", "--human=false", "--format", "json", image];
    endpoint.apply(Invocation::new(Tool::Docker, what, DEADLINE)).args(args)
}

/// The sum of the unpacked layers (bytes): the measure that both image stores give.
pub fn parse_history_size(output: &Output) -> Parsed<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Layer {
        size: String,
    }
    succeeded(output)?;
    let layers: Vec<Layer> = json_lines(&output.stdout)?;
    if layers.is_empty() {
        return Err(Refusal::Unclear("an image without layers".to_owned()));
    }
    // Plain bytes with --human=false; a daemon that prints `1.98MB` all the same is understood too.
    let sizes = layers.iter().map(|layer| super::parse_size(&layer.size));
    sizes.sum::<Option<u64>>().ok_or_else(|| Refusal::Unclear("a layer without a size".to_owned()))
}

/// The sum of an image's unpacked layers (bytes).
pub fn history_size(runner: &Runner, endpoint: &Endpoint, image: &str) -> Result<u64, ToolError> {
    runner.ask(&history_size_invocation(endpoint, image), parse_history_size)
}

/// `docker tag IMAGE NAME`
pub fn tag_invocation(endpoint: &Endpoint, image: &str, name: &str) -> Invocation {
    endpoint.apply(Invocation::new(Tool::Docker, format!("tag image `{name}`"), DEADLINE)).args(["tag", image, name])
}

/// Gives an image another name.
pub fn tag(runner: &Runner, endpoint: &Endpoint, image: &str, name: &str) -> Result<(), ToolError> {
    runner.ask(&tag_invocation(endpoint, image, name), succeeded)
}

/// How the removal of an image went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Removed,
    /// It was not there.
    Missing,
    /// A container uses it; docker's words.
    InUse(String),
}

/// `docker image rm NAME`, without force: an image in use stays.
pub fn remove_invocation(endpoint: &Endpoint, image: &str) -> Invocation {
    endpoint.apply(Invocation::new(Tool::Docker, format!("remove image `{image}`"), DEADLINE)).args(["image", "rm", image])
}

/// How the removal went.
pub fn parse_remove(output: &Output) -> Parsed<Removed> {
    if output.exit.is_success() {
        Ok(Removed::Removed)
    } else if output.stderr.lines().any(|line| missing_image(line).is_some()) {
        Ok(Removed::Missing)
    } else if output.stderr.contains("conflict: unable to ") {
        Ok(Removed::InUse(output.stderr.trim().to_owned()))
    } else {
        Err(Refusal::Failed)
    }
}

/// Removes one name of an image, and the image with its last name.
pub fn remove(runner: &Runner, endpoint: &Endpoint, image: &str) -> Result<Removed, ToolError> {
    runner.ask(&remove_invocation(endpoint, image), parse_remove)
}
