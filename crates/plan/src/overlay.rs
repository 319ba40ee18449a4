//! The values that the tool sets above a release's values files: which image, port, probe path and secret goes to which key.
//!
//! The keys are those of the charts in `helm/`; a foreign chart's own names are given as `keys` in xtask.toml.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What one service brings into a release's values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceValues {
    /// Where the chart takes this service's settings: `.backend`, or nothing where the chart has one service.
    pub at: String,
    /// Other paths for the settings, by the name of the setting; an empty path: it isn't set.
    pub keys: BTreeMap<String, String>,
    /// `todo-backend`.
    pub repository: String,
    /// The digest tag.
    pub tag: String,
    /// The port that the container listens on; a program without one has no path to ask either.
    pub port: Option<u16>,
    /// The path of the liveness probe.
    pub liveness: String,
    /// The path of the readiness probe.
    pub readiness: String,
    /// The keys that the service gets from the Secret.
    pub secret_keys: Vec<String>,
    /// Pod annotations, e.g. the digest of the secrets.
    pub annotations: BTreeMap<String, String>,
    /// How many pods, where xtask.toml says so.
    pub replicas: Option<u32>,
    /// The Pod Security level, where it is not `restricted`.
    pub pod_security: Option<String>,
    /// Whether the root filesystem is read-only, where it is not to be.
    pub read_only_root: Option<bool>,
    /// The user id, where the image does not say a numeric one.
    pub run_as_user: Option<u32>,
    /// How the public service is reached; `None` for the others.
    pub exposed: Option<Exposure>,
}

/// How the public service is reached from outside the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Not by the service itself: an Ingress does it.
    Inside,
    /// By a port of the node.
    NodePort(u16),
}

/// What goes to the release as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseValues {
    /// Path overrides, as in [`ServiceValues::keys`].
    pub keys: BTreeMap<String, String>,
    /// The Secret that the tool made.
    pub existing_secret: Option<String>,
    /// The origin as the browser sees it.
    pub public_origin: Option<String>,
    /// Keys of the ConfigMap.
    pub config: BTreeMap<String, String>,
    /// The host name and the class of the Ingress, where the application is reached by one.
    pub ingress: Option<(String, Option<String>)>,
    /// Extra values from xtask.toml; they win.
    pub set: Value,
}

/// Makes the overlay.
pub fn overlay(release: &ReleaseValues, services: &[ServiceValues]) -> Value {
    let mut values = Value::Object(Map::new());
    let put = |values: &mut Value, keys: &BTreeMap<String, String>, setting: &str, default: String, value: Value| {
        let path = keys.get(setting).cloned().unwrap_or(default);
        if !path.is_empty() {
            set_path(values, &path, value);
        }
    };
    for service in services {
        let ServiceValues {
            at,
            keys,
            repository,
            tag,
            port,
            liveness,
            readiness,
            secret_keys,
            annotations,
            replicas,
            pod_security,
            read_only_root,
            run_as_user,
            exposed,
        } = service;
        let mut one =
            |setting: &str, default: &str, value: Value| put(&mut values, keys, setting, default.replace("{at}", at), value);
        one("image_repository", "image{at}.repository", json!(repository));
        one("image_tag", "image{at}.tag", json!(tag));
        // The image is built on the node: there is nowhere to pull it from.
        one("image_pull_policy", "image{at}.pullPolicy", json!("Never"));
        if let Some(port) = port {
            one("port", "service{at}.port", json!(port));
            one("startup_path", "healthProbe{at}.startup.path", json!(liveness));
            one("liveness_path", "healthProbe{at}.liveness.path", json!(liveness));
            one("readiness_path", "healthProbe{at}.readiness.path", json!(readiness));
        }
        one("secret_keys", "secretKeys{at}", json!(secret_keys));
        if !annotations.is_empty() {
            one("pod_annotations", "podAnnotations{at}", json!(annotations));
        }
        if let Some(replicas) = replicas {
            one("replicas", "replicaCount{at}", json!(replicas));
        }
        if let Some(level) = pod_security {
            one("pod_security", "podSecurity{at}.profile", json!(level));
        }
        if let Some(read_only) = read_only_root {
            one("read_only_root", "podSecurity{at}.readOnlyRootFilesystem", json!(read_only));
        }
        if let Some(user) = run_as_user {
            one("run_as_user", "podSecurity{at}.runAsUser", json!(user));
        }
        match exposed {
            Some(Exposure::NodePort(port)) => {
                one("service_type", "service{at}.type", json!("NodePort"));
                one("node_port", "service{at}.nodePort", json!(port));
            }
            Some(Exposure::Inside) => one("service_type", "service{at}.type", json!("ClusterIP")),
            None => {}
        }
    }
    if let Some(secret) = &release.existing_secret {
        put(&mut values, &release.keys, "existing_secret", "existingSecret".to_owned(), json!(secret));
    }
    if let Some(origin) = &release.public_origin {
        put(&mut values, &release.keys, "public_origin", "publicOrigin".to_owned(), json!(origin));
    }
    if !release.config.is_empty() {
        put(&mut values, &release.keys, "config", "config".to_owned(), json!(release.config));
    }
    if let Some((host, class)) = &release.ingress {
        put(&mut values, &release.keys, "ingress_enabled", "ingress.enabled".to_owned(), json!(true));
        put(&mut values, &release.keys, "ingress_host", "ingress.host".to_owned(), json!(host));
        if let Some(class) = class {
            put(&mut values, &release.keys, "ingress_class", "ingress.className".to_owned(), json!(class));
        }
    }
    merge(&mut values, &release.set);
    values
}

