//! The phases: a file each chooses what is looked at, which steps run, and how it is told.

//X pub(crate) mod ci;
pub(crate) mod cleanup;
pub(crate) mod completions;
pub(crate) mod deploy;
mod dev_loop;
//X pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod logs;
pub(crate) mod open;
pub(crate) mod plan;
//X pub(crate) mod report;
//X pub(crate) mod rollback;
//X pub(crate) mod status;
pub(crate) mod stop;
//X pub(crate) mod test;
pub(crate) mod verify;
