//! The forms of names that Kubernetes, docker and the shell's environment take.

/// A DNS label (RFC 1123), as namespaces, services and label values of the tool are.
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// What to write where a DNS label is expected.
pub(super) const LABEL_HINT: &str = "write lowercase letters, digits and `-`, beginning and ending with a letter or digit";

/// A helm release: a label of at most 53 characters (helm.sh/helm, `ValidateReleaseName`), without dots so that it names Services.
pub(super) fn is_release(text: &str) -> bool {
    text.len() <= 53 && is_label(text)
}

/// A host name: labels with dots.
pub(super) fn is_host(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The name of an environment variable that every shell and Kubernetes take.
pub(crate) fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !text.as_bytes()[0].is_ascii_digit()
}

/// A minikube profile: letters, digits and dashes, at least two (minikube 1.38, `MK_USAGE` "profile name … is not valid").
pub(super) fn is_profile(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !text.starts_with('-')
}

/// An image repository without tag and digest: `todo-backend`, `docker.io/library/postgres`, `localhost:5000/app`.
pub(super) fn is_repository(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('/').collect();
    let first = parts[0];
    // A first part with a dot or a port is a registry's host.
    if parts.len() > 1 && (first.contains(['.', ':']) || first == "localhost") {
        let (host, port) = first.split_once(':').unwrap_or((first, "5000"));
        if !is_host(host) || port.parse::<u16>().is_err() {
            return false;
        }
        parts.remove(0);
    }
    text.len() <= 255
        && parts.iter().all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric())
        })
}

/// An image with a tag or a digest.
pub(super) fn is_image(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    if let Some(digest) = digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
    }
    // A colon before the last slash belongs to the registry's port.
    match name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((repository, tag)) => is_repository(repository) && is_tag(tag),
        None => digest.is_some() && is_repository(name),
    }
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !text.starts_with(['.', '-'])
}

/// The path of a probe.
pub(super) fn is_http_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains('#')
}

/// A path in a chart's values: `image.tag`.
pub(super) fn is_value_path(text: &str) -> bool {
    text.split('.').all(|key| !key.is_empty() && !key.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_tools_take() {
        type Form = fn(&str) -> bool;
        let forms: [(Form, &[&str], &[&str]); 8] = [
            (is_label, &["todo", "a", "todo-chatbot", "1a"], &["", "-a", "a-", "Todo", "a_b", "a.b", &"a".repeat(64)]),
            (is_release, &["todo-app"], &["todo.app", &"a".repeat(54)]),
            (is_host, &["todo.local", "localhost"], &["", ".local", "todo..local", "To.do"]),
            (is_variable, &["A", "_A1", "lower_too"], &["", "1A", "A-B", "A B", "Ä"]),
            (is_profile, &["minikube", "m1", "Two-2"], &["m", "-a", "a_b", "a b", ""]),
            (
                is_repository,
                &["todo-backend", "a/b", "docker.io/library/x", "localhost:5000/x", "a__b"],
                &["", "a:1", "A", "a/", "-a", "a@sha256:1", "host:x/y", "a b"],
            ),
            (
                is_image,
                &["postgres:17-alpine", "localhost:5000/postgres:17", &format!("a@sha256:{}", "0".repeat(64))],
                &["postgres", "localhost:5000/postgres", "a:", "a:-1", "a@sha256:12", ":1"],
            ),
            (is_http_path, &["/", "/api/health?deep=1"], &["", "api", "/a b", "/a#b"]),
        ];
        for (form, yes, no) in forms {
            for text in yes {
                assert!(form(text), "{text}");
            }
            for text in no {
                assert!(!form(text), "{text}");
            }
        }
        assert!(is_value_path("image.tag") && is_value_path("tag") && !is_value_path("") && !is_value_path("a..b"));
    }
}
