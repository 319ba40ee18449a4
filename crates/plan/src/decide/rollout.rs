use std::collections::BTreeSet;

use serde_json::Value;

use crate::action::Action;
use crate::catalogue::{codes, finding};
use crate::desired::Release;
use crate::finding::Finding;
use crate::objects::{Objects, job_settled, pods_ready, pods_wanted, repository, rolled_out, text, unqualified};
use crate::snapshot::Snapshot;

/// The workloads of a release.
pub fn workloads<'a>(objects: &'a Objects, release: &str) -> impl Iterator<Item = &'a Value> {
    objects.of_release(release).filter(|o| matches!(text(o, "/kind"), "Deployment" | "StatefulSet" | "DaemonSet"))
}

/// Whether the pods of a release are ready and run the wanted images, and its Jobs are done.
pub fn rollout(wanted: &Release, seen: &Snapshot) -> Action {
    let Some(objects) = &seen.objects else { return Action::unknown(super::CLUSTER) };
    if objects.helm_status(&wanted.name).is_none() {
        return Action::act("wait", format!("release `{}` has no workload yet", wanted.name));
    }
    let mut waiting = Vec::new();
    let mut ready = Vec::new();
    for workload in workloads(objects, &wanted.name) {
        let name = text(workload, "/metadata/name");
        let state = format!("{name} {}/{} ready", pods_ready(workload), pods_wanted(workload));
        if rolled_out(workload) { ready.push(state) } else { waiting.push(state) }
    }
    for job in objects.of_release(&wanted.name).filter(|o| text(o, "/kind") == "Job") {
        let name = text(job, "/metadata/name");
        if job_settled(job) {
            ready.push(format!("{name} completed"));
        } else {
            waiting.push(format!("job {name} has not completed"));
        }
    }
    let strangers = not_on_wanted_image(objects, wanted);
    if !waiting.is_empty() {
        Action::act("wait", waiting.join(", "))
    } else if let Some((pod, image, wanted)) = strangers.first() {
        Action::act("wait", format!("pod `{pod}` still runs {image}, not {wanted}"))
    } else if let Some(unused) = not_used(wanted, objects).first() {
        Action::act("wait", unused.cause.clone())
    } else if ready.is_empty() {
        // Only CronJobs, or only configuration.
        Action::keep("no pods to wait for")
    } else {
        Action::keep(ready.join(", "))
    }
}

/// The built images that nothing of the release runs: its chart takes them from other values than those that were set. A release
/// without any pods of its own may run them in its hooks.
pub fn not_used(wanted: &Release, objects: &Objects) -> Vec<Finding> {
    let templates = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    let specs = objects.of_release(&wanted.name).flat_map(|o| templates.iter().filter_map(|at| o.pointer(at)));
    let lists = ["/containers", "/initContainers"];
    let containers = specs.flat_map(|spec| lists.iter().filter_map(|at| spec.pointer(at)?.as_array()).flatten());
    let run: BTreeSet<&str> = containers.map(|c| text(c, "/image")).filter(|image| !image.is_empty()).collect();
    if run.is_empty() {
        return Vec::new();
    }
    let unused = wanted.images.iter().filter(|(_, image)| !run.iter().any(|r| unqualified(r) == image.as_str()));
    unused.map(|(service, image)| image_not_used(&wanted.name, service, image, &run)).collect()
}

fn image_not_used(release: &str, service: &str, image: &str, run: &BTreeSet<&str>) -> Finding {
    let listed: Vec<&str> = run.iter().copied().collect();
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, ""));
    let same_name = run.iter().any(|r| repository(r) == name);
    let keys = if same_name { "`image_tag`" } else { "`image_repository` and `image_tag`" };
    let cause = if same_name {
        format!("no container of release `{release}` runs tag `{tag}` of image `{name}`, which was built for `{service}`")
    } else {
        format!("no container of release `{release}` runs image `{name}`, which was built for `{service}`")
    };
    finding(codes::IMAGE_NOT_USED, release, cause)
        .service(service)
        .evidence("images of its containers", listed.join(", "))
        .advice(format!("name the chart's own values as {keys} in `keys` of this service in xtask.toml (docs/configuration.md)"))
}

