//! What every API object has, and how their parts are read: tolerant of what is missing or null.
//!
//! Field names and meanings as in the Kubernetes API 1.36 (recordings/pods, kubectl v1.36.2 `-o json`).

use std::collections::BTreeMap;

use super::Timestamp;
use serde::{Deserialize, Deserializer};

/// `null` where a list, map or number is expected means the empty one, as in Go.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A struct of which any field may be missing or null.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(deserialize_with = "crate::diagnose::facts::common::nullable")] pub $field: $kind,)*
        }
    };
}

pub(super) use object;

object! {
    /// `metadata`
    Meta {
        /// Name of the object.
        name: String,
        /// Its namespace, empty for cluster objects.
        namespace: String,
        /// Its uid.
        uid: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// Its annotations.
        annotations: BTreeMap<String, String>,
        /// When it was created.
        creation_timestamp: Option<Timestamp>,
        /// When it will be or should have been gone; set once it is being deleted (grace period included).
        deletion_timestamp: Option<Timestamp>,
        /// What must be done before it goes.
        finalizers: Vec<String>,
        /// Counts changes of `spec`.
        generation: i64,
        /// Who made it.
        owner_references: Vec<Owner>,
        /// For a watch that goes on from here.
        resource_version: String,
    }
}

object! {
    /// An entry of `ownerReferences`.
    Owner {
        /// Kind of the owner.
        kind: String,
        /// Its name.
        name: String,
        /// Its uid.
        uid: String,
    }
}

object! {
    /// A condition of any object.
    Condition {
        /// Type, such as `Ready`.
        #[serde(rename = "type")]
        kind: String,
        /// `True`, `False` or `Unknown`.
        status: String,
        /// One word.
        reason: String,
        /// A sentence.
        message: String,
        /// When `status` changed last.
        last_transition_time: Option<Timestamp>,
    }
}
