use super::*;
use crate::adapter::aws::testing::{KEY, Key, PS256, nonce};
use base64::engine::general_purpose::URL_SAFE;

const EXPECTED: fn(&str) -> Expected<'_> =
    |nonce| Expected { product: "abc", key_version: 1, nonce };

fn verdict(jwt: &str) -> Result<KeyStrength, String> {
    verify(&KEY.pem(), jwt, &EXPECTED(&nonce()))
}

fn claims(payload: &str) -> Result<KeyStrength, String> {
    verdict(&KEY.sign(PS256, &payload.replace("NONCE", &nonce())))
}

/// The answer is refused, and the reason has `word`.
fn refused(answer: Result<KeyStrength, String>, word: &str) {
    let why = answer.expect_err("it must be refused");
    assert!(why.contains(word), "`{why}` does not say `{word}`");
}

#[test]
fn an_answer_of_aws_verifies_in_both_spellings_of_its_claims() {
    let good = Ok(KeyStrength::Good);
    assert_eq!(
        claims(r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE","iat":1}"#),
        good
    );
    assert_eq!(claims(r#"{"ProductCode":"abc","PublicKeyVersion":1,"Nonce":"NONCE"}"#), good);
    assert_eq!(claims(r#"{"productCode":"abc","publicKeyVersion":"1","nonce":"NONCE"}"#), good);
    assert_eq!(
        claims(r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE","other":[1]}"#),
        good,
        "claims that AWS may add later do not matter"
    );
}

#[test]
fn both_spellings_at_once_and_repeated_claims_are_refused() {
    let both = r#"{"productCode":"abc","ProductCode":"xyz","publicKeyVersion":1,"nonce":"NONCE"}"#;
    refused(claims(both), "productCode` more than once");
    let twice = r#"{"productCode":"xyz","productCode":"abc","publicKeyVersion":1,"nonce":"NONCE"}"#;
    refused(claims(twice), "payload is not one JSON object");
    let nonces = r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE","Nonce":"NONCE"}"#;
    refused(claims(nonces), "nonce` more than once");
}

#[test]
fn an_answer_to_another_request_product_or_key_is_refused() {
    let p = |product: &str, version: &str, nonce: &str| {
        format!(r#"{{"productCode":"{product}","publicKeyVersion":{version},"nonce":"{nonce}"}}"#)
    };
    refused(claims(&p("abc", "1", "bm90IG91cnM")), "nonce is not ours");
    refused(claims(&p("xyz", "1", "NONCE")), "product `xyz`");
    refused(claims(&p("abc", "2", "NONCE")), "key version `2`");
    refused(claims(&p("abc", "1.0", "NONCE")), "key version");
    refused(claims(&p("abc", "null", "NONCE")), "key version");
    refused(claims(r#"{"productCode":"abc","publicKeyVersion":1}"#), "no `nonce`");
    refused(
        claims(r#"{"productCode":["abc"],"publicKeyVersion":1,"nonce":"NONCE"}"#),
        "productCode",
    );
    let iat = r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE","iat":"now"}"#;
    refused(claims(iat), "iat");
    refused(claims("[]"), "payload is not one JSON object");
    refused(claims(r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE"}{}"#), "payload");
}

#[test]
fn only_ps256_is_an_algorithm() {
    let good = KEY.registration();
    let rest = good.split_once('.').expect("three parts").1;
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"PS384"}"#,
        r#"{"alg":"ps256"}"#,
        r#"{"alg":["PS256"]}"#,
    ] {
        refused(verdict(&format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))), "algorithm");
        // Signed properly as PS256 or not, the header decides.
        refused(verdict(&KEY.sign(header, "{}")), "algorithm");
    }
    refused(verdict(&KEY.sign(r#"{"typ":"JWT"}"#, "{}")), "no `alg`");
    refused(verdict(&KEY.sign(r#"{"alg":"none","alg":"PS256"}"#, "{}")), "header");
    refused(verdict(&KEY.sign(r#"{"alg":"PS256","crit":["exp"]}"#, "{}")), "critical");
}

#[test]
fn an_hmac_keyed_with_the_public_key_is_refused() {
    // Forged without the private key, as a verifier that obeys `alg` would accept it.
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let payload = format!(r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}"}}"#, nonce());
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(payload));
    let tag = hmac_sha256(KEY.pem().as_bytes(), signed.as_bytes());
    refused(verdict(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&tag))), "algorithm");
    // And with the header that we do take, the tag is no signature.
    let head = URL_SAFE_NO_PAD.encode(PS256);
    let body = signed.split_once('.').expect("two parts").1;
    refused(verdict(&format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(tag))), "verify");
}

#[test]
fn a_changed_answer_is_refused() {
    let good = KEY.registration();
    assert!(verdict(&good).is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let other = URL_SAFE_NO_PAD
        .encode(format!(r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}"}}"#, nonce()));
    refused(verdict(&format!("{}.{other}.{}", parts[0], parts[2])), "verify");
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"PS256"}"#);
    refused(verdict(&format!("{header}.{}.{}", parts[1], parts[2])), "verify");
    let mut signature = URL_SAFE_NO_PAD.decode(parts[2]).expect("base64url");
    signature[10] ^= 1;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    refused(verdict(&format!("{}.{}.{signature}", parts[0], parts[1])), "verify");
    let foreign = Key::of_bits(1024, 9).registration();
    refused(verdict(&foreign), "verify");
}

#[test]
fn what_has_not_three_base64url_parts_is_refused() {
    let good = KEY.registration();
    refused(verdict(""), "1 parts");
    refused(verdict("a.b"), "2 parts");
    refused(verdict(&format!("{good}.{good}")), "6 parts");
    refused(verdict(&format!("{good}.")), "4 parts");
    refused(verdict(".."), "header is not base64url");
    let parts: Vec<&str> = good.split('.').collect();
    refused(verdict(&format!("{}.{}.", parts[0], parts[1])), "signature is not base64url");
    let padded = URL_SAFE.encode(URL_SAFE_NO_PAD.decode(parts[2]).expect("base64url"));
    assert!(padded.ends_with('='));
    refused(verdict(&format!("{}.{}.{padded}", parts[0], parts[1])), "signature is not base64url");
    refused(verdict(&format!("{good}\n")), "signature is not base64url");
}

#[test]
fn an_oversize_answer_is_refused_before_it_is_decoded() {
    let payload = format!(
        r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}","pad":"{}"}}"#,
        nonce(),
        "x".repeat(20_000)
    );
    refused(verdict(&KEY.sign(PS256, &payload)), "more than 16384");
}

#[test]
fn short_keys_verify_and_are_called_weak() {
    // AWS's own sample key has 1024 bits.
    let key = Key::of_bits(1024, 2);
    assert_eq!(check_key(&key.pem()), Ok(KeyStrength::Weak));
    assert_eq!(check_key(&KEY.pem()), Ok(KeyStrength::Good));
    let answer = verify(&key.pem(), &key.registration(), &EXPECTED(&nonce()));
    assert_eq!(answer, Ok(KeyStrength::Weak));
}

#[test]
fn what_is_no_public_key_says_why() {
    let check = |pem: &str, word| refused(check_key(pem), word);
    check("", "BEGIN PUBLIC KEY");
    check("-----BEGIN RSA PUBLIC KEY-----\nAA==\n-----END RSA PUBLIC KEY-----", "BEGIN PUBLIC KEY");
    check("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not an RSA public key");
    check("-----BEGIN PUBLIC KEY-----", "not an RSA public key");
    check(&Key::of_bits(512, 3).pem(), "512 bits");
    // A P-256 key is a public key, but not one that PS256 knows.
    check(
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n\
         6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n",
        "not an RSA public key",
    );
}

#[test]
fn a_key_with_the_line_ends_of_any_editor_is_read() {
    let pem = KEY.pem();
    assert!(check_key(&pem.replace('\n', "\r\n")).is_ok());
    assert!(check_key(&format!("\n  {}\n\n", pem.trim())).is_ok());
}

/// HMAC-SHA-256 by its definition, RFC 2104.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    let mut block = [0_u8; 64];
    let hashed = Sha256::digest(key);
    let key = if key.len() > 64 { hashed.as_slice() } else { key };
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}
