//! The cluster as it changes: list, then watch from there, one stream a kind.
//!
//! Through the run's proxy where there is one ([`Api`]). Else one process a kind: kubectl refuses to watch two kinds in one process,
//! `--watch` can't resume, and a watch that the server closes exits 0. So: `get --raw PATH`, then `get --raw
//! PATH?watch=1&resourceVersion=N`. Both begin again with the list when the watch ends or says `410 Expired`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use calls::invocation::{Invocation, Tool};
use serde::Deserialize;
use serde_json::Value;

use super::api::{Api, ApiError, StreamStopper};
use super::{get_raw_invocation, json};
use crate::Failure;
use crate::answer::{Parsed, Refusal, ToolError};
use crate::runner::{Channel, FollowEvent, Runner, Stopper};

/// Between two attempts when the API server does not answer: the first, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A watch that ends sooner is not begun again at once.
const SHORT_LIVED: Duration = Duration::from_secs(1);

/// After a line that is not understood: how soon the end of the watch explains it.
const CUT: Duration = Duration::from_millis(500);

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchPath {
    /// The name that its items carry: `pods`.
    pub kind: String,
    /// The path of the list, without a query: `/api/v1/namespaces/todo/pods`.
    pub path: String,
    /// A label selector; empty for all.
    pub labels: String,
}

impl WatchPath {
    /// Objects of the core group (`pods`, `events`) in a namespace.
    pub fn core(namespace: &str, kind: &str) -> Self {
        Self { kind: kind.to_owned(), path: format!("/api/v1/namespaces/{namespace}/{kind}"), labels: String::new() }
    }

    /// Objects of group `apps` (`deployments`, `replicasets`) in a namespace.
    pub fn apps(namespace: &str, kind: &str) -> Self {
        Self { kind: kind.to_owned(), path: format!("/apis/apps/v1/namespaces/{namespace}/{kind}"), labels: String::new() }
    }

    /// Those with these labels only.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.labels = selector.into();
        self
    }

    fn url(&self, query: &str) -> String {
        // In a query `=` and `,` of a selector are taken as they are; `&`, `%`, `+`, `#` and blanks can't be part of one.
        let labels =
            if self.labels.is_empty() { String::new() } else { format!("labelSelector={}", self.labels.replace(' ', "")) };
        let query: Vec<&str> = [query, labels.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// An object is new.
    Added(Value),
    /// An object has changed.
    Modified(Value),
    /// An object is gone; its last state.
    Deleted(Value),
    /// Nothing has changed up to this resource version.
    Bookmark(String),
    /// The server ends the watch: its status object, with `code` 410 when the resource version is too old.
    Error(Value),
}

/// What a [`Watch`] tells.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchItem {
    /// All objects of a kind, as they are now: replaces what was known of it.
    Listed {
        /// Which kind.
        kind: String,
        /// The objects. Those of a list name neither `kind` nor `apiVersion` themselves.
        objects: Vec<Value>,
    },
    /// One object changed; only [`WatchEvent::Added`], [`WatchEvent::Modified`] and [`WatchEvent::Deleted`].
    Changed {
        /// Which kind.
        kind: String,
        /// What happened to it.
        event: WatchEvent,
    },
    /// The API server does not answer, or not as it should; it is asked again. kubectl's words.
    Trouble {
        /// Which kind.
        kind: String,
        /// What kubectl said, where it could be run.
        failure: Option<Failure>,
        /// One line.
        message: String,
    },
}

/// Reads one line of a raw watch.
pub fn parse_watch_line(line: &str) -> Parsed<WatchEvent> {
    #[derive(Deserialize)]
    struct Told {
        r#type: String,
        object: Value,
    }
    let Told { r#type, object } = serde_json::from_str(line)?;
    match r#type.as_str() {
        "ADDED" => Ok(WatchEvent::Added(object)),
        "MODIFIED" => Ok(WatchEvent::Modified(object)),
        "DELETED" => Ok(WatchEvent::Deleted(object)),
        "ERROR" => Ok(WatchEvent::Error(object)),
        "BOOKMARK" => {
            let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
            version
                .map(|v| WatchEvent::Bookmark(v.to_owned()))
                .ok_or_else(|| Refusal::Unclear("a bookmark without version".to_owned()))
        }
        other => Err(Refusal::Unclear(format!("`{other}` is no type of watch event"))),
    }
}

