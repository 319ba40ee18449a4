//! The API server through one `kubectl proxy`: lists, watches and logs for the start of one process.
//!
//! Of a `kubectl get` of some kinds, two thirds are the start of kubectl itself (0.06 of 0.11 s of processor time, kubectl 1.36). The
//! proxy listens on a Unix socket in a folder that only this user can enter, lets nothing through that changes anything, and ends with
//! its value. Where there are no Unix sockets in the standard library (Windows), there is no [`Api`] and `kubectl get` does the work.

use std::io;
use std::path::Path;

use calls::invocation::{Invocation, Tool};
use serde_json::Value;

use super::SHORT;
use crate::answer::{Parsed, Refusal};

#[cfg_attr(unix, path = "api/unix.rs")]
#[cfg_attr(not(unix), path = "api/elsewhere.rs")]
mod system;

pub use system::{Api, Stream, StreamStopper};

/// Why the way to the API server gave no answer. `kubectl get` asks the same and says why in words that are known.
#[derive(Debug)]
pub enum ApiError {
    /// Not on this system.
    Unsupported,
    /// kubectl ended instead of listening.
    NotListening(String),
    /// The socket broke.
    Io(io::Error),
    /// Neither 200 nor JSON.
    Answer {
        /// What was asked.
        path: String,
        /// What came.
        what: String,
    },
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsupported => f.write_str("there are no Unix sockets here"),
            Self::NotListening(words) => write!(f, "`kubectl proxy` does not listen: {words}"),
            Self::Io(_) => f.write_str("cannot ask through `kubectl proxy`"),
            Self::Answer { path, what } => write!(f, "the API server answers {path} with {what}"),
        }
    }
}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl From<io::Error> for ApiError {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

/// `kubectl proxy --unix-socket=SOCKET`, for reading only.
pub fn proxy_invocation(context: &str, socket: &Path) -> Invocation {
    Invocation::new(Tool::Kubectl, "open a way to the API server", SHORT)
        .args(["--context", context, "proxy"])
        .arg(format!("--unix-socket={}", socket.display()))
        .arg("--reject-methods=^(POST|PUT|PATCH|DELETE)$")
        // Its start alone makes and drops enough for Go's collector to take a quarter of the time; the heap stays below 100 MB so.
        .env("GOGC", "400")
        .until_cancelled()
}

/// Status and body of an HTTP/1.0 answer, which ends with its connection.
pub fn parse_response(bytes: &[u8]) -> Parsed<(u16, &[u8])> {
    let unclear = || Refusal::Unclear("no answer of HTTP/1.0".to_owned());
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(unclear)?;
    let (head, body) = (&bytes[..end], &bytes[end + 4..]);
    let line = head.split(|b| *b == b'\r').next().and_then(|line| std::str::from_utf8(line).ok()).ok_or_else(unclear)?;
    let mut words = line.split(' ');
    let version = words.next().filter(|version| version.starts_with("HTTP/1."));
    let status = version.and(words.next()).and_then(|status| status.parse().ok()).ok_or_else(unclear)?;
    Ok((status, body))
}

/// The objects of a list as `kubectl get -o json` prints them: each with its kind, none with the record of who wrote which field.
pub fn parse_raw_list(mut list: Value) -> Parsed<Vec<Value>> {
    let unclear = || Refusal::Unclear("not a list of objects".to_owned());
    let kind =
        list.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List")).ok_or_else(unclear)?.to_owned();
    let version = list.get("apiVersion").and_then(Value::as_str).ok_or_else(unclear)?.to_owned();
    let items = match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        // The API server's way to write an empty list of some kinds.
        Some(Value::Null) => Vec::new(),
        _ => return Err(unclear()),
    };
    let complete = |mut item: Value| {
        let object = item.as_object_mut().ok_or_else(unclear)?;
        object.insert("kind".to_owned(), kind.clone().into());
        object.insert("apiVersion".to_owned(), version.clone().into());
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        Ok(item)
    };
    items.into_iter().map(complete).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Given by `kubectl proxy` 1.36.2 for a namespace that does not exist, and for a group that does not; headers shortened.
    const EMPTY: &[u8] = b"HTTP/1.0 200 OK\r\nContent-Length: 87\r\nContent-Type: application/json\r\n\r\n{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"19212\"},\"items\":[]}\n";
    const UNKNOWN: &[u8] =
        b"HTTP/1.0 404 Not Found\r\nContent-Length: 19\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n404 page not found\n";

    #[test]
    fn answers_are_read() {
        let (status, body) = parse_response(EMPTY).unwrap();
        assert_eq!((status, parse_raw_list(serde_json::from_slice(body).unwrap())), (200, Ok(Vec::new())));
        assert_eq!(parse_response(UNKNOWN).unwrap().0, 404);
        for cut in [&b""[..], b"HTTP/1.0 200 OK\r\n", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.0 x\r\n\r\n"] {
            assert!(matches!(parse_response(cut), Err(Refusal::Unclear(_))), "{cut:?}");
        }
    }

    #[test]
    fn items_are_as_kubectl_get_prints_them() {
        let list = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "items": [{"metadata": {"name": "a", "managedFields": [{}]}}]});
        assert_eq!(
            parse_raw_list(list).unwrap(),
            [json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "a"}})]
        );
        assert_eq!(parse_raw_list(json!({"kind": "PodList", "apiVersion": "v1", "items": null})), Ok(Vec::new()));
        for bad in [
            json!({"kind": "Status", "apiVersion": "v1", "code": 403}),
            json!([]),
            json!({"kind": "PodList", "apiVersion": "v1", "items": [1]}),
        ] {
            assert!(parse_raw_list(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_proxy_can_not_change_anything() {
        let args = proxy_invocation("minikube", Path::new("/tmp/x/api")).args;
        assert_eq!(
            args,
            ["--context", "minikube", "proxy", "--unix-socket=/tmp/x/api", "--reject-methods=^(POST|PUT|PATCH|DELETE)$"]
        );
    }
}
