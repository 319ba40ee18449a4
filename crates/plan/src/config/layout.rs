//! `[layouts.NAME]`: how the services are laid out in releases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::cluster::{MIN_CPUS, MIN_MEMORY};
use super::database::Database;
use super::names;
use super::public::{ACCESS, Public, check_host};
use super::read::Item;
use super::service::{REPLICAS, Service};
use super::table::Table;
use crate::units::{SIZE_HINT, parse_size};

pub(super) const KEYS: &[&str] = &["min_cpus", "min_memory", "replicas", "access", "releases"];
pub(super) const RELEASE_KEYS: &[&str] = &["name", "chart", "values", "services", "keys", "set", "secret", "after"];
pub(super) const SERVICE_KEYS: &[&str] = &["at", "component", "replicas", "keys"];

/// `[layouts.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Its name.
    pub name: String,
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// CPUs that it needs at least.
    pub min_cpus: u32,
    /// Bytes of memory that it needs at least.
    pub min_memory: u64,
    /// How the public service is reached in this layout.
    pub public: Public,
    /// Its releases, in the order of the file; at least one.
    pub releases: Vec<Release>,
}

impl Layout {
    /// The release that runs `service`, and how.
    pub fn of_service(&self, service: &str) -> Option<(&Release, &ServiceMapping)> {
        self.releases.iter().find_map(|release| release.services.get(service).map(|mapping| (release, mapping)))
    }
}

/// `[[layouts.NAME.releases]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// The chart: a directory with a Chart.yaml.
    pub chart: PathBuf,
    /// Values files in the order of helm: later ones win.
    pub values: Vec<PathBuf>,
    /// The services that it runs, by name; at least one.
    pub services: BTreeMap<String, ServiceMapping>,
    /// Other value paths of the chart for what concerns the release as a whole; an empty path: don't set.
    /// Names: [`Release::SETTINGS`].
    pub keys: BTreeMap<String, String>,
    /// Values that win over all others: a map.
    pub set: Value,
    /// The Secret that the tool makes for it.
    pub secret: String,
    /// The releases that have to be ready before.
    pub after: Vec<String>,
}

impl Release {
    /// What concerns a release as a whole and can be given another value path.
    pub const SETTINGS: [&str; 6] =
        ["existing_secret", "public_origin", "config", "ingress_enabled", "ingress_host", "ingress_class"];
}

/// `services.NAME` of a release: where the chart takes that service's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceMapping {
    /// What follows the setting's name in a value path: `.backend`, or nothing.
    pub at: String,
    /// The chart's name for the service: the label `app.kubernetes.io/component` and the container's name.
    pub component: String,
    /// Other value paths of the chart; an empty path: don't set. Names: [`ServiceMapping::SETTINGS`].
    pub keys: BTreeMap<String, String>,
    /// How many pods, where the file says so: here, for the layout, or for the service.
    pub replicas: Option<u32>,
}

impl ServiceMapping {
    /// What concerns one service and can be given another value path.
    pub const SETTINGS: [&str; 15] = [
        "image_repository",
        "image_tag",
        "image_pull_policy",
        "port",
        "startup_path",
        "liveness_path",
        "readiness_path",
        "secret_keys",
        "pod_annotations",
        "replicas",
        "pod_security",
        "read_only_root",
        "run_as_user",
        "service_type",
        "node_port",
    ];
}

/// What a layout is read against.
pub(super) struct Known<'k> {
    pub(super) services: &'k BTreeMap<String, Service>,
    pub(super) public: &'k Public,
    pub(super) database: Option<&'k Database>,
}

impl Layout {
    pub(super) fn read(name: &Item<String>, table: &Table<'_, '_>, known: &Known<'_>) -> Self {
        let reader = table.reader;
        if !names::is_label(&name.value) {
            reader.wrong(name, format!("`{}` is not a layout name", name.value), names::LABEL_HINT);
        }
        let mut public = known.public.clone();
        if let Some(access) = table.choice("access", &ACCESS) {
            check_host(table, access.value, public.host.is_some(), access.at, &access.key);
            public.access = access.value;
        }
        let replicas = table.number("replicas", REPLICAS).map(|item| item.value);
        let mut releases = Vec::new();
        let tables = table.tables("releases", RELEASE_KEYS);
        for one in &tables {
            releases.push(Release::read(one, known, replicas, tables.len() == 1));
        }
        if tables.is_empty() {
            let instead = format!("add `[[{}]]` with its `chart`", table.key("releases"));
            reader.missing(table.at(), &table.key("releases"), "a layout has at least one release", instead);
        }
        let layout = Self {
            name: name.value.clone(),
            line: table.line(),
            min_cpus: table.number("min_cpus", 1..=1024).map_or(MIN_CPUS, |item| item.value),
            min_memory: table.parsed("min_memory", parse_size, "not a size", SIZE_HINT).map_or(MIN_MEMORY, |item| item.value),
            public,
            releases,
        };
        layout.check(table, &tables, known);
        layout
    }

