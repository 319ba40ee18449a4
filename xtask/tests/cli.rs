//! The command line as a person meets it, without any tool at hand: help, slips, configuration, completions.
#![expect(clippy::unwrap_used, reason = "these are tests, helpers included")]

#[path = "support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use plan::finding::Class;
use support::{phases, see, xtask};
use tempfile::TempDir;

/// A folder with this xtask.toml, and two services.
fn project(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for service in ["api", "web"] {
        fs::create_dir(folder.path().join(service)).unwrap();
        fs::write(folder.path().join(service).join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    }
    fs::create_dir(folder.path().join("chart")).unwrap();
    fs::write(folder.path().join("chart/Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 1.0.0\n").unwrap();
    fs::write(folder.path().join("xtask.toml"), config).unwrap();
    folder
}

const SHOP: &str = r#"version = 1
name = "shop"

[services.api]
context = "api"
port = 8000
keys = ["DATABASE_URL", "SESSION_SECRET", "OPENAI_API_KEY", "LLM_PROVIDER"]

[services.web]
context = "web"
port = 3000

[public]
service = "web"

[environment.keys]
DATABASE_URL = { check = "postgres-url" }
SESSION_SECRET = { check = "min-length:32" }
OPENAI_API_KEY = { check = "prefix:sk-", required = "when LLM_PROVIDER=openai" }
LLM_PROVIDER = { secret = false, check = "one-of:rules,openai", default = "rules" }

[[layouts.shop.releases]]
chart = "chart"
services = { api = { at = ".backend" }, web = { at = ".frontend" } }
"#;

/// The command, its exit code and what it wrote; the folder's name is this machine's business.
fn scene(folder: &Path, args: &[&str]) -> String {
    let seen = see(&mut xtask(folder, args));
    let (stdout, stderr) = (seen.stdout, seen.stderr);
    let text = format!("$ {}\n{stdout}{stderr}[exit code {}]\n", [&["cargo xtask"], args].concat().join(" "), seen.code);
    let real = folder.canonicalize().unwrap();
    text.replace(&real.display().to_string(), "ROOT").replace(&folder.display().to_string(), "ROOT").replace('\\', "/")
}

fn all_help(columns: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut pages = String::new();
    let mut commands = vec![Vec::new()];
    commands.extend(phases(folder.path()).into_iter().map(|phase| vec![phase]));
    for words in commands {
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        args.push("--help");
        let seen = see(xtask(folder.path(), &args).env("COLUMNS", columns));
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{args:?}");
        let width: usize = columns.parse().unwrap();
        for line in seen.stdout.lines() {
            assert!(line.chars().count() <= width, "{args:?}: more than {width} columns: {line}");
        }
        write!(pages, "$ cargo xtask {}\n{}\n", args.join(" "), seen.stdout).unwrap();
    }
    pages
}

#[test]
fn help_at_80_columns() {
    insta::assert_snapshot!(all_help("80"));
}

#[test]
fn help_at_100_columns() {
    insta::assert_snapshot!(all_help("100"));
}

#[test]
fn the_exit_codes_of_the_help_are_those_of_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let help = see(&mut xtask(folder.path(), &["--help"])).stdout;
    let sentence = help.split("Exit codes: ").nth(1).unwrap().split('.').next().unwrap().replace('\n', " ");
    let codes: Vec<u8> = sentence.split(", ").map(|part| part.trim().split(' ').next().unwrap().parse().unwrap()).collect();
    let mut expected: Vec<u8> = Class::ALL.iter().map(|class| class.exit_code()).chain([0]).collect();
    expected.sort_unstable();
    assert_eq!(codes, expected);
    // The names too, where a class has one word.
    for class in Class::ALL.iter().filter(|class| **class != Class::Internal) {
        let name = serde_json::to_value(class).unwrap().as_str().unwrap().to_owned();
        assert!(sentence.contains(&format!("{} {name}", class.exit_code())), "{name} in `{sentence}`");
    }
}

#[test]
fn a_slip_on_the_command_line_ends_with_2_and_says_what_there_is() {
    let folder = project(SHOP);
    fs::write(folder.path().join(".env"), ENV).unwrap();
    let slips: [&[&str]; 11] = [
        &[],
        &["deplyo"],
        &["deploy", "--force"],
        &["deploy", "--quiet", "--verbose"],
        &["cleanup", "--scope", "namespace"],
        &["explain"],
        &["logs", "--tail", "many"],
        &["completions", "cmd"],
        &["plan", "--layout", "ship"],
        &["plan", "--service", "wev"],
        &["ci", "--only", "formatting"],
    ];
    let mut seen = String::new();
    for args in slips {
        let scene = scene(folder.path(), args);
        assert!(scene.ends_with("[exit code 2]\n"), "{scene}");
        seen += &scene;
        seen += "\n";
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn a_code_that_there_is_not_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(scene(folder.path(), &["explain", "XT4122"]) + "\n" + &scene(folder.path(), &["explain", "XT412"]));
}

#[test]
fn every_code_can_be_explained() {
    let folder = tempfile::tempdir().unwrap();
    let list = see(&mut xtask(folder.path(), &["explain", "--list"]));
    assert_eq!(list.code, 0);
    assert!(list.stdout.lines().count() > 50, "{}", list.stdout);
    for code in ["XT101", "XT412", "XT430", "XT901"] {
        assert!(list.stdout.lines().any(|line| line.starts_with(code)), "{code}");
        assert!(see(&mut xtask(folder.path(), &["explain", code])).stdout.starts_with(code));
    }
}

#[test]
fn completions_know_every_phase() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let seen = see(&mut xtask(folder.path(), &["completions", shell]));
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{shell}");
        for phase in phases(folder.path()) {
            assert!(seen.stdout.contains(&phase), "{shell}: {phase}");
        }
    }
}

