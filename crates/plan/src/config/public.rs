//! `[public]`: which service a browser talks to, and how it gets there.

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
