//! From what the user asked for and where the output goes: how it is shown. Decided once, from facts that are passed in.

/// `--message-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For a person.
    #[default]
    Human,
    /// JSON lines on stdout, documented in docs/json.md.
    Json,
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// As the environment says.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

/// `-q`, nothing, `-v`, `-vv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Findings, answers and failed runs only.
    Quiet,
    /// Steps.
    #[default]
    Normal,
    /// And the commands and, under findings, the tools' own words.
    Verbose,
    /// And every line that the tools print, and every word of progress.
    Debug,
}

/// What the decision rests on. The caller reads the environment; nothing below does.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about the surroundings, not a state")]
pub struct ReportConfig {
    /// `--message-format`.
    pub format: Format,
    /// `-q`, `-v`.
    pub verbosity: Verbosity,
    /// `--color`.
    pub colour: Colour,
    /// stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// `TERM` is `dumb`, or (not on Windows) unset.
    pub term_is_dumb: bool,
    /// `CI` is set and not `false`.
    pub is_ci: bool,
    /// `GITHUB_ACTIONS` is `true`.
    pub github_actions: bool,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set and not `0`.
    pub clicolor_force: bool,
    /// `CLICOLOR` is `0`.
    pub clicolor_off: bool,
    /// Columns of the terminal, where known.
    pub width: Option<u16>,
    /// The terminal can show more than ASCII (the locale says UTF-8).
    pub unicode: bool,
}

/// Which view a person (or program) gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Finished steps scroll up, running ones stay below.
    Live,
    /// One line when a step starts and one when it ends.
    Plain,
    /// The same with GitHub's workflow commands.
    GitHub,
    /// JSON lines on stdout, nothing on stderr.
    Json,
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisplayConfig {
    /// Which view.
    pub screen: Screen,
    /// How much of it.
    pub verbosity: Verbosity,
    /// Colour what goes to stderr: steps, findings, the summary.
    pub colour_stderr: bool,
    /// Colour what goes to stdout: answers.
    pub colour_stdout: bool,
    /// Columns to lay lines out for, 40 to 100.
    pub columns: usize,
    /// What ends a line that was cut.
    pub ellipsis: &'static str,
}

impl DisplayConfig {
    /// Decides. The first line that matches holds:
    ///
    /// | format | `GITHUB_ACTIONS` | CI  | stderr   | `TERM`  | -q  | screen |
    /// |--------|------------------|-----|----------|---------|-----|--------|
    /// | json   |                  |     |          |         |     | Json   |
    /// | human  | yes              |     |          |         |     | GitHub |
    /// | human  |                  | yes |          |         |     | Plain  |
    /// | human  |                  |     | no tty   |         |     | Plain  |
    /// | human  |                  |     | terminal | dumb    |     | Plain  |
    /// | human  |                  |     | terminal | capable | yes | Plain  |
    /// | human  |                  |     | terminal | capable | no  | Live   |
    ///
    /// Colour, for each of the two streams; the first line that matches holds (the order of anstream, with the flag before it):
    ///
    /// | `--color` | `NO_COLOR` | `CLICOLOR_FORCE` | `CLICOLOR=0` | stream   | `TERM`  | CI  | colour |
    /// |-----------|------------|------------------|--------------|----------|---------|-----|--------|
    /// | always    |            |                  |              |          |         |     | yes    |
    /// | never     |            |                  |              |          |         |     | no     |
    /// | auto      | yes        |                  |              |          |         |     | no     |
    /// | auto      |            | yes              |              |          |         |     | yes    |
    /// | auto      |            |                  | yes          |          |         |     | no     |
    /// | auto      |            |                  |              | terminal | capable |     | yes    |
    /// | auto      |            |                  |              | terminal | dumb    | yes | yes    |
    /// | auto      |            |                  |              |          |         |     | no     |
    ///
    /// Width: the terminal's, between 40 and 100; 80 where there is none, so that logs look alike everywhere.
    pub fn resolve(config: &ReportConfig) -> Self {
        let screen = match config.format {
            Format::Json => Screen::Json,
            Format::Human if config.github_actions => Screen::GitHub,
            Format::Human if config.is_ci || !config.stderr_is_terminal || config.term_is_dumb => Screen::Plain,
            Format::Human if config.verbosity == Verbosity::Quiet => Screen::Plain,
            Format::Human => Screen::Live,
        };
        let colour = |is_terminal: bool| match config.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto if config.no_color => false,
            Colour::Auto if config.clicolor_force => true,
            Colour::Auto if config.clicolor_off => false,
            Colour::Auto => is_terminal && (!config.term_is_dumb || config.is_ci),
        };
        Self {
            screen,
            verbosity: config.verbosity,
            colour_stderr: screen != Screen::Json && colour(config.stderr_is_terminal),
            colour_stdout: screen != Screen::Json && colour(config.stdout_is_terminal),
            columns: columns(if config.stderr_is_terminal { config.width } else { None }),
            ellipsis: if config.unicode { "…" } else { "..." },
        }
    }
}

