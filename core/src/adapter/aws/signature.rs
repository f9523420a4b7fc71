//! The signed answer of `RegisterUsage`: a JWT, and the only proof that AWS itself answered.
//!
//! Its claims bind product code, key version and nonce and nothing else, so a replay is caught by the
//! fresh nonce alone. Source: Seller Guide, hourly metering; [AC §2.4] has the recipe.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    RsaPublicKey,
    pkcs8::DecodePublicKey,
    pss::{Signature, VerifyingKey},
    signature::Verifier,
    traits::PublicKeyParts,
};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use sha2::Sha256;
use std::fmt;

/// How much a product's public key is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStrength {
    /// 2048 bits or more.
    Good,
    /// Below 2048 bits. AWS's own sample key has 1024, so such keys verify, with a warning.
    Weak,
}

const BITS_MIN: usize = 1024;
const BITS_GOOD: usize = 2048;
/// No documented answer comes near; a bound on what we are ready to decode.
const JWT_MAX: usize = 16 * 1024;

/// What an answer must repeat.
pub(super) struct Expected<'a> {
    pub(super) product: &'a str,
    pub(super) key_version: i32,
    pub(super) nonce: &'a str,
}

/// Reads the PEM that AWS gives a seller and tells its strength.
///
/// # Errors
/// Why it is no key that can verify an answer.
pub(crate) fn check_key(pem: &str) -> Result<KeyStrength, String> {
    measure_key(pem).map(|(_, strength)| strength)
}

/// The same, with its bits.
///
/// # Errors
/// As [`check_key`].
pub(crate) fn measure_key(pem: &str) -> Result<(usize, KeyStrength), String> {
    read_key(pem).map(|(key, strength)| (key.n().bits(), strength))
}

fn read_key(pem: &str) -> Result<(RsaPublicKey, KeyStrength), String> {
    let pem = pem.trim();
    if let Some(instead) = mistaken(pem) {
        return Err(instead.to_owned());
    }
    let key = RsaPublicKey::from_public_key_pem(pem)
        .map_err(|error| format!("it is not an RSA public key of at most 4096 bits ({error})"))?;
    match key.n().bits() {
        bits if bits < BITS_MIN => {
            Err(format!("it has {bits} bits, and fewer than {BITS_MIN} prove nothing"))
        }
        bits if bits < BITS_GOOD => Ok((key, KeyStrength::Weak)),
        _ => Ok((key, KeyStrength::Good)),
    }
}

/// What was pasted instead of one public key, and the next step where the usual one is not enough. Never a
/// part of it: it may be a secret.
fn mistaken(pem: &str) -> Option<&'static str> {
    if pem.contains("PRIVATE KEY-----") {
        return Some(
            "it holds a private key, which no product may ship: keep that one secret, and replace it if the image has \
             left your hands",
        );
    }
    if pem.starts_with("-----BEGIN CERTIFICATE-----") {
        return Some("it is a certificate, not a public key");
    }
    if pem.starts_with("-----BEGIN RSA PUBLIC KEY-----") {
        return Some("it is in the older form `RSA PUBLIC KEY`, and AWS gives `PUBLIC KEY`");
    }
    if !pem.starts_with("-----BEGIN PUBLIC KEY-----") {
        return Some("it does not begin with `-----BEGIN PUBLIC KEY-----`");
    }
    // A second key would be passed over in silence, and it may be the one that is meant.
    if pem.matches("-----BEGIN ").count() > 1 {
        return Some("it holds more than one block; give each key an entry with its version");
    }
    if !pem.ends_with("-----END PUBLIC KEY-----") {
        return Some("it does not end with `-----END PUBLIC KEY-----`");
    }
    None
}

