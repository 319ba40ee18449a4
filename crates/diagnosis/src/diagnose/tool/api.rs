//! The API server as kubectl and helm meet it: away, unknown, forbidden, not trusted.

use super::{Explain as _, ToolFailure, between, line_with};
use crate::catalogue::codes;
use crate::finding::Finding;

/// Failures to reach or enter the cluster.
pub(super) fn explain(failure: &ToolFailure) -> Option<Finding> {
    let words = failure.words();
    let name = failure.tool.program();
    let context = failure.flag(&["--context", "--kube-context"]);
    let profile = context.unwrap_or("minikube");
    let source = format!("{name} ({})", failure.end());
    if let Some(missing) = between(&words, "context \"", "\" does not exist")
        .or_else(|| between(&words, "context was not found for specified context: ", "\n"))
    {
        return Some(
            failure
                .finding(codes::CONTEXT_MISSING, format!("the kubeconfig has no context `{missing}`"))
                .evidence(source, line_with(&words, "context"))
                .remedy("write it again", format!("minikube update-context -p {missing}"))
                .remedy("if the cluster is gone, too", "cargo xtask setup"),
        );
    }
    if words.contains("proxyconnect") {
        let line = line_with(&words, "proxyconnect");
        let proxy = between(line, "proxyconnect tcp: dial tcp ", ": ").unwrap_or("its address");
        return Some(
            failure
                .finding(codes::NETWORK, format!("{name} goes through a proxy at {proxy}, which does not answer"))
                .evidence(source, line)
                .advice("correct HTTPS_PROXY, or unset it")
                .remedy("the cluster needs no proxy: add its address to NO_PROXY; it is", format!("minikube -p {profile} ip")),
        );
    }
    if let Some(found) = certificate(failure, &words) {
        return Some(found);
    }
    if words.contains("(Forbidden)") || words.contains("is forbidden: User") {
        let line = line_with(&words, "orbidden");
        let said = line.split_once(" is forbidden: ").map_or_else(
            || line.to_owned(),
            |(before, rest)| format!("{} is forbidden: {rest}", before.rsplit(' ').next().unwrap_or_default()),
        );
        return Some(
            failure
                .finding(codes::FORBIDDEN, format!("the cluster forbids it: {said}"))
                .evidence(source, line)
                .remedy("see what this user may do", format!("kubectl --context {profile} auth can-i --list")),
        );
    }
    if words.contains("(Unauthorized)") || words.contains("You must be logged in to the server") {
        return Some(
            failure
                .finding(codes::API_TLS, format!("the cluster does not accept the credentials of context `{profile}`"))
                .evidence(source, line_with(&words, "nauthorized"))
                .remedy("write the context again", format!("minikube update-context -p {profile}")),
        );
    }
    let away = [
        "connection refused",
        "was refused - did you specify the right host or port",
        "Kubernetes cluster unreachable",
        "no route to host",
        "i/o timeout",
        "Unable to connect to the server",
        "the server is currently unable to handle the request",
        "etcdserver: ",
        "http2: client connection lost",
        "apiserver not ready",
        "unexpected EOF",
    ];
    let pattern = away.into_iter().find(|pattern| words.contains(pattern))?;
    let line = line_with(&words, pattern);
    let address = address(&words);
    let text = match &address {
        Some(address) => format!("the API server of context `{profile}` does not answer at {address}"),
        None => format!("the API server of context `{profile}` does not answer"),
    };
    Some(
        failure
            .finding(codes::API_DOWN, text)
            .evidence(source, line)
            .remedy("start what is stopped", "cargo xtask setup")
            .remedy("see which part is down", format!("minikube status -p {profile}")),
    )
}

/// TLS and clocks.
pub(super) fn certificate(failure: &ToolFailure, words: &str) -> Option<Finding> {
    let name = failure.tool.program();
    let profile = failure.flag(&["--context", "--kube-context", "-p", "--profile"]).unwrap_or("minikube");
    let source = format!("{name} ({})", failure.end());
    if words.contains("certificate has expired or is not yet valid") {
        let line = line_with(words, "certificate has expired or is not yet valid");
        let early = line.contains("is before");
        let text = if early {
            format!("{name}: a certificate is not yet valid: the clock here or in the node is wrong")
        } else {
            format!("{name}: a certificate has expired, or the clock is wrong")
        };
        return Some(
            failure
                .finding(codes::CERT_TIME, text)
                .evidence(source, line)
                .remedy("compare this clock with", format!("minikube ssh -p {profile} -- date -u"))
                .remedy(
                    "a really expired certificate: remove the cluster, then run `cargo xtask setup`",
                    "cargo xtask cleanup --scope cluster",
                ),
        );
    }
    let distrust = ["certificate signed by unknown authority", "failed to verify certificate", "certificate is valid for"];
    let pattern = distrust.into_iter().find(|pattern| words.contains(pattern))?;
    let line = line_with(words, pattern);
    // A registry or download behind an intercepting proxy is not the API server.
    let registry = ["/v2/", "registry", "gcr.io", "dl.k8s.io", "storage.googleapis.com"].iter().any(|host| line.contains(host));
    if registry {
        return Some(
            failure
                .finding(
                    codes::NETWORK,
                    format!("{name} does not trust the certificate of a server: a proxy or VPN opens the connection"),
                )
                .evidence(source, line)
                .remedy("put its CA into ~/.minikube/certs, then", "minikube start --embed-certs"),
        );
    }
    Some(
        failure
            .finding(codes::API_TLS, format!("{name} does not trust the certificate of the API server of `{profile}`"))
            .evidence(source, line)
            .remedy("the kubeconfig is of an older cluster: write it again", format!("minikube update-context -p {profile}"))
            .remedy("if that is not enough", "cargo xtask setup"),
    )
}

/// `https://host:port` of the first URL, else what a dial names.
fn address(words: &str) -> Option<String> {
    let url = words.split_once("https://").map(|(_, rest)| rest.split(['/', '"', '\\', '?', ' ']).next().unwrap_or_default());
    url.or_else(|| between(words, "connection to the server ", " ")).filter(|text| !text.is_empty()).map(str::to_owned)
}