/// Columns to lay out for in a terminal of `width` columns.
pub(super) fn columns(width: Option<u16>) -> usize {
    usize::from(width.unwrap_or(80)).clamp(40, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> ReportConfig {
        ReportConfig { stdout_is_terminal: true, stderr_is_terminal: true, width: Some(80), ..ReportConfig::default() }
    }

    #[test]
    fn screens() {
        let tty = terminal;
        for (name, config, expected) in [
            ("a terminal", tty(), Screen::Live),
            ("verbose in a terminal", ReportConfig { verbosity: Verbosity::Debug, ..tty() }, Screen::Live),
            ("stdout in a pipe", ReportConfig { stdout_is_terminal: false, ..tty() }, Screen::Live),
            ("stderr in a pipe", ReportConfig { stderr_is_terminal: false, ..tty() }, Screen::Plain),
            ("a dumb terminal", ReportConfig { term_is_dumb: true, ..tty() }, Screen::Plain),
            ("quiet", ReportConfig { verbosity: Verbosity::Quiet, ..tty() }, Screen::Plain),
            ("CI with a terminal", ReportConfig { is_ci: true, ..tty() }, Screen::Plain),
            ("GitHub", ReportConfig { is_ci: true, github_actions: true, ..ReportConfig::default() }, Screen::GitHub),
            ("JSON in a terminal", ReportConfig { format: Format::Json, ..tty() }, Screen::Json),
            ("JSON on GitHub", ReportConfig { format: Format::Json, github_actions: true, ..tty() }, Screen::Json),
        ] {
            assert_eq!(DisplayConfig::resolve(&config).screen, expected, "{name}");
        }
    }

    #[test]
    fn colours() {
        let tty = terminal;
        for (name, config, expected) in [
            ("a terminal", tty(), (true, true)),
            ("stdout in a pipe", ReportConfig { stdout_is_terminal: false, ..tty() }, (true, false)),
            ("a dumb terminal", ReportConfig { term_is_dumb: true, ..tty() }, (false, false)),
            ("a dumb terminal in CI", ReportConfig { term_is_dumb: true, is_ci: true, ..tty() }, (true, true)),
            ("NO_COLOR", ReportConfig { no_color: true, ..tty() }, (false, false)),
            ("NO_COLOR and CLICOLOR_FORCE", ReportConfig { no_color: true, clicolor_force: true, ..tty() }, (false, false)),
            ("CLICOLOR_FORCE in a pipe", ReportConfig { clicolor_force: true, ..ReportConfig::default() }, (true, true)),
            ("CLICOLOR=0", ReportConfig { clicolor_off: true, ..tty() }, (false, false)),
            ("a pipe", ReportConfig::default(), (false, false)),
            (
                "always, in a pipe with NO_COLOR",
                ReportConfig { colour: Colour::Always, no_color: true, ..ReportConfig::default() },
                (true, true),
            ),
            (
                "never, in a terminal with force",
                ReportConfig { colour: Colour::Never, clicolor_force: true, ..tty() },
                (false, false),
            ),
            ("always, as JSON", ReportConfig { colour: Colour::Always, format: Format::Json, ..tty() }, (false, false)),
        ] {
            let display = DisplayConfig::resolve(&config);
            assert_eq!((display.colour_stderr, display.colour_stdout), expected, "{name}");
        }
    }

    #[test]
    fn widths() {
        for (is_terminal, width, expected) in
            [(true, Some(80), 80), (true, Some(300), 100), (true, Some(20), 40), (true, None, 80), (false, Some(200), 80)]
        {
            let config = ReportConfig { stderr_is_terminal: is_terminal, width, ..ReportConfig::default() };
            assert_eq!(DisplayConfig::resolve(&config).columns, expected);
        }
    }
}
