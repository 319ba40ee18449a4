//! Calls of tools as data: planned by one crate, run by another, explained by a third when they fail.

pub mod failure;
pub mod invocation;
pub mod version;
