//! The stages that a build needs, with their images and the files they copy from the context.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::{Scope, expand};
use super::parse::{Instruction, Parsed, words};

/// A stage that is built.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// Images that it starts from or copies from.
    pub(crate) images: Vec<String>,
    /// Sources in the context: line, and the word with its variables replaced.
    pub(crate) sources: Vec<(usize, String)>,
    name: Option<String>,
    /// Other stages that it needs.
    needs: BTreeSet<usize>,
    /// What ARG and ENV have set so far.
    scope: Scope,
}

/// The stages that `target` needs, in the order of the file; all of them when there is no such target (docker will refuse it).
pub(crate) fn stages(parsed: &Parsed, args: &BTreeMap<String, String>, target: Option<&str>) -> Vec<Stage> {
    let mut global = platform_scope(args);
    let mut stages: Vec<Stage> = Vec::new();
    for instruction in &parsed.instructions {
        match (instruction.keyword.as_str(), stages.last_mut()) {
            ("FROM", _) => {
                let stage = begin(instruction, &stages, &global, parsed.escape);
                stages.push(stage);
            }
            ("ARG", None) => declare(instruction, &mut global, args, parsed.escape),
            ("ARG", Some(stage)) => blur(instruction, &mut stage.scope, parsed.escape),
            ("ENV", Some(stage)) => set(instruction, &mut stage.scope, parsed.escape),
            ("COPY" | "ADD" | "RUN", Some(_)) => take(instruction, &mut stages, parsed.escape),
            _ => {}
        }
    }
    let wanted = match target {
        None => stages.len().checked_sub(1),
        Some(name) => find(&stages, name),
    };
    let needed: BTreeSet<usize> = wanted.map_or_else(|| (0..stages.len()).collect(), |wanted| closure(&stages, wanted));
    stages.into_iter().enumerate().filter(|(i, _)| needed.contains(i)).map(|(_, stage)| stage).collect()
}

/// Docker's own arguments, for a build on and for this machine's architecture.
fn platform_scope(args: &BTreeMap<String, String>) -> Scope {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let platform = format!("linux/{arch}");
    let mut scope = Scope::new();
    for side in ["BUILD", "TARGET"] {
        for (what, value) in [("PLATFORM", platform.as_str()), ("OS", "linux"), ("ARCH", arch), ("VARIANT", "")] {
            let name = format!("{side}{what}");
            let value = args.get(&name).map_or(value, String::as_str).to_owned();
            scope.insert(name, Some(value));
        }
    }
    scope
}

fn find(stages: &[Stage], name: &str) -> Option<usize> {
    let named = |stage: &Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
    stages.iter().rposition(named).or_else(|| name.parse().ok().filter(|i| *i < stages.len()))
}

fn begin(instruction: &Instruction, stages: &[Stage], global: &Scope, escape: char) -> Stage {
    let words = instruction.list();
    let name = match words.as_slice() {
        [_, keyword, name, ..] if keyword.eq_ignore_ascii_case("as") => Some(name.clone()),
        _ => None,
    };
    let mut stage = Stage { name, ..Stage::default() };
    let image = words.first().and_then(|word| expand(word, global, escape)).filter(|image| !image.is_empty());
    let Some(image) = image else { return stage };
    // A number is no stage here, other than in COPY --from.
    let named = |stage: &Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&image));
    if let Some(i) = stages.iter().rposition(named) {
        stage.scope = stages[i].scope.clone();
        stage.needs.insert(i);
    } else {
        stage.images.push(image);
    }
    stage
}

/// `ARG NAME`, `ARG NAME=DEFAULT` before the first FROM.
fn declare(instruction: &Instruction, scope: &mut Scope, args: &BTreeMap<String, String>, escape: char) {
    for word in words(&instruction.rest, escape) {
        let (name, default) = word.split_once('=').map_or((word, None), |(name, default)| (name, Some(default)));
        let value = match (args.get(name), default) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => expand(default, scope, escape),
            // Declared without a value: as good as not set.
            (None, None) => continue,
        };
        scope.insert(name.to_owned(), value);
    }
}

/// ARG inside a stage: its value is not certain, because an ENV of the base image would win, and the platform's arguments depend on
/// what is built for. An ENV of the Dockerfile itself stays.
fn blur(instruction: &Instruction, scope: &mut Scope, escape: char) {
    for word in words(&instruction.rest, escape) {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        scope.entry(name.to_owned()).or_insert(None);
    }
}

/// `ENV A=1 B=2`, or `ENV A the rest`. Values see the scope as it was before the instruction.
fn set(instruction: &Instruction, scope: &mut Scope, escape: char) {
    let words = words(&instruction.rest, escape);
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    if words.first().is_some_and(|word| !word.contains('=')) {
        if let Some((name, value)) = instruction.rest.split_once(char::is_whitespace) {
            pairs.push((name.to_owned(), expand(value.trim(), scope, escape)));
        }
    } else {
        let pair = |word: &&str| word.split_once('=').map(|(name, value)| (name.to_owned(), expand(value, scope, escape)));
        pairs.extend(words.iter().filter_map(pair));
    }
    scope.extend(pairs);
}

/// COPY, ADD and RUN --mount: other stages, images, and files of the context.
fn take(instruction: &Instruction, stages: &mut [Stage], escape: char) {
    let Some((stage, before)) = stages.split_last_mut() else { return };
    let mut from: Vec<&str> = instruction.flag("from").into_iter().collect();
    for (_, mount) in instruction.flags.iter().filter(|(name, _)| name == "mount") {
        from.extend(mount.split(',').filter_map(|part| part.strip_prefix("from=")));
    }
    for name in from.iter().filter(|name| !name.contains('$') && !name.is_empty()) {
        match find(before, name) {
            Some(i) => {
                stage.needs.insert(i);
            }
            None => stage.images.push((*name).to_owned()),
        }
    }
    let from_context = from.is_empty() && instruction.keyword != "RUN" && instruction.flag("parents").is_none();
    let mut list = instruction.list();
    if from_context && list.pop().is_some() {
        let sources = list.iter().filter(|word| !word.contains(['"', '\'']) && !word.contains("<<"));
        let known = sources.filter_map(|word| expand(word, &stage.scope, escape));
        stage.sources.extend(known.map(|source| (instruction.line, source)));
    }
}

fn closure(stages: &[Stage], wanted: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::from([wanted]);
    let mut todo = vec![wanted];
    while let Some(i) = todo.pop() {
        for need in &stages[i].needs {
            if needed.insert(*need) {
                todo.push(*need);
            }
        }
    }
    needed
}
