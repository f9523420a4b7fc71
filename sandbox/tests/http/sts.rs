//! Tokens for credentials: pods, and containers that run outside AWS.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::sts::{assume, element, keys};
use crate::support::{Got, HOUR_MS, Keys, Stage, Target, start_ms, usage};

fn pod_token(stage: &Stage, pod: &str) -> Value {
    stage.post(&format!("tasks/{pod}/web_identity_token"), json!({}))
}

fn refused(got: &Got, status: u16, code: &str) {
    assert_eq!((got.status, element(&got.text, "Code").as_str()), (status, code), "{}", got.text);
}

#[test]
fn a_pods_token_becomes_credentials_that_may_meter_as_that_pod() {
    let stage = Stage::frozen();
    let issued = pod_token(&stage, "pod-1");
    let token = issued["token"].as_str().expect("a token");
    let payload =
        URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("three parts")).expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("claims");
    assert_eq!(claims["kubernetes.io"]["pod"]["uid"], issued["pod_uid"]);
    assert_eq!(claims["exp"], start_ms() / 1000 + 86_400);

    let got = assume(&stage, token, &[]);
    assert_eq!(got.header("content-type"), Some("text/xml"));
    assert_eq!(element(&got.text, "Expiration"), "2026-01-01T11:00:00Z");
    assert_eq!(element(&got.text, "Arn"), "arn:aws:sts::111122223333:assumed-role/app/session@1");
    let pod = keys(&got);
    stage.call(&pod, "MeterUsage", usage("requests", start_ms(), 4)).good();
    stage.call(&pod, "RegisterUsage", json!({"ProductCode": "abc", "PublicKeyVersion": 1})).good();
    assert_eq!(stage.get("bill?task=pod-1")["totals"]["abc"]["requests"], "4");

    // A second token of the same pod is the same identity.
    let again =
        keys(&assume(&stage, pod_token(&stage, "pod-1")["token"].as_str().expect("a token"), &[]));
    assert_ne!(again.access_key_id, pod.access_key_id);
    let duplicate = stage.call(&again, "MeterUsage", usage("requests", start_ms(), 5));
    assert_eq!(duplicate.error(), "DuplicateRequestException");
}

#[test]
fn a_bad_request_to_sts_is_told_in_xml() {
    let stage = Stage::frozen();
    let issued = pod_token(&stage, "pod");
    let token = issued["token"].as_str().expect("a token");
    refused(&assume(&stage, "made.up.token", &[]), 400, "InvalidIdentityToken");
    refused(&assume(&stage, token, &[("RoleSessionName", "x")]), 400, "ValidationError");
    refused(&assume(&stage, token, &[("DurationSeconds", "60")]), 400, "ValidationError");
    refused(&assume(&stage, token, &[("DurationSeconds", "soon")]), 400, "SerializationException");
    refused(
        &assume(&stage, token, &[("RoleArn", "arn:aws:s3:::a-bucket-somewhere")]),
        400,
        "ValidationError",
    );
    refused(&assume(&stage, token, &[("Action", "AssumeRoot")]), 400, "InvalidAction");
    refused(&assume(&stage, token, &[("Version", "2001-01-01")]), 400, "InvalidAction");
    stage.post("clock", json!({"now_ms": start_ms() + 24 * HOUR_MS}));
    refused(&assume(&stage, token, &[]), 400, "ExpiredTokenException");
    stage.post("switches", json!({"iam_denied": ["sts:AssumeRoleWithWebIdentity"]}));
    refused(&assume(&stage, token, &[]), 403, "AccessDenied");
}

#[test]
fn faults_strike_sts_in_its_own_envelope() {
    let stage = Stage::frozen();
    let issued = pod_token(&stage, "pod");
    let token = issued["token"].as_str().expect("a token");
    let fault = |kind: &str, code: &str| {
        let fault = json!({"operation": "AssumeRoleWithWebIdentity", "kind": kind, "code": code, "task": "pod"});
        stage.post("faults", fault);
        assume(&stage, token, &[])
    };
    refused(&fault("throttle", ""), 400, "Throttling");
    refused(&fault("error", "IDPCommunicationError"), 400, "IDPCommunicationError");
    keys(&assume(&stage, token, &[]));
}

#[test]
fn credentials_last_as_long_as_asked_for() {
    let stage = Stage::frozen();
    let issued = pod_token(&stage, "pod");
    let token = issued["token"].as_str().expect("a token");
    let got = assume(&stage, token, &[("DurationSeconds", "900")]);
    assert_eq!(element(&got.text, "Expiration"), "2026-01-01T10:15:00Z");
    let pod = keys(&got);
    stage.post("clock", json!({"now_ms": start_ms() + 900_000}));
    let late = stage.call(&pod, "MeterUsage", usage("requests", start_ms(), 1));
    assert_eq!(late.error(), "ExpiredTokenException");
}

