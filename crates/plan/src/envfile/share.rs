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
}
