//! The rules of xtask.toml, applied to an environment file.

use std::collections::BTreeMap;

use super::placeholder::is_placeholder;
use super::read::presentable;
use super::{Entry, EnvFile, Resolved, Source};
use crate::config::check::{is_local, postgres};
use crate::config::{Check, Config, Database, EnvironmentRules, KeyRule, Required};
use crate::finding::Severity;
use crate::invocation::Secret;
use crate::problem::{Problem, nearest};

/// Resolves every key of the config's rules. `text` is the environment file, `example` the example that it was made from,
/// whose values are placeholders; each `None` where there is no such file.
///
/// # Errors
/// Every problem of the file at once, in the order of its lines, warnings among them. None holds a value.
pub fn resolve(config: &Config, text: Option<&str>, example: Option<&str>) -> Result<Resolved, Vec<Problem>> {
    let rules = &config.environment;
    let file = text.map_or_else(|| EnvFile::absent(&rules.file_name), |text| EnvFile::parse(text, &rules.file_name));
    let example = example.map(|text| EnvFile::parse(text, &rules.example_name));
    let mut work = Work {
        rules,
        database: config.database.as_ref(),
        file: &file,
        example: example.as_ref(),
        problems: file.problems.clone(),
        keys: BTreeMap::new(),
    };
    work.unknown_keys();
    for rule in rules.keys.values() {
        work.look(rule);
    }
    for rule in rules.keys.values() {
        work.fill(rule);
    }
    work.required();
    work.groups();
    let mut problems = work.problems;
    problems.sort_by_key(|problem| problem.line);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    Ok(Resolved { keys: work.keys, warnings: problems })
}

struct Work<'a> {
    rules: &'a EnvironmentRules,
    database: Option<&'a Database>,
    file: &'a EnvFile,
    example: Option<&'a EnvFile>,
    problems: Vec<Problem>,
    keys: BTreeMap<String, Entry>,
}