/// Several kinds watched at once, merged into one channel. Dropping it ends the streams.
#[derive(Debug)]
pub struct Watch {
    items: Receiver<WatchItem>,
    control: Arc<Control>,
}

#[derive(Debug, Default)]
struct Control {
    stop: AtomicBool,
    running: Mutex<Vec<(String, Stop)>>,
}

/// Ends a stream.
#[derive(Debug)]
enum Stop {
    Process(Stopper),
    Stream(StreamStopper),
}

impl Watch {
    /// Begins to watch, through `api` where there is one; nothing is waited for.
    pub fn start(runner: &Runner, context: &str, api: Option<&Arc<Api>>, paths: Vec<WatchPath>) -> Result<Self, ToolError> {
        let (send, items) = channel();
        let control = Arc::new(Control::default());
        let watch = Self { items, control: Arc::clone(&control) };
        for path in paths {
            let kind = path.kind.clone();
            let one = One {
                runner: runner.clone(),
                context: context.to_owned(),
                api: api.cloned(),
                path,
                send: send.clone(),
                control: Arc::clone(&control),
            };
            std::thread::Builder::new().name(format!("watch {kind}")).spawn(move || one.run()).map_err(|source| {
                ToolError::Io { tool: Tool::Kubectl.program().to_owned(), what: format!("watch {kind}"), source }
            })?;
        }
        Ok(watch)
    }

    /// The next item, or `None` when nothing came within `timeout` or the run was cancelled (see [`Runner::cancel`]).
    pub fn recv_timeout(&self, timeout: Duration) -> Option<WatchItem> {
        self.items.recv_timeout(timeout).ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.control.stop.store(true, Ordering::SeqCst);
        for (_, stopper) in self.control.running.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match stopper {
                Stop::Process(stopper) => stopper.stop(),
                Stop::Stream(stopper) => stopper.stop(),
            }
        }
        // Each thread ends its stream and then drops its sender; bounded, like the end of a follower.
        while self.items.recv_timeout(Duration::from_secs(5)).is_ok() {}
    }
}

/// One kind.
struct One {
    runner: Runner,
    context: String,
    api: Option<Arc<Api>>,
    path: WatchPath,
    send: Sender<WatchItem>,
    control: Arc<Control>,
}

impl One {
    fn run(&self) {
        let mut pause = RETRY.0;
        while !self.stopped() {
            let begun = Instant::now();
            match self.list_and_watch() {
                // The server closed the watch or its version is too old: from the start.
                Ok(()) => {
                    pause = RETRY.0;
                    if begun.elapsed() < SHORT_LIVED {
                        self.rest(pause);
                    }
                }
                Err(ToolError::Cancelled { .. }) => return,
                Err(error) => {
                    let item = WatchItem::Trouble {
                        kind: self.path.kind.clone(),
                        failure: error.failure().cloned(),
                        message: self.runner.redacted(&error.to_string()),
                    };
                    if self.send.send(item).is_err() {
                        return;
                    }
                    self.rest(pause);
                    pause = (pause * 2).min(RETRY.1);
                }
            }
        }
    }

