//! `[environment]`: the environment file and what has to hold for its keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::database::Database;
use super::names;
use super::read::Item;
use super::service::Service;
use super::table::Table;
use crate::problem::nearest;

pub(super) const KEYS: &[&str] = &["file", "example", "keys"];
pub(super) const RULE_KEYS: &[&str] = &["secret", "check", "required", "default", "infer", "generate", "group"];

/// What a value has to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `postgres-url`: `postgres://` or `postgresql://`, with host and database.
    PostgresUrl,
    /// `url`: `http://` or `https://` with a host.
    Url,
    /// `min-length:N` characters.
    MinLength(usize),
    /// `prefix:TEXT`.
    Prefix(String),
    /// `one-of:A,B`.
    OneOf(Vec<String>),
}

/// Whether a key has to have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// In every deployment.
    Always,
    /// Never: the application does without.
    Never,
    /// Where another key has this value: `when KEY=VALUE`.
    When {
        /// The other key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// `[environment.keys]`: one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// The key.
    pub key: String,
    /// The line of xtask.toml where it stands, or where a service lists it.
    pub line: usize,
    /// Whether its value is a secret: secrets go to the Secret, others to the `ConfigMap`.
    pub secret: bool,
    /// What a value has to look like.
    pub check: Option<Check>,
    /// Whether it has to have a value.
    pub required: Required,
    /// The value where the file has none. Never on a secret.
    pub default: Option<String>,
    /// Where the file has no value but exactly one of these other keys: the value for that key.
    pub infer: BTreeMap<String, String>,
    /// Whether a secret is made once for development where the file has none.
    pub generate: bool,
    /// The group that is set as a whole or not at all.
    pub group: Option<String>,
}

/// `[environment]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRules {
    /// The environment file; it may be missing.
    pub file: PathBuf,
    /// How messages name it: as xtask.toml does.
    pub file_name: String,
    /// The example that it is made from: its values are placeholders. It may be missing.
    pub example: PathBuf,
    /// How messages name it: as xtask.toml does.
    pub example_name: String,
    /// A rule for every key that has one or that a service lists.
    pub keys: BTreeMap<String, KeyRule>,
}

impl Check {
    /// As xtask.toml writes it; `None` where there is no such check.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, argument)| (name.trim(), Some(argument.trim())));
        match (name, argument) {
            ("postgres-url", None) => Some(Self::PostgresUrl),
            ("url", None) => Some(Self::Url),
            ("min-length", Some(number)) => number.parse().ok().filter(|n| (1..=4096).contains(n)).map(Self::MinLength),
            ("prefix", Some(prefix)) if !prefix.is_empty() => Some(Self::Prefix(prefix.to_owned())),
            ("one-of", Some(list)) => {
                let choices: Vec<String> = list.split(',').map(|choice| choice.trim().to_owned()).collect();
                (!choices.iter().any(String::is_empty)).then_some(Self::OneOf(choices))
            }
            _ => None,
        }
    }
}

const CHECK_HINT: &str = "write `postgres-url`, `url`, `min-length:N`, `prefix:TEXT` or `one-of:A,B`";

impl EnvironmentRules {
    pub(super) fn read(table: &Table<'_, '_>, services: &[(&Service, &Table<'_, '_>)], database: Option<&Database>) -> Self {
        let reader = table.reader;
        let path = |name: &str, default: &str| {
            let item = table.text_or(name, default);
            if item.value.is_empty() {
                reader.wrong(&item, "no file is named", format!("write `{default}`, or leave the key out"));
            }
            (reader.path(&item.value), item.value)
        };
        let mut rules = BTreeMap::new();
        for (name, value) in table.table("keys", &[]).entries() {
            let Some(rule) = reader.as_table(&name.key, value, RULE_KEYS) else { continue };
            if !names::is_variable(&name.value) {
                reader.wrong(&name, format!("`{}` is not a variable name", name.value), "write letters, digits and `_`");
            }
            let of_database = database.is_some_and(|database| database.key == name.value);
            rules.insert(name.value.clone(), KeyRule::read(&name, &rule, of_database));
        }
        check_references(table, &rules);
        let listed = |key: &str| services.iter().any(|(service, _)| service.keys.iter().any(|listed| listed == key));
        for rule in rules.values().filter(|rule| !listed(&rule.key)) {
            let at = reader.offset(rule.line);
            let key = format!("environment.keys.{}", rule.key);
            reader.warn(at, &key, "no service gets this key", "list it in the `keys` of a service, or remove it");
        }
        for (service, table) in services {
            for key in &service.keys {
                if !rules.contains_key(key) {
                    rules.insert(key.clone(), KeyRule::implied(key, table, database));
                }
            }
        }
        if let Some(database) = database
            && !listed(&database.key)
        {
            let what = format!("no service lists `{}`: the development database would have no user", database.key);
            reader.warn(reader.offset(database.line), "database.key", what, "list it in the `keys` of a service");
        }
        let (file, file_name) = path("file", ".env");
        let (example, example_name) = path("example", ".env.example");
        Self { file, file_name, example, example_name, keys: rules }
    }
}

