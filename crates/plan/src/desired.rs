//! What should be true, computed from xtask.toml, .env, charts and build contexts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::invocation::Secret;

/// The label on what the tool itself makes in Kubernetes; its value is the deployment's name.
pub const OWNER_LABEL: &str = "xtask/owner";
/// The label on images: the deployment.
pub const IMAGE_OWNER_LABEL: &str = "xtask.owner";
/// The label on images: the service.
pub const IMAGE_SERVICE_LABEL: &str = "xtask.service";
/// The label on images: the digest of everything that the build read.
pub const IMAGE_DIGEST_LABEL: &str = "xtask.input-digest";
/// The ConfigMap that lists what is ours.
pub const INVENTORY: &str = "xtask-inventory";
/// The Secret that holds what was generated for development.
pub const GENERATED_SECRET: &str = "xtask-generated";
/// The annotation of a Secret made by the tool that holds the salt of its digests.
pub const SALT_ANNOTATION: &str = "xtask/salt";
/// The pod annotation that rolls the pods when a secret that they use changes.
pub const SECRET_DIGEST_ANNOTATION: &str = "xtask/secret-digest";

/// The pod annotation that rolls the pods when their image was built anew from the same inputs (`--pull`, `--no-cache`): its tag is the same.
pub const IMAGE_ID_ANNOTATION: &str = "xtask/image-id";

/// An image that should be on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The service of xtask.toml.
    pub service: String,
    /// `todo-backend`.
    pub repository: String,
    /// The first digits of the digest.
    pub tag: String,
    /// The digest of everything that the build reads.
    pub digest: String,
}

impl Image {
    /// `repository:tag`.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

/// The namespace that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// The deployment that owns it.
    pub owner: String,
    /// The Pod Security level it enforces.
    pub pod_security: String,
}

/// A Secret that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretObject {
    /// Its name.
    pub name: String,
    /// Its keys and values.
    pub data: BTreeMap<String, Secret>,
    /// Whether its content was generated and must outlive a cleanup that keeps the volume.
    pub generated: bool,
}

/// A helm release that should be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The digest of the chart's files and of the values files.
    pub files_digest: String,
    /// What the tool sets above the values files.
    pub overlay: Value,
    /// Container image references by service that its pods have to run.
    pub images: BTreeMap<String, String>,
    /// The digest of all that its hooks depend on, where the services say so; see `services.NAME.migrations`.
    pub hooks: Option<String>,
}

impl Release {
    /// What the release is made from, as one digest.
    pub fn fingerprint(&self) -> String {
        crate::identity::digest([self.name.as_bytes(), self.files_digest.as_bytes(), self.overlay.to_string().as_bytes()])[..16]
            .to_owned()
    }
}
