//! What only we and AWS may know.

use serde::{Deserialize, Deserializer};
use std::{fmt, ops::Deref};
use zeroize::Zeroizing;

/// A text that is wiped from memory when it is dropped, and never shown.
///
/// Copies that others made on its way to us or to AWS are out of reach: buffers of the HTTP and TLS stacks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::from)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::from("correct horse");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert_eq!(&*secret, "correct horse");
        let read: Secret = serde_json::from_str(r#""battery staple""#).expect("a text");
        assert_eq!(&*read, "battery staple");
    }
}
