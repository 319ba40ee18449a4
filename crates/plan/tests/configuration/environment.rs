//! The environment file against the rules of this repository's xtask.toml.

use crate::files::Fake;
use plan::catalogue::codes::ENV_FILE_PROBLEM;
use plan::config::Config;
use plan::envfile::{EnvFile, Resolved, Share, Source, check_example, resolve};
use plan::finding::Severity;
use plan::invocation::Secret;
use plan::problem::{finding, render};

const XTASK: &str = include_str!("../../../../xtask.toml");
const EXAMPLE: &str = include_str!("../../../../.env.example");

/// A value that must never be seen; long enough for every check.
const HIDDEN: &str = "hunter2hunter2hunter2hunter2hunter2";

fn config() -> Config {
    Config::parse(XTASK, "xtask.toml", &Fake::repository()).unwrap_or_else(|p| panic!("{}", render(&p)))
}

fn good(text: Option<&str>) -> Resolved {
    resolve(&config(), text, Some(EXAMPLE)).unwrap_or_else(|p| panic!("{}", render(&p)))
}

fn bad(text: Option<&str>) -> String {
    match resolve(&config(), text, Some(EXAMPLE)) {
        Ok(found) => panic!("{:?}", found.keys),
        Err(problems) => render(&problems),
    }
}

fn source(found: &Resolved, key: &str) -> Source {
    found.keys[key].source.clone()
}

fn value<'a>(found: &'a Resolved, key: &str) -> Option<&'a str> {
    found.keys[key].value.as_ref().map(Secret::reveal)
}

#[test]
fn without_a_file_everything_resolves_for_development() {
    let found = good(None);
    assert_eq!(render(&found.warnings), "");
    assert_eq!(source(&found, "DATABASE_URL"), Source::Database);
    assert_eq!(source(&found, "BETTER_AUTH_SECRET"), Source::Generate);
    assert_eq!((source(&found, "LLM_PROVIDER"), value(&found, "LLM_PROVIDER")), (Source::Default, Some("rules")));
    assert_eq!(source(&found, "OPENAI_API_KEY"), Source::Absent);
    assert_eq!(found.to_generate().collect::<Vec<_>>(), ["BETTER_AUTH_SECRET"]);
}

#[test]
fn an_empty_file_and_a_copy_of_the_example_are_as_good_as_none() {
    for text in ["", "\n# nothing\n", "DATABASE_URL=\nBETTER_AUTH_SECRET=''\n", EXAMPLE] {
        let found = good(Some(text));
        assert_eq!((source(&found, "DATABASE_URL"), render(&found.warnings)), (Source::Database, String::new()));
    }
}

