//! Steps of contract tests.

use serde_json::{Value, json};

use super::{Got, Keys, Stage, start_ms};

pub(crate) const FINGERPRINT: &str = "aws:294406891311:AWS/Marketplace:issuer-fingerprint";
pub(crate) const MINUTE_MS: i64 = 60_000;

pub(crate) fn seats(count: i64) -> Value {
    json!([{"name": "Users", "unit": "Count", "max_count": count}])
}

pub(crate) fn license(stage: &Stage, entitlements: Value) -> Value {
    stage.post("licenses", json!({"product_sku": "prod-abc", "entitlements": entitlements}))
}

pub(crate) fn change(stage: &Stage, license: &Value, deed: &str, body: Value) -> Value {
    stage.post(&format!("licenses/{}/{deed}", license["id"].as_str().expect("an id")), body)
}

pub(crate) fn request(token: &str, entitlements: Value) -> Value {
    json!({
        "ProductSKU": "prod-abc",
        "CheckoutType": "PROVISIONAL",
        "KeyFingerprint": FINGERPRINT,
        "Entitlements": entitlements,
        "ClientToken": token,
    })
}

pub(crate) fn users(count: i64) -> Value {
    json!([{"Name": "Users", "Unit": "Count", "Value": count.to_string()}])
}

pub(crate) fn check_out(stage: &Stage, keys: &Keys, token: &str, entitlements: Value) -> Got {
    stage.call(keys, "CheckoutLicense", request(token, entitlements))
}

pub(crate) fn token_of(answer: &Value) -> String {
    answer["LicenseConsumptionToken"].as_str().expect("a token").to_owned()
}

pub(crate) fn extend(stage: &Stage, keys: &Keys, token: &str) -> Got {
    stage.call(keys, "ExtendLicenseConsumption", json!({"LicenseConsumptionToken": token}))
}

pub(crate) fn check_in(stage: &Stage, keys: &Keys, token: &str) -> Got {
    stage.call(keys, "CheckInLicense", json!({"LicenseConsumptionToken": token}))
}

pub(crate) fn in_use(stage: &Stage) -> i64 {
    stage.get("seats")["pools"][0]["in_use"].as_i64().expect("a number")
}

pub(crate) fn go_to(stage: &Stage, after_ms: i64) {
    stage.post("clock", json!({"now_ms": start_ms() + after_ms}));
}
