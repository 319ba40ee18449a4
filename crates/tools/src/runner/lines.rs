//! Bytes of a child's output as lines.

/// Longest line kept (bytes); the rest of a longer one is its next line. A tool that prints no newline must not fill the memory.
const LONGEST: usize = 1024 * 1024;

/// Splits one channel's bytes into lines; `\r\n` and a lone `\r` (progress that redraws) end a line too.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    after_return: bool,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for &byte in bytes {
            let newline_of_return = self.after_return && byte == b'\n';
            self.after_return = byte == b'\r';
            if newline_of_return {
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                line(&String::from_utf8_lossy(&self.rest));
                self.rest.clear();
            } else {
                self.rest.push(byte);
                if self.rest.len() >= LONGEST {
                    line(&String::from_utf8_lossy(&self.rest));
                    self.rest.clear();
                }
            }
        }
    }

    /// The last line, when it had no newline.
    pub(super) fn finish(&mut self, mut line: impl FnMut(&str)) {
        if !self.rest.is_empty() {
            line(&String::from_utf8_lossy(&self.rest));
            self.rest.clear();
        }
    }
}

/// Keeps the end of a long output.
#[derive(Debug)]
pub(super) struct Tail {
    text: String,
    limit: usize,
}

impl Tail {
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit }
    }

    pub(super) fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        // Cut rarely, so that a long build does not copy its tail at every line.
        if self.text.len() > 2 * self.limit {
            self.text = self.end().to_owned();
        }
    }

    pub(super) fn into_string(self) -> String {
        self.end().to_owned()
    }

    fn end(&self) -> &str {
        end_of(&self.text, self.limit)
    }
}

/// The last whole lines of `text` that fit into `limit` bytes.
pub(super) fn end_of(text: &str, limit: usize) -> &str {
    let Some(mut from) = text.len().checked_sub(limit).filter(|&from| from > 0) else { return text };
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let cut = &text[from..];
    cut.split_once('\n').map_or(cut, |(_, rest)| if rest.is_empty() { cut } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str]) -> Vec<String> {
        let (mut lines, mut got) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.push(chunk.as_bytes(), |l| got.push(l.to_owned()));
        }
        lines.finish(|l| got.push(l.to_owned()));
        got
    }

    #[test]
    fn lines_however_they_arrive() {
        assert_eq!(lines(&["a\nb\r\nc"]), ["a", "b", "c"]);
        assert_eq!(lines(&["a\r", "\nb\r50%\r100%\n"]), ["a", "b", "50%", "100%"]);
        assert_eq!(lines(&["", "ü".to_owned().as_str(), "\n\n"]), ["ü", ""]);
        let two_halves = "ü".as_bytes().split_at(1);
        let (mut split, mut got) = (Lines::default(), Vec::new());
        split.push(two_halves.0, |l| got.push(l.to_owned()));
        split.push(two_halves.1, |l| got.push(l.to_owned()));
        split.finish(|l| got.push(l.to_owned()));
        assert_eq!(got, ["ü"]);
    }

    #[test]
    fn the_tail_is_whole_lines() {
        let mut tail = Tail::new(10);
        for n in 0..100 {
            tail.push(&format!("line {n}"));
        }
        assert_eq!(tail.into_string(), "line 99\n");
        assert_eq!(end_of("short", 10), "short");
        assert_eq!(end_of("one endless line", 4), "line");
        assert_eq!(end_of("üüüü", 3), "ü");
    }
}
