//! What makes pods: Deployments, their `ReplicaSets`, `StatefulSets`, Jobs.

use serde::Deserialize;

use super::common::object;
use super::{Condition, Meta, PodSpec};

object! {
    /// A Deployment.
    Deployment {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: DeploymentSpec,
        /// What is.
        status: WorkloadStatus,
    }
}

object! {
    /// `spec` of a Deployment or `ReplicaSet`.
    DeploymentSpec {
        /// How many pods; the API server fills in 1.
        replicas: Option<i64>,
        /// Seconds without progress that are too many; 600 where the API server fills it in.
        progress_deadline_seconds: Option<i64>,
        /// Whether the rollout is held.
        paused: bool,
        /// The pods.
        template: PodTemplate,
    }
}

object! {
    /// The pods of a workload.
    PodTemplate {
        /// Labels of the pods.
        metadata: Meta,
        /// Spec of the pods.
        spec: PodSpec,
    }
}

object! {
    /// `status` of a Deployment, `ReplicaSet` or `StatefulSet`.
    WorkloadStatus {
        /// The generation that the controller has seen.
        observed_generation: i64,
        /// Pods.
        replicas: i64,
        /// Pods of the new template.
        updated_replicas: i64,
        /// Ready pods.
        ready_replicas: i64,
        /// Pods ready for long enough.
        available_replicas: i64,
        /// Conditions.
        conditions: Vec<Condition>,
        /// `StatefulSet`: name of the wanted revision.
        update_revision: String,
        /// `StatefulSet`: name of the revision that runs.
        current_revision: String,
    }
}

object! {
    /// A `ReplicaSet`.
    ReplicaSet {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: DeploymentSpec,
        /// What is.
        status: WorkloadStatus,
    }
}

object! {
    /// A `StatefulSet`.
    StatefulSet {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: DeploymentSpec,
        /// What is.
        status: WorkloadStatus,
    }
}

object! {
    /// A `DaemonSet`: a pod on each node.
    DaemonSet {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: DeploymentSpec,
        /// What is.
        status: DaemonSetStatus,
    }
}

object! {
    /// `status` of a `DaemonSet`.
    DaemonSetStatus {
        /// The generation that the controller has seen.
        observed_generation: i64,
        /// Nodes that should have a pod.
        desired_number_scheduled: i64,
        /// Nodes with a pod, wanted or not.
        current_number_scheduled: i64,
        /// Nodes with a pod of the new template.
        updated_number_scheduled: i64,
        /// Nodes with a ready pod.
        number_ready: i64,
    }
}

object! {
    /// A Job.
    Job {
        /// Its metadata.
        metadata: Meta,
        /// What was asked for.
        spec: JobSpec,
        /// What is.
        status: JobStatus,
    }
}

object! {
    /// `spec` of a Job.
    JobSpec {
        /// The pods.
        template: PodTemplate,
        /// Failures before it gives up; the API server fills in 6.
        backoff_limit: Option<i64>,
        /// Pods that must end well; the API server fills in 1.
        completions: Option<i64>,
        /// Seconds before it gives up.
        active_deadline_seconds: Option<i64>,
    }
}

object! {
    /// `status` of a Job.
    JobStatus {
        /// Pods at work.
        active: i64,
        /// Pods that ended well.
        succeeded: i64,
        /// Pods that failed.
        failed: i64,
        /// Conditions.
        conditions: Vec<Condition>,
    }
}
