//! `open`: the application in the browser; served on localhost where this machine can't reach the node.

use std::time::Duration;

use plan::catalogue::{codes, finding};
use plan::config::Access;
use serde_json::json;
use tools::runner::FollowEvent;

use super::deploy;
use crate::cli::{BuildFlags, LayoutFlag, Selection};
use crate::report::event::Event;
use crate::session::{Done, Phase, Session};
use crate::{browser, desired, failure, http, observe};

/// `cargo xtask open`.
pub(crate) fn open(session: &Session, print: bool, layout: &LayoutFlag) -> Phase {
    let cx = session.context(&Selection { layout: layout.layout.clone(), services: Vec::new() }, BuildFlags::default())?;
    let world = deploy::look(&cx)?;
    cx.update(|seen| *seen = world);
    let settled = cx.look(|world| Ok((desired::origin(&cx, world)?, desired::access(&cx, world)?)));
    let (origin, access) = settled.map_err(failure::undecided)?;
    session.reporter.send(Event::Answer { about: "origin", text: origin.clone(), data: json!({"origin": origin}) });
    if print {
        return Ok(Done::default());
    }
    // A cluster that was created with the port published needs no forward.
    if access != Access::PortForward || http::get(&origin, Duration::from_secs(2)).is_ok() {
        browser::open(&cx, &origin)?;
        return Ok(Done::default());
    }
    let service = cx.look(|world| observe::service_of(&cx, world, &cx.public().service)).ok_or_else(|| {
        finding(codes::SERVICE_MISSING, &cx.public().service, format!("there is no Service for `{}` to forward to", cx.public().service))
            .remedy("deploy first", "cargo xtask deploy")
    })?;
    let local = cx.public().local_port;
    let mut opened = false;
    // The forward ends whenever the pod that it was pinned to goes away: begun again until Ctrl-C.
    while !cx.cancelled() {
        let follow = tools::kubectl::port_forward(&cx.runner, &cx.kube(), &format!("service/{}", service.name), local, service.port)
            .map_err(|f| failure::finding(&cx, &f))?;
        loop {
            match follow.recv_timeout(Duration::from_millis(200)) {
                Some(FollowEvent::Line(line)) if line.text.starts_with("Forwarding from") && !opened => {
                    opened = true;
                    session.reporter.send(Event::Note { text: format!("serving {origin} until Ctrl-C") });
                    browser::open(&cx, &origin)?;
                }
                Some(FollowEvent::Line(line)) if line.text.contains("address already in use") => {
                    return Err(finding(codes::PORT_TAKEN, format!("localhost:{local}"), format!("port {local} of this machine is taken"))
                        .evidence("kubectl port-forward", line.text)
                        .advice("end the program that uses it, or set `public.local_port` in xtask.toml")
                        .into());
                }
                Some(FollowEvent::Ended(_)) => break,
                _ if cx.cancelled() => return Ok(Done::saying("Stopped serving")),
                _ => {}
            }
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(Done::saying("Stopped serving"))
}
