//! What the tests of this folder share: a server that says exactly what it is told, keys, and a guard's
//! settings.

mod canned;
pub(super) mod tls;

use super::{AwsCloud, LinkLocal, Now, ServerTime, Surroundings, signature};
use crate::{
    model::{key::PublicKey, proxy::ProxyChoice, time::Timestamp},
    port::{cloud::CloudSettings, entropy::Entropy},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
pub(super) use canned::{Act, Canned};
use rand_chacha_03::{ChaCha8Rng, rand_core::SeedableRng};
use rsa::{
    RsaPrivateKey, RsaPublicKey, pkcs1v15,
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
    pss::SigningKey,
    signature::{RandomizedSigner, SignatureEncoding, Signer},
    traits::PublicKeyParts,
};
use sha2::{Sha256, Sha384, Sha512};
use std::{
    future::Future,
    path::PathBuf,
    rc::Rc,
    sync::{Arc, LazyLock},
};

/// 2026-01-01T10:00:00Z.
pub(super) const NOW: Timestamp = Timestamp(1_767_261_600_000);
pub(super) const FINGERPRINT: &str = "aws:294406891311:AWS/Marketplace:issuer-fingerprint";

/// The same 32 bytes each time.
pub(super) struct Constant;

impl Entropy for Constant {
    fn seed(&self) -> Result<[u8; 32], String> {
        Ok([7; 32])
    }
}

/// The nonce that a guard with `Constant` sends.
pub(super) fn nonce() -> String {
    signature::nonce(&[7; 32])
}

pub(super) fn now() -> Now {
    Arc::new(|| NOW)
}

/// Runs `test` as the shell runs a guard: one thread, with local tasks.
pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

pub(super) fn settings(sandbox: Option<String>) -> CloudSettings {
    CloudSettings {
        product_sku: Some("prod-1".into()),
        issuer_fingerprint: FINGERPRINT.to_owned(),
        metering: true,
        sandbox,
        extra_ca_pem: None,
        proxy: ProxyChoice::None,
        use_fips_endpoint: false,
        use_dualstack_endpoint: false,
    }
}

/// A guard of the sandbox task `app` at `server`.
pub(super) fn cloud(server: &Canned) -> AwsCloud {
    cloud_of(settings(Some(format!("{}/t/app", server.url()))), Surroundings::default())
}

pub(super) fn cloud_of(settings: CloudSettings, there: Surroundings) -> AwsCloud {
    AwsCloud::new(settings, there, now(), Arc::new(Constant), Arc::new(ServerTime::default()))
}

/// A guard in production whose platform is at `server` instead of the link-local addresses.
pub(super) fn cloud_beside(
    settings: CloudSettings,
    there: Surroundings,
    server: &Canned,
) -> AwsCloud {
    cloud_at(settings, there, server, now())
}

/// The same, by this clock.
pub(super) fn cloud_at(
    settings: CloudSettings,
    there: Surroundings,
    server: &Canned,
    now: Now,
) -> AwsCloud {
    let link_local = LinkLocal::all_at(server.address());
    AwsCloud::beside(
        settings,
        there,
        now,
        Arc::new(Constant),
        Arc::new(ServerTime::default()),
        link_local,
    )
}

/// Sends the SDK calls of `cloud` to `url` instead.
pub(super) fn divert(cloud: &mut AwsCloud, url: String) {
    Rc::get_mut(&mut cloud.0).expect("no call is running").endpoints =
        super::Endpoints::Sandbox(url);
}

/// A file that is gone when the test ends.
pub(super) struct TokenFile(pub(super) PathBuf);

impl TokenFile {
    pub(super) fn of(test: &str, content: &str) -> TokenFile {
        let path = std::env::temp_dir().join(format!("mpguard-{}-{test}", std::process::id()));
        std::fs::write(&path, content).expect("a temporary file");
        TokenFile(path)
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A product's key pair, as AWS would keep it.
pub(super) struct Key {
    private: RsaPrivateKey,
}

impl Key {
    pub(super) fn of_bits(bits: usize, seed: u64) -> Key {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Key { private: RsaPrivateKey::new(&mut random, bits).expect("a key") }
    }

    pub(super) fn pem(&self) -> String {
        RsaPublicKey::from(&self.private).to_public_key_pem(LineEnding::LF).expect("a PEM")
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey { version: 1, pem: self.pem() }
    }

    /// The private key, as somebody might paste it by mistake.
    pub(super) fn private_pem(&self) -> String {
        self.private.to_pkcs8_pem(LineEnding::LF).expect("a PEM").to_string()
    }

    /// A JWT of these JSON texts.
    pub(super) fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_salted(header, payload, 32)
    }

    /// The same, with so many bytes of salt. PS256 has 32. Source: RFC 7518 §3.5.
    pub(super) fn sign_salted(&self, header: &str, payload: &str, salt: usize) -> String {
        let key = SigningKey::<Sha256>::new_with_salt_len(self.private.clone(), salt);
        self.sign_by(header, payload, |bytes| {
            key.sign_with_rng(&mut ChaCha8Rng::seed_from_u64(1), bytes).to_vec()
        })
    }

    /// A JWT that is signed rightly, by the rules of another algorithm.
    pub(super) fn sign_otherwise(&self, alg: &str, payload: &str) -> String {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        let key = &self.private;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        self.sign_by(&header, payload, |bytes| match alg {
            "RS256" => pkcs1v15::SigningKey::<Sha256>::new(key.clone()).sign(bytes).to_vec(),
            "PS384" => {
                SigningKey::<Sha384>::new(key.clone()).sign_with_rng(&mut random, bytes).to_vec()
            }
            "PS512" => {
                SigningKey::<Sha512>::new(key.clone()).sign_with_rng(&mut random, bytes).to_vec()
            }
            other => panic!("no algorithm of this test: {other}"),
        })
    }

    fn sign_by(&self, header: &str, payload: &str, by: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = by(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The JWK of the public key, as a forger would embed his own.
    pub(super) fn jwk(&self) -> String {
        let part = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        format!(
            r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
            part(self.private.n()),
            part(self.private.e())
        )
    }

    /// The JWT that AWS answers product `abc`, key version 1, with.
    pub(super) fn registration(&self) -> String {
        let payload = format!(
            r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}","iat":1767261600}}"#,
            nonce()
        );
        self.sign(PS256, &payload)
    }
}

pub(super) const PS256: &str = r#"{"alg":"PS256","typ":"JWT"}"#;

/// One key for all tests: making one takes a while.
pub(super) static KEY: LazyLock<Key> = LazyLock::new(|| Key::of_bits(2048, 1));
