//! Where the charts are, and how the tests start helm.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The charts that can be installed, in the order of the README.
pub const CHARTS: [&str; 4] = ["todo-app", "todo-frontend", "todo-backend", "dev-postgres"];

/// The library chart that all of [`CHARTS`] depend on.
pub const LIBRARY: &str = "todo-lib";

/// What a finished process left.
#[derive(Debug)]
pub struct Finished {
    /// Whether it exited with 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Starts a program and waits for it; its environment is this process' own.
#[expect(clippy::disallowed_methods, reason = "tools::runner belongs to the product; tests of charts only need a finished helm")]
pub fn run(program: &Path, args: &[&str], dir: &Path) -> io::Result<Finished> {
    let output = std::process::Command::new(program).args(args).current_dir(dir).output()?;
    Ok(Finished {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The repository's `helm/` directory.
pub fn charts_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../helm")
}

/// A program on PATH. On Windows `NAME.exe`.
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(&file)).find(|path| path.is_file())
}

/// Copies a directory, leaving out the files that git ignores inside charts (`charts/`, packages).
pub fn copy_chart(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "charts" {
                copy_chart(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Copies all charts into `dir`, each with the library chart unpacked in its `charts/`: what `helm dependency build` does,
/// but without a process, and without a change of the working tree.
pub fn stage(dir: &Path) -> io::Result<()> {
    let source = charts_dir();
    copy_chart(&source.join(LIBRARY), &dir.join(LIBRARY))?;
    for chart in CHARTS {
        copy_chart(&source.join(chart), &dir.join(chart))?;
        copy_chart(&source.join(LIBRARY), &dir.join(chart).join("charts").join(LIBRARY))?;
    }
    Ok(())
}
