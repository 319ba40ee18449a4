//! Why a registry does not give an image: the same words in pods (kubelet, containerd, dockerd) and builds (buildkit).

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such repository or tag.
    NotFound,
    /// Wants a login, or hides that the name is wrong.
    Auth,
    /// Too many pulls.
    RateLimit,
    /// Does not answer.
    Network,
    /// Its certificate is not trusted.
    Tls,
    /// Something else.
    Other,
}

impl Refusal {
    /// Whether trying again may help without anybody doing something.
    pub(crate) const fn may_heal(self) -> bool {
        matches!(self, Self::RateLimit | Self::Network | Self::Other)
    }
}

/// The kind of refusal in the words of a runtime.
pub(crate) fn refusal(message: &str) -> Refusal {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["toomanyrequests", "429 too many", "rate limit"]) {
        Refusal::RateLimit
    } else if has(&["x509", "certificate", "tls: ", "http response to https client"]) {
        Refusal::Tls
    } else if has(&[
        "no such host",
        "i/o timeout",
        "connection refused",
        "connection reset",
        "network is unreachable",
        "no route to host",
        "proxyconnect",
        "tls handshake timeout",
        "temporary failure in name resolution",
        "server misbehaving",
        "request canceled",
        "deadline exceeded",
        "unexpected eof",
        "503 service",
        "502 bad gateway",
        "504 gateway",
        "500 internal",
    ]) {
        Refusal::Network
    } else if has(&[
        "unauthorized",
        "authentication required",
        "authorization failed",
        "denied",
        "403 forbidden",
        "no basic auth",
    ]) {
        Refusal::Auth
    } else if has(&["manifest unknown", "not found", "does not exist", "name unknown"]) {
        Refusal::NotFound
    } else {
        Refusal::Other
    }
}

/// The host of the registry that `image` comes from.
pub(crate) fn host(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// What the network trouble is, for people.
pub(crate) fn network_trouble(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    if lower.contains("does not look like a tls handshake") || lower.contains("http response to https client") {
        "it does not speak TLS"
    } else if lower.contains("proxyconnect") {
        "the proxy does not answer"
    } else if lower.contains("no such host") || lower.contains("name resolution") || lower.contains("server misbehaving") {
        "its name does not resolve"
    } else if lower.contains("timeout") || lower.contains("deadline exceeded") {
        "it does not answer in time"
    } else if let Some(status) = ["500", "502", "503", "504"].into_iter().find(|status| lower.contains(status)) {
        match status {
            "500" => "it answers 500: trouble of its own",
            "502" => "it answers 502: trouble of its own",
            "503" => "it answers 503: trouble of its own",
            _ => "it answers 504: trouble of its own",
        }
    } else if lower.contains("connection refused") {
        "it refuses the connection"
    } else {
        "it can't be reached"
    }
}
