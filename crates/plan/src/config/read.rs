//! The document: what its values are, where they stand, and every problem with them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Files;
use super::table::Table;
use crate::problem::{Lines, Problem, nearest};

/// What all readers share: the text, the file system, and the problems so far.
pub(super) struct Reader<'a> {
    /// How messages name the file.
    file: String,
    text: &'a str,
    lines: Lines,
    dir: PathBuf,
    files: &'a dyn Files,
    /// The text is no TOML: what seems to be missing may stand in what could not be read.
    broken: bool,
    problems: RefCell<Vec<Problem>>,
}

/// A value with its key and its place.
#[derive(Clone, Debug)]
pub(super) struct Item<T> {
    pub(super) value: T,
    pub(super) key: String,
    pub(super) at: usize,
}

impl<T> Item<T> {
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Item<U> {
        Item { value: f(self.value), key: self.key, at: self.at }
    }
}

pub(super) type Value<'a> = Spanned<DeValue<'a>>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, path: &Path, files: &'a dyn Files) -> Self {
        let dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
        // An absolute path is the machine's business: messages name the file as people do.
        let shown = if path.has_root() { path.file_name().map_or(path, Path::new) } else { path };
        Self {
            file: shown.display().to_string(),
            text,
            lines: Lines::new(text),
            dir,
            files,
            broken: false,
            problems: RefCell::default(),
        }
    }

    /// The document, as far as it could be read.
    pub(super) fn document(&mut self) -> Spanned<DeTable<'a>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        self.broken = !errors.is_empty();
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let what = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            let instead = if what.contains("duplicate key") { "remove one of the two lines" } else { "" };
            self.error(at, "", format!("not TOML: {what}"), instead);
        }
        document
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.line(at)
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Where a line begins.
    pub(super) fn offset(&self, line: usize) -> usize {
        self.lines.start(line)
    }

    pub(super) fn error(&self, at: usize, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        let problem = Problem::error(&self.file, self.line(at), key, what, instead);
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn wrong<T>(&self, item: &Item<T>, what: impl Into<String>, instead: impl Into<String>) {
        self.error(item.at, &item.key, what, instead);
    }

    /// Something that is not there. Not said of a broken text, where it may only be unreadable.
    pub(super) fn missing(&self, at: usize, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        if !self.broken {
            self.error(at, key, what, instead);
        }
    }

    pub(super) fn warn(&self, at: usize, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        let problem = Problem::warning(&self.file, self.line(at), key, what, instead);
        self.problems.borrow_mut().push(problem);
    }

    /// Every problem, in the order of the lines, each once.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        // Stable: on one line they stay in the order in which they were found.
        problems.sort_by_key(|problem| problem.line);
        let mut seen = BTreeSet::new();
        problems.retain(|problem| seen.insert(problem.clone()));
        problems
    }

    /// A directory that has to exist, joined to the config's own.
    pub(super) fn dir(&self, item: &Item<String>) -> PathBuf {
        self.existing(item, "directory", |path| self.files.is_dir(path))
    }

    /// A file that has to exist, joined to the config's own directory.
    pub(super) fn existing_file(&self, item: &Item<String>) -> PathBuf {
        self.existing(item, "file", |path| self.files.is_file(path))
    }

    /// A chart: a directory that holds a Chart.yaml.
    pub(super) fn chart(&self, item: &Item<String>) -> PathBuf {
        let path = self.path(&item.value);
        if self.files.is_dir(&path) && !self.files.is_file(&path.join("Chart.yaml")) {
            self.wrong(item, format!("`{}` has no Chart.yaml", item.value), "name the directory of a chart");
            return path;
        }
        self.existing(item, "chart", |path| self.files.is_dir(path))
    }

    /// A path that may be missing.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.dir.join(text)
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.files.is_dir(path)
    }

    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.files.is_file(path)
    }

    fn existing(&self, item: &Item<String>, kind: &str, there: impl Fn(&Path) -> bool) -> PathBuf {
        let path = self.path(&item.value);
        if item.value.is_empty() {
            self.wrong(item, format!("no {kind} is named"), "write a path relative to this file");
        } else if !there(&path) {
            let what = format!("there is no {kind} `{}`", item.value);
            self.wrong(
                item,
                what,
                self.beside(&path, &item.value).unwrap_or_else(|| "write a path relative to this file".into()),
            );
        }
        path
    }

    /// The neighbour that was probably meant.
    pub(super) fn beside(&self, path: &Path, written: &str) -> Option<String> {
        let name = path.file_name()?.to_str()?;
        let names = self.files.names(path.parent()?);
        let meant = nearest(name, names.iter().map(String::as_str)).filter(|meant| *meant != name)?;
        let parent = written.trim_end_matches('/').strip_suffix(name)?;
        Some(format!("did you mean `{parent}{meant}`?"))
    }

    /// The source of a value, shortened: what a person sees in the file.
    pub(super) fn shown(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        if line.chars().count() > 30 || line.len() < text.len() {
            format!("`{}…`", line.chars().take(30).collect::<String>())
        } else {
            format!("`{line}`")
        }
    }

    pub(super) fn wrong_type(&self, key: &str, value: &Value<'_>, wanted: &str, instead: &str) {
        let kind = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let shown = self.shown(&value.span());
        self.error(value.span().start, key, format!("{shown} is {kind}, not {wanted}"), instead);
    }

    pub(super) fn as_text(&self, key: &str, value: &Value<'a>) -> Option<Item<String>> {
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(key, value, "text", "write it in quotes");
            return None;
        };
        Some(Item { value: text.to_string(), key: key.to_owned(), at: value.span().start })
    }

    pub(super) fn as_texts(&self, key: &str, value: &Value<'a>) -> Option<Vec<Item<String>>> {
        let DeValue::Array(list) = value.get_ref() else {
            self.wrong_type(key, value, "a list", "write a list of texts, such as `[\"one\", \"two\"]`");
            return None;
        };
        Some(list.iter().filter_map(|value| self.as_text(key, value)).collect())
    }

    pub(super) fn as_table<'r>(
        &'r self,
        key: &str,
        value: &'r Value<'a>,
        known: &'static [&'static str],
    ) -> Option<Table<'r, 'a>> {
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(key, value, "a table", format!("make it a table: `[{key}]`").as_str());
            return None;
        };
        Some(Table::new(self, key, value.span().start, table, known))
    }

    /// The same value as JSON, for chart values.
    pub(super) fn as_json(&self, key: &str, value: &Value<'_>) -> serde_json::Value {
        use serde_json::Value as Json;
        let odd = |what: &str| {
            self.error(value.span().start, key, format!("{} {what}", self.shown(&value.span())), "write it in quotes");
            Json::Null
        };
        match value.get_ref() {
            DeValue::String(text) => Json::String(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.into(),
                Err(_) => odd("is too large a number"),
            },
            DeValue::Float(number) => number
                .as_str()
                .parse::<f64>()
                .ok()
                .and_then(serde_json::Number::from_f64)
                .map_or_else(|| odd("is not a number that a chart can take"), Json::Number),
            DeValue::Boolean(value) => Json::Bool(*value),
            DeValue::Datetime(date) => Json::String(date.to_string()),
            DeValue::Array(list) => list.iter().map(|value| self.as_json(key, value)).collect(),
            DeValue::Table(table) => {
                table.iter().map(|(name, value)| (name.get_ref().to_string(), self.as_json(key, value))).collect()
            }
        }
    }
}

impl Reader<'_> {
    /// What `parse` makes of a text; `what` completes "`…` is ".
    pub(super) fn parsed<T>(
        &self,
        item: &Item<String>,
        parse: impl Fn(&str) -> Option<T>,
        what: &str,
        instead: &str,
    ) -> Option<Item<T>> {
        let value = parse(&item.value);
        if value.is_none() {
            self.wrong(item, format!("`{}` is {what}", item.value), instead);
        }
        Some(Item { value: value?, key: item.key.clone(), at: item.at })
    }

    /// A reference to one of `names`; says what is there where it is none.
    pub(super) fn reference<'n>(&self, item: &Item<String>, kind: &str, names: impl Iterator<Item = &'n str> + Clone) -> bool {
        if names.clone().any(|name| name == item.value) {
            return true;
        }
        let instead = match nearest(&item.value, names.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => match names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => format!("there is no {kind} at all"),
                some => format!("there are: {some}"),
            },
        };
        self.missing(item.at, &item.key, format!("there is no {kind} `{}`", item.value), instead);
        false
    }
}
