//! xtask.toml: what is read from it, and what a person sees when it is wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Fake;
use plan::catalogue::codes::CONFIG_PROBLEM;
use plan::config::{Access, Amount, Config, PodSecurity, Required, Runtime};
use plan::problem::{Problem, finding, render};

const REPOSITORY: &str = include_str!("../../../../xtask.toml");

/// A foreign application beside this repository: the smallest file that will do.
const MINIMAL: &str = r#"version = 1
name = "shop"

[services.api]
context = "../shop/api"
port = 5000
keys = ["DATABASE_URL"]

[services.web]
context = "../shop/web"
port = 8080

[public]
service = "web"

[[layouts.shop.releases]]
chart = "helm/todo-app"
services = { api = { at = ".backend" }, web = { at = ".frontend" } }
"#;

fn files() -> Fake {
    Fake::new([
        "../shop/api/Dockerfile",
        "../shop/web/Dockerfile",
        "../shop/web/docker/web.Dockerfile",
        "helm/todo-app/Chart.yaml",
        "helm/todo-app/values-dev.yaml",
        "helm/dev-postgres/Chart.yaml",
        "helm/empty/values.yaml",
    ])
}

fn read(text: &str) -> Config {
    Config::parse(text, "xtask.toml", &files()).unwrap_or_else(|problems| panic!("{}", render(&problems)))
}

fn problems(text: &str) -> Vec<Problem> {
    match Config::parse(text, "xtask.toml", &files()) {
        Ok(config) => config.warnings,
        Err(problems) => problems,
    }
}

/// `MINIMAL` with one line replaced, and what a person sees then.
fn changed(old: &str, new: &str) -> String {
    assert!(MINIMAL.contains(old), "{old}");
    render(&problems(&MINIMAL.replacen(old, new, 1)))
}

#[test]
fn the_repository_s_own_file_is_right() {
    let config = Config::parse(REPOSITORY, "xtask.toml", &Fake::repository()).unwrap_or_else(|p| panic!("{}", render(&p)));
    assert_eq!(render(&config.warnings), "");
    insta::assert_debug_snapshot!(config);
}

#[test]
fn a_small_file_is_enough_for_a_foreign_application() {
    let config = read(MINIMAL);
    assert_eq!(render(&config.warnings), "");
    assert_eq!((config.name.as_str(), config.namespace.as_str(), config.layout.as_str()), ("shop", "shop", "shop"));
    let cluster = &config.cluster;
    assert_eq!((cluster.profile.as_str(), cluster.driver.as_deref(), cluster.runtime), ("minikube", None, Runtime::Docker));
    assert_eq!((cluster.cpus, cluster.memory, cluster.disk), (Amount::Auto, Amount::Auto, Amount::Auto));
    assert_eq!(cluster.kubernetes, None);
    let api = &config.services["api"];
    assert_eq!((api.context.as_path(), api.dockerfile.as_str()), (Path::new("../shop/api"), "Dockerfile"));
    assert_eq!((api.image.as_str(), api.port), ("shop-api", 5000));
    assert_eq!((api.health.liveness.as_str(), api.health.readiness.as_str()), ("/api/health", "/api/health"));
    assert_eq!((api.pod_security, api.read_only_root), (PodSecurity::Restricted, true));
    assert_eq!((config.public.access, config.public.node_port, config.public.local_port), (Access::Auto, 30300, 30300));
    let release = &config.layouts["shop"].releases[0];
    assert_eq!((release.name.as_str(), release.secret.as_str()), ("todo-app", "todo-app-secrets"));
    assert_eq!((release.services["api"].at.as_str(), release.services["api"].component.as_str()), (".backend", "backend"));
    // A key without a rule is a secret that has to be there.
    let rule = &config.environment.keys["DATABASE_URL"];
    assert_eq!((rule.secret, &rule.required, rule.line), (true, &Required::Always, 4));
    assert_eq!(config.database, None);
    assert_eq!(config.deadlines.cluster, Duration::from_secs(600));
}

