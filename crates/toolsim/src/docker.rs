//! docker: client 28, server 26, with the classic image store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::calls::sha256;
use crate::clock::{now, rfc3339};
use crate::world::{Image, World};
use crate::{Answer, Error, Sim, err, fail, out, unknown};

pub(crate) fn run(sim: &Sim) -> Answer {
    let words = sim.args.words();
    if words.is_empty() && sim.args.has(&["--version"]) {
        let version = sim.store.look(|world| world.versions.docker_client.clone())?;
        out(&format!("Docker version {version}, build e6534b4"))?;
        return Ok(0);
    }
    match words[..] {
        ["version"] => version(sim),
        ["info"] => info(sim),
        ["build", context] => build(sim, Path::new(context)),
        ["images"] | ["image", "ls"] => images(sim),
        ["image", "inspect", ref names @ ..] => inspect(sim, names),
        ["history", name] => history(sim, name),
        ["tag", image, name] => tag(sim, image, name),
        ["image", "rm", name] | ["rmi", name] => remove(sim, name),
        ["system", "df"] => disk(sim),
        _ => Err(unknown(&sim.args)),
    }
}

/// Which daemon `DOCKER_HOST` leads to: a cluster's name, "" for the host's own, or none that answers.
fn daemon(world: &World) -> Result<String, String> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    if let Some((name, _)) = world.profiles.iter().find(|(_, p)| p.running && host == format!("tcp://{}:2376", p.ip)) {
        return Ok(name.clone());
    }
    if world.machine.docker && (host.is_empty() || host.starts_with("unix://")) {
        return Ok(String::new());
    }
    let host = if host.is_empty() { "unix:///var/run/docker.sock" } else { &host };
    Err(format!("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"))
}

/// The images of the daemon that is asked.
fn store<'a>(world: &'a mut World, daemon: &str) -> &'a mut Vec<Image> {
    match world.profiles.get_mut(daemon) {
        Some(profile) => &mut profile.images,
        None => &mut world.host_images,
    }
}

/// Runs a question to the daemon's images.
fn ask<T>(sim: &Sim, question: impl FnOnce(&mut Vec<Image>) -> T) -> Result<Result<T, String>, Error> {
    sim.store.change(|world| Ok(daemon(world).map(|name| question(store(world, &name)))))
}

/// Runs a question that changes nothing.
fn see<T>(sim: &Sim, question: impl FnOnce(&[Image]) -> T) -> Result<Result<T, String>, Error> {
    sim.store.look(|world| {
        let name = daemon(world)?;
        Ok(question(world.profiles.get(&name).map_or(&world.host_images, |profile| &profile.images)))
    })
}

fn version(sim: &Sim) -> Answer {
    let (versions, daemon) = sim.store.look(|world| (world.versions.clone(), daemon(world)))?;
    let client =
        json!({"Version": versions.docker_client, "ApiVersion": "1.45", "Os": "linux", "Arch": "amd64", "Context": "default"});
    let server =
        daemon.is_ok().then(|| json!({"Version": versions.docker_server, "ApiVersion": "1.45", "Os": "linux", "Arch": "amd64"}));
    out(&json!({"Client": client, "Server": server}).to_string())?;
    match daemon {
        Ok(_) => Ok(0),
        Err(words) => fail(1, &words),
    }
}

fn info(sim: &Sim) -> Answer {
    let (machine, versions, daemon) = sim.store.look(|world| (world.machine.clone(), world.versions.clone(), daemon(world)))?;
    let up = daemon.is_ok();
    let told = json!({
        "NCPU": if up { machine.cpus } else { 0 }, "MemTotal": if up { machine.memory_mib * 1024 * 1024 } else { 0 },
        "OperatingSystem": if up { machine.operating_system.as_str() } else { "" },
        "ServerVersion": if up { versions.docker_server.as_str() } else { "" }, "Driver": if up { "overlay2" } else { "" },
        "SecurityOptions": if up { json!(["name=seccomp,profile=builtin"]) } else { Value::Null },
    });
    out(&told.to_string())?;
    match daemon {
        Ok(_) => Ok(0),
        Err(words) => fail(1, &words),
    }
}

fn with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') || name.starts_with("sha256:") { name.to_owned() } else { format!("{name}:latest") }
}