fn set_path(values: &mut Value, path: &str, value: Value) {
    let mut at = values;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(key).or_insert(Value::Null);
    }
    *at = value;
}

/// Lays `over` on `values`: maps are merged, anything else is replaced.
fn merge(values: &mut Value, over: &Value) {
    match (values, over) {
        (Value::Object(map), Value::Object(over)) => {
            for (key, value) in over {
                merge(map.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (slot, value) => *slot = value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> ServiceValues {
        ServiceValues {
            at: ".backend".into(),
            repository: "todo-backend".into(),
            tag: "0123456789ab".into(),
            port: Some(8000),
            liveness: "/api/health".into(),
            readiness: "/api/health/ready".into(),
            secret_keys: vec!["DATABASE_URL".into()],
            ..ServiceValues::default()
        }
    }

    #[test]
    fn settings_go_to_the_service_s_own_keys() {
        let values = overlay(
            &ReleaseValues { existing_secret: Some("todo-app-secrets".into()), ..ReleaseValues::default() },
            &[service()],
        );
        assert_eq!(
            values["image"]["backend"],
            json!({"repository": "todo-backend", "tag": "0123456789ab", "pullPolicy": "Never"})
        );
        assert_eq!(values["healthProbe"]["backend"]["readiness"]["path"], "/api/health/ready");
        assert_eq!(values["existingSecret"], "todo-app-secrets");
    }

    #[test]
    fn a_chart_of_one_service_has_no_service_in_its_keys() {
        let values = overlay(&ReleaseValues::default(), &[ServiceValues { at: String::new(), ..service() }]);
        assert_eq!(values["image"]["tag"], "0123456789ab");
        assert_eq!(values["service"]["port"], 8000);
    }

    #[test]
    fn a_foreign_chart_names_its_own_keys_and_leaves_out_what_it_lacks() {
        let keys = BTreeMap::from([("image_tag".into(), "app.version".into()), ("secret_keys".into(), String::new())]);
        let values = overlay(&ReleaseValues::default(), &[ServiceValues { keys, ..service() }]);
        assert_eq!(values["app"]["version"], "0123456789ab");
        assert_eq!(values["image"]["backend"].get("tag"), None);
        assert_eq!(values.get("secretKeys"), None);
    }

    #[test]
    fn a_worker_has_no_port_and_no_probes() {
        let values = overlay(&ReleaseValues::default(), &[ServiceValues { port: None, ..service() }]);
        assert_eq!((values.get("service"), values.get("healthProbe")), (None, None));
    }

    #[test]
    fn values_of_the_config_win() {
        let set = json!({"image": {"backend": {"pullPolicy": "IfNotPresent"}}, "extra": [1]});
        let values = overlay(&ReleaseValues { set, ..ReleaseValues::default() }, &[service()]);
        assert_eq!(values["image"]["backend"]["pullPolicy"], "IfNotPresent");
        assert_eq!(values["image"]["backend"]["tag"], "0123456789ab");
        assert_eq!(values["extra"], json!([1]));
    }
}
