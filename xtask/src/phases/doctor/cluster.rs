//! The cluster: its profile against xtask.toml, the way to it, and what its node says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plan::catalogue::{codes, finding};
use plan::config::{Access, Amount, Cluster};
use plan::finding::{Class, Finding};
use plan::invocation::{Invocation, Tool};
use plan::objects::{Objects, number, text};
use plan::snapshot::ClusterState;
use report::text::size_binary;
use serde_json::Value;
use tools::docker::{self, Endpoint};
use tools::kubectl;
use tools::minikube::{self, Disk, Profile};

use super::{Check, as_warning, warning};
use crate::context::Context;
use crate::{failure, look, marker, observe};

/// From here on the node's disk is worth a word (percent): the kubelet evicts pods at 85 by default, minikube switches that off.
const DISK_FULL: u64 = 85;
/// Clocks further apart than this break tokens and certificates (seconds).
const CLOCK_SKEW: i64 = 30;

/// The profile: what it is, and where it is not what xtask.toml says; with the address of its node.
pub(super) fn profile(cx: &Context, state: &Result<ClusterState, Finding>) -> (Vec<Check>, Option<String>) {
    let name = cx.profile();
    let state = match state {
        Ok(state) => state,
        Err(found) => return (vec![Check::new("cluster").found([found.clone()])], None),
    };
    let check = match state {
        ClusterState::Missing => {
            return (vec![Check::new("cluster").fine(format!("no profile `{name}` yet: cargo xtask setup creates it"))], None);
        }
        ClusterState::Running => Check::new("cluster").fine(format!("cluster {name} runs")),
        // A cluster that rests is no problem: the next deploy starts it.
        ClusterState::Stopped | ClusterState::Paused => {
            Check::new("cluster").found([as_warning(look::not_running(&name, state))])
        }
        other => Check::new("cluster").found([look::not_running(&name, other)]),
    };
    let mut checks = vec![check];
    let check = Check::new("profile");
    let mut address = None;
    checks.push(match minikube::profiles(&cx.runner) {
        Err(error) => check.found([failure::finding(cx, &error)]),
        Ok(all) => match all.get(&name) {
            None => check.found(all.invalid.contains(&name).then(|| {
                finding(codes::NODE_MISSING, &name, format!("minikube can't read its profile `{name}`"))
                    .remedy("make it anew; what was in it is gone already", format!("minikube delete -p {name}"))
            })),
            Some(profile) => {
                address = profile.nodes.first().map(|node| node.ip.clone()).filter(|ip| !ip.is_empty());
                let differs = differences(&cx.config.cluster, profile, marker::is_ours(cx));
                let check = match differs {
                    Some(found) => check.found([found]),
                    None => check.fine(format!(
                        "{} cpus, {}, {}",
                        profile.cpus,
                        size_binary(profile.memory_mib << 20),
                        profile.runtime
                    )),
                };
                check.found(kubernetes_range(cx, profile))
            }
        },
    });
    (checks, address)
}

fn kubernetes_range(cx: &Context, profile: &Profile) -> Option<Finding> {
    let range = &cx.config.tools.kubernetes;
    let version = profile.kubernetes_version.parse().ok()?;
    (!range.contains(&version)).then(|| {
        finding(
            codes::K8S_VERSION,
            &profile.name,
            format!("kubernetes {version} of profile `{}` is outside of the range `{range}` of xtask.toml", profile.name),
        )
        .advice("set `cluster.kubernetes` in xtask.toml and make the cluster anew")
    })
}

