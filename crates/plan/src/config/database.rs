//! `[database]`: the development database, used while its key has no value in the environment file.

use std::path::PathBuf;

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
    /// The Secret with POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB.
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
    /// The port of PostgreSQL.
    pub const PORT: u16 = 5432;
}
