//! A Dockerfile as a list of instructions: directives, comments, continued lines, here-documents.

use std::ops::Range;

/// A Dockerfile, split up but not interpreted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// `\`, or what `# escape=` says.
    pub(crate) escape: char,
    /// What `# syntax=` names.
    pub(crate) syntax: Option<String>,
    pub(crate) instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Where it begins, counted from 1.
    pub(crate) line: usize,
    /// In capitals.
    pub(crate) keyword: String,
    /// `--name=value`, in order; without `=` the value is empty.
    pub(crate) flags: Vec<(String, String)>,
    /// What follows the flags, on one line, without the bodies of here-documents.
    pub(crate) rest: String,
}

impl Instruction {
    pub(crate) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The words of a COPY, an ADD or a FROM: a JSON list, or what stands between white space (quotes mean nothing there).
    pub(crate) fn list(&self) -> Vec<String> {
        let json = self.rest.starts_with('[').then(|| serde_json::from_str::<Vec<String>>(&self.rest).ok()).flatten();
        json.unwrap_or_else(|| self.rest.split_whitespace().map(str::to_owned).collect())
    }
}

/// Reads any text: what is no instruction to docker is none here either, and docker will say so.
pub(crate) fn parse(text: &str) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut parsed = Parsed { escape: '\\', ..Parsed::default() };
    let mut at = directives(&lines, &mut parsed);
    while at < lines.len() {
        let (logical, begin, next) = logical_line(&lines, at, parsed.escape);
        at = next;
        let Some(instruction) = instruction(&logical, begin + 1) else { continue };
        if matches!(instruction.keyword.as_str(), "ADD" | "COPY" | "RUN") {
            for mark in heredocs(&instruction.rest, parsed.escape) {
                at = mark.skip(&lines, at);
            }
        }
        parsed.instructions.push(instruction);
    }
    parsed
}

/// `# name=value` lines at the very top; the first line that is none ends them.
fn directives(lines: &[&str], parsed: &mut Parsed) -> usize {
    for (i, line) in lines.iter().enumerate() {
        let pair = line.trim().strip_prefix('#').and_then(|rest| rest.split_once('='));
        let Some((name, value)) = pair else { return i };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match (name.as_str(), value) {
            ("escape", "\\" | "`") => parsed.escape = value.chars().next().unwrap_or('\\'),
            ("syntax", _) => parsed.syntax = Some(value.to_owned()),
            ("check", _) => {}
            _ => return i,
        }
    }
    lines.len()
}

/// Joins continued lines; comments and blank lines between them vanish. Gives the index of the line it begins at and of the line
/// after it.
fn logical_line(lines: &[&str], from: usize, escape: char) -> (String, usize, usize) {
    let mut joined = String::new();
    let mut begin = None;
    let mut at = from;
    while let Some(line) = lines.get(at) {
        at += 1;
        let bare = line.trim();
        if bare.starts_with('#') || bare.is_empty() {
            continue;
        }
        let line = if begin.is_some() { line } else { line.trim_start() };
        begin = begin.or(Some(at - 1));
        let cut = line.trim_end_matches([' ', '\t']).strip_suffix(escape);
        // Two escape characters are one that is meant.
        if let Some(rest) = cut.filter(|rest| !rest.ends_with(escape)) {
            joined.push_str(rest);
        } else {
            joined.push_str(line);
            break;
        }
    }
    (joined, begin.unwrap_or(from), at)
}

fn instruction(logical: &str, line: usize) -> Option<Instruction> {
    let (keyword, mut rest) = logical.trim().split_once(char::is_whitespace).unwrap_or((logical.trim(), ""));
    if keyword.is_empty() {
        return None;
    }
    let mut flags = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(flag) = rest.strip_prefix("--") else { break };
        let end = flag.find(char::is_whitespace).unwrap_or(flag.len());
        let (name, value) = flag[..end].split_once('=').unwrap_or((&flag[..end], ""));
        flags.push((name.to_owned(), value.to_owned()));
        rest = &flag[end..];
    }
    let rest = rest.trim();
    Some(Instruction { line, keyword: keyword.to_ascii_uppercase(), flags, rest: rest.to_owned() })
}

