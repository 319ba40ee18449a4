//! A command line taken apart as cobra does it: flags anywhere, `--` ends them.

/// Flags of the four tools that take no value.
const SWITCHES: &[&str] = &[
    "--short",
    "--client",
    "--light",
    "--interactive",
    "--keep-context",
    "--force",
    "--url",
    "--no-cache",
    "--pull",
    "--no-trunc",
    "--human",
    "--install",
    "--reset-values",
    "--all",
    "-a",
    "--wait",
    "--ignore-not-found",
    "--strict",
    "--logs",
    "--server-side",
    "--force-conflicts",
    "--previous",
    "--timestamps",
    "--follow",
    "--containers",
    "--no-headers",
    "--daemon",
    "--version",
    "--preload",
    "--create-namespace",
    "--all-namespaces",
    "-A",
    "--minify",
];

/// A command line.
#[derive(Clone, Debug)]
pub(crate) struct Args {
    line: String,
    flags: Vec<(String, String)>,
    words: Vec<String>,
    rest: Vec<String>,
}

impl Args {
    pub(crate) fn new(tool: &str, args: &[String]) -> Self {
        let line = format!("{tool} {}", args.join(" "));
        let (mut flags, mut words, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                rest.extend(args.by_ref().cloned());
            } else if !arg.starts_with('-') || arg == "-" {
                words.push(arg.clone());
            } else if let Some((name, value)) = arg.split_once('=') {
                flags.push((name.to_owned(), value.to_owned()));
            } else if SWITCHES.contains(&arg.as_str()) {
                flags.push((arg.clone(), "true".to_owned()));
            } else {
                flags.push((arg.clone(), args.next().cloned().unwrap_or_default()));
            }
        }
        Self { line, flags, words, rest }
    }

    /// The words that are no flags.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// What follows `--`.
    pub(crate) fn rest(&self) -> &[String] {
        &self.rest
    }

    /// The last value given by one of these names of a flag.
    pub(crate) fn flag(&self, names: &[&str]) -> Option<&str> {
        self.all(names).last().copied()
    }

    /// All values given by one of these names of a flag.
    pub(crate) fn all(&self, names: &[&str]) -> Vec<&str> {
        self.flags.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a switch is on.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.flag(names).is_some_and(|value| value != "false")
    }

    /// The command as it was typed.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }
}