#[test]
fn a_task_that_is_no_pod_has_no_projected_token() {
    let stage = Stage::frozen();
    stage.keys("task");
    assert!(stage.refused("tasks/task/web_identity_token", json!({})).contains("it is no pod"));
}

#[test]
fn a_license_token_leads_to_credentials_for_contracts_but_not_for_metering() {
    let stage = Stage::frozen();
    let entitlements = json!([{"name": "Users", "unit": "Count", "max_count": 1}]);
    let license =
        stage.post("licenses", json!({"product_sku": "prod-abc", "entitlements": entitlements}));
    let path = format!("licenses/{}/token", license["id"].as_str().expect("an id"));
    let refresh = stage.post(&path, json!({}));
    let access = |token: &Value| {
        let headers = [
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), "AWSLicenseManager.GetAccessToken".to_owned()),
        ];
        let body = json!({"Token": token}).to_string();
        stage.raw("POST", "/", &headers, &body).expect("an answer")
    };
    let answer = access(&refresh["token"]).good();
    // Even if a pod bears the name of the session.
    stage.post("tasks", json!({"name": "session_1", "platform": "eks"}));
    let anywhere = keys(&assume(&stage, answer["AccessToken"].as_str().expect("a token"), &[]));
    let checkout = json!({
        "ProductSKU": "prod-abc",
        "CheckoutType": "PROVISIONAL",
        "KeyFingerprint": "aws:294406891311:AWS/Marketplace:issuer-fingerprint",
        "Entitlements": [{"Name": "Users", "Unit": "Count", "Value": "1"}],
        "ClientToken": "t",
    });
    stage.call(&anywhere, "CheckoutLicense", checkout).good();
    assert_eq!(stage.get("seats")["checkouts"][0]["task"], "session_1");
    let metering = stage.call(&anywhere, "MeterUsage", usage("requests", start_ms(), 1));
    assert_eq!(metering.error(), "PlatformNotSupportedException");

    // Ten calls per license and hour, of which one is spent.
    for _ in 0..9 {
        access(&refresh["token"]).good();
    }
    assert_eq!(access(&refresh["token"]).error(), "RateLimitExceededException");
    stage.post("clock", json!({"now_ms": start_ms() + HOUR_MS}));
    access(&refresh["token"]).good();
    let late = assume(&stage, answer["AccessToken"].as_str().expect("a token"), &[]);
    refused(&late, 400, "ExpiredTokenException");
    assert_eq!(access(&json!("made-up")).error(), "AuthorizationException");
    assert_eq!(access(&json!("two words")).error(), "ValidationException");
    stage.post("clock", json!({"now_ms": start_ms() + 366 * 24 * HOUR_MS}));
    assert_eq!(access(&refresh["token"]).error(), "AuthorizationException");
}

#[test]
fn the_caller_is_the_session_that_the_keys_are_of() {
    let stage = Stage::frozen();
    let who = |keys: &Keys| {
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let got = stage.send(keys, &Target::of_form("sts"), body).expect("an answer");
        assert_eq!(got.status, 200, "{}", got.text);
        (element(&got.text, "Account"), element(&got.text, "Arn"))
    };
    let account = || "111122223333".to_owned();
    let role = "arn:aws:sts::111122223333:assumed-role";
    assert_eq!(who(&stage.keys("web")), (account(), format!("{role}/sandbox-web/web")));

    let token = pod_token(&stage, "pod-1");
    let pod = keys(&assume(&stage, token["token"].as_str().expect("a token"), &[]));
    assert_eq!(who(&pod), (account(), format!("{role}/app/session@1")));

    stage.post("tasks", json!({"name": "laptop", "platform": "none"}));
    let user = "arn:aws:iam::111122223333:user/sandbox-laptop";
    assert_eq!(who(&stage.keys("laptop")), (account(), user.to_owned()));
}

#[test]
fn nobody_is_a_caller_without_a_signature() {
    let stage = Stage::frozen();
    let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let got = stage.raw("POST", "/", &headers, body).expect("an answer");
    refused(&got, 403, "MissingAuthenticationTokenException");
    // IAM has no say in it. Source: GetCallerIdentity API reference.
    stage.post("switches", json!({"iam_denied": ["sts:GetCallerIdentity"]}));
    let got = stage.send(&stage.keys("web"), &Target::of_form("sts"), body).expect("an answer");
    assert_eq!(got.status, 200, "{}", got.text);
}