/// Pods of the release's workloads that run another tag of a wanted image: `(pod, image, wanted)`. Containers are matched by
/// repository, so that it holds for charts of any labels and for pods with sidecars.
pub fn not_on_wanted_image(objects: &Objects, wanted: &Release) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for workload in workloads(objects, &wanted.name) {
        for pod in objects.pods_of(text(workload, "/kind"), text(workload, "/metadata/name")) {
            // A pod that is on its way out is no longer the service.
            if pod.pointer("/metadata/deletionTimestamp").is_some() {
                continue;
            }
            let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
            for image in containers.into_iter().flatten().map(|c| text(c, "/image")) {
                let same_repository = |w: &&String| repository(w) == repository(image);
                if let Some(wanted) = wanted.images.values().find(same_repository).filter(|w| *w != image) {
                    found.push((text(pod, "/metadata/name").to_owned(), image.to_owned(), wanted.clone()));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn wanted() -> Release {
        Release {
            name: "shop".into(),
            files_digest: String::new(),
            overlay: json!({}),
            hooks: None,
            images: BTreeMap::from([("api".to_owned(), "shop-api:new".to_owned())]),
        }
    }

    fn of_release(kind: &str, spec: &Value, status: &Value) -> Value {
        json!({
            "kind": kind,
            "metadata": {"name": "x", "annotations": {"meta.helm.sh/release-name": "shop"}},
            "spec": spec,
            "status": status,
        })
    }

    fn pods(image: &str) -> Value {
        json!({"template": {"spec": {"containers": [{"image": image}]}}})
    }

    fn seen(objects: Vec<Value>) -> Snapshot {
        let helm = json!({
            "kind": "Secret",
            "metadata": {"name": "h", "labels": {"owner": "helm", "name": "shop", "version": "1", "status": "deployed"}},
        });
        let objects = objects.into_iter().chain([helm]).collect();
        Snapshot { objects: Some(Objects::new(objects)), ..Snapshot::default() }
    }

    #[test]
    fn a_rollout_is_done_when_whatever_the_release_has_is_done() {
        let ready = json!({"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1});
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        let on_each_node = json!({"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 1});
        for (object, keeps, says) in [
            (of_release("Deployment", &pods("shop-api:new"), &ready), true, "x 1/1 ready"),
            (of_release("Deployment", &pods("docker.io/library/shop-api:new"), &ready), true, "x 1/1 ready"),
            (of_release("DaemonSet", &pods("shop-api:new"), &on_each_node), false, "x 1/2 ready"),
            (of_release("Job", &pods("shop-api:new"), &json!({})), false, "job x has not completed"),
            (of_release("Job", &pods("shop-api:new"), &complete), true, "x completed"),
            (
                of_release("CronJob", &json!({"jobTemplate": {"spec": pods("shop-api:new")}}), &json!({})),
                true,
                "no pods to wait for",
            ),
            (of_release("ConfigMap", &json!({}), &json!({})), true, "no pods to wait for"),
            // What was built is run by nothing: a chart with other values.
            (of_release("Deployment", &pods("nginx:1"), &ready), false, "no container of release `shop` runs image `shop-api`"),
            (of_release("Deployment", &pods("shop-api:1.0"), &ready), false, "runs tag `new` of image `shop-api`"),
        ] {
            let action = rollout(&wanted(), &seen(vec![object.clone()]));
            assert_eq!(action.is_keep(), keeps, "{object}");
            assert!(format!("{action:?}").contains(says), "{action:?}");
        }
        assert!(!rollout(&wanted(), &Snapshot { objects: Some(Objects::default()), ..Snapshot::default() }).is_keep());
    }
}
