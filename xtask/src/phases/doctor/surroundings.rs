//! Variables of the shell that change what the tools do: leftovers and proxies. Values are not shown: a proxy's may hold a password.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use plan::catalogue::codes;
use plan::finding::{Class, Finding};

use super::{Check, warning};

/// minikube's variables that are no flags of `start`.
const HARMLESS: [&str; 7] = [
    "MINIKUBE_HOME",
    "MINIKUBE_ACTIVE_DOCKERD",
    "MINIKUBE_ACTIVE_PODMAN",
    "MINIKUBE_IN_STYLE",
    "MINIKUBE_WANTUPDATENOTIFICATION",
    "MINIKUBE_SUPPRESS_DOCKER_PERFORMANCE",
    "MINIKUBE_SKIP_TIMEOUT",
];

/// Leftovers of other work in this shell.
pub(super) fn variables(env: &BTreeMap<String, String>, profile: &str) -> Check {
    let set = |name: &str| env.get(name).filter(|v| !v.is_empty());
    let mut found: Vec<Finding> = Vec::new();
    let mut check = Check::new("shell");
    if set("MINIKUBE_ACTIVE_DOCKERD").is_some() {
        found.push(
            warning(codes::DOCKER_ENV, Class::Cluster, "MINIKUBE_ACTIVE_DOCKERD", "docker in this shell talks to the node (`minikube docker-env`); cargo xtask undoes that for itself, you may not expect it")
                .remedy("", unset(&["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "MINIKUBE_ACTIVE_DOCKERD"])),
        );
    } else if set("DOCKER_HOST").is_some_and(|v| v.starts_with("tcp://")) {
        found.push(
            warning(
                codes::DOCKER_TLS,
                Class::Prerequisite,
                "DOCKER_HOST",
                "DOCKER_HOST points docker to another machine: minikube would make its cluster there",
            )
            .remedy("if it is a leftover", unset(&["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"])),
        );
    } else if set("DOCKER_HOST").is_some() || set("DOCKER_CONTEXT").is_some() {
        check = check.fine("docker by DOCKER_HOST or DOCKER_CONTEXT");
    }
    if let Some(other) = set("MINIKUBE_PROFILE").filter(|other| *other != profile) {
        found.push(
            warning(
                codes::MINIKUBE_USAGE,
                Class::Cluster,
                "MINIKUBE_PROFILE",
                format!(
                    "MINIKUBE_PROFILE is `{other}`, xtask.toml uses `{profile}`: minikube commands that you type go to `{other}`"
                ),
            )
            .remedy("", unset(&["MINIKUBE_PROFILE"])),
        );
    }
    let flags: Vec<&str> = env
        .iter()
        .filter(|(name, value)| name.starts_with("MINIKUBE_") && !value.is_empty())
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != "MINIKUBE_PROFILE" && !HARMLESS.contains(name) && !name.starts_with("MINIKUBE_EXISTING_"))
        .collect();
    if let Some(first) = flags.first() {
        found.push(
            warning(
                codes::MINIKUBE_USAGE,
                Class::Cluster,
                first,
                format!("minikube takes {} for flags of `start`", flags.join(", ")),
            )
            .remedy("if that is not meant", unset(&flags)),
        );
    }
    check.found(found)
}

/// Proxies that would be asked for the node's address.
pub(super) fn proxies(env: &BTreeMap<String, String>, node: &str) -> Check {
    let check = Check::new("proxy");
    let named = |name: &str| env.get(name).or_else(|| env.get(&name.to_lowercase())).filter(|v| !v.is_empty());
    let proxies: Vec<&str> = ["HTTP_PROXY", "HTTPS_PROXY"].into_iter().filter(|name| named(name).is_some()).collect();
    if proxies.is_empty() {
        return check;
    }
    let exceptions = named("NO_PROXY").map(String::as_str).unwrap_or_default();
    if is_excepted(node, exceptions) {
        return check.fine("proxy, with the node in NO_PROXY");
    }
    let network = node
        .parse::<Ipv4Addr>()
        .map_or_else(|_| node.to_owned(), |ip| format!("{}.{}.{}.0/24", ip.octets()[0], ip.octets()[1], ip.octets()[2]));
    let list = [exceptions, &network, "10.96.0.0/12", "localhost", "127.0.0.1"]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(",");
    check.found([warning(
        codes::NETWORK,
        Class::Prerequisite,
        "NO_PROXY",
        format!(
            "{} set, and NO_PROXY does not name the node ({node}): its API server would be asked through the proxy",
            if proxies.len() == 1 { format!("{} is", proxies[0]) } else { format!("{} are", proxies.join(" and ")) }
        ),
    )
    .remedy("", assign("NO_PROXY", &list))])
}

/// As Go reads `NO_PROXY`: addresses, networks, `*`.
fn is_excepted(node: &str, exceptions: &str) -> bool {
    exceptions.split(',').map(str::trim).any(|entry| entry == "*" || entry == node || in_network(node, entry))
}

fn in_network(address: &str, network: &str) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(address), Ok(base), Ok(bits)) = (address.parse::<Ipv4Addr>(), base.parse::<Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    let mask = if bits == 0 { 0 } else { u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(u32::MAX) };
    bits <= 32 && (u32::from(address) & mask) == (u32::from(base) & mask)
}

/// For this system's shell.
fn unset(names: &[&str]) -> String {
    if cfg!(windows) {
        format!("Remove-Item {}", names.iter().map(|n| format!("Env:{n}")).collect::<Vec<_>>().join(", "))
    } else {
        format!("unset {}", names.join(" "))
    }
}

fn assign(name: &str, value: &str) -> String {
    if cfg!(windows) { format!("$env:{name} = \"{value}\"") } else { format!("export {name}={value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn leftovers_are_named_and_ordinary_settings_are_not() {
        let codes = |pairs: &[(&str, &str)]| {
            variables(&env(pairs), "minikube").findings.iter().map(|f| f.subject.clone()).collect::<Vec<_>>()
        };
        for (pairs, expected) in [
            (vec![("HOME", "/h"), ("MINIKUBE_HOME", "/m"), ("MINIKUBE_PROFILE", "minikube")], vec![]),
            (
                vec![
                    ("MINIKUBE_ACTIVE_DOCKERD", "minikube"),
                    ("DOCKER_HOST", "tcp://192.168.49.2:2376"),
                    ("MINIKUBE_EXISTING_DOCKER_HOST", "x"),
                ],
                vec!["MINIKUBE_ACTIVE_DOCKERD"],
            ),
            (vec![("DOCKER_HOST", "tcp://10.0.0.7:2376")], vec!["DOCKER_HOST"]),
            (vec![("DOCKER_HOST", "unix:///run/user/1000/docker.sock")], vec![]),
            (vec![("MINIKUBE_PROFILE", "other"), ("MINIKUBE_MEMORY", "2g")], vec!["MINIKUBE_PROFILE", "MINIKUBE_MEMORY"]),
        ] {
            assert_eq!(codes(&pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_proxy_needs_the_node_as_an_exception_and_is_never_shown() {
        for (pairs, fine) in [
            (vec![], true),
            (vec![("HTTP_PROXY", "http://u:canary@proxy:3128")], false),
            (vec![("https_proxy", "http://u:canary@proxy:3128"), ("no_proxy", "localhost, 192.168.49.0/24")], true),
            (vec![("HTTPS_PROXY", "http://u:canary@proxy:3128"), ("NO_PROXY", "192.168.0.0/24,example.com")], false),
            (vec![("HTTPS_PROXY", "http://u:canary@proxy:3128"), ("NO_PROXY", "*")], true),
        ] {
            let check = proxies(&env(&pairs), "192.168.49.2");
            assert_eq!(check.findings.is_empty(), fine, "{pairs:?}");
            assert!(!format!("{check:?}").contains("canary"));
        }
    }
}
