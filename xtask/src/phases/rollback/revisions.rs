//! What helm's history and what it rendered say about going back. Pure.

use std::collections::{BTreeMap, BTreeSet};

use plan::catalogue::{codes, finding};
use plan::finding::Finding;
use tools::helm::{HistoryRow, ReleaseStatus};

/// The revision whose content a revision has: helm writes a rollback as a new revision that says `Rollback to N`.
fn content_of(row: &HistoryRow, history: &[HistoryRow]) -> u32 {
    let back_to = row.description.strip_prefix("Rollback to ").and_then(|n| n.trim().parse::<u32>().ok());
    match back_to.and_then(|n| history.iter().find(|r| r.revision == n && n < row.revision)) {
        Some(earlier) => content_of(earlier, history),
        // Revisions that helm has forgotten can't be followed further.
        None => back_to.unwrap_or(row.revision),
    }
}

/// The revisions to go back to, the newest first (the asked one alone), or why there is none.
pub(super) fn targets(name: &str, history: &[HistoryRow], asked: Option<u32>) -> Result<Vec<u32>, Finding> {
    let Some(current) = history.iter().max_by_key(|row| row.revision) else {
        return Err(finding(codes::RELEASE_NOT_FOUND, name, format!("there is no release `{name}` to roll back"))
            .remedy("install it", "cargo xtask deploy"));
    };
    let worked = |row: &&HistoryRow| matches!(row.status, ReleaseStatus::Deployed | ReleaseStatus::Superseded);
    let refused = |cause: String| {
        let mut found = finding(codes::ROLLBACK_REFUSED, name, cause);
        for row in history.iter().rev() {
            found = found.evidence(
                format!("revision {}", row.revision),
                format!("{}, {}, {}", word(&row.status), time(&row.updated), row.description),
            );
        }
        found.remedy("go forward instead", "cargo xtask deploy")
    };
    match asked {
        None => {
            // A second rollback goes further back, not forth to what was left.
            let before = content_of(current, history);
            let earlier = history.iter().filter(worked).filter(|row| row.revision < before && row.revision != current.revision);
            let mut earlier: Vec<u32> = earlier.map(|row| row.revision).collect();
            earlier.sort_unstable_by(|a, b| b.cmp(a));
            if earlier.is_empty() {
                return Err(refused(format!("release `{name}` has no earlier revision that was deployed")));
            }
            Ok(earlier)
        }
        Some(asked) if asked == current.revision && current.status == ReleaseStatus::Deployed => {
            Err(refused(format!("revision {asked} of release `{name}` is what runs now")))
        }
        Some(asked) => match history.iter().find(|row| row.revision == asked) {
            None => Err(refused(format!("release `{name}` has no revision {asked} (any more)"))),
            Some(row) if !worked(&row) => {
                Err(refused(format!("revision {asked} of release `{name}` was never deployed: it is {}", word(&row.status))))
            }
            Some(_) => Ok(vec![asked]),
        },
    }
}

fn word(status: &ReleaseStatus) -> &str {
    match status {
        ReleaseStatus::Deployed => "deployed",
        ReleaseStatus::Failed => "failed",
        ReleaseStatus::PendingInstall => "pending-install",
        ReleaseStatus::PendingUpgrade => "pending-upgrade",
        ReleaseStatus::PendingRollback => "pending-rollback",
        ReleaseStatus::Superseded => "superseded",
        ReleaseStatus::Uninstalling => "uninstalling",
        ReleaseStatus::Uninstalled => "uninstalled",
        ReleaseStatus::Other(word) => word,
    }
}

/// `2026-11-21T04:49:18.578367442Z` without what nobody reads.
fn time(text: &str) -> String {
    text.split(['.', '+']).next().unwrap_or(text).replace('T', " ").trim_end_matches('Z').to_owned()
}

