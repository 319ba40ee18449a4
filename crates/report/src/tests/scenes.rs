//! Runs as streams of events.

use std::time::Duration;

use diagnosis::finding::{Class, Finding};

use crate::event::{Event, Outcome, StepName};

pub(super) type Scene = Vec<(Duration, Event)>;

fn at(seconds: f64, event: Event) -> (Duration, Event) {
    (Duration::from_secs_f64(seconds), event)
}

fn started() -> Event {
    Event::Started { phase: "deploy", text: "todo-chatbot -> minikube (layout monolith)".into() }
}

fn start(kind: &'static str, object: &str, after: &[(&'static str, &str)]) -> Event {
    let after = after.iter().map(|(kind, object)| StepName::new(kind, *object)).collect();
    Event::StepStarted { step: StepName::new(kind, object), after }
}

fn progress(kind: &'static str, object: &str, text: &str) -> Event {
    Event::StepProgress { step: StepName::new(kind, object), text: text.into() }
}

fn output(kind: &'static str, object: &str, line: &str) -> Event {
    Event::StepOutput { step: StepName::new(kind, object), line: line.into() }
}

fn end(kind: &'static str, object: &str, outcome: Outcome, text: &str, took: f64) -> Event {
    Event::StepFinished { step: StepName::new(kind, object), outcome, text: text.into(), took: Duration::from_secs_f64(took) }
}

