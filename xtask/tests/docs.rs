//! What the documents say exists: commands, links, files, exit codes, and the configuration in the README.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, helpers included")]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::config::{Config, Files};
use plan::finding::Class;
use serde_json::Value;
use support::{phases, see, xtask};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything that tells a person or an agent what to type.
fn documents() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("node_modules") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|e| e == "md") || path.ends_with("kagent/agent.yaml") {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut found = vec![
        root.join("README.md"),
        root.join("AGENTS.md"),
        root.join("benches/README.md"),
        root.join("examples/todo-chatbot/README.md"),
    ];
    for folder in ["docs", "k8s", ".claude"] {
        walk(&root.join(folder), &mut found);
    }
    for chart in fs::read_dir(root.join("helm")).unwrap() {
        found.extend(Some(chart.unwrap().path().join("README.md")).filter(|path| path.is_file()));
    }
    found.sort();
    found
}

/// A path as it is written in the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// The words after each `cargo xtask`, up to where the command ends in running text or in a code block.
fn commands(text: &str) -> Vec<Vec<&str>> {
    text.split("cargo xtask ")
        .skip(1)
        .map(|rest| {
            let rest = rest.split(['`', '\n', '|', '#', '"', '(', ';', ',']).next().unwrap_or(rest);
            // Two spaces begin another column.
            let rest = rest.split("  ").next().unwrap_or(rest);
            rest.split_whitespace().map(|word| word.trim_end_matches(['.', ':'])).collect()
        })
        .filter(|words: &Vec<&str>| words.first().is_some_and(|first| !first.starts_with('<')))
        .collect()
}

/// Whether xtask takes these words: it reads them up to `--help`, so a wrong one ends with a usage error. What it can only know from
/// xtask.toml is looked up there.
fn check(words: &[&str], config: &Config) -> Result<(), String> {
    let known = |what: &str, name: &str| -> bool {
        match what {
            "--layout" => config.layouts.contains_key(name),
            "--service" | "logs" => config.services.contains_key(name) || ["NAME", "SERVICE"].contains(&name),
            _ => true,
        }
    };
    let unknown = words.windows(2).find_map(|pair| {
        let &[what, name] = pair else { return None };
        (!name.starts_with('-') && !known(what, name)).then_some(name)
    });
    if let Some(name) = unknown {
        return Err(format!("xtask.toml has no `{name}`"));
    }
    let help = if words.first() == Some(&"explain") && words.last() != Some(&"CODE") {
        words.to_vec()
    } else {
        [words, &["--help"]].concat()
    };
    let seen = see(&mut xtask(&root(), &help));
    if seen.code == 0 { Ok(()) } else { Err(seen.stderr) }
}

struct Disk;

impl Files for Disk {
    fn is_file(&self, path: &Path) -> bool {
        root().join(path).is_file()
    }

    fn is_dir(&self, path: &Path) -> bool {
        root().join(path).is_dir()
    }

