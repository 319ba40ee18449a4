//! What is remembered between runs under `target/xtask/`. Deleting it costs time, never truth.

use std::path::PathBuf;

use fs_err as fs;
use plan::snapshot::DockerHost;

/// How many builds of an image are remembered: more than are kept on the node.
const BUILDS: usize = 10;

/// An image's name, its id in the docker that built it, and the digest of its configuration.
type Build = (String, String, String);

/// The folder of the caches.
pub(crate) struct Caches {
    folder: PathBuf,
}

impl Caches {
    /// Caches in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn docker_file(&self, profile: &str) -> PathBuf {
        self.folder.join(format!("docker-env-{profile}.json"))
    }

    /// Where the node's docker was at the last look.
    pub(crate) fn docker_host(&self, profile: &str) -> Option<DockerHost> {
        serde_json::from_str(&fs::read_to_string(self.docker_file(profile)).ok()?).ok()
    }

    /// The node, by its uid in the API, whose runtime was found to be containerd.
    pub(crate) fn containerd_node(&self, profile: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(format!("containerd-{profile}"))).ok()
    }

    /// Remembers that, instead of a docker in the node.
    pub(crate) fn remember_containerd(&self, profile: &str, node: &str) {
        fs::remove_file(self.docker_file(profile)).ok();
        fs::write(self.folder.join(format!("containerd-{profile}")), node).ok();
    }

    /// Remembers it. The file holds addresses and a path, no key.
    pub(crate) fn remember_docker_host(&self, profile: &str, host: &DockerHost) {
        if let Ok(text) = serde_json::to_string(host) {
            // Not being able to write a cache only costs the next run 0.2 s.
            fs::write(self.docker_file(profile), text).ok();
        }
    }

    fn image_file(&self, reference: &str) -> PathBuf {
        let repository = reference.rsplit_once(':').map_or(reference, |(repository, _)| repository);
        self.folder.join(format!("image-{}.json", repository.replace(['/', ':'], "-")))
    }

    fn builds(&self, reference: &str) -> Vec<Build> {
        let text = fs::read_to_string(self.image_file(reference)).ok();
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// The digest of an image's configuration as its build gave it, if `id` is the image that was built then.
    pub(crate) fn built(&self, reference: &str, id: &str) -> Option<String> {
        let mut builds = self.builds(reference).into_iter();
        builds.find(|(name, then, _)| name == reference && then == id).map(|(_, _, configuration)| configuration)
    }

    /// Remembers that of the last builds. Without it an image is known by its tag and label alone.
    pub(crate) fn remember_built(&self, reference: &str, id: &str, configuration: &str) {
        let mut builds = self.builds(reference);
        builds.retain(|(name, ..)| name != reference);
        builds.insert(0, (reference.to_owned(), id.to_owned(), configuration.to_owned()));
        builds.truncate(BUILDS);
        if let Ok(text) = serde_json::to_string(&builds) {
            fs::write(self.image_file(reference), text).ok();
        }
    }

    /// The tools' versions, by what the last look at their files said.
    pub(crate) fn versions(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&fs::read_to_string(self.folder.join("versions.json")).ok()?).ok()
    }

    /// Remembers them.
    pub(crate) fn remember_versions(&self, versions: &serde_json::Value) {
        fs::write(self.folder.join("versions.json"), versions.to_string()).ok();
    }
}
