//! How large the cluster becomes: what xtask.toml asks for, against what the machine has and the layout needs.

use super::cluster::{Amount, MIN_CPUS, MIN_MEMORY};
use crate::finding::{Class, Finding};
use crate::units::{binary_size, quantity};

/// This machine has too few CPUs.
pub const TOO_FEW_CPUS: &str = "XT107";
/// This machine has too little memory.
pub const TOO_LITTLE_MEMORY: &str = "XT108";
/// This machine has too little free disk.
pub const TOO_LITTLE_DISK: &str = "XT109";

/// What `auto` takes where the machine has it: the plans' numbers.
const WANTED_CPUS: u32 = 4;
const WANTED_MEMORY: u64 = 8 << 30;
const MIB: u64 = 1 << 20;

/// What minikube can use: this machine, or the VM that Docker Desktop runs in. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// CPUs.
    pub cpus: u32,
    /// All memory, used or not.
    pub memory: u64,
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

/// What xtask.toml asks for. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `cluster.cpus`
    pub cpus: Amount<u32>,
    /// `cluster.memory`
    pub memory: Amount<u64>,
    /// `cluster.disk`
    pub disk: u64,
}

/// The size for `minikube start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// For `--cpus`.
    pub cpus: u32,
    /// Bytes for `--memory`, whole MiB.
    pub memory: u64,
    /// Bytes for `--disk-size`.
    pub disk: u64,
    /// What there is to say: `auto` took less than it wants to, or leaves the machine little. A lowercase fragment.
    pub said: Option<String>,
}

/// Decides the size of a new cluster, before minikube is called.
///
/// `auto` takes 4 CPUs and 8 GiB where the machine has them and less where not, but never more than three quarters of the
/// memory unless the layout needs it, and never less than the layout and minikube need. A fixed number is taken as it is.
///
/// # Errors
/// A finding for each of CPUs, memory and disk that the machine lacks.
pub fn cluster_size(asked: &Asked, machine: &Machine, needs: &Needs) -> Result<Size, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut said = Vec::new();
    let cpus = cpus(asked.cpus, machine.cpus, needs.cpus.max(MIN_CPUS), &mut said).map_err(|f| findings.push(f)).ok();
    let memory = memory(asked.memory, machine.memory, needs.memory.max(MIN_MEMORY), &mut said).map_err(|f| findings.push(f)).ok();
    if let Some(free) = machine.free_disk.filter(|free| *free < asked.disk) {
        findings.push(disk(asked.disk, free));
    }
    match (cpus, memory) {
        (Some(cpus), Some(memory)) if findings.is_empty() => {
            let said = (!said.is_empty()).then(|| said.join("; "));
            Ok(Size { cpus, memory, disk: asked.disk, said })
        }
        _ => Err(findings),
    }
}

fn cpus(asked: Amount<u32>, has: u32, needs: u32, said: &mut Vec<String>) -> Result<u32, Finding> {
    let too_few = |cause: String| {
        Finding::error(TOO_FEW_CPUS, Class::Prerequisite, "cluster.cpus", cause)
            .evidence("machine", format!("{has} {}", plural(has)))
    };
    match asked {
        Amount::Fixed(cpus) if cpus > has => {
            let finding = too_few(format!("xtask.toml asks for {cpus} {}, this machine has {has}", plural(cpus)));
            Err(if has >= needs {
                finding.advice(format!("set `cluster.cpus = {has}` or `\"auto\"` in xtask.toml"))
            } else {
                finding.advice(format!("use a machine with {needs} CPUs, or give Docker Desktop more"))
            })
        }
        Amount::Fixed(cpus) if cpus < needs => {
            Err(too_few(format!("the layout needs {needs} {}, xtask.toml asks for {cpus}", plural(needs)))
                .advice(format!("set `cluster.cpus = {needs}` or `\"auto\"` in xtask.toml")))
        }
        Amount::Fixed(cpus) => Ok(cpus),
        Amount::Auto if has < needs => {
            Err(too_few(format!("the cluster needs {needs} {}, this machine has {has}", plural(needs)))
                .advice(format!("use a machine with {needs} CPUs, or give Docker Desktop more")))
        }
        Amount::Auto => {
            let cpus = WANTED_CPUS.max(needs).min(has);
            if cpus < WANTED_CPUS {
                said.push(format!("{cpus} {} instead of {WANTED_CPUS}: this machine has {has}", plural(cpus)));
            }
            Ok(cpus)
        }
    }
}

