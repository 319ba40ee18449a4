//! What should be true of Secrets and releases, which partly depends on the world: the node's address gives the public origin,
//! and what was generated for development is kept where it lives, in the cluster.

use std::collections::BTreeMap;

use plan::action::Action;
use plan::config::{Access, Release as ReleaseConfig, Service};
use plan::desired::{GENERATED_SECRET, Release, SALT_ANNOTATION, SECRET_DIGEST_ANNOTATION, SecretObject};
use plan::finding::{Class, Finding};
use plan::identity::secret_digest;
use plan::invocation::Secret;
use plan::objects::{Objects, annotation, label, text};
use plan::overlay::{ReleaseValues, ServiceValues, overlay};
use plan::snapshot::Snapshot;

use crate::context::Context;
use crate::steps::secret::decode;

const CLUSTER: &str = "the cluster runs";

/// The application's address as the browser sees it.
pub(crate) fn origin(cx: &Context, world: &Snapshot) -> Result<String, Action> {
    let public = &cx.config.public;
    match access(cx, world)? {
        Access::Ingress => Ok(format!("http://{}", public.host.clone().unwrap_or_default())),
        Access::PortForward => Ok(format!("http://localhost:{}", public.local_port)),
        _ => {
            let node = world.node.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
            Ok(format!("http://{}:{}", node.address, public.node_port))
        }
    }
}

/// How this machine reaches the cluster. minikube itself puts docker's address on loopback where the node can't be reached
/// (macOS, Windows, WSL, Docker Desktop, rootless: `NeedsPortForward` in minikube 1.38).
pub(crate) fn access(cx: &Context, world: &Snapshot) -> Result<Access, Action> {
    match cx.config.public.access {
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
        if let Some(value) = live.get(&key) {
            data.insert(key, value.clone());
            continue;
        }
        if key == "POSTGRES_PASSWORD" && let Some(volume) = database_volume(cx, objects) {
            return Err(Action::Blocked(Box::new(password_lost(cx, &volume))));
        }
        let value = cx.generate(&key).map_err(|f| Action::Blocked(Box::new(f)))?;
        data.insert(key, value);
    }
    Ok(SecretObject { name: GENERATED_SECRET.to_owned(), data, generated: true })
}

/// The claim of the development database's volume, if there is one.
pub(crate) fn database_volume(cx: &Context, objects: &Objects) -> Option<String> {
    let release = &cx.config.database.as_ref()?.release;
    objects
        .of_kind("PersistentVolumeClaim")
        .find(|claim| label(claim, "app.kubernetes.io/instance") == release)
        .map(|claim| text(claim, "/metadata/name").to_owned())
}

fn password_lost(cx: &Context, volume: &str) -> Finding {
    Finding::error("XT204", Class::Config, format!("pvc/{volume}"), format!("the development database's volume `{volume}` is there, but its password is gone"))
        .evidence(format!("secret/{GENERATED_SECRET}"), "no key POSTGRES_PASSWORD")
        .remedy("remove the volume with its data; the next deploy makes both anew", "cargo xtask cleanup --volumes")
        .advice(format!("or put the password back: kubectl --context {} -n {} edit secret {GENERATED_SECRET}", cx.profile(), cx.config.namespace))
}

/// The Secret of a release: the keys that its services list.
pub(crate) fn release_secret(cx: &Context, world: &Snapshot, release: &ReleaseConfig) -> Result<SecretObject, Action> {
    let mut data = BTreeMap::new();
    for name in release.services.keys() {
        data.extend(service_secrets(cx, world, cx.service(name))?);
    }
    Ok(SecretObject { name: secret_name(release), data, generated: false })
}

/// The name of a release's Secret, by the charts' contract.
pub(crate) fn secret_name(release: &ReleaseConfig) -> String {
    format!("{}-secrets", release.name)
}

