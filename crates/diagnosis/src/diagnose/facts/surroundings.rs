//! What pods need around them: nodes, claims, quotas, namespaces.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::object;
use super::{Condition, Meta};

object! {
    /// A node.
    Node {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: NodeSpec,
        /// What is.
        status: NodeStatus,
    }
}

object! {
    /// `spec` of a node.
    NodeSpec {
        /// Cordoned.
        unschedulable: bool,
        /// Its taints.
        taints: Vec<Taint>,
    }
}

object! {
    /// A taint.
    Taint {
        /// Its key.
        key: String,
        /// Its effect.
        effect: String,
    }
}

object! {
    /// `status` of a node.
    NodeStatus {
        /// Conditions.
        conditions: Vec<Condition>,
        /// What pods may use.
        allocatable: BTreeMap<String, String>,
        /// What kind of machine it is.
        node_info: NodeInfo,
    }
}

object! {
    /// `nodeInfo`
    NodeInfo {
        /// `amd64`, `arm64`.
        architecture: String,
    }
}

object! {
    /// A `PersistentVolumeClaim`.
    Claim {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: ClaimSpec,
        /// What is.
        status: ClaimStatus,
    }
}

object! {
    /// `spec` of a claim.
    ClaimSpec {
        /// The storage class.
        storage_class_name: String,
    }
}

object! {
    /// `status` of a claim.
    ClaimStatus {
        /// `Pending`, `Bound`, `Lost`.
        phase: String,
    }
}

object! {
    /// A `ResourceQuota`.
    Quota {
        /// Its metadata.
        metadata: Meta,
        /// What is.
        status: QuotaStatus,
    }
}

object! {
    /// `status` of a quota.
    QuotaStatus {
        /// The limit.
        hard: BTreeMap<String, String>,
        /// What is used.
        used: BTreeMap<String, String>,
    }
}

object! {
    /// A namespace, or any other object of which only the metadata and conditions count.
    Bare {
        /// Its metadata.
        metadata: Meta,
        /// Its conditions.
        status: BareStatus,
    }
}

object! {
    /// `status` of a namespace.
    BareStatus {
        /// `Active` or `Terminating`.
        phase: String,
        /// Conditions.
        conditions: Vec<Condition>,
    }
}