    /// What holds between the releases of a layout.
    fn check(&self, table: &Table<'_, '_>, tables: &[Table<'_, '_>], known: &Known<'_>) {
        let reader = table.reader;
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let mut secrets: BTreeSet<&str> = BTreeSet::new();
        if let Some(database) = known.database {
            names.insert(&database.release);
            secrets.insert(&database.secret);
        }
        let mut home: BTreeMap<&str, &str> = BTreeMap::new();
        for (release, table) in self.releases.iter().zip(tables) {
            let taken = !names.insert(&release.name);
            if taken && !release.name.is_empty() {
                let what = format!("there is another release `{}`", release.name);
                reader.error(table.place("name"), &table.key("name"), what, "give each release a name of its own");
            }
            // A Secret that is named after the release has the release's problem.
            let named_after = taken && table.get("secret").is_none();
            if !secrets.insert(&release.secret) && !named_after {
                let what = format!("another release has the Secret `{}`", release.secret);
                reader.error(table.place("secret"), &table.key("secret"), what, "give each release a Secret of its own");
            }
            for service in release.services.keys() {
                if let Some(other) = home.insert(service, &release.name) {
                    let what = format!("release `{other}` runs `{service}` already");
                    reader.error(table.place("services"), &table.key("services"), what, "name it in one release of a layout");
                }
            }
            for item in table.texts("after").unwrap_or_default() {
                reader.reference(&item, "release", self.releases.iter().map(|release| release.name.as_str()));
            }
        }
        if let Some(circle) = self.circle() {
            let what = format!("these releases wait for each other: {}", circle.join(", "));
            reader.error(table.place("releases"), &table.key("releases"), what, "remove one `after`");
        }
        if self.releases.is_empty() {
            return;
        }
        let public = &self.public.service;
        for service in known.services.keys().filter(|name| !home.contains_key(name.as_str())) {
            let key = table.key("releases");
            if service == public {
                let what = format!("no release runs `{service}`, which is the public service");
                reader.missing(table.at(), &key, what, "name it in the `services` of a release");
            } else {
                let what = format!("no release runs service `{service}` in this layout");
                reader.warn(table.at(), &key, what, "name it in the `services` of a release");
            }
        }
    }

    /// Releases that wait for each other, if there are any.
    fn circle(&self) -> Option<Vec<&str>> {
        let mut left: Vec<&Release> = self.releases.iter().collect();
        loop {
            let names: Vec<&str> = left.iter().map(|release| release.name.as_str()).collect();
            let before = left.len();
            left.retain(|release| release.after.iter().any(|name| names.contains(&name.as_str())));
            if left.is_empty() {
                return None;
            }
            if left.len() == before {
                return Some(names);
            }
        }
    }
}

impl Release {
    fn read(table: &Table<'_, '_>, known: &Known<'_>, replicas: Option<u32>, only: bool) -> Self {
        let reader = table.reader;
        let chart = table.text("chart");
        if table.get("chart").is_none() {
            let what = "missing";
            reader.missing(table.at(), &table.key("chart"), what, "write the directory of a chart, relative to this file");
        }
        let path = chart.as_ref().map(|item| reader.chart(item)).unwrap_or_default();
        let default = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = table.text_or("name", &default);
        // Where there is no such chart, its name was named already.
        let from_chart = chart.is_some() && reader.is_dir(&path);
        if !names::is_release(&name.value) && (table.get("name").is_some() || from_chart) {
            let what = format!("`{}` is not a release name", name.value);
            reader.wrong(&name, what, format!("set `name`: {}", names::LABEL_HINT.trim_start_matches("write ")));
        }
        let secret = table.text_or("secret", &format!("{}-secrets", name.value));
        if table.get("secret").is_some() && !names::is_label(&secret.value) {
            reader.wrong(&secret, format!("`{}` is not a Secret name", secret.value), names::LABEL_HINT);
        }
        Self {
            name: name.value,
            line: table.line(),
            chart: path,
            values: table.texts("values").unwrap_or_default().iter().map(|item| reader.existing_file(item)).collect(),
            services: services(table, known, replicas, only),
            keys: value_paths(&table.table("keys", &Self::SETTINGS)),
            set: set(table, known),
            secret: secret.value,
            after: table.texts("after").unwrap_or_default().into_iter().map(|item| item.value).collect(),
        }
    }
}