#[test]
fn paths_are_joined_to_the_file_s_directory_and_messages_stay_short() {
    let files = Fake::new(["/w/shop/api/Dockerfile", "/w/shop/web/Dockerfile", "/w/repo/helm/todo-app/Chart.yaml"]);
    let text = MINIMAL.replace("../shop", "/w/shop");
    let config = Config::parse(&text, PathBuf::from("/w/repo/xtask.toml"), &files).unwrap();
    assert_eq!(config.file, "xtask.toml");
    assert_eq!(config.services["api"].context, PathBuf::from("/w/shop/api"));
    assert_eq!(config.layouts["shop"].releases[0].chart, PathBuf::from("/w/repo/helm/todo-app"));
    assert_eq!(config.environment.file, PathBuf::from("/w/repo/.env"));
    assert_eq!(config.environment.file_name, ".env");
    let wrong = Config::parse("", "../repo/xtask.toml", &files).unwrap_err();
    assert_eq!(wrong[0].place(), "../repo/xtask.toml:1");
}

#[test]
fn what_has_a_single_choice_need_not_be_said() {
    let config = read(
        "version = 1\nname = \"one\"\n[services.web]\ncontext = \"../shop/web\"\nport = 80\nneeds = []\nreplicas = 3\n\
         [[layouts.only.releases]]\nchart = \"helm/todo-app\"\n",
    );
    assert_eq!((config.public.service.as_str(), config.layout.as_str()), ("web", "only"));
    let mapping = &config.layouts["only"].releases[0].services["web"];
    assert_eq!((mapping.at.as_str(), mapping.component.as_str(), mapping.replicas), ("", "web", Some(3)));
}

#[test]
fn a_layout_overrides_access_and_replicas() {
    let text = MINIMAL
        .replace("[[layouts", "[layouts.shop]\naccess = \"ingress\"\nreplicas = 2\n\n[[layouts")
        .replace("service = \"web\"", "service = \"web\"\nhost = \"shop.local\"\ningress_class = \"nginx\"\nnode_port = 30080");
    let text = text
        .replace("at = \".backend\"", "at = \".backend\", replicas = 4, keys = { image_tag = \"api.version\", replicas = \"\" }");
    let layout = &read(&text).layouts["shop"];
    assert_eq!(
        (layout.public.access, layout.public.host.as_deref(), layout.public.local_port),
        (Access::Ingress, Some("shop.local"), 30080)
    );
    let (release, api) = layout.of_service("api").unwrap();
    assert_eq!((api.replicas, release.services["web"].replicas), (Some(4), Some(2)));
    assert_eq!(api.keys.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["image_tag=api.version", "replicas="]);
}

