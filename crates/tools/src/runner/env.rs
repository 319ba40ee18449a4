//! The environment of a child: what it must not inherit.
//!
//! Variables decide which daemon docker talks to and which toolchain cargo uses; a leftover of another shell must not.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use calls::invocation::{Invocation, Tool};

/// A full environment.
pub(crate) type Env = BTreeMap<OsString, OsString>;

/// Where docker's client is pointed to.
const DOCKER_ENDPOINT: [&str; 4] = ["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT"];

/// What changes how docker builds or prints; the invocation says what it wants by flags.
const DOCKER_BEHAVIOUR: [&str; 5] =
    ["BUILDX_BUILDER", "BUILDKIT_PROGRESS", "DOCKER_BUILDKIT", "DOCKER_DEFAULT_PLATFORM", "BUILDKIT_HOST"];

/// Set by cargo for what it runs; a nested cargo would rebuild everything because of them.
const CARGO_PREFIXES: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_BIN_", "CARGO_FEATURE_"];
const CARGO_NAMES: [&str; 5] =
    ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "RUST_RECURSION_COUNT"];

/// The environment for `invocation`, made from the one of this process.
pub(crate) fn for_child(mut env: Env, invocation: &Invocation) -> Env {
    forget_docker_env(&mut env);
    match invocation.tool {
        Tool::Docker => {
            take(&mut env, &DOCKER_BEHAVIOUR);
            if invocation.env.contains_key("DOCKER_HOST") {
                // The whole endpoint comes from the invocation: a DOCKER_CONTEXT beside it would win over its DOCKER_HOST.
                take(&mut env, &DOCKER_ENDPOINT);
            }
        }
        Tool::Helm => {
            // Flags say namespace and context; a plugin or a debug run of another shell must not change the output.
            take(&mut env, &["HELM_NAMESPACE", "HELM_KUBECONTEXT", "HELM_DEBUG", "HELM_DRIVER"]);
        }
        Tool::Minikube => {
            take(&mut env, &["MINIKUBE_PROFILE"]);
        }
        Tool::Cargo | Tool::App => {
            env.retain(|name, _| {
                let name = name.to_string_lossy();
                !CARGO_NAMES.contains(&name.as_ref()) && !CARGO_PREFIXES.iter().any(|p| name.starts_with(p))
            });
            if invocation.tool == Tool::App {
                // The application's checkout chooses its own toolchain.
                take(&mut env, &["RUSTUP_TOOLCHAIN"]);
            }
        }
        Tool::Kubectl => {}
    }
    for name in &invocation.env_remove {
        env.remove(OsStr::new(name));
    }
    for (name, value) in &invocation.env {
        env.insert(name.into(), value.into());
    }
    env
}

/// Undoes `eval $(minikube docker-env)` of the user's shell: with `MINIKUBE_ACTIVE_DOCKERD` the docker variables point to a node
/// and would send host questions there. minikube keeps what they were before in `MINIKUBE_EXISTING_*`; those are put back. A
/// `DOCKER_HOST` of the user's own (rootless docker, colima) stays.
fn forget_docker_env(env: &mut Env) {
    if env.remove(OsStr::new("MINIKUBE_ACTIVE_DOCKERD")).is_none() {
        return;
    }
    for name in ["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
        env.remove(OsStr::new(name));
        if let Some(before) = env.remove(OsStr::new(&format!("MINIKUBE_EXISTING_{name}"))).filter(|v| !v.is_empty()) {
            env.insert(name.into(), before);
        }
    }
}

fn take(env: &mut Env, names: &[&str]) {
    for name in names {
        env.remove(OsStr::new(name));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn child(parent: &[(&str, &str)], invocation: &Invocation) -> Vec<String> {
        let env = parent.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))).collect();
        for_child(env, invocation).iter().map(|(k, v)| format!("{}={}", k.display(), v.display())).collect()
    }

    fn call(tool: Tool) -> Invocation {
        Invocation::new(tool, "test", Duration::from_secs(1))
    }

    #[test]
    fn leftovers_of_docker_env_go_and_the_users_own_endpoint_stays() {
        let leftovers = [
            ("DOCKER_HOST", "tcp://192.168.49.2:2376"),
            ("DOCKER_TLS_VERIFY", "1"),
            ("MINIKUBE_ACTIVE_DOCKERD", "minikube"),
            ("MINIKUBE_EXISTING_DOCKER_HOST", "unix:///run/user/1000/docker.sock"),
        ];
        for tool in [Tool::Docker, Tool::Minikube] {
            assert_eq!(child(&leftovers, &call(tool)), ["DOCKER_HOST=unix:///run/user/1000/docker.sock"]);
        }
        assert_eq!(child(&[("DOCKER_HOST", "unix:///colima")], &call(Tool::Docker)), ["DOCKER_HOST=unix:///colima"]);
    }

    #[test]
    fn an_endpoint_of_the_invocation_is_the_only_one() {
        let parent = [("DOCKER_CONTEXT", "other"), ("DOCKER_TLS_VERIFY", "1"), ("BUILDX_BUILDER", "remote"), ("HOME", "/h")];
        let invocation = call(Tool::Docker).env("DOCKER_HOST", "tcp://10.0.0.1:2376");
        assert_eq!(child(&parent, &invocation), ["DOCKER_HOST=tcp://10.0.0.1:2376", "HOME=/h"]);
    }

    #[test]
    fn nested_cargo_sees_nothing_of_the_outer_one_but_the_users_settings() {
        let parent = [
            ("CARGO", "x"),
            ("CARGO_HOME", "/c"),
            ("CARGO_MANIFEST_DIR", "x"),
            ("CARGO_PKG_NAME", "x"),
            ("RUSTUP_TOOLCHAIN", "1.89"),
        ];
        assert_eq!(child(&parent, &call(Tool::Cargo)), ["CARGO_HOME=/c", "RUSTUP_TOOLCHAIN=1.89"]);
        assert_eq!(child(&parent, &call(Tool::App)), ["CARGO_HOME=/c"]);
    }

    #[test]
    fn the_invocation_has_the_last_word() {
        let invocation = call(Tool::Kubectl).env("A", "new").env_remove("B").env_remove("A");
        assert_eq!(child(&[("A", "old"), ("B", "x"), ("C", "y")], &invocation), ["A=new", "C=y"]);
    }
}
