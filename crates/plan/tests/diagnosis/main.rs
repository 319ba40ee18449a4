//! The diagnosis against everything that was recorded. One program, so that it is linked once.

mod catalogue;
mod live;
mod recordings;
mod support;
mod trace;
mod traces;
