//! The build contexts: their digests, and what changed in them since the last build.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use context::{BuildInputs, ContextDigest, Manifest, StatCache};
use fs_err as fs;
use plan::catalogue::{codes, finding};
use plan::config::Config;
use plan::desired::Image;
use plan::finding::Finding;

/// The digests of all services, computed once a run, side by side.
pub(crate) struct Sources {
    folder: PathBuf,
    inputs: BTreeMap<String, (String, BuildInputs)>,
    digests: OnceLock<BTreeMap<String, Result<ContextDigest, Finding>>>,
}

impl Sources {
    /// `folder` holds the caches (`target/xtask`).
    pub(crate) fn new(config: &Config, folder: PathBuf) -> Self {
        let inputs = config
            .services
            .iter()
            .map(|(name, service)| {
                let context = service.context.clone();
                let inputs = BuildInputs {
                    dockerfile: context.join(&service.dockerfile),
                    context,
                    args: service.build_args.clone(),
                    target: service.target.clone(),
                    platform: None,
                    // A newer base image is what `--pull` is for: asking a registry at each run would need the network.
                    bases: BTreeMap::new(),
                };
                (name.clone(), (service.image.clone(), inputs))
            })
            .collect();
        Self { folder, inputs, digests: OnceLock::new() }
    }

    /// The image that should be there for a service.
    pub(crate) fn image(&self, service: &str) -> Result<Image, Finding> {
        let (repository, _) =
            self.inputs.get(service).ok_or_else(|| crate::failure::internal(format!("no service `{service}`")))?;
        let digest = self.digest(service)?;
        Ok(Image {
            service: service.to_owned(),
            repository: repository.clone(),
            tag: digest.short().to_owned(),
            digest: digest.hex.clone(),
        })
    }

    /// What a build of a service is made from.
    pub(crate) fn inputs(&self, service: &str) -> Option<&BuildInputs> {
        self.inputs.get(service).map(|(_, inputs)| inputs)
    }

    fn digest(&self, service: &str) -> Result<&ContextDigest, Finding> {
        let all = self.digests.get_or_init(|| {
            std::thread::scope(|scope| {
                let running: Vec<_> = self
                    .inputs
                    .iter()
                    .map(|(name, (_, inputs))| (name.clone(), scope.spawn(|| self.compute(name, inputs))))
                    .collect();
                running
                    .into_iter()
                    .map(|(name, thread)| (name, thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
                    .collect()
            })
        });
        all.get(service).map_or_else(
            || Err(crate::failure::internal(format!("no digest of `{service}`"))),
            |r| r.as_ref().map_err(Clone::clone),
        )
    }

    fn compute(&self, service: &str, inputs: &BuildInputs) -> Result<ContextDigest, Finding> {
        let mut cache = StatCache::load(&self.folder.join(format!("stat-{service}.json")));
        let digest = context::digest(inputs, &mut cache).map_err(|error| {
            let context = inputs.context.display().to_string();
            let mut finding =
                finding(codes::CONTEXT_MISSING_DIR, service, format!("the build context of `{service}` can't be read"))
                    .service(service);
            for problem in &error.problems {
                finding = finding.evidence(&context, problem.to_string()).advice(problem.hint());
            }
            finding
        })?;
        // A cache that can't be written costs time at the next run, nothing else.
        cache.save().ok();
        Ok(digest)
    }

    /// The digest of some files and folders of a service's context.
    pub(crate) fn part(&self, service: &str, paths: &[String]) -> Result<String, Finding> {
        let entries = self.digest(service)?.below(paths);
        Ok(plan::identity::digest(entries.iter().flat_map(|(path, what)| [path.as_bytes(), what.as_bytes()])))
    }

    fn manifest_file(&self, service: &str) -> PathBuf {
        self.folder.join(format!("built-{service}.json"))
    }

    /// Why the image is to be built: what changed since the last build on this machine.
    pub(crate) fn changed(&self, wanted: &Image) -> Option<String> {
        let text = fs::read_to_string(self.manifest_file(&wanted.service)).ok()?;
        let then: Manifest = serde_json::from_str(&text).ok()?;
        let now = self.digest(&wanted.service).ok()?;
        let changes = now.changed_since(&then);
        (!changes.is_empty()).then(|| context::summary(&changes, 3))
    }

    /// Remembers what was built, for the next `changed`.
    pub(crate) fn remember(&self, built: &Image) {
        let Ok(digest) = self.digest(&built.service) else { return };
        if let Ok(text) = serde_json::to_string(&digest.manifest()) {
            // Only a reason in a later message depends on it.
            fs::write(self.manifest_file(&built.service), text).ok();
        }
    }
}
