//! What is written for agents is read by programs that ignore what they don't know, silently. So it is checked here: the form of agents
//! and skills, that every `cargo xtask` command they name exists, and that what is said to be read-only is.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, helpers included")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(directory: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The six of plan two.
const AGENTS: [(&str, &str); 6] = [
    ("cluster-health-monitor", "cluster-monitor"),
    ("docker-build-optimizer", "docker-build"),
    ("docker-container-runner", "docker-run"),
    ("helm-chart-generator", "helm-generate"),
    ("k8s-cleanup", "k8s-cleanup"),
    ("k8s-deploy-agent", "k8s-deploy"),
];

/// Frontmatter and body of a Markdown file.
fn frontmatter(path: &Path) -> (Value, String) {
    let text = read(path);
    let rest = text.strip_prefix("---\n").unwrap_or_else(|| panic!("{}: no frontmatter", path.display()));
    let (yaml, body) = rest.split_once("\n---\n").unwrap_or_else(|| panic!("{}: the frontmatter has no end", path.display()));
    (serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display())), body.to_owned())
}

fn assert_keys(path: &Path, frontmatter: &Value, required: &[&str], allowed: &[&str]) {
    let keys: BTreeSet<&str> = frontmatter.as_object().unwrap().keys().map(String::as_str).collect();
    for key in required {
        assert!(keys.contains(key), "{}: no `{key}`", path.display());
    }
    for key in keys {
        assert!(required.contains(&key) || allowed.contains(&key), "{}: `{key}` would be ignored", path.display());
    }
}

fn assert_name_and_description(path: &Path, frontmatter: &Value, expected: &str) {
    let name = frontmatter["name"].as_str().unwrap();
    assert_eq!(name, expected, "{}", path.display());
    let words_are_plain =
        name.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    assert!(words_are_plain && name.len() <= 64, "{}: name `{name}`", path.display());
    let description = frontmatter["description"].as_str().unwrap();
    assert!(
        (1..=1024).contains(&description.chars().count()) && description.contains("Use "),
        "{}: say when to use it",
        path.display()
    );
}

#[test]
fn agents_have_the_form_of_claude_code() {
    let found: Vec<String> =
        entries(".claude/agents").iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(found, AGENTS.map(|(agent, _)| format!("{agent}.md")));
    for (agent, skill) in AGENTS {
        let path = root().join(format!(".claude/agents/{agent}.md"));
        let (frontmatter, body) = frontmatter(&path);
        assert_keys(&path, &frontmatter, &["name", "description", "tools", "skills"], &["model", "color"]);
        assert_name_and_description(&path, &frontmatter, agent);
        for tool in frontmatter["tools"].as_str().unwrap().split(", ") {
            assert!(["Bash", "Read", "Edit", "Write", "Grep", "Glob"].contains(&tool), "{}: tool `{tool}`", path.display());
        }
        assert_eq!(frontmatter["skills"], skill);
        assert!(body.contains(skill), "{}: the body does not name its skill", path.display());
    }
}

#[test]
fn skills_have_the_form_of_the_specification() {
    let found: Vec<String> =
        entries(".claude/skills").iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let mut expected = AGENTS.map(|(_, skill)| skill.to_owned());
    expected.sort();
    assert_eq!(found, expected);
    for skill in expected {
        let path = root().join(format!(".claude/skills/{skill}/SKILL.md"));
        let (frontmatter, body) = frontmatter(&path);
        // allowed-tools is left out on purpose: whoever runs a skill is asked before each command.
        assert_keys(&path, &frontmatter, &["name", "description"], &["license", "compatibility", "metadata"]);
        assert_name_and_description(&path, &frontmatter, &skill);
        assert!(body.lines().count() < 500, "{}: too long to load at once", path.display());
        if let Some(compatibility) = frontmatter.get("compatibility") {
            assert!(compatibility.as_str().unwrap().len() <= 500);
        }
    }
}

