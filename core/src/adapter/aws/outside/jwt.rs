//! The signed answer: nothing but what our key has signed, with our nonce, is ever taken.
//!
//! The first byte says what the others are: `s` a header and, behind a line feed, a payload that our key signs; `o` the
//! same, signed by another key; `m` changes of the right answer, each two bytes of place and one to put there; anything
//! else is a whole JWT.

use super::super::signature::{self, Expected};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{EncodePublicKey, LineEnding},
    pss::SigningKey,
    signature::{RandomizedSigner, SignatureEncoding},
};
use serde_json::{Map, Value};
use sha2::Sha256;
use std::sync::LazyLock;

const PRODUCT: &str = "abc";
const VERSION: i32 = 1;
/// The randomness of the guard that asks.
pub(super) const SEED: [u8; 32] = [7; 32];

pub(crate) fn check(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b's', rest)) => signed(rest),
        Some((b'o', rest)) => {
            let (header, payload) = two(rest);
            let jwt = OTHER.sign(header, payload);
            assert!(!taken(&jwt), "signed by another key, and taken: {jwt}");
        }
        Some((b'm', rest)) => {
            let mut jwt = RIGHT.clone().into_bytes();
            for change in rest.chunks_exact(3) {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % jwt.len();
                jwt[at] = change[2];
            }
            whole(&jwt);
        }
        _ => whole(bytes),
    }
}

/// The JWT with which `RegisterUsage` answers a guard whose nonce is made of [`SEED`].
pub(super) fn right() -> &'static str {
    &RIGHT
}

/// The public key that takes it.
pub(super) fn pem() -> &'static str {
    &OURS.pem
}

fn whole(jwt: &[u8]) {
    let jwt = String::from_utf8_lossy(jwt);
    assert_eq!(taken(&jwt), jwt == *RIGHT, "{jwt}");
}

fn signed(bytes: &[u8]) {
    let (header, payload) = two(bytes);
    let jwt = OURS.sign(header, payload);
    let (Ok(header), Ok(payload)) = (object(header), object(payload)) else {
        assert!(!taken(&jwt), "no objects, and taken: {jwt}");
        return;
    };
    if taken(&jwt) {
        assert!(is_right(&header, &payload), "signed, but wrong, and taken: {jwt}");
    }
    // Written by serde it has no name twice, so here the members alone decide.
    let plain = OURS.sign(
        Value::Object(header.clone()).to_string().as_bytes(),
        Value::Object(payload.clone()).to_string().as_bytes(),
    );
    assert_eq!(taken(&plain), is_right(&header, &payload) && plain.len() <= 16 * 1024, "{plain}");
}

fn two(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..at], bytes.get(at + 1..).unwrap_or_default())
}

fn object(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_slice(text)
}

/// [AC §2.4] in our own words.
fn is_right(header: &Map<String, Value>, payload: &Map<String, Value>) -> bool {
    let one = |small: &str, large: &str| match (payload.get(small), payload.get(large)) {
        (Some(value), None) | (None, Some(value)) => value.clone(),
        _ => Value::Null,
    };
    let version = one("publicKeyVersion", "PublicKeyVersion");
    header.get("alg") == Some(&"PS256".into())
        && !header.contains_key("crit")
        && one("productCode", "ProductCode") == PRODUCT
        && (version == VERSION || version == VERSION.to_string().as_str())
        && one("nonce", "Nonce") == signature::nonce(&SEED).as_str()
        && payload.get("iat").is_none_or(Value::is_number)
}

fn taken(jwt: &str) -> bool {
    let nonce = signature::nonce(&SEED);
    let expected = Expected { product: PRODUCT, key_version: VERSION, nonce: &nonce };
    match signature::verify(&OURS.pem, jwt, &expected) {
        Ok(_) => true,
        Err(why) => {
            assert!(why.len() < 1024, "a reason of {} bytes", why.len());
            false
        }
    }
}

static OURS: LazyLock<Key> = LazyLock::new(|| Key::of(1));
static OTHER: LazyLock<Key> = LazyLock::new(|| Key::of(2));
static RIGHT: LazyLock<String> = LazyLock::new(|| {
    let nonce = signature::nonce(&SEED);
    let payload = format!(
        r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{nonce}","iat":1767261600}}"#
    );
    OURS.sign(br#"{"alg":"PS256","typ":"JWT"}"#, payload.as_bytes())
});

/// A product's key, as short as AWS's own sample: signing is most of the time here.
struct Key {
    private: SigningKey<Sha256>,
    pem: String,
}

impl Key {
    fn of(seed: u64) -> Key {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        let private = RsaPrivateKey::new(&mut random, 1024).expect("a key");
        let public = RsaPublicKey::from(&private);
        Key {
            private: SigningKey::new(private),
            pem: public.to_public_key_pem(LineEnding::LF).expect("a PEM"),
        }
    }

    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut random = Random(ChaCha8Rng::seed_from_u64(3));
        let signature = self.private.sign_with_rng(&mut random, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// The same numbers each time, in the form that `rsa` wants them.
struct Random(ChaCha8Rng);

impl rsa::rand_core::RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Random {}
