//! This machine: docker, what a cluster could be made from, ports.

use std::net::{Ipv4Addr, TcpListener};

use plan::catalogue::{codes, finding};
use plan::config::Access;
use plan::finding::Class;
use report::text::size_binary;
use tools::docker::{self, Endpoint};

use super::{Check, as_warning, warning};
use crate::context::Context;
use crate::{cluster_size, desired, failure, machine};

/// The docker daemon of this machine. A cluster that runs has what it needs, wherever that came from.
pub(super) fn docker(cx: &Context, cluster_runs: bool) -> Check {
    let check = Check::new("docker");
    match docker::info(&cx.runner, &Endpoint::Host) {
        Ok(info) => {
            let mut check = check.fine(format!("docker daemon {}", info.server_version));
            if info.is_docker_desktop() {
                check = check.fine(format!(
                    "Docker Desktop: {} cpus, {}; the app is served on localhost",
                    info.cpus,
                    size_binary(info.memory)
                ));
            }
            if info.rootless {
                check = check.fine("rootless docker: the app is served on localhost");
            }
            check
        }
        Err(error) => {
            let found = failure::finding(cx, &error);
            let needed = matches!(cx.config.cluster.driver.as_deref(), None | Some("docker"));
            if cluster_runs || !needed { check.found([as_warning(found)]) } else { check.found([found]) }
        }
    }
}

/// What a new cluster would be made from.
pub(super) fn size(cx: &Context) -> Vec<Check> {
    let size = match cluster_size::choose(cx) {
        Ok(size) => size,
        Err(findings) => return vec![Check::new("machine").found(findings)],
    };
    let mut check = Check::new("machine").fine(format!("a new cluster gets {} cpus, {}", size.cpus, size_binary(size.memory)));
    if let Some(said) = size.said {
        check = check.fine(said);
    }
    let mut all = vec![check];
    if let Some(free) = machine::look().free.filter(|free| *free < size.memory) {
        let whole = (free >> 30).max(2);
        all.push(
            Check::new("memory").found([warning(
                codes::TOO_LITTLE_MEMORY,
                Class::Prerequisite,
                "memory",
                format!("{} free, a new cluster asks for {}", size_binary(free), size_binary(size.memory)),
            )
            .advice(format!("end what uses it, or set `cluster.memory = \"{whole}GiB\"` in xtask.toml"))]),
        );
    }
    if let Some((folder, free)) = machine::free_disk() {
        let check = Check::new("disk");
        all.push(if free < size.disk {
            check.found([warning(
                codes::TOO_LITTLE_DISK,
                Class::Prerequisite,
                "disk",
                format!("{} free in {folder}, a new cluster may grow to {}", size_binary(free), size_binary(size.disk)),
            )
            .remedy("see what docker keeps", "docker system df")])
        } else {
            check.fine(format!("{} disk free", size_binary(free)))
        });
    }
    all
}

/// The port on localhost, where the application is served there.
pub(super) fn port(cx: &Context, cluster_runs: bool) -> Check {
    let check = Check::new("port");
    let on_localhost = match cx.public().access {
        Access::PortForward => true,
        Access::NodePort | Access::Ingress => false,
        Access::Auto if cluster_runs => cx.look(|world| desired::access(cx, world)).is_ok_and(|a| a == Access::PortForward),
        Access::Auto => cluster_size::node_is_out_of_reach(),
    };
    // A cluster of ours publishes that port itself.
    if !on_localhost || cluster_runs {
        return check;
    }
    let port = cx.public().local_port;
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => check.fine(format!("port {port} free")),
        Err(error) => check.found([finding(
            codes::PORT_TAKEN,
            format!("127.0.0.1:{port}"),
            format!("port {port} of this machine is taken"),
        )
        .evidence(format!("127.0.0.1:{port}"), error.to_string())
        .advice("stop the program that listens there, or set another `public.local_port` in xtask.toml")]),
    }
}

/// What is special here.
pub(super) fn system() -> Check {
    let check = Check::new("system");
    if machine::is_wsl() {
        return check.fine("WSL: the app is served on localhost; keep the checkout in the Linux file system, /mnt/c is slow");
    }
    check
}
