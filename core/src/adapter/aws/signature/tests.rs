//! T68: answers that AWS has not given to this request of this product: replayed, of another key, version or
//! product, without a signature, or signed by other rules.

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
    let versions =
        r#"{"productCode":"abc","publicKeyVersion":1,"PublicKeyVersion":1,"nonce":"NONCE"}"#;
    refused(claims(versions), "publicKeyVersion` more than once");
    // The same name, spelled with an escape.
    let hidden =
        r#"{"produc\u0074Code":"xyz","productCode":"abc","publicKeyVersion":1,"nonce":"NONCE"}"#;
    refused(claims(hidden), "payload is not one JSON object");
    // A claim that decides nothing may not be there twice either: two readers would differ.
    let other = r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE","other":1,"other":2}"#;
    refused(claims(other), "payload is not one JSON object");
}

#[test]
fn when_it_was_issued_must_be_a_number_and_decides_nothing() {
    let issued = |iat: &str| {
        claims(&format!(
            r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE","iat":{iat}}}"#
        ))
    };
    // Seconds, milliseconds, 1970, the future, a fraction: the nonce has proved that it is fresh.
    for iat in ["1767261600", "1767261600000", "0", "-1", "9999999999", "1767261600.5", "1e9"] {
        assert_eq!(issued(iat), Ok(KeyStrength::Good), "{iat}");
    }
    for iat in [r#""now""#, r#""1767261600""#, "null", "true", "[1]", "{}"] {
        refused(issued(iat), "iat");
    }
    refused(issued(r#"1,"iat":2"#), "payload is not one JSON object");
}

#[test]
fn an_answer_to_another_request_product_or_key_is_refused() {
    let p = |product: &str, version: &str, nonce: &str| {
        format!(r#"{{"productCode":"{product}","publicKeyVersion":{version},"nonce":"{nonce}"}}"#)
    };
    refused(claims(&p("abc", "1", "bm90IG91cnM")), "nonce is not ours");
    refused(claims(&p("xyz", "1", "NONCE")), "product `xyz`");
    refused(claims(&p("abc", "2", "NONCE")), "key version `2`");
    for version in
        ["1.0", "1e0", "-1", "4294967297", "null", "true", "[1]", r#""01""#, r#"" 1""#, r#""2""#]
    {
        refused(claims(&p("abc", version, "NONCE")), "key version");
    }
    refused(claims(r#"{"productCode":"abc","publicKeyVersion":1}"#), "no `nonce`");
    refused(
        claims(r#"{"productCode":["abc"],"publicKeyVersion":1,"nonce":"NONCE"}"#),
        "productCode",
    );
    for payload in ["[]", "null", "1", r#""text""#, "not JSON", "{", "\u{feff}{}"] {
        refused(claims(payload), "payload is not one JSON object");
    }
    refused(claims(r#"{"productCode":"abc","publicKeyVersion":1,"nonce":"NONCE"}{}"#), "payload");
}

#[test]
fn only_ps256_is_an_algorithm() {
    let good = KEY.registration();
    let rest = good.split_once('.').expect("three parts").1;
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":"nOnE"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"PS384"}"#,
        r#"{"alg":"PS512"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":"PS256 "}"#,
        r#"{"alg":"ps256"}"#,
        r#"{"alg":["PS256"]}"#,
    ] {
        refused(verdict(&format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))), "algorithm");
        // Signed properly as PS256 or not, the header decides.
        refused(verdict(&KEY.sign(header, "{}")), "algorithm");
    }
    refused(verdict(&KEY.sign(r#"{"typ":"JWT"}"#, "{}")), "no `alg`");
    refused(verdict(&KEY.sign(r#"{"Alg":"PS256"}"#, "{}")), "no `alg`");
    refused(verdict(&KEY.sign("[]", "{}")), "header");
    refused(verdict(&KEY.sign(r#"{"alg":"none","alg":"PS256"}"#, "{}")), "header");
    refused(verdict(&KEY.sign(r#"{"alg":"PS256","crit":["exp"]}"#, "{}")), "critical");
}

#[test]
fn an_answer_without_a_signature_is_refused() {
    let payload = format!(r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}"}}"#, nonce());
    let payload = URL_SAFE_NO_PAD.encode(payload);
    for header in [r#"{"alg":"none"}"#, PS256] {
        let header = URL_SAFE_NO_PAD.encode(header);
        for jwt in [format!("{header}.{payload}."), format!("{header}.{payload}")] {
            verdict(&jwt).expect_err("nobody signed it");
        }
    }
}

#[test]
fn an_answer_signed_by_the_right_key_and_other_rules_is_refused() {
    let payload = format!(r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}"}}"#, nonce());
    for alg in ["RS256", "PS384", "PS512"] {
        let honest = KEY.sign_otherwise(alg, &payload);
        refused(verdict(&honest), "algorithm");
        // The same signature under the name that we do take.
        let (_, signature) = honest.rsplit_once('.').expect("three parts");
        let signed = KEY.sign(PS256, &payload);
        let (signed, _) = signed.rsplit_once('.').expect("three parts");
        refused(verdict(&format!("{signed}.{signature}")), "verify");
    }
    for salt in [0, 20, 31, 33, 64] {
        refused(verdict(&KEY.sign_salted(PS256, &payload, salt)), "verify");
    }
    assert_eq!(verdict(&KEY.sign_salted(PS256, &payload, 32)), Ok(KeyStrength::Good));
}

#[test]
fn a_key_that_the_answer_brings_along_is_not_looked_at() {
    let forger = Key::of_bits(2048, 12);
    let payload = format!(r#"{{"productCode":"abc","publicKeyVersion":1,"nonce":"{}"}}"#, nonce());
    let headers = [
        format!(r#"{{"alg":"PS256","jwk":{}}}"#, forger.jwk()),
        r#"{"alg":"PS256","jku":"http://127.0.0.1:9/keys","kid":"1"}"#.to_owned(),
        r#"{"alg":"PS256","x5u":"http://127.0.0.1:9/chain","x5c":["AAAA"]}"#.to_owned(),
    ];
    for header in &headers {
        refused(verdict(&forger.sign(header, &payload)), "verify");
        // Beside a good signature they do no harm.
        assert_eq!(verdict(&KEY.sign(header, &payload)), Ok(KeyStrength::Good), "{header}");
    }
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
    let foreign = Key::of_bits(2048, 9).registration();
    refused(verdict(&foreign), "verify");
}

#[test]
fn a_signature_has_one_spelling() {
    let good = KEY.registration();
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    assert_eq!(bytes.len(), 256);
    let mut longer = vec![0];
    longer.extend(&bytes);
    refused(verdict(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(longer))), "verify");
    refused(verdict(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bytes[..255]))), "verify");
    // 256 bytes leave four bits of the last letter unused; they must be zero.
    let last = signature.chars().last().expect("a letter");
    assert!("AQgw".contains(last), "{last}");
    let next = char::from_u32(last as u32 + 1).expect("a letter");
    let spelled = format!("{signed}.{}{next}", &signature[..signature.len() - 1]);
    refused(verdict(&spelled), "signature is not base64url");
}

#[test]
fn what_has_not_three_base64url_parts_is_refused() {
    let good = KEY.registration();
    refused(verdict(""), "1 parts");
    refused(verdict("a.b"), "2 parts");
    refused(verdict(&format!(".{good}")), "4 parts");
    refused(verdict(&format!(" {good}")), "header is not base64url");
    refused(verdict(&good.replace('.', "\u{ff0e}")), "1 parts");
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
fn a_key_of_4096_bits_verifies() {
    // Key and answer are OpenSSL's (`openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32`),
    // so that not only our own library agrees with itself.
    let pem = include_str!("openssl4096.pem");
    assert_eq!(check_key(pem), Ok(KeyStrength::Good));
    let answer = verify(pem, include_str!("openssl4096.jwt"), &EXPECTED(&nonce()));
    assert_eq!(answer, Ok(KeyStrength::Good));
    refused(verify(pem, &KEY.registration(), &EXPECTED(&nonce())), "verify");
}

#[test]
fn what_is_no_public_key_says_why() {
    let check = |pem: &str, word| refused(check_key(pem), word);
    check("", "BEGIN PUBLIC KEY");
    check("-----BEGIN RSA PUBLIC KEY-----\nAA==\n-----END RSA PUBLIC KEY-----", "RSA PUBLIC KEY");
    check("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not an RSA public key");
    check("-----BEGIN PUBLIC KEY-----", "does not end with");
    check(&Key::of_bits(512, 3).pem(), "512 bits");
    check(&Key::of_bits(1016, 3).pem(), "1016 bits");
    check("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----", "is a certificate");
    // A P-256 key is a public key, but not one that PS256 knows.
    check(
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n\
         6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n",
        "not an RSA public key",
    );
}

#[test]
fn what_follows_a_key_is_refused() {
    let (key, other) = (KEY.pem(), Key::of_bits(1024, 2).pem());
    for pem in [format!("{key}{other}"), format!("{key}\n\n{key}")] {
        refused(check_key(&pem), "more than one block");
    }
    for pem in [format!("{key}# ours\n"), format!("{key}AAAA"), format!("{key}-----")] {
        refused(check_key(&pem), "does not end with");
    }
    // More bytes inside the block than the key has.
    let body: String = key.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut der = base64::engine::general_purpose::STANDARD.decode(body).expect("base64");
    der.push(0);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(der)
    );
    refused(check_key(&pem), "not an RSA public key");
}

#[test]
fn a_private_key_that_was_pasted_is_named_and_not_shown() {
    let secret = KEY.private_pem();
    let pasted = [
        secret.clone(),
        format!("{}{secret}", KEY.pem()),
        secret.replace(" PRIVATE", " RSA PRIVATE"),
        secret.replace(" PRIVATE", " ENCRYPTED PRIVATE"),
    ];
    for pem in pasted {
        let why = check_key(&pem).expect_err("it must be refused");
        assert!(why.contains("private key"), "{why}");
        assert!(secret.lines().all(|line| line.len() < 60 || !why.contains(line)), "{why}");
    }
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