/// Where the profile is not what xtask.toml asks for, as one warning: an existing profile works as it is and is never restarted for it.
pub(in crate::phases) fn differences(asked: &Cluster, profile: &Profile, ours: bool) -> Option<Finding> {
    let mut differs: Vec<(&str, String, String, String)> = Vec::new();
    let mut compare = |key, is: String, wanted: String, written: String| {
        if is != wanted {
            differs.push((key, is, wanted, written));
        }
    };
    if let Some(driver) = &asked.driver {
        compare("driver", profile.driver.clone(), driver.clone(), format!("\"{}\"", profile.driver));
    }
    compare("runtime", profile.runtime.clone(), asked.runtime.to_string(), format!("\"{}\"", profile.runtime));
    if let Amount::Fixed(cpus) = asked.cpus {
        compare("cpus", profile.cpus.to_string(), cpus.to_string(), profile.cpus.to_string());
    }
    if let Amount::Fixed(memory) = asked.memory {
        let is = profile.memory_mib << 20;
        compare("memory", size_binary(is), size_binary(memory), format!("\"{}MiB\"", profile.memory_mib));
    }
    if let Some(version) = &asked.kubernetes {
        let is = profile.kubernetes_version.trim_start_matches('v').to_owned();
        compare("kubernetes", is.clone(), version.to_string(), format!("\"{is}\""));
    }
    let name = &profile.name;
    let keys: Vec<&str> = differs.iter().map(|(key, ..)| *key).collect();
    let first = keys.first()?;
    let cause =
        format!("profile `{name}` has another {} than xtask.toml asks for; it works as it is, if the pods fit", keys.join(", "));
    let mut found = finding(codes::PROFILE_DIFFERS, *first, cause);
    for (key, is, wanted, _) in &differs {
        found = found.evidence(format!("cluster.{key}"), format!("{wanted} in xtask.toml, {is} in the profile"));
    }
    let keep: Vec<String> = differs.iter().map(|(key, _, _, written)| format!("`cluster.{key} = {written}`")).collect();
    found = found.advice(format!("keep the cluster: set {} in xtask.toml", keep.join(", ")));
    // What can't be changed is made anew, and only what this project made is removed by its own cleanup.
    let remove = if ours { "cargo xtask cleanup --scope cluster".to_owned() } else { format!("minikube delete -p {name}") };
    Some(found.remedy("make it anew by cargo xtask setup, after everything in it was deleted", remove))
}

/// The entry in the kubeconfig.
pub(super) fn kubeconfig(cx: &Context, state: &Result<ClusterState, Finding>) -> Vec<Check> {
    let name = cx.profile();
    let exists = state.as_ref().is_ok_and(|s| *s != ClusterState::Missing);
    let check = Check::new("kubeconfig");
    let view = match kubectl::config_view(&cx.runner) {
        Ok(view) => view,
        Err(error) => return vec![check.found([failure::finding(cx, &error)])],
    };
    let contexts = view.pointer("/contexts").and_then(Value::as_array);
    let known = contexts.into_iter().flatten().any(|c| text(c, "/name") == name);
    vec![match (known, exists) {
        (true, true) => check.fine(format!("context {name}")),
        (false, true) => check.found([finding(
            codes::CONTEXT_MISSING,
            &name,
            format!("the kubeconfig has no context `{name}`, the profile exists"),
        )
        .remedy("write it again", format!("minikube -p {name} update-context"))]),
        // minikube leaves one behind when it is deleted by force; the next start overwrites it.
        (true, false) => check.found([warning(
            codes::CONTEXT_NOT_PROFILE,
            Class::Cluster,
            &name,
            format!("the kubeconfig has a context `{name}`, but there is no such profile: it may be another cluster's"),
        )
        .advice("name another `cluster.profile` in xtask.toml if it is; `cargo xtask setup` would overwrite it")]),
        (false, false) => check,
    }]
}

/// What the API server and the node's docker say.
pub(super) fn inside(cx: &Context) -> Vec<Check> {
    let check = Check::new("node");
    let nodes = match kubectl::get_raw(&cx.runner, &cx.profile(), "/api/v1/nodes") {
        Ok(list) => items(&list, "Node"),
        Err(error) => return vec![check.found([failure::finding(cx, &error)])],
    };
    let objects = Objects::new(nodes);
    let Some(node) = observe::node(&objects, &cx.profile()) else {
        return vec![check.found([observe::not_this_profile(cx, &objects)])];
    };
    let mut checks = vec![check.fine(format!("kubernetes {}", node.kubelet.trim_start_matches('v')))];
    cx.update(|world| world.node = Some(node));
    let check = Check::new("docker");
    checks.push(match look::builder(cx) {
        Err(found) => check.found([found]),
        Ok(builder) => match docker::info(&cx.runner, &builder) {
            Ok(info) => {
                let place =
                    if builder == Endpoint::Host { "on this machine builds, the node has containerd" } else { "in the node" };
                check.fine(format!("docker {} {place}", info.server_version))
            }
            Err(error) => check.found([failure::finding(cx, &error)]),
        },
    });
    checks.push(node_port(cx));
    checks
}