/// Everything that tells an agent, or a person who uses one, what to type.
fn documents() -> Vec<PathBuf> {
    let mut paths = vec![root().join("AGENTS.md"), root().join("docs/kubernetes/AI_DEVOPS.md"), root().join("docs/json.md")];
    paths.push(root().join("docs/adr/0010-agents-and-skills.md"));
    paths.extend(entries(".claude/agents"));
    paths.extend(entries(".claude/skills").into_iter().map(|path| path.join("SKILL.md")));
    paths.extend(
        [
            "k8s/README.md",
            "k8s/minikube/README.md",
            "k8s/kubectl-ai/examples.md",
            "k8s/kagent/README.md",
            "k8s/kagent/agent.yaml",
        ]
        .map(|path| root().join(path)),
    );
    paths
}

/// Phase, its flags, and how many other words it takes.
const PHASES: &[(&str, &[&str], usize)] = &[
    ("setup", &[], 0),
    ("stop", &[], 0),
    ("build-images", &["--service", "--rebuild", "--no-cache", "--pull"], 0),
    ("deploy", &["--layout", "--service", "--watch"], 0),
    ("plan", &["--layout", "--service"], 0),
    ("verify", &["--layout", "--service"], 0),
    ("test", &["--layout", "--service"], 0),
    ("cleanup", &["--scope", "--volumes"], 0),
    ("doctor", &[], 0),
    ("status", &["--watch"], 0),
    ("logs", &["-f"], 1),
    ("explain", &["--list"], 1),
    ("rollback", &[], 1),
    ("report", &[], 0),
    ("open", &[], 0),
    ("ci", &[], 0),
];
const GLOBAL: &[&str] = &["--message-format", "--junit", "--yes", "-v", "-vv", "-q"];
/// Flags with a value, and the values there are (none listed: any).
const VALUES: &[(&str, &[&str])] = &[
    ("--scope", &["release", "images", "cluster", "all"]),
    ("--layout", &["monolith", "split"]),
    ("--service", &["backend", "frontend"]),
    ("--message-format", &["human", "json"]),
    ("--junit", &[]),
];

/// The words after each `cargo xtask`, up to where the command ends in running text or in a code block.
fn commands(text: &str) -> Vec<Vec<&str>> {
    text.split("cargo xtask ")
        .skip(1)
        .map(|rest| {
            let rest = rest.split(['`', '\n', '|', '#', '"', '(', ';']).next().unwrap_or(rest);
            // Two spaces begin another column.
            let rest = rest.split("  ").next().unwrap_or(rest);
            rest.split_whitespace().map(|word| word.trim_end_matches([',', '.', ':'])).collect()
        })
        .filter(|words: &Vec<&str>| words.first().is_some_and(|first| !first.starts_with('<')))
        .collect()
}

