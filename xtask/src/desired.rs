//! What should be true of Secrets and releases, which partly depends on the world: the node's address gives the public origin,
//! and what was generated for development is kept where it lives, in the cluster.

use std::collections::BTreeMap;

use plan::action::Action;
use plan::catalogue::codes;
use plan::config::{Access, Database, PodSecurity, Release as ReleaseConfig, Runtime, Service};
use plan::desired::{
    GENERATED_SECRET, IMAGE_ID_ANNOTATION, Namespace, Release, SALT_ANNOTATION, SECRET_DIGEST_ANNOTATION, SecretObject,
};
use plan::envfile::Resolved;
use plan::finding::{Class, Finding};
use plan::identity::{digest, secret_digest};
use plan::invocation::Secret;
use plan::objects::{Objects, annotation, label, text};
use plan::overlay::{Exposure, ReleaseValues, ServiceValues, overlay};
use plan::snapshot::Snapshot;
use serde_json::Value;

use crate::context::Context;
use crate::steps::secret::decode;

const CLUSTER: &str = "the cluster runs";

/// The keys of the development database's Secret, as the official image takes them.
const DATABASE_PASSWORD: &str = "POSTGRES_PASSWORD";
const DATABASE_USER: &str = "POSTGRES_USER";
const DATABASE_NAME: &str = "POSTGRES_DB";

/// Why a decision can't be made, as the decision.
fn blocked(finding: Finding) -> Action {
    Action::Blocked(Box::new(finding))
}

/// The namespace.
pub(crate) fn namespace(cx: &Context) -> Namespace {
    Namespace {
        name: cx.config.namespace.clone(),
        owner: cx.config.name.clone(),
        pod_security: cx.config.pod_security().as_str().to_owned(),
    }
}

/// The application's address as the browser sees it.
pub(crate) fn origin(cx: &Context, world: &Snapshot) -> Result<String, Action> {
    let public = cx.public();
    match access(cx, world)? {
        Access::Ingress => Ok(format!("http://{}", public.host.clone().unwrap_or_default())),
        Access::PortForward => Ok(format!("http://localhost:{}", public.local_port)),
        Access::NodePort | Access::Auto => {
            let node = world.node.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
            Ok(format!("http://{}:{}", node.address, public.node_port))
        }
    }
}

/// The address of what runs. A chart may take no node port, and then Kubernetes chooses one, which an application of somebody else may
/// not answer at; or it may make a Service without any, and then a forward leads to it.
pub(crate) fn reached(cx: &Context, world: &Snapshot) -> Result<(String, Access), Action> {
    let (origin, access) = (origin(cx, world)?, access(cx, world)?);
    let public = cx.public();
    if access != Access::NodePort {
        return Ok((origin, access));
    }
    Ok(match crate::observe::service_of(cx, world, &public.service).map(|service| service.node_port) {
        None => (origin, access),
        Some(Some(port)) if port == public.node_port => (origin, access),
        Some(Some(port)) => (origin.replace(&format!(":{}", public.node_port), &format!(":{port}")), access),
        Some(None) => (format!("http://localhost:{}", public.local_port), Access::PortForward),
    })
}

/// How this machine reaches the cluster. minikube itself puts docker's address on loopback where the node can't be reached
/// (macOS, Windows, WSL, Docker Desktop, rootless: `NeedsPortForward` in minikube 1.38).
pub(crate) fn access(cx: &Context, world: &Snapshot) -> Result<Access, Action> {
    match cx.public().access {
        // No docker-env says where the node is; a docker in a virtual machine of its own on Linux is not noticed so.
        Access::Auto if world.runtime == Runtime::Containerd => {
            Ok(if crate::cluster_size::node_is_out_of_reach() { Access::PortForward } else { Access::NodePort })
        }
        Access::Auto => {
            let host = world.docker.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
            let loopback = host.address().is_some_and(|a| a == "localhost" || a.starts_with("127.") || a == "[::1]");
            Ok(if loopback { Access::PortForward } else { Access::NodePort })
        }
        other => Ok(other),
    }
}

