//! Looking at the world: as few processes as can be, side by side, into one snapshot.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::catalogue::{codes, finding};
use plan::config::{Access, Runtime, Service};
use plan::desired::Image;
use plan::finding::Finding;
use plan::objects::{Objects, label, text};
use plan::snapshot::{ClusterState, DockerHost, Endpoint, Node, NodeImage, Snapshot};
use serde_json::Value;
use tools::docker::{self, ImageDetail};
use tools::kubectl::{self, Selection};
use tools::minikube::{self, State, Status};

use crate::context::Context;
use crate::{containerd, desired, failure, http};

/// Kinds that say how the pods are: where there is no way but `kubectl get`, one process asks for them.
const WORKLOADS: &[Kind] = &[
    Kind("deployments", "apis/apps/v1"),
    Kind("statefulsets", "apis/apps/v1"),
    Kind("daemonsets", "apis/apps/v1"),
    Kind("replicasets", "apis/apps/v1"),
    Kind("pods", "api/v1"),
    Kind("jobs", "apis/batch/v1"),
    Kind("cronjobs", "apis/batch/v1"),
];
/// Kinds that diagnosis reads.
pub(crate) const DIAGNOSED: &[Kind] = &[
    Kind("pods", "api/v1"),
    Kind("events", "api/v1"),
    Kind("deployments", "apis/apps/v1"),
    Kind("replicasets", "apis/apps/v1"),
    Kind("statefulsets", "apis/apps/v1"),
    Kind("daemonsets", "apis/apps/v1"),
    Kind("jobs", "apis/batch/v1"),
    Kind("persistentvolumeclaims", "api/v1"),
    Kind("resourcequotas", "api/v1"),
    Kind("nodes", "api/v1"),
];
/// Kinds that releases and the tool itself write: the other process asks for them.
const SETTINGS: &[Kind] = &[
    Kind("nodes", "api/v1"),
    Kind("namespaces", "api/v1"),
    Kind("services", "api/v1"),
    Kind("configmaps", "api/v1"),
    Kind("secrets", "api/v1"),
    Kind("serviceaccounts", "api/v1"),
    Kind("ingresses", "apis/networking.k8s.io/v1"),
    Kind("networkpolicies", "apis/networking.k8s.io/v1"),
    Kind("poddisruptionbudgets", "apis/policy/v1"),
    Kind("horizontalpodautoscalers", "apis/autoscaling/v2"),
    Kind("persistentvolumeclaims", "api/v1"),
    Kind("resourcequotas", "api/v1"),
    Kind("limitranges", "api/v1"),
];

/// A kind as `kubectl get` names it, and its group and version: all are served from Kubernetes 1.26 on, before the oldest that
/// xtask.toml may ask for.
#[derive(Clone, Copy)]
pub(crate) struct Kind(&'static str, &'static str);

impl Kind {
    /// The path of its list in the API.
    fn path(self, namespace: &str) -> String {
        let Self(name, group) = self;
        if matches!(name, "nodes" | "namespaces") {
            format!("/{group}/{name}")
        } else {
            format!("/{group}/namespaces/{namespace}/{name}")
        }
    }
}

/// How long one look at an address may take.
const ADDRESS: Duration = Duration::from_secs(5);

/// The node's docker as the tools take it.
pub(crate) fn endpoint(host: &DockerHost) -> docker::Endpoint {
    docker::Endpoint::Node(minikube::DockerEnv {
        host: host.host.clone(),
        tls_verify: host.tls_verify.clone(),
        cert_path: host.cert_path.clone(),
    })
}

/// The docker that builds, and that knows by labels which images are ours: the node's, or this machine's where the node has none.
pub(crate) fn build_endpoint(world: &Snapshot) -> Option<docker::Endpoint> {
    match world.runtime {
        Runtime::Docker => world.docker.as_ref().map(endpoint),
        Runtime::Containerd => Some(docker::Endpoint::Host),
    }
}

