//! `RegisterUsage` and its signed token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::pss::{Signature, VerifyingKey};
use rsa::signature::Verifier as _;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Stage, Target, start_ms};

fn request(nonce: &str) -> Value {
    json!({"ProductCode": "abc", "PublicKeyVersion": 1, "Nonce": nonce})
}

fn public_key(stage: &Stage) -> String {
    stage.get("products")["products"][0]["public_keys"]["1"].as_str().expect("a key").to_owned()
}

struct Token {
    header: Value,
    payload: String,
    genuine: bool,
}

impl Token {
    fn claims(&self) -> Value {
        serde_json::from_str(&self.payload).expect("claims")
    }
}

fn read(stage: &Stage, answer: &Value) -> Token {
    let token = answer["Signature"].as_str().expect("a token");
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url without padding");
    let key = RsaPublicKey::from_public_key_pem(&public_key(stage)).expect("a PEM");
    let verifier = VerifyingKey::<Sha256>::new(key);
    let signature = Signature::try_from(decode(parts[2]).as_slice());
    let signed = format!("{}.{}", parts[0], parts[1]);
    Token {
        header: serde_json::from_slice(&decode(parts[0])).expect("a header"),
        payload: String::from_utf8(decode(parts[1])).expect("text"),
        genuine: signature
            .is_ok_and(|signature| verifier.verify(signed.as_bytes(), &signature).is_ok()),
    }
}

#[test]
fn the_answer_is_a_token_signed_with_the_products_key_over_the_nonce() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let answer = stage.call(&keys, "RegisterUsage", request("n-1")).good();
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1));
    let token = read(&stage, &answer);
    assert_eq!(token.header, json!({"alg": "PS256", "typ": "JWT"}));
    assert!(token.genuine);
    let seconds = start_ms() / 1000;
    let expected =
        json!({"productCode": "abc", "publicKeyVersion": 1, "nonce": "n-1", "iat": seconds});
    assert_eq!(token.claims(), expected);
    stage.call(&keys, "RegisterUsage", request("n-2")).good();
    let registrations =
        json!([{"task": "a", "product_code": "abc", "at_ms": start_ms(), "calls": 2}]);
    assert_eq!(stage.get("bill")["registrations"], registrations);
}

#[test]
fn claims_are_spelled_as_the_switch_says() {
    let stage = Stage::frozen();
    stage.post("switches", json!({"claims": "pascal"}));
    let answer = stage.call(&stage.keys("a"), "RegisterUsage", request("n")).good();
    let claims = read(&stage, &answer).claims();
    assert_eq!(
        (&claims["ProductCode"], &claims["PublicKeyVersion"], &claims["Nonce"]),
        (&json!("abc"), &json!(1), &json!("n"))
    );
    assert_eq!(claims["productCode"], Value::Null);
}

#[test]
fn each_key_version_signs_for_itself_and_an_expired_one_says_so() {
    let stage = Stage::frozen();
    let product =
        json!({"product_code": "abc", "key_versions": [1, 2], "expired_key_versions": [2]});
    let product = stage.post("products", product);
    assert_ne!(product["public_keys"]["1"], product["public_keys"]["2"]);
    let keys = stage.keys("a");
    let second = json!({"ProductCode": "abc", "PublicKeyVersion": 2, "Nonce": "n"});
    let answer = stage.call(&keys, "RegisterUsage", second).good();
    assert!(!read(&stage, &answer).genuine, "version 1 must not verify what version 2 signed");
    assert_eq!(answer["PublicKeyRotationTimestamp"], json!(start_ms() as f64 / 1000.0));
    let third = json!({"ProductCode": "abc", "PublicKeyVersion": 3});
    assert_eq!(
        stage.call(&keys, "RegisterUsage", third).error(),
        "InvalidPublicKeyVersionException"
    );
}

#[test]
fn whoever_is_not_entitled_or_not_in_a_container_is_told() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let unknown = json!({"ProductCode": "zzz", "PublicKeyVersion": 1});
    assert_eq!(stage.call(&keys, "RegisterUsage", unknown).error(), "InvalidProductCodeException");
    let elsewhere = Target { region: "eu-west-1".to_owned(), ..Target::of("RegisterUsage") };
    let got = stage.send(&keys, &elsewhere, &request("n").to_string()).expect("an answer");
    assert_eq!(got.error(), "InvalidRegionException");
    stage.post("tasks", json!({"name": "laptop", "platform": "none"}));
    let laptop = stage.keys("laptop");
    assert!(laptop.token.is_none() && laptop.access_key_id.starts_with("AKIA"));
    assert_eq!(
        stage.call(&laptop, "RegisterUsage", request("n")).error(),
        "PlatformNotSupportedException"
    );
    stage.post("tasks", json!({"name": "pod", "platform": "eks"}));
    let pod_identity = stage.keys("pod");
    assert_eq!(
        stage.call(&pod_identity, "RegisterUsage", request("n")).error(),
        "PlatformNotSupportedException"
    );

    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": false}));
    assert_eq!(
        stage.call(&keys, "RegisterUsage", request("n")).error(),
        "CustomerNotEntitledException"
    );
    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": true}));
    stage.call(&keys, "RegisterUsage", request("n")).good();
    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": false}));
    stage.call(&keys, "RegisterUsage", request("n")).good();
}

#[test]
fn a_spoiled_token_is_spoiled_in_the_way_that_was_asked_for() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let spoiled = |kind: &str| {
        stage.post("faults", json!({"operation": "RegisterUsage", "kind": kind}));
        read(&stage, &stage.call(&keys, "RegisterUsage", request("n")).good())
    };
    let token = spoiled("bad_signature");
    assert!(!token.genuine && token.header["alg"] == "PS256" && token.claims()["nonce"] == "n");
    let token = spoiled("wrong_nonce");
    assert!(token.genuine && token.claims()["nonce"] != "n" && token.claims()["nonce"].is_string());
    assert!(spoiled("no_nonce").claims()["nonce"].is_null());
    assert_ne!(spoiled("wrong_product").claims()["productCode"], "abc");
    assert_eq!(spoiled("wrong_key_version").claims()["publicKeyVersion"], 2);
    let token = spoiled("alg_none");
    assert!(!token.genuine && token.header["alg"] == "none");
    let token = spoiled("alg_hs256");
    assert!(!token.genuine && token.header["alg"] == "HS256");
    let token = spoiled("duplicate_claims");
    assert!(
        token.genuine && token.payload.matches("\"productCode\"").count() == 2,
        "{}",
        token.payload
    );
    let token = spoiled("both_casings");
    assert!(token.genuine && token.claims()["Nonce"] == "n" && token.claims()["nonce"] == "n");
    let token = read(&stage, &stage.call(&keys, "RegisterUsage", request("n")).good());
    assert!(token.genuine);
}
