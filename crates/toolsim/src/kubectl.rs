//! kubectl v1.36 at a simulated API server.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::now;
use crate::cluster::{KINDS, has_labels, key, kind_of, namespace_object, plural, put, remove, select, text};
use crate::http::{answer, serve};
use crate::world::{Profile, World};
use crate::{Answer, Sim, err, fail, out, unknown};

/// How often a watch and a followed log look at the world.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn run(sim: &Sim) -> Answer {
    let words = sim.args.words();
    match words[..] {
        ["version"] => version(sim),
        ["config", "view"] => config(sim),
        ["get"] => match sim.args.flag(&["--raw"]) {
            Some(path) => raw(sim, path),
            None => Err(unknown(&sim.args)),
        },
        ["get", kinds] => get(sim, kinds),
        ["get", kind, name] => get_one(sim, kind, name),
        ["apply"] => apply(sim),
        ["create", "namespace", name] => on_server(sim, |profile, _| {
            put(profile, "", namespace_object(name));
            Ok(vec![format!("namespace/{name} created")])
        }),
        ["delete", kind, name] => delete_one(sim, kind, name),
        ["delete", kinds] => delete(sim, kinds),
        ["logs", object] => logs(sim, object),
        ["exec", pod] => exec(sim, pod),
        ["port-forward", object, ports] => port_forward(sim, object, ports),
        ["auth", "can-i", ..] => at_server(sim, |_, _| Ok(vec!["yes".to_owned()])),
        ["top", "pods"] => top(sim),
        _ => Err(unknown(&sim.args)),
    }
}

/// What a call gives: lines for stdout, or words for stderr and exit code 1.
type Told = Result<Vec<String>, String>;

/// The cluster of the named context, if kubectl would reach it; the words are recorded.
fn reach<'a>(world: &'a World, context: &str) -> Result<&'a Profile, String> {
    let Some(profile) = world.profiles.get(context).filter(|p| p.kubeconfig) else {
        return Err(format!("Error in configuration: context was not found for specified context: {context}"));
    };
    if !profile.running || !profile.api_server {
        return Err(format!(
            "The connection to the server {}:8443 was refused - did you specify the right host or port?",
            profile.ip
        ));
    }
    Ok(profile)
}

/// Runs what changes objects.
fn on_server(sim: &Sim, run: impl FnOnce(&mut Profile, &str) -> Told) -> Answer {
    let (context, namespace) = place(sim);
    let told = sim.store.change(|world| {
        if let Err(words) = reach(world, context) {
            return Ok(Err(words));
        }
        Ok(world.profile(context).map_or_else(|| Ok(Vec::new()), |profile| run(profile, namespace)))
    })?;
    tell(told)
}

/// Runs what only reads them.
fn at_server(sim: &Sim, run: impl FnOnce(&Profile, &str) -> Told) -> Answer {
    let (context, namespace) = place(sim);
    tell(sim.store.look(|world| reach(world, context).and_then(|profile| run(profile, namespace)))?)
}

/// The context and the namespace of a call.
fn place(sim: &Sim) -> (&str, &str) {
    (sim.args.flag(&["--context"]).unwrap_or("minikube"), sim.args.flag(&["-n", "--namespace"]).unwrap_or("default"))
}

fn tell(told: Told) -> Answer {
    match told {
        Ok(lines) => {
            for line in lines {
                out(&line)?;
            }
            Ok(0)
        }
        Err(words) => fail(1, &words),
    }
}

fn version(sim: &Sim) -> Answer {
    let client = sim.store.look(|world| world.versions.kubernetes.clone())?;
    out(&json!({"clientVersion": {"major": "1", "gitVersion": client}, "kustomizeVersion": "v5.8.1"}).to_string())?;
    Ok(0)
}

fn config(sim: &Sim) -> Answer {
    let profiles = sim.store.look(|world| world.profiles.clone())?;
    let names: Vec<&String> = profiles.iter().filter(|(_, p)| p.kubeconfig).map(|(name, _)| name).collect();
    let contexts: Vec<Value> =
        names.iter().map(|n| json!({"name": n, "context": {"cluster": n, "user": n, "namespace": "default"}})).collect();
    let clusters: Vec<Value> =
        names.iter().map(|n| json!({"name": n, "cluster": {"server": format!("https://{}:8443", profiles[*n].ip)}})).collect();
    out(&json!({"kind": "Config", "apiVersion": "v1", "current-context": names.first(), "contexts": contexts, "clusters": clusters}).to_string())?;
    Ok(0)
}