fn items(list: &Value, kind: &str) -> Vec<Value> {
    let mut items = list.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.insert("kind".to_owned(), Value::from(kind));
    }
    items
}

/// Whether the node port belongs to a Service of another namespace.
fn node_port(cx: &Context) -> Check {
    let check = Check::new("port");
    if cx.public().access == Access::Ingress || cx.public_service().is_none() {
        return check;
    }
    let port = cx.public().node_port;
    let services = match kubectl::get_raw(&cx.runner, &cx.profile(), "/api/v1/services") {
        Ok(list) => items(&list, "Service"),
        Err(error) => return check.found([failure::finding(cx, &error)]),
    };
    check.found(port_taken(&services, port, &cx.config.namespace))
}

fn port_taken(services: &[Value], port: u16, namespace: &str) -> Option<Finding> {
    let has = |s: &&Value| {
        s.pointer("/spec/ports")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|p| number(p, "/nodePort") == i64::from(port))
    };
    let taken = services.iter().filter(|s| text(s, "/metadata/namespace") != namespace).find(has)?;
    let (name, other) = (text(taken, "/metadata/name"), text(taken, "/metadata/namespace"));
    Some(
        finding(
            codes::NODEPORT_TAKEN,
            format!("service/{name}"),
            format!("node port {port} is taken by Service `{name}` in namespace `{other}`"),
        )
        .advice("set another `public.node_port` (30000 to 32767) in xtask.toml, or remove that Service"),
    )
}

/// The room on the node.
pub(super) fn disk(cx: &Context) -> Check {
    let check = Check::new("disk");
    match minikube::disk(&cx.runner, &cx.profile()) {
        Err(error) => check.found([as_warning(failure::finding(cx, &error))]),
        Ok(disk) => match nearly_full(&disk, &cx.profile()) {
            Some(found) => check.found([found]),
            None => check.fine(format!("disk of the node {} % full, {} free", percent(&disk), size_binary(disk.available))),
        },
    }
}

/// As df counts it: reserved blocks are nobody's.
fn percent(disk: &Disk) -> u64 {
    let all = disk.used + disk.available;
    if all == 0 { 100 } else { (disk.used * 100).div_ceil(all) }
}

fn nearly_full(disk: &Disk, profile: &str) -> Option<Finding> {
    let percent = percent(disk);
    (percent >= DISK_FULL).then(|| {
        warning(
            codes::NODE_DISK_FULL,
            Class::Cluster,
            "disk",
            format!("the disk of the node is {percent} % full, {} are free", size_binary(disk.available)),
        )
        .remedy("remove the images of this project that no pod uses", "cargo xtask cleanup --scope images")
        .remedy("remove everything that no container uses", format!("minikube -p {profile} ssh -- docker system prune"))
    })
}

/// The node's clock against this one.
pub(super) fn clock(cx: &Context) -> Check {
    let check = Check::new("clock");
    let call = Invocation::new(Tool::Minikube, "read the clock of the node", Duration::from_secs(20)).args([
        "-p",
        &cx.profile(),
        "ssh",
        "--",
        "date",
        "-u",
        "+%s",
    ]);
    let before = unix_seconds();
    let Ok(output) = cx.runner.capture(&call) else { return check };
    let after = unix_seconds();
    // A node that does not say is no finding: the disk check has asked the same way and says why.
    let Ok(there) = output.stdout.trim().parse::<i64>() else { return check };
    check.found(skewed(before, there, after))
}

