//! Opening an address in the user's browser: the one thing that differs by operating system.

use std::time::Duration;

use plan::invocation::{Invocation, Tool};
use report::event::Event;

use crate::context::Context;

/// Opens `url`; where there is no browser to be found, says the address and leaves it at that.
pub(crate) fn open(cx: &Context, url: &str) {
    let (program, args): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        // `start` is a word of cmd.exe; this is the program behind it.
        "windows" => ("rundll32", &["url.dll,FileProtocolHandler"]),
        _ => ("xdg-open", &[]),
    };
    let mut invocation =
        Invocation::new(Tool::App, "open the browser", Duration::from_secs(10)).args(args.iter().copied()).arg(url);
    invocation.program = Some(program.into());
    if cx.runner.capture(&invocation).is_ok_and(|output| output.exit.is_success()) {
        return;
    }
    cx.reporter.send(Event::Note { text: format!("no browser could be started: open {url} yourself") });
}
