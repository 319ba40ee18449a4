//! What a Dockerfile says about its base images and about the files it copies.
//!
//! Read for early findings, never instead of docker: what is not certain is not said.

pub(crate) mod expand;
pub(crate) mod parse;
mod stages;

use std::collections::BTreeMap;

pub(crate) use stages::stages;

/// The images that a build for `target` (by default the last stage) starts from or copies from, each once, in the order of
/// their first mention, as they are written once variables are replaced. Stages and `scratch` are none, stages that the target
/// does not need bring none, and an image whose name can't be told (`FROM $UNSET`) is left out.
pub fn base_images(dockerfile: &str, args: &BTreeMap<String, String>, target: Option<&str>) -> Vec<String> {
    let mut images: Vec<String> = Vec::new();
    for stage in stages(&parse::parse(dockerfile), args, target) {
        for image in stage.images {
            if image != "scratch" && !images.contains(&image) {
                images.push(image);
            }
        }
    }
    images
}

/// The image named by a first line `# syntax=…`: docker fetches it before it reads anything else.
pub fn syntax_image(dockerfile: &str) -> Option<String> {
    parse::parse(dockerfile).syntax
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>, &'static [&'static str]);
        let cases: &[Case] = &[
            ("FROM node:22-alpine", &[], None, &["node:22-alpine"]),
            ("FROM scratch\nCOPY . /", &[], None, &[]),
            ("FROM a AS b\nFROM c\nCOPY --from=b /x /y", &[], None, &["a", "c"]),
            ("FROM a AS unused\nFROM c", &[], None, &["c"]),
            ("FROM a AS b\nFROM b AS c\nFROM c", &[], None, &["a"]),
            ("FROM a AS b\nFROM x AS y", &[], Some("b"), &["a"]),
            ("FROM a AS b\nFROM x AS y", &[], Some("0"), &["a"]),
            ("FROM a AS Build\nFROM c\nCOPY --from=build x y", &[], None, &["a", "c"]),
            ("FROM a\nFROM c\nCOPY --from=0 x y", &[], None, &["a", "c"]),
            ("FROM c\nCOPY --from=nginx:1 x y", &[], None, &["c", "nginx:1"]),
            ("FROM c\nRUN --mount=type=bind,from=tools:2,target=/t x", &[], None, &["c", "tools:2"]),
            ("FROM a AS a\nFROM a", &[], None, &["a"]),
            ("ARG V=3.13\nFROM python:${V}-slim", &[], None, &["python:3.13-slim"]),
            ("ARG V=3.13\nFROM python:${V}-slim", &[("V", "3.12")], None, &["python:3.12-slim"]),
            ("ARG V\nFROM python:${V:-3}", &[], None, &["python:3"]),
            ("ARG V\nFROM python:$V", &[("V", "4")], None, &["python:4"]),
            ("FROM python:$V", &[("V", "4")], None, &[]),
            ("ARG A=1 B=\"x:$A\"\nFROM $B", &[], None, &["x:1"]),
            ("FROM --platform=$BUILDPLATFORM a", &[], None, &["a"]),
            ("FROM a\nARG V=9\nFROM b:$V", &[], None, &[]),
            ("FROM a AS x\nFROM b", &[], Some("missing"), &["a", "b"]),
        ];
        for (text, args, target, expected) in cases {
            let args = args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(base_images(text, &args, *target), *expected, "{text:?} {target:?}");
        }
    }
}
