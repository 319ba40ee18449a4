//! minikube v1.38, docker driver.

use std::time::Duration;

use serde_json::{Value, json};

use crate::calls::sha256;
use crate::world::{Image, Profile, World};
use crate::{Answer, Error, Sim, cluster, err, fail, out, unknown};

pub(crate) fn run(sim: &Sim) -> Answer {
    let words = sim.args.words();
    let name = sim.args.flag(&["-p", "--profile"]).unwrap_or("minikube").to_owned();
    match words[..] {
        ["version"] => version(sim),
        ["status"] => status(sim, &name),
        ["profile", "list"] => profiles(sim),
        ["start"] => start(sim, &name),
        ["stop"] => stop(sim, &name),
        ["delete"] => delete(sim, &name),
        ["docker-env"] => docker_env(sim, &name),
        ["ip"] => on_node(sim, &name, |profile| out(&profile.ip)),
        ["update-context"] => update_context(sim, &name),
        ["addons", "list"] => addons(sim, &name),
        ["addons", "enable", addon] => enable(sim, &name, addon),
        ["image", "ls"] => images(sim, &name),
        ["image", "load", tag] => load(sim, &name, tag),
        ["service", service] => service_url(sim, &name, service),
        ["ssh", ..] if sim.args.rest().first().is_some_and(|word| word == "df") => on_node(sim, &name, |_| {
            out(
                "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/vda         264212084 23633548  71867716      25% /var",
            )
        }),
        _ => Err(unknown(&sim.args)),
    }
}

fn version(sim: &Sim) -> Answer {
    let version = sim.store.look(|world| world.versions.minikube.clone())?;
    let long = json!({"commit": "eb25dbc7", "minikubeVersion": version}).to_string();
    out(if sim.args.has(&["--short"]) { &version } else { &long })?;
    Ok(0)
}

/// A `CloudEvent` as `--output=json` prints it; all data are strings.
fn event(kind: &str, data: &Value) -> Result<(), Error> {
    let id = sha256(&data.to_string());
    let id = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32]);
    out(&json!({
        "specversion": "1.0", "id": id, "source": "https://minikube.sigs.k8s.io/", "type": format!("io.k8s.sigs.minikube.{kind}"),
        "datacontenttype": "application/json", "data": data,
    })
    .to_string())
}

fn status(sim: &Sim, name: &str) -> Answer {
    let profile = sim.store.look(|world| world.profiles.get(name).cloned())?;
    let Some(profile) = profile else {
        event(
            "info",
            &json!({"message": format!("Profile \"{name}\" not found. Run \"minikube profile list\" to view all profiles.")}),
        )?;
        event("info", &json!({"message": format!("To start a cluster, run: \"minikube start -p {name}\"")}))?;
        return Ok(85);
    };
    let word = |on: bool| if on { "Running" } else { "Stopped" };
    let (host, api) = (profile.running, profile.running && profile.api_server);
    let kubeconfig = if !host {
        "Stopped"
    } else if profile.kubeconfig {
        "Configured"
    } else {
        "Misconfigured"
    };
    let told = json!({"Name": name, "Host": word(host), "Kubelet": word(host), "APIServer": word(api), "Kubeconfig": kubeconfig, "Worker": false});
    out(&told.to_string())?;
    Ok(u8::from(!host) + 2 * u8::from(!api) + 4 * u8::from(kubeconfig != "Configured"))
}

fn profiles(sim: &Sim) -> Answer {
    let profiles = sim.store.look(|world| world.profiles.clone())?;
    let rows: Vec<Value> = profiles.iter().map(|(name, profile)| row(name, profile)).collect();
    out(&json!({"invalid": [], "valid": rows}).to_string())?;
    Ok(0)
}

fn row(name: &str, profile: &Profile) -> Value {
    json!({
        "Name": name, "Status": "Skipped", "Active": name == "minikube", "ActiveKubeContext": profile.kubeconfig,
        "Config": {
            "Name": name, "Driver": profile.driver, "CPUs": profile.cpus, "Memory": profile.memory_mib, "DiskSize": 20000, "KicBaseImage": "kicbase",
            "ExposedPorts": [], "Addons": profile.addons,
            "KubernetesConfig": {"KubernetesVersion": profile.kubernetes, "ClusterName": name, "ContainerRuntime": profile.runtime},
            "Nodes": [{"Name": "", "IP": profile.ip, "Port": 8443, "KubernetesVersion": profile.kubernetes, "ContainerRuntime": profile.runtime,
                       "ControlPlane": true, "Worker": true}],
        },
    })
}

/// The steps of a cold start, as recorded.
const STEPS: [(u32, &str, &str); 8] = [
    (0, "Initial Minikube Setup", "minikube v1.38.1 on Debian 12.11"),
    (1, "Selecting Driver", "Using the docker driver based on user configuration"),
    (3, "Starting Node", "Starting \"minikube\" primary control-plane node in \"minikube\" cluster"),
    (8, "Creating Container", "Creating docker container ..."),
    (11, "Preparing Kubernetes", "Preparing Kubernetes on Docker ..."),
    (15, "Configuring CNI", "Configuring bridge CNI (Container Networking Interface) ..."),
    (17, "Verifying Kubernetes", "Verifying Kubernetes components..."),
    (18, "Enabling Addons", "Enabled addons: storage-provisioner, default-storageclass"),
];

