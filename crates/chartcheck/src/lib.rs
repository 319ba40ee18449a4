//! Checks of the charts in `helm/`: rendered with the `helm` on PATH, validated against the Kubernetes schemas stored in
//! `schemas/`, judged by a written policy, compared with golden files. The tests print one line and pass where there is no helm.
//!
//! `UPDATE_CHARTS=1 cargo test -p chartcheck` writes what is generated: each chart's `values.schema.json` and `README.md`.

pub mod kube;
pub mod policy;
pub mod readme;
pub mod tools;
pub mod values;
