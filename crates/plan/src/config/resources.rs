//! How large the cluster becomes: what xtask.toml asks for, against what the machine has and the layout needs.

use super::cluster::{Amount, Cluster, MIN_CPUS, MIN_DISK, MIN_MEMORY};
use super::layout::Layout;
use crate::catalogue::codes::{TOO_FEW_CPUS, TOO_LITTLE_DISK, TOO_LITTLE_MEMORY};
use crate::finding::{Class, Finding};
use crate::units::{binary_size, written_size};

/// What `auto` takes where the machine has it: the plans' numbers.
const WANTED_CPUS: u32 = 4;
const WANTED_MEMORY: u64 = 8 << 30;
const WANTED_DISK: u64 = 20 << 30;
const MIB: u64 = 1 << 20;

/// What minikube can use: this machine, or the VM that Docker Desktop runs in. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// CPUs.
    pub cpus: u32,
    /// All memory, used or not; `None` where that is not known.
    pub memory: Option<u64>,
    /// Free disk where the driver keeps its volumes; `None` where that is not known.
    pub free_disk: Option<u64>,
}

/// What a layout needs at least. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// CPUs.
    pub cpus: u32,
    /// Memory.
    pub memory: u64,
}

impl From<&Layout> for Needs {
    fn from(layout: &Layout) -> Self {
        Self { cpus: layout.min_cpus, memory: layout.min_memory }
    }
}

/// What xtask.toml asks for. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `cluster.cpus`
    pub cpus: Amount<u32>,
    /// `cluster.memory`
    pub memory: Amount<u64>,
    /// `cluster.disk`
    pub disk: Amount<u64>,
}

impl From<&Cluster> for Asked {
    fn from(cluster: &Cluster) -> Self {
        Self { cpus: cluster.cpus, memory: cluster.memory, disk: cluster.disk }
    }
}

/// The size for `minikube start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// For `--cpus`.
    pub cpus: u32,
    /// Bytes for `--memory`, whole MiB.
    pub memory: u64,
    /// Bytes for `--disk-size`, whole MiB.
    pub disk: u64,
    /// What there is to say: `auto` took less than it wants to, or leaves the machine little. A lowercase fragment.
    pub said: Option<String>,
}

impl Size {
    /// For `--memory=…mb`, which minikube counts in MiB.
    pub const fn memory_mib(&self) -> u64 {
        self.memory / MIB
    }

    /// For `--disk-size=…mb`, which minikube counts in MiB.
    pub const fn disk_mib(&self) -> u64 {
        self.disk / MIB
    }
}

impl std::fmt::Display for Size {
    /// `4 CPUs, 8 GiB`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}, {}", self.cpus, plural(self.cpus), binary_size(self.memory))
    }
}

/// Decides the size of a new cluster, before minikube is called.
///
/// `auto` takes 4 CPUs, 8 GiB of memory and 20 GiB of disk where the machine has them and less where not, but never more than
/// three quarters of the memory unless the layout needs it, and never less than the layout and minikube need. A fixed number
/// is taken as it is, or refused.
///
/// # Errors
/// A finding for each of CPUs, memory and disk that the machine lacks.
pub fn cluster_size(asked: &Asked, machine: &Machine, needs: &Needs) -> Result<Size, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut said = Vec::new();
    let cpus = cpus(asked.cpus, machine.cpus, needs.cpus.max(MIN_CPUS), &mut said).map_err(|f| findings.push(*f)).ok();
    let memory =
        memory(asked.memory, machine.memory, needs.memory.max(MIN_MEMORY), &mut said).map_err(|f| findings.push(*f)).ok();
    let disk = disk(asked.disk, machine.free_disk, &mut said).map_err(|f| findings.push(*f)).ok();
    match (cpus, memory, disk) {
        (Some(cpus), Some(memory), Some(disk)) => {
            Ok(Size { cpus, memory, disk, said: (!said.is_empty()).then(|| said.join("; ")) })
        }
        _ => Err(findings),
    }
}

