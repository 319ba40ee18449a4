use crate::action::Action;
use crate::desired::{Namespace, OWNER_LABEL};
use crate::finding::{Class, Finding};
use crate::objects::{label, text};
use crate::snapshot::Snapshot;

/// The label by which a namespace enforces a Pod Security level (kubernetes.io/docs/concepts/security/pod-security-admission).
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// Whether the namespace has to be made or labelled. One that somebody else made is used as it is.
pub fn namespace(wanted: &Namespace, seen: &Snapshot) -> Action {
    let Some(objects) = &seen.objects else { return Action::unknown(super::CLUSTER) };
    let name = &wanted.name;
    let Some(found) = objects.get("Namespace", name) else {
        return Action::act("create", format!("there is no namespace `{name}`"));
    };
    if text(found, "/status/phase") == "Terminating" {
        return Action::Blocked(Box::new(stuck(name, found)));
    }
    match label(found, OWNER_LABEL) {
        owner if owner == wanted.owner && label(found, ENFORCE) == wanted.pod_security => {
            Action::keep(format!("{name} enforces pod security `{}`", wanted.pod_security))
        }
        owner if owner == wanted.owner => {
            Action::act("label", format!("namespace `{name}` should enforce pod security `{}`", wanted.pod_security))
        }
        "" => Action::keep(format!("{name}, not made by this project: used as it is")),
        owner => Action::Blocked(Box::new(
            Finding::error(
                "XT803",
                Class::Config,
                format!("namespace/{name}"),
                format!("namespace `{name}` belongs to another deployment, `{owner}`"),
            )
            .evidence(format!("namespace/{name} label {OWNER_LABEL}"), owner)
            .advice("set another `namespace` in xtask.toml"),
        )),
    }
}

fn stuck(name: &str, found: &serde_json::Value) -> Finding {
    let mut finding = Finding::error(
        "XT804",
        Class::Cluster,
        format!("namespace/{name}"),
        format!("namespace `{name}` is being deleted and is not gone yet"),
    );
    let conditions = found.pointer("/status/conditions").and_then(serde_json::Value::as_array);
    for condition in conditions.into_iter().flatten().filter(|c| text(c, "/status") == "True") {
        finding = finding.evidence(text(condition, "/type"), text(condition, "/message"));
    }
    finding.advice("wait until it is gone, then run the same command again")
}