/// The values of `image:` in a manifest that helm rendered: one a line, quoted or not.
pub(super) fn images_in(yaml: &str) -> BTreeSet<String> {
    let values = yaml.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image:"));
    values.map(|value| value.trim().trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty()).collect()
}

/// The Jobs that change the database, by name, with their image.
pub(super) fn migration_jobs(hooks: &str) -> BTreeMap<String, String> {
    let documents = hooks.split("\n---").filter(|d| d.lines().any(|l| l.trim_end() == "kind: Job"));
    documents
        .filter(|d| {
            d.lines().any(|l| {
                l.trim().strip_prefix("helm.sh/hook:").is_some_and(|on| on.contains("install") || on.contains("upgrade"))
            })
        })
        .filter_map(|d| {
            // The name in metadata is the first one.
            let name = d.lines().find_map(|l| l.strip_prefix("  name:"))?.trim().trim_matches(['"', '\'']).to_owned();
            Some((name, images_in(d).into_iter().next().unwrap_or_default()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(revision: u32, status: &str, description: &str) -> HistoryRow {
        HistoryRow {
            revision,
            status: ReleaseStatus::from(status.to_owned()),
            chart: "todo-app-1.0.0".into(),
            app_version: "3.0.0".into(),
            description: description.into(),
            updated: "2026-11-21T04:49:18.578367442Z".into(),
        }
    }

    #[test]
    fn the_revision_to_go_back_to() {
        let up = "Upgrade complete";
        let rows = |statuses: &[(&str, &str)]| -> Vec<HistoryRow> {
            (1..).zip(statuses).map(|(n, (status, what))| row(n, status, what)).collect()
        };
        let plain = rows(&[("superseded", "Install complete"), ("superseded", up), ("deployed", up)]);
        let failed = rows(&[("superseded", "Install complete"), ("deployed", up), ("failed", "Upgrade \"x\" failed")]);
        let back =
            rows(&[("superseded", "Install complete"), ("superseded", up), ("superseded", up), ("deployed", "Rollback to 2")]);
        let twice = rows(&[
            ("superseded", "Install complete"),
            ("superseded", up),
            ("superseded", "Rollback to 1"),
            ("superseded", up),
            ("deployed", "Rollback to 3"),
        ]);
        for (name, history, asked, expected) in [
            ("the one before", &plain, None, Ok(2)),
            ("the last that was deployed", &failed, None, Ok(2)),
            ("a second rollback goes further back", &back, None, Ok(1)),
            ("through two rollbacks to the first", &twice, None, Err("release `r` has no earlier revision that was deployed")),
            ("a named one", &plain, Some(1), Ok(1)),
            ("the present one", &plain, Some(3), Err("revision 3 of release `r` is what runs now")),
            ("none of that number", &plain, Some(9), Err("release `r` has no revision 9 (any more)")),
            ("one that failed", &failed, Some(3), Err("revision 3 of release `r` was never deployed: it is failed")),
            (
                "nothing to go back to",
                &rows(&[("deployed", "Install complete")]),
                None,
                Err("release `r` has no earlier revision that was deployed"),
            ),
        ] {
            let found = targets("r", history, asked).map(|all| all[0]);
            assert_eq!(found.as_ref().map_err(|f| f.cause.as_str()), expected.as_ref().map_err(|e| *e), "{name}");
            if let Err(found) = found {
                assert_eq!(found.evidence.len(), history.len(), "{name}: the history is listed");
            }
        }
        assert_eq!(targets("r", &[], None).unwrap_err().code, codes::RELEASE_NOT_FOUND);
    }

    #[test]
    fn migrations_are_found_in_the_hooks_that_helm_rendered() {
        let hooks = include_str!("../../../tests/data/hooks-todo-app.yaml");
        assert_eq!(
            migration_jobs(hooks),
            BTreeMap::from([("todo-app-migrations".to_owned(), "phases-todo-backend:ed2ceb8954bd".to_owned())])
        );
        assert_eq!(images_in(hooks).len(), 2);
    }
}
