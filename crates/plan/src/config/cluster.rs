//! `[cluster]` and `[tools]`: the minikube profile and the versions of the tools.

use super::names;
use super::read::Item;
use super::table::Table;
use crate::units::{binary_size, parse_size, written_size};
use crate::version::{Version, VersionRange};

pub(super) const KEYS: &[&str] = &["profile", "driver", "runtime", "cpus", "memory", "disk", "kubernetes", "start_args"];
pub(super) const TOOL_KEYS: &[&str] = &["minikube", "kubernetes", "helm", "docker"];

/// The least that minikube itself takes (`constants.MinimumCPUS`, `RSRC_INSUFFICIENT_CORES`).
pub const MIN_CPUS: u32 = 2;
/// The least that minikube itself takes: 1800 MiB (`RSRC_INSUFFICIENT_REQ_MEMORY`).
pub const MIN_MEMORY: u64 = 1800 << 20;
/// The least that Kubernetes' own images, two of an application and their layers fit into.
pub const MIN_DISK: u64 = 8 << 30;

/// The flags of `minikube start` that the tool sets itself, with the key of xtask.toml that decides each (`""`: none does).
pub const OWN_FLAGS: [(&str, &str); 13] = [
    ("--profile", "cluster.profile"),
    ("-p", "cluster.profile"),
    ("--driver", "cluster.driver"),
    ("--vm-driver", "cluster.driver"),
    ("--container-runtime", "cluster.runtime"),
    ("--cpus", "cluster.cpus"),
    ("--memory", "cluster.memory"),
    ("--disk-size", "cluster.disk"),
    ("--kubernetes-version", "cluster.kubernetes"),
    ("--output", ""),
    ("-o", ""),
    ("--keep-context", ""),
    ("--interactive", ""),
];

/// `"auto"`, or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount<T> {
    /// As much as is good on this machine: see `config::resources`.
    Auto,
    /// So much and no less.
    Fixed(T),
}

/// What runs the containers in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// Docker, by cri-dockerd: images are built right where they run.
    #[default]
    Docker,
    /// containerd.
    Containerd,
}

impl Runtime {
    /// As `minikube start --container-runtime` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
        }
    }
}

impl std::fmt::Display for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `[cluster]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The minikube profile: also the name of the kubeconfig's context.
    pub profile: String,
    /// minikube's driver; `None` is `auto`: minikube chooses.
    pub driver: Option<String>,
    /// What runs the containers.
    pub runtime: Runtime,
    /// CPUs of the cluster.
    pub cpus: Amount<u32>,
    /// Bytes of memory of the cluster.
    pub memory: Amount<u64>,
    /// Bytes of disk of the cluster.
    pub disk: Amount<u64>,
    /// The Kubernetes version; `None` is `default`: the one that minikube brings.
    pub kubernetes: Option<Version>,
    /// Further arguments of `minikube start`.
    pub start_args: Vec<String>,
}

/// `[tools]`: which versions will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// minikube
    pub minikube: VersionRange,
    /// The cluster's Kubernetes.
    pub kubernetes: VersionRange,
    /// helm
    pub helm: VersionRange,
    /// docker (the client, and the daemon in the cluster)
    pub docker: VersionRange,
}

impl Cluster {
    pub(super) fn read(table: &Table<'_, '_>, tools: &Tools) -> Self {
        let reader = table.reader;
        let profile = table.text_or("profile", "minikube");
        if !names::is_profile(&profile.value) {
            let what = format!("`{}` is not a profile name", profile.value);
            reader.wrong(&profile, what, "write letters, digits and `-`, at least two, beginning with a letter or digit");
        }
        let driver = table.parsed(
            "driver",
            |text| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).then(|| text.to_owned()),
            "not a driver name",
            "write `auto`, or a driver of minikube such as `docker`",
        );
        let kubernetes = table.text("kubernetes").filter(|item| item.value != "default").and_then(|item| {
            let complete = |text: &str| text.parse::<Version>().ok().filter(|version| version.patch.is_some());
            reader.parsed(
                &item,
                complete,
                "not a full version of Kubernetes",
                "write all three numbers, such as `1.36.2`, or `default`",
            )
        });
        if let Some(version) = &kubernetes
            && !tools.kubernetes.contains(&version.value)
        {
            let what = format!("`{}` is not in the range of `tools.kubernetes` ({})", version.value, tools.kubernetes);
            reader.wrong(version, what, "change one of the two");
        }
        let start_args = table.texts("start_args").unwrap_or_default();
        for arg in &start_args {
            check_start_arg(table, arg);
        }
        Self {
            profile: profile.value,
            driver: driver.map(|item| item.value).filter(|driver| driver != "auto"),
            runtime: table
                .choice("runtime", &[("docker", Runtime::Docker), ("containerd", Runtime::Containerd)])
                .map_or_else(Runtime::default, |item| item.value),
            cpus: cpus(table),
            memory: bytes(table, "memory", "8GiB", MIN_MEMORY),
            disk: bytes(table, "disk", "20GiB", MIN_DISK),
            kubernetes: kubernetes.map(|item| item.value),
            start_args: start_args.into_iter().map(|item| item.value).collect(),
        }
    }
}

fn cpus(table: &Table<'_, '_>) -> Amount<u32> {
    if is_auto(table, "cpus") {
        return Amount::Auto;
    }
    table.number("cpus", MIN_CPUS..=1024).map_or(Amount::Auto, |item| Amount::Fixed(item.value))
}

fn bytes(table: &Table<'_, '_>, name: &str, example: &str, least: u64) -> Amount<u64> {
    if is_auto(table, name) {
        return Amount::Auto;
    }
    let hint = format!("write a number and a unit, such as `{example}`, or `auto`");
    let Some(item) = table.parsed(name, parse_size, "not a size", &hint) else { return Amount::Auto };
    if item.value < least {
        let what = format!("{} is too little for a cluster", binary_size(item.value));
        table.reader.wrong(&item, what, format!("write at least `{}`", written_size(least)));
    }
    Amount::Fixed(item.value)
}

fn is_auto(table: &Table<'_, '_>, name: &str) -> bool {
    use toml::de::DeValue;
    matches!(table.get(name).map(toml::Spanned::get_ref), Some(DeValue::String(text)) if text == "auto")
}

fn check_start_arg(table: &Table<'_, '_>, arg: &Item<String>) {
    let flag = arg.value.split('=').next().unwrap_or_default();
    // `-p2` is `-p 2`.
    let short = flag.starts_with('-') && !flag.starts_with("--");
    let own = OWN_FLAGS.iter().find(|(own, _)| flag == *own || (short && own.len() == 2 && flag.starts_with(own)));
    if let Some((own, key)) = own {
        let instead = if key.is_empty() { "leave it out".to_owned() } else { format!("set `{key}` instead") };
        table.reader.wrong(arg, format!("the tool sets `{own}` itself"), instead);
    } else if arg.value.is_empty() {
        table.reader.wrong(arg, "an empty argument", "leave it out");
    }
}

impl Tools {
    pub(super) fn read(table: &Table<'_, '_>) -> Self {
        let range = |name, default: VersionRange| {
            let range =
                table.parsed(name, |text| text.parse().ok(), "not a range of versions", "write bounds such as `>=3.12, <5`");
            range.map_or(default, |item| item.value)
        };
        Self {
            minikube: range("minikube", VersionRange::at_least(1, 32)),
            kubernetes: range("kubernetes", VersionRange::at_least(1, 28)),
            helm: range("helm", VersionRange::between((3, 12), (5, 0))),
            docker: range("docker", VersionRange::at_least(24, 0)),
        }
    }
}
