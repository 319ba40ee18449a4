//! xtask as a program: how long it takes to build, and to start.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process::Call;
use crate::table::{Report, Row, Times};

/// `--version`, alone and through cargo, beside the tools it calls.
pub(crate) fn start(root: &Path, xtask: &Path, runs: u32) -> Result<Report> {
    let times = |call: &Call| -> Result<Times> {
        call.run()?;
        (0..runs).map(|_| Ok(call.run()?.time)).collect()
    };
    let xtask_alone = times(&Call::new(xtask, root).args(["--version"]))?;
    let kubectl = times(&Call::new("kubectl", root).args(["version", "--client"]))?;
    let helm = times(&Call::new("helm", root).args(["version", "--short"]))?;
    let cargo = times(&Call::new("cargo", root).args(["xtask", "--version"]))?;
    let row = |what: &str, ours: &Times, bare: Option<(&str, Times)>, goal| Row {
        what: what.to_owned(),
        ours: ours.clone(),
        bare: bare.map(|(what, times)| (what.to_owned(), times)),
        goal,
    };
    Ok(Report {
        rows: vec![
            row("start: `xtask --version`", &xtask_alone, Some(("`kubectl version --client`", kubectl)), None),
            row("start: `xtask --version`", &xtask_alone, Some(("`helm version`", helm)), None),
            row("`cargo xtask --version`: cargo's freshness check", &cargo, None, None),
        ],
        notes: Vec::new(),
    })
}

/// A cold build in a fresh target folder, then xtask's main file touched, then nothing.
pub(crate) fn build(root: &Path, runs: u32) -> Result<Report> {
    // Downloads are the network's time, not the build's.
    Call::new("cargo", root).args(["fetch", "--locked"]).run()?;
    let main = root.join("xtask/src/main.rs");
    let text = std::fs::read(&main).with_context(|| format!("can't read `{}`", main.display()))?;
    let (mut cold, mut warm, mut fresh) = (Times::default(), Times::default(), Times::default());
    for _ in 0..runs {
        let target = tempfile::tempdir()?;
        let folder = target.path().display().to_string();
        let cargo = Call::new("cargo", root).args(["build", "--quiet", "--package", "xtask", "--target-dir", folder.as_str()]);
        cold.push(cargo.run()?.time);
        // The same bytes with a new time: cargo builds again, the work tree stays clean.
        std::fs::write(&main, &text)?;
        warm.push(cargo.run()?.time);
        fresh.push(cargo.run()?.time);
    }
    let row = |what: &str, ours, goal| Row { what: what.to_owned(), ours, bare: None, goal };
    Ok(Report {
        rows: vec![
            row("build of xtask, cold", cold, Some("20 s on 2 cores")),
            row("build of xtask, its main file changed", warm, None),
            row("build of xtask, nothing changed", fresh, None),
        ],
        notes: Vec::new(),
    })
}
