//! The daemon itself: what it has and what its images take.

use std::time::Duration;

use calls::invocation::{Invocation, Tool};
use serde::Deserialize;

use super::Endpoint;
use crate::answer::{Parsed, Refusal, ToolError, json_lines, succeeded};
use crate::runner::{Output, Runner};

const DEADLINE: Duration = Duration::from_secs(60);

/// A daemon and its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// CPUs of its machine.
    pub cpus: u32,
    /// Memory of its machine (bytes).
    pub memory: u64,
    /// `Docker Desktop`, `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// Its version.
    pub server_version: String,
    /// Whether it runs without root: the node's ports are then not reachable.
    pub rootless: bool,
    /// `overlay2`, `overlayfs` (containerd's store).
    pub storage_driver: String,
}

impl Info {
    /// Whether containers run in Docker Desktop's machine: the node's address is then not reachable from the host.
    pub fn is_docker_desktop(&self) -> bool {
        self.operating_system == "Docker Desktop"
    }
}

/// `docker info --format json`
pub fn info_invocation(endpoint: &Endpoint) -> Invocation {
    endpoint
        .apply(Invocation::new(Tool::Docker, "ask the docker daemon what it has", DEADLINE))
        .args(["info", "--format", "json"])
}

/// The daemon. One that does not answer makes zeros on stdout and, depending on the version, exit code 1 or `ServerErrors`.
pub fn parse_info(output: &Output) -> Parsed<Info> {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "NCPU")]
        ncpu: u32,
        #[serde(rename = "MemTotal")]
        mem_total: u64,
        #[serde(rename = "OperatingSystem")]
        operating_system: String,
        #[serde(rename = "ServerVersion")]
        server_version: String,
        #[serde(rename = "Driver")]
        driver: String,
        #[serde(rename = "SecurityOptions")]
        security_options: Option<Vec<String>>,
        #[serde(rename = "ServerErrors")]
        server_errors: Option<Vec<String>>,
    }
    succeeded(output)?;
    let told: Told = serde_json::from_str(&output.stdout)?;
    if told.server_errors.is_some_and(|errors| !errors.is_empty()) {
        return Err(Refusal::Failed);
    }
    let rootless = told.security_options.unwrap_or_default().iter().any(|o| o.split(',').any(|part| part == "name=rootless"));
    Ok(Info {
        cpus: told.ncpu,
        memory: told.mem_total,
        operating_system: told.operating_system,
        server_version: told.server_version,
        rootless,
        storage_driver: told.driver,
    })
}

/// What the daemon has.
pub fn info(runner: &Runner, endpoint: &Endpoint) -> Result<Info, ToolError> {
    runner.ask(&info_invocation(endpoint), parse_info)
}

/// What a daemon keeps on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Images.
    pub images: UsageRow,
    /// Containers' own layers.
    pub containers: UsageRow,
    /// Volumes.
    pub volumes: UsageRow,
    /// Layers kept for later builds.
    pub build_cache: UsageRow,
}

/// One kind of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    /// How many.
    pub count: u64,
    /// How much (bytes, rounded by docker to four digits).
    pub size: u64,
    /// How much of it nothing uses (bytes).
    pub reclaimable: u64,
}

/// `docker system df --format json`
pub fn disk_usage_invocation(endpoint: &Endpoint) -> Invocation {
    let what = "ask the docker daemon what its images take";
    endpoint.apply(Invocation::new(Tool::Docker, what, DEADLINE)).args(["system", "df", "--format", "json"])
}

/// What is kept on disk, one row a kind.
pub fn parse_disk_usage(output: &Output) -> Parsed<Usage> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        r#type: String,
        total_count: String,
        size: String,
        reclaimable: String,
    }
    succeeded(output)?;
    let mut usage = Usage::default();
    let mut rows = 0;
    for row in json_lines::<Row>(&output.stdout)? {
        let unclear = |text: &str| Refusal::Unclear(format!("`{text}` is no size or count"));
        // `42.27MB (6%)`
        let reclaimable = row.reclaimable.split(' ').next().unwrap_or_default();
        let read = UsageRow {
            count: row.total_count.parse().map_err(|_| unclear(&row.total_count))?,
            size: parse_size(&row.size).ok_or_else(|| unclear(&row.size))?,
            reclaimable: parse_size(reclaimable).ok_or_else(|| unclear(&row.reclaimable))?,
        };
        match row.r#type.as_str() {
            "Images" => usage.images = read,
            "Containers" => usage.containers = read,
            "Local Volumes" => usage.volumes = read,
            "Build Cache" => usage.build_cache = read,
            // A kind that a later docker adds takes nothing from the others.
            _ => continue,
        }
        rows += 1;
    }
    if rows == 0 { Err(Refusal::Unclear("no row of `docker system df`".to_owned())) } else { Ok(usage) }
}

/// What is kept on disk.
pub fn disk_usage(runner: &Runner, endpoint: &Endpoint) -> Result<Usage, ToolError> {
    runner.ask(&disk_usage_invocation(endpoint), parse_disk_usage)
}

/// docker's sizes for people (`0B`, `1.98MB`, `42.27kB`; powers of 1000) or plain bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = ["", "k", "m", "g", "t", "p"].iter().position(|u| unit.to_ascii_lowercase().trim_end_matches('b') == *u)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = 1000_u64.checked_pow(u32::try_from(power).ok()?)?;
    let mut bytes = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut place = scale;
    for digit in fraction.chars() {
        place /= 10;
        bytes = bytes.checked_add(u64::from(digit.to_digit(10)?) * place)?;
    }
    Some(bytes)
}
