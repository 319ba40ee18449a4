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
    /// The variables that it names, of [`Reason::Config`].
    pub(crate) variables: Vec<String>,
}

impl Line {
    fn new(text: String) -> Self {
        let (reason, variables) = classify(&text);
        let text = without_exception_path(text);
        let text = ["WARNING: ", "INFO: ", "configuration error: "]
            .iter()
            .fold(text.as_str(), |text, word| text.strip_prefix(word).unwrap_or(text));
        Self { text: text.to_owned(), reason, variables }
    }
}

/// The line of `log` that says most about why the program ended; `None` if there is none.
pub(crate) fn significant(log: &str) -> Option<Line> {
    let lines: Vec<String> = log.lines().map(|line| flat(&shown(line))).collect();
    let text = validation_error(&lines)
        .or_else(|| python_exception(&lines))
        .or_else(|| error_line(&lines))
        .or_else(|| lines.iter().rev().find(|line| !is_noise(line)).map(|line| line.trim().to_owned()))?;
    Some(Line::new(text))
}

/// The last line of a running program's log that says that a server it needs is away or refuses it.
pub(crate) fn trouble(log: &str) -> Option<Line> {
    let lines = log.lines().rev().map(|line| flat(&shown(line))).filter(|line| !is_noise(line) && !line.starts_with("INFO: "));
    lines
        .map(|line| Line::new(line.trim().to_owned()))
        .find(|line| matches!(line.reason, Reason::ServerAway | Reason::DatabaseRefuses))
}

/// The last line of a growing log, if it says that a server is away or refuses.
pub(crate) fn waits(log: &str) -> Option<Line> {
    let last = log.lines().rev().map(|line| flat(&shown(line))).find(|line| !is_noise(line))?;
    Some(Line::new(last.trim().to_owned())).filter(|line| matches!(line.reason, Reason::ServerAway | Reason::DatabaseRefuses))
}

/// Whether a line says that a name is known to nobody; a name server that is away says something else.
pub(crate) fn names_nobody(text: &str) -> bool {
    // glibc and Node.js; musl has one sentence for both.
    text.to_lowercase().contains("name or service not known") || text.contains("ENOTFOUND")
}

/// A line of a structured log as `LEVEL: message: reason`; others as they are.
pub(crate) fn flat(line: &str) -> String {
    let parsed =
        line.trim_start().starts_with('{').then(|| serde_json::from_str::<serde_json::Value>(line.trim()).ok()).flatten();
    let Some(object) = parsed else { return line.to_owned() };
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(key)?.as_str().filter(|text| !text.is_empty()));
    let Some(message) = text(&["message", "msg", "event"]) else { return line.to_owned() };
    let level = text(&["level", "levelname", "severity"]).map_or_else(|| "INFO".to_owned(), str::to_uppercase);
    match text(&["reason", "waiting_for", "error", "err", "detail", "exception"]) {
        Some(reason) => format!("{level}: {message}: {reason}"),
        None => format!("{level}: {message}"),
    }
}

/// The last lines of `log`, at most `count`.
pub(crate) fn tail(log: &str, count: usize) -> String {
    let lines: Vec<String> = log.lines().map(shown).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The lines of `log` around the one that matters: what led to it, and a little of what follows.
pub(crate) fn around(log: &str, line: &Line) -> String {
    // The marks under a line of a Python traceback say nothing without colours.
    let mark = |text: &String| !text.trim().is_empty() && text.trim().chars().all(|c| "~^".contains(c));
    let lines: Vec<String> = log.lines().map(shown).filter(|text| !text.trim().is_empty() && !mark(text)).collect();
    // The end of it: what stands before may have been put there by a structured log.
    let last = line.text.rsplit(": ").next().unwrap_or(&line.text);
    let at = lines.iter().rposition(|text| text.contains(last)).unwrap_or(lines.len().saturating_sub(1));
    lines[at.saturating_sub(7)..lines.len().min(at + 4)].join("\n")
}

/// A line as it may be shown: no colours, and none of the places where programs like to print secrets.
fn shown(line: &str) -> String {
    let line = without_colour(line).trim_end().to_owned();
    let line = without_password(&line);
    // Pydantic quotes the whole input.
    match line.split_once("input_value=") {
        Some((before, after)) => format!("{before}input_value=…{}", after.rfind(", input_type=").map_or("", |at| &after[at..])),
        None => line,
    }
}

/// `scheme://user:password@host` -> `scheme://user:…@host`
fn without_password(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || "/'\"`<>".contains(c)).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                out.push_str(user.split(':').next().unwrap_or_default());
                out.push_str(if user.contains(':') { ":…@" } else { "@" });
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out + rest
}

/// `SQLAlchemy` wraps the driver's error: `sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection …`.
fn without_exception_path(text: String) -> String {
    let wrapped =
        text.strip_prefix("sqlalchemy.exc.").and_then(|rest| rest.split_once(": (")).and_then(|(_, rest)| rest.split_once(") "));
    match wrapped {
        Some((error, said)) => format!("{error}: {said}"),
        None => text,
    }
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
        // libpq, after the reason.
        || line.starts_with("Is the server running on")
        || line.starts_with("npm error A complete log")
        || line.starts_with("npm notice")
        || line.contains("Application startup failed. Exiting")
        || line.contains("The above exception was the direct cause")
        || line.contains("During handling of the above exception")
}

fn classify(text: &str) -> (Reason, Vec<String>) {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["password authentication failed", "no pg_hba.conf entry", "role \"", "database \""])
        && has(&["fatal", "failed", "does not exist", "no pg_hba"])
    {
        return (Reason::DatabaseRefuses, Vec::new());
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
        return (Reason::ServerAway, Vec::new());
    }
    let variables = variables(text);
    let complains = has(&[
        "configuration error",
        "must be",
        "must have",
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
    if !variables.is_empty() && complains { (Reason::Config, variables) } else { (Reason::Other, Vec::new()) }
}

/// The words that are written like environment variables: upper case with an underscore.
fn variables(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let variable = word.len() > 3
            && word.contains('_')
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && !word.starts_with("ERR_");
        if variable && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_not_shown() {
        for (line, shown_as) in [
            ("connect('postgresql://todo:s3cret@db:5432/todo')", "connect('postgresql://todo:…@db:5432/todo')"),
            ("postgresql://todo:p@ss@db/x and redis://:pw@r", "postgresql://todo:…@db/x and redis://:…@r"),
            ("see https://errors.pydantic.dev/2.14/v/missing", "see https://errors.pydantic.dev/2.14/v/missing"),
            ("git@host:x, a://", "git@host:x, a://"),
            (
                "  URL wrong [type=url, input_value='s3cret', input_type=str]",
                "  URL wrong [type=url, input_value=…, input_type=str]",
            ),
        ] {
            assert_eq!(shown(line), shown_as);
        }
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(shown("\u{1b}[31mERROR\u{1b}[0m: x"), "ERROR: x");
    }
}
