//! A table of the document: its entries by name, typed, each problem told to the reader.

use toml::de::{DeTable, DeValue};

use super::read::{Item, Reader, Value};
use crate::problem::nearest;

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
