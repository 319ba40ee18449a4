//! `[database]`: the development database, used while its key has no value in the environment file.

use std::path::PathBuf;

use super::names;
use super::table::Table;
use crate::units::{SIZE_HINT, parse_size};

pub(super) const KEYS: &[&str] = &["key", "chart", "release", "secret", "image", "user", "name", "storage"];

/// `[database]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The line of xtask.toml where it begins.
    pub line: usize,
    /// The key of the environment that names the database: with a value, that database is used and none is deployed.
    pub key: String,
    /// The chart: a directory with a Chart.yaml.
    pub chart: PathBuf,
    /// Its release, which is its Service too.
    pub release: String,
    /// The Secret with `POSTGRES_USER`, `POSTGRES_PASSWORD` and `POSTGRES_DB`.
    pub secret: String,
    /// The image with its tag.
    pub image: String,
    /// The role that is made.
    pub user: String,
    /// The database that is made.
    pub name: String,
    /// Bytes of the volume.
    pub storage: u64,
}

impl Database {
    /// The port of `PostgreSQL`.
    pub const PORT: u16 = 5432;
}

impl Database {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        if !table.is_there() {
            return None;
        }
        let reader = table.reader;
        let checked = |name: &str, default: &str, form: fn(&str) -> bool, what: &str, instead: &str| {
            let item = table.text_or(name, default);
            reader.parsed(&item, |text| form(text).then(|| text.to_owned()), what, instead).map_or(item.value, |item| item.value)
        };
        let release = checked("release", "dev-postgres", names::is_release, "not a release name", names::LABEL_HINT);
        // Both go into a URL and into SQL as they stand.
        let plain = "write lowercase letters, digits and `_`";
        Some(Self {
            line: table.line(),
            key: checked("key", "DATABASE_URL", names::is_variable, "not a variable name", "write letters, digits and `_`"),
            chart: reader.chart(&table.text_or("chart", "helm/dev-postgres")),
            secret: checked("secret", &format!("{release}-secrets"), names::is_label, "not a Secret name", names::LABEL_HINT),
            release,
            image: checked(
                "image",
                "postgres:17-alpine",
                names::is_image,
                "not an image with a tag",
                "write it with its tag, such as `postgres:17-alpine`",
            ),
            user: checked("user", "app", is_role, "not a role name", plain),
            name: checked("name", "app", is_role, "not a database name", plain),
            storage: table.parsed("storage", parse_size, "not a size", SIZE_HINT).map_or(1 << 30, |item| item.value),
        })
    }
}

/// A name that `PostgreSQL` takes without quotes.
fn is_role(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !text.as_bytes()[0].is_ascii_digit()
}