fn build(sim: &Sim, context: &Path) -> Answer {
    let tags: Vec<String> = sim.args.all(&["-t", "--tag"]).into_iter().map(with_tag).collect();
    let pairs = |flags: &[&str]| -> BTreeMap<String, String> {
        sim.args
            .all(flags)
            .into_iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    };
    let (labels, args) = (pairs(&["--label"]), pairs(&["--build-arg"]));
    let (reached, delay, failing) = sim.store.change(|world| {
        let failing = world.failing_builds.iter().find(|(word, _)| tags.iter().any(|tag| tag.contains(word.as_str())));
        Ok((daemon(world), world.build_ms, failing.map(|(_, log)| log.clone())))
    })?;
    if let Err(words) = reached {
        return fail(1, &format!("ERROR: {words}"));
    }
    if !context.is_dir() {
        return fail(1, &format!("ERROR: unable to prepare context: path \"{}\" not found", context.display()));
    }
    let file = sim.args.flag(&["-f", "--file"]).map_or_else(|| context.join("Dockerfile"), PathBuf::from);
    err("#0 building with \"default\" instance using docker driver\n\n#1 [internal] load build definition from Dockerfile")?;
    let Ok(text) = std::fs::read_to_string(&file) else {
        err("#1 transferring dockerfile: 2B done\n#1 DONE 0.0s")?;
        return fail(1, "ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory");
    };
    err(&format!("#1 transferring dockerfile: {}B done\n#1 DONE 0.0s\n", text.len()))?;
    let steps: Vec<&str> =
        text.lines().map(str::trim).filter(|l| ["FROM ", "RUN ", "COPY ", "WORKDIR "].iter().any(|i| l.starts_with(i))).collect();
    let target = sim.args.flag(&["--target"]).unwrap_or_default();
    let same = format!("{}{labels:?}{args:?}{target}{text}", context.display());
    let salt = if sim.args.has(&["--no-cache"]) { now().to_string() } else { String::new() };
    let id = format!("sha256:{}", sha256(&format!("{same}{salt}")));
    let cached = see(sim, |images| images.iter().any(|image| image.id == id))?.unwrap_or_default();
    for (n, step) in steps.iter().enumerate() {
        let (vertex, last) = (n + 4, n + 1 == steps.len());
        err(&format!("#{vertex} [{}/{}] {step}", n + 1, steps.len()))?;
        if cached && n > 0 {
            err(&format!("#{vertex} CACHED\n"))?;
            continue;
        }
        std::thread::sleep(Duration::from_millis(delay / u64::try_from(steps.len()).unwrap_or(1)));
        match &failing {
            Some(log) if last => return failed_step(vertex, (n + 1, steps.len()), step, log),
            _ => err(&format!("#{vertex} DONE 0.1s\n"))?,
        }
    }
    let image = Image {
        id: id.clone(),
        names: Vec::new(),
        labels,
        size: 60_000_000 + u64::try_from(text.len()).unwrap_or_default(),
        created: rfc3339(now()),
    };
    ask(sim, |images| {
        for other in images.iter_mut() {
            other.names.retain(|name| !tags.contains(name));
        }
        match images.iter_mut().find(|other| other.id == image.id) {
            Some(same) => same.names.extend(tags.clone()),
            None => images.push(Image { names: tags.clone(), ..image.clone() }),
        }
    })?
    .map_err(Error)?;
    let last = steps.len() + 4;
    err(&format!("#{last} exporting to image\n#{last} exporting layers done\n#{last} writing image {id} done"))?;
    for tag in &tags {
        err(&format!("#{last} naming to docker.io/library/{tag} done"))?;
    }
    err(&format!("#{last} DONE 0.0s"))?;
    Ok(0)
}

/// A step that fails, as `BuildKit` tells it (recording `build-run-fails`).
fn failed_step(vertex: usize, (n, of): (usize, usize), step: &str, log: &str) -> Answer {
    let command = step.split_once(' ').map_or(step, |(_, command)| command);
    let error = format!("process \"/bin/sh -c {command}\" did not complete successfully: exit code: 1");
    for line in log.lines() {
        err(&format!("#{vertex} 0.126 {line}"))?;
    }
    err(&format!("#{vertex} ERROR: {error}\n------\n > [{n}/{of}] {step}:"))?;
    for line in log.lines() {
        err(&format!("0.126 {line}"))?;
    }
    fail(
        1,
        &format!(
            "------\nDockerfile:{n}\n--------------------\n   {n} | >>> {step}\n--------------------\nERROR: failed to solve: {error}"
        ),
    )
}

fn images(sim: &Sim) -> Answer {
    let wanted = sim.args.flag(&["--filter", "-f"]).and_then(|f| f.strip_prefix("label=")).map(str::to_owned);
    let listed = see(sim, <[Image]>::to_vec)?;
    let images = match listed {
        Ok(images) => images,
        Err(words) => return fail(1, &words),
    };
    for image in images.iter().filter(|image| wanted.as_ref().is_none_or(|label| has_label(image, label))) {
        let names = if image.names.is_empty() { vec!["<none>:<none>".to_owned()] } else { image.names.clone() };
        for name in names {
            let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
            let row = json!({
                "Containers": "N/A", "CreatedAt": image.created, "CreatedSince": "1 second ago", "Digest": "<none>", "ID": image.id,
                "Repository": repository, "SharedSize": "N/A", "Size": format!("{}B", image.size), "Tag": tag, "UniqueSize": "N/A",
            });
            out(&row.to_string())?;
        }
    }
    Ok(0)
}