fn check(command: &[&str]) -> Result<(), String> {
    let (phase, words) = command.split_first().ok_or("no phase")?;
    let (_, flags, others) = PHASES.iter().find(|(name, ..)| name == phase).ok_or_else(|| format!("no phase `{phase}`"))?;
    let mut left = *others;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            left = left.checked_sub(1).ok_or_else(|| format!("`{phase}` takes no `{word}`"))?;
        } else if !flags.contains(word) && !GLOBAL.contains(word) {
            return Err(format!("`{phase}` has no flag `{word}`"));
        } else if let Some((flag, values)) = VALUES.iter().find(|(flag, _)| flag == word) {
            let value = words.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
            if !values.is_empty() && !values.contains(value) {
                return Err(format!("`{flag}` has no value `{value}`"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_command_that_is_named_exists() {
    let mut phases = BTreeSet::new();
    for path in documents() {
        for command in commands(&read(&path)) {
            assert_eq!(check(&command), Ok(()), "{}: cargo xtask {}", path.display(), command.join(" "));
            phases.insert(command[0].to_owned());
        }
    }
    let all: BTreeSet<String> = PHASES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(phases, all, "every phase is told of somewhere");
}

#[test]
fn a_wrong_command_is_noticed() {
    for (text, expected) in [
        ("`cargo xtask destroy`", "no phase `destroy`"),
        ("cargo xtask deploy --force\n", "`deploy` has no flag `--force`"),
        ("`cargo xtask cleanup --scope namespace`", "`--scope` has no value `namespace`"),
        ("`cargo xtask status now`", "`status` takes no `now`"),
        ("`cargo xtask cleanup --scope`", "`--scope` needs a value"),
    ] {
        assert_eq!(check(&commands(text)[0]), Err(expected.to_owned()));
    }
    assert!(commands("run `cargo xtask <phase>` or `cargo xtask`").is_empty());
}

#[test]
fn links_lead_somewhere() {
    for path in documents() {
        let text = read(&path);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                let target = path.parent().unwrap().join(link);
                assert!(target.exists(), "{}: {link}", path.display());
            }
        }
    }
}

fn manifests(path: &str) -> Vec<Value> {
    let manifests: Vec<Value> = serde_saphyr::from_multiple(&read(&root().join(path))).unwrap();
    for manifest in &manifests {
        assert!(manifest["apiVersion"].is_string() && manifest["metadata"]["name"].is_string(), "{path}: {manifest}");
    }
    manifests
}

#[test]
fn the_account_for_kubectl_ai_only_reads_and_not_secrets() {
    let manifests = manifests("k8s/kubectl-ai/reader.yaml");
    let kinds: Vec<&str> = manifests.iter().map(|manifest| manifest["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ServiceAccount", "Role", "RoleBinding"], "rights in one namespace only");
    for rule in manifests[1]["rules"].as_array().unwrap() {
        for verb in rule["verbs"].as_array().unwrap() {
            assert!(["get", "list", "watch"].contains(&verb.as_str().unwrap()), "{rule}");
        }
        for resource in rule["resources"].as_array().unwrap() {
            let resource = resource.as_str().unwrap();
            assert!(!resource.contains('*') && resource != "secrets", "{rule}");
            // Reading these subresources acts: exec, attach, port-forward and proxy are opened with `get`.
            assert!(!resource.contains('/') || resource == "pods/log", "{rule}");
        }
    }
}

#[test]
fn the_kagent_agent_only_reads() {
    let agent = &manifests("k8s/kagent/agent.yaml")[0];
    let server = &manifests("k8s/kagent/remotemcpserver.yaml")[0];
    let model = &manifests("k8s/kagent/modelconfig.yaml")[0];
    let declarative = &agent["spec"]["declarative"];
    for (manifest, kind) in [(agent, "Agent"), (server, "RemoteMCPServer"), (model, "ModelConfig")] {
        assert_eq!((&manifest["apiVersion"], &manifest["kind"]), (&"kagent.dev/v1alpha2".into(), &kind.into()));
        assert_eq!(manifest["metadata"]["namespace"], "kagent");
    }
    assert_eq!(declarative["modelConfig"], model["metadata"]["name"]);
    let tools = declarative["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["mcpServer"]["name"], server["metadata"]["name"]);
    for tool in tools[0]["mcpServer"]["toolNames"].as_array().unwrap() {
        let tool = tool.as_str().unwrap();
        assert!(tool.starts_with("k8s_get_") || tool == "k8s_describe_resource", "`{tool}` may write");
    }

    let values: Value = serde_saphyr::from_str(&read(&root().join("k8s/kagent/values-minimal.yaml"))).unwrap();
    let server = &values["kagent-tools"];
    assert_eq!((&server["rbac"]["readOnly"], &server["tools"]["args"][0]), (&true.into(), &"--read-only".into()));
    assert!(server["rbac"].get("allowSecrets").is_none());
    assert!(values["providers"]["openAI"].get("apiKey").is_none(), "a key among the values stays in the release's history");
}