#[test]
fn chart_values_are_taken_as_they_are() {
    let text = MINIMAL.to_owned()
        + "set = { a = { b = 0x10, c = [1.5, true, \"x\"] }, d = 2026-11-21 }\nvalues = [\"helm/todo-app/values-dev.yaml\"]\n";
    let release = &read(&text).layouts["shop"].releases[0];
    assert_eq!(release.set.to_string(), r#"{"a":{"b":16,"c":[1.5,true,"x"]},"d":"2026-11-21"}"#);
    assert_eq!(release.values, [PathBuf::from("helm/todo-app/values-dev.yaml")]);
}

#[test]
fn editors_of_windows_are_understood() {
    let text = format!("\u{feff}{}", MINIMAL.replace('\n', "\r\n"));
    assert_eq!(read(&text), read(MINIMAL));
    let wrong = text.replace("port = 8080", "port = 0");
    assert_eq!(problems(&wrong)[0].place(), "xtask.toml:11");
}

#[test]
fn the_namespace_takes_the_loosest_service() {
    let text = MINIMAL.replace("port = 5000", "port = 5000\npod_security = \"baseline\"\nrun_as_user = 0");
    assert_eq!(read(&text).pod_security(), PodSecurity::Baseline);
}

/// Many things wrong at once, each said once, in the order of the lines.
#[test]
fn every_problem_is_said_at_once() {
    let text = r#"version = 2
name = "Todo_Chatbot"
namspace = "todo"
layout = "monolit"

[cluster]
profile = "m"
driver = 4
runtime = "dockr"
cpus = 1
memory = "8GB of RAM"
disk = "20"
kubernetes = "1.20"
start_args = ["--force", "--memory=4g", "-p", "two", "--cpus", "4", ""]

[tools]
helm = "3.x"
heml = ">=3"

[services.api]
context = "../shop/apu"
port = 70000
build_budget = "5"
size_budget = "300"
keys = ["DATABASE_URL", "BAD-KEY", "DATABASE_URL"]
needs = ["web", "wbe", "api"]
health = "/api/health"
build_args = { NPM_TOKEN = "x", "a b" = 1 }

[services.web]
context = "../shop/web"
dockerfile = "docker/web.Dockerfil"
image = "shop-api:latest"
port = "8080"
health = { liveness = "health" }
read_only_root = "yes"
run_as_user = 0
replicas = 0
test = []

[services.Job]
port = 1

[public]
service = "wbe"
access = "ingress"
node_port = 80
local_port = 0

[environment]
file = ""

[environment.keys]
A = { secret = "no", check = "long", default = "hunter2" }
B = { required = "when C=1", generate = true, check = "url", group = "g" }
D = { secret = false, check = "one-of:x,y", default = "z", infer = { E = "x" } }

[database]
chart = "helm/dev-postgre"
image = "postgres"
user = "Todo User"
storage = "much"

[layouts.one]
replicas = -1
min_memory = 4
access = "nodeport"

[[layouts.one.releases]]
name = "todo.app"
chart = "helm/empty"
values = ["helm/todo-app/values-dve.yaml"]
services = ["api", "wbe"]
set = { secrets = { A = "b" }, service = { nodePort = 30300 } }
keys = { image_tags = "a", config = "a..b" }
after = ["two"]

[[layouts.one.releases]]
chart = "helm/todo-app"
services = { api = { at = "backend" }, web = 3 }
after = ["todo.app"]

[layouts.two]

[deadlines]
cluster = "never"
"#;
    let problems = problems(text);
    insta::assert_snapshot!(render(&problems));
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert!(lines.is_sorted() && !render(&problems).contains("hunter2"));
    assert!(render(&problems).lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn an_empty_file_says_how_to_begin() {
    insta::assert_snapshot!(render(&problems("")));
}

#[test]
fn what_is_not_toml_is_said_beside_what_could_be_read() {
    let broken = [
        "version = 1\nname = \"shop\n[cluster]\ncpus = 0\ncpus = 1\nmemory = 3\n",
        "[services.api\nport = 0\n[cluster]\ncpus = 0\n",
        "start_args = [\"a\"\n[cluster]\n",
    ];
    let seen: Vec<String> = broken.iter().map(|text| format!("{text}---\n{}", render(&problems(text)))).collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn single_slips_name_the_line_and_what_to_write() {
    let slips = [
        ("port = 5000", "prot = 5000"),
        ("port = 5000", "port = 5000\nnamespace = \"shop\"\nnode_port = 30000"),
        ("port = 5000", "port = 5000\nimage = \"shop-web\""),
        ("port = 5000", "port = 5000\ndockerfile = \"../Dockerfile\""),
        ("port = 5000", "port = 5000\nmigrations = [\"../schema\", \"Dockerfil\"]"),
        ("port = 5000", "port = 5000\nbuild_args = { GITHUB_TOKEN = \"\" }"),
        ("service = \"web\"", ""),
        ("service = \"web\"", "service = \"web\"\naccess = \"ingress\""),
        ("[\"DATABASE_URL\"]", "\"DATABASE_URL\""),
        ("chart = \"helm/todo-app\"", ""),
        ("chart = \"helm/todo-app\"", "chart = \"helm/todo_app\""),
        ("chart = \"helm/todo-app\"", "chart = \"helm/empty\""),
        (", web = { at = \".frontend\" }", ""),
        ("api = { at = \".backend\" }, ", ""),
        ("name = \"shop\"", "name = \"shop\"\n[cluster]\nkubernetes = \"1.36\""),
        ("name = \"shop\"", "name = \"shop\"\n[cluster]\nkubernetes = \"1.27.0\""),
        ("name = \"shop\"", "name = \"shop\"\n[database]"),
        ("[\"DATABASE_URL\"]", "[]\n[database]"),
        ("name = \"shop\"", "name = \"shop\"\n[environment.keys]\nDATABASE_URL = { infer = { KEY = \"1\" } }\nNOBODY = {}"),
        (
            "name = \"shop\"",
            "name = \"shop\"\n[environment.keys]\nDATABASE_URL = { infer = { B = \"hunter2\" } }\nB = { generate = true, check = \"url\" }",
        ),
        (
            "name = \"shop\"",
            "name = \"shop\"\n[environment.keys]\nDATABASE_URL = { required = \"when B=z\" }\nB = { secret = false, check = \"one-of:x,y\" }",
        ),
        ("[[layouts", "[[layouts.b.releases]]\nchart = \"helm/todo-app\"\n[[layouts"),
        ("[[layouts", "[[layouts.shop.releases]]\nchart = \"helm/todo-app\"\nservices = [\"web\"]\n[[layouts"),
    ];
    let seen: Vec<String> = slips.iter().map(|(old, new)| format!("# {old} -> {new}\n{}", changed(old, new))).collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn releases_that_wait_for_each_other_are_refused() {
    let text = MINIMAL.split("[[layouts").next().unwrap().to_owned()
        + "[[layouts.l.releases]]\nname = \"a\"\nchart = \"helm/todo-app\"\nservices = [\"api\"]\nafter = [\"b\"]\n\
           [[layouts.l.releases]]\nname = \"b\"\nchart = \"helm/todo-app\"\nservices = [\"web\"]\nafter = [\"a\"]\n";
    insta::assert_snapshot!(render(&problems(&text)));
}

#[test]
fn the_tool_s_own_flags_are_refused_in_every_form() {
    for (arg, refused) in [
        ("--force", false),
        ("--base-image=x", false),
        ("--preload=false", false),
        ("--cpus=4", true),
        ("--memory", true),
        ("-p", true),
        ("-pother", true),
        ("-p=other", true),
        ("--profile=other", true),
        ("--container-runtime=docker", true),
        ("-v=3", false),
        ("--ports=1:1", false),
    ] {
        let text = changed("name = \"shop\"", &format!("name = \"shop\"\n[cluster]\nstart_args = [\"{arg}\"]"));
        assert_eq!(!text.is_empty(), refused, "{arg}: {text}");
    }
}

#[test]
fn problems_become_one_finding() {
    let problems = problems("version = 1\nname = \"Shop\"\n");
    let finding = finding(CONFIG_PROBLEM, &problems).unwrap();
    assert_eq!((finding.code, finding.cause.as_str()), ("XT201", "`xtask.toml` has 3 problems"));
    assert_eq!(finding.evidence[2].source, "xtask.toml:2");
    assert!(finding.evidence[2].text.starts_with("name: `Shop` is not a DNS label\nwrite lowercase letters"));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of a config, put together at random: valid TOML often enough to reach all of the reader.
    fn pieces() -> impl Strategy<Value = String> {
        let tables: Vec<String> = plan::config::KEYS
            .iter()
            .flat_map(|(table, _)| {
                [format!("[{}]", table.replace("NAME", "a").replace("KEY", "A")), format!("[[{}]]", table.replace("NAME", "a"))]
            })
            .collect();
        let keys: Vec<String> = plan::config::KEYS
            .iter()
            .flat_map(|(_, keys)| keys.iter().map(|key| (*key).to_owned()))
            .chain(["a".into(), "A".into()])
            .collect();
        let values = [
            "1",
            "\"a\"",
            "\"A\"",
            "[\"a\"]",
            "[1]",
            "{}",
            "{ a = {} }",
            "true",
            "1.5",
            "\"\"",
            "-1",
            "\"5m\"",
            "\"1GiB\"",
            "\"when A=a\"",
            "oops",
            "\"url\"",
        ];
        let line = prop_oneof![
            1 => prop::sample::select(tables),
            3 => (prop::sample::select(keys), prop::sample::select(values.to_vec())).prop_map(|(key, value)| format!("{key} = {value}")),
        ];
        prop::collection::vec(line, 0..25).prop_map(|lines| lines.join("\n"))
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        let lines = text.lines().count().max(1);
        for problem in problems(text) {
            prop_assert!((1..=lines).contains(&problem.line), "{}", problem.place());
            prop_assert!(!problem.what.is_empty() && !problem.file.is_empty());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_every_problem_is_inside(text in "[a-z\\[\\]=\"{}.,# \n]{0,80}") {
            check(&text)?;
        }

        #[test]
        fn any_text_at_all(text: String) {
            check(&text)?;
        }

        #[test]
        fn any_config_shaped_text(text in pieces()) {
            check(&text)?;
        }

        #[test]
        fn a_line_less_never_makes_it_panic(line in 0_usize..130) {
            let text: Vec<&str> = REPOSITORY.lines().enumerate().filter(|(i, _)| *i != line).map(|(_, text)| text).collect();
            check(&text.join("\n"))?;
        }
    }
}