/// Within the time that the question took, every answer is right.
fn skewed(before: i64, there: i64, after: i64) -> Option<Finding> {
    let off = if there < before { there - before } else { (there - after).max(0) };
    (off.abs() > CLOCK_SKEW).then(|| {
        let way = if off < 0 { "behind" } else { "ahead" };
        warning(
            codes::CERT_TIME,
            Class::Cluster,
            "clock",
            format!("the clock of the node is {} s {way}: tokens and certificates will be refused", off.abs()),
        )
        .advice("after sleep restart Docker Desktop, or run `wsl --shutdown`; else set the clock of this machine")
    })
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use plan::config::Runtime;
    use serde_json::json;

    use super::*;

    fn cluster() -> Cluster {
        Cluster {
            profile: "minikube".into(),
            driver: Some("docker".into()),
            runtime: Runtime::Docker,
            cpus: Amount::Fixed(4),
            memory: Amount::Fixed(8 << 30),
            disk: Amount::Auto,
            kubernetes: Some("1.36.2".parse().unwrap()),
            start_args: Vec::new(),
        }
    }

    fn profile() -> Profile {
        Profile {
            name: "minikube".into(),
            status: "Skipped".into(),
            driver: "docker".into(),
            runtime: "docker".into(),
            cpus: 4,
            memory_mib: 8192,
            disk_mb: 20000,
            kubernetes_version: "v1.36.2".into(),
            base_image: String::new(),
            exposed_ports: Vec::new(),
            nodes: Vec::new(),
            addons: std::collections::BTreeMap::new(),
            active: true,
            active_kube_context: true,
        }
    }

    #[test]
    fn a_profile_that_differs_is_a_warning_that_names_each_difference() {
        assert_eq!(differences(&cluster(), &profile(), true), None);
        let auto = Cluster { cpus: Amount::Auto, memory: Amount::Auto, driver: None, kubernetes: None, ..cluster() };
        assert_eq!(differences(&auto, &Profile { cpus: 2, memory_mib: 2200, driver: "kvm2".into(), ..profile() }, true), None);
        let found =
            differences(&cluster(), &Profile { cpus: 2, memory_mib: 6026, runtime: "containerd".into(), ..profile() }, false)
                .unwrap();
        assert_eq!((found.code, found.severity), (codes::PROFILE_DIFFERS, plan::finding::Severity::Warning));
        let told: Vec<String> = found.evidence.iter().map(|e| format!("{} {}", e.source, e.text)).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        cluster.runtime docker in xtask.toml, containerd in the profile
        cluster.cpus 4 in xtask.toml, 2 in the profile
        cluster.memory 8 GiB in xtask.toml, 5.9 GiB in the profile
        ");
        // A cluster that somebody else made is not for our cleanup.
        assert_eq!(found.remedies.last().unwrap().command.as_deref(), Some("minikube delete -p minikube"));
    }

    #[test]
    fn the_disk_is_counted_as_df_does() {
        let disk = |used: u64, available: u64| Disk { total: used + available + 7, used, available };
        for (used, available, shown, full) in
            [(38, 62, 38, false), (84, 16, 84, false), (841, 159, 85, true), (100, 0, 100, true), (0, 0, 100, true)]
        {
            assert_eq!((percent(&disk(used, available)), nearly_full(&disk(used, available), "p").is_some()), (shown, full));
        }
    }

    #[test]
    fn clocks_within_the_time_of_the_question_agree() {
        for (before, there, after, off) in [
            (100, 100, 101, false),
            (100, 130, 101, false),
            (100, 132, 101, true),
            (100, 70, 101, false),
            (100, 69, 101, true),
            (100, 160, 140, false),
        ] {
            assert_eq!(skewed(before, there, after).is_some(), off, "{before} {there} {after}");
        }
    }

    #[test]
    fn a_node_port_of_another_namespace_is_taken_and_our_own_is_not() {
        let service = |namespace: &str, port: u16| json!({"kind": "Service", "metadata": {"name": "web", "namespace": namespace}, "spec": {"ports": [{"port": 80, "nodePort": port}]}});
        let services = [service("todo", 30300), service("other", 30301)];
        assert_eq!(port_taken(&services, 30300, "todo"), None);
        assert_eq!(port_taken(&services, 30302, "todo"), None);
        assert_eq!(
            port_taken(&services, 30301, "todo").unwrap().cause,
            "node port 30301 is taken by Service `web` in namespace `other`"
        );
    }
}
