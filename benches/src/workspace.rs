//! What the benchmarks need of xtask.toml. Read apart from xtask: a benchmark must not depend on what it measures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The part of xtask.toml that a plain script would have written down too.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) namespace: String,
    pub(crate) layout: String,
    pub(crate) cluster: Cluster,
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) public: Public,
    layouts: BTreeMap<String, Layout>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) profile: String,
    #[serde(default)]
    pub(crate) start_args: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) context: PathBuf,
    pub(crate) image: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Public {
    pub(crate) node_port: u16,
}

#[derive(Clone, Debug, Deserialize)]
struct Layout {
    releases: Vec<Release>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) chart: PathBuf,
    services: Services,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Services {
    /// `["backend"]`: keys without a suffix.
    Names(Vec<String>),
    /// `{ backend = { at = ".backend" } }`.
    At(BTreeMap<String, At>),
}

#[derive(Clone, Debug, Deserialize)]
struct At {
    #[serde(default)]
    at: String,
}

impl Release {
    /// The values key of a service's image tag in this release.
    pub(crate) fn tag_key(&self, service: &str) -> Option<String> {
        let at = match &self.services {
            Services::Names(names) => names.iter().any(|name| name == service).then_some("")?,
            Services::At(map) => &map.get(service)?.at,
        };
        Some(format!("image{at}.tag"))
    }
}

impl Config {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()))?;
        toml::from_str(&text).with_context(|| format!("`{}` is not what the benchmarks expect", file.display()))
    }

    /// The releases of the default layout.
    pub(crate) fn releases(&self) -> Result<&[Release]> {
        let layout = self.layouts.get(&self.layout).with_context(|| format!("layout `{}` is not described", self.layout))?;
        Ok(&layout.releases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_layouts() {
        let text = r#"
            namespace = "todo"
            layout = "split"
            cluster.profile = "minikube"
            public = { service = "a", node_port = 30300 }
            services.a = { context = "x", image = "img" }
            [[layouts.split.releases]]
            name = "r"
            chart = "helm/r"
            services = ["a"]
            [[layouts.mono.releases]]
            name = "m"
            chart = "helm/m"
            services = { a = { at = ".a" }, b = {} }
        "#;
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(config.releases().unwrap()[0].tag_key("a").as_deref(), Some("image.tag"));
        let mono = &config.layouts["mono"].releases[0];
        assert_eq!(mono.tag_key("a").as_deref(), Some("image.a.tag"));
        assert_eq!(mono.tag_key("b").as_deref(), Some("image.tag"));
        assert_eq!(mono.tag_key("c"), None);
    }
}