/// `services` of a release: a list of names, or a table. All of them where the layout has one release.
fn services(table: &Table<'_, '_>, known: &Known<'_>, replicas: Option<u32>, only: bool) -> BTreeMap<String, ServiceMapping> {
    use toml::de::DeValue;
    let reader = table.reader;
    let empty = || table.absent("", SERVICE_KEYS);
    let mut found: Vec<(Item<String>, Table<'_, '_>)> = Vec::new();
    match table.get("services") {
        None if only => {
            let all = known.services.keys();
            found.extend(all.map(|name| (Item { value: name.clone(), key: table.key("services"), at: table.at() }, empty())));
        }
        None => {
            let instead = "write the services that it runs, such as `services = [\"backend\"]`";
            reader.missing(table.at(), &table.key("services"), "missing", instead);
        }
        Some(value) if matches!(value.get_ref(), DeValue::Array(_)) => {
            found.extend(table.texts("services").unwrap_or_default().into_iter().map(|item| (item, empty())));
        }
        Some(_) => {
            for (name, value) in table.table("services", &[]).entries() {
                if let Some(one) = reader.as_table(&name.key, value, SERVICE_KEYS) {
                    found.push((name, one));
                }
            }
        }
    }
    let several = found.len() > 1;
    let mut services = BTreeMap::new();
    for (name, one) in found {
        if !reader.reference(&name, "service", known.services.keys().map(String::as_str)) {
            continue;
        }
        let mut mapping = ServiceMapping::read(&name.value, &one, several);
        let own = known.services.get(&name.value).and_then(|service| service.replicas);
        mapping.replicas = mapping.replicas.or(replicas).or(own);
        services.insert(name.value, mapping);
    }
    services
}

impl ServiceMapping {
    fn read(service: &str, table: &Table<'_, '_>, several: bool) -> Self {
        let reader = table.reader;
        let at = table.text_or("at", &if several { format!(".{service}") } else { String::new() });
        if !at.value.is_empty() && !at.value.strip_prefix('.').is_some_and(names::is_value_path) {
            let what = format!("`{}` is not the end of a value path", at.value);
            reader.wrong(&at, what, "write a dot and a name, such as `.backend`, or nothing");
        }
        let component = match at.value.rsplit('.').next() {
            Some(last) if !last.is_empty() => last,
            _ => service,
        };
        let component = table.text_or("component", component);
        if table.get("component").is_some() && !names::is_label(&component.value) {
            reader.wrong(&component, format!("`{}` is not a label value", component.value), names::LABEL_HINT);
        }
        Self {
            at: at.value,
            component: component.value,
            keys: value_paths(&table.table("keys", &Self::SETTINGS)),
            replicas: table.number("replicas", REPLICAS).map(|item| item.value),
        }
    }
}

/// A table from settings to value paths.
fn value_paths(table: &Table<'_, '_>) -> BTreeMap<String, String> {
    let mut paths = BTreeMap::new();
    for (name, value) in table.entries() {
        let Some(path) = table.reader.as_text(&name.key, value) else { continue };
        if !path.value.is_empty() && !names::is_value_path(&path.value) {
            let instead = "write a path such as `image.tag`, or nothing to leave it unset";
            table.reader.wrong(&path, format!("`{}` is not a value path", path.value), instead);
        }
        paths.insert(name.value, path.value);
    }
    paths
}

/// `set`: free values, with a look at what can't be meant.
fn set(table: &Table<'_, '_>, known: &Known<'_>) -> Value {
    let reader = table.reader;
    let set = table.table("set", &[]);
    let mut values = serde_json::Map::new();
    for (name, value) in set.entries() {
        if name.value == "secrets" {
            let what = "secrets in values stay readable in xtask.toml and in the release's history";
            reader.wrong(&name, what, "write them to .env and list them in the `keys` of the services");
        }
        let json = reader.as_json(&name.key, value);
        if has_node_port(&json, known.public.node_port) {
            let what = format!("node port {} is that of the public service", known.public.node_port);
            reader.wrong(&name, what, "choose another, or change `public.node_port`");
        }
        values.insert(name.value, json);
    }
    Value::Object(values)
}

/// Whether a map in `value` has `nodePort: port`.
fn has_node_port(value: &Value, port: u16) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| (key == "nodePort" && *value == port) || has_node_port(value, port)),
        Value::Array(list) => list.iter().any(|value| has_node_port(value, port)),
        _ => false,
    }
}
