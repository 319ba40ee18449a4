//! The codes of layer `config`.

use super::{Entry, codes, entry};
use crate::finding::Class;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::CONFIG_PROBLEM,
        "xtask.toml has a problem",
        Class::Config,
        "A key is missing, unknown, or has a value that can not be right; the finding names the line.",
        "reading and checking xtask.toml",
        &["correct the line that the finding names"],
    ),
    entry(
        codes::ENV_FILE_PROBLEM,
        "the .env file has a problem",
        Class::Config,
        "The file with the secrets is missing, a line of it can not be read, or a value is not of the form that is needed.",
        "reading and checking .env",
        &["`cp .env.example .env`, then fill in the values; .env.example explains each"],
    ),
    entry(
        codes::SECRET_VALUE_MISSING,
        "a required secret has no value",
        Class::Config,
        "A service needs a key that neither .env nor the environment supplies.",
        "the keys each service lists, against .env",
        &["set the key in .env"],
    ),
    entry(
        codes::PATH_MISSING,
        "a file or directory named by the config does not exist",
        Class::Config,
        "xtask.toml names a path that is not there.",
        "looking at the path",
        &["correct the path in xtask.toml"],
    ),
];