fn finished(exit_code: u8, summary: &str, pointers: &[(&'static str, &str)], took: f64) -> Event {
    let pointers = pointers.iter().map(|(label, text)| (*label, (*text).to_owned())).collect();
    Event::Finished { exit_code, summary: summary.into(), pointers, took: Duration::from_secs_f64(took) }
}

pub(super) fn first_deploy() -> Scene {
    use Outcome::Ok;
    vec![
        at(0.0, started()),
        at(0.0, start("tools", "", &[])),
        at(0.1, end("tools", "", Ok, "minikube 1.38.1, docker 28.2.2, helm 3.22.0, kubectl 1.36", 0.1)),
        at(0.1, Event::Command { line: "minikube start --profile minikube --cpus 4 --memory 8192".into() }),
        at(0.1, start("cluster", "", &[("tools", "")])),
        at(5.0, progress("cluster", "", "preparing kubernetes 1.36.2")),
        at(37.0, end("cluster", "", Ok, "started: 4 cpus, 8 GiB, kubernetes 1.36.2", 36.9)),
        at(37.0, start("image", "backend", &[("cluster", "")])),
        at(37.0, start("image", "frontend", &[("cluster", "")])),
        at(37.0, start("secret", "", &[("cluster", "")])),
        at(37.1, end("secret", "", Ok, "6 keys from .env, 4 optional keys absent", 0.1)),
        at(38.0, output("image", "backend", "\u{1b}[1m#7\u{1b}[0m [build 3/6] RUN pip install -r requirements.txt")),
        at(39.0, progress("image", "backend", "build 3/6: RUN pip install -r requirements.txt --no-cache-dir --prefix /install")),
        at(39.0, progress("image", "frontend", "build 4/9: RUN npm ci")),
        at(78.2, end("image", "backend", Ok, "todo-backend:3f9c2a71  214 MB of 300 MB", 41.2)),
        at(95.0, end("image", "frontend", Ok, "todo-frontend:b01d77ce  168 MB of 200 MB", 58.0)),
        at(95.0, start("release", "", &[("image", "backend"), ("image", "frontend"), ("secret", "")])),
        at(95.6, end("release", "", Ok, "todo-app revision 1", 0.6)),
        at(95.6, start("rollout", "", &[("release", "")])),
        at(97.0, progress("rollout", "", "backend 1/1 ready, frontend 0/1: waiting for readiness")),
        at(104.7, end("rollout", "", Ok, "backend 1/1, frontend 1/1", 9.1)),
        at(104.7, Event::Note { text: "a development secret was generated; it is kept in the cluster and goes with `cargo xtask cleanup --scope release --volumes`".into() }),
        at(104.7, start("endpoints", "", &[("rollout", "")])),
        at(104.9, end("endpoints", "", Ok, "frontend 200 in 38 ms, backend healthy, database reachable", 0.2)),
        at(
            104.9,
            finished(
                0,
                "Running in 1m 45s (cluster 36.9s, images 58.0s, rollout 9.1s)",
                &[("open", "http://192.168.49.2:30300"), ("next", "cargo xtask status --watch    or    cargo xtask test")],
                104.9,
            ),
        ),
    ]
}

pub(super) fn nothing_to_do() -> Scene {
    vec![
        at(0.0, started()),
        at(0.2, Event::kept(StepName::new("cluster", ""), "minikube runs kubernetes 1.36.2")),
        at(0.2, Event::kept(StepName::new("image", "backend"), "todo-backend:3f9c2a71")),
        at(0.2, Event::kept(StepName::new("image", "frontend"), "todo-frontend:b01d77ce")),
        at(0.2, finished(0, "Up to date in 0.2s: 2 images, 3 pods ready, http://192.168.49.2:30300 answers", &[], 0.2)),
    ]
}

fn missing_key() -> Finding {
    let mut finding = Finding::error(
        "XT412",
        Class::Rollout,
        "pod/todo-app-backend-6f7c-x2x",
        "backend can't start: secret `todo-app-secrets` has no key `DATABASE_URL`",
    )
    .service("backend")
    .evidence("CreateContainerConfigError", "couldn't find key DATABASE_URL in Secret todo/todo-app-secrets")
    .remedy("set DATABASE_URL in .env, then", "cargo xtask deploy")
    .original("Error: couldn't find key DATABASE_URL in Secret todo/todo-app-secrets");
    finding.collateral.push("frontend (waits for backend)".into());
    finding
}

pub(super) fn failure() -> Scene {
    vec![
        at(0.0, started()),
        at(0.1, end("image", "backend", Outcome::Keep, "todo-backend:3f9c2a71", 0.0)),
        at(0.1, start("rollout", "backend", &[])),
        at(2.4, end("rollout", "backend", Outcome::Fail, "", 2.3)),
        at(2.4, end("endpoints", "", Outcome::Skip, "rollout failed", 0.0)),
        at(2.4, Event::Finding(Box::new(missing_key()))),
        at(2.4, Event::Finding(Box::new(missing_key()))),
        at(
            2.4,
            finished(6, "2 of 9 steps not done; nothing was rolled back. Run the same command to go on from here.", &[], 2.4),
        ),
    ]
}

pub(super) fn many_findings() -> Scene {
    let build_log = "error: failed to solve: process \"/bin/sh -c npm run build\" did not complete: exit code: 1\n\n  > next build\nType error: Property 'title' is missing in type '{ id: string; }' but required in type 'Todo'.";
    let findings = [
        Finding::warning(
            "XT120",
            Class::Config,
            "services.backend.budget",
            "image `todo-backend:3f9c2a71` takes 312 MB, 12 MB over its budget",
        )
        .evidence("xtask.toml:31", "size_budget = \"300 MB\"")
        .advice("leave build tools out of the last stage"),
        Finding::error(
            "XT421",
            Class::Rollout,
            "pod/todo-app-frontend-5d4b-9kq",
            "frontend is not ready: backend does not answer",
        )
        .service("frontend"),
        missing_key(),
        Finding::error("XT301", Class::Build, "frontend", "image of `frontend` does not build: `npm run build` exits 1")
            .service("frontend")
            .evidence("stderr", build_log)
            .remedy("repair the type error, then", "cargo xtask build-images --service frontend")
            .remedy("to see the whole build", "cargo xtask build-images --service frontend --no-cache --rebuild --pull -v"),
        Finding::error(
            "XT901",
            Class::Verify,
            "deployment/todo-app-backend",
            "backend runs `todo-backend:old`, not `todo-backend:3f9c2a71`",
        ),
        Finding::warning("XT121", Class::Config, "", "50% of .env: keys `A` and `B` are not used"),
    ];
    let mut scene = vec![
        at(0.0, started()),
        at(0.0, start("image", "frontend", &[])),
        at(0.5, output("image", "frontend", "#9 > next build")),
        at(0.6, output("image", "frontend", "::error::not yours")),
        at(3.0, end("image", "frontend", Outcome::Fail, "npm run build exits 1", 3.0)),
    ];
    scene.extend(findings.map(|finding| at(3.0, Event::Finding(Box::new(finding)))));
    scene.push(at(3.1, finished(7, "5 of 9 steps not done; nothing was rolled back.", &[], 3.1)));
    scene
}

/// `lines` as everything that may come from a tool.
pub(super) fn with_hostile_text(lines: &[&str]) -> Scene {
    let mut scene = vec![at(0.0, started()), at(0.0, start("image", "backend", &[]))];
    for line in lines {
        scene.push(at(0.1, output("image", "backend", line)));
        scene.push(at(0.1, Event::Command { line: (*line).into() }));
        scene.push(at(0.1, Event::Note { text: (*line).into() }));
    }
    scene.push(at(0.2, end("image", "backend", Outcome::Fail, &lines.join(" "), 0.2)));
    let finding = Finding::error("XT301", Class::Build, "backend", lines.join("\n"))
        .evidence("stderr", lines.join("\n"))
        .original(lines.join("\n"));
    scene.push(at(0.2, Event::Finding(Box::new(finding))));
    scene.push(at(0.2, finished(7, &lines.join(" "), &[], 0.2)));
    scene
}

pub(super) fn long_wait() -> Scene {
    vec![
        at(0.0, start("cluster", "", &[])),
        at(1.0, progress("cluster", "", "pulling the base image: 120 MB of 480 MB, until 12:40:00")),
        at(1.0, start("tools", "", &[])),
        at(2.0, end("tools", "", Outcome::Ok, "minikube 1.38.1", 1.0)),
        at(95.0, end("cluster", "", Outcome::Ok, "started", 95.0)),
    ]
}

pub(super) fn answer() -> Event {
    Event::Answer {
        about: "status",
        text: "backend  1/1 ready\nfrontend 1/1 ready".into(),
        data: serde_json::json!({"services": [{"name": "backend", "ready": 1, "wanted": 1}]}),
    }
}
