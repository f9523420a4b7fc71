//! Who may call: signatures, scopes, keys, IAM.

use serde_json::json;

use crate::support::{HOUR_MS, Keys, Stage, Target, start_ms, usage};

fn with(target: impl FnOnce(&mut Target), keys: impl FnOnce(&mut Keys)) -> String {
    let stage = Stage::frozen();
    let (mut used, mut scope) = (stage.keys("a"), Target::of("MeterUsage"));
    keys(&mut used);
    target(&mut scope);
    stage
        .send(&used, &scope, &usage("requests", start_ms(), 1).to_string())
        .expect("an answer")
        .error()
}

#[test]
fn keys_that_aws_does_not_know_are_unrecognized() {
    let stranger = |keys: &mut Keys| keys.access_key_id = "ASIASTRANGER00000000".to_owned();
    assert_eq!(with(|_| {}, stranger), "UnrecognizedClientException");
    assert_eq!(with(|_| {}, |keys| keys.token = None), "UnrecognizedClientException");
    assert_eq!(
        with(|_| {}, |keys| keys.token = Some("other".to_owned())),
        "UnrecognizedClientException"
    );
}

#[test]
fn a_signature_with_another_secret_service_or_date_is_invalid() {
    assert_eq!(with(|_| {}, |keys| keys.secret_access_key.push('x')), "InvalidSignatureException");
    let service = |target: &mut Target| target.service = "metering.marketplace".to_owned();
    assert_eq!(with(service, |_| {}), "InvalidSignatureException");
    assert_eq!(
        with(|target| target.region = "a.b".to_owned(), |_| {}),
        "InvalidSignatureException"
    );
    assert_eq!(
        with(|target| target.amz_date = "20261301T100000Z".to_owned(), |_| {}),
        "InvalidSignatureException"
    );
}

#[test]
fn a_body_changed_after_signing_is_refused() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    stage.call(&keys, "MeterUsage", usage("requests", start_ms(), 1)).good();
    let unsigned = stage.raw(
        "POST",
        "/",
        &[("x-amz-target".into(), "AWSMPMeteringService.MeterUsage".into())],
        "{}",
    );
    assert_eq!(unsigned.expect("an answer").error(), "MissingAuthenticationTokenException");
    let headers = [
        ("x-amz-target".into(), "AWSMPMeteringService.MeterUsage".into()),
        ("authorization".into(), "AWS4-HMAC-SHA256 Credential=a/b/c".into()),
    ];
    let incomplete = stage.raw("POST", "/", &headers, "{}").expect("an answer");
    assert_eq!((incomplete.status, incomplete.error().as_str()), (403, "IncompleteSignature"));
}

#[test]
fn an_unknown_operation_is_answered_as_such() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    for target in ["AWSMPMeteringService.BatchMeterUsage", "AWSNowhere.MeterUsage", "MeterUsage"] {
        let scope = Target { target: target.to_owned(), ..Target::of("MeterUsage") };
        let got = stage.send(&keys, &scope, "{}").expect("an answer");
        assert_eq!(
            (got.status, got.error().as_str()),
            (404, "UnknownOperationException"),
            "{target}"
        );
    }
    let got = stage.raw("POST", "/", &[], "{}").expect("an answer");
    assert_eq!(got.error(), "UnknownOperationException");
}

#[test]
fn expired_keys_are_refused_unless_the_switch_lets_them_live() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let later = start_ms() + 6 * HOUR_MS;
    stage.post("clock", json!({"now_ms": later}));
    assert_eq!(
        stage.call(&keys, "MeterUsage", usage("requests", later, 1)).error(),
        "ExpiredTokenException"
    );
    stage.post("switches", json!({"credentials_clock": "never"}));
    stage.call(&keys, "MeterUsage", usage("requests", later, 1)).good();
    let far = stage.raw("GET", "/t/a/credentials", &[], "").expect("an answer").good();
    assert!(far["Expiration"].as_str().is_some_and(|end| end > "2036"), "{far}");
}

#[test]
fn a_denied_action_names_role_and_action() {
    let stage = Stage::frozen();
    stage.post("switches", json!({"iam_denied": ["aws-marketplace:MeterUsage"]}));
    let got = stage.call(&stage.keys("a"), "MeterUsage", usage("requests", start_ms(), 1));
    assert_eq!((got.status, got.error().as_str()), (403, "AccessDeniedException"));
    assert!(
        got.text.contains("aws-marketplace:MeterUsage") && got.text.contains("role/sandbox-a"),
        "{}",
        got.text
    );
}

#[test]
fn a_signature_far_from_the_clock_is_refused_if_the_switch_says_so() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    stage.post("switches", json!({"signature_skew_ms": 300_000}));
    stage.call(&keys, "MeterUsage", usage("requests", start_ms(), 1)).good();
    stage.post("clock", json!({"now_ms": start_ms() + 300_001}));
    let got = stage.call(&keys, "MeterUsage", usage("requests", start_ms(), 1));
    assert_eq!(got.error(), "InvalidSignatureException");
    assert!(got.text.contains("Signature expired"), "{}", got.text);
}