fn selector(sim: &Sim) -> (String, String) {
    let flag = |names: &[&str]| sim.args.flag(names).unwrap_or_default().to_owned();
    (flag(&["-l", "--selector"]), flag(&["--field-selector"]))
}

/// `metadata.name=x,status.phase!=Running`
fn has_fields(object: &Value, selector: &str) -> bool {
    selector.split(',').filter(|part| !part.is_empty()).all(|part| {
        let (path, value, equal) = match part.split_once("!=") {
            Some((path, value)) => (path, value, false),
            None => part.split_once('=').map_or((part, "", true), |(path, value)| (path, value, true)),
        };
        (text(object, &format!("/{}", path.replace('.', "/"))) == value) == equal
    })
}

fn get(sim: &Sim, kinds: &str) -> Answer {
    let (labels, fields) = selector(sim);
    let everywhere = sim.args.has(&["-A", "--all-namespaces"]);
    let names_only = sim.args.flag(&["-o", "--output"]) == Some("name");
    at_server(sim, |profile, namespace| {
        let mut items = Vec::new();
        for kind in kinds.split(',') {
            let plural = plural(kind).ok_or_else(|| format!("error: the server doesn't have a resource type \"{kind}\""))?;
            items.extend(select(profile, plural, if everywhere { "" } else { namespace }, &labels));
        }
        items.retain(|item| has_fields(item, &fields));
        if names_only {
            return Ok(items.iter().map(full_name).collect());
        }
        Ok(vec![json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}).to_string()])
    })
}

fn full_name(object: &Value) -> String {
    let kind = text(object, "/kind").to_ascii_lowercase();
    let group = text(object, "/apiVersion").split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    format!("{kind}{group}/{}", text(object, "/metadata/name"))
}

fn missing(plural: &str, name: &str) -> String {
    let group = kind_of(plural).1.split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    format!("Error from server (NotFound): {plural}{group} \"{name}\" not found")
}

fn get_one(sim: &Sim, kind: &str, name: &str) -> Answer {
    at_server(sim, |profile, namespace| {
        let plural = plural(kind).ok_or_else(|| format!("error: the server doesn't have a resource type \"{kind}\""))?;
        let object = profile.objects.get(&key(namespace, plural, name)).ok_or_else(|| missing(plural, name))?;
        Ok(vec![object.to_string()])
    })
}

/// The part of a path after `?`, taken apart.
type Query = Vec<(String, String)>;

/// The plural, namespace and query of `/api/v1/namespaces/N/pods?…`.
fn resource(path: &str) -> Option<(&'static str, String, Query)> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = &parts[..] else { return None };
    let (namespace, plural) = match rest {
        ["namespaces", namespace, plural] => (*namespace, *plural),
        [plural] => ("", *plural),
        _ => return None,
    };
    let plural = KINDS.iter().find(|(p, ..)| *p == plural).map(|(p, ..)| *p)?;
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), decode(v))).collect();
    Some((plural, namespace.to_owned(), query))
}

fn decode(text: &str) -> String {
    text.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/")
}

fn raw(sim: &Sim, path: &str) -> Answer {
    if path == "/version" {
        return at_server(sim, |profile, _| Ok(vec![json!({"major": "1", "gitVersion": profile.kubernetes}).to_string()]));
    }
    if path == "/readyz" || path == "/livez" || path == "/healthz" {
        return at_server(sim, |_, _| Ok(vec!["ok".to_owned()]));
    }
    if path.contains("/proxy") {
        return proxy(sim, path);
    }
    let Some((plural, namespace, query)) = resource(path) else { return Err(unknown(&sim.args)) };
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    if ["1", "true"].contains(&value("watch").as_str()) {
        return watch(sim, plural, &namespace, &query);
    }
    at_server(sim, |profile, _| {
        let mut items = select(profile, plural, &namespace, &value("labelSelector"));
        items.retain(|item| has_fields(item, &value("fieldSelector")));
        for item in &mut items {
            // A list names kind and version once, for all.
            if let Some(fields) = item.as_object_mut() {
                fields.remove("kind");
                fields.remove("apiVersion");
            }
        }
        let (kind, version, _) = kind_of(plural);
        let list = json!({"kind": format!("{kind}List"), "apiVersion": version, "metadata": {"resourceVersion": profile.resource_version.to_string()}, "items": items});
        Ok(vec![list.to_string()])
    })
}

