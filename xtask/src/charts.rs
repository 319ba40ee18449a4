//! The digest of what a chart is made from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// The digest of the chart's files, of the local charts that it depends on, and of the values files, in that order.
///
/// Packed copies of local dependencies (`charts/*.tgz` beside a `file://` repository) are left out: they are made from the
/// sources that are hashed already, and carry times.
pub(crate) fn digest(chart: &Path, values: &[PathBuf]) -> std::io::Result<String> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut seen = BTreeSet::new();
    add_chart(chart, &mut parts, &mut seen)?;
    for file in values {
        parts.push(fs::read(file)?);
    }
    Ok(plan::identity::digest(parts.iter().map(Vec::as_slice)))
}

/// The folders of the local charts that a Chart.yaml names as `repository: file://…`.
///
/// Read line by line: the key stands on a line of its own in every Chart.yaml that helm writes, and a YAML parser would double
/// what a cold build of xtask takes.
pub(crate) fn local_dependencies(chart: &Path) -> std::io::Result<Vec<PathBuf>> {
    let text = fs::read_to_string(chart.join("Chart.yaml"))?;
    Ok(text
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("repository:"))
        .map(|value| value.trim().trim_matches(['"', '\'']))
        .filter_map(|value| value.strip_prefix("file://"))
        .map(|path| chart.join(path))
        .collect())
}

/// Whether Chart.yaml names dependencies, local or not.
pub(crate) fn has_dependencies(chart: &Path) -> std::io::Result<bool> {
    let text = fs::read_to_string(chart.join("Chart.yaml"))?;
    Ok(text.lines().any(|line| line.trim_end() == "dependencies:"))
}

fn add_chart(chart: &Path, parts: &mut Vec<Vec<u8>>, seen: &mut BTreeSet<PathBuf>) -> std::io::Result<()> {
    if !seen.insert(chart.canonicalize().unwrap_or_else(|_| chart.to_owned())) {
        return Ok(());
    }
    let local = local_dependencies(chart)?;
    let mut files = Vec::new();
    walk(chart, chart, &mut files)?;
    files.sort();
    for (name, path) in files {
        if !local.is_empty() && name.starts_with("charts/") && Path::new(&name).extension().is_some_and(|e| e == "tgz") {
            continue;
        }
        parts.push(name.into_bytes());
        parts.push(fs::read(path)?);
    }
    for dependency in local {
        add_chart(&dependency, parts, seen)?;
    }
    Ok(())
}

fn walk(root: &Path, dir: &Path, into: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(root, &path, into)?;
        } else {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            // The same name on every system.
            let name = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            into.push((name, path));
        }
    }
    Ok(())
}
