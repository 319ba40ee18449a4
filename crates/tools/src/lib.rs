//! minikube, docker, helm and kubectl as typed questions, and the one place that starts processes.

mod answer;
pub mod docker;
pub mod helm;
pub mod kubectl;
pub mod minikube;
pub mod runner;
mod short;
mod target;
pub mod versions;

pub use answer::{Parsed, Refusal, ToolError};
pub use calls::failure::ToolFailure as Failure;
pub use short::{Revision, git_revision};
pub use target::Target;
