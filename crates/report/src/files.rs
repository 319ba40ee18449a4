//! The views that are files: written once, when the run is over.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::event::Event;
use super::record::Record;
use super::{View, github, junit, timeline};

/// Where to write what; `None` where it isn't wanted.
#[derive(Clone, Debug, Default)]
pub struct ReportFiles {
    /// `--junit FILE`: replaced.
    pub junit: Option<PathBuf>,
    /// `target/xtask/timeline.html`: replaced.
    pub timeline: Option<PathBuf>,
    /// `$GITHUB_STEP_SUMMARY`: appended to, other steps of the job write there too.
    pub step_summary: Option<PathBuf>,
}

/// One of them.
pub(super) struct FileView {
    path: PathBuf,
    append: bool,
    render: fn(&Record, Duration) -> String,
}

impl ReportFiles {
    pub(super) fn views(self) -> Vec<Box<dyn View>> {
        let Self { junit, timeline, step_summary } = self;
        let files = [
            (junit, false, junit::render as fn(&Record, Duration) -> String),
            (timeline, false, timeline::render),
            (step_summary, true, |record, _| github::summary(record)),
        ];
        let view =
            |(path, append, render): (Option<PathBuf>, bool, _)| Some(Box::new(FileView { path: path?, append, render }) as _);
        files.into_iter().filter_map(view).collect()
    }
}

impl View for FileView {
    fn event(&mut self, _record: &Record, _at: Duration, _event: &Event) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self, record: &Record, now: Duration) -> io::Result<()> {
        if let Some(parent) = self.path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let mut options = fs_err::OpenOptions::new();
        options.create(true).write(true).append(self.append).truncate(!self.append);
        options.open(&self.path)?.write_all((self.render)(record, now).as_bytes())
    }
}
