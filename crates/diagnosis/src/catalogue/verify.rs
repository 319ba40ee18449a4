//! The codes of layer `verify`.

use super::{Entry, codes, entry};
use crate::finding::Class;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::POD_IMAGE_DIFFERS,
        "a pod does not run the wanted image",
        Class::Verify,
        "The pod runs an older image than the one that was built.",
        "imageID of the container against the image",
        &["`cargo xtask deploy` rolls it out"],
    ),
    entry(
        codes::SERVICE_MISSING,
        "a Service does not exist or has no pods behind it",
        Class::Verify,
        "Requests to that name get no answer.",
        "Services and EndpointSlices of the namespace; minikube reason SVC_NOT_FOUND",
        &["`cargo xtask deploy` installs it"],
    ),
    entry(
        codes::CONFIG_KEY_MISSING,
        "the ConfigMap in the cluster lacks a key",
        Class::Verify,
        "A key of the contract is not in the ConfigMap.",
        "ConfigMap against xtask.toml",
        &["`cargo xtask deploy` writes it"],
    ),
    entry(
        codes::SECRET_KEY_ABSENT,
        "the Secret in the cluster lacks a key",
        Class::Verify,
        "A key that a service lists is not in the Secret.",
        "the keys (never the values) of the Secret",
        &["set it in .env, then `cargo xtask deploy`"],
    ),
    entry(
        codes::HEALTH_WRONG,
        "a health endpoint answers wrongly",
        Class::Verify,
        "The endpoint answers, but not as it should.",
        "the answer to a request to the endpoint",
        &["`cargo xtask logs SERVICE`"],
    ),
    entry(
        codes::BACKEND_UNREACHABLE,
        "the frontend can not reach the backend",
        Class::Verify,
        "Both run, but the request from one to the other fails.",
        "the readiness endpoint of the frontend",
        &["check BACKEND_URL and the Service of the backend"],
    ),
    entry(
        codes::ENDPOINT_UNREACHABLE,
        "the application can not be reached from this machine",
        Class::Verify,
        "The pods are ready, but the URL does not answer.",
        "a request to the public URL",
        &["Docker Desktop, macOS, Windows: the node is not reachable; `cargo xtask open` serves it on localhost"],
    ),
    entry(
        codes::REPLICAS_MISSING,
        "fewer pods are ready than wanted",
        Class::Verify,
        "The service runs with less than it should.",
        "ready replicas of the Deployment",
        &["`cargo xtask status` names the cause"],
    ),
    entry(
        codes::IMAGE_NOT_USED,
        "no pod runs the image that was built",
        Class::Config,
        "The chart takes the image from other values than those that are set, so that a change of the sources changes nothing.",
        "images in the pod templates of the release against the image of each service",
        &["`keys` of the service in xtask.toml names the chart's own values: `image_repository`, `image_tag`"],
    ),
    entry(
        codes::TEST_FAILED,
        "a test failed",
        Class::Test,
        "A test of the application, of a release, or a check of this repository ended with an error. What was deployed is left as it is.",
        "the exit code of the test's command, or a helm test hook that did not succeed",
        &["read the last lines of its output under the finding", "run the command of the finding by itself"],
    ),
];
