//! Rules about one pod.

use super::{Finding, items, report, text};
use serde_json::Value;

/// All of them.
pub(super) fn check(object: &Value, pod: &Value, found: &mut Vec<Finding>) {
    if pod["automountServiceAccountToken"] != false {
        report(found, "no-token", object, "automountServiceAccountToken is not false");
    }
    if pod["enableServiceLinks"] != false {
        report(found, "no-service-links", object, "enableServiceLinks is not false");
    }
    for volume in items(&pod["volumes"]) {
        let kinds = ["configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim", "downwardAPI", "csi", "ephemeral"];
        if !kinds.iter().any(|kind| volume.get(kind).is_some()) {
            report(found, "restricted", object, format!("volume {}", text(&volume["name"])));
        }
        if volume.get("emptyDir").is_some_and(|dir| dir.get("sizeLimit").is_none()) {
            report(found, "bounded-volumes", object, format!("emptyDir {} has no sizeLimit", text(&volume["name"])));
        }
    }
    for container in items(&pod["containers"]).chain(items(&pod["initContainers"])) {
        image(object, container, found);
        amounts(object, container, found);
        restricted(object, pod, container, found);
        plain_secrets(object, container, found);
        if matches!(text(&object["kind"]), "Deployment" | "StatefulSet") {
            probes(object, pod, container, found);
        }
    }
    if object["kind"] == "Job" && object["spec"].get("activeDeadlineSeconds").is_none() {
        report(found, "deadline", object, "no activeDeadlineSeconds");
    }
}

fn image(object: &Value, container: &Value, found: &mut Vec<Finding>) {
    let image = text(&container["image"]);
    let tag = image.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
    match tag {
        None => report(found, "tagged", object, format!("`{image}` has no tag")),
        Some("latest") => report(found, "no-latest", object, format!("`{image}`")),
        Some(_) => {}
    }
    if container["imagePullPolicy"] == "Always" {
        report(found, "pull-policy", object, "Always: an image of this cluster can't be pulled");
    }
}

fn amounts(object: &Value, container: &Value, found: &mut Vec<Finding>) {
    for kind in ["requests", "limits"] {
        for what in ["cpu", "memory"] {
            if container["resources"][kind].get(what).is_none() {
                report(found, "resources", object, format!("no {what} in {kind} of {}", text(&container["name"])));
            }
        }
    }
}

/// The Pod Security Standards' level `restricted`, as far as these charts can break it; and a read-only root.
fn restricted(object: &Value, pod: &Value, container: &Value, found: &mut Vec<Finding>) {
    let of_container = &container["securityContext"];
    let of_pod = &pod["securityContext"];
    let either = |key: &str| of_container.get(key).or_else(|| of_pod.get(key)).cloned().unwrap_or_default();
    let rules = [
        ("runAsNonRoot", either("runAsNonRoot") == true),
        ("runAsUser 0", either("runAsUser") != 0),
        ("seccompProfile", either("seccompProfile")["type"] == "RuntimeDefault"),
        ("allowPrivilegeEscalation", of_container["allowPrivilegeEscalation"] == false),
        ("capabilities.drop", items(&of_container["capabilities"]["drop"]).any(|capability| capability == "ALL")),
        ("capabilities.add", of_container["capabilities"].get("add").is_none()),
        ("privileged", of_container["privileged"] != true),
        ("hostNetwork", pod["hostNetwork"] != true && pod["hostPID"] != true && pod["hostIPC"] != true),
        ("hostPort", items(&container["ports"]).all(|port| port.get("hostPort").is_none())),
    ];
    for (what, holds) in rules {
        if !holds {
            report(found, "restricted", object, format!("{what} of {}", text(&container["name"])));
        }
    }
    if of_container["readOnlyRootFilesystem"] != true {
        report(found, "read-only-root", object, text(&container["name"]));
    }
}

fn plain_secrets(object: &Value, container: &Value, found: &mut Vec<Finding>) {
    for entry in items(&container["env"]) {
        let name = text(&entry["name"]);
        let secret = ["SECRET", "PASSWORD", "TOKEN", "API_KEY", "DATABASE_URL"].iter().any(|part| name.contains(part));
        if secret && entry.get("value").is_some() {
            report(found, "plain-secret", object, format!("{name} has its value in the manifest"));
        }
    }
}

fn probes(object: &Value, pod: &Value, container: &Value, found: &mut Vec<Finding>) {
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        if container[probe].get("httpGet").is_none() {
            report(found, "three-probes", object, format!("{probe} asks no HTTP path"));
        }
    }
    let liveness = &container["livenessProbe"];
    let number = |key: &str| liveness[key].as_u64().unwrap_or_default();
    // Worst case: the process hangs just after an answer. It has to be back within 30 s, and needs some of them to start.
    let until_killed = number("periodSeconds") * number("failureThreshold")
        + number("timeoutSeconds")
        + number("terminationGracePeriodSeconds").max(2)
        + 2;
    if object["kind"] == "Deployment" && until_killed > 20 {
        report(found, "hang-found-soon", object, format!("a hung process is killed after {until_killed} s"));
    }
    if object["kind"] == "Deployment" && container["lifecycle"].get("preStop").is_none() {
        report(found, "drains", object, "no preStop: requests are lost while the endpoint is taken away");
    }
    if pod["terminationGracePeriodSeconds"].as_u64().is_none_or(|seconds| seconds < 10) {
        report(found, "drains", object, "less than 10 s to finish requests");
    }
}
