//! What should be true, what is true, and what lies between them: pure logic only.
//!
//! Nothing here starts a process, reads a clock or opens a connection; the manifest makes it so.

pub mod action;
pub mod decide;
pub mod desired;
pub mod finding;
pub mod identity;
pub mod inventory;
pub mod invocation;
pub mod objects;
pub mod overlay;
pub mod snapshot;