/// Verifies `jwt` with the key in `pem` and compares its claims with `expected`.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn verify(pem: &str, jwt: &str, expected: &Expected) -> Result<KeyStrength, String> {
    let (key, strength) = read_key(pem)?;
    if jwt.len() > JWT_MAX {
        return Err(format!("it has {} bytes, more than {JWT_MAX}", jwt.len()));
    }
    let parts: Vec<&str> = jwt.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(format!("it has {} parts instead of 3", parts.len()));
    };
    // The header comes first: only PS256 is ever verified, so `none` or an HMAC with the public key as its
    // secret cannot be talked into. `kid`, `jwk`, `jku` and `x5u` are not looked at.
    let header_claims = members(header, "header")?;
    match one(&header_claims, &["alg"])? {
        Value::String(alg) if alg == "PS256" => {}
        other => {
            return Err(format!("its algorithm is `{}` instead of `PS256`", short(other)));
        }
    }
    if header_claims.iter().any(|(name, _)| name == "crit") {
        return Err("its header has critical extensions".to_owned());
    }
    let signature = decode(signature, "signature")?;
    let signature = Signature::try_from(signature.as_slice())
        .map_err(|_| "its signature is malformed".to_owned())?;
    let signed = &jwt[..header.len() + 1 + payload.len()];
    VerifyingKey::<Sha256>::new(key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "its signature does not verify".to_owned())?;
    check_claims(&members(payload, "payload")?, expected)?;
    Ok(strength)
}

/// AWS's prose and AWS's own sample spell the claims differently; each may have one spelling only.
fn check_claims(claims: &[(String, Value)], expected: &Expected) -> Result<(), String> {
    let text = |names: &[&str]| match one(claims, names)? {
        Value::String(text) => Ok(text.clone()),
        other => Err(format!("its claim `{}` is `{}`", names[0], short(other))),
    };
    let product = text(&["productCode", "ProductCode"])?;
    if product != expected.product {
        return Err(format!(
            "it is for product `{}` instead of `{}`",
            short(&Value::String(product)),
            expected.product
        ));
    }
    let version = one(claims, &["publicKeyVersion", "PublicKeyVersion"])?;
    let same = match version {
        Value::Number(number) => number.as_i64() == Some(i64::from(expected.key_version)),
        Value::String(digits) => *digits == expected.key_version.to_string(),
        _ => false,
    };
    if !same {
        return Err(format!(
            "it is for key version `{}` instead of `{}`",
            short(version),
            expected.key_version
        ));
    }
    if text(&["nonce", "Nonce"])? != expected.nonce {
        return Err("it answers another request: its nonce is not ours".to_owned());
    }
    // Its value decides nothing, although [AC §2.4] would let it reject what is hours off. The nonce alone proves
    // freshness: an answer that repeats our 32 random bytes was made after we asked. All that a rule on `iat` could
    // refuse is a fresh answer of AWS, by a container's clock that may be wrong by any amount (1970 at boot), or in
    // a unit that nobody documents; that would lock a paying buyer out and no forger.
    match claims.iter().find(|(name, _)| name == "iat") {
        Some((_, other)) if !other.is_number() => Err("its claim `iat` is not a number".to_owned()),
        _ => Ok(()),
    }
}

fn one<'a>(members: &'a [(String, Value)], names: &[&str]) -> Result<&'a Value, String> {
    let mut found = members.iter().filter(|(name, _)| names.contains(&name.as_str()));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(value),
        (None, _) => Err(format!("it has no `{}`", names[0])),
        (Some(_), Some(_)) => Err(format!("it has `{}` more than once", names[0])),
    }
}

fn decode(part: &str, what: &str) -> Result<Vec<u8>, String> {
    match URL_SAFE_NO_PAD.decode(part) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(format!("its {what} is not base64url")),
    }
}

fn members(part: &str, what: &str) -> Result<Vec<(String, Value)>, String> {
    let bytes = decode(part, what)?;
    let members: Members = serde_json::from_slice(&bytes)
        .map_err(|e| format!("its {what} is not one JSON object: {e}"))?;
    Ok(members.0)
}

/// Members of a JSON object, refusing a name that comes twice: a map would silently keep the last.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom("a member comes twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    super::shown(&text, 60)
}

/// A nonce for one request: 32 unpredictable bytes, in characters that every layer leaves alone.
pub(super) fn nonce(seed: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(seed)
}

#[cfg(test)]
mod tests;
