//! xtask.toml: what is deployed, where to, and with what. The user's one file.
//!
//! Every key is described in `docs/configuration.md`; a test holds that page and [`KEYS`] together.

pub(crate) mod check;
mod cluster;
mod database;
mod deadlines;
mod environment;
mod layout;
pub(crate) mod names;
mod public;
mod read;
pub mod resources;
mod service;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

pub use cluster::{Amount, Cluster, MIN_CPUS, MIN_DISK, MIN_MEMORY, OWN_FLAGS, Runtime, Tools};
pub use database::Database;
pub use deadlines::Deadlines;
pub use environment::{Check, EnvironmentRules, GENERATED_LENGTH, KeyRule, Required};
pub use layout::{Layout, Release, ServiceMapping};
pub use public::{Access, Public};
pub use service::{Health, PodSecurity, Service};

use crate::finding::Severity;
use crate::problem::Problem;
use read::Reader;
use table::Table;

/// The version of the file's form that this tool reads.
pub const VERSION: u32 = 1;

const TOP_KEYS: &[&str] = &[
    "version",
    "name",
    "namespace",
    "layout",
    "cluster",
    "tools",
    "services",
    "public",
    "environment",
    "database",
    "layouts",
    "deadlines",
];

/// Every key of xtask.toml by its table; `NAME` and `KEY` stand for names that the user chooses.
pub const KEYS: &[(&str, &[&str])] = &[
    ("", TOP_KEYS),
    ("cluster", cluster::KEYS),
    ("tools", cluster::TOOL_KEYS),
    ("services.NAME", service::KEYS),
    ("services.NAME.health", service::HEALTH_KEYS),
    ("public", public::KEYS),
    ("environment", environment::KEYS),
    ("environment.keys.KEY", environment::RULE_KEYS),
    ("database", database::KEYS),
    ("layouts.NAME", layout::KEYS),
    ("layouts.NAME.releases", layout::RELEASE_KEYS),
    ("layouts.NAME.releases.services.NAME", layout::SERVICE_KEYS),
    ("layouts.NAME.releases.keys", &Release::SETTINGS),
    ("layouts.NAME.releases.services.NAME.keys", &ServiceMapping::SETTINGS),
    ("deadlines", deadlines::KEYS),
];

/// Whether the files that the config names are there. Paths are as the config resolved them: joined to its own directory.
pub trait Files {
    /// Whether there is a file at `path`.
    fn is_file(&self, path: &Path) -> bool;
    /// Whether there is a directory at `path`.
    fn is_dir(&self, path: &Path) -> bool;
    /// The names in the directory `path`, for "did you mean"; empty where it can't be read.
    fn names(&self, path: &Path) -> Vec<String>;
}

/// xtask.toml, complete: every default filled in, every reference checked, every path joined to the file's directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How messages name the file: `xtask.toml`, or the relative path that it was given by.
    pub file: String,
    /// The deployment's name: a DNS label, the value of the owner label.
    pub name: String,
    /// The namespace that everything goes to.
    pub namespace: String,
    /// The name of the layout that is deployed unless another is asked for; a key of `layouts`.
    pub layout: String,
    /// The cluster.
    pub cluster: Cluster,
    /// Which versions of the tools will do.
    pub tools: Tools,
    /// The services by name; at least one.
    pub services: BTreeMap<String, Service>,
    /// The service that a browser talks to, and how. A layout may say otherwise: see [`Layout::public`].
    pub public: Public,
    /// The environment file and what has to hold for its keys.
    pub environment: EnvironmentRules,
    /// The development database, where there is one.
    pub database: Option<Database>,
    /// The layouts by name; at least one.
    pub layouts: BTreeMap<String, Layout>,
    /// How long each kind of step may take.
    pub deadlines: Deadlines,
    /// What is odd and yet works.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads xtask.toml. `path` is where it lies: the paths that it names are joined to its directory.
    ///
    /// # Errors
    /// Every problem of the file at once, in the order of its lines, warnings among them.
    pub fn parse(text: &str, path: impl AsRef<Path>, files: &dyn Files) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(text, path.as_ref(), files);
        let document = reader.document();
        let mut config = Self::read(&Table::new(&reader, "", 0, document.get_ref(), TOP_KEYS));
        let problems = reader.into_problems();
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(problems);
        }
        config.warnings = problems;
        Ok(config)
    }

    /// What stands for a value with a problem is never used: the problem is reported instead.
    fn read(top: &Table<'_, '_>) -> Self {
        check_version(top);
        let name = label(top, "name", None);
        let (services, service_tables) = services(top, &name);
        let tools = Tools::read(&top.table("tools", cluster::TOOL_KEYS));
        let public = Public::read(&top.table("public", public::KEYS), &services);
        let database = Database::read(&top.table("database", database::KEYS));
        let tables: Vec<(&Service, &Table<'_, '_>)> =
            service_tables.iter().filter_map(|(name, table)| Some((services.get(name)?, table))).collect();
        let environment = EnvironmentRules::read(&top.table("environment", environment::KEYS), &tables, database.as_ref());
        let known = layout::Known { services: &services, public: &public, database: database.as_ref() };
        let layouts = layouts(top, &known);
        Self {
            file: top.reader.file().to_owned(),
            namespace: label(top, "namespace", Some(&name)),
            layout: chosen(top, &layouts),
            cluster: Cluster::read(&top.table("cluster", cluster::KEYS), &tools),
            tools,
            public,
            environment,
            database,
            layouts,
            deadlines: Deadlines::read(&top.table("deadlines", deadlines::KEYS)),
            warnings: Vec::new(),
            name,
            services,
        }
    }

    /// The layout of that name.
    pub fn layout(&self, name: &str) -> Option<&Layout> {
        self.layouts.get(name)
    }

    /// The Pod Security level that the namespace can enforce: the loosest of its services.
    pub fn pod_security(&self) -> PodSecurity {
        self.services.values().map(|service| service.pod_security).max().unwrap_or_default()
    }
}