impl KeyRule {
    fn read(name: &Item<String>, table: &Table<'_, '_>, of_database: bool) -> Self {
        let reader = table.reader;
        let secret = table.flag("secret").is_none_or(|item| item.value);
        let check = table.parsed("check", Check::parse, "not a check", CHECK_HINT).map(|item| item.value);
        let default = table.text("default");
        let generate = table.flag("generate");
        let group = table.text("group").map(|item| item.value);
        let mut infer = BTreeMap::new();
        for (other, value) in table.table("infer", &[]).entries() {
            if let Some(value) = reader.as_text(&other.key, value) {
                if secret {
                    reader.wrong(&value, "a secret has no value in xtask.toml", "set `secret = false`, or leave `infer` out");
                } else {
                    check_fixed(table, check.as_ref(), &value);
                }
                infer.insert(other.value, value.value);
            }
        }
        if let Some(default) = &default {
            if secret {
                // The value is not repeated: it may be a real one.
                let instead = "leave it out and write the value to .env, or set `secret = false`";
                reader.wrong(default, "a secret has no value in xtask.toml", instead);
            } else {
                check_fixed(table, check.as_ref(), default);
            }
        }
        let generate = generate.filter(|item| item.value);
        if let Some(generate) = &generate {
            match &check {
                _ if !secret => reader.wrong(generate, "only a secret is generated", "set `secret = true`, or leave it out"),
                Some(Check::MinLength(n)) if *n <= GENERATED_LENGTH => {}
                None => {}
                Some(_) => {
                    let what = "what is generated is random text, which this check refuses";
                    let instead = format!("use `min-length:N` up to {GENERATED_LENGTH}, or leave out `generate`");
                    reader.wrong(generate, what, instead);
                }
            }
        }
        let optional = default.is_some() || generate.is_some() || group.is_some() || of_database;
        let required =
            table.parsed("required", Required::parse, "not a condition", "write `always`, `never` or `when KEY=VALUE`");
        Self {
            key: name.value.clone(),
            line: reader.line(name.at),
            secret,
            check: check.or_else(|| (of_database && table.get("check").is_none()).then_some(Check::PostgresUrl)),
            required: required.map_or(if optional { Required::Never } else { Required::Always }, |item| item.value),
            default: default.map(|item| item.value),
            infer,
            generate: generate.is_some(),
            group,
        }
    }

    /// The rule of a key that a service lists and that has none: a secret that has to be there.
    fn implied(key: &str, service: &Table<'_, '_>, database: Option<&Database>) -> Self {
        let of_database = database.is_some_and(|database| database.key == key);
        Self {
            key: key.to_owned(),
            line: service.line(),
            secret: true,
            check: of_database.then_some(Check::PostgresUrl),
            required: if of_database { Required::Never } else { Required::Always },
            default: None,
            infer: BTreeMap::new(),
            generate: false,
            group: None,
        }
    }
}

/// How many characters a generated secret has.
pub const GENERATED_LENGTH: usize = 64;

impl Required {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "always" => Some(Self::Always),
            "never" => Some(Self::Never),
            _ => {
                let (key, value) = text.strip_prefix("when ")?.split_once('=')?;
                let (key, value) = (key.trim(), value.trim());
                (names::is_variable(key) && !value.is_empty())
                    .then(|| Self::When { key: key.to_owned(), value: value.to_owned() })
            }
        }
    }
}

/// A value that stands in xtask.toml has to pass its own check.
fn check_fixed(table: &Table<'_, '_>, check: Option<&Check>, value: &Item<String>) {
    if let Some(Err(instead)) = check.map(|check| check.test(&value.value)) {
        table.reader.wrong(value, format!("`{}` does not pass the check of this key", value.value), instead);
    }
}

/// The other keys that rules name.
fn check_references(table: &Table<'_, '_>, rules: &BTreeMap<String, KeyRule>) {
    let reader = table.reader;
    let keys = table.table("keys", &[]);
    for (name, value) in keys.entries() {
        let Some(rule) = rules.get(&name.value) else { continue };
        let toml::de::DeValue::Table(_) = value.get_ref() else { continue };
        let unknown = |what: &str, key: &str, at: usize| {
            let instead = nearest(key, rules.keys().map(String::as_str))
                .map_or_else(|| format!("add a rule `environment.keys.{key}`"), |meant| format!("did you mean `{meant}`?"));
            reader.missing(at, &format!("{}.{what}", name.key), format!("there is no rule for `{key}`"), instead);
        };
        let at = value.span().start;
        for key in rule.infer.keys().filter(|key| !rules.contains_key(*key)) {
            unknown("infer", key, at);
        }
        if let Required::When { key, value } = &rule.required {
            match rules.get(key).map(|other| &other.check) {
                None => unknown("required", key, at),
                Some(Some(Check::OneOf(choices))) if !choices.contains(value) => {
                    let what = format!("`{key}` can't be `{value}`");
                    reader.error(at, &format!("{}.required", name.key), what, format!("it is one of {}", choices.join(", ")));
                }
                Some(_) => {}
            }
        }
        if let Some(group) = &rule.group
            && rules.values().filter(|other| other.group.as_ref() == Some(group)).count() == 1
        {
            let what = format!("group `{group}` has this key only");
            reader.warn(at, &format!("{}.group", name.key), what, "give the other keys of the group the same name");
        }
    }
}
