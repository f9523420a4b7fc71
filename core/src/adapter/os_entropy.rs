//! Randomness of the operating system.

use crate::port::entropy::Entropy;

/// `getrandom`.
pub(super) struct OsEntropy;

impl Entropy for OsEntropy {
    fn seed(&self) -> Result<[u8; 32], String> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| format!("the system gives no randomness: {e}"))?;
        Ok(seed)
    }
}
