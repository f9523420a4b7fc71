//! Randomness.

/// A source of unpredictable bytes, for tokens, nonces and jitter.
pub trait Entropy: Send + Sync {
    /// 32 fresh bytes.
    ///
    /// # Errors
    /// When the operating system gives none.
    fn seed(&self) -> Result<[u8; 32], String>;
}
