use crate::action::Action;
use crate::snapshot::{ClusterState, Snapshot};

/// Whether the cluster of `profile` has to be created, started or repaired.
pub fn cluster(profile: &str, size: &str, seen: &Snapshot) -> Action {
    match &seen.cluster {
        ClusterState::Running => {
            let Some(node) = &seen.node else {
                return Action::act("start", format!("profile `{profile}` runs, but its API server does not answer"));
            };
            Action::keep(format!("{profile} runs kubernetes {}", node.kubelet.trim_start_matches('v')))
        }
        ClusterState::Missing => Action::act("create", format!("there is no profile `{profile}`; {size}")),
        ClusterState::Stopped => Action::act("start", format!("profile `{profile}` is stopped")),
        ClusterState::Paused => Action::act("start", format!("profile `{profile}` is paused")),
        ClusterState::KubeconfigStale => Action::act("repair", format!("the kubeconfig does not point at profile `{profile}`")),
        ClusterState::Degraded(what) => Action::act("start", format!("profile `{profile}`: {what}")),
        ClusterState::Unseen => Action::unknown("minikube is asked"),
    }
}
