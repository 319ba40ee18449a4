//! Questions to services from inside the cluster.

use std::time::Duration;

use plan::catalogue::{codes, finding};
use plan::finding::Finding;
use plan::invocation::{Invocation, Tool};
use plan::objects::{repository, text};
use serde_json::Value;
use tools::kubectl;

use crate::context::Context;
use crate::{failure, observe};

/// Programs that can ask an address, in the images that people build from; the first that is there asks.
fn askers(url: &str) -> [Vec<String>; 4] {
    let node = format!(
        "fetch('{url}').then(r=>{{console.log(r.status);process.exit(r.ok?0:22)}},e=>{{console.error(String(e.cause||e));process.exit(7)}})"
    );
    let python = format!("import urllib.request as u;print(u.urlopen('{url}',timeout=5).status)");
    [
        vec!["node".to_owned(), "-e".to_owned(), node],
        vec!["python3".to_owned(), "-c".to_owned(), python],
        vec!["wget".to_owned(), "-q".to_owned(), "-O".to_owned(), "/dev/null".to_owned(), url.to_owned()],
        vec!["curl".to_owned(), "-fsS".to_owned(), "-o".to_owned(), "/dev/null".to_owned(), url.to_owned()],
    ]
}

/// Asks a service through the API server: the way of any client inside the cluster, and no program is needed in the image.
pub(crate) fn through_service(cx: &Context, service: &str, path: &str, deadline: Duration) -> Result<String, Vec<Finding>> {
    let address = address(cx, service)?;
    let proxied =
        format!("/api/v1/namespaces/{}/services/http:{}:{}/proxy{path}", cx.config.namespace, address.name, address.port);
    let ask = Invocation::new(Tool::Kubectl, format!("ask `{service}` inside the cluster"), deadline).args([
        "--context",
        &cx.profile(),
        "get",
        "--raw",
        &proxied,
    ]);
    let output = cx.runner.capture(&ask).map_err(|e| failure::internal(e.to_string()))?;
    if output.exit.is_success() {
        return Ok(format!("{}:{}{path} answers", address.name, address.port));
    }
    let words = cx.runner.redacted(output.stderr.trim());
    Err(finding(
        codes::HEALTH_WRONG,
        service,
        format!("`{service}` does not answer as it should inside the cluster at {}:{}{path}", address.name, address.port),
    )
    .service(service)
    .evidence(format!("http://{}:{}{path}", address.name, address.port), words)
    .remedy("see what the service says", format!("cargo xtask logs {service}"))
    .into())
}

/// Asks one service from a pod of another, by the Service's name: cluster DNS, the network and its policies are in the way, as for the
/// application itself.
pub(crate) fn from_pod(cx: &Context, from: &str, to: &str, deadline: Duration) -> Result<String, Vec<Finding>> {
    let address = address(cx, to)?;
    let path = &cx.service(to).health.readiness;
    let url = format!("http://{}:{}{path}", address.name, address.port);
    let Some((release, _)) = cx.layout().of_service(from) else {
        return Err(failure::internal(format!("no service `{from}`")).into());
    };
    let pod = cx.look(|world| {
        let objects = world.objects.as_ref()?;
        let part = cx.part(release, from);
        let mut pods =
            part.workloads(objects).into_iter().flat_map(|w| objects.pods_of(text(w, "/kind"), text(w, "/metadata/name")));
        let ready = pods.find(|p| p.pointer("/metadata/deletionTimestamp").is_none() && text(p, "/status/phase") == "Running")?;
        let containers = ready.pointer("/spec/containers").and_then(Value::as_array)?;
        // Beside it may run others' images, a proxy or a log shipper.
        let container = containers.iter().find(|c| repository(text(c, "/image")) == part.image).or_else(|| containers.first())?;
        Some((text(ready, "/metadata/name").to_owned(), text(container, "/name").to_owned()))
    });
    let Some((pod, container)) = pod else {
        return Err(finding(codes::REPLICAS_MISSING, from, format!("no running pod of `{from}` to ask from"))
            .service(from)
            .remedy("see why", "cargo xtask status")
            .into());
    };
    for command in askers(&url) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let output =
            kubectl::exec(&cx.runner, &cx.kube(), &pod, Some(&container), &words, deadline).map_err(|f| failure::finding(cx, &f));
        match output {
            Ok(output) if output.exit.is_success() => return Ok(format!("{url} answers from {pod}")),
            // 126 and 127: no such program in the image. kubectl's own words for the same come as a failure, below.
            Ok(output) if matches!(output.exit, tools::runner::Exit::Code(126 | 127)) => {}
            Ok(output) => {
                return Err(finding(codes::BACKEND_UNREACHABLE, from, format!("`{from}` can't reach `{to}` at {url}"))
                    .service(from)
                    .evidence(format!("{} in pod {pod}", words[0]), cx.runner.redacted(output.stderr.trim()))
                    .remedy("see what the other side says", format!("cargo xtask logs {to}"))
                    .into());
            }
            Err(finding) if finding.original.as_ref().is_some_and(|o| o.contains("executable file not found")) => {}
            Err(finding) => return Err(finding.into()),
        }
    }
    Ok(format!("not asked: the image of {from} has no node, python3, wget or curl"))
}

fn address(cx: &Context, service: &str) -> Result<observe::ServiceAddress, Finding> {
    cx.look(|world| observe::service_of(cx, world, service)).ok_or_else(|| {
        finding(codes::SERVICE_MISSING, service, format!("there is no Service for `{service}`"))
            .remedy("put it right", "cargo xtask deploy")
    })
}
