//! `cargo xtask`: from a fresh clone to a verified deployment on minikube, and back to nothing.

mod report;

fn main() {}
