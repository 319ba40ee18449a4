//! The codes of layer `cluster`.

use super::{Entry, codes, entry};
use crate::finding::{Class, FixClass};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::CLUSTER_START_FAILED,
        "the cluster did not start",
        Class::Cluster,
        "minikube gave up; its own reason and advice stand in the evidence.",
        "the last named error event of `minikube start --output=json`",
        &["follow the advice of minikube in the evidence", "`minikube logs` shows what the components said"],
    ),
    entry(
        codes::MINIKUBE_USAGE,
        "minikube does not accept the call",
        Class::Cluster,
        "minikube refuses a flag or value.",
        "minikube reason MK_USAGE (exit 14)",
        &["check the values under [cluster] in xtask.toml against the message"],
    ),
    entry(
        codes::DRIVER_MISMATCH,
        "the profile was made with another driver",
        Class::Cluster,
        "A minikube profile keeps the driver it was created with.",
        "minikube reason GUEST_DRIVER_MISMATCH",
        &[
            "set `cluster.driver` in xtask.toml to the driver of the profile",
            "or delete the profile: `cargo xtask cleanup --scope cluster`",
        ],
    )
    .fix(FixClass::Asks),
    entry(
        codes::K8S_VERSION,
        "minikube can not run that Kubernetes version",
        Class::Cluster,
        "The version is older or newer than this minikube supports, or older than what the profile runs (no downgrade).",
        "minikube reasons K8S_OLD_UNSUPPORTED, K8S_NEW_UNSUPPORTED, K8S_DOWNGRADE_UNSUPPORTED",
        &["set `cluster.kubernetes` in xtask.toml to a supported version, or leave it out"],
    ),
    entry(
        codes::CLUSTER_DOWNLOAD,
        "minikube can not download what it needs",
        Class::Cluster,
        "The base image, Kubernetes or its images could not be fetched.",
        "minikube reasons INET_*, `failed to download kic base image`",
        &[
            "check the connection, VPN and proxy (HTTPS_PROXY, NO_PROXY)",
            "offline: start the cluster once with a connection, minikube keeps what it fetched",
        ],
    )
    .retry(),
    entry(
        codes::PROFILE_MISSING,
        "the minikube profile does not exist",
        Class::Cluster,
        "No cluster of that name has been created.",
        "minikube exit 85, `Profile … not found`",
        &["`cargo xtask setup` creates it"],
    ),
    entry(
        codes::PROFILE_STOPPED,
        "the cluster is stopped",
        Class::Cluster,
        "The profile exists, its node does not run.",
        "minikube status `Host: Stopped`, exit 7; exit 83 of other commands",
        &["`cargo xtask setup` starts it"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::API_DOWN,
        "the API server does not answer",
        Class::Cluster,
        "The cluster can not be asked or changed: the API server is stopped, stopping, or restarts.",
        "`connection refused` to the API server, minikube status `APIServer: Stopped`",
        &["`cargo xtask setup` starts what is stopped", "`minikube logs` shows why it stopped"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::KUBELET_DOWN,
        "the kubelet does not run",
        Class::Cluster,
        "Nothing new starts on the node while the kubelet is down.",
        "minikube status `Kubelet: Stopped` (exit 2)",
        &["`cargo xtask setup` starts it again", "`minikube logs` shows why it stopped"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::KUBECONFIG_STALE,
        "the kubeconfig points at an old address of the cluster",
        Class::Cluster,
        "The port or address of the API server changed, mostly after a restart of docker.",
        "minikube status `Kubeconfig: Misconfigured`",
        &["`minikube update-context`"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::CONTEXT_MISSING,
        "the kubeconfig has no such context",
        Class::Cluster,
        "The cluster was created by another user or with another kubeconfig, or it was deleted.",
        "`context … does not exist`",
        &["`minikube update-context` writes it again", "`cargo xtask setup` creates the cluster if it is gone"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::CONTEXT_NOT_PROFILE,
        "the context is not of this minikube profile",
        Class::Cluster,
        "The context of that name points to a cluster that minikube did not make: nothing is changed there.",
        "the server address and the provider extension of the context, against the profile",
        &["name the right profile in xtask.toml (`cluster.profile`)"],
    ),
    entry(
        codes::PROFILE_DIFFERS,
        "the profile has other resources or runtime than xtask.toml asks for",
        Class::Cluster,
        "CPUs, memory, runtime and version of an existing profile can not be changed; minikube only warns.",
        "`minikube profile list -o json` against xtask.toml",
        &[
            "it works as it is, if the pods fit",
            "to get what xtask.toml says: `cargo xtask cleanup --scope cluster`, then `cargo xtask setup`",
        ],
    )
    .warning()
    .fix(FixClass::Asks),
    entry(
        codes::NODE_MISSING,
        "the node of the profile is gone",
        Class::Cluster,
        "The container or machine of the node was removed behind the back of minikube.",
        "minikube reason GUEST_STATUS, `No such container`",
        &["`minikube delete -p PROFILE`, then `cargo xtask setup`: data in the cluster is gone already"],
    )
    .fix(FixClass::Asks),
    entry(
        codes::CLUSTER_PAUSED,
        "the cluster is paused",
        Class::Cluster,
        "All containers of the node are frozen.",
        "minikube status `Paused`",
        &["`minikube unpause -p PROFILE`"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::API_TLS,
        "the certificate of the API server is not trusted",
        Class::Cluster,
        "The kubeconfig holds the certificates of another, mostly an earlier, cluster; or something between intercepts the connection.",
        "`x509: certificate signed by unknown authority`, `tls: failed to verify certificate`",
        &["`minikube update-context`", "if it stays: `minikube start` writes the kubeconfig again"],
    ),
    entry(
        codes::CERT_TIME,
        "a certificate is expired or not yet valid",
        Class::Cluster,
        "The clock of this machine or of the node is wrong, or the certificates of the cluster ran out.",
        "`x509: certificate has expired or is not yet valid`",
        &[
            "compare the clocks: `date -u` here, `minikube ssh -- date -u` in the node; after sleep restart Docker Desktop or run `wsl --shutdown`",
            "a really expired certificate: `minikube delete`, then `cargo xtask setup`",
        ],
    ),
    entry(
        codes::FORBIDDEN,
        "the cluster forbids it",
        Class::Cluster,
        "The user of the context may not do that.",
        "`Error from server (Forbidden)`",
        &["use the context that minikube wrote (it is administrator)", "`kubectl auth can-i --list` shows what is allowed"],
    ),
    entry(
        codes::NODE_NOT_READY,
        "the node is not ready",
        Class::Cluster,
        "Nothing is scheduled on a node that is not ready.",
        "node condition `Ready` is not `True`",
        &["`minikube logs` and the message of the condition say why"],
    ),
    entry(
        codes::NODE_PRESSURE,
        "the node runs out of memory, disk or process ids",
        Class::Cluster,
        "The kubelet evicts pods and takes no new ones.",
        "node condition MemoryPressure, DiskPressure or PIDPressure is `True`",
        &["disk: `cargo xtask cleanup --scope images`", "memory: lower the requests, or make the cluster anew with more"],
    ),
    entry(
        codes::NODE_DISK_FULL,
        "the disk of the node is full",
        Class::Cluster,
        "minikube turns image collection off: old images stay until /var is full.",
        "minikube status 507 InsufficientStorage",
        &["`cargo xtask cleanup --scope images`", "`minikube ssh -- docker system prune`"],
    ),
    entry(
        codes::DOCKER_ENV,
        "the docker daemon of the node can not be used",
        Class::Cluster,
        "docker-env needs one node, the docker runtime and a driver with a node of its own.",
        "minikube reasons ENV_DRIVER_CONFLICT, ENV_MULTINODE_CONFLICT, MK_USAGE of docker-env",
        &[
            "make the profile with `--container-runtime=docker` and one node: `cargo xtask cleanup --scope cluster`, then `cargo xtask setup`",
        ],
    ),
    entry(
        codes::METRICS_MISSING,
        "the cluster has no metrics",
        Class::Cluster,
        "CPU and memory of pods can not be shown without the metrics server.",
        "`Metrics API not available`",
        &["`minikube addons enable metrics-server`"],
    )
    .warning(),
    entry(
        codes::OBJECT_NOT_FOUND,
        "an object is not in the cluster",
        Class::Cluster,
        "The object asked for does not exist, in that namespace at least.",
        "`Error from server (NotFound)`",
        &["`cargo xtask plan` shows what is missing, `cargo xtask deploy` creates it"],
    ),
];