fn cpus(asked: Amount<u32>, has: u32, needs: u32, said: &mut Vec<String>) -> Result<u32, Box<Finding>> {
    let too_few = |cause: String| {
        Finding::error(TOO_FEW_CPUS, Class::Prerequisite, "cluster.cpus", cause)
            .evidence("machine", format!("{has} {}", plural(has)))
    };
    match asked {
        Amount::Fixed(cpus) if cpus > has => {
            let finding = too_few(format!("xtask.toml asks for {cpus} {}, this machine has {has}", plural(cpus)));
            refused(if has >= needs {
                finding.advice(format!("set `cluster.cpus = {has}` or `\"auto\"` in xtask.toml"))
            } else {
                finding.advice(format!("use a machine with {needs} CPUs, or give Docker Desktop more"))
            })
        }
        Amount::Fixed(cpus) if cpus < needs => refused(
            too_few(format!("the layout needs {needs} {}, xtask.toml asks for {cpus}", plural(needs)))
                .advice(format!("set `cluster.cpus = {needs}` or `\"auto\"` in xtask.toml")),
        ),
        Amount::Fixed(cpus) => Ok(cpus),
        Amount::Auto if has < needs => refused(
            too_few(format!("the cluster needs {needs} {}, this machine has {has}", plural(needs)))
                .advice(format!("use a machine with {needs} CPUs, or give Docker Desktop more")),
        ),
        Amount::Auto => {
            let cpus = WANTED_CPUS.max(needs).min(has);
            if cpus < WANTED_CPUS {
                said.push(format!("{cpus} {} instead of {WANTED_CPUS}: this machine has {has}", plural(cpus)));
            }
            Ok(cpus)
        }
    }
}

fn memory(asked: Amount<u64>, has: Option<u64>, needs: u64, said: &mut Vec<String>) -> Result<u64, Box<Finding>> {
    let needs = needs.div_ceil(MIB) * MIB;
    if has.is_none() && asked == Amount::Auto {
        let least = binary_size(needs);
        said.push(format!("{least} of memory, the least: how much this machine has is not known; `cluster.memory` sets more"));
        return Ok(needs);
    }
    // A fixed number on an unknown machine is for minikube to judge.
    let has = has.unwrap_or(u64::MAX);
    let too_little = |cause: String| {
        Finding::error(TOO_LITTLE_MEMORY, Class::Prerequisite, "cluster.memory", cause).evidence("machine", binary_size(has))
    };
    match asked {
        Amount::Fixed(bytes) if bytes > has => {
            let cause = format!("xtask.toml asks for {} of memory, this machine has {}", binary_size(bytes), binary_size(has));
            let finding = too_little(cause);
            refused(if has >= needs {
                let most = share(has).max(needs);
                finding.advice(format!("set `cluster.memory = \"{}\"` or `\"auto\"` in xtask.toml", written_size(most)))
            } else {
                finding.advice(format!("use a machine with {}, or give Docker Desktop more", binary_size(needs)))
            })
        }
        Amount::Fixed(bytes) if bytes < needs => {
            let cause = format!("the layout needs {} of memory, xtask.toml asks for {}", binary_size(needs), binary_size(bytes));
            refused(
                too_little(cause)
                    .advice(format!("set `cluster.memory = \"{}\"` or `\"auto\"` in xtask.toml", written_size(needs))),
            )
        }
        Amount::Fixed(bytes) => Ok(bytes / MIB * MIB),
        Amount::Auto if has < needs => {
            let cause = format!("the cluster needs {} of memory, this machine has {}", binary_size(needs), binary_size(has));
            refused(too_little(cause).advice(format!("use a machine with {}, or give Docker Desktop more", binary_size(needs))))
        }
        Amount::Auto => {
            let bytes = WANTED_MEMORY.min(share(has)).max(needs);
            if bytes < WANTED_MEMORY {
                let less = format!(
                    "{} of memory instead of {}: this machine has {}",
                    binary_size(bytes),
                    binary_size(WANTED_MEMORY),
                    binary_size(has)
                );
                said.push(less);
            }
            Ok(bytes)
        }
    }
}

