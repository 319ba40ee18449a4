//! Durations, sizes and widths as a person reads them.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `0.2s`, `58.0s`, `1m 12s`, `1h 02m`.
pub fn duration(took: Duration) -> String {
    let tenths = (took.as_millis() + 50) / 100;
    if tenths < 600 { format!("{}.{}s", tenths / 10, tenths % 10) } else { minutes((took.as_millis() + 500) / 1000) }
}

/// The same for something that still runs: whole seconds, `6s`, `1m 12s`.
pub fn elapsed(since: Duration) -> String {
    let seconds = u128::from(since.as_secs());
    if seconds < 60 { format!("{seconds}s") } else { minutes(seconds) }
}

fn minutes(seconds: u128) -> String {
    if seconds < 3600 {
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60)
    }
}

/// Image sizes as docker prints them, in powers of 1000: `214 MB`, `1.2 GB`.
pub fn size_decimal(bytes: u64) -> String {
    size(bytes, 1000, ["B", "kB", "MB", "GB", "TB"])
}

/// Memory as Kubernetes counts it, in powers of 1024: `512 MiB`, `5.9 GiB`, `8 GiB`.
pub fn size_binary(bytes: u64) -> String {
    size(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"])
}

fn size(bytes: u64, base: u64, units: [&str; 5]) -> String {
    let mut power = 0;
    let mut scale = 1_u64;
    // The next unit is taken where rounding would reach it, so that nothing reads `1000 MB`.
    while power + 1 < units.len() && bytes.saturating_add(scale / 2) >= scale.saturating_mul(base) {
        scale *= base;
        power += 1;
    }
    let tenths = (u128::from(bytes) * 10 + u128::from(scale) / 2) / u128::from(scale);
    let unit = units.get(power).copied().unwrap_or("B");
    if tenths >= 100 || tenths % 10 == 0 {
        format!("{} {unit}", (u128::from(bytes) + u128::from(scale) / 2) / u128::from(scale))
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// Columns that `text` takes in a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text`, followed by spaces up to `columns`; longer text stays whole.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` cut to `columns`, ending in `ellipsis` where something was cut.
pub fn truncate(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > room {
            break;
        }
        used += w;
        kept.push(c);
    }
    let mut cut = kept.trim_end().to_owned();
    cut.push_str(if columns >= width(ellipsis) { ellipsis } else { "" });
    cut
}

/// `text` in lines of at most `columns`, broken at spaces. A word that is longer stays whole: it may be a name to paste. A number
/// stays with its unit, and a version with its name.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text, columns / 2) {
        let word = piece.trim_end_matches(' ');
        if !line.trim_end().is_empty() && width(&line) + width(word) > columns {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        // Runs of spaces inside a line are kept: they may be columns. At the start of a wrapped line they are none.
        if lines.is_empty() || !(line.is_empty() && word.is_empty()) {
            line.push_str(&piece);
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Words with the spaces behind them; what reads as one is one, up to `longest` columns.
fn pieces(text: &str, longest: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for piece in text.split_inclusive(' ') {
        let is_number =
            |word: &str| word.chars().any(|c| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_digit() || "(.".contains(c));
        let joins = |before: &String| {
            let word = before.rsplit(' ').find(|word| !word.is_empty()).unwrap_or("");
            let single_space = before.ends_with(' ') && !before.ends_with("  ");
            let wants =
                is_number(word) || (piece.starts_with(|c: char| c.is_ascii_digit()) && !word.ends_with([',', ';', ':', '.']));
            single_space && wants && !word.is_empty() && width(before) + width(piece) <= longest
        };
        match pieces.last_mut() {
            Some(before) if joins(before) => before.push_str(piece),
            _ => pieces.push(piece.to_owned()),
        }
    }
    pieces
}

/// One line of foreign text made safe to print: no escape sequences, no control characters, tabs as spaces, and of a line that a tool
/// rewrote with carriage returns only what stood there last.
pub fn clean(line: &str) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    let last = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or("");
    anstream::adapter::strip_str(last)
        .to_string()
        .chars()
        .flat_map(|c| if c == '\t' { [Some(' '), Some(' ')] } else { [Some(c), None] })
        .flatten()
        .filter(|c| !c.is_control() && !is_bidi_control(*c))
        .collect()
}

/// Characters that reorder what stands around them: a log line could pretend to be another.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (millis, finished, running) in [
            (0, "0.0s", "0s"),
            (49, "0.0s", "0s"),
            (150, "0.2s", "0s"),
            (6_400, "6.4s", "6s"),
            (58_000, "58.0s", "58s"),
            (59_949, "59.9s", "59s"),
            (59_950, "1m 00s", "59s"),
            (72_400, "1m 12s", "1m 12s"),
            (125_000, "2m 05s", "2m 05s"),
            (3_599_600, "1h 00m", "59m 59s"),
            (3_720_000, "1h 02m", "1h 02m"),
        ] {
            assert_eq!(
                (duration(Duration::from_millis(millis)), elapsed(Duration::from_millis(millis))),
                (finished.into(), running.into()),
                "{millis}"
            );
        }
    }

    #[test]
    fn sizes() {
        for (bytes, decimal, binary) in [
            (0, "0 B", "0 B"),
            (999, "999 B", "999 B"),
            (1024, "1 kB", "1 KiB"),
            (214_300_000, "214 MB", "204 MiB"),
            (999_999_999, "1 GB", "954 MiB"),
            (1_230_000_000, "1.2 GB", "1.1 GiB"),
            (8_589_934_592, "8.6 GB", "8 GiB"),
            (6_335_076_761, "6.3 GB", "5.9 GiB"),
            (u64::MAX, "18446744 TB", "16777216 TiB"),
        ] {
            assert_eq!((size_decimal(bytes), size_binary(bytes)), (decimal.into(), binary.into()), "{bytes}");
        }
    }

    #[test]
    fn truncated_text_never_passes_its_columns() {
        for (text, columns, expected) in [
            ("short", 10, "short"),
            ("backend 0/1: pulling", 12, "backend 0..."),
            ("backend 0/1: pulling", 11, "backend..."),
            ("日本語のタイトル", 9, "日本語..."),
            ("日本語のタイトル", 8, "日本..."),
            ("abc", 2, ""),
        ] {
            let cut = truncate(text, columns, "...");
            assert_eq!(cut, expected);
            assert!(width(&cut) <= columns);
        }
    }

    #[test]
    fn wrapped_text_keeps_its_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a todo-app-backend-6f7c9d-x2x b", 10), ["a", "todo-app-backend-6f7c9d-x2x", "b"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(
            wrap("cargo xtask status --watch    or    cargo xtask test", 60),
            ["cargo xtask status --watch    or    cargo xtask test"]
        );
        assert_eq!(wrap("日本 日本 日本", 9), ["日本 日本", "日本"]);
        assert_eq!(wrap("image of 214 MB (budget 300 MB)", 30), ["image of 214 MB", "(budget 300 MB)"]);
        assert_eq!(wrap("docker 28.2.2, kubectl 1.36", 25), ["docker 28.2.2,", "kubectl 1.36"]);
        assert_eq!(wrap("  indented", 20), ["  indented"]);
        assert_eq!(wrap(&"1 ".repeat(30), 20).iter().map(|line| width(line)).max(), Some(19));
    }

    #[test]
    fn foreign_lines_are_made_safe() {
        for (raw, safe) in [
            ("\u{1b}[32mok\u{1b}[0m done\r\n", "ok done"),
            ("10%\r50%\r100%\r", "100%"),
            ("a\tb\u{7}\u{8}", "a  b"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{202e}txet", "txet"),
        ] {
            assert_eq!(clean(raw), safe);
        }
    }
}
