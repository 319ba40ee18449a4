//! Whether the example tells the same story as the rules.

use super::EnvFile;
use crate::config::EnvironmentRules;
use crate::problem::Problem;

/// What the example lacks, has too much, or says twice. It may set a key or show it in a comment.
pub fn check_example(rules: &EnvironmentRules, example: &EnvFile) -> Vec<Problem> {
    let mut problems = example.problems.clone();
    let mut shown: Vec<_> = example.assignments.iter().chain(&example.commented).collect();
    shown.sort_by_key(|one| one.line);
    for (i, one) in shown.iter().enumerate() {
        if !rules.keys.contains_key(&one.key) {
            let instead = "remove it, or list it in the `keys` of a service";
            problems.push(Problem::warning(&example.file, one.line, &one.key, "no service gets this key", instead));
        }
        if let Some(first) = shown[..i].iter().find(|other| other.key == one.key) {
            let what = format!("it stands on line {} already", first.line);
            problems.push(Problem::warning(&example.file, one.line, &one.key, what, "remove one of the two lines"));
        }
    }
    for rule in rules.keys.values().filter(|rule| !shown.iter().any(|one| one.key == rule.key)) {
        let instead = format!("add a line `#{}=` with a comment above it", rule.key);
        problems.push(Problem::warning(&example.file, 1, &rule.key, "the example does not show this key", instead));
    }
    problems.sort_by_key(|problem| problem.line);
    problems
}