/// What is generated once for development: read from the cluster where it is, else made here.
pub(crate) fn generated(cx: &Context, world: &Snapshot) -> Result<SecretObject, Action> {
    let objects = world.objects.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
    let live = secret_data(objects, GENERATED_SECRET);
    let mut data = BTreeMap::new();
    for key in cx.generated_keys() {
        let value = live.get(&key).cloned().map_or_else(|| cx.generate(&key), Ok).map_err(blocked)?;
        data.insert(key, value);
    }
    Ok(SecretObject { name: GENERATED_SECRET.to_owned(), data, generated: true })
}

/// The Secret of the development database. Its password and its volume live and die together.
pub(crate) fn database_secret(cx: &Context, world: &Snapshot, database: &Database) -> Result<SecretObject, Action> {
    let objects = world.objects.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
    let password = if let Some(password) = secret_data(objects, &database.secret).remove(DATABASE_PASSWORD) {
        password
    } else if let Some(volume) = database_volume(database, objects) {
        return Err(blocked(password_lost(cx, database, &volume)));
    } else {
        cx.generate(DATABASE_PASSWORD).map_err(blocked)?
    };
    let data = BTreeMap::from([
        (DATABASE_USER.to_owned(), Secret::new(&database.user)),
        (DATABASE_PASSWORD.to_owned(), password),
        (DATABASE_NAME.to_owned(), Secret::new(&database.name)),
    ]);
    Ok(SecretObject { name: database.secret.clone(), data, generated: true })
}

/// The claim of the development database's volume, if there is one.
pub(crate) fn database_volume(database: &Database, objects: &Objects) -> Option<String> {
    volume(database, objects).map(|claim| text(claim, "/metadata/name").to_owned())
}

fn volume<'a>(database: &Database, objects: &'a Objects) -> Option<&'a Value> {
    objects.of_kind("PersistentVolumeClaim").find(|claim| label(claim, "app.kubernetes.io/instance") == database.release)
}

fn password_lost(cx: &Context, database: &Database, volume: &str) -> Finding {
    let secret = &database.secret;
    Finding::error(
        codes::SECRET_VALUE_MISSING,
        Class::Config,
        format!("secret/{secret}"),
        format!("the development database's volume `{volume}` is there, but its password in Secret `{secret}` is gone"),
    )
    .evidence(format!("secret/{secret}"), format!("no key {DATABASE_PASSWORD}"))
    .remedy("remove the volume with its data; the next deploy makes both anew", "cargo xtask cleanup --volumes")
    .remedy(
        "or put the password back",
        format!("kubectl --context {} -n {} edit secret {secret}", cx.profile(), cx.config.namespace),
    )
}

/// The Secret of a release: the keys that its services list.
pub(crate) fn release_secret(cx: &Context, world: &Snapshot, release: &ReleaseConfig) -> Result<SecretObject, Action> {
    let mut data = BTreeMap::new();
    for name in release.services.keys() {
        data.extend(service_secrets(cx, world, cx.service(name))?);
    }
    Ok(SecretObject { name: release.secret.clone(), data, generated: false })
}

/// The secrets of one service, by its own list of keys. Optional keys without a value are left out.
fn service_secrets(cx: &Context, world: &Snapshot, service: &Service) -> Result<BTreeMap<String, Secret>, Action> {
    Ok(environment(cx, world)?.share(&service.keys).secret)
}

/// The environment with what is made for development filled in.
fn environment(cx: &Context, world: &Snapshot) -> Result<Resolved, Action> {
    let mut environment = cx.environment.clone();
    for (key, value) in generated(cx, world)?.data {
        environment.supply(&key, value);
    }
    if let Some(database) = cx.database() {
        environment.supply(&database.key, database_url(cx, world, database)?);
    }
    Ok(environment)
}

