//! The phases: a file each chooses what is looked at, which steps run, and how it is told.

//X pub(crate) mod ci;
//X pub(crate) mod cleanup;
pub(crate) mod completions;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod logs;
pub(crate) mod open;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod stop;
//X pub(crate) mod test;
//X pub(crate) mod verify;
