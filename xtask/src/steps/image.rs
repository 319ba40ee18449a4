//! An image, built inside the node's docker where the node lacks it.

use std::time::Instant;

use plan::action::Action;
use plan::decide;
use plan::desired::{IMAGE_DIGEST_LABEL, IMAGE_OWNER_LABEL, IMAGE_SERVICE_LABEL, Image as Wanted};
use plan::finding::{Class, Finding};
use tools::docker::{self, Build};

use super::names;
use crate::context::Context;
use crate::exec::{Running, Step};
use crate::report::event::{Event, StepName};
use crate::report::text;
use crate::{failure, observe};

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
        let forced = self.forced.filter(|_| self.built.get().is_none());
        let why = cx.sources.changed(&self.wanted);
        cx.look(|world| decide::image(&self.wanted, forced, why.as_deref(), world))
    }

    fn apply(&self, cx: &Context, run: &Running<'_>) -> Result<(), Vec<Finding>> {
        let Some(host) = cx.look(|world| world.docker.clone()) else {
            return Err(vec![Finding::error("XT505", Class::Build, self.wanted.reference(), "the node's docker is not known")]);
        };
        let service = cx.service(&self.wanted.service);
        run.progress("waiting for a free build slot");
        let _slot = cx.build_slots.acquire();
        let begun = Instant::now();
        let build = Build {
            context: service.context.clone(),
            dockerfile: service.context.join(&service.dockerfile),
            tags: vec![self.wanted.reference(), format!("{}:latest", self.wanted.repository)],
            labels: [
                (IMAGE_OWNER_LABEL, cx.config.name.as_str()),
                (IMAGE_SERVICE_LABEL, self.wanted.service.as_str()),
                (IMAGE_DIGEST_LABEL, self.wanted.digest.as_str()),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
            args: service.build_args.clone(),
            target: service.target.clone(),
            no_cache: cx.build.no_cache,
            pull: cx.build.pull,
        };
        run.progress("building");
        docker::build(&cx.runner, &host.env, &build, cx.config.deadlines.build, &mut |line| {
            if let Some(step) = docker::progress(line) {
                run.progress(step);
            }
            run.output(line);
        })
        .map_err(|f| failure::build(cx, &self.wanted.service, &f))?;
        let took = begun.elapsed();
        self.built.set(()).ok();
        cx.sources.remember(&self.wanted);

        let found = observe::node_images(cx, &host, std::slice::from_ref(&self.wanted))?;
        cx.update(|world| world.images.get_or_insert_default().extend(found));
        let bytes = docker::image_size(&cx.runner, &host.env, &self.wanted.reference()).map_err(|f| failure::finding(cx, &f))?;
        let budget = service.size_budget;
        cx.reporter.send(Event::Note {
            text: format!("{} is {} (budget {})", self.wanted.reference(), text::size_decimal(bytes), text::size_decimal(budget)),
        });
        if bytes > budget {
            cx.reporter.send(Event::Finding(Box::new(
                Finding::warning("XT510", Class::Build, self.wanted.reference(), format!("image `{}` is {}, over its budget of {}", self.wanted.reference(), text::size_decimal(bytes), text::size_decimal(budget)))
                    .service(&self.wanted.service)
                    .evidence("docker history", format!("the layers add up to {}", text::size_decimal(bytes)))
                    .remedy("see which layer is large", format!("docker history {}", self.wanted.reference())),
            )));
        }
        if took > service.build_budget {
            cx.reporter.send(Event::Finding(Box::new(
                Finding::warning("XT511", Class::Build, self.wanted.reference(), format!("building `{}` took {}, over its budget of {}", self.wanted.service, text::duration(took), text::duration(service.build_budget)))
                    .service(&self.wanted.service)
                    .evidence("docker build", text::duration(took))
                    .advice("copy dependency manifests before the source in the Dockerfile, so that their layer is cached"),
            )));
        }
        Ok(())
    }
}
