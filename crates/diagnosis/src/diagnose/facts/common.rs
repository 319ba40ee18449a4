//! What every API object has, and how their parts are read: tolerant of what is missing or null.
//!
//! Field names and meanings as in the Kubernetes API 1.36 (recordings/pods, kubectl v1.36.2 `-o json`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Timestamp;

/// The same without the members that are null: they mean the empty list, map or number, as in Go.
///
/// Done once per object and not by a `deserialize_with` on each field, which made the derives of this folder a megabyte of code.
pub(super) fn without_nulls(value: &Value) -> Cow<'_, Value> {
    if has_null(value) { Cow::Owned(copy_without_nulls(value)) } else { Cow::Borrowed(value) }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(|member| member.is_null() || has_null(member)),
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

fn copy_without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            Value::Object(kept.map(|(name, member)| (name.clone(), copy_without_nulls(member))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(copy_without_nulls).collect()),
        other => other.clone(),
    }
}

/// A struct of which any field may be missing. Read from what [`without_nulls`] gives.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
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
