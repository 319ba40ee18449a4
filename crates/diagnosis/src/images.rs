//! Names of images.

/// An image reference without docker's default host.
pub fn unqualified(reference: &str) -> &str {
    let reference = reference.strip_prefix("docker.io/").unwrap_or(reference);
    reference.strip_prefix("library/").unwrap_or(reference)
}

/// The repository of an image reference: without its tag, and without docker's default host.
pub fn repository(reference: &str) -> &str {
    let reference = unqualified(reference);
    // A colon before the last slash belongs to a registry's port.
    match reference.rfind(':') {
        Some(colon) if !reference[colon..].contains('/') => &reference[..colon],
        _ => reference,
    }
}
