//! The codes of layer `internal`.

use super::{Entry, codes, entry};
use crate::finding::Class;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::INTERNAL,
        "xtask failed",
        Class::Internal,
        "A bug in this tool, or a file that it could not read or write.",
        "an error that no rule expects",
        &["`cargo xtask report` writes what is needed for a report"],
    ),
    entry(
        codes::UNKNOWN,
        "unknown failure",
        Class::Internal,
        "A tool failed in a way that is not in this catalogue. Its own words are shown.",
        "no rule matches",
        &["read the evidence; `cargo xtask report` writes what is needed for a report"],
    ),
    entry(
        codes::INTERRUPTED,
        "interrupted",
        Class::Interrupted,
        "The run was stopped by Ctrl-C or a signal. What was done stays done.",
        "a signal",
        &["the same command goes on from there"],
    ),
    entry(
        codes::LOCK_HELD,
        "another run is at work",
        Class::Internal,
        "Two runs at once would disturb each other.",
        "the lock file under target/xtask, its process is alive",
        &["wait for it, or end it"],
    ),
    entry(
        codes::OUTPUT_UNREADABLE,
        "a tool printed something unexpected",
        Class::Internal,
        "The output is not of the form that is known; nothing is guessed from it.",
        "reading the output of a tool",
        &["`cargo xtask doctor` shows the versions; `cargo xtask report` writes what is needed for a report"],
    ),
    entry(
        codes::TOOL_HUNG,
        "a tool did not end in time",
        Class::Internal,
        "It was ended after its deadline; the finding names the command and what it was for.",
        "the deadline of the call",
        &["run the command of the finding by hand to see where it hangs", "`cargo xtask doctor` checks daemon and cluster"],
    ),
];
