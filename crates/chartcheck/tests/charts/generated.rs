//! Files that are generated are what the generator makes now.

use crate::helm::Helm;
use chartcheck::readme::{entries, readme, undocumented};
use chartcheck::tools::{CHARTS, LIBRARY, charts_dir, copy_chart};
use chartcheck::values::schemas;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Compares, or writes where `UPDATE_CHARTS` is set.
fn current(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_CHARTS").is_some() {
        fs::write(path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    let name = path.strip_prefix(charts_dir()).unwrap().display();
    assert!(found == wanted, "helm/{name} is not current; write it with\n  UPDATE_CHARTS=1 cargo test -p chartcheck");
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_schema_is_current() {
    let parts = fs::read_to_string(charts_dir().join(LIBRARY).join("schema/values.parts.json")).unwrap();
    let schemas = schemas(&parts).unwrap();
    assert_eq!(schemas.len(), CHARTS.len());
    for (chart, schema) in schemas {
        current(&charts_dir().join(chart).join("values.schema.json"), &schema);
    }
}

#[test]
fn every_value_is_documented_and_every_readme_is_current() {
    for chart in CHARTS {
        let dir = charts_dir().join(chart);
        let text = fs::read_to_string(dir.join("values.yaml")).unwrap();
        let values = yaml(&dir.join("values.yaml"));
        let entries = entries(&text);
        assert_eq!(undocumented(&values, &entries), Vec::<String>::new(), "keys of {chart} without a `# --` comment");
        let unknown: Vec<_> = entries.iter().filter(|entry| chartcheck::readme::at(&values, &entry.path).is_none()).collect();
        assert!(unknown.is_empty(), "{chart}: {unknown:?}");
        let intro = fs::read_to_string(dir.join("INTRO.md")).unwrap();
        current(&dir.join("README.md"), &readme(&yaml(&dir.join("Chart.yaml")), &values, &entries, &intro));
    }
}

#[test]
fn every_lock_file_fits_its_chart() {
    let Some(helm) = Helm::get() else { return };
    let dir = tempfile::tempdir().unwrap();
    copy_chart(&charts_dir(), dir.path()).unwrap();
    for chart in CHARTS {
        let built = helm.run(&["dependency", "build", "--skip-refresh", "."], &dir.path().join(chart));
        assert!(built.success, "{chart}: {}", built.stderr);
        assert!(dir.path().join(chart).join("charts").join("todo-lib-1.0.0.tgz").is_file());
    }
}
