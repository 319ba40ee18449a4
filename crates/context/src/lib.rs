//! The identity of a docker build: a digest over exactly what `docker build` would send and be told.
//!
//! Two machines, or two runs, that would hand docker the same files, modes, links, Dockerfile, arguments, target, platform and
//! base images get the same digest. Times of modification, owners, and the order in which a disk lists files don't count;
//! neither do extended attributes. The rules and their proof are in `docs/adr/`.

mod cache;
mod dockerfile;
mod error;
mod hash;
mod ignore;
mod lint;
mod manifest;
mod stat;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use cache::StatCache;
pub use dockerfile::{base_images, syntax_image};
pub use error::{ContextError, Problem};
pub use ignore::Dialect;
pub use lint::{MissingSource, Why, missing_sources};
pub use manifest::{Change, ChangeKind, Content, Entry, Manifest, Sum, summary};

use hmac_sha256::Hash as Sha256;
use ignore::{IgnoreFile, Matcher};
use manifest::{Feed, hex, shown};
use stat::{Kind, Stat};
use walk::{Found, Walk};

/// Another format, other digests: raised when the bytes that are hashed change their meaning.
const FORMAT: &[u8] = b"docker build context 1";

/// What `docker build` is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInputs {
    /// The context folder.
    pub context: PathBuf,
    /// The Dockerfile, as `docker build --file` takes it: relative to the current directory, not to the context.
    pub dockerfile: PathBuf,
    /// `--build-arg`. Never secrets: docker stores them in the image.
    pub args: BTreeMap<String, String>,
    /// `--target`.
    pub target: Option<String>,
    /// `--platform`.
    pub platform: Option<String>,
    /// What is known of the base images: reference to identity (a digest or an image id).
    pub bases: BTreeMap<String, String>,
}

/// The digest of a build, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextDigest {
    /// SHA-256, 64 hexadecimal digits.
    pub hex: String,
    /// How many files are sent (folders and links not counted).
    pub files: usize,
    /// How many bytes of files are sent.
    pub bytes: u64,
    /// How many files were read, because the stat cache did not know them.
    pub hashed: usize,
    /// Everything that is sent: each folder before its content, the names of a folder in the order of their bytes.
    pub entries: Vec<Entry>,
    /// Files that docker sends without their content, because a later line of the ignore file names their folder again after an
    /// exception (`a`, `!a/b`, `a`): the walk sends them and the reader refuses them. Worth a warning.
    pub sent_empty: Vec<String>,
    inputs: BTreeMap<String, String>,
}

impl ContextDigest {
    /// The first 12 digits: enough for an image tag.
    pub fn short(&self) -> &str {
        &self.hex[..12]
    }

    /// The ingredients, for a later [`ContextDigest::changed_since`].
    pub fn manifest(&self) -> Manifest {
        Manifest { digest: self.hex.clone(), inputs: self.inputs.clone(), entries: Manifest::of(&self.entries) }
    }

    /// The path and the kind, mode and digest of each entry that is one of `paths` (relative, `/` between names) or in one of them.
    pub fn below(&self, paths: &[String]) -> Vec<(String, String)> {
        let is_below = |entry: &&Entry| {
            let mut rests = paths.iter().filter_map(|path| entry.path.strip_prefix(path.as_bytes()));
            rests.any(|rest| rest.is_empty() || rest[0] == b'/')
        };
        self.entries.iter().filter(is_below).map(|entry| (entry.shown().into_owned(), entry.describe())).collect()
    }

    /// What differs from an earlier digest: other inputs first, then paths, each in order.
    pub fn changed_since(&self, then: &Manifest) -> Vec<Change> {
        if then.digest == self.hex { Vec::new() } else { manifest::diff(then, &self.manifest()) }
    }
}

/// The digest of `inputs`. Files that `cache` knows are not read; the caller saves the cache.
pub fn digest(inputs: &BuildInputs, cache: &mut StatCache) -> Result<ContextDigest, ContextError> {
    // Taken before anything is looked at: see the stat cache.
    let looked = stat::nanos(SystemTime::now());
    let context = std::fs::canonicalize(&inputs.context)
        .ok()
        .filter(|path| path.is_dir())
        .ok_or_else(|| Problem::NoContext { path: inputs.context.clone() })?;
    let dockerfile = read_dockerfile(&inputs.dockerfile);
    let ignore = ignore::find(&context, &inputs.dockerfile);
    let matcher = match &ignore {
        Ok(file) => Matcher::new(file, Dialect::native()),
        Err(problem) => Err(vec![problem.clone()]),
    };
    let (dockerfile, ignore, matcher) = match (dockerfile, ignore, matcher) {
        (Ok(dockerfile), Ok(ignore), Ok(matcher)) => (dockerfile, ignore, matcher),
        (dockerfile, _, matcher) => {
            return Err(ContextError::new(dockerfile.err().into_iter().chain(matcher.err().into_iter().flatten()).collect()));
        }
    };
    let sent = Sent::collect(&context, &matcher, &ignore, cache, looked)?;
    Ok(sent.seal(inputs, &dockerfile))
}

