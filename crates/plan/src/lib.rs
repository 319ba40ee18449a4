//! What should be true, what is true, and what lies between them: pure logic only.
//!
//! Nothing here starts a process, reads a clock or opens a connection; the manifest makes it so.

pub mod action;
pub mod config;
pub mod decide;
pub mod desired;
pub mod envfile;
pub mod identity;
pub mod inventory;
pub mod objects;
pub mod overlay;
pub mod parts;
pub mod problem;
pub mod proof;
pub mod prune;
pub mod retry;
pub mod snapshot;
pub mod units;

// The vocabulary of everything here, in crates of their own so that they compile side by side (docs/adr/0025-cold-build.md).
pub use calls::{invocation, version};
pub use diagnosis::{catalogue, diagnose, finding};