/// Splits at white space outside of quotes; the quotes stay.
pub(crate) fn words(text: &str, escape: char) -> Vec<&str> {
    let mut words = Vec::new();
    let mut word: Option<Range<usize>> = None;
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        if c.is_whitespace() && quote.is_none() && !escaped {
            words.extend(word.take().map(|range| &text[range]));
            continue;
        }
        let start = word.map_or(i, |range| range.start);
        word = Some(start..i + c.len_utf8());
        if escaped {
            escaped = false;
        } else if c == escape && quote != Some('\'') {
            escaped = true;
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && (c == '"' || c == '\'') {
            quote = Some(c);
        }
    }
    words.extend(word.map(|range| &text[range]));
    words
}

/// The end mark of a here-document.
struct Heredoc {
    name: String,
    /// `<<-`: tabs before the mark are dropped.
    tabs: bool,
}

impl Heredoc {
    /// The line after the end mark.
    fn skip(&self, lines: &[&str], from: usize) -> usize {
        let is_end = |line: &&str| if self.tabs { line.trim_start_matches('\t') == self.name } else { **line == self.name };
        lines[from..].iter().position(is_end).map_or(lines.len(), |end| from + end + 1)
    }
}

/// Words of the form `<<NAME`, `<<-NAME`, `3<<"NAME"`.
fn heredocs(rest: &str, escape: char) -> Vec<Heredoc> {
    let heredoc = |word: &str| {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (tabs, name) = rest.strip_prefix('-').map_or((false, rest), |name| (true, name));
        let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
        (!name.is_empty() && !name.contains('<')).then_some(Heredoc { name, tabs })
    };
    words(rest, escape).into_iter().filter_map(heredoc).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> Vec<String> {
        let show = |i: Instruction| {
            let flags = i.flags.iter().map(|(n, v)| format!("--{n}={v} ")).collect::<Vec<_>>().concat();
            format!("{} {} {flags}{}", i.line, i.keyword, i.rest)
        };
        parse(text).instructions.into_iter().map(show).collect()
    }

    #[test]
    fn instructions() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("\u{feff}FROM a\n", &["1 FROM a"]),
            ("from a as b\r\nrun c\r\n", &["1 FROM a as b", "2 RUN c"]),
            ("# c\n\n  FROM a\n", &["3 FROM a"]),
            ("RUN a \\\n  # c\n\n  b\nRUN c", &["1 RUN a   b", "5 RUN c"]),
            ("RUN a \\  \n  b", &["1 RUN a   b"]),
            ("RUN a \\\\\nRUN b", &["1 RUN a \\\\", "2 RUN b"]),
            ("# escape=`\nRUN a `\n b\nCOPY a\\ c", &["2 RUN a  b", "4 COPY a\\ c"]),
            ("FROM a\n# escape=`\nRUN a `\nRUN b", &["1 FROM a", "3 RUN a `", "4 RUN b"]),
            ("COPY --from=x --chown=1:2 a b", &["1 COPY --from=x --chown=1:2 a b"]),
            ("COPY --link a b", &["1 COPY --link= a b"]),
            ("RUN <<EOF\nFROM x\nEOF\nRUN b", &["1 RUN <<EOF", "4 RUN b"]),
            ("RUN <<-'E' cat\n\tE\nRUN b", &["1 RUN <<-'E' cat", "3 RUN b"]),
            ("COPY <<A <<B /x/\n1\nA\n2\nB\nRUN c", &["1 COPY <<A <<B /x/", "6 RUN c"]),
            ("RUN echo \"<<EOF\"\nRUN b", &["1 RUN echo \"<<EOF\"", "2 RUN b"]),
            ("RUN <<EOF\nnever ends", &["1 RUN <<EOF"]),
        ];
        for (text, expected) in cases {
            assert_eq!(short(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn syntax() {
        assert_eq!(parse("# syntax=docker/dockerfile:1\nFROM a").syntax.as_deref(), Some("docker/dockerfile:1"));
        assert_eq!(parse("FROM a\n# syntax=docker/dockerfile:1").syntax, None);
    }

    #[test]
    fn lists() {
        let list = |rest: &str| parse(&format!("COPY {rest}")).instructions[0].list();
        assert_eq!(list(r#"["a b", "c"]"#), ["a b", "c"]);
        assert_eq!(list("a  b\tc"), ["a", "b", "c"]);
        assert_eq!(list("[a] b"), ["[a]", "b"]);
    }

    #[test]
    fn quoted_words() {
        assert_eq!(words(r#"a="x y" b='c d' e\ f g"#, '\\'), [r#"a="x y""#, "b='c d'", r"e\ f", "g"]);
    }
}