impl Work<'_> {
    fn error(&mut self, line: usize, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.problems.push(Problem::error(&self.file.file, line, key, what, instead));
    }

    fn warn(&mut self, line: usize, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.problems.push(Problem::warning(&self.file.file, line, key, what, instead));
    }

    fn unknown_keys(&mut self) {
        for one in &self.file.assignments {
            if self.rules.keys.contains_key(&one.key) {
                continue;
            }
            let instead = nearest(&one.key, self.rules.keys.keys().map(String::as_str)).map_or_else(
                || "list it in the `keys` of a service in xtask.toml, or remove it".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.warn(one.line, presentable(&one.key), "no service gets this key", instead);
        }
    }

    /// What the file itself says.
    fn look(&mut self, rule: &KeyRule) {
        let mut entry = Entry { secret: rule.secret, value: None, source: Source::Absent };
        if let Some(one) = self.file.get(&rule.key) {
            let value = one.value.reveal();
            if rule.secret && is_placeholder(&rule.key, value, self.example) {
                let instead = if rule.required == Required::Always {
                    "write the real value".to_owned()
                } else {
                    "write the real value, or remove the line".to_owned()
                };
                self.error(one.line, &rule.key, "this is still the placeholder of the example", instead);
            } else if let Some(Err(instead)) = rule.check.as_ref().map(|check| check.test(value)) {
                self.error(one.line, &rule.key, form(rule.check.as_ref()), instead);
            } else if rule.check == Some(Check::PostgresUrl)
                && let Ok(host) = postgres(value)
                && is_local(host)
            {
                let what = format!("`{host}` inside the cluster is the pod itself, not this machine");
                self.warn(one.line, &rule.key, what, "write `host.minikube.internal` as the host");
            }
            if value.contains("${") {
                let what = "nothing is expanded in this file: the `${` stays as it is";
                self.warn(one.line, &rule.key, what, "write the whole value out");
            }
            entry = Entry { value: Some(one.value.clone()), source: Source::File(one.line), ..entry };
        }
        self.keys.insert(rule.key.clone(), entry);
    }

    /// Where the file says nothing.
    fn fill(&mut self, rule: &KeyRule) {
        if self.source(&rule.key) != Some(&Source::Absent) {
            return;
        }
        let present: Vec<&String> = rule.infer.keys().filter(|key| matches!(self.source(key), Some(Source::File(_)))).collect();
        let known = |value: &str| Some(Secret::new(value));
        let (value, source) = match present[..] {
            [key] => (known(&rule.infer[key]), Source::Inferred(key.clone())),
            [] if rule.default.is_some() => (rule.default.as_deref().and_then(known), Source::Default),
            [] if rule.generate => (None, Source::Generate),
            [] if self.database.is_some_and(|database| database.key == rule.key) => (None, Source::Database),
            [] => (None, Source::Absent),
            [first, ..] => {
                let names: Vec<String> = present.iter().map(|key| format!("`{key}`")).collect();
                let values: Vec<String> = present.iter().map(|key| format!("`{}={}`", rule.key, rule.infer[*key])).collect();
                let what = format!("it has to be said which of {} is used", names.join(" and "));
                let line = self.file.line_of(&rule.key).or(self.file.line_of(first)).unwrap_or(1);
                self.error(line, &rule.key, what, format!("write {}", values.join(" or ")));
                return;
            }
        };
        let secret = rule.secret;
        self.keys.insert(rule.key.clone(), Entry { secret, value, source });
    }

    fn source(&self, key: &str) -> Option<&Source> {
        self.keys.get(key).map(|entry| &entry.source)
    }

    fn required(&mut self) {
        let rules = self.rules;
        for rule in rules.keys.values() {
            // What could not be read is not missing.
            let unread = self.file.problems.iter().any(|problem| problem.key == rule.key);
            if unread || self.source(&rule.key) != Some(&Source::Absent) {
                continue;
            }
            let (why, near) = match &rule.required {
                Required::Never => continue,
                Required::Always => ("missing".to_owned(), None),
                Required::When { key, value } => {
                    let other = self.keys.get(key);
                    if other.and_then(|entry| entry.value.as_ref()).map(Secret::reveal) != Some(value) {
                        continue;
                    }
                    // Only the value that the rule itself names is repeated.
                    (format!("missing, and `{key}` is `{value}`"), self.file.line_of(key))
                }
            };
            let value = rule.check.as_ref().map_or_else(|| "the value".to_owned(), Check::describe);
            let instead = match (self.file.exists, self.file.line_of(&rule.key)) {
                (true, Some(_)) => format!("write {value} after `{}=`", rule.key),
                (true, None) => format!("add the line `{}=` with {value}", rule.key),
                (false, _) => format!("make the file from {} and write {value}", self.rules.example_name),
            };
            let line = self.file.line_of(&rule.key).or(near).unwrap_or(1);
            self.error(line, &rule.key, why, instead);
        }
    }

    fn groups(&mut self) {
        let mut groups: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
        for rule in self.rules.keys.values() {
            let Some(group) = &rule.group else { continue };
            let (set, unset) = groups.entry(group).or_default();
            if matches!(self.source(&rule.key), Some(Source::File(_))) { set.push(&rule.key) } else { unset.push(&rule.key) }
        }
        for (group, (set, unset)) in groups {
            let Some(first) = set.first().filter(|_| !unset.is_empty()) else { continue };
            let line = self.file.line_of(first).unwrap_or(1);
            let what = format!(
                "the keys of {group} go together, and {} missing: {}",
                if unset.len() == 1 { "one is" } else { "some are" },
                unset.join(", ")
            );
            self.error(line, first, what, "set all of them, or none");
        }
    }
}

/// What is wrong with a value that did not pass; never the value.
fn form(check: Option<&Check>) -> &'static str {
    match check {
        Some(Check::PostgresUrl) => "this is not the URL of a PostgreSQL database",
        Some(Check::Url) => "this is not a URL",
        Some(Check::MinLength(_)) => "this is too short",
        Some(Check::Prefix(_)) => "this does not begin as it should",
        Some(Check::OneOf(_)) | None => "this value is not known",
    }
}