/// Which images are looked for.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// Those of the services that this run is about.
    Images,
    /// None.
    Nothing,
}

/// Looks at everything that `deploy` compares. minikube is only asked when the API server does not answer, and the node's docker
/// through the remembered endpoint where that is provably the node's.
pub(crate) fn everything(cx: &Context, wanted: Wanted) -> Result<Snapshot, Finding> {
    let profile = cx.profile();
    let remembered = cx.caches.docker_host(&profile);
    let containerd_node = if remembered.is_none() { cx.caches.containerd_node(&profile) } else { None };
    let (live, wanted, images) = std::thread::scope(|scope| {
        // The digests of the build contexts, and then the images of that name, while the API server is asked.
        let images = scope.spawn(|| {
            let wanted = match wanted {
                Wanted::Images => cx.images()?,
                Wanted::Nothing => Vec::new(),
            };
            let found = match (&remembered, &containerd_node) {
                (Some(host), _) => Some(node_images(cx, &endpoint(host), &wanted)),
                (None, Some(_)) => Some(containerd::node_images(cx, &wanted)),
                (None, None) => None,
            };
            Ok((wanted, found))
        });
        let live = live_objects(cx);
        let (wanted, found) = images.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok::<_, Finding>((live, wanted, found))
    })?;
    let unreachable = match live {
        Ok(objects) => {
            let node = node(&objects, &profile);
            if node.is_none() {
                return Err(not_this_profile(cx, &objects));
            }
            let uid = node.as_ref().and_then(|n| objects.get("Node", &n.name)).map(|n| text(n, "/metadata/uid").to_owned());
            let mut seen = Snapshot { cluster: ClusterState::Running, node, objects: Some(objects), ..Snapshot::default() };
            // The answer counts only if it came from this node: a port of this machine may belong to another profile by now.
            let address = seen.node.as_ref().map(|n| n.address.clone());
            let proven = remembered.filter(|host| host.address().is_some() && host.address() == address.as_deref());
            let same_node = containerd_node.is_some() && containerd_node == uid;
            match images {
                Some(Ok(found)) if proven.is_some() => Store { docker: proven, found }.put(&mut seen),
                Some(Ok(found)) if same_node => Store { docker: None, found }.put(&mut seen),
                _ => {
                    let store = ask_store(cx, &wanted)?;
                    if let (None, Some(uid)) = (&store.docker, &uid) {
                        cx.caches.remember_containerd(&profile, uid);
                    }
                    store.put(&mut seen);
                }
            }
            return Ok(seen);
        }
        Err(finding) => finding,
    };
    let cluster = cluster_state(cx)?;
    if cluster == ClusterState::Running {
        // minikube says that all is well and kubectl says no: kubectl's reason is the finding.
        return Err(unreachable);
    }
    Ok(Snapshot { cluster, ..Snapshot::default() })
}

/// The context answers, but not from the node of this profile.
pub(crate) fn not_this_profile(cx: &Context, objects: &Objects) -> Finding {
    let profile = cx.profile();
    let nodes: Vec<&str> = objects.of_kind("Node").map(|n| text(n, "/metadata/name")).collect();
    finding(
        codes::CONTEXT_NOT_PROFILE,
        &profile,
        format!("the kubeconfig's context `{profile}` is not the minikube profile `{profile}`"),
    )
    .evidence("nodes", nodes.join(", "))
    .remedy("point it at the profile", format!("minikube -p {profile} update-context"))
    .advice("or name another `cluster.profile` in xtask.toml")
}

/// Where the node's images are, and the wanted ones among them.
struct Store {
    /// The node's docker; `None` where its runtime is containerd.
    docker: Option<DockerHost>,
    found: BTreeMap<String, NodeImage>,
}

impl Store {
    /// Keeps it, with the images that were seen before: they may have been built since this look.
    fn put(self, world: &mut Snapshot) {
        world.runtime = if self.docker.is_some() { Runtime::Docker } else { Runtime::Containerd };
        world.docker = self.docker;
        let known = world.images.get_or_insert_default();
        for (reference, image) in self.found {
            known.entry(reference).or_insert(image);
        }
    }
}

