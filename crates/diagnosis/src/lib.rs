//! What is wrong and what to do: pure logic only.
//!
//! Nothing here starts a process, reads a clock or opens a connection; the manifest makes it so.

pub mod catalogue;
pub mod diagnose;
pub mod finding;
pub mod images;

use calls::invocation;
