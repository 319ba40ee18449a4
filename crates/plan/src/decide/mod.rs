//! The comparison of what should be with what is, a function a step.

mod cluster;
mod image;
mod namespace;
mod release;
mod rollout;
mod secret;

pub use cluster::cluster;
pub use image::image;
pub use namespace::namespace;
pub use release::{changes, hooks_are_done, parts, release};
pub use rollout::{not_on_wanted_image, rollout, workloads};
pub use secret::secret;

/// What a step waits for when the API server was not asked or did not answer.
const CLUSTER: &str = "the cluster runs";
