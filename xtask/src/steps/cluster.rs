//! The cluster: created, started or repaired; never restarted when it runs.

use std::collections::BTreeMap;

use plan::action::Action;
use plan::decide;
use plan::finding::Finding;
use plan::snapshot::ClusterState;
use tools::minikube::{self, StartEvent};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::report::event::{Event, StepName};
use crate::{cluster_size, failure, marker, observe};

/// The event from which on docker in the node is not reconfigured any more (recording `start-cold-timed`: 7.8 s of 37 s).
const DOCKER_IS_SETTLED: &str = "Preparing Kubernetes";

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
                Ok(size) => size.to_string(),
                Err(finding) => return Action::Blocked(Box::new(finding)),
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
            if cx.look(|world| world.docker.is_none()) {
                observe::refresh_docker(cx)?;
            }
        }
        Ok(())
    }
}

fn start(cx: &Context, run: &Running<'_>, create: bool) -> Result<(), Vec<Finding>> {
    let cluster = &cx.config.cluster;
    let mut args: Vec<String> = vec![format!("--driver={}", cluster.driver)];
    if create {
        let size = cluster_size::choose(cx)?;
        if let Some(said) = &size.said {
            cx.reporter.send(Event::Note { text: said.clone() });
        }
        args.push(format!("--cpus={}", size.cpus));
        args.push(format!("--memory={}mb", size.memory_mib()));
        args.push(format!("--disk-size={}mb", size.disk_mib()));
        // minikube 1.39 changes its default to containerd: say which one is meant.
        args.push(format!("--container-runtime={}", cluster.runtime));
        if let Some(version) = cluster.kubernetes.fixed() {
            args.push(format!("--kubernetes-version={version}"));
        }
        if let Some(port) = cx.published_port() {
            args.push(format!("--ports=127.0.0.1:{port}:{port}"));
        }
        // Before anything is created: a killed run leaves a cluster that is known to be ours.
        marker::write(cx, &profile_of(cx))?;
    }
    args.extend(cluster.start_args.iter().cloned());

    let mut settled = false;
    let mut error: Option<BTreeMap<String, String>> = None;
    let outcome = minikube::start(&cx.runner, &profile_of(cx), &args, cx.config.deadlines.cluster, &mut |event| match event {
        StartEvent::Step { name, message, .. } => {
            run.progress(message.trim().to_owned());
            if name == DOCKER_IS_SETTLED && !settled {
                settled = true;
                // Failing to reach it early is no failure: the images wait for the whole step then.
                if observe::refresh_docker(cx).is_ok() {
                    run.reached(names::docker());
                }
            }
        }
        StartEvent::Progress { artifact, fraction } => {
            run.progress(format!("downloading {artifact}, {:.0} %", fraction * 100.0));
        }
        StartEvent::Warning { message } | StartEvent::Info { message } => run.output(message),
        StartEvent::Error { .. } => error = None,
        _ => {}
    });
    outcome.map_err(|f| failure::finding(cx, &f))?;
    Ok(())
}

fn profile_of(cx: &Context) -> String {
    cx.profile()
}
