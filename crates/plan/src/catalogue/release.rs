//! The codes of layer `release`.

use super::{Entry, codes, entry};
use crate::finding::{Class, FixClass};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        codes::RELEASE_FAILED,
        "helm could not install or change the release",
        Class::Release,
        "helm gave up for a reason that is not known here; its words are in the evidence.",
        "helm ended with an error",
        &["read the evidence", "`cargo xtask rollback` goes back to the last revision that worked"],
    ),
    entry(
        codes::RELEASE_PENDING,
        "an earlier helm run was cut off",
        Class::Release,
        "The release is marked pending-install, pending-upgrade or pending-rollback, so helm refuses to touch it.",
        "`another operation (install/upgrade/rollback) is in progress`, status pending-*",
        &[
            "`cargo xtask deploy` rolls it back (or removes it if it was the first revision) and goes on",
            "by hand: `helm rollback RELEASE`, for a first revision `helm uninstall RELEASE`",
        ],
    )
    .fix(FixClass::Safe),
    entry(
        codes::OWNERSHIP,
        "an object exists that the release wants to create",
        Class::Release,
        "It was made by hand or by another release, so helm refuses to take it over.",
        "`invalid ownership metadata`",
        &["delete the object, or name the release that owns it", "to take it over: `helm upgrade --install --take-ownership`"],
    )
    .fix(FixClass::Asks),
    entry(
        codes::IMMUTABLE,
        "a field that can not be changed was changed",
        Class::Release,
        "The selector of a Deployment and the template of a Job are fixed at creation.",
        "`field is immutable`",
        &["delete the object, then `cargo xtask deploy` creates it anew; its pods stop meanwhile"],
    )
    .fix(FixClass::Asks),
    entry(
        codes::SCHEMA,
        "a value does not fit the schema of the chart",
        Class::Release,
        "values.schema.json refuses a value.",
        "`values don't meet the specifications of the schema(s)`",
        &["correct the value at the path that the finding names"],
    ),
    entry(
        codes::TEMPLATE,
        "a template of the chart has an error",
        Class::Release,
        "The chart can not be rendered; the finding names file and line.",
        "`template: …`, `parse error at`, `YAML parse error on`",
        &["correct the template; `helm template CHART --debug` shows what it renders"],
    ),
    entry(
        codes::NODEPORT_TAKEN,
        "the NodePort is taken",
        Class::Release,
        "Another Service of the cluster uses that port.",
        "`provided port is already allocated`",
        &["choose another `nodePort` between 30000 and 32767", "find its owner: `kubectl get svc -A`"],
    ),
    entry(
        codes::DEPENDENCY_MISSING,
        "a chart that this chart depends on is missing",
        Class::Release,
        "Chart.yaml lists dependencies that are not in charts/.",
        "`found in Chart.yaml, but missing in charts/ directory`, `no dependencies at`",
        &["`helm dependency build CHART`"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::CHART_MISSING,
        "there is no such chart",
        Class::Release,
        "The directory named in xtask.toml has no Chart.yaml.",
        "`path … not found`, `Chart.yaml file is missing`",
        &["correct the path of the chart in xtask.toml"],
    ),
    entry(
        codes::HELM_TIMEOUT,
        "helm gave up waiting",
        Class::Release,
        "helm does not say what it waited for; the pods say it.",
        "`context deadline exceeded`, `timed out waiting for the condition`",
        &["`cargo xtask status` names the pod and the cause"],
    ),
    entry(
        codes::RELEASE_NOT_FOUND,
        "there is no such release",
        Class::Release,
        "helm knows no release of that name in the namespace.",
        "`release: not found`",
        &["`cargo xtask deploy` installs it"],
    ),
    entry(
        codes::RELEASE_DIFFERS,
        "the release is not what xtask.toml says",
        Class::Verify,
        "What is installed differs from what would be installed.",
        "fingerprint of the rendered release",
        &["`cargo xtask plan` shows the difference, `cargo xtask deploy` removes it"],
    ),
    entry(
        codes::KIND_UNKNOWN,
        "the cluster does not know a kind of the chart",
        Class::Release,
        "A custom resource definition is missing, or the API version is gone from this Kubernetes.",
        "`no matches for kind`",
        &["install the CRDs first, or correct apiVersion in the template"],
    ),
    entry(
        codes::OBJECT_INVALID,
        "the API server refuses an object of the chart",
        Class::Release,
        "A field has a value that is not allowed.",
        "`is invalid: …`",
        &["correct the value at the path that the finding names"],
    ),
    entry(
        codes::ROLLBACK_REFUSED,
        "the rollback is refused",
        Class::Release,
        "There is no revision to go back to, or the database was migrated since.",
        "helm history, the migration job",
        &["`cargo xtask deploy` goes forward instead"],
    ),
    entry(
        codes::APPLY_CONFLICT,
        "another tool changed a field of the release",
        Class::Release,
        "helm 4 refuses to overwrite fields that kubectl or a controller set.",
        "`Apply failed with … conflict`",
        &["undo the change, or allow it: `--force-conflicts`"],
    )
    .fix(FixClass::Asks),
    entry(
        codes::NODEPORT_RANGE,
        "the NodePort is out of range",
        Class::Release,
        "Kubernetes gives NodePorts from 30000 to 32767.",
        "`provided port is not in the valid range`",
        &["choose a `nodePort` between 30000 and 32767"],
    ),
    entry(
        codes::RELEASE_STATE_FAILED,
        "the last helm run of this release failed",
        Class::Release,
        "The release is marked failed; the next upgrade may repair it.",
        "helm status `failed`",
        &["`cargo xtask deploy` upgrades over it, `cargo xtask rollback` goes back"],
    )
    .fix(FixClass::Safe),
    entry(
        codes::HELM_FLAG,
        "helm does not know a flag",
        Class::Release,
        "helm 3 and 4 name some flags differently.",
        "`unknown flag`",
        &["update helm: `cargo xtask doctor` says which versions work"],
    ),
];
