//! Recordings of the real tools as outputs of calls.

use std::time::Duration;

use serde_json::Value;
use tools::runner::{Exit, Output};

/// The output of `tests/data/NAME.json`.
pub(crate) fn recorded(name: &str) -> Output {
    let file = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let recording: Value = serde_json::from_str(&text).unwrap();
    let text = |key: &str| recording[key].as_str().unwrap().to_owned();
    Output {
        exit: Exit::Code(i32::try_from(recording["exit_code"].as_i64().unwrap()).unwrap()),
        stdout: text("stdout"),
        stderr: text("stderr"),
        took: Duration::from_secs_f64(recording["seconds"].as_f64().unwrap()),
    }
}

/// An output that no tool gave: for what a parser must refuse.
pub(crate) fn made(exit: i32, stdout: &str) -> Output {
    Output { exit: Exit::Code(exit), stdout: stdout.to_owned(), stderr: String::new(), took: Duration::ZERO }
}
