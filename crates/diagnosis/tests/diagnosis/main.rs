//! The diagnosis against everything that was recorded. One program, so that it is linked once.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of a test that can't read its recording stops the test")]

mod catalogue;
mod live;
mod recordings;
mod rules;
mod support;
mod trace;
mod traces;
