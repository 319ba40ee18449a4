//! The cluster: created, started or repaired; never restarted when it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plan::action::Action;
use plan::config::Runtime;
use plan::decide;
use plan::finding::Finding;
use plan::snapshot::ClusterState;
use report::event::{Event, StepName};
use report::text;
use tools::minikube::{self, StartEvent, StartOptions};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::watch_files::sleep;
use crate::{cluster_size, failure, marker, observe, retry};

/// The event from which on docker in the node is not reconfigured any more (recording `start-cold-timed`: 7.8 s of 37 s).
const DOCKER_IS_SETTLED: &str = "Preparing Kubernetes";

/// How often the node's docker is asked for while the control plane boots, which takes half a minute.
const EARLY_TRIES: u32 = 10;
/// Between two of these.
const EARLY_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Cluster;

impl Step for Cluster {
    fn name(&self, _cx: &Context) -> StepName {
        names::cluster()
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::tools()]
    }

    fn milestones(&self) -> Vec<StepName> {
        vec![names::docker()]
    }

    fn decide(&self, cx: &Context) -> Action {
        let state = cx.look(|world| world.cluster.clone());
        // The machine is only looked at where a cluster is to be created: an existing profile keeps its size.
        let size = if state == ClusterState::Missing {
            match cluster_size::choose(cx) {
                Ok(size) => format!("{} cpus, {}", size.cpus, text::size_binary(size.memory)),
                Err(mut findings) => {
                    let first = findings.swap_remove(0);
                    return Action::Blocked(Box::new(Finding {
                        collateral: findings.into_iter().map(|f| f.cause).collect(),
                        ..first
                    }));
                }
            }
        } else {
            String::new()
        };
        cx.look(|world| decide::cluster(&cx.profile(), &size, world))
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let profile = cx.profile();
        match cx.look(|world| world.cluster.clone()) {
            ClusterState::KubeconfigStale => {
                run.progress("pointing the kubeconfig at the cluster");
                minikube::update_context(&cx.runner, &profile).map_err(|f| failure::finding(cx, &f))?;
            }
            state => start(cx, run, state == ClusterState::Missing)?,
        }
        // Images may have been built meanwhile, so only what this step changed is looked at again.
        let state = observe::cluster_state(cx)?;
        cx.update(|world| world.cluster = state);
        if cx.look(|world| world.cluster == ClusterState::Running) {
            observe::refresh_objects(cx)?;
            // Again, also where it was found early: a start that was tried twice may have moved its port.
            observe::refresh_store(cx)?;
        }
        Ok(())
    }
}

fn start(cx: &Context, run: &Running<'_>, create: bool) -> Result<(), Vec<Finding>> {
    let cluster = &cx.config.cluster;
    let mut options = StartOptions {
        profile: cx.profile(),
        driver: cluster.driver.clone(),
        extra_args: cluster.start_args.clone(),
        ..StartOptions::default()
    };
    if create {
        let size = cluster_size::choose(cx)?;
        if let Some(said) = &size.said {
            cx.reporter.send(Event::Note { text: said.clone() });
        }
        options.cpus = Some(size.cpus);
        options.memory_mib = Some(size.memory >> 20);
        options.disk_mib = Some(size.disk >> 20);
        // minikube 1.39 changes its default to containerd: say which one is meant.
        options.runtime = Some(cluster.runtime.as_str().to_owned());
        options.kubernetes_version = cluster.kubernetes.as_ref().map(ToString::to_string);
        if cluster_size::node_is_out_of_reach() {
            // Published once and for all: no port-forward has to run beside the application.
            let port = cx.public().node_port;
            options.ports.push(format!("127.0.0.1:{}:{port}", cx.public().local_port));
        }
        // Before anything is created: a killed run leaves a cluster that is known to be ours.
        marker::write(cx)?;
    }
    retry::transient(cx, run, || attempt(cx, run, &options).map_err(Vec::from))
}

/// One call of `minikube start`. Another one goes on where it stopped.
fn attempt(cx: &Context, run: &Running<'_>, options: &StartOptions) -> Result<(), Finding> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut settled = false;
        let outcome = minikube::start(&cx.runner, options, &mut |event| match event {
            StartEvent::Step { name, message, .. } => {
                run.progress(message.trim().to_owned());
                if name == DOCKER_IS_SETTLED && !settled {
                    settled = true;
                    // Beside the start, whose events go on meanwhile.
                    scope.spawn(|| early_docker(cx, run, &over));
                }
            }
            StartEvent::Download { artifact, percent } => {
                let far = percent.map(|p| format!(", {p} %")).unwrap_or_default();
                run.progress(format!("downloading {artifact}{far}"));
            }
            StartEvent::Warning { message }
            | StartEvent::Info { message }
            | StartEvent::Error { message, .. }
            | StartEvent::Noise(message) => {
                run.output(message);
            }
        });
        over.store(true, Ordering::Relaxed);
        outcome.map_err(|f| failure::finding(cx, &f))
    })
}

/// Lets the images begin as soon as the node's docker answers. Failing to reach it early is no failure: they wait for the whole step
/// then, and its own look says why.
fn early_docker(cx: &Context, run: &Running<'_>, over: &AtomicBool) {
    let stop = || over.load(Ordering::Relaxed) || cx.cancelled();
    for _ in 0..EARLY_TRIES {
        if observe::refresh_store(cx).is_ok() {
            // What is built on this machine is loaded into a node that runs.
            if cx.look(|world| world.runtime) == Runtime::Docker {
                run.reached(names::docker());
            }
            return;
        }
        if !sleep(EARLY_PAUSE, &stop) {
            return;
        }
    }
}