/// The secrets of one service, by its own list of keys. Optional keys without a value are left out.
fn service_secrets(cx: &Context, world: &Snapshot, service: &Service) -> Result<BTreeMap<String, Secret>, Action> {
    let mut secrets = BTreeMap::new();
    for key in &service.keys {
        if let Some(value) = cx.environment.secret(key) {
            secrets.insert(key.clone(), value.clone());
        } else if cx.database_key() == Some(key) {
            secrets.insert(key.clone(), database_url(cx, world)?);
        } else if cx.generated_keys().contains(key) {
            let made = generated(cx, world)?;
            if let Some(value) = made.data.get(key) {
                secrets.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(secrets)
}

fn database_url(cx: &Context, world: &Snapshot) -> Result<Secret, Action> {
    let made = generated(cx, world)?;
    let value = |key: &str| made.data.get(key).map(Secret::reveal).unwrap_or_default();
    let host = cx.config.database.as_ref().map(|d| d.release.as_str()).unwrap_or_default();
    Ok(Secret::new(format!("postgresql://{}:{}@{host}:5432/{}", value("POSTGRES_USER"), value("POSTGRES_PASSWORD"), value("POSTGRES_DB"))))
}

/// A helm release.
pub(crate) fn release(cx: &Context, world: &Snapshot, name: &str) -> Result<Release, Action> {
    let files_digest = cx.chart_digest(name).map_err(|f| Action::Blocked(Box::new(f)))?;
    if cx.is_database(name) {
        return Ok(Release { name: name.to_owned(), files_digest, overlay: cx.database_values(), images: BTreeMap::new() });
    }
    let config = cx.release(name);
    let objects = world.objects.as_ref().ok_or_else(|| Action::unknown(CLUSTER))?;
    let secret = release_secret(cx, world, config)?;
    let salt = objects.get("Secret", &secret.name).map(|o| annotation(o, SALT_ANNOTATION).to_owned()).unwrap_or_default();
    let origin = origin(cx, world)?;
    let mut services = Vec::new();
    let mut images = BTreeMap::new();
    for (service_name, place) in &config.services {
        let service = cx.service(service_name);
        let image = cx.image(service_name).map_err(|f| Action::Blocked(Box::new(f)))?;
        images.insert(service_name.clone(), image.reference());
        let own = service_secrets(cx, world, service)?;
        let mut annotations = BTreeMap::new();
        if !own.is_empty() {
            if salt.is_empty() {
                return Err(Action::unknown(format!("Secret `{}` is written", secret.name)));
            }
            let digest = secret_digest(salt.as_bytes(), own.iter().map(|(k, v)| (k.as_str(), v))).unwrap_or_default();
            annotations.insert(SECRET_DIGEST_ANNOTATION.to_owned(), digest);
        }
        let exposed = (cx.config.public.service == *service_name).then(|| match access(cx, world) {
            Ok(Access::Ingress) => ("ClusterIP".to_owned(), None),
            _ => ("NodePort".to_owned(), Some(cx.config.public.node_port)),
        });
        services.push(ServiceValues {
            at: place.at.clone(),
            keys: place.keys.clone(),
            repository: image.repository,
            tag: image.tag,
            port: service.port,
            liveness: service.health.liveness.clone(),
            readiness: service.health.readiness.clone(),
            secret_keys: own.into_keys().collect(),
            annotations,
            replicas: service.replicas,
            pod_security: (service.pod_security != "restricted").then(|| service.pod_security.to_string()),
            read_only_root: (!service.read_only_root).then_some(false),
            run_as_user: service.run_as_user,
            exposed,
        });
    }
    let values = ReleaseValues {
        keys: config.keys.clone(),
        existing_secret: (!secret.data.is_empty()).then_some(secret.name),
        public_origin: Some(origin),
        config: cx.environment.plain(config.services.keys().flat_map(|s| cx.service(s).keys.iter())),
        set: config.set.clone(),
    };
    Ok(Release { name: name.to_owned(), files_digest, overlay: overlay(&values, &services), images })
}

/// The decoded data of a live Secret.
pub(crate) fn secret_data(objects: &Objects, name: &str) -> BTreeMap<String, Secret> {
    let data = objects.get("Secret", name).and_then(|o| o.pointer("/data")).and_then(serde_json::Value::as_object);
    data.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), Secret::new(decode(v.as_str()?)?)))).collect()
}

/// The newest revision of a release before the last that once was deployed, by helm's own Secrets.
pub(crate) fn last_good_revision(objects: &Objects, release: &str) -> Option<u32> {
    objects
        .of_kind("Secret")
        .filter(|o| label(o, "owner") == "helm" && label(o, "name") == release && matches!(label(o, "status"), "deployed" | "superseded"))
        .filter_map(|o| label(o, "version").parse().ok())
        .max()
}
