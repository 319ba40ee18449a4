//! Which objects of a release are those of one service: by the label `app.kubernetes.io/component`, as the charts in `helm/` set it,
//! else by the image that the containers run. The image's name is the tool's own, so that holds for a chart of any labels.

use diagnosis::diagnose::facts::COMPONENT;
use serde_json::Value;

use crate::decide::workloads;
use crate::objects::{Objects, job_settled, label, number, repository, text};

/// One service in its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The release.
    pub release: &'a str,
    /// The chart's name for the service.
    pub component: &'a str,
    /// The image's name, without a tag.
    pub image: &'a str,
    /// Whether the release runs this service only.
    pub alone: bool,
}

impl Part<'_> {
    /// Its Deployments, `StatefulSets` and `DaemonSets`.
    pub fn workloads<'o>(&self, objects: &'o Objects) -> Vec<&'o Value> {
        let all: Vec<&Value> = workloads(objects, self.release).collect();
        let labelled = |w: &&Value| {
            let template = w.pointer("/spec/template/metadata/labels").and_then(|l| l.get(COMPONENT)).and_then(Value::as_str);
            template == Some(self.component) || label(w, COMPONENT) == self.component
        };
        let own: Vec<&Value> = all.iter().filter(|w| labelled(w)).copied().collect();
        if !own.is_empty() {
            return own;
        }
        let own: Vec<&Value> = all.iter().filter(|w| runs(w, "/spec/template/spec", self.image)).copied().collect();
        // A chart that takes the image from somewhere else, of one service with one workload: it is its own.
        if own.is_empty() && self.alone && all.len() == 1 { all } else { own }
    }

    /// Its `CronJobs` and Jobs: what runs now and then, and what ran once. Words for each.
    pub fn tasks(&self, objects: &Objects) -> Vec<String> {
        let own = |o: &&Value| {
            label(o, COMPONENT) == self.component
                || ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"].iter().any(|at| runs(o, at, self.image))
        };
        let said = objects.of_release(self.release).filter(own).filter_map(|o| {
            let name = text(o, "/metadata/name");
            match text(o, "/kind") {
                "CronJob" => Some(format!("cron job {name} at `{}`", text(o, "/spec/schedule"))),
                "Job" if job_settled(o) => Some(format!("job {name} completed")),
                "Job" => Some(format!("job {name} has not completed")),
                _ => None,
            }
        });
        said.collect()
    }

    /// Its pods: those of its workloads, and others that carry its label or run its image (those of Jobs).
    pub fn pods<'o>(&self, objects: &'o Objects) -> Vec<&'o Value> {
        let of_workloads: Vec<&Value> = self
            .workloads(objects)
            .into_iter()
            .flat_map(|w| objects.pods_of(text(w, "/kind"), text(w, "/metadata/name")))
            .collect();
        // Two releases may call a part of theirs by the same name.
        let in_release = |pod: &Value| ["", self.release].contains(&label(pod, "app.kubernetes.io/instance"));
        let own = |pod: &&Value| {
            (label(pod, COMPONENT) == self.component && in_release(pod))
                || runs(pod, "/spec", self.image)
                || of_workloads.iter().any(|p| text(p, "/metadata/name") == text(pod, "/metadata/name"))
        };
        objects.of_kind("Pod").filter(own).collect()
    }

    /// Its Kubernetes Service: named by the label, else the one that selects its pods. One that only gives pods their names
    /// (`clusterIP: None`) comes last.
    pub fn service<'o>(&self, objects: &'o Objects) -> Option<&'o Value> {
        let mut all: Vec<&Value> = objects.of_release(self.release).filter(|o| text(o, "/kind") == "Service").collect();
        all.sort_by_key(|o| text(o, "/spec/clusterIP") == "None");
        let selector = |o: &Value| o.pointer("/spec/selector").and_then(Value::as_object).cloned().unwrap_or_default();
        let named = |o: &&&Value| {
            label(o, COMPONENT) == self.component || selector(o).get(COMPONENT).and_then(Value::as_str) == Some(self.component)
        };
        if let Some(found) = all.iter().find(named) {
            return Some(found);
        }
        let labels: Vec<&Value> =
            self.workloads(objects).into_iter().filter_map(|w| w.pointer("/spec/template/metadata/labels")).collect();
        let selects = |o: &&&Value| {
            let selector = selector(o);
            !selector.is_empty() && labels.iter().any(|l| selector.iter().all(|(key, value)| l.get(key) == Some(value)))
        };
        all.iter().find(selects).or_else(|| all.first().filter(|_| self.alone)).copied()
    }

    /// The port of its Service that leads to the container's `port`, else the first.
    pub fn service_port<'o>(&self, objects: &'o Objects, service: &'o Value, port: u16) -> Option<&'o Value> {
        let all = service.pointer("/spec/ports").and_then(Value::as_array)?;
        let named = |name: &str| {
            let workloads = self.workloads(objects);
            let containers = workloads.iter().filter_map(|w| w.pointer("/spec/template/spec/containers")?.as_array()).flatten();
            let mut ports = containers.filter_map(|c| c.pointer("/ports")?.as_array()).flatten();
            ports.any(|p| text(p, "/name") == name && number(p, "/containerPort") == i64::from(port))
        };
        let leads_there = |p: &&Value| match p.get("targetPort") {
            Some(Value::String(name)) => named(name),
            Some(target) => target.as_i64() == Some(i64::from(port)),
            None => number(p, "/port") == i64::from(port),
        };
        all.iter().find(leads_there).or_else(|| all.first())
    }
}