const ENV: &str =
    "DATABASE_URL=postgresql://shop:pass@db.example.com:5432/shop\nSESSION_SECRET=0123456789abcdef0123456789abcdef\n";

#[test]
fn every_problem_of_the_configuration_is_said_at_once() {
    let wrong = SHOP
        .replace("name = \"shop\"", "name = \"Shop & Co\"")
        .replace("context = \"api\"", "context = \"apu\"")
        .replace("port = 3000", "port = 300000")
        .replace("keys = [\"DATABASE_URL\"", "kes = [\"DATABASE_URL\"")
        .replace("chart = \"chart\"", "chart = \"chrat\"");
    let folder = project(&wrong);
    let seen = scene(folder.path(), &["deploy"]);
    assert!(seen.ends_with("[exit code 3]\n"), "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn a_missing_and_a_broken_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let missing = scene(folder.path(), &["plan"]);
    let folder = project("version = 1\nname = \"shop\n");
    let broken = scene(folder.path(), &["plan"]);
    assert!(missing.ends_with("[exit code 3]\n") && broken.ends_with("[exit code 3]\n"), "{missing}{broken}");
    assert!(missing.contains("XT204") && missing.contains("docs/configuration.md"), "{missing}");
    insta::assert_snapshot!(broken);
}

#[test]
fn what_is_wrong_in_the_environment_file_is_said_without_its_values() {
    let folder = project(SHOP);
    let file = folder.path().join(".env");
    fs::write(
        &file,
        "DATABASE_URL=mysql://shop:hunter2@db/shop\nSESSION_SECRET=hunter3\nLLM_PROVIDER=openai\nOPENAI_API_KEY=pk-hunter4\n",
    )
    .unwrap();
    let wrong = scene(folder.path(), &["deploy"]);
    fs::write(&file, "LLM_PROVIDER=openai\nnonsense\n").unwrap();
    let lacking = scene(folder.path(), &["deploy"]);
    fs::remove_file(&file).unwrap();
    let none = scene(folder.path(), &["deploy"]);
    let all = format!("{wrong}\n{lacking}\n{none}");
    assert_eq!(all.matches("[exit code 3]\n").count(), 3, "{all}");
    assert!(!all.contains("hunter"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn a_tool_that_is_missing_is_named_with_where_to_get_it() {
    let folder = project(SHOP);
    fs::write(folder.path().join(".env"), ENV).unwrap();
    let seen = scene(folder.path(), &["deploy"]);
    assert!(seen.ends_with("[exit code 4]\n"), "{seen}");
    assert!(seen.contains("XT101") && seen.contains("https://"), "{seen}");
    // How to install a tool differs by system.
    if cfg!(target_os = "linux") {
        insta::assert_snapshot!(seen);
    }
}

#[test]
fn the_same_as_json_lines() {
    let folder = project(SHOP);
    fs::write(folder.path().join(".env"), ENV).unwrap();
    let seen = see(&mut xtask(folder.path(), &["deploy", "--message-format", "json"]));
    assert_eq!((seen.code, seen.stderr.as_str()), (4, ""));
    let lines: Vec<serde_json::Value> = seen.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.first().unwrap()["kind"], "started");
    assert_eq!((&lines.last().unwrap()["kind"], &lines.last().unwrap()["exit_code"]), (&"finished".into(), &4.into()));
    let found: Vec<&serde_json::Value> =
        lines.iter().filter(|line| line["kind"] == "finding").map(|line| &line["code"]).collect();
    assert!(!found.is_empty() && found.iter().all(|code| **code == "XT101"), "{found:?}");
}
