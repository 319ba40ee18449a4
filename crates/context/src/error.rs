//! What can be wrong with a build's files, all of it at once.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong. `Display` is a lowercase fragment; [`Problem::hint`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// The context is no folder.
    NoContext {
        /// The path as given.
        path: PathBuf,
    },
    /// There is no Dockerfile.
    NoDockerfile {
        /// The path as given.
        path: PathBuf,
    },
    /// A file or folder that would be sent can't be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A pattern that docker refuses.
    BadPattern {
        /// The ignore file.
        file: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// The pattern, tidied.
        pattern: String,
        /// Why.
        reason: String,
        /// What to write.
        instead: String,
    },
    /// The file changed each time it was read.
    Unsteady {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoContext { path } => write!(f, "build context `{}` is not a folder", path.display()),
            Self::NoDockerfile { path } => write!(f, "`{}` does not exist", path.display()),
            Self::Unreadable { path, reason } => write!(f, "`{}` can't be read: {reason}", path.display()),
            Self::BadPattern { file, line, pattern, reason, .. } => {
                write!(f, "`{}` line {line}: docker refuses the pattern `{pattern}`: {reason}", file.display())
            }
            Self::Unsteady { path } => write!(f, "`{}` changes while it is read", path.display()),
        }
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// What to do about it, a lowercase fragment.
    pub fn hint(&self) -> String {
        match self {
            Self::NoContext { .. } => "name the folder that `docker build` gets in `context`".to_owned(),
            Self::NoDockerfile { .. } => "name the file in `dockerfile`, or write it".to_owned(),
            Self::Unreadable { path, .. } => {
                format!("make it readable for you, or leave it out with a line in .dockerignore: `{}`", path.display())
            }
            Self::BadPattern { instead, .. } => format!("write {instead}"),
            Self::Unsteady { .. } => "end the program that writes it, or leave it out with a line in .dockerignore".to_owned(),
        }
    }
}

/// Everything that keeps a digest from being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextError {
    /// The problems, each once, in the order of their paths.
    pub problems: Vec<Problem>,
}

impl ContextError {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        Self { problems }
    }
}

impl From<Problem> for ContextError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ContextError {}