    fn names(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

fn config() -> Config {
    Config::parse(&read(&root().join("xtask.toml")), root().join("xtask.toml").display().to_string(), &Disk).unwrap()
}

#[test]
fn every_command_that_is_named_exists() {
    let config = config();
    let mut places: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for path in documents() {
        for words in commands(&read(&path)) {
            places.entry(words.into_iter().map(str::to_owned).collect()).or_insert_with(|| shown(&path));
        }
    }
    assert!(places.len() > 20, "the commands are found");
    let mut wrong = Vec::new();
    for (words, place) in &places {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Err(why) = check(&words, &config) {
            wrong.push(format!("{place}: cargo xtask {}: {why}", words.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let told: BTreeSet<&str> = places.keys().map(|words| words[0].as_str()).collect();
    let untold: Vec<String> =
        phases(&root()).into_iter().filter(|phase| !told.contains(phase.as_str()) && phase != "completions").collect();
    assert!(untold.is_empty(), "no document tells of {untold:?}");
}

#[test]
fn a_wrong_command_is_noticed() {
    let config = config();
    for (text, expected) in [
        ("`cargo xtask destroy`", "'destroy'"),
        ("cargo xtask deploy --force\n", "'--force'"),
        ("`cargo xtask cleanup --scope namespace`", "'namespace'"),
        ("`cargo xtask status now`", "'now'"),
        ("`cargo xtask explain XT000`", "XT000"),
        ("`cargo xtask deploy --layout umbrella`", "`umbrella`"),
        ("`cargo xtask logs database`", "`database`"),
    ] {
        let why = check(&commands(text)[0], &config).unwrap_err();
        assert!(why.contains(expected), "{text}: {why}");
    }
    assert!(commands("run `cargo xtask <phase>` or `cargo xtask`").is_empty());
}

/// The anchors that GitHub gives the headings of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.to_lowercase().replace(' ', "-");
            kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
        })
        .collect()
}

/// The targets of the links of a document, without those in code.
fn links(text: &str) -> Vec<&str> {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        inside ^= line.trim_start().starts_with("```");
        !inside
    });
    lines.flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split(')').next())).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in documents() {
        let text = read(&path);
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let leads = target.exists() && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !leads {
                wrong.push(format!("{}: {link}", shown(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Keys of annotations, which only look like files.
const LABELS: [&str; 2] = ["xtask/secret-digest", "xtask/image-id"];
/// Files that the plans name and that are not here: documents say what took their place.
const ONLY_IN_THE_PLANS: [&str; 5] = [
    "k8s/minikube/setup.sh",
    "k8s/minikube/build-images.sh",
    "k8s/minikube/cleanup.sh",
    "k8s/kagent/health-check.sh",
    ".claude/skills/docker-build.skill.md",
];

#[test]
fn files_that_are_named_are_there() {
    let tops = ["xtask/", "crates/", "helm/", "k8s/", "docs/", "examples/", "benches/", ".claude/", ".github/", ".ci/"];
    let mut wrong = BTreeSet::new();
    let mut absent = BTreeSet::new();
    for path in documents() {
        let text = read(&path);
        for word in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| tops.iter().any(|top| word.starts_with(top)) && !LABELS.contains(word))
        {
            // A pattern, a placeholder, or a command.
            if word.contains(['*', '<', '{', ' ', '$', '…', ':', '\n']) || word.contains("NAME") {
                continue;
            }
            if !root().join(word).exists() && !path.parent().unwrap().join(word).exists() {
                if ONLY_IN_THE_PLANS.contains(&word) {
                    absent.insert(word.to_owned());
                } else {
                    wrong.insert(format!("{}: {word}", shown(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(absent.len(), ONLY_IN_THE_PLANS.len(), "an exception that nothing needs: {absent:?}");
}

/// The Markdown files of a folder.
fn pages(folder: &str) -> Vec<String> {
    let entries =
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    entries.filter(|name| Path::new(name).extension().is_some_and(|e| e == "md") && name != "README.md").collect()
}

#[test]
fn the_indexes_name_every_page() {
    let decisions = read(&root().join("docs/adr/README.md"));
    for page in pages("docs/adr") {
        let title = read(&root().join("docs/adr").join(&page));
        assert!(title.starts_with(&format!("# {}: ", &page[..4])), "docs/adr/{page}: its heading begins with its number");
        assert!(decisions.contains(&format!("]({page})")), "docs/adr/README.md has no line for {page}");
    }
    let index = read(&root().join("docs/README.md"));
    for (folder, prefix) in [("docs", ""), ("docs/kubernetes", "kubernetes/")] {
        for page in pages(folder) {
            assert!(index.contains(&format!("({prefix}{page})")), "docs/README.md has no line for {prefix}{page}");
        }
    }
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_classes() {
    let text = read(&root().join("README.md"));
    let table = text.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut found = BTreeMap::new();
    for line in table.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for pair in cells[1..].chunks(2).filter(|pair| pair.len() == 2) {
            if let Ok(code) = pair[0].parse::<u8>() {
                found.insert(code, pair[1].split([':', ' ']).next().unwrap().to_owned());
            }
        }
    }
    let class = |class: Class| serde_json::to_value(class).unwrap().as_str().unwrap().to_owned();
    let mut expected: BTreeMap<u8, String> = Class::ALL.iter().map(|c| (c.exit_code(), class(*c))).collect();
    expected.insert(0, "done".to_owned());
    assert_eq!(found, expected);
}

/// An application in `../shop`, and charts.
struct Shop;

impl Files for Shop {
    fn is_file(&self, path: &Path) -> bool {
        path.ends_with("api/Dockerfile") || path.ends_with("web/Dockerfile") || path.ends_with("Chart.yaml")
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.ends_with("shop/api")
            || path.ends_with("shop/web")
            || path.ends_with("helm/todo-app")
            || path.ends_with("helm/dev-postgres")
    }

    fn names(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn the_configuration_in_the_readme_is_whole() {
    let text = read(&root().join("README.md"));
    let shop = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = Config::parse(shop, "shop.toml", &Shop).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.services.len(), 2);
}

/// `5m`.
fn minutes(text: &Value) -> Duration {
    let minutes = text.as_str().unwrap().strip_suffix('m').unwrap().parse::<u64>().unwrap();
    Duration::from_secs(60 * minutes)
}

#[test]
fn the_validation_criteria_are_those_of_the_configuration() {
    let config = config();
    let path = root().join("docs/kubernetes/contracts/deployment-validation.yaml");
    let criteria: Value = serde_saphyr::from_str(&read(&path)).unwrap();
    let layout = &config.layouts[criteria["layout"].as_str().unwrap()];
    for service in ["frontend", "backend"] {
        let (_, mapping) = layout.of_service(service).unwrap();
        assert_eq!(mapping.replicas.map(u64::from), criteria["replicas"][service].as_u64(), "{service}");
        let (known, budget, health) = (&config.services[service], &criteria["budgets"][service], &criteria["health"][service]);
        let size = budget["size"].as_str().unwrap().strip_suffix("MB").unwrap().parse::<u64>().unwrap();
        assert_eq!(known.size_budget, Some(size * 1_000_000), "{service}");
        assert_eq!(known.build_budget, Some(minutes(&budget["build"])), "{service}");
        assert_eq!(Some(u64::from(known.port)), health["port"].as_u64(), "{service}");
        assert_eq!(
            (&*known.health.liveness, &*known.health.readiness),
            (health["liveness"].as_str().unwrap(), health["readiness"].as_str().unwrap())
        );
    }
    let limits = [
        ("rollout", config.deadlines.rollout, Class::Rollout),
        ("release", config.deadlines.release, Class::Release),
        ("endpoint", config.deadlines.endpoint, Class::Verify),
        ("build", config.deadlines.build, Class::Build),
    ];
    for (name, limit, class) in limits {
        let criterion = &criteria["deadlines"][name];
        assert_eq!(
            (minutes(&criterion["within"]), criterion["exit_code"].as_u64()),
            (limit, Some(u64::from(class.exit_code()))),
            "{name}"
        );
    }
    assert_eq!(criteria["verify"]["exit_code"].as_u64(), Some(u64::from(Class::Verify.exit_code())));
}
