//! Images on the node, for profiles whose runtime is not docker and for proof after a load.

use std::time::Duration;

use calls::invocation::Invocation;
use serde::Deserialize;

use super::{SHORT, call};
use crate::answer::{Parsed, Refusal, ToolError, json, succeeded};
use crate::runner::{Output, Runner};

/// Copies up to some hundred megabytes.
const LOAD: Duration = Duration::from_secs(10 * 60);

/// An image that the node's runtime has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeImage {
    /// Its id, without `sha256:`.
    pub id: String,
    /// `docker.io/library/todo-backend:abc`, always with registry and path.
    pub tags: Vec<String>,
    /// `name@sha256:…`
    pub digests: Vec<String>,
    /// Its size (bytes).
    pub size: u64,
}

/// `minikube image ls --format json`
pub fn images_invocation(profile: &str) -> Invocation {
    call(profile, format!("list the images of cluster `{profile}`"), SHORT).args(["image", "ls", "--format", "json"])
}

/// The images. A cluster that does not run lists none, with exit code 0.
pub fn parse_images(output: &Output) -> Parsed<Vec<NodeImage>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        id: String,
        repo_digests: Option<Vec<String>>,
        repo_tags: Option<Vec<String>>,
        size: String,
    }
    let rows: Vec<Row> = json(output)?;
    rows.into_iter()
        .map(|row| {
            let size = row.size.parse().map_err(|_| Refusal::Unclear(format!("`{}` is no size in bytes", row.size)))?;
            let (tags, digests) = (row.repo_tags.unwrap_or_default(), row.repo_digests.unwrap_or_default());
            Ok(NodeImage { id: row.id.trim_start_matches("sha256:").to_owned(), tags, digests, size })
        })
        .collect()
}

/// The images on the node.
pub fn images(runner: &Runner, profile: &str) -> Result<Vec<NodeImage>, ToolError> {
    runner.ask(&images_invocation(profile), parse_images)
}

/// `minikube image load TAG --daemon`: from the host's docker.
pub fn image_load_invocation(profile: &str, tag: &str) -> Invocation {
    call(profile, format!("load image `{tag}` into cluster `{profile}`"), LOAD).args(["image", "load", tag, "--daemon=true"])
}

/// `minikube image rm TAG`
pub fn image_rm_invocation(profile: &str, tag: &str) -> Invocation {
    call(profile, format!("remove image `{tag}` from cluster `{profile}`"), SHORT).args(["image", "rm", tag])
}

/// Removes an image from the node; what minikube says of it. Exit code 0 proves nothing here either (recording `image-rm-missing`): look
/// with [`images`] afterwards.
pub fn image_rm(runner: &Runner, profile: &str, tag: &str) -> Result<String, ToolError> {
    runner.ask(&image_rm_invocation(profile, tag), |output| succeeded(output).map(|()| output.stderr.trim().to_owned()))
}

/// Loads an image from the host's docker. Exit code 0 proves nothing here (it is 0 for an image that does not exist): look with
/// [`images`] afterwards.
pub fn image_load(runner: &Runner, profile: &str, tag: &str) -> Result<(), ToolError> {
    runner.ask(&image_load_invocation(profile, tag), succeeded)
}
