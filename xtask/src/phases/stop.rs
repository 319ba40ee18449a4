//! `stop`: the cluster rests, nothing is lost.

use plan::snapshot::ClusterState;
use report::event::{Event, Outcome};

use crate::cli::{BuildFlags, Selection};
use crate::session::{Done, Phase, Session};
use crate::steps::names;
use crate::{failure, observe};

/// `cargo xtask stop`.
pub(crate) fn stop(session: &Session) -> Phase {
    let cx = session.context(&Selection::default(), BuildFlags::default())?;
    let _lock = session.lock()?;
    let profile = cx.profile();
    match observe::cluster_state(&cx)? {
        ClusterState::Missing => return Ok(Done::saying(format!("There is no cluster `{profile}`"))),
        ClusterState::Stopped => {
            return Ok(Done::saying(format!("Cluster `{profile}` is stopped already")).pointer("next", "cargo xtask setup"));
        }
        _ => {}
    }
    let step = names::cluster();
    cx.reporter.send(Event::StepStarted { step: step.clone(), after: Vec::new() });
    let begun = std::time::Instant::now();
    tools::minikube::stop(&cx.runner, &profile).map_err(|f| failure::finding(&cx, &f))?;
    let now = observe::cluster_state(&cx)?;
    if now != ClusterState::Stopped {
        return Err(failure::internal(format!("minikube stop exited with 0, but the cluster is {now:?}")).into());
    }
    cx.reporter.send(Event::StepFinished {
        step,
        outcome: Outcome::Ok,
        text: format!("{profile} stopped"),
        took: begun.elapsed(),
    });
    Ok(Done::saying("Stopped; images, releases and volumes are kept")
        .pointer("next", "cargo xtask setup    or    cargo xtask deploy"))
}
