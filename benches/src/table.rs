//! Rows of times, and the table they become.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// The times of one piece of work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort_unstable();
    }

    /// These and those.
    pub(crate) fn and(self, others: Self) -> Self {
        self.0.into_iter().chain(others.0).collect()
    }

    /// The middle one; of an even number the lower middle.
    fn median(&self) -> Option<Duration> {
        self.0.get(self.0.len().checked_sub(1)? / 2).copied()
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut all = Self::default();
        times.into_iter().for_each(|time| all.push(time));
        all
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(median), Some(min), Some(max)) = (self.median(), self.0.first(), self.0.last()) else {
            return f.write_str("-");
        };
        if self.0.len() == 1 {
            return f.write_str(&seconds(median));
        }
        write!(f, "{} ({} to {})", seconds(median), seconds(*min), seconds(*max))
    }
}

/// `0.042 s`, `1.23 s`, `41.2 s`.
fn seconds(time: Duration) -> String {
    let s = time.as_secs_f64();
    match s {
        s if s < 0.1 => format!("{s:.3} s"),
        s if s < 10.0 => format!("{s:.2} s"),
        s => format!("{s:.1} s"),
    }
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: Times,
    /// What the same work is called with the bare tools, and its times.
    pub(crate) bare: Option<(String, Times)>,
    pub(crate) goal: Option<&'static str>,
}

/// What a scenario gives: rows, and lines that explain them.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.notes.extend(other.notes);
    }

    /// Markdown: medians with the least and the most, and the ratio of the medians.
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::from("| what | xtask | bare tools | ratio | goal |\n| --- | --- | --- | --- | --- |\n");
        for row in &self.rows {
            let (bare, ratio) = match &row.bare {
                None => ("-".to_owned(), "-".to_owned()),
                Some((what, times)) => (format!("{times}: {what}"), ratio(&row.ours, times)),
            };
            // Writing to a String can't fail.
            let _infallible = writeln!(out, "| {} | {} | {bare} | {ratio} | {} |", row.what, row.ours, row.goal.unwrap_or("-"));
        }
        for note in &self.notes {
            let _infallible = write!(out, "\n- {note}");
        }
        out
    }
}

fn ratio(ours: &Times, bare: &Times) -> String {
    match (ours.median(), bare.median()) {
        (Some(ours), Some(bare)) if !bare.is_zero() => format!("{:.2}", ours.as_secs_f64() / bare.as_secs_f64()),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: &[u64]) -> Times {
        ms.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn medians_and_ratios() {
        assert_eq!(times(&[300, 100, 200]).to_string(), "0.20 s (0.10 s to 0.30 s)");
        assert_eq!(times(&[50]).to_string(), "0.050 s");
        assert_eq!(times(&[]).to_string(), "-");
        assert_eq!(ratio(&times(&[100]), &times(&[400, 200])), "0.50");
    }

    #[test]
    fn a_table() {
        let row = |bare| Row { what: "no-op".to_owned(), ours: times(&[100]), bare, goal: Some("0.2 s") };
        let report =
            Report { rows: vec![row(None), row(Some(("script".to_owned(), times(&[1000]))))], notes: vec!["a note".to_owned()] };
        let expected = "| what | xtask | bare tools | ratio | goal |\n| --- | --- | --- | --- | --- |\n\
                        | no-op | 0.10 s | - | - | 0.2 s |\n| no-op | 0.10 s | 1.00 s: script | 0.10 | 0.2 s |\n\n- a note";
        assert_eq!(report.markdown(), expected);
    }
}
