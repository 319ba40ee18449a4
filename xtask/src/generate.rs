//! Random secrets for development.

use plan::finding::{Class, Finding};

/// `bytes` random bytes from the system, as lowercase hex: safe in URLs, YAML and shells.
pub(crate) fn hex(bytes: usize) -> Result<String, Vec<Finding>> {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer).map_err(|e| {
        vec![Finding::error("XT901", Class::Internal, "random numbers", format!("the system gives no random numbers: {e}"))]
    })?;
    Ok(plan::identity::hex(&buffer))
}