fn has_label(image: &Image, filter: &str) -> bool {
    match filter.split_once('=') {
        Some((key, value)) => image.labels.get(key).is_some_and(|v| v == value),
        None => image.labels.contains_key(filter),
    }
}

fn is_named(image: &Image, name: &str) -> bool {
    image.id == name || image.names.contains(&with_tag(name))
}

fn inspect(sim: &Sim, names: &[&str]) -> Answer {
    let found = match see(sim, <[Image]>::to_vec)? {
        Ok(images) => images,
        Err(words) => {
            out("[]")?;
            return fail(1, &words);
        }
    };
    let mut rows = Vec::new();
    let mut missing = Vec::new();
    for name in names {
        match found.iter().find(|image| is_named(image, name)) {
            Some(image) => rows.push(json!({
                "Id": image.id, "RepoTags": image.names, "RepoDigests": [], "Created": image.created, "Config": {"Labels": image.labels},
                "Architecture": "amd64", "Os": "linux", "Size": image.size,
            })),
            None => missing.push(*name),
        }
    }
    out(&Value::Array(rows).to_string())?;
    for name in &missing {
        err(&format!("Error response from daemon: No such image: {}", with_tag(name)))?;
    }
    Ok(u8::from(!missing.is_empty()))
}

fn history(sim: &Sim, name: &str) -> Answer {
    let image = see(sim, |images| images.iter().find(|image| is_named(image, name)).cloned())?;
    match image {
        Ok(Some(image)) => {
            for (id, size) in [(image.id.as_str(), image.size / 3), ("<missing>", image.size - image.size / 3)] {
                out(
                    &json!({"Comment": "", "CreatedAt": image.created, "CreatedBy": "COPY", "ID": id, "Size": size.to_string()})
                        .to_string(),
                )?;
            }
            Ok(0)
        }
        Ok(None) => fail(1, &format!("Error response from daemon: No such image: {}", with_tag(name))),
        Err(words) => fail(1, &words),
    }
}

fn tag(sim: &Sim, image: &str, name: &str) -> Answer {
    let name = with_tag(name);
    let tagged = ask(sim, |images| {
        let index = images.iter().position(|other| is_named(other, image))?;
        for other in images.iter_mut() {
            other.names.retain(|n| *n != name);
        }
        images[index].names.push(name.clone());
        Some(())
    })?;
    match tagged {
        Ok(Some(())) => Ok(0),
        Ok(None) => fail(1, &format!("Error response from daemon: No such image: {}", with_tag(image))),
        Err(words) => fail(1, &words),
    }
}

fn remove(sim: &Sim, name: &str) -> Answer {
    let full = with_tag(name);
    let answer = sim.store.change(|world| {
        let daemon = match daemon(world) {
            Ok(daemon) => daemon,
            Err(words) => return Ok(Err(words)),
        };
        let in_use = world.profiles.get(&daemon).is_some_and(|profile| {
            let pods = crate::cluster::select(profile, "pods", "", "");
            let containers = pods.iter().filter_map(|pod| pod.pointer("/spec/containers")?.as_array().cloned()).flatten();
            containers.into_iter().any(|c| c["image"] == name || c["image"] == full.as_str())
        });
        let images = store(world, &daemon);
        let Some(index) = images.iter().position(|image| is_named(image, name)) else {
            return Ok(Err(format!("Error response from daemon: No such image: {full}")));
        };
        if in_use && images[index].names.len() == 1 {
            return Ok(Err(format!(
                "Error response from daemon: conflict: unable to remove repository reference \"{name}\" (must force) - container c33c7975253f is using its \
                 referenced image {}",
                &images[index].id[7..19]
            )));
        }
        images[index].names.retain(|n| *n != full);
        if images[index].names.is_empty() || name.starts_with("sha256:") {
            images.remove(index);
        }
        Ok(Ok(()))
    })?;
    match answer {
        Ok(()) => {
            out(&format!("Untagged: {full}"))?;
            Ok(0)
        }
        Err(words) => fail(1, &words),
    }
}

fn disk(sim: &Sim) -> Answer {
    let images = match see(sim, <[Image]>::to_vec)? {
        Ok(images) => images,
        Err(words) => return fail(1, &words),
    };
    let total: u64 = images.iter().map(|image| image.size).sum();
    for (kind, count, size) in
        [("Images", images.len(), total), ("Containers", 0, 0), ("Local Volumes", 0, 0), ("Build Cache", 0, 0)]
    {
        let size = format!("{size}B");
        let row = json!({"Active": "0", "Reclaimable": format!("{size} (100%)"), "Size": size, "TotalCount": count.to_string(), "Type": kind});
        out(&row.to_string())?;
    }
    Ok(0)
}
