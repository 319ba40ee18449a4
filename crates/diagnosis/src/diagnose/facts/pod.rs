//! Pods and the states of their containers.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::object;
use super::{Condition, Meta, Probe, Timestamp};

object! {
    /// A pod.
    Pod {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: PodSpec,
        /// What is.
        status: PodStatus,
    }
}

object! {
    /// `spec` of a pod or of a pod template.
    PodSpec {
        /// The node it was given to, empty before.
        node_name: String,
        /// Containers.
        containers: Vec<Container>,
        /// Init containers, in order.
        init_containers: Vec<Container>,
        /// Volumes.
        volumes: Vec<Volume>,
        /// Labels that the node must have.
        node_selector: BTreeMap<String, String>,
        /// `Always`, `OnFailure` or `Never`.
        restart_policy: String,
        /// Its service account.
        service_account_name: String,
    }
}

object! {
    /// A container.
    Container {
        /// Its name.
        name: String,
        /// Its image, as asked for.
        image: String,
        /// `Always`, `IfNotPresent` or `Never`.
        image_pull_policy: String,
        /// Instead of the image's entrypoint.
        command: Vec<String>,
        /// Arguments.
        args: Vec<String>,
        /// Variables, only where they come from; values are never kept.
        env: Vec<EnvVar>,
        /// Requests and limits.
        resources: Resources,
        /// Ends the container when it fails.
        liveness_probe: Option<Probe>,
        /// Takes the pod out of the Service when it fails.
        readiness_probe: Option<Probe>,
        /// Holds the other two back until it succeeds once.
        startup_probe: Option<Probe>,
    }
}

object! {
    /// A variable of a container: its name only, a value may be a secret.
    EnvVar {
        /// Its name.
        name: String,
    }
}

object! {
    /// Requests and limits, as quantities (`100m`, `128Mi`).
    Resources {
        /// What is kept free for the container.
        requests: BTreeMap<String, String>,
        /// What it may use.
        limits: BTreeMap<String, String>,
    }
}

object! {
    /// A volume: where it comes from.
    Volume {
        /// Its name.
        name: String,
        /// A claim.
        persistent_volume_claim: Option<ClaimSource>,
    }
}

object! {
    /// The claim of a volume.
    ClaimSource {
        /// Name of the `PersistentVolumeClaim`.
        claim_name: String,
    }
}

object! {
    /// `status` of a pod.
    PodStatus {
        /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
        phase: String,
        /// One word, such as `Evicted`.
        reason: String,
        /// A sentence.
        message: String,
        /// Conditions.
        conditions: Vec<Condition>,
        /// States of the containers.
        container_statuses: Vec<ContainerStatus>,
        /// States of the init containers.
        init_container_statuses: Vec<ContainerStatus>,
        /// When the kubelet took it.
        start_time: Option<Timestamp>,
    }
}

object! {
    /// The state of a container.
    ContainerStatus {
        /// Its name.
        name: String,
        /// Whether it passes its readiness probe (without one: whether it runs).
        ready: bool,
        /// Whether it has started (startup probe passed).
        started: bool,
        /// How often it was started again.
        restart_count: i64,
        /// The image it runs.
        image: String,
        /// The id of that image.
        #[serde(rename = "imageID")]
        image_id: String,
        /// What it does now.
        state: ContainerState,
        /// What it did before its last restart.
        last_state: ContainerState,
    }
}

object! {
    /// One of three.
    ContainerState {
        /// Not started.
        waiting: Option<Waiting>,
        /// Runs.
        running: Option<Running>,
        /// Ended.
        terminated: Option<Terminated>,
    }
}

object! {
    /// Why a container waits.
    Waiting {
        /// One word.
        reason: String,
        /// A sentence.
        message: String,
    }
}

object! {
    /// Since when a container runs.
    Running {
        /// Since when.
        started_at: Option<Timestamp>,
    }
}

object! {
    /// How a container ended.
    Terminated {
        /// Exit code; 128 + signal.
        exit_code: i64,
        /// Signal, if the runtime says one.
        signal: i64,
        /// `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `StartError`, …
        reason: String,
        /// A sentence, or what the container wrote to its termination message.
        message: String,
        /// When it was started.
        started_at: Option<Timestamp>,
        /// When it ended.
        finished_at: Option<Timestamp>,
    }
}