/// A watch: the changes since a resource version, as they come, until its time is over or the API server goes away.
fn watch(sim: &Sim, plural: &str, namespace: &str, query: &[(String, String)]) -> Answer {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let until = value("timeoutSeconds").parse::<u64>().ok().map(|seconds| now() + seconds * 1000);
    let labels = value("labelSelector").to_owned();
    let mut since: u64 = value("resourceVersion").parse().unwrap_or_default();
    let context = sim.args.flag(&["--context"]).unwrap_or("minikube");
    let mut seen = None;
    loop {
        // Nothing has changed: no need to read it again, unless pods are about to get ready by themselves.
        let stamp = sim.store.stamp();
        if stamp.is_some() && stamp == seen && until.is_none_or(|until| now() < until) {
            std::thread::sleep(LOOK);
            continue;
        }
        let news = sim.store.look(|world| {
            seen = stamp.filter(|_| world.is_settled());
            reach(world, context).map(|profile| {
                let oldest = profile.changes.first().map_or(1, |change| change.version);
                let expired = since + 1 < oldest && since < profile.resource_version;
                let mine = |key: &str| {
                    let (space, rest) = key.split_once('/').unwrap_or_default();
                    rest.starts_with(&format!("{plural}/")) && (namespace.is_empty() || space == namespace)
                };
                let lines: Vec<String> = profile
                    .changes
                    .iter()
                    .filter(|change| change.version > since && mine(&change.key) && has_labels(&change.object, &labels))
                    .map(|change| json!({"type": change.r#type, "object": change.object}).to_string())
                    .collect();
                (expired, profile.resource_version, lines)
            })
        })?;
        match news {
            Ok((true, newest, _)) => {
                let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": format!("too old resource version: {since} ({newest})"), "reason": "Expired", "code": 410});
                out(&json!({"type": "ERROR", "object": status}).to_string())?;
                return Ok(0);
            }
            Ok((false, newest, lines)) => {
                since = newest;
                for line in lines {
                    out(&line)?;
                }
            }
            // The connection closes; kubectl exits 0.
            Err(_) => return Ok(0),
        }
        if until.is_some_and(|until| now() >= until) {
            return Ok(0);
        }
        std::thread::sleep(LOOK);
    }
}

/// `/api/v1/namespaces/N/services/[http:]NAME[:PORT]/proxy/PATH`
fn proxy(sim: &Sim, path: &str) -> Answer {
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(8, '/').collect();
    let ["api", "v1", "namespaces", namespace, "services", name, "proxy", ref rest @ ..] = parts[..] else {
        return Err(unknown(&sim.args));
    };
    let service = name.trim_start_matches("http:").split(':').next().unwrap_or_default();
    let context = sim.args.flag(&["--context"]).unwrap_or("minikube");
    let told = sim.store.look(|world| {
        reach(world, context)?;
        let answered =
            world.profiles.get(context).and_then(|p| answer(world, p, namespace, service, rest.first().unwrap_or(&"")));
        answered.ok_or_else(|| {
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request".to_owned()
        })
    })?;
    match told {
        Ok((200..=299, body)) => {
            out(&body)?;
            Ok(0)
        }
        Ok((code, body)) => fail(
            1,
            &format!(
                "Error from server (InternalError): an error on the server (\"{body}\") has prevented the request from succeeding ({code})"
            ),
        ),
        Err(words) => fail(1, &words),
    }
}

fn apply(sim: &Sim) -> Answer {
    let text_in = String::from_utf8_lossy(&sim.stdin).into_owned();
    let mut objects = Vec::new();
    for document in text_in.split("\n---").map(|d| d.trim_start_matches("---")).filter(|d| !d.trim().is_empty()) {
        match serde_saphyr::from_str::<Value>(document) {
            Ok(value) => match value.get("items").and_then(Value::as_array) {
                Some(items) => objects.extend(items.iter().cloned()),
                None => objects.push(value),
            },
            Err(error) => return fail(1, &format!("error: error parsing STDIN: {error}")),
        }
    }
    if objects.is_empty() {
        return fail(1, "error: no objects passed to apply");
    }
    let on_server_side = sim.args.has(&["--server-side"]);
    on_server(sim, |profile, namespace| {
        let mut lines = Vec::new();
        for mut object in objects {
            let name = full_name(&object);
            let kind = plural(text(&object, "/kind"))
                .ok_or_else(|| format!("error: no matches for kind \"{}\"", text(&object, "/kind")))?;
            let space =
                if text(&object, "/metadata/namespace").is_empty() { namespace } else { text(&object, "/metadata/namespace") }
                    .to_owned();
            if kind_of(kind).2 && !profile.objects.contains_key(&format!("/namespaces/{space}")) {
                return Err(format!("Error from server (NotFound): namespaces \"{space}\" not found"));
            }
            encode_secret(&mut object);
            let done = put(profile, &space, object);
            lines.push(format!("{name} {}", if on_server_side { "serverside-applied" } else { done }));
        }
        Ok(lines)
    })
}

/// The API server keeps `stringData` as base64 in `data`.
fn encode_secret(object: &mut Value) {
    let Some(strings) = object.as_object_mut().and_then(|o| o.remove("stringData")) else { return };
    for (name, value) in strings.as_object().into_iter().flatten() {
        object["data"][name] = json!(base64(value.as_str().unwrap_or_default().as_bytes()));
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn delete_one(sim: &Sim, kind: &str, name: &str) -> Answer {
    let ignore = sim.args.has(&["--ignore-not-found"]);
    on_server(sim, |profile, namespace| {
        let plural = plural(kind).ok_or_else(|| format!("error: the server doesn't have a resource type \"{kind}\""))?;
        let at = key(namespace, plural, name);
        let object = profile.objects.get(&at).cloned();
        match object {
            Some(object) => {
                remove(profile, &at);
                Ok(vec![full_name(&object)])
            }
            None if ignore => Ok(Vec::new()),
            None => Err(missing(plural, name)),
        }
    })
}

fn delete(sim: &Sim, kinds: &str) -> Answer {
    let (labels, fields) = selector(sim);
    if labels.is_empty() && fields.is_empty() {
        return fail(1, "error: resource(s) were provided, but no name was specified");
    }
    on_server(sim, |profile, namespace| {
        let mut lines = Vec::new();
        for kind in kinds.split(',') {
            let plural = plural(kind).ok_or_else(|| format!("error: the server doesn't have a resource type \"{kind}\""))?;
            for object in select(profile, plural, namespace, &labels).iter().filter(|o| has_fields(o, &fields)) {
                remove(profile, &key(namespace, plural, text(object, "/metadata/name")));
                lines.push(full_name(object));
            }
        }
        Ok(lines)
    })
}

/// The pod that `pod`, `pod/NAME` or `deployment/NAME` means.
fn pod_of(profile: &Profile, namespace: &str, object: &str) -> Result<Value, String> {
    let (kind, name) = object.split_once('/').unwrap_or(("pods", object));
    let plural = plural(kind).ok_or_else(|| format!("error: the server doesn't have a resource type \"{kind}\""))?;
    if plural == "pods" {
        return profile.objects.get(&key(namespace, plural, name)).cloned().ok_or_else(|| missing(plural, name));
    }
    let owner = profile.objects.get(&key(namespace, plural, name)).ok_or_else(|| missing(plural, name))?;
    let wanted = match plural {
        "services" => &owner["spec"]["selector"],
        _ => &owner["spec"]["selector"]["matchLabels"],
    };
    let chosen = |pod: &Value| {
        wanted
            .as_object()
            .is_some_and(|labels| labels.iter().all(|(name, value)| pod["metadata"]["labels"].get(name) == Some(value)))
    };
    let pods = select(profile, "pods", namespace, "");
    pods.into_iter().find(chosen).ok_or_else(|| format!("error: no pods found for {object}"))
}

fn logs(sim: &Sim, object: &str) -> Answer {
    let broken = sim.store.look(|world| world.broken.clone())?;
    let tail: Option<usize> = sim.args.flag(&["--tail"]).and_then(|n| n.parse().ok());
    let code = at_server(sim, |profile, namespace| {
        let pod = pod_of(profile, namespace, object)?;
        let container = sim.args.flag(&["-c", "--container"]).unwrap_or_else(|| text(&pod, "/spec/containers/0/name"));
        let log = match broken.get(container) {
            Some(broken) => broken.log.clone(),
            None => format!("{container} listening\nready"),
        };
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        let skip = lines.len().saturating_sub(tail.unwrap_or(usize::MAX));
        Ok(lines.into_iter().skip(skip).collect())
    })?;
    if code == 0 && sim.args.has(&["-f", "--follow"]) {
        // Nothing more is ever said; it is ended from outside.
        loop {
            std::thread::sleep(LOOK);
        }
    }
    Ok(code)
}

/// A command in a container: one that asks a Service by its name (`http://NAME:PORT/PATH`) is answered as the Service would,
/// others are only echoed.
fn exec(sim: &Sim, pod: &str) -> Answer {
    let command = sim.args.rest().join(" ");
    let found = at_server(sim, |profile, namespace| pod_of(profile, namespace, pod).map(|_| Vec::new()))?;
    if found != 0 {
        return Ok(found);
    }
    let (context, namespace) = place(sim);
    let Some((_, rest)) = command.split_once("http://") else {
        out(&format!("(simulated) {command}"))?;
        return Ok(0);
    };
    let url = rest.split(['\'', '"', ' ', ')']).next().unwrap_or_default();
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    let service = host.split([':', '.']).next().unwrap_or_default();
    match sim.store.look(|world| world.profiles.get(context).and_then(|p| answer(world, p, namespace, service, path)))? {
        Some((200..=399, body)) => {
            out(&body)?;
            Ok(0)
        }
        Some((status, _)) => fail(22, &format!("HTTP status {status}\ncommand terminated with exit code 22")),
        None => fail(7, &format!("connect ECONNREFUSED {host}\ncommand terminated with exit code 7")),
    }
}

/// A real local port that answers as the Service would.
fn port_forward(sim: &Sim, object: &str, ports: &str) -> Answer {
    let (local, remote) = ports.split_once(':').unwrap_or((ports, ports));
    let code = at_server(sim, |profile, namespace| pod_of(profile, namespace, object).map(|_| Vec::new()))?;
    if code != 0 {
        return Ok(code);
    }
    let local: u16 = local.parse().unwrap_or_default();
    let Ok(listener) = TcpListener::bind(("127.0.0.1", local)) else {
        err(&format!(
            "Unable to listen on port {local}: Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4 127.0.0.1:{local}: bind: address already in use]"
        ))?;
        return fail(1, &format!("error: unable to listen on any of the requested ports: [{{{local} {remote}}}]"));
    };
    out(&format!("Forwarding from 127.0.0.1:{} -> {remote}", listener.local_addr()?.port()))?;
    let service = object.split_once('/').map_or(object, |(_, name)| name);
    let context = sim.args.flag(&["--context"]).unwrap_or("minikube");
    let namespace = sim.args.flag(&["-n", "--namespace"]).unwrap_or("default");
    let tell = |path: &str| {
        let told = sim.store.look(|world| world.profiles.get(context).and_then(|p| answer(world, p, namespace, service, path)));
        told.ok().flatten()
    };
    serve(&listener, || true, tell)?;
    Ok(0)
}

fn top(sim: &Sim) -> Answer {
    let (labels, _) = selector(sim);
    at_server(sim, |profile, namespace| {
        if profile.addons.get("metrics-server") != Some(&true) {
            return Err("error: Metrics API not available".to_owned());
        }
        let pods = select(profile, "pods", namespace, &labels);
        let rows = pods.iter().flat_map(|pod| {
            let name = text(pod, "/metadata/name").to_owned();
            let containers = pod.pointer("/spec/containers").and_then(Value::as_array).cloned().unwrap_or_default();
            containers.into_iter().map(move |c| format!("{name}   {}   3m   40Mi", text(&c, "/name")))
        });
        Ok(rows.collect())
    })
}
