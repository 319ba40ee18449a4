//! The proxy behind a Unix socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{ApiError, parse_raw_list, parse_response, proxy_invocation};
use crate::answer::Refusal;
use crate::runner::{Follow, FollowEvent, Runner};

/// A list takes some milliseconds; `kubectl get` has its own patience and words afterwards.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// kubectl reads one file before it listens.
const LISTENS_WITHIN: Duration = Duration::from_secs(15);

/// What the proxy says when it listens.
const READY: &str = "Starting to serve on ";

/// How much of an answer that is no success is shown (bytes).
const REFUSAL: u64 = 300;

/// A way to the API server, open as long as it is held.
#[derive(Debug)]
pub struct Api {
    socket: PathBuf,
    /// Only held, and dropped before its folder; the mutex makes it shareable.
    _process: Mutex<Follow>,
    _folder: tempfile::TempDir,
}

impl Api {
    /// Opens the way, in a folder that only this user can enter: whoever reaches the socket can read Secrets.
    pub fn open(runner: &Runner, context: &str) -> Result<Self, ApiError> {
        let folder = tempfile::Builder::new().prefix("xtask-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir()?;
        let socket = folder.path().join("api");
        let invocation = proxy_invocation(context, &socket);
        let process = runner.follow(&invocation).map_err(|error| ApiError::NotListening(error.to_string()))?;
        let until = Instant::now() + LISTENS_WITHIN;
        loop {
            match process.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Some(FollowEvent::Line(line)) if line.text.starts_with(READY) => {
                    return Ok(Self { socket, _process: Mutex::new(process), _folder: folder });
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
        parse_raw_list(self.json(path)?).map_err(|refusal| refused(path, &refusal))
    }

    /// The JSON at a path.
    pub fn json(&self, path: &str) -> Result<Value, ApiError> {
        serde_json::from_slice(&self.bytes(path)?)
            .map_err(|error| ApiError::Answer { path: path.to_owned(), what: error.to_string() })
    }

    /// The text at a path: a log.
    pub fn text(&self, path: &str) -> Result<String, ApiError> {
        Ok(String::from_utf8_lossy(&self.bytes(path)?).into_owned())
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        let mut stream = self.ask(path)?;
        stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
        let mut bytes = Vec::with_capacity(64 * 1024);
        stream.read_to_end(&mut bytes)?;
        let (status, body) = parse_response(&bytes).map_err(|refusal| refused(path, &refusal))?;
        if status == 200 { Ok(body.to_vec()) } else { Err(not_ok(path, status, body)) }
    }

    /// An answer that goes on, from its beginning; nothing is waited for.
    pub fn follow(&self, path: &str) -> Result<Stream, ApiError> {
        Ok(Stream { path: path.to_owned(), reader: BufReader::new(self.ask(path)?), begun: false })
    }

    fn ask(&self, path: &str) -> Result<UnixStream, ApiError> {
        let mut stream = UnixStream::connect(&self.socket)?;
        // HTTP/1.0: the answer ends with its connection, and is not cut into chunks.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n").as_bytes())?;
        Ok(stream)
    }
}

/// A watch, or a log as it grows.
#[derive(Debug)]
pub struct Stream {
    path: String,
    reader: BufReader<UnixStream>,
    begun: bool,
}

impl Stream {
    /// The next line, waited for without limit; `None` at the end.
    pub fn line(&mut self) -> Result<Option<String>, ApiError> {
        if !self.begun {
            self.head()?;
            self.begun = true;
        }
        self.read()
    }

    /// Ends it from another thread.
    pub fn stopper(&self) -> Result<StreamStopper, ApiError> {
        Ok(StreamStopper(self.reader.get_ref().try_clone()?))
    }

    fn read(&mut self) -> Result<Option<String>, ApiError> {
        let mut bytes = Vec::new();
        if self.reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn head(&mut self) -> Result<(), ApiError> {
        let mut head = String::new();
        while let Some(line) = self.read()? {
            head.push_str(&line);
            head.push_str("\r\n");
            if line.is_empty() {
                break;
            }
        }
        let (status, _) = parse_response(head.as_bytes()).map_err(|refusal| refused(&self.path, &refusal))?;
        if status == 200 {
            return Ok(());
        }
        let mut body = Vec::new();
        self.reader.by_ref().take(REFUSAL).read_to_end(&mut body)?;
        Err(not_ok(&self.path, status, &body))
    }
}

/// Ends a [`Stream`].
#[derive(Debug)]
pub struct StreamStopper(UnixStream);

impl StreamStopper {
    /// Whoever reads it sees its end.
    pub fn stop(&self) {
        // One that is over already can't be ended again.
        self.0.shutdown(Shutdown::Both).ok();
    }
}

fn not_ok(path: &str, status: u16, body: &[u8]) -> ApiError {
    let body = &body[..body.len().min(usize::try_from(REFUSAL).unwrap_or(usize::MAX))];
    ApiError::Answer { path: path.to_owned(), what: format!("{status}: {}", String::from_utf8_lossy(body)) }
}

fn refused(path: &str, refusal: &Refusal) -> ApiError {
    let what = match refusal {
        Refusal::Failed => "a failure".to_owned(),
        Refusal::Unclear(what) => what.clone(),
    };
    ApiError::Answer { path: path.to_owned(), what }
}
