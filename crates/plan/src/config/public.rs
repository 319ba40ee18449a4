//! `[public]`: which service a browser talks to, and how it gets there.

use std::collections::BTreeMap;

use super::names;
use super::service::Service;
use super::table::Table;

pub(super) const KEYS: &[&str] = &["service", "access", "node_port", "local_port", "host", "ingress_class"];

/// The names of [`Access`] in xtask.toml.
pub(super) const ACCESS: [(&str, Access); 4] = [
    (Access::Auto.as_str(), Access::Auto),
    (Access::NodePort.as_str(), Access::NodePort),
    (Access::PortForward.as_str(), Access::PortForward),
    (Access::Ingress.as_str(), Access::Ingress),
];

/// How the public service is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// The node port where this machine reaches the node, else a port-forward.
    #[default]
    Auto,
    /// A port on the node's address.
    NodePort,
    /// `kubectl port-forward` to a port on localhost.
    PortForward,
    /// A host name of an Ingress.
    Ingress,
}

impl Access {
    /// As xtask.toml writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::NodePort => "node-port",
            Self::PortForward => "port-forward",
            Self::Ingress => "ingress",
        }
    }
}

/// `[public]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// The service.
    pub service: String,
    /// How it is reached.
    pub access: Access,
    /// The port on the node, 30000 to 32767.
    pub node_port: u16,
    /// The port on localhost of a port-forward.
    pub local_port: u16,
    /// The host name of the Ingress; always there with [`Access::Ingress`].
    pub host: Option<String>,
    /// The class of the Ingress; `None` is the cluster's default.
    pub ingress_class: Option<String>,
}

impl Public {
    pub(super) fn read(table: &Table<'_, '_>, services: &BTreeMap<String, Service>) -> Self {
        let reader = table.reader;
        let listening: Vec<&str> =
            services.iter().filter(|(_, service)| service.port.is_some()).map(|(name, _)| name.as_str()).collect();
        let service = match table.text("service") {
            Some(item) => {
                reader.reference(&item, "service", services.keys().map(String::as_str));
                if services.get(&item.value).is_some_and(|service| service.port.is_none()) {
                    let what = format!("`{}` listens on no port", item.value);
                    reader.wrong(&item, what, "name a service with a `port`");
                }
                item.value
            }
            // With a single service there is nothing to choose, and of workers only there is none to talk to.
            None if listening.len() < 2 => listening.first().map(|name| (*name).to_owned()).unwrap_or_default(),
            None if table.get("service").is_none() && !services.is_empty() => {
                let names = &listening;
                let what = "it has to be said which service a browser talks to";
                reader.missing(table.at(), &table.key("service"), what, format!("write one of: {}", names.join(", ")));
                String::new()
            }
            None => String::new(),
        };
        let access = table.choice("access", &ACCESS);
        let host = table.parsed(
            "host",
            |text| names::is_host(text).then(|| text.to_owned()),
            "not a host name",
            "write a name such as `todo.local`, without `https://` and path",
        );
        if let Some(access) = &access {
            check_host(table, access.value, host.is_some() || table.get("host").is_some(), access.at, &access.key);
        }
        let class = table.parsed(
            "ingress_class",
            |text| names::is_host(text).then(|| text.to_owned()),
            "not an ingress class name",
            names::LABEL_HINT,
        );
        let node_port = table.port("node_port", 30_000..=32_767).map_or(30_300, |item| item.value);
        Self {
            service,
            access: access.map_or_else(Access::default, |item| item.value),
            node_port,
            local_port: table.port("local_port", 1..=65_535).map_or(node_port, |item| item.value),
            host: host.map(|item| item.value),
            ingress_class: class.map(|item| item.value),
        }
    }
}

/// An Ingress needs a name to answer to.
pub(super) fn check_host(table: &Table<'_, '_>, access: Access, host: bool, at: usize, key: &str) {
    if access == Access::Ingress && !host {
        table.reader.missing(at, key, "an ingress needs a host name", "set `public.host`, such as `todo.local`");
    }
}
