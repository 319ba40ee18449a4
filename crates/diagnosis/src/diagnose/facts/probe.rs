//! Probes: what is asked, how often, and for how long it may fail.

use serde::Deserialize;
use serde_json::Value;

use super::common::object;

/// A probe. Defaults as the API server fills them in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub struct Probe {
    /// A request.
    pub http_get: Option<HttpGet>,
    /// A connection.
    pub tcp_socket: Option<TcpSocket>,
    /// A command.
    pub exec: Option<ExecAction>,
    /// Seconds before the first try.
    pub initial_delay_seconds: i64,
    /// Seconds between tries.
    pub period_seconds: i64,
    /// Seconds that an answer may take.
    pub timeout_seconds: i64,
    /// Failures in a row that count.
    pub failure_threshold: i64,
}

object! {
    /// A probe as it is written: what is missing has the API server's default.
    Written {
        http_get: Option<HttpGet>,
        tcp_socket: Option<TcpSocket>,
        exec: Option<ExecAction>,
        initial_delay_seconds: Option<i64>,
        period_seconds: Option<i64>,
        timeout_seconds: Option<i64>,
        failure_threshold: Option<i64>,
    }
}

impl From<Written> for Probe {
    fn from(written: Written) -> Self {
        Self {
            http_get: written.http_get,
            tcp_socket: written.tcp_socket,
            exec: written.exec,
            initial_delay_seconds: written.initial_delay_seconds.unwrap_or(0),
            period_seconds: written.period_seconds.unwrap_or(10),
            timeout_seconds: written.timeout_seconds.unwrap_or(1),
            failure_threshold: written.failure_threshold.unwrap_or(3),
        }
    }
}

impl Default for Probe {
    fn default() -> Self {
        Written::default().into()
    }
}

impl Probe {
    /// Seconds from the start of the container until this probe has failed as often as it may.
    pub const fn budget_seconds(&self) -> i64 {
        self.initial_delay_seconds + self.period_seconds * self.failure_threshold
    }

    /// What it asks: `GET :8000/api/health`.
    pub fn target(&self) -> String {
        match (&self.http_get, &self.tcp_socket, &self.exec) {
            (Some(http), _, _) => format!("GET :{}{}", plain(&http.port), http.path),
            (_, Some(tcp), _) => format!("port {}", plain(&tcp.port)),
            (_, _, Some(exec)) => format!("command `{}`", exec.command.join(" ")),
            _ => "its probe".to_owned(),
        }
    }

    /// The port that it asks, as written (a number or a name).
    pub fn port(&self) -> Option<String> {
        self.http_get.as_ref().map(|http| &http.port).or_else(|| self.tcp_socket.as_ref().map(|tcp| &tcp.port)).map(plain)
    }
}

fn plain(port: &Value) -> String {
    port.as_str().map_or_else(|| port.to_string(), str::to_owned)
}

object! {
    /// `httpGet` of a probe.
    HttpGet {
        /// Path, with its leading `/`.
        path: String,
        /// Number or name.
        port: Value,
    }
}

object! {
    /// `tcpSocket` of a probe.
    TcpSocket {
        /// Number or name.
        port: Value,
    }
}

object! {
    /// `exec` of a probe.
    ExecAction {
        /// The command.
        command: Vec<String>,
    }
}
