//! Values that have to be refused, and what the message has to name.

use crate::helm::{Helm, NEWEST};
use std::fs;

/// Chart, values on top of `ci/plain-values.yaml`, parts of the message.
const REFUSED: &[(&str, &str, &[&str])] = &[
    ("todo-app", "image: {frontend: {tag: 4123456}}", &["/image/frontend/tag", "string"]),
    ("todo-app", "image: {frontend: {tga: x}}", &["/image/frontend", "tga"]),
    ("todo-app", "imagee: {}", &["imagee"]),
    ("todo-app", "config: {LLM_PROVIDER: true}", &["/config/LLM_PROVIDER", "string"]),
    ("todo-app", "config: {LLM-PROVIDER: x}", &["/config", "LLM-PROVIDER"]),
    ("todo-app", "service: {frontend: {type: NodePort, nodePort: 8080}}", &["/service/frontend/nodePort", "30000"]),
    (
        "todo-app",
        "service: {frontend: {type: NodePort, nodePort: 30300}, backend: {type: NodePort, nodePort: 30300}}",
        &["service.backend.nodePort", "service.frontend.nodePort", "30300"],
    ),
    ("todo-app", "service: {backend: {name: frontend-service}}", &["service.backend.name", "service.frontend.name"]),
    (
        "todo-app",
        "resources: {backend: {requests: {cpu: 500m}}}",
        &["resources.backend.requests.cpu", "500m", "resources.backend.limits.cpu", "250m"],
    ),
    ("todo-app", "resources: {backend: {requests: {memory: 1Gi}}}", &["resources.backend.requests.memory", "1Gi", "256Mi"]),
    ("todo-app", "resources: {backend: {limits: {memory: 256m}}}", &["/resources/backend/limits/memory"]),
    ("todo-app", "resources: {backend: null}", &["/resources", "backend"]),
    ("todo-app", "publicOrigin: https://todo.example.com/app", &["/publicOrigin"]),
    ("todo-app", "ingress: {enabled: true}", &["ingress.host"]),
    ("todo-app", "secrets: {DATABASE_URL: mysql://x}", &["secrets.DATABASE_URL", "postgresql://"]),
    ("todo-app", "secrets: {DATABASE_URL: ''}", &["secrets.DATABASE_URL", "required", "existingSecret"]),
    ("todo-app", "secrets: {BETTER_AUTH_SECRET: short}", &["secrets.BETTER_AUTH_SECRET", "32"]),
    ("todo-app", "secrets: {OPENAI_API_KEY: pk-1}", &["secrets.OPENAI_API_KEY", "sk-"]),
    ("todo-app", "config: {LLM_PROVIDER: openai}", &["secrets.OPENAI_API_KEY", "config.LLM_PROVIDER"]),
    ("todo-app", "secrets: {CLOUDFLARE_R2_BUCKET_NAME: b}", &["CLOUDFLARE_R2_", "all or none"]),
    ("todo-app", "secrets: {BETTER_AUTH_SECERT: x}", &["secrets.BETTER_AUTH_SECERT", "no service"]),
    ("todo-app", "existingSecret: x", &["existingSecret", "secrets", "one of the two"]),
    ("todo-app", "config: {DATABASE_URL: x}", &["config.DATABASE_URL", "secretKeys"]),
    ("todo-app", "extraEnv: {backend: {DATABASE_URL: x}}", &["extraEnv.backend", "secretKeys.backend", "DATABASE_URL"]),
    ("todo-app", "configKeys: {backend: [NOPE]}", &["configKeys.backend", "NOPE"]),
    ("todo-app", "autoscaling: {backend: {enabled: true, minReplicas: 9}}", &["autoscaling.backend.minReplicas", "9"]),
    (
        "todo-app",
        "{autoscaling: {backend: {enabled: true}}, resources: {backend: {requests: {cpu: null}}}}",
        &["autoscaling.backend.targetCPUUtilizationPercentage", "resources.backend.requests.cpu"],
    ),
    ("todo-app", "podDisruptionBudget: {backend: {minAvailable: 2}}", &["podDisruptionBudget.backend.minAvailable"]),
    ("todo-app", "lifecycle: {backend: {preStopSeconds: 30}}", &["lifecycle.backend.preStopSeconds"]),
    ("todo-app", "healthProbe: {backend: {liveness: {path: ''}}}", &["/healthProbe/backend/liveness/path"]),
    ("todo-app", "podSecurity: {backend: {profile: strict}}", &["/podSecurity/backend/profile"]),
    ("todo-app", "rollout: {maxSurge: 0, maxUnavailable: 0}", &["rollout.maxSurge", "rollout.maxUnavailable"]),
    ("todo-app", "migrations: {enabled: true, command: []}", &["migrations.command"]),
    ("todo-app", "emptyDirs: {frontend: {tmp: 1Mi}}", &["/emptyDirs/frontend", "tmp"]),
    ("todo-frontend", "image: {frontend: {tag: x}}", &["/image", "frontend"]),
    ("todo-frontend", "resources: {requests: {cpu: 1}}", &["resources.requests.cpu", "resources.limits.cpu"]),
    ("todo-backend", "service: {type: NodePort, nodePort: 32768}", &["/service/nodePort", "32767"]),
    ("todo-backend", "ingress: {enabled: true}", &["ingress"]),
    ("dev-postgres", "secrets: {POSTGRES_PASSWORD: short}", &["secrets.POSTGRES_PASSWORD", "12"]),
    ("dev-postgres", "storage: {size: 1GB}", &["/storage/size"]),
];

/// Whether a message names a key or a number as any helm writes it: `/a/b` (3.22, 4.3) is `a.b` in 3.12, and 30000 is
/// `30,000` in the newer ones.
fn names(message: &str, part: &str) -> bool {
    let dotted = part.strip_prefix('/').map(|path| path.replace('/', "."));
    let message = message.replace(',', "");
    message.contains(&part.replace(',', "")) || dotted.is_some_and(|dotted| message.contains(&dotted))
}

#[test]
fn wrong_values_are_refused_with_the_key_to_change() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("values.yaml");
    for (chart, values, expected) in REFUSED {
        fs::write(&file, values).unwrap();
        let finished = helm.template(chart, &["ci/plain-values.yaml", file.to_str().unwrap()], NEWEST);
        assert!(!finished.success, "{chart} accepts {values}");
        for part in *expected {
            assert!(names(&finished.stderr, part), "{chart} {values}: no `{part}` in {}", finished.stderr);
        }
    }
}

#[test]
fn all_problems_come_at_once() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("values.yaml");
    fs::write(
        &file,
        "{resources: {backend: {requests: {cpu: 500m}}}, ingress: {enabled: true}, secrets: {BETTER_AUTH_SECRET: x}}",
    )
    .unwrap();
    let finished = helm.template("todo-app", &["ci/plain-values.yaml", file.to_str().unwrap()], NEWEST);
    assert_eq!(finished.stderr.lines().filter(|line| line.starts_with("  - ")).count(), 3, "{}", finished.stderr);
}
