//! Who gets what: each service the keys that it lists, secrets and plain values apart.

use std::collections::BTreeMap;

use super::{Resolved, Source};
use crate::config::{Config, Release};
use crate::invocation::Secret;

/// What one service, or one release, gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// For the Secret.
    pub secret: BTreeMap<String, Secret>,
    /// For the `ConfigMap`.
    pub plain: BTreeMap<String, String>,
}

impl Resolved {
    /// Gives a key its value that was generated, or read back from where it was kept. Other sources stay as they are.
    pub fn supply(&mut self, key: &str, value: Secret) {
        if let Some(entry) = self.keys.get_mut(key)
            && matches!(entry.source, Source::Generate | Source::Database)
        {
            entry.value = Some(value);
        }
    }

    /// The keys that still have to be generated.
    pub fn to_generate(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|(_, e)| e.source == Source::Generate && e.value.is_none()).map(|(key, _)| key.as_str())
    }

    /// Whether the development database is used: no environment file names another.
    pub fn uses_development_database(&self) -> bool {
        self.keys.values().any(|entry| entry.source == Source::Database)
    }

    /// What a service gets that lists `keys`; a key without a value is left out.
    pub fn share<'k>(&self, keys: impl IntoIterator<Item = &'k String>) -> Share {
        let mut share = Share::default();
        for key in keys {
            let Some(entry) = self.keys.get(key) else { continue };
            let Some(value) = &entry.value else { continue };
            if entry.secret {
                share.secret.insert(key.clone(), value.clone());
            } else {
                share.plain.insert(key.clone(), value.reveal().to_owned());
            }
        }
        share
    }

    /// What the services of a release get together.
    pub fn share_of(&self, config: &Config, release: &Release) -> Share {
        let services = release.services.keys().filter_map(|name| config.services.get(name));
        self.share(services.flat_map(|service| &service.keys))
    }

    /// `6 keys from .env, 1 generated, 4 optional keys absent`; `file` is the environment file.
    pub fn summary(&self, file: &str) -> String {
        let count = |wanted: fn(&Source) -> bool| self.keys.values().filter(|entry| wanted(&entry.source)).count();
        let keys = |n: usize| format!("{n} {}", if n == 1 { "key" } else { "keys" });
        let optional = |n: usize| format!("{n} optional {}", if n == 1 { "key" } else { "keys" });
        let mut parts = vec![format!("{} from {file}", keys(count(|source| matches!(source, Source::File(_)))))];
        for (n, text) in [
            (count(|source| *source == Source::Generate), "generated"),
            (count(|source| *source == Source::Database), "of the development database"),
        ] {
            if n > 0 {
                parts.push(format!("{n} {text}"));
            }
        }
        let absent = count(|source| *source == Source::Absent);
        if absent > 0 {
            parts.push(format!("{} absent", optional(absent)));
        }
        parts.join(", ")
    }
}
