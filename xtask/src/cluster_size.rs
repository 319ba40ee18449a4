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
        Ok(info) => (info.cpus, Some(info.memory)),
        // Another driver needs no docker on this machine; a docker that does not answer is minikube's to name.
        Err(_) => (here.cpus, here.memory),
    };
    cluster_size(&Asked::from(&cx.config.cluster), &Machine { cpus, memory, free_disk: None }, &Needs::from(cx.layout()))
}

/// Whether this machine can't reach a node of the docker driver by its address: docker runs in a virtual machine.
pub(crate) fn node_is_out_of_reach() -> bool {
    cfg!(any(target_os = "macos", target_os = "windows")) || machine::is_wsl()
}
