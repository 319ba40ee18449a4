//! The critical path: the chain of steps that decided how long a run took.

use std::time::Duration;

use crate::event::StepName;
use crate::text;

/// What is shorter than this part of the run decided nothing.
const WORTH_A_WORD: f64 = 0.02;

/// A step that did something, with its place in time since the start of the run.
#[derive(Clone, Copy, Debug)]
pub struct Timed<'a> {
    /// Which.
    pub name: &'a StepName,
    /// The steps that it waited for.
    pub after: &'a [StepName],
    /// When it began.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
}

/// The chain, in order: from the step that ended last, back to what each had to wait for longest.
pub fn path<'a>(steps: &[Timed<'a>]) -> Vec<Timed<'a>> {
    let mut path: Vec<Timed<'a>> = Vec::new();
    let mut next = steps.iter().max_by_key(|step| step.end);
    while let Some(step) = next {
        // A stream that lists a step as waiting for itself must not be walked for ever.
        if path.iter().any(|known| known.name == step.name) {
            break;
        }
        path.push(*step);
        next = steps.iter().filter(|before| step.after.contains(before.name)).max_by_key(|before| before.end);
    }
    path.reverse();
    path
}

/// `cluster 36.9s, then rollout 9.1s; images built meanwhile`; empty where nothing was done.
pub fn sentence(steps: &[Timed<'_>]) -> String {
    let path = path(steps);
    let total = path.last().map_or(Duration::ZERO, |last| last.end);
    let counts = |took: Duration| took.as_secs_f64() >= total.as_secs_f64() * WORTH_A_WORD;
    let links: Vec<String> = path
        .iter()
        .enumerate()
        .map(|(i, step)| {
            // The next one may begin at a milestone of this one.
            let until = path.get(i + 1).map_or(step.end, |next| next.start.min(step.end));
            (step, until.saturating_sub(step.start))
        })
        .filter(|(_, took)| counts(*took))
        .map(|(step, took)| format!("{} {}", step.name, text::duration(took)))
        .collect();
    let beside = |step: &&Timed<'_>| {
        step.name.kind == "image" && path.iter().all(|on| on.name != step.name) && counts(step.end.saturating_sub(step.start))
    };
    let images: Vec<String> = steps.iter().filter(beside).map(|step| step.name.to_string()).collect();
    let meanwhile = match (images.as_slice(), path.iter().any(|step| step.name.kind == "image")) {
        ([], _) => String::new(),
        ([one], _) => format!("; {one} built meanwhile"),
        (_, true) => format!("; {} built meanwhile", images.join(", ")),
        (_, false) => "; images built meanwhile".to_owned(),
    };
    format!("{}{meanwhile}", links.join(", then "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name`, what it waited for, start and end in tenths of a second.
    type Row = (&'static str, &'static [&'static str], u64, u64);

    fn name(text: &str) -> StepName {
        let kinds = ["cluster", "image", "release", "rollout", "endpoints", "secret"];
        let kind = kinds.into_iter().find(|kind| text.starts_with(kind)).unwrap();
        StepName::new(kind, text[kind.len()..].trim())
    }

    fn told(rows: &[Row]) -> String {
        let at = |tenths: u64| Duration::from_millis(tenths * 100);
        let owned: Vec<(StepName, Vec<StepName>)> =
            rows.iter().map(|(n, after, ..)| (name(n), after.iter().map(|a| name(a)).collect())).collect();
        let steps: Vec<Timed<'_>> = rows
            .iter()
            .zip(&owned)
            .map(|((_, _, start, end), (name, after))| Timed { name, after, start: at(*start), end: at(*end) })
            .collect();
        sentence(&steps)
    }

    #[test]
    fn the_chain_is_told_with_what_ran_beside_it() {
        let cold: &[Row] = &[
            ("cluster", &[], 0, 369),
            ("image backend", &["cluster"], 78, 240),
            ("image frontend", &["cluster"], 78, 330),
            ("secret app", &["cluster"], 369, 370),
            ("release app", &["secret app", "image backend", "image frontend"], 370, 390),
            ("rollout app", &["release app"], 390, 481),
        ];
        assert_eq!(told(cold), "cluster 36.9s, then release app 2.0s, then rollout app 9.1s; images built meanwhile");
        let slow_build: &[Row] = &[
            ("cluster", &[], 0, 369),
            ("image backend", &["cluster"], 78, 240),
            ("image frontend", &["cluster"], 78, 580),
            ("release app", &["cluster", "image backend", "image frontend"], 580, 600),
            ("rollout app", &["release app"], 600, 700),
        ];
        assert_eq!(
            told(slow_build),
            "cluster 7.8s, then image frontend 50.2s, then release app 2.0s, then rollout app 10.0s; image backend built meanwhile"
        );
        assert_eq!(told(&[("image backend", &[], 0, 10), ("endpoints", &["image backend"], 10, 10)]), "image backend 1.0s");
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(told(&[("rollout a", &["rollout b"], 0, 10), ("rollout b", &["rollout a"], 0, 20)]), "rollout b 2.0s");
    }
}
