//! What Services answer: through the API server's proxy, a port-forward, a node port, or from inside a pod.

use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::{is_ready, key, select, text};
use crate::world::{Profile, World};

/// What a path of a Service answers, if the Service has a ready pod.
pub(crate) fn answer(world: &World, profile: &Profile, namespace: &str, service: &str, path: &str) -> Option<(u16, String)> {
    let object = profile.objects.get(&key(namespace, "services", service))?;
    let wanted = object["spec"]["selector"].as_object()?;
    let chosen = |pod: &&Value| wanted.iter().all(|(name, value)| pod["metadata"]["labels"].get(name) == Some(value));
    select(profile, "pods", namespace, "").iter().filter(chosen).find(|pod| is_ready(pod))?;
    let told = world.http.get(&format!("{service}/{}", path.trim_start_matches('/')));
    Some(told.cloned().unwrap_or_else(|| (200, json!({"status": "ok"}).to_string())))
}

/// What a node port answers, on whichever cluster has it.
pub(crate) fn node_port(world: &World, port: u16, path: &str) -> Option<(u16, String)> {
    world.profiles.values().filter(|p| p.running && p.api_server).find_map(|profile| {
        let services = select(profile, "services", "", "");
        let has = |service: &&Value| service.pointer("/spec/ports/0/nodePort").and_then(Value::as_u64) == Some(u64::from(port));
        let service = services.iter().find(has)?;
        answer(world, profile, text(service, "/metadata/namespace"), text(service, "/metadata/name"), path)
    })
}

/// Answers every request of `listener` with what `answer` says of its path; 503 for nothing. Ends when `go_on` says no.
pub(crate) fn serve(
    listener: &TcpListener,
    go_on: impl Fn() -> bool,
    answer: impl Fn(&str) -> Option<(u16, String)>,
) -> io::Result<()> {
    for stream in listener.incoming() {
        if !go_on() {
            return Ok(());
        }
        let mut stream = stream?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut request = [0; 4096];
        // A client that goes away, before it has asked or been answered, is no reason to stop.
        let Ok(read) = stream.read(&mut request) else { continue };
        let line = String::from_utf8_lossy(&request[..read]).into_owned();
        let path = line.split_whitespace().nth(1).unwrap_or("/").split('?').next().unwrap_or("/").to_owned();
        let (status, body) = answer(&path).unwrap_or((503, String::new()));
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Simulated\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap_or_default();
    }
    Ok(())
}