/// Asks minikube where the node's docker is; `None` where its runtime is containerd. Where `docker-env` refuses, the profile says whether
/// it has no docker; the node's own word does not count: its docker may sit on a containerd that the kubelet uses.
pub(crate) fn node_docker(cx: &Context) -> Result<Option<DockerHost>, Finding> {
    let refused = match minikube::docker_env(&cx.runner, &cx.profile()) {
        Ok(env) => return Ok(Some(DockerHost { host: env.host, tls_verify: env.tls_verify, cert_path: env.cert_path })),
        Err(error) => failure::finding(cx, &error),
    };
    if refused.code == codes::DOCKER_ENV && containerd::is_runtime(cx)? { Ok(None) } else { Err(refused) }
}

/// Asks where the node's images are, lists the wanted ones, and remembers a docker that has answered.
fn ask_store(cx: &Context, wanted: &[Image]) -> Result<Store, Finding> {
    let docker = node_docker(cx)?;
    let found = match &docker {
        Some(host) => node_images(cx, &endpoint(host), wanted)?,
        None => containerd::node_images(cx, wanted)?,
    };
    if let Some(host) = &docker {
        cx.caches.remember_docker_host(&cx.profile(), host);
    }
    Ok(Store { docker, found })
}

/// The same, kept in the world.
pub(crate) fn refresh_store(cx: &Context) -> Result<(), Finding> {
    let store = ask_store(cx, &cx.images()?)?;
    cx.update(|world| store.put(world));
    Ok(())
}

/// What minikube says of the profile.
pub(crate) fn cluster_state(cx: &Context) -> Result<ClusterState, Finding> {
    let status = minikube::status(&cx.runner, &cx.profile()).map_err(|f| failure::finding(cx, &f))?;
    Ok(match &status {
        Status::ProfileMissing => ClusterState::Missing,
        Status::NodeMissing(words) => ClusterState::Degraded(words.lines().next().unwrap_or_default().to_owned()),
        Status::Nodes(_) if status.is_running() => ClusterState::Running,
        Status::Nodes(_) if status.only_kubeconfig_wrong() => ClusterState::KubeconfigStale,
        Status::Nodes(nodes) => match nodes.first() {
            Some(node) if node.host == State::Stopped => ClusterState::Stopped,
            Some(node) if node.host == State::Paused || node.api_server == State::Paused => ClusterState::Paused,
            Some(node) => ClusterState::Degraded(format!(
                "host {:?}, kubelet {:?}, API server {:?}",
                node.host, node.kubelet, node.api_server
            )),
            None => ClusterState::Degraded("minikube lists no node".to_owned()),
        },
    })
}

/// The objects of the namespace, the namespace itself and the node: through one proxy that is open for the whole run, else by two
/// processes side by side. What the proxy can't answer is asked again by `kubectl get`, whose words for a failure are known.
pub(crate) fn live_objects(cx: &Context) -> Result<Objects, Finding> {
    let all = SETTINGS.iter().chain(WORKLOADS);
    let paths: Vec<String> = all.map(|kind| kind.path(&cx.config.namespace)).collect();
    if let Some(objects) = cx.api.lists(&cx.runner, &cx.profile(), &paths) {
        return Ok(Objects::new(objects));
    }
    std::thread::scope(|scope| {
        let workloads = scope.spawn(|| by_process(cx, WORKLOADS));
        let settings = by_process(cx, SETTINGS);
        let workloads = workloads.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut objects = Objects::new(settings?);
        objects.extend(Objects::new(workloads?));
        Ok(objects)
    })
}

/// The objects of these kinds, in the same way.
pub(crate) fn listed(cx: &Context, kinds: &[Kind]) -> Result<Vec<Value>, Finding> {
    let paths: Vec<String> = kinds.iter().map(|kind| kind.path(&cx.config.namespace)).collect();
    cx.api.lists(&cx.runner, &cx.profile(), &paths).map_or_else(|| by_process(cx, kinds), Ok)
}

