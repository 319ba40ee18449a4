//! Commands of this tool in what it says: with the `--config` and the `--layout` that the run itself was given. Without them a pasted
//! `cargo xtask deploy` would be about another application, or would take this layout's releases away.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::event::Event;

const COMMAND: &str = "cargo xtask ";

/// Phases that are about no configuration.
const WITHOUT: [&str; 4] = ["explain", "help", "completions", "ci"];

/// Phases that take the default layout where none is named; `status` and `cleanup` see what is there.
const OF_A_LAYOUT: [&str; 8] = ["deploy", "plan", "verify", "test", "build-images", "logs", "open", "rollback"];

/// What commands need besides their own words.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    /// ` --config FILE`; nothing where the default is used.
    config: String,
    /// ` --layout NAME`, once it is known that it is not the default.
    layout: Arc<OnceLock<String>>,
}

impl Commands {
    /// For a run with this `--config`, as it was typed.
    pub fn new(config: Option<&str>) -> Self {
        let config = config.map(|file| format!(" --config {}", quoted(file))).unwrap_or_default();
        Self { config, layout: Arc::default() }
    }

    /// The run is about this layout, which is not the default.
    pub fn of_layout(&self, name: &str) {
        self.layout.get_or_init(|| format!(" --layout {name}"));
    }

    /// An event with its commands completed. Logs of the application are left as they are.
    pub(super) fn complete(&self, mut event: Event) -> Event {
        if self.config.is_empty() && self.layout.get().is_none() {
            return event;
        }
        match &mut event {
            Event::Finding(finding) => {
                for remedy in &mut finding.remedies {
                    self.text(&mut remedy.text);
                    remedy.command.iter_mut().for_each(|command| self.text(command));
                }
            }
            Event::Note { text } => self.text(text),
            Event::Answer { about, text, data } | Event::Screen { about, text, data, .. } if *about != "log" => {
                self.text(text);
                self.data(data);
            }
            Event::Finished { summary, pointers, .. } => {
                self.text(summary);
                for (_, text) in pointers {
                    self.text(text);
                }
            }
            _ => {}
        }
        event
    }

    fn data(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.data(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.data(item)),
            _ => {}
        }
    }

    fn text(&self, text: &mut String) {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(COMMAND) {
            let (before, command) = rest.split_at(at + COMMAND.len());
            let end = command.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(command.len());
            let (phase, after) = command.split_at(end);
            out.push_str(before);
            out.push_str(phase);
            // What belongs to this command.
            let own = after.split(['`', '\n']).next().unwrap_or_default().split("   ").next().unwrap_or_default();
            // `cargo xtask --help` and the like name no phase.
            let is_phase = phase.starts_with(|c: char| c.is_ascii_lowercase()) && !WITHOUT.contains(&phase);
            if is_phase && !own.contains(" --config ") {
                out.push_str(&self.config);
            }
            if OF_A_LAYOUT.contains(&phase) && !own.contains(" --layout ") {
                out.push_str(self.layout.get().map_or("", String::as_str));
            }
            rest = after;
        }
        out.push_str(rest);
        *text = out;
    }
}

/// As a POSIX shell takes it for one word.
fn quoted(file: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=\\".contains(c);
    if file.chars().all(plain) { file.to_owned() } else { format!("'{}'", file.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_configuration_of_the_run() {
        for (config, before, after) in [
            (None, "run: cargo xtask deploy", "run: cargo xtask deploy"),
            (Some("shop.toml"), "cargo xtask deploy", "cargo xtask deploy --config shop.toml"),
            (
                Some("../a b/x.toml"),
                "cargo xtask status --watch    or    cargo xtask test",
                "cargo xtask status --config '../a b/x.toml' --watch    or    cargo xtask test --config '../a b/x.toml'",
            ),
            (
                Some("shop.toml"),
                "`cargo xtask cleanup --volumes`, then",
                "`cargo xtask cleanup --config shop.toml --volumes`, then",
            ),
            (Some("shop.toml"), "cargo xtask explain XT412", "cargo xtask explain XT412"),
            (Some("shop.toml"), "cargo xtask --help", "cargo xtask --help"),
            (Some("shop.toml"), "cargo xtask test --config shop.toml", "cargo xtask test --config shop.toml"),
        ] {
            let mut text = before.to_owned();
            Commands::new(config).text(&mut text);
            assert_eq!(text, after);
        }
    }

    #[test]
    fn a_command_names_the_layout_of_the_run_where_another_is_the_default() {
        for (before, after) in [
            ("cargo xtask deploy", "cargo xtask deploy --layout split"),
            (
                "cargo xtask status --watch    or    cargo xtask test",
                "cargo xtask status --watch    or    cargo xtask test --layout split",
            ),
            ("cargo xtask verify --layout split", "cargo xtask verify --layout split"),
            ("cargo xtask cleanup --volumes", "cargo xtask cleanup --volumes"),
        ] {
            let commands = Commands::new(None);
            commands.of_layout("split");
            let mut text = before.to_owned();
            commands.text(&mut text);
            assert_eq!(text, after);
        }
    }

    #[test]
    fn logs_of_the_application_stay_as_they_are() {
        let line = "cargo xtask deploy".to_owned();
        let log = Event::Answer { about: "log", text: line.clone(), data: Value::String(line.clone()) };
        match Commands::new(Some("shop.toml")).complete(log) {
            Event::Answer { text, data, .. } => assert_eq!((text, data), (line.clone(), Value::String(line))),
            other => panic!("{other:?}"),
        }
    }
}
