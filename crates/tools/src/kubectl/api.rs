//! The API server through one `kubectl proxy`: many lists for the start of one process.
//!
//! Of a `kubectl get` of some kinds, two thirds are the start of kubectl itself (0.06 of 0.11 s of processor time, kubectl 1.36). The
//! proxy listens on a Unix socket in a folder that only this user can enter, lets nothing through that changes anything, and ends with
//! its value. Where there are no Unix sockets in the standard library (Windows), there is no [`Api`] and `kubectl get` does the work.

use std::io;
use std::path::Path;
use std::sync::Mutex;

use calls::invocation::{Invocation, Tool};
use serde_json::Value;

use super::SHORT;
use crate::answer::{Parsed, Refusal};
use crate::runner::Follow;

/// What the proxy says when it listens.
const READY: &str = "Starting to serve on ";

/// A way to the API server, open as long as it is held.
#[derive(Debug)]
pub struct Api {
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no Unix sockets in the standard library here"))]
    socket: std::path::PathBuf,
    /// Only held; the mutex makes it shareable.
    _process: Mutex<Follow>,
}

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

#[cfg(unix)]
mod unix {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use super::{Api, ApiError, READY, Value, parse_raw_list, parse_response, proxy_invocation};
    use crate::answer::Refusal;
    use crate::runner::{FollowEvent, Runner};

    /// A list takes some milliseconds; `kubectl get` has its own patience and words afterwards.
    const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

    /// kubectl reads one file before it listens.
    const LISTENS_WITHIN: Duration = Duration::from_secs(15);

    impl Api {
        /// Opens the way; `socket` is a path that does not exist yet, in a folder that only this user can enter.
        pub fn open(runner: &Runner, context: &str, socket: PathBuf) -> Result<Self, ApiError> {
            let invocation = proxy_invocation(context, &socket);
            let process = runner.follow(&invocation).map_err(|error| ApiError::NotListening(error.to_string()))?;
            let until = Instant::now() + LISTENS_WITHIN;
            loop {
                match process.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Some(FollowEvent::Line(line)) if line.text.starts_with(READY) => {
                        return Ok(Self { socket, _process: Mutex::new(process) });
                    }
                    Some(FollowEvent::Line(_)) => {}
                    Some(FollowEvent::Ended(ended)) => {
                        return Err(ApiError::NotListening(ended.map_or_else(|e| e.to_string(), |output| output.stderr)));
                    }
                    None => return Err(ApiError::NotListening("it says nothing".to_owned())),
                }
            }
        }

        /// The objects at each path, side by side.
        pub fn lists(&self, paths: &[String]) -> Result<Vec<Value>, ApiError> {
            let Some((first, others)) = paths.split_first() else { return Ok(Vec::new()) };
            // The first alone: all others then share its connection to the API server and its handshake.
            let mut objects = self.list(first)?;
            std::thread::scope(|scope| {
                let asked: Vec<_> = others.iter().map(|path| scope.spawn(move || self.list(path))).collect();
                for list in asked {
                    objects.extend(list.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
                }
                Ok(objects)
            })
        }

        fn list(&self, path: &str) -> Result<Vec<Value>, ApiError> {
            let bytes = self.ask(path)?;
            let refused = |what: String| ApiError::Answer { path: path.to_owned(), what };
            let unclear = |refusal| match refusal {
                Refusal::Failed => refused("a failure".to_owned()),
                Refusal::Unclear(what) => refused(what),
            };
            let (status, body) = parse_response(&bytes).map_err(unclear)?;
            if status != 200 {
                return Err(refused(format!(
                    "{status}: {}",
                    String::from_utf8_lossy(body).chars().take(300).collect::<String>()
                )));
            }
            let list: Value = serde_json::from_slice(body).map_err(|e| refused(e.to_string()))?;
            parse_raw_list(list).map_err(unclear)
        }

        fn ask(&self, path: &str) -> Result<Vec<u8>, ApiError> {
            let mut stream = UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
            stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n").as_bytes())?;
            let mut bytes = Vec::with_capacity(64 * 1024);
            stream.read_to_end(&mut bytes)?;
            Ok(bytes)
        }
    }
}

#[cfg(not(unix))]
impl Api {
    /// There is no way here but `kubectl get`.
    pub fn open(_: &crate::runner::Runner, _: &str, _: std::path::PathBuf) -> Result<Self, ApiError> {
        Err(ApiError::Unsupported)
    }

    /// There is no way here but `kubectl get`.
    pub fn lists(&self, _: &[String]) -> Result<Vec<Value>, ApiError> {
        Err(ApiError::Unsupported)
    }
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