    fn list_and_watch(&self) -> Result<(), ToolError> {
        // What the proxy can't answer is asked again by kubectl itself, whose words for a failure are known.
        if let Some(api) = &self.api
            && self.through(api).is_ok()
        {
            return Ok(());
        }
        if self.stopped() {
            return Ok(());
        }
        let list = self.runner.ask(&get_raw_invocation(&self.context, &self.path.url("")), |output| parse_list(json(output)?))?;
        let url = self.watch_url(&list);
        if !self.tell(WatchItem::Listed { kind: self.path.kind.clone(), objects: list.objects }) {
            return Ok(());
        }
        let invocation = watch_invocation(&self.context, &self.path.kind, &url);
        let follow = self.runner.follow(&invocation)?;
        if !self.registered(Stop::Process(follow.stopper())) {
            return Ok(());
        }
        while let Some(event) = follow.recv() {
            match event {
                FollowEvent::Line(line) if line.channel == Channel::Stdout && !line.text.is_empty() => {
                    let event = match parse_watch_line(&line.text) {
                        Ok(WatchEvent::Bookmark(_)) => continue,
                        // A new list tells what is true now.
                        Ok(WatchEvent::Error(_)) => return Ok(()),
                        Ok(event) => event,
                        // A connection that breaks cuts its last line (recording `raw-watch-pods`): then this is the end.
                        Err(refusal) => match follow.recv_timeout(CUT) {
                            Some(FollowEvent::Ended(_)) => return Ok(()),
                            Some(FollowEvent::Line(_)) | None => return Err(self.unclear(&invocation, &line.text, refusal)),
                        },
                    };
                    if !self.tell(WatchItem::Changed { kind: self.path.kind.clone(), event }) {
                        return Ok(());
                    }
                }
                FollowEvent::Line(_) => {}
                FollowEvent::Ended(_) if self.stopped() => return Ok(()),
                FollowEvent::Ended(result) => return self.runner.answer(&invocation, result, crate::answer::succeeded),
            }
        }
        Ok(())
    }

    /// The same through the proxy: no process, and no wait for its start.
    fn through(&self, api: &Api) -> Result<(), ApiError> {
        let url = self.path.url("");
        let unclear = |what: String| ApiError::Answer { path: url.clone(), what };
        let list = parse_list(api.json(&url)?).map_err(|_| unclear("no list of objects".to_owned()))?;
        let mut stream = api.follow(&self.watch_url(&list))?;
        if !self.tell(WatchItem::Listed { kind: self.path.kind.clone(), objects: list.objects })
            || !self.registered(Stop::Stream(stream.stopper()?))
        {
            return Ok(());
        }
        while let Some(line) = stream.line()? {
            let event = match parse_watch_line(&line) {
                Ok(WatchEvent::Bookmark(_)) => continue,
                Ok(WatchEvent::Error(_)) => return Ok(()),
                Ok(event) => event,
                // As below: the last line of a connection that broke.
                Err(_) if stream.line()?.is_none() => return Ok(()),
                Err(_) => return Err(unclear(format!("a watch event that is not understood: {line}"))),
            };
            if !self.tell(WatchItem::Changed { kind: self.path.kind.clone(), event }) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn watch_url(&self, list: &RawList) -> String {
        self.path.url(&format!("watch=1&resourceVersion={}&allowWatchBookmarks=true", list.version))
    }

    /// Whether somebody still listens.
    fn tell(&self, item: WatchItem) -> bool {
        self.send.send(item).is_ok()
    }

    /// Lets the stream be ended by a drop; `false` if that has happened already, and nobody would end it.
    fn registered(&self, stop: Stop) -> bool {
        let mut running = self.control.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|(kind, _)| *kind != self.path.kind);
        running.push((self.path.kind.clone(), stop));
        !self.stopped()
    }

    fn unclear(&self, invocation: &Invocation, line: &str, refusal: Refusal) -> ToolError {
        let output = crate::runner::Output {
            exit: crate::runner::Exit::Code(0),
            stdout: line.to_owned(),
            stderr: String::new(),
            took: Duration::ZERO,
        };
        let failure = Box::new(self.runner.failure_of(invocation, &output));
        match refusal {
            Refusal::Failed => ToolError::Failed(failure),
            Refusal::Unclear(problem) => ToolError::Unclear { problem, failure },
        }
    }

    fn stopped(&self) -> bool {
        self.control.stop.load(Ordering::SeqCst)
    }

    /// Waits, but not longer than somebody listens.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.stopped() && !self.runner.cancel().is_requested() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn watch_invocation(context: &str, kind: &str, url: &str) -> Invocation {
    Invocation::new(Tool::Kubectl, format!("watch {kind}"), Duration::ZERO)
        .args(["--context", context, "get", "--raw", url])
        .until_cancelled()
}

struct RawList {
    version: String,
    objects: Vec<Value>,
}

fn parse_list(list: Value) -> Parsed<RawList> {
    #[derive(Deserialize)]
    struct Told {
        metadata: Metadata,
        items: Option<Vec<Value>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        resource_version: String,
    }
    let Told { metadata, items } = Told::deserialize(list)?;
    Ok(RawList { version: metadata.resource_version, objects: items.unwrap_or_default() })
}
