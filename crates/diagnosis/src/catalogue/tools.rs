//! The codes of layer `tools`.

use super::{Entry, codes, entry};
use crate::finding::Class;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::TOOL_MISSING,
        "a tool is not installed",
        Class::Prerequisite,
        "A program that the phase needs is not on PATH.",
        "no file of that name in any directory of PATH",
        &["install it (the finding names the page for this system)", "run `cargo xtask doctor` again"],
    ),
    entry(
        codes::TOOL_TOO_OLD,
        "a tool is too old",
        Class::Prerequisite,
        "The program is older than the oldest version whose output and flags are known to work.",
        "its own version report",
        &["update it to the version that the finding names"],
    ),
    entry(
        codes::DOCKER_DOWN,
        "the docker daemon does not answer",
        Class::Prerequisite,
        "docker runs as a client and a daemon; the daemon is not running, or DOCKER_HOST points elsewhere.",
        "`Cannot connect to the Docker daemon`, minikube reason PROVIDER_DOCKER_NOT_RUNNING",
        &[
            "start Docker Desktop, or on Linux `sudo systemctl start docker`",
            "unset DOCKER_HOST if it is a leftover of an earlier `docker-env`",
        ],
    ),
    entry(
        codes::DOCKER_PERMISSION,
        "this user may not talk to the docker daemon",
        Class::Prerequisite,
        "The daemon runs, but its socket belongs to root and the group `docker`.",
        "`permission denied while trying to connect to the Docker daemon socket`, minikube reason PROVIDER_DOCKER_NEWGRP",
        &["`sudo usermod -aG docker $USER`, then log in again"],
    ),
    entry(
        codes::DOCKER_TLS,
        "the TLS settings for the docker daemon are wrong",
        Class::Prerequisite,
        "DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH belong together; one of them is missing, or the certificates went away with an older cluster.",
        "`unable to resolve docker endpoint`, `Client sent an HTTP request to an HTTPS server`, x509 errors from docker",
        &[
            "open a new terminal, or unset DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH",
            "if it comes from minikube: `minikube start` writes the certificates again",
        ],
    ),
    entry(
        codes::DISK_FULL,
        "no space left on device",
        Class::Prerequisite,
        "A disk that docker, minikube or the build writes to is full.",
        "`no space left on device`, minikube reasons RSRC_DOCKER_STORAGE and GUEST_PROVISION_NOSPACE",
        &[
            "`cargo xtask cleanup --scope images` removes the images of this project that no pod uses",
            "`docker system df` shows what takes the room",
        ],
    ),
    entry(
        codes::TOO_FEW_CPUS,
        "this machine has too few CPUs",
        Class::Prerequisite,
        "The cluster asks for more CPUs than this machine, or Docker Desktop, has; or for fewer than Kubernetes needs (2).",
        "the number of CPUs, minikube reasons RSRC_INSUFFICIENT_CORES and RSRC_DOCKER_CORES",
        &[
            "set `cluster.cpus` in xtask.toml to a number between 2 and what the machine has",
            "Docker Desktop: Settings, Resources",
        ],
    ),
    entry(
        codes::TOO_LITTLE_MEMORY,
        "this machine has too little memory",
        Class::Prerequisite,
        "The cluster asks for more memory than there is, or for less than Kubernetes needs (1800 MiB).",
        "free memory, minikube reasons RSRC_*_MEMORY and RSRC_OVER_ALLOC_MEM",
        &["set `cluster.memory` in xtask.toml to what the finding names", "Docker Desktop: Settings, Resources"],
    ),
    entry(
        codes::TOO_LITTLE_DISK,
        "this machine has too little free disk",
        Class::Prerequisite,
        "Images and the cluster need more room than is free.",
        "free space of the disk of docker and minikube, minikube reason RSRC_INSUFFICIENT_STORAGE",
        &["free some: `docker system df` shows where it went"],
    ),
    entry(
        codes::NETWORK,
        "the internet can not be reached",
        Class::Prerequisite,
        "A registry or download server does not answer: no connection, a name server that does not know it, a VPN, or a proxy that is not set or not right.",
        "`no such host`, `i/o timeout`, `proxyconnect`, TLS handshake timeouts, minikube reasons INET_*",
        &[
            "check the connection; with a proxy set HTTP_PROXY, HTTPS_PROXY and NO_PROXY (with the cluster address in it)",
            "disconnect the VPN, or let it pass the range 192.168.49.0/24",
        ],
    )
    .retry(),
    entry(
        codes::AS_ROOT,
        "the docker driver refuses to run as root",
        Class::Prerequisite,
        "minikube does not start a cluster in docker for root, because its files would belong to root.",
        "minikube reason DRV_AS_ROOT",
        &[
            "run it as a normal user that is in the group `docker`",
            "in a container or a CI job that has only root: set `cluster.start_args = [\"--force\"]` in xtask.toml",
        ],
    ),
    entry(
        codes::DRIVER_UNUSABLE,
        "the driver of the cluster can not be used",
        Class::Prerequisite,
        "minikube does not know the driver, or it is not installed or not healthy.",
        "minikube reasons DRV_* and PROVIDER_*",
        &["set `cluster.driver = \"docker\"` in xtask.toml", "`minikube start` says more in its advice, shown in the evidence"],
    ),
    entry(
        codes::DOCKER_VERSION,
        "docker client and daemon do not understand each other",
        Class::Prerequisite,
        "The API versions of client and daemon have no version in common.",
        "`client version … is too old`, `client is newer than server`",
        &["update the older of the two; `docker version` shows both"],
    ),
    entry(
        codes::PORT_TAKEN,
        "a port is taken on this machine",
        Class::Prerequisite,
        "Another program listens on a port that this deployment wants to use.",
        "`address already in use`, `unable to listen on port`",
        &["stop the other program, or choose another port in xtask.toml"],
    ),
];
