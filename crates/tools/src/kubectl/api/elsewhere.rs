//! No Unix sockets in the standard library: there is no way but `kubectl get`.

use serde_json::Value;

use super::ApiError;
use crate::runner::Runner;

/// There is none here.
#[derive(Debug)]
pub enum Api {}

impl Api {
    /// Says that there is none.
    pub fn open(_: &Runner, _: &str) -> Result<Self, ApiError> {
        Err(ApiError::Unsupported)
    }

    /// Never called.
    pub fn lists(&self, _: &[String]) -> Result<Vec<Value>, ApiError> {
        match *self {}
    }

    /// Never called.
    pub fn json(&self, _: &str) -> Result<Value, ApiError> {
        match *self {}
    }

    /// Never called.
    pub fn text(&self, _: &str) -> Result<String, ApiError> {
        match *self {}
    }

    /// Never called.
    pub fn follow(&self, _: &str) -> Result<Stream, ApiError> {
        match *self {}
    }
}

/// There is none here.
#[derive(Debug)]
pub enum Stream {}

impl Stream {
    /// Never called.
    pub fn line(&mut self) -> Result<Option<String>, ApiError> {
        match *self {}
    }

    /// Never called.
    pub fn stopper(&self) -> Result<StreamStopper, ApiError> {
        match *self {}
    }
}

/// There is none here.
#[derive(Debug)]
pub enum StreamStopper {}

impl StreamStopper {
    /// Never called.
    pub fn stop(&self) {
        match *self {}
    }
}
