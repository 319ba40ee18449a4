//! `target/xtask/timeline.html`: where the time of the last run went. One static page without scripts or anything from outside.

use std::time::Duration;

use crate::critical::{self, Timed};

use super::event::{Outcome, StepName};
use super::layout::State;
use super::record::{Record, StepRecord};
use super::text;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:14px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
ol{list-style:none;padding:0}
li{display:grid;grid-template-columns:12rem 1fr 5rem;gap:.5rem;align-items:center}
.track{background:rgba(128,128,128,.15);height:1.1rem}
.bar{display:block;height:100%;min-width:2px;background:#7a8ba0}
.critical .bar{background:#c4570c}
.critical .name{font-weight:bold}
.fail .bar{background:repeating-linear-gradient(45deg,#b3261e 0 6px,#7a1712 6px 12px)}
.took,td.n{text-align:right;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid rgba(128,128,128,.4)}
";

/// A step with its place in time.
struct Bar<'a> {
    step: &'a StepRecord,
    /// Both since the start of the run.
    start: Duration,
    end: Duration,
    state: &'static str,
    critical: bool,
}

/// The page. `now` is the length of a run that has no end of its own.
pub(super) fn render(record: &Record, now: Duration) -> String {
    let total = record.end.as_ref().map_or(now.saturating_sub(record.begun), |end| end.took);
    let critical = critical_path(record);
    let bars: Vec<Bar<'_>> = record
        .steps
        .iter()
        .map(|step| Bar {
            step,
            start: step.started.saturating_sub(record.begun),
            end: step.end.as_ref().map_or(now, |end| end.at).saturating_sub(record.begun),
            state: step.end.as_ref().map_or("stopped", |end| State::from(end.outcome).word()),
            critical: critical.contains(&&step.name),
        })
        .collect();
    let total = bars.iter().map(|bar| bar.end).max().unwrap_or_default().max(total);
    let path: Vec<String> = critical.iter().map(|name| escape(&name.to_string())).collect();
    let exit = record.end.as_ref().map_or("stopped before its end".to_owned(), |end| format!("exit code {}", end.exit_code));
    let rows: String = bars.iter().filter(|bar| bar.end > bar.start).map(|bar| bar_row(bar, total)).collect();
    let cells: String = bars.iter().map(table_row).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>cargo xtask {phase}: timeline</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>cargo xtask {phase}</h1>\n<p>{headline}</p>\n<p>{summary}</p>\n<p>{took} in all, {exit}.</p>\n\
         <p>Critical path, shown in orange and marked in the table: <strong>{path}</strong></p>\n\
         <ol aria-label=\"Steps as bars over time; the table below says the same\">\n{rows}</ol>\n\
         <table>\n<caption>Steps</caption>\n<thead><tr><th scope=\"col\">step</th><th scope=\"col\">state</th><th scope=\"col\">begins at</th>\
         <th scope=\"col\">took</th><th scope=\"col\">waits for</th><th scope=\"col\">critical</th><th scope=\"col\">result</th></tr></thead>\n\
         <tbody>\n{cells}</tbody>\n</table>\n</body>\n</html>\n",
        phase = escape(record.phase),
        headline = escape(&record.headline),
        took = text::duration(total),
        exit = escape(&exit),
        summary = escape(record.end.as_ref().map_or("", |end| &end.summary)),
        path = if path.is_empty() { "none".to_owned() } else { path.join(" &rarr; ") },
    )
}

fn bar_row(bar: &Bar<'_>, total: Duration) -> String {
    let Bar { step, start, end, state, critical } = bar;
    let percent = |at: Duration| 100.0 * at.as_secs_f64() / total.as_secs_f64().max(0.001);
    let (left, width) = (percent(*start), percent(end.saturating_sub(*start)));
    let class = if *critical { format!("critical {state}") } else { (*state).to_owned() };
    format!(
        "<li class=\"{class}\"><span class=\"name\">{}</span><span class=\"track\"><span class=\"bar\" \
         style=\"margin-left:{left:.2}%;width:{width:.2}%\"></span></span><span class=\"took\">{}</span></li>\n",
        escape(&step.name.to_string()),
        text::duration(end.saturating_sub(*start)),
    )
}

fn table_row(bar: &Bar<'_>) -> String {
    let Bar { step, start, end, state, critical } = bar;
    let after: Vec<String> = step.after.iter().map(|name| escape(&name.to_string())).collect();
    format!(
        "<tr><th scope=\"row\">{}</th><td>{state}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escape(&step.name.to_string()),
        text::duration(*start),
        text::duration(end.saturating_sub(*start)),
        after.join(", "),
        if *critical { "yes" } else { "" },
        escape(step.end.as_ref().map_or(step.progress.as_str(), |end| &end.text)),
    )
}

/// The chain of steps that decided how long the run took; what was so already, or was not tried, decided nothing.
fn critical_path(record: &Record) -> Vec<&StepName> {
    let timed = record.steps.iter().filter_map(|step| {
        let end = step.end.as_ref().filter(|end| matches!(end.outcome, Outcome::Ok | Outcome::Fail))?;
        Some(Timed { name: &step.name, after: &step.after, start: step.started, end: end.at })
    });
    critical::path(&timed.collect::<Vec<_>>()).into_iter().map(|step| step.name).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::super::event::Event;
    use super::*;

    type Row = (&'static str, f64, f64, &'static str, Outcome);

    fn record(steps: &[Row]) -> Record {
        let mut record = Record::default();
        for (name, start, end, after, outcome) in steps {
            let step = StepName::new(name, "");
            let after = after.split_whitespace().map(|kind| StepName::new(kind, "")).collect();
            record.apply(Duration::from_secs_f64(*start), &Event::StepStarted { step: step.clone(), after });
            let took = Duration::from_secs_f64(end - start);
            record.apply(
                Duration::from_secs_f64(*end),
                &Event::StepFinished { step, outcome: *outcome, text: String::new(), took },
            );
        }
        record
    }

    #[test]
    fn the_critical_path_goes_through_what_was_waited_for_longest() {
        use Outcome::{Fail, Keep, Ok, Skip};
        let table: [(&str, &[Row], &[&str]); 5] = [
            ("nothing ran", &[], &[]),
            (
                "a diamond",
                &[("a", 0., 1., "", Ok), ("b", 1., 9., "a", Ok), ("c", 1., 3., "a", Ok), ("d", 9., 10., "b c", Ok)],
                &["a", "b", "d"],
            ),
            ("a failure", &[("a", 0., 1., "", Ok), ("b", 1., 2., "a", Fail), ("c", 2., 2., "b", Skip)], &["a", "b"]),
            ("kept steps take no time", &[("a", 0., 0., "", Keep), ("b", 0., 2., "a", Ok)], &["b"]),
            ("a loop", &[("a", 0., 1., "b", Ok), ("b", 1., 2., "a", Ok)], &["a", "b"]),
        ];
        for (name, steps, expected) in table {
            let record = record(steps);
            let path: Vec<String> = critical_path(&record).iter().map(ToString::to_string).collect();
            assert_eq!(path, expected, "{name}");
        }
    }
}
