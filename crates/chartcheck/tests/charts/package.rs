//! What gets into a packaged chart.

use crate::helm::Helm;
use chartcheck::tools::{CHARTS, charts_dir, copy_chart, find_on_path, run};
use std::fs;

/// Names that could hold a secret; each is put into the chart before it is packaged.
const DECOYS: [&str; 14] = [
    ".env",
    ".env.production",
    "prod.env",
    "secrets.yaml",
    "secrets.prod.yaml",
    "my-secrets.yaml",
    "values-prod.local.yaml",
    "values-secret.yaml",
    "tls.key",
    "tls.pem",
    "tls.crt",
    "kubeconfig",
    "id_ed25519",
    "templates/notes.bak",
];

#[test]
fn a_package_holds_the_chart_and_nothing_that_could_hold_a_secret() {
    let (Some(helm), Some(tar)) = (Helm::get(), find_on_path("tar")) else { return };
    let dir = tempfile::tempdir().unwrap();
    copy_chart(&charts_dir(), dir.path()).unwrap();
    for chart in CHARTS {
        let built = helm.run(&["dependency", "build", "--skip-refresh", chart], dir.path());
        assert!(built.success, "{chart}: {}", built.stderr);
        for decoy in DECOYS {
            fs::write(dir.path().join(chart).join(decoy), "not for anybody").unwrap();
        }
        let packaged = helm.run(&["package", chart], dir.path());
        assert!(packaged.success, "{chart}: {}", packaged.stderr);
        let package = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let package =
            package.into_iter().find(|name| name.strip_suffix(".tgz").is_some_and(|stem| stem.starts_with(chart))).unwrap();
        let listed = run(&tar, &["-tzf", &package], dir.path()).unwrap();
        assert!(listed.success, "{}", listed.stderr);
        let files: Vec<&str> = listed.stdout.lines().filter_map(|line| line.strip_prefix(chart)?.strip_prefix('/')).collect();
        assert!(files.contains(&"values.schema.json") && files.contains(&"charts/todo-lib/Chart.yaml"), "{files:?}");
        let odd: Vec<_> = files.iter().filter(|file| !belongs(file.strip_prefix("charts/todo-lib/").unwrap_or(file))).collect();
        assert!(odd.is_empty(), "{chart}: {odd:?}");
    }
}

/// The files that a chart is made of.
fn belongs(file: &str) -> bool {
    let named = ["Chart.yaml", "Chart.lock", "README.md", ".helmignore", "values.schema.json"].contains(&file);
    let values = file == "values.yaml"
        || ["values-dev.yaml", "values-todo-chatbot.yaml", "values-production.example.yaml"].contains(&file);
    let template = file.starts_with("templates/") && [".yaml", ".tpl", "/NOTES.txt"].iter().any(|end| file.ends_with(end));
    named || values || template
}