fn database_url(cx: &Context, world: &Snapshot, database: &Database) -> Result<Secret, Action> {
    let secret = database_secret(cx, world, database)?;
    let password = secret.data.get(DATABASE_PASSWORD).map(Secret::reveal).unwrap_or_default();
    // The password is hexadecimal, the names are checked: nothing needs escaping.
    let url = Secret::new(format!(
        "postgresql://{}:{password}@{}:{}/{}",
        database.user,
        database.release,
        Database::PORT,
        database.name
    ));
    Ok(url)
}

/// The release of the development database.
pub(crate) fn database_release(cx: &Context, database: &Database) -> Result<Release, Action> {
    let files_digest = cx.chart_digest(&database.chart, &[]).map_err(blocked)?;
    Ok(Release {
        name: database.release.clone(),
        files_digest,
        overlay: Context::database_values(database),
        images: BTreeMap::new(),
        hooks: None,
    })
}

/// A release of the layout, or of the development database, by its name.
pub(crate) fn release(cx: &Context, world: &Snapshot, name: &str) -> Result<Release, Action> {
    if let Some(database) = cx.database().filter(|d| d.release == name) {
        return database_release(cx, database);
    }
    let config = cx.release(name).ok_or_else(|| blocked(crate::failure::internal(format!("no release `{name}`"))))?;
    let files_digest = cx.chart_digest(&config.chart, &config.values).map_err(blocked)?;
    let objects = world.objects.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
    let secret = release_secret(cx, world, config)?;
    let salt = objects.get("Secret", &secret.name).map(|o| annotation(o, SALT_ANNOTATION)).unwrap_or_default();
    let origin = origin(cx, world)?;
    let access = access(cx, world)?;
    let mut services = Vec::new();
    let mut images = BTreeMap::new();
    for (service_name, mapping) in &config.services {
        let service = cx.service(service_name);
        let image = cx.image(service_name).map_err(blocked)?;
        let running = if cx.is_asked(service_name) { None } else { running_image(cx, world, service_name) };
        let reference = running.unwrap_or_else(|| image.reference());
        let tag = reference.rsplit_once(':').map_or(image.tag.clone(), |(_, tag)| tag.to_owned());
        let own = service_secrets(cx, world, service)?;
        let mut annotations = BTreeMap::new();
        if !own.is_empty() {
            if salt.is_empty() {
                return Err(Action::unknown(format!("Secret `{}` is written", secret.name)));
            }
            let digest = secret_digest(salt.as_bytes(), own.iter().map(|(k, v)| (k.as_str(), v)));
            annotations.insert(SECRET_DIGEST_ANNOTATION.to_owned(), digest);
        }
        if let Some(id) = image_id(cx, world, service_name, &reference) {
            annotations.insert(IMAGE_ID_ANNOTATION.to_owned(), id);
        }
        images.insert(service_name.clone(), reference);
        let exposed = (cx.public().service == *service_name)
            .then(|| if access == Access::Ingress { Exposure::Inside } else { Exposure::NodePort(cx.public().node_port) });
        services.push(ServiceValues {
            at: mapping.at.clone(),
            keys: mapping.keys.clone(),
            repository: image.repository,
            tag,
            port: service.port,
            liveness: service.health.liveness.clone(),
            readiness: service.health.readiness.clone(),
            secret_keys: own.into_keys().collect(),
            annotations,
            replicas: mapping.replicas,
            pod_security: (service.pod_security != PodSecurity::Restricted).then(|| service.pod_security.as_str().to_owned()),
            read_only_root: (!service.read_only_root).then_some(false),
            run_as_user: service.run_as_user,
            exposed,
        });
    }
    let ingress =
        (access == Access::Ingress).then(|| (cx.public().host.clone().unwrap_or_default(), cx.public().ingress_class.clone()));
    let values = ReleaseValues {
        keys: config.keys.clone(),
        existing_secret: (!secret.data.is_empty()).then_some(secret.name),
        public_origin: Some(origin),
        config: cx.environment.share_of(&cx.config, config).plain,
        ingress: ingress.filter(|_| config.services.contains_key(&cx.public().service)),
        set: config.set.clone(),
    };
    let hooks = hooks(cx, objects, config, &files_digest, &values, &services)?;
    Ok(Release { name: name.to_owned(), files_digest, overlay: overlay(&values, &services), images, hooks })
}

