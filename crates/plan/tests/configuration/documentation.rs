//! docs/configuration.md against what is read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files::Fake;
use plan::config::{Config, KEYS};
use plan::envfile::EnvFile;

const PAGE: &str = include_str!("../../../../docs/configuration.md");

/// The keys in the table below each heading.
fn documented() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut heading = String::new();
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            title.trim_matches('`').trim_matches(['[', ']']).clone_into(&mut heading);
        } else if line.starts_with("## ") {
            heading.clear();
        } else if let Some(key) = line.strip_prefix("| `").and_then(|rest| rest.split_once("` |")).filter(|_| !heading.is_empty())
        {
            found.entry(heading.clone()).or_default().push(key.0.to_owned());
        }
    }
    found
}

#[test]
fn every_key_is_documented_and_nothing_else() {
    let mut found = documented();
    for (table, keys) in KEYS {
        let heading = if table.is_empty() { "Top of the file" } else { table };
        let rows = found.remove(heading).unwrap_or_default();
        assert_eq!(rows, *keys, "`{heading}` in docs/configuration.md");
    }
    assert_eq!(found, BTreeMap::new());
}

#[test]
fn the_whole_file_that_is_shown_is_right() {
    let start = PAGE.find("```toml\n").unwrap() + "```toml\n".len();
    let text = &PAGE[start..start + PAGE[start..].find("```").unwrap()];
    let files = Fake::new(["../shop/api/Dockerfile", "../shop/web/Dockerfile", "helm/todo-app/Chart.yaml"]);
    let config = Config::parse(text, "xtask.toml", &files).unwrap();
    assert_eq!(config.warnings, []);
}

/// A default that is written as a value is the one that is used: the shown file with every such default written out reads the same.
#[test]
fn the_defaults_are_what_the_page_says() {
    let files = Fake::new(["a/Dockerfile", "c/Chart.yaml", "helm/dev-postgres/Chart.yaml"]);
    let mut defaults: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut heading = "";
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            heading = title.trim_matches('`').trim_matches(['[', ']']);
        }
        let cells: Vec<&str> = line.split(" | ").collect();
        let (Some(key), Some(value)) = (cells.first().and_then(|c| c.strip_prefix("| `")), cells.get(1)) else { continue };
        let (key, value) = (key.trim_end_matches('`'), value.trim_matches('`'));
        let literal = !value.contains('<')
            && !value.contains('{')
            && (value.starts_with(['"', '[']) || value.parse::<u32>().is_ok() || value == "true" || value == "false");
        if literal && cells[1].starts_with('`') && !heading.contains(".keys") {
            defaults.entry(heading).or_default().push(format!("{key} = {value}"));
        }
    }
    let written = |table: &str| defaults.get(table).cloned().unwrap_or_default().join("\n");
    let file = |with: &dyn Fn(&str) -> String| {
        format!(
            "version = 1\nname = \"n\"\n[cluster]\n{}\n[tools]\n{}\n[services.s]\ncontext = \"a\"\nport = 1\n{}\n[services.s.health]\n{}\n[public]\n{}\n\
             [environment]\n{}\n[database]\n{}\n[layouts.l]\n{}\n[[layouts.l.releases]]\nchart = \"c\"\n{}\n[deadlines]\n{}\n",
            with("cluster"),
            with("tools"),
            with("services.NAME"),
            with("services.NAME.health"),
            with("public"),
            with("environment"),
            with("database"),
            with("layouts.NAME"),
            with("layouts.NAME.releases"),
            with("deadlines"),
        )
    };
    let read =
        |text: &str| Config::parse(text, "xtask.toml", &files).unwrap_or_else(|p| panic!("{text}{}", plan::problem::render(&p)));
    // Lines differ, and so do warnings by their lines; what is deployed must not.
    let shown = |mut config: Config| {
        config.warnings.clear();
        let text = format!("{config:#?}");
        text.lines().filter(|line| !line.trim_start().starts_with("line:")).collect::<Vec<_>>().join("\n")
    };
    assert!(defaults.values().map(Vec::len).sum::<usize>() > 35, "{defaults:?}");
    assert_eq!(shown(read(&file(&|_| String::new()))), shown(read(&file(&|table| written(table)))));
}

#[test]
fn the_page_tells_the_rules_of_every_key_of_the_example() {
    let example = EnvFile::parse(include_str!("../../../../.env.example"), ".env.example");
    let rules = &PAGE[PAGE.find("## .env").unwrap()..];
    for one in &example.commented {
        assert!(rules.contains(&format!("`{}`", one.key)), "{}", one.key);
    }
}

/// A key of xtask.toml that messages name to people, such as `cluster.memory`, exists.
#[test]
fn keys_that_remedies_name_exist() {
    let known: BTreeMap<&str, &[&str]> = KEYS.iter().copied().collect();
    let tables = ["cluster", "public", "environment", "database", "deadlines", "tools"];
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut open = vec![crates.join("plan/src"), crates.join("diagnosis/src"), crates.join("../xtask/src")];
    let (mut wrong, mut seen) = (Vec::new(), 0);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (table, key) in text.split('`').filter_map(|word| word.split_once('.')) {
            let key = key.split([' ', '=']).next().unwrap_or_default();
            let keys = match (table, key.split_once('.')) {
                ("services", Some((_, key))) => Some((known["services.NAME"], key)),
                (table, None) if tables.contains(&table) => Some((known[table], key)),
                _ => None,
            };
            let Some((keys, key)) =
                keys.filter(|(_, key)| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            else {
                continue;
            };
            seen += 1;
            if !keys.contains(&key) {
                wrong.push(format!("{}: {table}.{key}", path.display()));
            }
        }
    }
    assert!(seen > 10, "only {seen} seen");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