/// Three quarters in whole MiB: the rest is for the machine itself, its browser and its editor.
fn share(has: u64) -> u64 {
    has / 4 * 3 / MIB * MIB
}

/// Where the free disk is not known, it is taken to be enough: minikube's drivers fill it little by little.
fn disk(asked: Amount<u64>, free: Option<u64>, said: &mut Vec<String>) -> Result<u64, Box<Finding>> {
    let free = free.unwrap_or(u64::MAX);
    let too_little = |cause: String| {
        Finding::error(TOO_LITTLE_DISK, Class::Prerequisite, "cluster.disk", cause)
            .evidence("machine", format!("{} free", binary_size(free)))
            .remedy("see what docker could give back", "docker system df")
    };
    match asked {
        Amount::Fixed(bytes) if bytes > free => {
            let cause = format!("xtask.toml asks for {} of disk, {} are free", binary_size(bytes), binary_size(free));
            let finding = too_little(cause);
            refused(if free >= MIN_DISK { finding.advice("or set `cluster.disk = \"auto\"` in xtask.toml") } else { finding })
        }
        Amount::Fixed(bytes) => Ok(bytes / MIB * MIB),
        Amount::Auto if free < MIN_DISK => {
            refused(too_little(format!("the cluster needs {} of disk, {} are free", binary_size(MIN_DISK), binary_size(free))))
        }
        Amount::Auto => {
            let bytes = WANTED_DISK.min(free / MIB * MIB);
            if bytes < WANTED_DISK {
                said.push(format!("{} of disk instead of {}: no more is free", binary_size(bytes), binary_size(WANTED_DISK)));
            }
            Ok(bytes)
        }
    }
}

/// Boxed: a finding is large, and is rare.
fn refused<T>(finding: Finding) -> Result<T, Box<Finding>> {
    Err(Box::new(finding))
}

