//! The codes, by name. A code never changes its meaning; a number that went out of use stays unused.

/// a tool is not installed
pub const TOOL_MISSING: &str = "XT101";
/// a tool is too old
pub const TOOL_TOO_OLD: &str = "XT102";
/// the docker daemon does not answer
pub const DOCKER_DOWN: &str = "XT103";
/// this user may not talk to the docker daemon
pub const DOCKER_PERMISSION: &str = "XT104";
/// the TLS settings for the docker daemon are wrong
pub const DOCKER_TLS: &str = "XT105";
/// no space left on device
pub const DISK_FULL: &str = "XT106";
/// this machine has too few CPUs
pub const TOO_FEW_CPUS: &str = "XT107";
/// this machine has too little memory
pub const TOO_LITTLE_MEMORY: &str = "XT108";
/// this machine has too little free disk
pub const TOO_LITTLE_DISK: &str = "XT109";
/// the internet can not be reached
pub const NETWORK: &str = "XT110";
/// the docker driver refuses to run as root
pub const AS_ROOT: &str = "XT111";
/// the driver of the cluster can not be used
pub const DRIVER_UNUSABLE: &str = "XT112";
/// docker client and daemon do not understand each other
pub const DOCKER_VERSION: &str = "XT113";
/// a port is taken on this machine
pub const PORT_TAKEN: &str = "XT115";
/// xtask.toml has a problem
pub const CONFIG_PROBLEM: &str = "XT201";
/// the .env file has a problem
pub const ENV_FILE_PROBLEM: &str = "XT202";
/// a required secret has no value
pub const SECRET_VALUE_MISSING: &str = "XT203";
/// a file or directory named by the config does not exist
pub const PATH_MISSING: &str = "XT204";
/// the cluster did not start
pub const CLUSTER_START_FAILED: &str = "XT301";
/// minikube does not accept the call
pub const MINIKUBE_USAGE: &str = "XT302";
/// the profile was made with another driver
pub const DRIVER_MISMATCH: &str = "XT303";
/// minikube can not run that Kubernetes version
pub const K8S_VERSION: &str = "XT304";
/// minikube can not download what it needs
pub const CLUSTER_DOWNLOAD: &str = "XT306";
/// the minikube profile does not exist
pub const PROFILE_MISSING: &str = "XT307";
/// the cluster is stopped
pub const PROFILE_STOPPED: &str = "XT308";
/// the API server does not answer
pub const API_DOWN: &str = "XT309";
/// the kubelet does not run
pub const KUBELET_DOWN: &str = "XT310";
/// the kubeconfig points at an old address of the cluster
pub const KUBECONFIG_STALE: &str = "XT311";
/// the kubeconfig has no such context
pub const CONTEXT_MISSING: &str = "XT312";
/// the context is not of this minikube profile
pub const CONTEXT_NOT_PROFILE: &str = "XT313";
/// the profile has other resources or runtime than xtask.toml asks for
pub const PROFILE_DIFFERS: &str = "XT314";
/// the node of the profile is gone
pub const NODE_MISSING: &str = "XT315";
/// the cluster is paused
pub const CLUSTER_PAUSED: &str = "XT316";
/// the certificate of the API server is not trusted
pub const API_TLS: &str = "XT318";
/// a certificate is expired or not yet valid
pub const CERT_TIME: &str = "XT319";
/// the cluster forbids it
pub const FORBIDDEN: &str = "XT320";
/// the node is not ready
pub const NODE_NOT_READY: &str = "XT321";
/// the node runs out of memory, disk or process ids
pub const NODE_PRESSURE: &str = "XT322";
/// the disk of the node is full
pub const NODE_DISK_FULL: &str = "XT323";
/// the docker daemon of the node can not be used
pub const DOCKER_ENV: &str = "XT324";
/// the cluster has no metrics
pub const METRICS_MISSING: &str = "XT325";
/// an object is not in the cluster
pub const OBJECT_NOT_FOUND: &str = "XT326";
/// the image is not on the node and must not be pulled
pub const IMAGE_NEVER_PULL: &str = "XT401";
/// the registry has no such image
pub const PULL_NOT_FOUND: &str = "XT402";
/// the registry asks for a login
pub const PULL_AUTH: &str = "XT403";
/// the registry limits the pulls
pub const PULL_RATE_LIMIT: &str = "XT404";
/// the registry can not be reached from the node
pub const PULL_NETWORK: &str = "XT405";
/// the certificate of the registry is not trusted by the node
pub const PULL_TLS: &str = "XT406";
/// the image name is not valid
pub const IMAGE_NAME_INVALID: &str = "XT407";
/// the image can not be pulled
pub const PULL_FAILED: &str = "XT408";
/// a Secret does not exist
pub const SECRET_MISSING: &str = "XT410";
/// a `ConfigMap` does not exist
pub const CONFIGMAP_MISSING: &str = "XT411";
/// a Secret lacks a key
pub const SECRET_KEY_MISSING: &str = "XT412";
/// a `ConfigMap` lacks a key
pub const CONFIGMAP_KEY_MISSING: &str = "XT413";
/// a volume names an object that does not exist
pub const MOUNT_SOURCE_MISSING: &str = "XT414";
/// a volume can not be mounted
pub const MOUNT_FAILED: &str = "XT416";
/// no node has enough CPU left
pub const UNSCHEDULABLE_CPU: &str = "XT420";
/// no node has enough memory left
pub const UNSCHEDULABLE_MEMORY: &str = "XT421";
/// no node matches the selector of the pod
pub const UNSCHEDULABLE_SELECTOR: &str = "XT422";
/// the node has a taint that the pod does not tolerate
pub const UNSCHEDULABLE_TAINT: &str = "XT423";
/// the pod waits for a volume claim
pub const UNSCHEDULABLE_VOLUME: &str = "XT424";
/// the pod can not be scheduled
pub const UNSCHEDULABLE: &str = "XT425";
/// the program ends with an error again and again
pub const CRASH_LOOP: &str = "XT430";
/// the program ends at once, without an error
pub const EXITS_ZERO: &str = "XT431";
/// the container used more memory than its limit
pub const OOM_KILLED: &str = "XT432";
/// the program is not for this processor
pub const EXEC_FORMAT: &str = "XT433";
/// the command does not exist in the image
pub const COMMAND_MISSING: &str = "XT434";
/// the command can not be executed
pub const COMMAND_NOT_EXECUTABLE: &str = "XT435";
/// an init container fails
pub const INIT_FAILED: &str = "XT436";
/// the program can not reach its database
pub const DATABASE_UNREACHABLE: &str = "XT437";
/// the program refuses its configuration
pub const APP_CONFIG_REFUSED: &str = "XT438";
/// the container can not be created or started
pub const CONTAINER_START_FAILED: &str = "XT439";
/// the readiness probe fails
pub const NOT_READY: &str = "XT440";
/// the liveness probe ends the container
pub const LIVENESS_KILLS: &str = "XT441";
/// the startup probe ends the container
pub const STARTUP_KILLS: &str = "XT442";
/// the image runs as root, which the pod forbids
pub const RUNS_AS_ROOT: &str = "XT450";
/// the image names its user by name
pub const USER_NOT_NUMERIC: &str = "XT451";
/// the namespace refuses the pod for its security settings
pub const POD_SECURITY: &str = "XT452";
/// a quota refuses the pod
pub const QUOTA: &str = "XT453";
/// the API server refuses the pod
pub const ADMISSION: &str = "XT454";
/// the service account of the pod does not exist
pub const SERVICE_ACCOUNT_MISSING: &str = "XT455";
/// the pod can not be created
pub const POD_CREATE_FAILED: &str = "XT456";
/// the pod was evicted
pub const EVICTED: &str = "XT460";
/// an object does not go away
pub const STUCK_TERMINATING: &str = "XT461";
/// a job failed
pub const JOB_FAILED: &str = "XT462";
/// the rollout did not end in time
pub const ROLLOUT_DEADLINE: &str = "XT464";
/// the pod failed
pub const POD_FAILED: &str = "XT466";
/// the node can not set up the pod
pub const SANDBOX_FAILED: &str = "XT468";
/// a step of the Dockerfile fails
pub const STEP_FAILED: &str = "XT501";
/// COPY or ADD names a file that is not in the context
pub const COPY_MISSING: &str = "XT502";
/// the base image does not exist
pub const BASE_NOT_FOUND: &str = "XT503";
/// the base image can not be pulled: no connection
pub const BASE_NETWORK: &str = "XT504";
/// the registry refuses the base image
pub const BASE_AUTH: &str = "XT505";
/// the Dockerfile has no such stage
pub const STAGE_UNKNOWN: &str = "XT506";
/// there is no Dockerfile
pub const DOCKERFILE_MISSING: &str = "XT507";
/// the Dockerfile can not be read
pub const DOCKERFILE_SYNTAX: &str = "XT508";
/// the image tag is not valid
pub const TAG_INVALID: &str = "XT509";
/// the build context does not exist
pub const CONTEXT_MISSING_DIR: &str = "XT510";
/// the build context is too large
pub const CONTEXT_TOO_LARGE: &str = "XT511";
/// the image is over its size budget
pub const IMAGE_TOO_BIG: &str = "XT512";
/// the build took longer than its budget
pub const BUILD_TOO_SLOW: &str = "XT513";
/// the image is not on the node
pub const IMAGE_NOT_ON_NODE: &str = "XT514";
/// the build failed
pub const BUILD_FAILED: &str = "XT515";
/// the certificate of the registry of the base image is not trusted
pub const BASE_TLS: &str = "XT516";
/// a build step was killed
pub const BUILD_KILLED: &str = "XT517";
/// a build step runs a program for another processor
pub const BUILD_EXEC_FORMAT: &str = "XT518";
/// the image can not be loaded into the node
pub const IMAGE_LOAD_FAILED: &str = "XT519";
/// there is no such image
pub const IMAGE_MISSING: &str = "XT521";
/// the image can not be started
pub const IMAGE_NOT_EXECUTABLE: &str = "XT522";
/// helm could not install or change the release
pub const RELEASE_FAILED: &str = "XT601";
/// an earlier helm run was cut off
pub const RELEASE_PENDING: &str = "XT602";
/// an object exists that the release wants to create
pub const OWNERSHIP: &str = "XT603";
/// a field that can not be changed was changed
pub const IMMUTABLE: &str = "XT604";
/// a value does not fit the schema of the chart
pub const SCHEMA: &str = "XT605";
/// a template of the chart has an error
pub const TEMPLATE: &str = "XT606";
/// the `NodePort` is taken
pub const NODEPORT_TAKEN: &str = "XT607";
/// a chart that this chart depends on is missing
pub const DEPENDENCY_MISSING: &str = "XT608";
/// there is no such chart
pub const CHART_MISSING: &str = "XT609";
/// helm gave up waiting
pub const HELM_TIMEOUT: &str = "XT610";
/// there is no such release
pub const RELEASE_NOT_FOUND: &str = "XT611";
/// the release is not what xtask.toml says
pub const RELEASE_DIFFERS: &str = "XT612";
/// the cluster does not know a kind of the chart
pub const KIND_UNKNOWN: &str = "XT613";
/// the API server refuses an object of the chart
pub const OBJECT_INVALID: &str = "XT614";
/// the rollback is refused
pub const ROLLBACK_REFUSED: &str = "XT615";
/// another tool changed a field of the release
pub const APPLY_CONFLICT: &str = "XT616";
/// a values file can not be read
pub const VALUES_UNREADABLE: &str = "XT617";
/// the `NodePort` is out of range
pub const NODEPORT_RANGE: &str = "XT618";
/// the last helm run of this release failed
pub const RELEASE_STATE_FAILED: &str = "XT619";
/// helm does not know a flag
pub const HELM_FLAG: &str = "XT620";
/// a pod does not run the wanted image
pub const POD_IMAGE_DIFFERS: &str = "XT701";
/// a Service does not exist or has no pods behind it
pub const SERVICE_MISSING: &str = "XT702";
/// the `ConfigMap` in the cluster lacks a key
pub const CONFIG_KEY_MISSING: &str = "XT703";
/// the Secret in the cluster lacks a key
pub const SECRET_KEY_ABSENT: &str = "XT704";
/// a health endpoint answers wrongly
pub const HEALTH_WRONG: &str = "XT705";
/// the frontend can not reach the backend
pub const BACKEND_UNREACHABLE: &str = "XT706";
/// the application can not be reached from this machine
pub const ENDPOINT_UNREACHABLE: &str = "XT707";
/// fewer pods are ready than wanted
pub const REPLICAS_MISSING: &str = "XT708";
/// no pod runs the image that was built
pub const IMAGE_NOT_USED: &str = "XT709";
/// A test failed.
pub const TEST_FAILED: &str = "XT710";
/// not everything could be removed
pub const LEFT_BEHIND: &str = "XT801";
/// the namespace is not ours
pub const NAMESPACE_NOT_OURS: &str = "XT802";
/// an image is in use
pub const IMAGE_IN_USE: &str = "XT803";
/// xtask failed
pub const INTERNAL: &str = "XT901";
/// unknown failure
pub const UNKNOWN: &str = "XT902";
/// interrupted
pub const INTERRUPTED: &str = "XT903";
/// another run is at work
pub const LOCK_HELD: &str = "XT904";
/// a tool printed something unexpected
pub const OUTPUT_UNREADABLE: &str = "XT905";
/// a tool did not end in time
pub const TOOL_HUNG: &str = "XT906";