fn start(sim: &Sim, name: &str) -> Answer {
    let flag = |names: &[&str]| sim.args.flag(names).map(str::to_owned);
    let cpus: Option<u32> = flag(&["--cpus"]).and_then(|n| n.parse().ok());
    let memory = flag(&["--memory"]).map(|text| mib(&text));
    let (refusal, pause) = sim.store.change(|world| {
        let pause = Duration::from_millis(world.start_ms / u64::try_from(STEPS.len()).unwrap_or(1));
        Ok((refuse(world, cpus, memory), pause))
    })?;
    for (number, step, message) in STEPS {
        event("step", &json!({"currentstep": number.to_string(), "message": message, "name": step, "totalsteps": "19"}))?;
        if number == 1
            && let Some((reason, code, message)) = &refusal
        {
            event(
                "error",
                &json!({"advice": "", "exitcode": code.to_string(), "issues": "", "message": message, "name": reason, "url": ""}),
            )?;
            return Ok(*code);
        }
        std::thread::sleep(pause);
    }
    sim.store.change(|world| {
        let versions = world.versions.clone();
        let node_ip = world.node_ip.clone();
        let is_new = !world.profiles.contains_key(name);
        let profile = world.profiles.entry(name.to_owned()).or_default();
        profile.running = true;
        profile.api_server = true;
        profile.kubeconfig = true;
        if is_new {
            profile.kubernetes = flag(&["--kubernetes-version"]).unwrap_or(versions.kubernetes);
            profile.driver = flag(&["--driver"]).unwrap_or_else(|| "docker".to_owned());
            profile.runtime = flag(&["--container-runtime", "-c"]).unwrap_or_else(|| "docker".to_owned());
            profile.cpus = cpus.unwrap_or(2);
            profile.memory_mib = memory.unwrap_or(4096);
            if !node_ip.is_empty() {
                profile.ip = node_ip;
            }
            cluster::boot(name, profile);
        }
        Ok(())
    })?;
    let done = format!("Done! kubectl is now configured to use \"{name}\" cluster and \"default\" namespace by default");
    event("step", &json!({"currentstep": "19", "message": done, "name": "Done", "totalsteps": "19"}))?;
    Ok(0)
}

/// Why minikube would not start, with its own reason, exit code and words (recorded).
fn refuse(world: &World, cpus: Option<u32>, memory: Option<u64>) -> Option<(&'static str, u8, String)> {
    let machine = &world.machine;
    if !machine.docker {
        let words = "\"docker version --format {{.Server.Os}}-{{.Server.Version}}:{{.Server.Platform.Name}}\" exit status 1: Cannot connect to the \
                     Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        return Some(("PROVIDER_DOCKER_NOT_RUNNING", 63, words.to_owned()));
    }
    if let Some(cpus) = cpus.filter(|&cpus| cpus > machine.cpus) {
        let words = format!("Requested cpu count {cpus} is greater than the available cpus of {}", machine.cpus);
        return Some(("RSRC_INSUFFICIENT_CORES", 29, words));
    }
    match memory? {
        memory if memory > machine.memory_mib => {
            let words =
                format!("Requested memory allocation {memory}MB is more than your system limit {}MB.", machine.memory_mib);
            Some(("RSRC_OVER_ALLOC_MEM", 10, words))
        }
        memory if memory < 1800 => {
            let words = format!("Requested memory allocation {memory}MiB is less than the usable minimum of 1800MB");
            Some(("RSRC_INSUFFICIENT_REQ_MEMORY", 23, words))
        }
        _ => None,
    }
}

/// `4096mb`, `4g`, `4096`
fn mib(text: &str) -> u64 {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().unwrap_or_default();
    if text[end..].to_ascii_lowercase().starts_with('g') { number * 1024 } else { number }
}

fn stop(sim: &Sim, name: &str) -> Answer {
    let known = sim.store.change(|world| {
        Ok(world.profiles.get_mut(name).map(|profile| {
            profile.running = false;
        }))
    })?;
    match known {
        Some(()) => {
            out(&format!("* Stopping node \"{name}\"  ...\n* Powering off \"{name}\" via SSH ...\n* 1 node stopped."))?;
            Ok(0)
        }
        None => missing(name),
    }
}

fn missing(name: &str) -> Answer {
    out(&format!(
        "* Profile \"{name}\" not found. Run \"minikube profile list\" to view all profiles.\n  To start a cluster, run: \"minikube start -p {name}\""
    ))?;
    Ok(85)
}

fn delete(sim: &Sim, name: &str) -> Answer {
    let known = sim.store.change(|world| Ok(world.profiles.remove(name).is_some()))?;
    if !known {
        err(&format!("! \"{name}\" profile does not exist, trying anyways."))?;
    }
    out(&format!("* Removed all traces of the \"{name}\" cluster."))?;
    Ok(0)
}

