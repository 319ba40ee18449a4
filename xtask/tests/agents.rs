//! What is written for agents is read by programs that ignore what they don't know, silently. So it is checked here: the form of agents
//! and skills, and that what is said to be read-only is. That every command they name exists is checked with all other documents in docs.rs.
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