#[test]
fn the_provider_is_the_one_whose_key_is_there() {
    for (text, want, from) in [
        ("OPENAI_API_KEY=sk-1", "openai", Source::Inferred("OPENAI_API_KEY".into())),
        ("OPENROUTER_API_KEY=sk-or-1", "openrouter", Source::Inferred("OPENROUTER_API_KEY".into())),
        ("GEMINI_API_KEY=g", "gemini", Source::Inferred("GEMINI_API_KEY".into())),
        ("LLM_PROVIDER=rules\nOPENAI_API_KEY=sk-1", "rules", Source::File(1)),
        ("LLM_PROVIDER=gemini\nOPENAI_API_KEY=sk-1\nGEMINI_API_KEY=g", "gemini", Source::File(1)),
        ("OPENAI_API_KEY=", "rules", Source::Default),
    ] {
        let found = good(Some(text));
        assert_eq!((value(&found, "LLM_PROVIDER"), source(&found, "LLM_PROVIDER")), (Some(want), from), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_line_and_remedy_and_never_the_value() {
    let cases = [
        "DATABASE_URL=mysql://hunter2@db/app",
        "DATABASE_URL=postgresql+psycopg://u:hunter2@db/app",
        "DATABASE_URL=postgresql://u:hunter2@db",
        "DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=require",
        "BETTER_AUTH_SECRET=hunter2",
        "BETTER_AUTH_SECRET=your-own-random-text-of-32-characters-or-more",
        "LLM_PROVIDER=openai",
        "LLM_PROVIDER=openai\nOPENAI_API_KEY=",
        "LLM_PROVIDER=openai\nOPENAI_API_KEY=hunter2",
        "LLM_PROVIDER=openrouter",
        "LLM_PROVIDER=gemini",
        "LLM_PROVIDER=hunter2",
        "OPENAI_API_KEY=sk-hunter2\nGEMINI_API_KEY=hunter2",
        "OPENAI_API_KEY=sk-...",
        "OPENAI_BASE_URL=hunter2",
        "CLOUDFLARE_R2_ACCOUNT_ID=hunter2",
        "CLOUDFLARE_R2_ACCOUNT_ID=hunter2\nCLOUDFLARE_R2_ACCESS_KEY_ID=a\nCLOUDFLARE_R2_BUCKET_NAME=b",
    ];
    let seen: Vec<String> = cases
        .iter()
        .map(|text| (text, bad(Some(text))))
        .map(|(text, said)| {
            assert!(!said.contains("hunter2") && said.lines().all(|line| line.chars().count() <= 80), "{said}");
            format!("# {}\n{said}", text.replace('\n', "\n# "))
        })
        .collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn every_problem_is_said_at_once_and_becomes_one_finding() {
    let text = format!(
        "DATABASE_URL=sqlite:///{HIDDEN}\nBETTER_AUTH_SECRET=short\nOPENAI_API_KY=sk-1\n{HIDDEN}\nLLM_PROVIDER=openai\n\
         OPENAI_API_KEY=\"{HIDDEN}\nCLOUDFLARE_R2_BUCKET_NAME=b\nLLM_PROVIDER=gemini\n"
    );
    let problems = resolve(&config(), Some(&text), Some(EXAMPLE)).unwrap_err();
    insta::assert_snapshot!(render(&problems));
    let finding = finding(ENV_FILE_PROBLEM, &problems).unwrap();
    assert_eq!((finding.code, finding.severity), ("XT202", Severity::Error));
    assert!(!format!("{finding:?}").contains("hunter2"));
}

#[test]
fn what_is_odd_and_works_is_a_warning() {
    let found = good(Some(
        "DATABASE_URL=postgresql://u:hunter2@localhost:5432/app\nOPENAI_KEY=x\nOPENAI_DEFAULT_MODEL=${MODEL}\nxyzAbc=1\nNODE_ENV=x\n",
    ));
    insta::assert_snapshot!(render(&found.warnings));
}

#[test]
fn a_required_key_without_a_file_names_the_example() {
    let text = XTASK.replace(
        "BETTER_AUTH_SECRET = { check = \"min-length:32\", generate = true }",
        "BETTER_AUTH_SECRET = { check = \"min-length:32\" }",
    );
    let config = Config::parse(&text, "xtask.toml", &Fake::repository()).unwrap();
    let said = |file: Option<&str>| render(&resolve(&config, file, None).unwrap_err());
    insta::assert_snapshot!(format!("{}{}", said(None), said(Some("A=1\n"))));
}

#[test]
fn each_service_gets_the_keys_it_lists_and_nothing_else() {
    let config = config();
    let text =
        format!("DATABASE_URL=postgres://u:p@db/app\nOPENAI_API_KEY=sk-1\nOPENAI_DEFAULT_MODEL=m\nBETTER_AUTH_SECRET={HIDDEN}\n");
    let found = good(Some(&text));
    let shape = |share: &Share| {
        (
            share.secret.keys().cloned().collect::<Vec<_>>().join(" "),
            share.plain.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "),
        )
    };
    let backend =
        ("BETTER_AUTH_SECRET DATABASE_URL OPENAI_API_KEY".to_owned(), "LLM_PROVIDER=openai OPENAI_DEFAULT_MODEL=m".to_owned());
    assert_eq!(shape(&found.share(&config.services["backend"].keys)), backend);
    assert_eq!(shape(&found.share(&config.services["frontend"].keys)), ("BETTER_AUTH_SECRET DATABASE_URL".into(), String::new()));
    let split = &config.layouts["split"].releases;
    assert_eq!(shape(&found.share_of(&config, &split[1])), ("BETTER_AUTH_SECRET DATABASE_URL".into(), String::new()));
    assert_eq!(shape(&found.share_of(&config, &config.layouts["monolith"].releases[0])), backend);
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn what_was_generated_is_shared_once_it_is_supplied() {
    let config = config();
    let mut found = good(None);
    let keys = &config.services["frontend"].keys;
    assert_eq!(found.share(keys).secret.len(), 0);
    found.supply("BETTER_AUTH_SECRET", Secret::new(HIDDEN));
    found.supply("DATABASE_URL", Secret::new("postgresql://u:p@dev-postgres:5432/todo"));
    found.supply("LLM_PROVIDER", Secret::new("openai"));
    assert_eq!(found.share(keys).secret.len(), 2);
    assert_eq!(found.to_generate().count(), 0);
    // Only what was to be made is supplied.
    assert_eq!(value(&found, "LLM_PROVIDER"), Some("rules"));
}

#[test]
fn the_example_shows_every_key_once_with_an_explanation() {
    let config = config();
    let example = EnvFile::parse(EXAMPLE, ".env.example");
    assert_eq!(render(&check_example(&config.environment, &example)), "");
    // Nothing is set, so that a copy works as it is.
    assert_eq!(example.assignments, []);
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for one in &example.commented {
        let above = lines[one.line - 2];
        assert!(above.starts_with("# ") && above.len() > 20, "{} is not explained", one.key);
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 120));
}

#[test]
fn an_example_that_disagrees_with_the_rules_is_seen() {
    let example = EnvFile::parse("# A database\n#DATABASE_URL=x\nDATABASE_URL=y\nOLD_KEY=1\n", ".env.example");
    insta::assert_snapshot!(render(&check_example(&config().environment, &example)));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Keys of the rules with any value: nothing panics, every problem has a line inside the file and holds no value.
        #[test]
        fn any_values(lines in prop::collection::vec((0_usize..13, "[a-z]{0,3}[:/@.#'\" -]{0,4}[QZ]{6,10}"), 0..8)) {
            let config = config();
            let keys: Vec<&String> = config.environment.keys.keys().collect();
            let line = |(i, value): &(usize, String)| format!("{}={value}", keys.get(*i).map_or("OTHER", |key| key.as_str()));
            let text = lines.iter().map(line).collect::<Vec<_>>().join("\n");
            let (Ok(Resolved { warnings: problems, .. }) | Err(problems)) = resolve(&config, Some(&text), Some(EXAMPLE));
            for problem in &problems {
                prop_assert!((1..=lines.len().max(1)).contains(&problem.line), "{}", problem.place());
            }
            let said = render(&problems);
            for (_, value) in &lines {
                prop_assert!(!said.contains(value.trim_start_matches(|c: char| c != 'Q' && c != 'Z')));
            }
        }

        #[test]
        fn any_text(text: String, example: String) {
            let lines = text.lines().count().max(1);
            let (Ok(Resolved { warnings: problems, .. }) | Err(problems)) = resolve(&config(), Some(&text), Some(&example));
            for problem in problems {
                prop_assert!((1..=lines).contains(&problem.line), "{}", problem.place());
            }
        }
    }
}