fn check_version(top: &Table<'_, '_>) {
    if top.get("version").is_none() {
        top.reader.missing(0, "version", "missing", format!("begin the file with `version = {VERSION}`"));
    } else if let Some(version) = top.number("version", 0..=u32::MAX)
        && version.value != VERSION
    {
        let what = format!("`{}` is not a version that this xtask reads", version.value);
        top.reader.wrong(&version, what, format!("write `version = {VERSION}` and go by docs/configuration.md"));
    }
}

/// A DNS label, or the default; without one it has to be there.
fn label(top: &Table<'_, '_>, key: &str, default: Option<&str>) -> String {
    let hint = names::LABEL_HINT;
    match (top.text(key), default) {
        (Some(item), _) => {
            if !names::is_label(&item.value) {
                top.reader.wrong(&item, format!("`{}` is not a DNS label", item.value), hint);
            }
            item.value
        }
        (None, Some(default)) => default.to_owned(),
        (None, None) => {
            if top.get(key).is_none() {
                top.reader.missing(0, key, "missing", format!("write `{key} = \"todo-chatbot\"`, a name of your own"));
            }
            String::new()
        }
    }
}

/// The services, with the table of each.
fn services<'r, 'a>(top: &Table<'r, 'a>, deployment: &str) -> (BTreeMap<String, Service>, BTreeMap<String, Table<'r, 'a>>) {
    let reader = top.reader;
    let mut services = BTreeMap::new();
    let mut tables = BTreeMap::new();
    for (name, value) in top.table("services", &[]).entries() {
        if let Some(table) = reader.as_table(&name.key, value, service::KEYS) {
            services.insert(name.value.clone(), Service::read(&name, &table, deployment));
            tables.insert(name.value, table);
        }
    }
    if top.get("services").is_none() || (services.is_empty() && tables.is_empty() && top.table("services", &[]).is_there()) {
        reader.missing(0, "services", "there is no service", "add `[services.NAME]` with `context` and `port`");
    }
    let mut images: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, table) in &tables {
        for item in table.texts("needs").unwrap_or_default() {
            if item.value == *name {
                reader.wrong(&item, "a service does not need itself", "remove it");
            } else {
                reader.reference(&item, "service", services.keys().map(String::as_str));
            }
        }
        if let Some(service) = services.get(name)
            && let Some(other) = images.insert(&service.image, name)
        {
            let what = format!("service `{other}` has the image `{}` too", service.image);
            reader.error(table.place("image"), &table.key("image"), what, "give each service an image of its own");
        }
    }
    (services, tables)
}

fn layouts(top: &Table<'_, '_>, known: &layout::Known<'_>) -> BTreeMap<String, Layout> {
    let table = top.table("layouts", &[]);
    let mut layouts = BTreeMap::new();
    for (name, value) in table.entries() {
        if let Some(one) = top.reader.as_table(&name.key, value, layout::KEYS) {
            layouts.insert(name.value.clone(), Layout::read(&name, &one, known));
        }
    }
    if layouts.is_empty() && (top.get("layouts").is_none() || table.is_there()) {
        top.reader.missing(table.at(), "layouts", "there is no layout", "add `[[layouts.NAME.releases]]` with its `chart`");
    }
    layouts
}

/// The layout that is deployed by default: the one named, or the only one.
fn chosen(top: &Table<'_, '_>, layouts: &BTreeMap<String, Layout>) -> String {
    let names = || layouts.keys().map(String::as_str);
    if let Some(item) = top.text("layout") {
        top.reader.reference(&item, "layout", names());
        return item.value;
    }
    if layouts.len() > 1 && top.get("layout").is_none() {
        let all: Vec<&str> = names().collect();
        let instead = format!("write the one that is deployed by default: {}", all.join(", "));
        top.reader.missing(0, "layout", "there are several layouts", instead);
    }
    names().next().unwrap_or_default().to_owned()
}
