//! The parts of API objects that diagnosis needs, tolerant of what is missing or null.
//!
//! Field names and meanings as in the Kubernetes API 1.36 (recordings/pods, kubectl v1.36.2 `-o json`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::time::Timestamp;

/// `null` where a list, map or number is expected means the empty one, as in Go.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(deserialize_with = "nullable")] pub $field: $kind,)*
        }
    };
}

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

/// A probe. Defaults as the API server fills them in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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

impl Default for Probe {
    fn default() -> Self {
        Self {
            http_get: None,
            tcp_socket: None,
            exec: None,
            initial_delay_seconds: 0,
            period_seconds: 10,
            timeout_seconds: 1,
            failure_threshold: 3,
        }
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
