//! `open`: the application in the browser; served on localhost where this machine can't reach the node.

use std::time::Duration;

use plan::catalogue::{codes, finding};
use plan::config::Access;
use report::event::Event;
use serde_json::json;
use tools::kubectl;

use super::deploy;
use crate::cli::{BuildFlags, LayoutFlag, Selection};
use crate::session::{Done, Phase, Session};
use crate::{browser, desired, failure, http, observe};

/// How long a forward may take to begin.
const BEGIN: Duration = Duration::from_secs(15);
/// Between two looks whether it still runs.
const PAUSE: Duration = Duration::from_millis(200);

/// `cargo xtask open`.
pub(crate) fn open(session: &Session, print: bool, layout: &LayoutFlag) -> Phase {
    let cx = session.context(&Selection { layout: layout.layout.clone(), services: Vec::new() }, BuildFlags::default())?;
    let world = deploy::look(&cx)?;
    cx.update(|seen| *seen = world);
    if cx.public_service().is_none() {
        let nothing = "no service of xtask.toml listens on a port: there is nothing to open";
        return Err(finding(codes::CONFIG_PROBLEM, "public", nothing).into());
    }
    let (origin, access) = cx.look(|world| desired::reached(&cx, world)).map_err(failure::undecided)?;
    session.reporter.send(Event::Answer { about: "origin", text: origin.clone(), data: json!({"origin": origin}) });
    if print {
        return Ok(Done::default());
    }
    // A cluster that was created with the port published needs no forward.
    if access != Access::PortForward || http::get(&origin, Duration::from_secs(2)).is_ok() {
        browser::open(&cx, &origin);
        return Ok(Done::default());
    }
    let service = cx.look(|world| observe::service_of(&cx, world, &cx.public().service)).ok_or_else(|| {
        finding(
            codes::SERVICE_MISSING,
            &cx.public().service,
            format!("there is no Service for `{}` to forward to", cx.public().service),
        )
        .remedy("deploy first", "cargo xtask deploy")
    })?;
    let local = cx.public().local_port;
    let object = format!("service/{}", service.name);
    let mut opened = false;
    // The forward ends whenever the pod that it was pinned to goes away: begun again until Ctrl-C.
    while !cx.cancelled() {
        let forward = kubectl::port_forward(&cx.runner, &cx.kube(), &object, (local, service.port), BEGIN)
            .map_err(|f| failure::finding(&cx, &f))?;
        if !opened {
            opened = true;
            session.reporter.send(Event::Note { text: format!("serving {origin} until Ctrl-C") });
            browser::open(&cx, &origin);
        }
        while !cx.cancelled() && forward.ended().is_none() {
            std::thread::sleep(PAUSE);
        }
    }
    Ok(Done::saying("Stopped serving"))
}
