//! `kubectl get --raw`: lists, watches and the proxy to Services.

use serde_json::json;

use super::{LOOK, at_server, has_fields, reach};
use crate::clock::now;
use crate::cluster::{KINDS, has_labels, kind_of, select};
use crate::http::answer;
use crate::{Answer, Sim, fail, out, unknown};

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

pub(super) fn run(sim: &Sim, path: &str) -> Answer {
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
