//! `logs`: what the services say.

use std::time::Duration;

use plan::objects::{label, text};
use report::event::Event;
use serde_json::json;
use tools::kubectl::{self, Logs};
use tools::runner::FollowEvent;

use crate::cli::{BuildFlags, LayoutFlag, Selection};
use crate::session::{Done, Phase, Session};
use crate::{failure, observe};

/// Whose logs, and how much of them.
pub(crate) struct Request {
    /// The service; all without one.
    pub(crate) service: Option<String>,
    /// Stay.
    pub(crate) follow: bool,
    /// Lines of each container.
    pub(crate) tail: u32,
    /// Of the containers before their last restart.
    pub(crate) previous: bool,
}

/// `cargo xtask logs`.
pub(crate) fn logs(session: &Session, request: &Request, layout: &LayoutFlag) -> Phase {
    let services = request.service.iter().cloned().collect();
    let cx = session.context(&Selection { layout: layout.layout.clone(), services }, BuildFlags::default())?;
    let objects = observe::live_objects(&cx)?;
    let mut sources = Vec::new();
    for (release, service, _) in cx.services() {
        for pod in cx.part(release, &service.name).pods(&objects) {
            sources.push((service.name.clone(), text(pod, "/metadata/name").to_owned()));
        }
    }
    if request.service.is_none()
        && let Some(database) = cx.database()
    {
        for pod in objects.of_kind("Pod").filter(|p| label(p, "app.kubernetes.io/instance") == database.release) {
            sources.push((database.release.clone(), text(pod, "/metadata/name").to_owned()));
        }
    }
    if sources.is_empty() {
        return Ok(Done::saying(format!("No pod of this deployment in namespace {}", cx.config.namespace))
            .pointer("next", "cargo xtask status"));
    }
    let say = |service: &str, pod: &str, line: &str| {
        let text = if sources.len() > 1 { format!("{pod}  {line}") } else { line.to_owned() };
        session.reporter.send(Event::Answer { about: "log", text, data: json!({"service": service, "pod": pod, "line": line}) });
    };
    let of = |pod: &str| Logs {
        object: pod.to_owned(),
        container: None,
        tail: Some(request.tail),
        previous: request.previous,
        timestamps: false,
    };
    if !request.follow {
        for (service, pod) in &sources {
            let log = kubectl::logs(&cx.runner, &cx.kube(), &of(pod)).map_err(|f| failure::finding(&cx, &f))?;
            for line in cx.runner.redacted(&log).lines() {
                say(service, pod, line);
            }
        }
        return Ok(Done::default());
    }
    std::thread::scope(|scope| {
        for (service, pod) in &sources {
            let (cx, say, of) = (&cx, &say, &of);
            scope.spawn(move || {
                let Ok(follow) = kubectl::logs_follow(&cx.runner, &cx.kube(), &of(pod)) else { return };
                while !cx.cancelled() {
                    match follow.recv_timeout(Duration::from_millis(200)) {
                        Some(FollowEvent::Line(line)) => say(service, pod, &line.text),
                        Some(FollowEvent::Ended(_)) => break,
                        None => {}
                    }
                }
            });
        }
    });
    Ok(Done::default())
}
