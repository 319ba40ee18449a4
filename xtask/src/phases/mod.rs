//! The phases: a file each chooses what is looked at, which steps run, and how it is told.

pub(crate) mod ci;
pub(crate) mod cleanup;
pub(crate) mod completions;
pub(crate) mod deploy;
mod dev_loop;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod logs;
pub(crate) mod open;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod test;
pub(crate) mod verify;