const fn plural(n: u32) -> &'static str {
    if n == 1 { "CPU" } else { "CPUs" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;
    const AUTO: Asked = Asked { cpus: Amount::Auto, memory: Amount::Auto, disk: Amount::Auto };
    const LAYOUT: Needs = Needs { cpus: 2, memory: 3 * GIB };

    fn machine(cpus: u32, memory: u64) -> Machine {
        Machine { cpus, memory: Some(memory), free_disk: Some(100 * GIB) }
    }

    #[test]
    fn auto_takes_what_the_plans_ask_for_where_it_is_there_and_says_where_not() {
        for (machine, cpus, memory, said) in [
            (machine(8, 32 * GIB), 4, 8 * GIB, None),
            (machine(4, 16 * GIB), 4, 8 * GIB, None),
            (machine(2, 16 * GIB), 2, 8 * GIB, Some("2 CPUs instead of 4: this machine has 2")),
            (machine(8, 8 * GIB), 4, 6 * GIB, Some("6 GiB of memory instead of 8 GiB: this machine has 8 GiB")),
            (
                machine(3, 7_900_000_000),
                3,
                5650 * MIB,
                Some("3 CPUs instead of 4: this machine has 3; 5.5 GiB of memory instead of 8 GiB: this machine has 7.4 GiB"),
            ),
            // The layout's need goes before the machine's quarter.
            (machine(4, 7 * GIB / 2), 4, 3 * GIB, Some("3 GiB of memory instead of 8 GiB: this machine has 3.5 GiB")),
        ] {
            let size = cluster_size(&AUTO, &machine, &LAYOUT).unwrap();
            assert_eq!((size.cpus, size.memory, size.said.as_deref()), (cpus, memory, said), "{machine:?}");
        }
    }

    #[test]
    fn auto_takes_more_than_the_plans_where_the_layout_needs_it() {
        let size = cluster_size(&AUTO, &machine(16, 64 * GIB), &Needs { cpus: 6, memory: 12 * GIB }).unwrap();
        assert_eq!((size.cpus, size.memory, size.said), (6, 12 * GIB, None));
    }

    #[test]
    fn what_the_machine_lacks_is_refused_with_what_would_do() {
        let fixed = Asked { cpus: Amount::Fixed(6), memory: Amount::Fixed(12 * GIB), disk: Amount::Fixed(20 * GIB) };
        for (name, asked, machine) in [
            ("fixed, too small a machine", fixed, Machine { cpus: 4, memory: Some(8 * GIB), free_disk: Some(5 * GIB) }),
            ("auto, under the least", AUTO, Machine { free_disk: Some(2 * GIB), ..machine(1, GIB) }),
            (
                "fixed, under what the layout needs",
                Asked { cpus: Amount::Fixed(2), memory: Amount::Fixed(2 * GIB), disk: Amount::Auto },
                machine(8, 16 * GIB),
            ),
        ] {
            let needs = if name.contains("layout") { Needs { cpus: 3, memory: 3 * GIB } } else { LAYOUT };
            let findings = cluster_size(&asked, &machine, &needs).unwrap_err();
            let shown: Vec<String> = findings
                .iter()
                .map(|f| {
                    let remedies: Vec<&str> = f.remedies.iter().map(|r| r.command.as_deref().unwrap_or(&r.text)).collect();
                    format!("{}: {}\n  {}", f.code, f.cause, remedies.join("\n  "))
                })
                .collect();
            insta::assert_snapshot!(name.replace([',', ' '], "_"), shown.join("\n"));
        }
    }

    #[test]
    fn unknown_memory_means_the_least_and_that_is_said() {
        let unknown = Machine { memory: None, ..machine(4, 0) };
        let size = cluster_size(&AUTO, &unknown, &LAYOUT).unwrap();
        assert_eq!(size.memory, 3 * GIB);
        assert!(size.said.unwrap().starts_with("3 GiB of memory, the least"));
        let fixed = Asked { memory: Amount::Fixed(12 * GIB), ..AUTO };
        assert_eq!(cluster_size(&fixed, &unknown, &LAYOUT).unwrap().memory, 12 * GIB);
    }

    #[test]
    fn an_unknown_disk_is_not_refused() {
        let machine = Machine { free_disk: None, ..machine(4, 16 * GIB) };
        assert_eq!(cluster_size(&AUTO, &machine, &LAYOUT).unwrap().disk, 20 * GIB);
    }

    #[test]
    fn a_size_is_shown_and_given_to_minikube_in_mib() {
        let machine = Machine { free_disk: Some(12 * GIB), ..machine(4, 16 * GIB) };
        let size = cluster_size(&AUTO, &machine, &LAYOUT).unwrap();
        assert_eq!((size.to_string().as_str(), size.memory_mib(), size.disk_mib()), ("4 CPUs, 8 GiB", 8192, 12_288));
        assert_eq!(size.said.as_deref(), Some("12 GiB of disk instead of 20 GiB: no more is free"));
    }

    proptest! {
        #[test]
        fn a_size_is_never_under_the_need_nor_over_the_machine(
            cpus in 0_u32..64, memory in 0_u64..64 << 30, need_cpus in 0_u32..8, need_memory in 0_u64..16 << 30,
            fixed_cpus in proptest::option::of(1_u32..64), fixed_memory in proptest::option::of(1_u64..64 << 30),
        ) {
            let asked = Asked {
                cpus: fixed_cpus.map_or(Amount::Auto, Amount::Fixed),
                memory: fixed_memory.map_or(Amount::Auto, Amount::Fixed),
                disk: Amount::Auto,
            };
            if let Ok(size) = cluster_size(&asked, &machine(cpus, memory), &Needs { cpus: need_cpus, memory: need_memory }) {
                prop_assert!(size.cpus >= need_cpus.max(MIN_CPUS) && size.cpus <= cpus);
                prop_assert!(size.memory >= need_memory.max(MIN_MEMORY) && size.memory < memory + MIB && size.memory % MIB == 0);
            }
        }
    }
}
