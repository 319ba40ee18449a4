//! An image, built inside the node's docker where the node lacks it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use plan::action::Action;
use plan::catalogue::{codes, finding};
use plan::config::{Runtime, Service};
use plan::decide;
use plan::desired::{IMAGE_DIGEST_LABEL, IMAGE_OWNER_LABEL, IMAGE_SERVICE_LABEL, Image as Wanted};
use plan::finding::Finding;
use report::event::{Event, StepName};
use report::text;
use tools::docker::{self, BuildOptions, BuildProgress, VertexState};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::{containerd, desired, failure, observe, retry};

pub(crate) struct Image {
    pub(crate) wanted: Wanted,
    /// Why it is to be built although the node may have it: `--rebuild`, …
    pub(crate) forced: Option<&'static str>,
    /// Whether it was built in this run: a forced build happens once.
    pub(crate) built: std::sync::OnceLock<()>,
}

impl Step for Image {
    fn name(&self, _cx: &Context) -> StepName {
        names::image(&self.wanted.service)
    }

    fn after(&self, _cx: &Context) -> Vec<StepName> {
        vec![names::tools(), names::docker()]
    }

    fn decide(&self, cx: &Context) -> Action {
        // `--service` leaves the neighbours in a release as they run.
        if !cx.is_asked(&self.wanted.service)
            && let Some(running) = cx.look(|world| desired::running_image(cx, world, &self.wanted.service))
        {
            return Action::keep(format!("{running}, as it runs"));
        }
        let forced = self.forced.filter(|_| self.built.get().is_none());
        let why = cx.sources.changed(&self.wanted);
        cx.look(|world| decide::image(&self.wanted, forced, why.as_deref(), world))
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let Some(endpoint) = cx.look(observe::build_endpoint) else {
            return Err(vec![finding(codes::DOCKER_ENV, self.wanted.reference(), "the node's docker is not known")]);
        };
        let service = cx.service(&self.wanted.service);
        run.progress("waiting for a free build slot");
        let _slot = cx.build_slots.acquire();
        let begun = Instant::now();
        let options = BuildOptions {
            // Docker takes a Dockerfile relative to its own working directory.
            dockerfile: Some(service.context.join(&service.dockerfile)),
            tags: vec![self.wanted.reference(), format!("{}:latest", self.wanted.repository)],
            labels: BTreeMap::from([
                (IMAGE_OWNER_LABEL.to_owned(), cx.config.name.clone()),
                (IMAGE_SERVICE_LABEL.to_owned(), self.wanted.service.clone()),
                (IMAGE_DIGEST_LABEL.to_owned(), self.wanted.digest.clone()),
            ]),
            args: service.build_args.clone(),
            target: service.target.clone(),
            no_cache: cx.build.no_cache,
            pull: cx.build.pull,
            deadline: cx.config.deadlines.build,
            ..BuildOptions::new(&self.wanted.service, &service.context)
        };
        run.progress("building");
        let built = retry::transient(cx, run, || {
            docker::build(&cx.runner, &endpoint, &options, &mut |progress| tell(run, &progress))
                .map_err(|f| vec![failure::build(cx, &self.wanted.service, &f)])
        })?;
        let took = begun.elapsed();
        self.built.set(()).ok();
        cx.sources.remember(&self.wanted);

        cx.built.store(true, Ordering::Relaxed);

        if cx.look(|world| world.runtime) == Runtime::Containerd {
            containerd::load(cx, run, &self.wanted)?;
        } else {
            let found = observe::node_images(cx, &endpoint, std::slice::from_ref(&self.wanted))?;
            cx.update(|world| world.images.get_or_insert_default().extend(found));
        }
        self.remember_identity(cx, built.configuration);
        let bytes =
            docker::history_size(&cx.runner, &endpoint, &self.wanted.reference()).map_err(|f| failure::finding(cx, &f))?;
        self.within_budgets(cx, service, bytes, took);
        Ok(())
    }
}

/// One line of a build.
fn tell(run: &Running<'_>, progress: &BuildProgress) {
    let step = match (progress.step, progress.total) {
        (Some(step), Some(total)) => format!("{step}/{total} "),
        _ => String::new(),
    };
    match &progress.state {
        VertexState::Started => run.progress(format!("{step}{}", progress.name)),
        VertexState::Log(line) | VertexState::Failed(line) => run.output(line),
        VertexState::Cached | VertexState::Done => {}
    }
}

impl Image {
    /// Keeps by which digest a runtime may name what was built: containerd's is another than that of docker on top of it.
    fn remember_identity(&self, cx: &Context, configuration: Option<String>) {
        let reference = self.wanted.reference();
        let Some(configuration) = configuration else { return };
        cx.update(|world| {
            if let Some(image) = world.images.as_mut().and_then(|images| images.get_mut(&reference)) {
                cx.caches.remember_built(&reference, &image.id, &configuration);
                image.built = Some(configuration);
            }
        });
    }

    /// Says what the image takes, and warns where it is over a budget of xtask.toml.
    fn within_budgets(&self, cx: &Context, service: &Service, bytes: u64, took: Duration) {
        let reference = self.wanted.reference();
        let budget = service.size_budget.map(|b| format!(" (budget {})", text::size_decimal(b))).unwrap_or_default();
        cx.reporter.send(Event::Note { text: format!("{reference} is {}{budget}", text::size_decimal(bytes)) });
        if let Some(budget) = service.size_budget.filter(|budget| bytes > *budget) {
            let cause = format!(
                "image `{reference}` is {}, over its budget of {}",
                text::size_decimal(bytes),
                text::size_decimal(budget)
            );
            let on_node = cx.look(|world| world.runtime) == Runtime::Docker;
            let place = if on_node { "the node's docker" } else { "this machine's docker" };
            let warning = finding(codes::IMAGE_TOO_BIG, &reference, cause)
                .service(&self.wanted.service)
                .evidence("docker history", format!("the layers add up to {}", text::size_decimal(bytes)))
                .remedy(format!("see which layer is large, in {place}"), format!("docker history {reference}"));
            cx.reporter.send(Event::Finding(Box::new(warning)));
        }
        if let Some(budget) = service.build_budget.filter(|budget| took > *budget) {
            let cause = format!(
                "building `{}` took {}, over its budget of {}",
                self.wanted.service,
                text::duration(took),
                text::duration(budget)
            );
            let warning = finding(codes::BUILD_TOO_SLOW, &reference, cause)
                .service(&self.wanted.service)
                .evidence("docker build", text::duration(took))
                .advice("copy the dependency manifests before the source in the Dockerfile, so that their layer is cached");
            cx.reporter.send(Event::Finding(Box::new(warning)));
        }
    }
}
