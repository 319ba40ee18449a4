//! A TOML document as tables that remember where they stand and collect every problem.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Files;
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

type Value<'a> = Spanned<DeValue<'a>>;

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
    fn shown(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        if line.chars().count() > 30 || line.len() < text.len() {
            format!("`{}…`", line.chars().take(30).collect::<String>())
        } else {
            format!("`{line}`")
        }
    }

    fn wrong_type(&self, key: &str, value: &Value<'_>, wanted: &str, instead: &str) {
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

/// The hint for a text, where something else stands.
fn in_quotes(instead: &str) -> String {
    format!("{instead}, in quotes")
}

/// A table of the document, or the lack of one.
pub(super) struct Table<'r, 'a> {
    pub(super) reader: &'r Reader<'a>,
    path: String,
    at: usize,
    entries: Option<&'r DeTable<'a>>,
    known: &'static [&'static str],
}

impl<'r, 'a> Table<'r, 'a> {
    /// Reports the keys that are not `known`, where the names are fixed.
    pub(super) fn new(
        reader: &'r Reader<'a>,
        path: &str,
        at: usize,
        table: &'r DeTable<'a>,
        known: &'static [&'static str],
    ) -> Self {
        let this = Self { reader, path: path.to_owned(), at, entries: Some(table), known };
        if known.is_empty() {
            return this;
        }
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref().as_ref();
            let elsewhere = || super::KEYS.iter().find(|(_, keys)| keys.contains(&name)).map(|(table, _)| *table);
            let instead = match (nearest(name, known.iter().copied()), elsewhere()) {
                (Some(meant), _) => format!("did you mean `{meant}`?"),
                (None, Some("")) => "it belongs to the top of the file".to_owned(),
                (None, Some(table)) => format!("it belongs to `[{table}]`"),
                (None, None) => format!("known here: {}", known.join(", ")),
            };
            reader.error(key.span().start, &this.key(name), "there is no such key", instead);
        }
        this
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn line(&self) -> usize {
        self.reader.line(self.at)
    }

    /// Whether the file has it.
    pub(super) fn is_there(&self) -> bool {
        self.entries.is_some()
    }

    /// The full path of a key in it.
    pub(super) fn key(&self, name: &str) -> String {
        let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let name = if bare { name.to_owned() } else { format!("{name:?}") };
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'r Value<'a>> {
        debug_assert!(self.known.is_empty() || self.known.contains(&name), "{name} is not in the list of keys");
        self.entries?.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }

    /// All entries, in the order of the file: name, its place, value.
    pub(super) fn entries(&self) -> Vec<(Item<String>, &'r Value<'a>)> {
        let mut entries: Vec<_> = self.entries.into_iter().flatten().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                (Item { key: self.key(&name), value: name, at: key.span().start }, value)
            })
            .collect()
    }

    /// A table in this one; without entries where the file has none.
    pub(super) fn table(&self, name: &str, known: &'static [&'static str]) -> Table<'r, 'a> {
        let there = self.get(name).and_then(|value| self.reader.as_table(&self.key(name), value, known));
        there.unwrap_or_else(|| self.absent(name, known))
    }

    /// A table that the file does not have, in place of this one's entry `name`.
    pub(super) fn absent(&self, name: &str, known: &'static [&'static str]) -> Table<'r, 'a> {
        let path = if name.is_empty() { self.path.clone() } else { self.key(name) };
        Table { reader: self.reader, path, at: self.at, entries: None, known }
    }

    /// `[[name]]`, in the order of the file.
    pub(super) fn tables(&self, name: &str, known: &'static [&'static str]) -> Vec<Table<'r, 'a>> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let key = self.key(name);
        let DeValue::Array(list) = value.get_ref() else {
            self.reader.wrong_type(&key, value, "a list of tables", &format!("begin each with `[[{key}]]`"));
            return Vec::new();
        };
        list.iter().filter_map(|value| self.reader.as_table(&key, value, known)).collect()
    }

    /// Where the value of `name` stands, or the table without it.
    pub(super) fn place(&self, name: &str) -> usize {
        self.get(name).map_or(self.at, |value| value.span().start)
    }

    pub(super) fn text(&self, name: &str) -> Option<Item<String>> {
        self.reader.as_text(&self.key(name), self.get(name)?)
    }

    /// A text, or what stands for it where there is none: then placed where the table begins.
    pub(super) fn text_or(&self, name: &str, default: &str) -> Item<String> {
        self.text(name).unwrap_or_else(|| Item { value: default.to_owned(), key: self.key(name), at: self.at })
    }

    pub(super) fn texts(&self, name: &str) -> Option<Vec<Item<String>>> {
        self.reader.as_texts(&self.key(name), self.get(name)?)
    }

    pub(super) fn flag(&self, name: &str) -> Option<Item<bool>> {
        let value = self.get(name)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.reader.wrong_type(&self.key(name), value, "true or false", "write `true` or `false`");
            return None;
        };
        Some(Item { value: *flag, key: self.key(name), at: value.span().start })
    }

    /// A whole number in `range`.
    pub(super) fn number(&self, name: &str, range: std::ops::RangeInclusive<u32>) -> Option<Item<u32>> {
        let value = self.get(name)?;
        let key = self.key(name);
        let hint = || format!("write a number from {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = value.get_ref() else {
            self.reader.wrong_type(&key, value, "a whole number", &hint());
            return None;
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if range.contains(&number) => Some(Item { value: number, key, at: value.span().start }),
            _ => {
                let shown = self.reader.shown(&value.span());
                self.reader.error(value.span().start, &key, format!("{shown} is out of range"), hint());
                None
            }
        }
    }

    /// A port.
    pub(super) fn port(&self, name: &str, range: std::ops::RangeInclusive<u16>) -> Option<Item<u16>> {
        let item = self.number(name, u32::from(*range.start())..=u32::from(*range.end()))?;
        Some(item.map(|port| u16::try_from(port).unwrap_or_default()))
    }

    /// A text that `parse` takes; `what` completes "`…` is ".
    pub(super) fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>, what: &str, instead: &str) -> Option<Item<T>> {
        let value = self.get(name)?;
        let key = self.key(name);
        let DeValue::String(text) = value.get_ref() else {
            self.reader.wrong_type(&key, value, "text", &in_quotes(instead));
            return None;
        };
        let item = Item { value: text.to_string(), key, at: value.span().start };
        self.reader.parsed(&item, parse, what, instead)
    }

    /// A text that is one of `choices`.
    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Option<Item<T>> {
        let item = self.text(name)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == item.value) {
            return Some(item.map(|_| *value));
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        let what = format!("`{}` is not known here", item.value);
        let instead = nearest(&item.value, choices.iter().map(|(name, _)| *name))
            .map_or_else(|| format!("write one of {}", names.join(", ")), |meant| format!("did you mean `{meant}`?"));
        self.reader.wrong(&item, what, instead);
        None
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
