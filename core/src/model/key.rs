//! Public keys that verify what AWS signs.

/// A product's public key, as AWS gave it to the seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `PublicKeyVersion`, from 1.
    pub version: i32,
    /// PEM of a `SubjectPublicKeyInfo`.
    pub pem: String,
}
