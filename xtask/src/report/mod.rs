//! One event stream, several views.

pub(crate) mod event;