fn memory(asked: Amount<u64>, has: u64, needs: u64, said: &mut Vec<String>) -> Result<u64, Finding> {
    let needs = needs.div_ceil(MIB) * MIB;
    let too_little = |cause: String| {
        Finding::error(TOO_LITTLE_MEMORY, Class::Prerequisite, "cluster.memory", cause).evidence("machine", binary_size(has))
    };
    match asked {
        Amount::Fixed(bytes) if bytes > has => {
            let cause = format!("xtask.toml asks for {} of memory, this machine has {}", binary_size(bytes), binary_size(has));
            let finding = too_little(cause);
            Err(if has >= needs {
                let most = share(has).max(needs);
                finding.advice(format!("set `cluster.memory = \"{}\"` or `\"auto\"` in xtask.toml", quantity(most)))
            } else {
                finding.advice(format!("use a machine with {}, or give Docker Desktop more", binary_size(needs)))
            })
        }
        Amount::Fixed(bytes) if bytes < needs => {
            let cause = format!("the layout needs {} of memory, xtask.toml asks for {}", binary_size(needs), binary_size(bytes));
            Err(too_little(cause).advice(format!("set `cluster.memory = \"{}\"` or `\"auto\"` in xtask.toml", quantity(needs))))
        }
        Amount::Fixed(bytes) => Ok(bytes / MIB * MIB),
        Amount::Auto if has < needs => {
            let cause = format!("the cluster needs {} of memory, this machine has {}", binary_size(needs), binary_size(has));
            Err(too_little(cause).advice(format!("use a machine with {}, or give Docker Desktop more", binary_size(needs))))
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

fn disk(asked: u64, free: u64) -> Finding {
    let cause = format!("xtask.toml asks for {} of disk, {} are free", binary_size(asked), binary_size(free));
    let finding = Finding::error(TOO_LITTLE_DISK, Class::Prerequisite, "cluster.disk", cause)
        .evidence("machine", format!("{} free", binary_size(free)));
    finding
        .remedy("free what docker no longer uses", "docker system prune")
        .advice("or set a smaller `cluster.disk` in xtask.toml")
}

const fn plural(n: u32) -> &'static str {
    if n == 1 { "CPU" } else { "CPUs" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;
    const AUTO: Asked = Asked { cpus: Amount::Auto, memory: Amount::Auto, disk: 20 * GIB };
    const LAYOUT: Needs = Needs { cpus: 2, memory: 3 * GIB };

    fn machine(cpus: u32, memory: u64) -> Machine {
        Machine { cpus, memory, free_disk: Some(100 * GIB) }
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
        let fixed = Asked { cpus: Amount::Fixed(6), memory: Amount::Fixed(12 * GIB), disk: 20 * GIB };
        for (name, asked, machine) in [
            ("fixed, too small a machine", fixed, Machine { cpus: 4, memory: 8 * GIB, free_disk: Some(5 * GIB) }),
            ("auto, under the least", AUTO, machine(1, GIB)),
            (
                "fixed, under what the layout needs",
                Asked { cpus: Amount::Fixed(2), memory: Amount::Fixed(2 * GIB), disk: 20 * GIB },
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
    fn an_unknown_disk_is_not_refused() {
        let machine = Machine { free_disk: None, ..machine(4, 16 * GIB) };
        assert!(cluster_size(&AUTO, &machine, &LAYOUT).is_ok());
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
                disk: 0,
            };
            if let Ok(size) = cluster_size(&asked, &machine(cpus, memory), &Needs { cpus: need_cpus, memory: need_memory }) {
                prop_assert!(size.cpus >= need_cpus.max(MIN_CPUS) && size.cpus <= cpus);
                prop_assert!(size.memory >= need_memory.max(MIN_MEMORY) && size.memory < memory + MIB && size.memory % MIB == 0);
            }
        }
    }
}
