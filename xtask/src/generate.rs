//! Random secrets for development.

use plan::catalogue::{codes, finding};
use plan::finding::Finding;

/// `bytes` random bytes from the system, as lowercase hex: safe in URLs, YAML and shells.
pub(crate) fn hex(bytes: usize) -> Result<String, Finding> {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer)
        .map_err(|e| finding(codes::INTERNAL, "random numbers", format!("the system gives no random numbers: {e}")))?;
    Ok(plan::identity::hex(&buffer))
}
