//! The marker beside minikube's profiles that says that this project made a cluster. It is written before the cluster is created, so that
//! a killed run leaves nothing that `cleanup --scope cluster` would not dare to delete.

use std::path::PathBuf;

use fs_err as fs;
use plan::finding::Finding;

use crate::context::Context;
use crate::failure;

/// The file for this context's profile.
fn file(cx: &Context) -> Option<PathBuf> {
    Some(minikube_home()?.join("xtask").join(format!("{}.owner", cx.profile())))
}

/// minikube's own folder (`localpath.MiniPath` of minikube 1.38): `MINIKUBE_HOME`, with `.minikube` added unless it ends so, else
/// `.minikube` in the home folder.
fn minikube_home() -> Option<PathBuf> {
    match std::env::var_os("MINIKUBE_HOME").filter(|v| !v.is_empty()).map(PathBuf::from) {
        Some(home) if home.ends_with(".minikube") => Some(home),
        Some(home) => Some(home.join(".minikube")),
        None => Some(std::env::home_dir()?.join(".minikube")),
    }
}

/// Says that the cluster which is about to be created is ours.
pub(crate) fn write(cx: &Context) -> Result<(), Finding> {
    let Some(file) = file(cx) else { return Err(failure::internal("this system names no home folder")) };
    let write = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, format!("{}\n", cx.config.name))
    };
    write().map_err(|e| failure::io(&e))
}

/// Whether this project made the cluster.
pub(crate) fn is_ours(cx: &Context) -> bool {
    file(cx).and_then(|file| fs::read_to_string(file).ok()).is_some_and(|owner| owner.trim() == cx.config.name)
}

/// Forgets it: the cluster is gone.
pub(crate) fn remove(cx: &Context) -> Result<(), Finding> {
    let Some(file) = file(cx) else { return Ok(()) };
    match fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failure::io(&e)),
        _ => Ok(()),
    }
}
