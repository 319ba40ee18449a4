//! Every recorded case against the finding it must give.

mod support;

use plan::diagnose::{cluster, tool};
use support::{failure, load, names, pods};

#[test]
fn scratch() {
    for name in names("pods") {
        let (facts, now) = pods(&load("pods", &name));
        let found = cluster(&facts, now);
        println!("{name}: {}", found.iter().map(|f| format!("{} {}", f.code, f.cause)).collect::<Vec<_>>().join(" || "));
    }
    for dir in ["minikube", "helm", "kubectl", "docker"] {
        for name in names(dir) {
            let recording = load(dir, &name);
            let failure = failure(&recording);
            let bad = failure.exit_code != Some(0)
                || ["image-build-failing", "image-load-missing", "image-rm-missing", "missing-dependency"]
                    .contains(&name.as_str());
            if bad {
                let f = tool(&failure);
                println!("{dir}/{name}: {} {}", f.code, f.cause);
            }
        }
    }
}
