//! Events.

use serde::Deserialize;

use super::common::object;
use super::{Meta, Timestamp};

object! {
    /// An event.
    Event {
        /// Its metadata.
        metadata: Meta,
        /// `Normal` or `Warning`.
        #[serde(rename = "type")]
        kind: String,
        /// One word, such as `FailedMount`.
        reason: String,
        /// A sentence.
        message: String,
        /// How often it was seen.
        count: i64,
        /// First time.
        first_timestamp: Option<Timestamp>,
        /// Last time.
        last_timestamp: Option<Timestamp>,
        /// The only time, of newer events.
        event_time: Option<Timestamp>,
        /// How often and when last, of newer events.
        series: Option<Series>,
        /// What it is about.
        involved_object: ObjectReference,
    }
}

impl Event {
    /// When it was seen first.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.first_timestamp.or(self.event_time).or(self.metadata.creation_timestamp)
    }

    /// When it was seen last.
    pub fn last_seen(&self) -> Option<Timestamp> {
        let series = self.series.as_ref().and_then(|series| series.last_observed_time);
        series.or(self.last_timestamp).or_else(|| self.first_seen())
    }

    /// How often it was seen, at least once.
    pub fn times(&self) -> i64 {
        self.series.as_ref().map_or(self.count, |series| series.count).max(1)
    }
}

object! {
    /// `series` of an event.
    Series {
        /// How often.
        count: i64,
        /// Last time.
        last_observed_time: Option<Timestamp>,
    }
}

object! {
    /// What an event is about.
    ObjectReference {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// Its uid.
        uid: String,
        /// `spec.containers{backend}` for a container.
        field_path: String,
    }
}