/// The digest of all that a release's hooks depend on: everything but which image it is, with the files that the services name instead;
/// and the development database, which may be another one by now.
fn hooks(
    cx: &Context,
    objects: &Objects,
    config: &ReleaseConfig,
    files_digest: &str,
    values: &ReleaseValues,
    services: &[ServiceValues],
) -> Result<Option<String>, Action> {
    let told = config.services.keys().filter(|name| !cx.service(name).migrations.is_empty());
    let files: Vec<String> =
        told.map(|name| cx.sources.part(name, &cx.service(name).migrations)).collect::<Result<_, _>>().map_err(blocked)?;
    if files.is_empty() {
        return Ok(None);
    }
    let of_any_image: Vec<ServiceValues> = services
        .iter()
        .map(|service| {
            let mut service = ServiceValues { tag: String::new(), ..service.clone() };
            service.annotations.remove(IMAGE_ID_ANNOTATION);
            service
        })
        .collect();
    let release = overlay(values, &of_any_image).to_string();
    let volume = cx.database().and_then(|database| volume(database, objects));
    let volume = volume.map_or("", |claim| text(claim, "/metadata/uid"));
    let parts = [files_digest, &release, volume].into_iter().chain(files.iter().map(String::as_str));
    Ok(Some(digest(parts.map(str::as_bytes))))
}

/// The image of a service as its workload names it now.
pub(crate) fn running_image(cx: &Context, world: &Snapshot, service: &str) -> Option<String> {
    running(cx, world, service).map(|(image, _)| image)
}

/// The same with the workload.
fn running<'a>(cx: &'a Context, world: &'a Snapshot, service: &str) -> Option<(String, &'a Value)> {
    let (release, _) = cx.layout().of_service(service)?;
    let objects = world.objects.as_ref()?;
    let prefix = format!("{}:", cx.service(service).image);
    plan::decide::workloads(objects, &release.name).find_map(|workload| {
        let containers = workload.pointer("/spec/template/spec/containers")?.as_array()?;
        let image = containers.iter().map(|c| text(c, "/image")).find(|image| image.starts_with(&prefix))?;
        Some((image.to_owned(), workload))
    })
}

/// Which image the node has under a name, as the pods are told; of a service that this run leaves alone, what they were told then.
fn image_id(cx: &Context, world: &Snapshot, service: &str, reference: &str) -> Option<String> {
    if !cx.is_asked(service)
        && let Some((_, workload)) = running(cx, world, service)
    {
        let told = workload.pointer("/spec/template/metadata/annotations")?.get(IMAGE_ID_ANNOTATION)?;
        return told.as_str().map(str::to_owned);
    }
    let id = &world.images.as_ref()?.get(reference)?.id;
    Some(id.trim_start_matches("sha256:").chars().take(12).collect())
}

/// The decoded data of a live Secret.
pub(crate) fn secret_data(objects: &Objects, name: &str) -> BTreeMap<String, Secret> {
    let data = objects.get("Secret", name).and_then(|o| o.pointer("/data")).and_then(Value::as_object);
    data.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), Secret::new(decode(v.as_str()?)?)))).collect()
}

/// The newest revision of a release that was deployed at some time, by helm's own Secrets.
pub(crate) fn last_good_revision(objects: &Objects, release: &str) -> Option<u32> {
    let secrets = objects.of_kind("Secret").filter(|o| label(o, "owner") == "helm" && label(o, "name") == release);
    secrets
        .filter(|o| matches!(label(o, "status"), "deployed" | "superseded"))
        .filter_map(|o| label(o, "version").parse().ok())
        .max()
}
