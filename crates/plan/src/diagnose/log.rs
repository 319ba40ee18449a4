//! The line of a log that says why a program ended.

/// What kind of reason a line gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The database (or another server) is not there yet: may heal.
    ServerAway,
    /// The database is there and refuses: login, name, rights.
    DatabaseRefuses,
    /// A variable is missing or not accepted.
    Config,
    /// Anything else.
    Other,
}

/// The line that matters, and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Without colours, timestamps of the logger and surrounding blanks.
    pub(crate) text: String,
    /// What it says.
    pub(crate) reason: Reason,
    /// The variable that it names, of [`Reason::Config`].
    pub(crate) variable: Option<String>,
}

/// The line of `log` that says most about why the program ended; `None` if there is none.
pub(crate) fn significant(log: &str) -> Option<Line> {
    let lines: Vec<String> = log.lines().map(|line| without_colour(line).trim_end().to_owned()).collect();
    let text = validation_error(&lines)
        .or_else(|| python_exception(&lines))
        .or_else(|| error_line(&lines))
        .or_else(|| lines.iter().rev().find(|line| !is_noise(line)).map(|line| line.trim().to_owned()))?;
    let (reason, variable) = classify(&text);
    Some(Line { text, reason, variable })
}

/// The last lines of `log`, at most `count`.
pub(crate) fn tail(log: &str, count: usize) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Pydantic: the exception line only counts the errors, the lines after it name them.
fn validation_error(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.contains("validation error") && line.contains(" for "))?;
    let field = lines.get(at + 1).map(|line| line.trim()).filter(|line| !line.is_empty())?;
    let problem = lines.get(at + 2).map(|line| line.trim()).filter(|line| !line.is_empty())?;
    // `[type=…, input_value=…]` may show a secret.
    let problem = problem.split(" [type=").next().unwrap_or(problem);
    Some(format!("{field}: {problem}"))
}

/// Python: the first line at the margin after the last traceback.
fn python_exception(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.contains("Traceback (most recent call last)"))?;
    // Some loggers indent the whole traceback; its margin is that of its first line.
    let margin = lines[at].len() - lines[at].trim_start().len();
    lines[at + 1..]
        .iter()
        .find(|line| !line.trim().is_empty() && line.len() - line.trim_start().len() <= margin)
        .map(|line| line.trim().to_owned())
}

/// The last line that calls itself an error.
fn error_line(lines: &[String]) -> Option<String> {
    let starts_as_error = |line: &str| {
        let head = line.split([':', ' ']).next().unwrap_or_default();
        head.ends_with("Error") || head.ends_with("Exception") || head.eq_ignore_ascii_case("fatal") || head == "panic"
    };
    let found = lines.iter().rev().find(|line| !is_noise(line) && starts_as_error(line.trim_start()));
    let found = found.or_else(|| {
        let words = ["FATAL", "CRITICAL", "ERROR", "error:", "Error:", "Connection refused", "ECONNREFUSED"];
        lines.iter().rev().find(|line| !is_noise(line) && words.iter().any(|word| line.contains(word)))
    })?;
    Some(found.trim().trim_start_matches("ERROR:").trim_start_matches('[').trim().to_owned())
}

fn is_noise(line: &str) -> bool {
    let line = line.trim();
    line.len() < 3
        || line.starts_with("at ")
        || line.starts_with("Node.js v")
        || line.starts_with("File \"")
        || line.starts_with("(Background on this error")
        || line.starts_with("[SQL:")
        || line.starts_with("npm error A complete log")
        || line.starts_with("npm notice")
        || line.contains("Application startup failed. Exiting")
        || line.contains("The above exception was the direct cause")
        || line.contains("During handling of the above exception")
}

fn classify(text: &str) -> (Reason, Option<String>) {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["password authentication failed", "no pg_hba.conf entry", "role \"", "database \""])
        && has(&["fatal", "failed", "does not exist", "no pg_hba"])
    {
        return (Reason::DatabaseRefuses, None);
    }
    let away = [
        "connection refused",
        "could not connect to server",
        "could not translate host name",
        "name or service not known",
        "temporary failure in name resolution",
        "database system is starting up",
        "connection timed out",
        "timeout expired",
    ];
    // Names of errors are case-sensitive: `ModuleNotFoundError` is not ENOTFOUND.
    let errno = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH"].iter().any(|name| text.contains(name));
    // libpq: whatever stops a connection before the server has said FATAL.
    let libpq = lower.contains("connection to server at") && !text.contains("FATAL");
    if errno || libpq || has(&away) {
        return (Reason::ServerAway, None);
    }
    let variable = variable(text);
    let complains = has(&[
        "must be",
        "must not",
        "required",
        "missing",
        "not set",
        "invalid",
        "is empty",
        "should be",
        "should have",
        "not a valid",
        "keyerror",
    ]);
    if variable.is_some() && complains { (Reason::Config, variable) } else { (Reason::Other, None) }
}

/// The first word that is written like an environment variable: upper case with an underscore.
fn variable(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .find(|word| {
            word.len() > 3
                && word.contains('_')
                && word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
                && !word.starts_with("ERR_")
        })
        .map(str::to_owned)
}

fn without_colour(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // CSI: ends with the first letter.
            for c in rest.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if !c.is_control() || c == '\t' {
            out.push(c);
        }
    }
    out
}
