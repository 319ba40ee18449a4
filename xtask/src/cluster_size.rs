//! How large a new cluster becomes: what xtask.toml asks for against what this machine has.

use plan::config::resources::{Asked, Machine, Needs, Size, cluster_size};
use plan::finding::Finding;
use tools::docker::{self, Endpoint};

use crate::context::Context;
use crate::machine;

/// Decides, before minikube is called. Where docker runs in a machine of its own (Docker Desktop), that machine counts.
pub(crate) fn choose(cx: &Context) -> Result<Size, Vec<Finding>> {
    let here = machine::look();
    let (cpus, memory) = match docker::info(&cx.runner, &Endpoint::Host) {
        Ok(info) => (info.cpus, info.memory),
        // Another driver needs no docker on this machine; a docker that does not answer is minikube's to name.
        Err(_) => (here.cpus, here.memory.unwrap_or(u64::MAX)),
    };
    let cluster = &cx.config.cluster;
    let layout = cx.layout();
    cluster_size(
        &Asked { cpus: cluster.cpus, memory: cluster.memory, disk: match cluster.disk { plan::config::Amount::Fixed(d) => d, plan::config::Amount::Auto => 20 << 30 } },
        &Machine { cpus, memory, free_disk: None },
        &Needs { cpus: layout.min_cpus, memory: layout.min_memory },
    )
}

/// Whether this machine can't reach a node of the docker driver by its address: docker runs in a virtual machine.
pub(crate) fn node_is_out_of_reach() -> bool {
    cfg!(any(target_os = "macos", target_os = "windows")) || machine::is_wsl()
}
