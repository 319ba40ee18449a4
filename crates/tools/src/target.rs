//! Where helm and kubectl work: always named, never the user's current context.

use calls::invocation::Invocation;

/// A context of the kubeconfig and a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The context; minikube names it as the profile.
    pub context: String,
    /// The namespace.
    pub namespace: String,
}

impl Target {
    /// A target.
    pub fn new(context: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { context: context.into(), namespace: namespace.into() }
    }

    pub(crate) fn helm(&self, invocation: Invocation) -> Invocation {
        invocation.args(["--kube-context", &self.context, "-n", &self.namespace])
    }

    pub(crate) fn kubectl(&self, invocation: Invocation) -> Invocation {
        invocation.args(["--context", &self.context, "-n", &self.namespace])
    }
}
