//! `RegisterUsage`: the entitlement check at launch, answered with a signed token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::OsRng;
use rsa::pss::BlindedSigningKey;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::Caller;
use super::metering::{check_platform, unknown_product};
use crate::sigv4;
use crate::store::World;
use crate::store::faults::Kind;
use crate::store::keys::SigningKey;
use crate::store::switches::Claims;
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RegisterUsage {
    product_code: String,
    public_key_version: i32,
    nonce: Option<String>,
}

pub(super) fn register_usage(
    world: &World,
    caller: &Caller,
    input: &Value,
    fault: Option<Kind>,
) -> Outcome {
    let request = RegisterUsage::deserialize(input)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))?;
    let now_ms = world.clock.now_ms();
    let (key, spelling, rotation_ms) = {
        let mut state = world.state();
        let product = state
            .products
            .get(&request.product_code)
            .ok_or_else(|| unknown_product(&request.product_code))?;
        let key = product.keys.get(&request.public_key_version).cloned().ok_or_else(|| {
            let message = format!("Public key version {} is invalid.", request.public_key_version);
            AwsError::new("InvalidPublicKeyVersionException", message)
        })?;
        if caller.endpoint_region != caller.region {
            let message = format!(
                "RegisterUsage must be called in the Region of the task: {}.",
                caller.region
            );
            return Err(AwsError::new("InvalidRegionException", message));
        }
        check_platform(caller)?;
        let rotation_ms = product.expired_key_versions.get(&request.public_key_version).copied();
        let subscribed = product.subscribed;
        if !subscribed && !state.usage.is_running(&caller.task, &request.product_code) {
            let message = "The customer does not have a valid subscription to the product.";
            return Err(AwsError::new("CustomerNotEntitledException", message));
        }
        state.usage.register(&caller.task, &request.product_code, now_ms);
        (key, state.switches.claims, rotation_ms)
    };
    let mut answer = json!({"Signature": token(&request, &key, spelling, now_ms, fault)});
    // Present only when the key version has expired. Source: RegisterUsage API reference.
    if let Some(rotation_ms) = rotation_ms {
        answer["PublicKeyRotationTimestamp"] = json!(rotation_ms as f64 / 1000.0);
    }
    Ok(answer)
}

/// A JWT signed with RSASSA-PSS and SHA-256. Source: Java integration example of the seller guide.
fn token(
    request: &RegisterUsage,
    key: &SigningKey,
    spelling: Claims,
    now_ms: i64,
    fault: Option<Kind>,
) -> String {
    let algorithm = match fault {
        Some(Kind::AlgNone) => "none",
        Some(Kind::AlgHs256) => "HS256",
        _ => "PS256",
    };
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
    let signed =
        format!("{}.{}", encode(&header), encode(claims(request, spelling, now_ms, fault)));
    let signature = match fault {
        Some(Kind::AlgNone) => Vec::new(),
        // The classic confusion: the public key, which everybody has, taken as an HMAC secret.
        Some(Kind::AlgHs256) => sigv4::hmac(key.public_pem.as_bytes(), signed.as_bytes()),
        _ => sign(key, &signed, fault == Some(Kind::BadSignature)),
    };
    format!("{signed}.{}", encode(signature))
}

fn sign(key: &SigningKey, text: &str, spoil: bool) -> Vec<u8> {
    let signer = BlindedSigningKey::<Sha256>::new(key.private.clone());
    let mut signature = signer.sign_with_rng(&mut OsRng, text.as_bytes()).to_vec();
    if let Some(byte) = signature.last_mut().filter(|_| spoil) {
        *byte ^= 1;
    }
    signature
}

/// The payload as text, because a `serde_json` object could not hold one claim twice.
fn claims(request: &RegisterUsage, spelling: Claims, now_ms: i64, fault: Option<Kind>) -> String {
    let wrong = |value: &str| format!("{value}-of-somebody-else");
    let product_code = match fault {
        Some(Kind::WrongProduct) => wrong(&request.product_code),
        _ => request.product_code.clone(),
    };
    let nonce = match (fault, &request.nonce) {
        (Some(Kind::NoNonce), _) => None,
        (Some(Kind::WrongNonce), nonce) => Some(wrong(nonce.as_deref().unwrap_or_default())),
        (_, nonce) => nonce.clone(),
    };
    let version = request.public_key_version + i32::from(fault == Some(Kind::WrongKeyVersion));
    let spelled = |spelling: Claims| {
        let names = match spelling {
            Claims::Camel => ["productCode", "publicKeyVersion", "nonce"],
            Claims::Pascal => ["ProductCode", "PublicKeyVersion", "Nonce"],
        };
        let values = [json!(product_code), json!(version), json!(nonce)];
        let claims = names.into_iter().zip(values).filter(|(_, value)| !value.is_null());
        claims.map(|(name, value)| format!(r#""{name}":{value}"#)).collect::<Vec<_>>().join(",")
    };
    let other = if spelling == Claims::Camel { Claims::Pascal } else { Claims::Camel };
    let issued = format!(r#""iat":{}"#, now_ms.div_euclid(1000));
    let mut parts = vec![spelled(spelling), issued];
    match fault {
        Some(Kind::DuplicateClaims) => parts.push(spelled(spelling)),
        Some(Kind::BothCasings) => parts.push(spelled(other)),
        _ => {}
    }
    format!("{{{}}}", parts.join(","))
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
