//! What should be true, what is true, and what lies between them: pure logic only.
//!
//! Nothing here starts a process, reads a clock or opens a connection; the manifest makes it so.

pub mod action;
pub mod catalogue;
pub mod config;
pub mod decide;
pub mod desired;
pub mod diagnose;
pub mod envfile;
pub mod finding;
pub mod identity;
pub mod inventory;
pub mod invocation;
pub mod objects;
pub mod overlay;
pub mod parts;
pub mod problem;
pub mod proof;
pub mod prune;
pub mod retry;
pub mod snapshot;
pub mod units;
pub mod version;