/// The Dockerfile's bytes. As docker does, takes `dockerfile` where `Dockerfile` is not there.
fn read_dockerfile(path: &Path) -> Result<Vec<u8>, Problem> {
    let read = std::fs::read(path).or_else(|e| {
        let lowercase = path.file_name().is_some_and(|name| name == "Dockerfile").then(|| path.with_file_name("dockerfile"));
        lowercase.filter(|p| p.exists()).map_or(Err(e), std::fs::read)
    });
    read.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Problem::NoDockerfile { path: path.to_owned() },
        _ => Problem::Unreadable { path: path.to_owned(), reason: e.to_string() },
    })
}

/// What the context comes to.
struct Sent {
    entries: Vec<Entry>,
    hashed: usize,
    without_content: Vec<String>,
}

impl Sent {
    fn collect(
        context: &Path,
        matcher: &Matcher,
        ignore: &IgnoreFile,
        cache: &mut StatCache,
        looked: stat::Nanos,
    ) -> Result<Self, ContextError> {
        let key = shown(context.as_os_str().as_encoded_bytes()).into_owned();
        let old = cache.take(&key);
        let known = |path: &[u8], stat: &Stat| old.known(&shown(path), stat);
        let (found, mut problems) = Walk { context, matcher, ignore, known: &known }.run();

        let mut contents: Vec<Option<(Stat, Sum)>> = found.iter().map(|f| f.known.map(|sum| (f.stat, sum))).collect();
        let reads = |f: &Found| f.kind == Kind::File && !f.opens_empty && f.known.is_none();
        let unknown: Vec<usize> = (0..found.len()).filter(|i| reads(&found[*i])).collect();
        let paths: Vec<PathBuf> = unknown.iter().map(|i| found[*i].file()).collect();
        for (i, result) in unknown.iter().zip(hash::files(&paths)) {
            match result {
                Ok(hashed) => contents[*i] = Some(hashed),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            cache.put(key, old, false);
            return Err(ContextError::new(problems));
        }

        let files = contents.iter().filter(|c| c.is_some()).count();
        if unknown.is_empty() && files == old.len() {
            cache.put(key, old, false);
        } else {
            let mut rows = cache::Root::new(looked, files);
            for (f, content) in found.iter().zip(&contents) {
                if let Some((stat, sum)) = content {
                    rows.set(shown(&f.path).into_owned(), stat, sum);
                }
            }
            cache.put(key, rows, true);
        }
        let without_content =
            found.iter().filter(|f| f.kind == Kind::File && f.opens_empty).map(|f| shown(&f.path).into_owned()).collect();
        let entries = found.into_iter().zip(contents).map(|(f, content)| entry(f, content)).collect();
        Ok(Self { entries, hashed: unknown.len(), without_content })
    }

    fn seal(self, inputs: &BuildInputs, dockerfile: &[u8]) -> ContextDigest {
        let sha = |bytes: &[u8]| hex(&Sha256::hash(bytes));
        let mut feed = Feed::new(FORMAT);
        let mut named = BTreeMap::new();
        feed.field(b"dockerfile", dockerfile);
        named.insert("Dockerfile".to_owned(), sha(dockerfile));
        for (name, value) in &inputs.args {
            feed.field(b"arg", name.as_bytes());
            feed.field(b"value", value.as_bytes());
            named.insert(format!("build argument {name}"), sha(value.as_bytes()));
        }
        for (what, value) in [("target", &inputs.target), ("platform", &inputs.platform)] {
            if let Some(value) = value {
                feed.field(what.as_bytes(), value.as_bytes());
                named.insert(what.to_owned(), value.clone());
            }
        }
        for (image, identity) in &inputs.bases {
            feed.field(b"base", image.as_bytes());
            feed.field(b"identity", identity.as_bytes());
            named.insert(format!("base image {image}"), identity.clone());
        }
        let (mut files, mut bytes) = (0, 0);
        for entry in &self.entries {
            entry.feed(&mut feed);
            if let Content::File { size, .. } = entry.content {
                files += 1;
                bytes += size;
            }
        }
        ContextDigest {
            hex: hex(&feed.sum()),
            files,
            bytes,
            hashed: self.hashed,
            entries: self.entries,
            sent_empty: self.without_content,
            inputs: named,
        }
    }
}

/// What arrives for a path. A file's mode and size are those at the time when it was read.
fn entry(found: Found, content: Option<(Stat, Sum)>) -> Entry {
    let empty = || Content::File { sha256: Sha256::hash(b""), size: 0 };
    let (mode, content) = match (found.kind, content) {
        (Kind::File, Some((stat, sha256))) => (stat.mode, Content::File { sha256, size: stat.size }),
        (Kind::File, None) | (Kind::Socket, _) => (found.stat.mode, empty()),
        (Kind::Dir, _) => (found.stat.mode, Content::Dir),
        (Kind::Symlink, _) => (0, Content::Symlink { target: found.target }),
        (Kind::Fifo, _) => (found.stat.mode, Content::Fifo),
        (Kind::Device { block, number }, _) => (found.stat.mode, Content::Device { block, number }),
    };
    Entry { path: found.path, mode, content }
}