fn by_process(cx: &Context, kinds: &[Kind]) -> Result<Vec<Value>, Finding> {
    let kinds: Vec<&str> = kinds.iter().map(|Kind(name, _)| *name).collect();
    kubectl::get(&cx.runner, &cx.kube(), &kinds, &Selection::all()).map_err(|f| failure::finding(cx, &f))
}

/// The node of the profile, as the API server describes it: minikube labels it with the profile's name.
pub(crate) fn node(objects: &Objects, profile: &str) -> Option<Node> {
    let mut nodes = objects.of_kind("Node").filter(|n| label(n, "minikube.k8s.io/name") == profile);
    let found = nodes.find(|n| label(n, "minikube.k8s.io/primary") != "false")?;
    let addresses = found.pointer("/status/addresses").and_then(Value::as_array);
    let address = addresses.into_iter().flatten().find(|a| text(a, "/type") == "InternalIP").map(|a| text(a, "/address"));
    Some(Node {
        name: text(found, "/metadata/name").to_owned(),
        profile: label(found, "minikube.k8s.io/name").to_owned(),
        address: address.unwrap_or_default().to_owned(),
        kubelet: text(found, "/status/nodeInfo/kubeletVersion").to_owned(),
        runtime: text(found, "/status/nodeInfo/containerRuntimeVersion").to_owned(),
        architecture: text(found, "/status/nodeInfo/architecture").to_owned(),
    })
}

/// The wanted images that the node's docker has, with their labels: one process for all.
pub(crate) fn node_images(
    cx: &Context,
    endpoint: &docker::Endpoint,
    wanted: &[Image],
) -> Result<BTreeMap<String, NodeImage>, Finding> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let references: Vec<String> = wanted.iter().map(Image::reference).collect();
    let inspected = docker::inspect(&cx.runner, endpoint, &references).map_err(|f| failure::finding(cx, &f))?;
    Ok(inspected
        .found
        .into_iter()
        .flat_map(|image| {
            let ImageDetail { id, tags, repo_digests, labels, .. } = image;
            let node_image = NodeImage { id, tags: tags.clone(), labels, repo_digests, built: None };
            tags.into_iter().map(move |tag| {
                let built = cx.caches.built(&tag, &node_image.id);
                (tag, NodeImage { built, ..node_image.clone() })
            })
        })
        .collect())
}

/// Looks at the live objects again and keeps what it saw.
pub(crate) fn refresh_objects(cx: &Context) -> Result<(), Finding> {
    let objects = live_objects(cx)?;
    keep_objects(cx, objects);
    Ok(())
}

/// Keeps objects that were seen.
pub(crate) fn keep_objects(cx: &Context, objects: Objects) {
    let node = node(&objects, &cx.profile());
    cx.update(|world| {
        world.cluster = ClusterState::Running;
        world.node = node;
        world.objects = Some(objects);
    });
}

/// A Service of a service.
pub(crate) struct ServiceAddress {
    /// Its name in the cluster.
    pub(crate) name: String,
    /// Its port.
    pub(crate) port: u16,
    /// Its port on the node, if it has one.
    pub(crate) node_port: Option<u16>,
}

/// The Kubernetes Service of a service of xtask.toml.
pub(crate) fn service_of(cx: &Context, world: &Snapshot, service: &str) -> Option<ServiceAddress> {
    let (release, _) = cx.layout().of_service(service)?;
    let objects = world.objects.as_ref()?;
    let part = cx.part(release, service);
    let found = part.service(objects)?;
    let entry = part.service_port(objects, found, cx.service(service).port?)?;
    let number = |of: &str| entry.pointer(of).and_then(Value::as_u64).and_then(|number| u16::try_from(number).ok());
    Some(ServiceAddress {
        name: text(found, "/metadata/name").to_owned(),
        port: number("/port")?,
        node_port: number("/nodePort"),
    })
}