/// Runs what needs a running node.
fn on_node(sim: &Sim, name: &str, tell: impl FnOnce(&Profile) -> Result<(), Error>) -> Answer {
    match sim.store.look(|world| world.profiles.get(name).cloned())? {
        None => missing(name),
        Some(profile) if !profile.running => {
            out(&format!(
                "* The control-plane node {name} host is not running: state=Stopped\n  To start a cluster, run: \"minikube start\""
            ))?;
            Ok(83)
        }
        Some(profile) => {
            tell(&profile)?;
            Ok(0)
        }
    }
}

fn docker_env(sim: &Sim, name: &str) -> Answer {
    let profile = sim.store.look(|world| world.profiles.get(name).cloned())?;
    let code = match &profile {
        None => 85,
        Some(profile) if !profile.running => 83,
        Some(profile) if profile.runtime != "docker" => 14,
        Some(profile) => {
            let told = json!({
                "DOCKER_CERT_PATH": "/home/user/.minikube/certs", "DOCKER_HOST": format!("tcp://{}:2376", profile.ip), "DOCKER_TLS_VERIFY": "1",
                "MINIKUBE_ACTIVE_DOCKERD": name, "SSH_AGENT_PID": "", "SSH_AUTH_SOCK": "",
            });
            out(&told.to_string())?;
            return Ok(0);
        }
    };
    out(&format!("false exit code {code}"))?;
    Ok(code)
}

fn update_context(sim: &Sim, name: &str) -> Answer {
    let ip = sim.store.change(|world| {
        Ok(world.profiles.get_mut(name).map(|profile| {
            profile.kubeconfig = true;
            profile.ip.clone()
        }))
    })?;
    let Some(ip) = ip else { return missing(name) };
    out(&format!("* \"{name}\" context has been updated to point to {ip}:8443\n* Current context is \"{name}\""))?;
    Ok(0)
}

fn addons(sim: &Sim, name: &str) -> Answer {
    let addons = sim.store.look(|world| world.profiles.get(name).map(|p| p.addons.clone()).unwrap_or_default())?;
    let rows = addons
        .iter()
        .map(|(addon, on)| (addon.clone(), json!({"Profile": name, "Status": if *on { "enabled" } else { "disabled" }})));
    out(&Value::Object(rows.collect()).to_string())?;
    Ok(0)
}

fn enable(sim: &Sim, name: &str, addon: &str) -> Answer {
    sim.store.change(|world| {
        if let Some(profile) = world.profiles.get_mut(name) {
            profile.addons.insert(addon.to_owned(), true);
        }
        Ok(())
    })?;
    on_node(sim, name, |_| out(&format!("* The '{addon}' addon is enabled")))
}

fn images(sim: &Sim, name: &str) -> Answer {
    on_node(sim, name, |profile| {
        let rows: Vec<Value> = profile
            .images
            .iter()
            .map(|image| {
                let names: Vec<String> = image.names.iter().map(|n| full_name(n)).collect();
                json!({"id": image.id.trim_start_matches("sha256:"), "repoDigests": [], "repoTags": names, "size": image.size.to_string()})
            })
            .collect();
        out(&Value::Array(rows).to_string())
    })
}

fn full_name(name: &str) -> String {
    let host = name.split('/').next().unwrap_or_default();
    if !name.contains('/') {
        format!("docker.io/library/{name}")
    } else if host.contains(['.', ':']) || host == "localhost" {
        name.to_owned()
    } else {
        format!("docker.io/{name}")
    }
}

fn load(sim: &Sim, name: &str, tag: &str) -> Answer {
    let found = sim.store.change(|world| {
        let image: Option<Image> = world.host_images.iter().find(|image| image.names.iter().any(|n| n == tag)).cloned();
        if let (Some(image), Some(profile)) = (&image, world.profiles.get_mut(name)) {
            profile.images.retain(|other| other.id != image.id);
            profile.images.push(image.clone());
        }
        Ok(image.is_some())
    })?;
    if !found {
        // Exit code 0 all the same, as recorded.
        err(&format!("! The image '{tag}' was not found; unable to add it to cache."))?;
    }
    Ok(0)
}

fn service_url(sim: &Sim, name: &str, service: &str) -> Answer {
    let namespace = sim.args.flag(&["-n", "--namespace"]).unwrap_or("default");
    let found = sim.store.change(|world| {
        let profile = world.profiles.get(name);
        Ok(profile.and_then(|p| Some((p.ip.clone(), p.objects.get(&cluster::key(namespace, "services", service))?.clone()))))
    })?;
    let Some((ip, object)) = found else {
        out("")?;
        return fail(
            115,
            &format!("X Exiting due to SVC_NOT_FOUND: Service '{service}' was not found in '{namespace}' namespace."),
        );
    };
    match object.pointer("/spec/ports/0/nodePort").and_then(Value::as_u64) {
        Some(port) => out(&format!("http://{ip}:{port}"))?,
        None => out(&format!("* service {namespace}/{service} has no node port"))?,
    }
    Ok(0)
}
