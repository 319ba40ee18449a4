//! One plain HTTP GET to the deployed application: what a browser on this machine would get.

use std::time::{Duration, Instant};

/// What an address answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The first 300 characters of the body.
    pub(crate) body: String,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Asks `url`, without following redirects: a redirect to a sign-in page is an answer.
pub(crate) fn get(url: &str, deadline: Duration) -> Result<Answer, String> {
    let begun = Instant::now();
    let response = minreq::get(url)
        .with_timeout(deadline.as_secs().max(1))
        .with_follow_redirects(false)
        .send()
        .map_err(|e| format!("{url}: {e}"))?;
    let body = String::from_utf8_lossy(response.as_bytes()).chars().take(300).collect();
    Ok(Answer { status: response.status_code, body, took: begun.elapsed() })
}