/// What the public address answers from here.
pub(crate) fn endpoints(cx: &Context) -> Result<Vec<Endpoint>, Finding> {
    endpoints_with(cx, |url| http::get(url, ADDRESS))
}

/// The same, with an answer that was asked for already, if it is that of the right address.
pub(crate) fn endpoints_early(cx: &Context, early: Early) -> Result<Vec<Endpoint>, Finding> {
    endpoints_with(cx, |url| match early {
        Early(Some((asked, answer))) if asked == url => answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Early(_) => http::get(url, ADDRESS),
    })
}

/// A question to the address at which the application probably is.
pub(crate) struct Early(Option<(String, std::thread::JoinHandle<Result<http::Answer, String>>)>);

/// Asks it while the cluster is looked at; only a run that finds all else as it should be uses the answer. Nobody waits for it else.
pub(crate) fn ask_early(cx: &Context) -> Early {
    let host = cx.caches.docker_host(&cx.profile());
    let guess = Snapshot {
        node: host.as_ref().and_then(DockerHost::address).map(|address| Node { address: address.to_owned(), ..Node::default() }),
        docker: host,
        ..Snapshot::default()
    };
    let url = cx.public_service().and_then(|public| {
        let origin = desired::origin(cx, &guess).ok()?;
        Some(format!("{origin}{}", public.health.readiness))
    });
    Early(url.map(|url| {
        let asked = url.clone();
        (url, std::thread::spawn(move || http::get(&asked, ADDRESS)))
    }))
}

fn endpoints_with(cx: &Context, ask: impl FnOnce(&str) -> Result<http::Answer, String>) -> Result<Vec<Endpoint>, Finding> {
    let Some(service) = cx.public_service() else { return Ok(Vec::new()) };
    let (origin, access) = cx.look(|world| desired::reached(cx, world)).map_err(failure::undecided)?;
    let url = format!("{origin}{}", service.health.readiness);
    let answer = ask(&url);
    if answer.is_err() && access == Access::PortForward {
        // Nobody serves the local port now; the way there is opened for this one question.
        return Ok(vec![forwarded(cx, service)?]);
    }
    Ok(vec![judged(&service.name, &url, answer)])
}

fn forwarded(cx: &Context, service: &Service) -> Result<Endpoint, Finding> {
    let address = cx
        .look(|world| service_of(cx, world, &service.name))
        .ok_or_else(|| finding(codes::SERVICE_MISSING, &service.name, format!("there is no Service for `{}`", service.name)))?;
    let object = format!("service/{}", address.name);
    let forward = kubectl::port_forward(&cx.runner, &cx.kube(), &object, (0, address.port), ADDRESS)
        .map_err(|f| failure::finding(cx, &f))?;
    let url = format!("http://127.0.0.1:{}{}", forward.port, service.health.readiness);
    let answer = http::get(&url, ADDRESS);
    // The forward is gone when this is read: what lasts is the Service.
    let through = format!("http://{}:{}{} by a forward", address.name, address.port, service.health.readiness);
    Ok(judged(&service.name, &through, answer))
}

/// A redirect is an answer (a sign-in page), an error of either side is not.
fn judged(service: &str, url: &str, answer: Result<http::Answer, String>) -> Endpoint {
    match answer {
        Ok(answer) => Endpoint {
            service: service.to_owned(),
            address: url.to_owned(),
            reached: true,
            ok: (200..400).contains(&answer.status),
            said: format!("{} in {}", answer.status, format_args!("{} ms", answer.took.as_millis())),
            body: answer.body,
        },
        Err(what) => Endpoint {
            service: service.to_owned(),
            address: url.to_owned(),
            reached: false,
            ok: false,
            said: what.strip_prefix(&format!("{url}: ")).map(str::to_owned).unwrap_or(what),
            body: String::new(),
        },
    }
}
