//! What should be true, what is true, and what lies between them: pure logic only.
//!
//! Nothing here starts a process, reads a clock or opens a connection; the manifest makes it so.

pub mod finding;
pub mod invocation;
pub mod version;
