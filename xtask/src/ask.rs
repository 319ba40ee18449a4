//! Questions to a person: with a default, a flag that answers them, and never without a terminal.

use std::io::{self, BufRead as _};

use plan::catalogue::{codes, finding};
use plan::finding::{Class, Finding};
use report::last_words;

use crate::context::Context;

/// Asks for a yes; anything else is a no.
pub(crate) fn confirm(cx: &Context, question: &str) -> Result<(), Finding> {
    if cx.yes {
        return Ok(());
    }
    let refused = |cause: &str| {
        let mut found = finding(codes::CONFIG_PROBLEM, "question", cause);
        found.class = Class::Usage;
        found.remedy("answer it with yes beforehand", "add --yes")
    };
    if !cx.interactive {
        return Err(refused(&format!("nobody is here to answer: {question}")));
    }
    let answer = cx.reporter.suspend(|| {
        last_words(&format!("{question} [y/N]"));
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    match answer {
        Ok(line) if matches!(line.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
        Ok(_) => Err(refused("answered with no: nothing was removed")),
        Err(error) => Err(refused(&format!("the answer can't be read: {error}"))),
    }
}
