//! A file system for tests: the paths that are there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use plan::config::Files;

/// Files by path; their directories are there too.
pub(crate) struct Fake(BTreeSet<PathBuf>);

impl Fake {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = &'a str>) -> Self {
        Self(files.into_iter().map(PathBuf::from).collect())
    }

    /// What the repository's xtask.toml names.
    pub(crate) fn repository() -> Self {
        Self::new([
            "examples/todo-chatbot/backend/Dockerfile",
            "examples/todo-chatbot/backend/alembic.ini",
            "examples/todo-chatbot/backend/alembic/env.py",
            "examples/todo-chatbot/backend/requirements.lock",
            "examples/todo-chatbot/frontend/Dockerfile",
            "helm/dev-postgres/Chart.yaml",
            "helm/todo-app/Chart.yaml",
            "helm/todo-app/values-dev.yaml",
            "helm/todo-app/values-todo-chatbot.yaml",
            "helm/todo-backend/Chart.yaml",
            "helm/todo-backend/values-dev.yaml",
            "helm/todo-backend/values-todo-chatbot.yaml",
            "helm/todo-frontend/Chart.yaml",
            "helm/todo-frontend/values-dev.yaml",
            "helm/todo-frontend/values-todo-chatbot.yaml",
        ])
    }
}

impl Files for Fake {
    fn is_file(&self, path: &Path) -> bool {
        self.0.contains(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.0.iter().any(|file| file != path && file.starts_with(path))
    }

    fn names(&self, path: &Path) -> Vec<String> {
        let below = self.0.iter().filter_map(|file| file.strip_prefix(path).ok());
        let first: BTreeSet<String> =
            below.filter_map(|rest| Some(rest.components().next()?.as_os_str().to_string_lossy().into_owned())).collect();
        first.into_iter().collect()
    }
}