/// Whether a container of the pod spec at `at` runs an image of this name.
fn runs(object: &Value, at: &str, image: &str) -> bool {
    let containers = object.pointer(at).and_then(|s| s.get("containers")).and_then(Value::as_array);
    containers.into_iter().flatten().any(|c| repository(text(c, "/image")) == image)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(name: &str, component: Option<&str>, image: &str) -> Value {
        let mut labels = json!({"app": name});
        if let Some(component) = component {
            labels[COMPONENT] = json!(component);
        }
        json!({
            "kind": "Deployment",
            "metadata": {"name": name, "annotations": {"meta.helm.sh/release-name": "shop"}},
            "spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [
                {"name": "main", "image": image, "ports": [{"name": "http", "containerPort": 8000}]}
            ]}}},
        })
    }

    fn service(name: &str, selector: &Value, ports: &Value) -> Value {
        json!({
            "kind": "Service",
            "metadata": {"name": name, "annotations": {"meta.helm.sh/release-name": "shop"}},
            "spec": {"selector": selector, "ports": ports},
        })
    }

    fn part<'a>(component: &'a str, image: &'a str) -> Part<'a> {
        Part { release: "shop", component, image, alone: false }
    }

    fn names(found: &[&Value]) -> Vec<String> {
        found.iter().map(|o| text(o, "/metadata/name").to_owned()).collect()
    }

    #[test]
    fn a_service_is_found_by_its_label_and_else_by_its_image() {
        let objects = Objects::new(vec![
            workload("the-api", None, "shop-api:1"),
            workload("the-api-worker", None, "docker.io/library/shop-api-worker:1"),
            workload("front", Some("web"), "other:1"),
            workload("cache", None, "redis:8"),
        ]);
        for (component, image, found) in [
            ("api", "shop-api", vec!["the-api"]),
            ("api-worker", "shop-api-worker", vec!["the-api-worker"]),
            ("web", "shop-web", vec!["front"]),
            ("none", "shop-none", vec![]),
        ] {
            assert_eq!(names(&part(component, image).workloads(&objects)), found, "{component}");
        }
    }

    #[test]
    fn the_only_workload_of_a_release_of_one_service_is_its_own() {
        let objects = Objects::new(vec![workload("hello", None, "nginx:1")]);
        let alone = Part { alone: true, ..part("hello", "f-hello") };
        assert_eq!(names(&alone.workloads(&objects)), ["hello"]);
        assert!(part("hello", "f-hello").workloads(&objects).is_empty());
    }

    #[test]
    fn pods_of_jobs_count_by_their_image() {
        let pod = |name: &str, image: &str| json!({"kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"image": image}]}});
        let objects = Objects::new(vec![pod("nightly-1", "shop-api:1"), pod("other", "redis:8")]);
        assert_eq!(names(&part("api", "shop-api").pods(&objects)), ["nightly-1"]);
    }

    #[test]
    fn what_runs_now_and_then_is_named() {
        let object = |kind: &str, spec: &Value| json!({"kind": kind, "metadata": {"name": "x", "annotations": {"meta.helm.sh/release-name": "shop"}}, "spec": spec});
        let pods = json!({"spec": {"containers": [{"image": "shop-api:1"}]}});
        let objects = Objects::new(vec![
            object("CronJob", &json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": pods}}})),
            object("Job", &json!({"template": pods})),
        ]);
        assert_eq!(part("api", "shop-api").tasks(&objects), ["cron job x at `0 3 * * *`", "job x has not completed"]);
        assert!(part("web", "shop-web").tasks(&objects).is_empty());
    }

    #[test]
    fn its_service_is_the_one_that_selects_its_pods_and_the_port_the_one_that_leads_to_the_container() {
        let metrics_first = json!([{"port": 9090, "targetPort": 9090}, {"port": 80, "targetPort": "http"}]);
        let mut headless = service("api-pods", &json!({"app": "the-api"}), &json!([{"port": 1}]));
        headless["spec"]["clusterIP"] = json!("None");
        let objects = Objects::new(vec![
            workload("the-api", None, "shop-api:1"),
            headless,
            service("cache", &json!({"app": "cache"}), &json!([{"port": 6379}])),
            service("api", &json!({"app": "the-api"}), &metrics_first),
        ]);
        let part = part("api", "shop-api");
        let found = part.service(&objects).unwrap();
        assert_eq!(text(found, "/metadata/name"), "api");
        assert_eq!(number(part.service_port(&objects, found, 8000).unwrap(), "/port"), 80);
        assert_eq!(number(part.service_port(&objects, found, 9090).unwrap(), "/port"), 9090);
        assert_eq!(number(part.service_port(&objects, found, 1).unwrap(), "/port"), 9090);
        assert!(Part { component: "web", image: "shop-web", ..part }.service(&objects).is_none());
    }
}
