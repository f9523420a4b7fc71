//! Claims of a token that somebody handed to us.
//!
//! They are not verified here: AWS does that when the token is exchanged. They only tell names and times.

use crate::model::time::Timestamp;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// The claims of a JWT.
pub(super) fn of(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// A claim that is a time, such as `exp`: seconds since 1970, with or without a fraction.
pub(super) fn time(claims: &Value, name: &str) -> Option<Timestamp> {
    let seconds = claims[name].as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is in range, and whole enough")]
    Some(Timestamp((seconds * 1000.0) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_what_is_no_token_has_none() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let claims = of(&token(r#"{"exp":1767261600,"iat":"soon","nbf":-1}"#)).expect("claims");
        assert_eq!(time(&claims, "exp"), Some(Timestamp(1_767_261_600_000)));
        for absent in ["iat", "nbf", "none"] {
            assert_eq!(time(&claims, absent), None, "{absent}");
        }
        for text in ["", "opaque", "a.b.c", "e30.e30", &token("{")] {
            assert!(of(text).is_none_or(|claims| time(&claims, "exp").is_none()), "{text}");
        }
    }
}
