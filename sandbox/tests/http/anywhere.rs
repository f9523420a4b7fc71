//! Containers outside AWS: license tokens, from the file to the role.

use serde_json::{Value, json};

use crate::support::contract::{
    check_in, check_out, extend, license, request, seats, token_of, users,
};
use crate::support::sts::{assume, keys};
use crate::support::{Got, HOUR_MS, Keys, Stage, Target, start_ms, usage};

const TASK: &str = "tasks/edge/license_token";

fn edge(stage: &Stage) -> Value {
    license(stage, seats(3));
    stage.post("tasks", json!({"name": "edge", "platform": "anywhere", "region": "eu-west-1"}))
}

fn access(stage: &Stage, token: &Value) -> Got {
    let headers = [
        ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
        ("x-amz-target".to_owned(), "AWSLicenseManager.GetAccessToken".to_owned()),
    ];
    let body = json!({"Token": token}).to_string();
    stage.raw("POST", "/", &headers, &body).expect("an answer")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn a_task_outside_aws_has_the_environment_of_the_samples_and_no_other_credentials() {
    let stage = Stage::frozen();
    let task = edge(&stage);
    let role = "arn:aws:iam::111122223333:role/AWSLicenseManagerConsumptionRole";
    let expected = json!({
        "AWS_REGION": "eu-west-1",
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE": "/var/run/secrets/product-license/license_token",
    });
    assert_eq!(task["environment"], expected);
    for path in ["/t/edge/credentials", "/t/edge/v4/task"] {
        assert_eq!(stage.raw("GET", path, &[], "").expect("an answer").status, 404, "{path}");
    }
    stage.keys("task");
    let tasks = stage.get("tasks");
    assert_eq!(tasks["tasks"][1]["environment"], json!({}), "of a task on ECS");
}

#[test]
fn what_is_mounted_is_read_replaced_and_taken_away() {
    let stage = Stage::frozen();
    let bought = edge(&stage);
    let role = bought["role_arn"].clone();
    assert_eq!(stage.get(TASK), json!({"token": "", "role_arn": role}));
    let first = stage.post(TASK, json!({}));
    assert_eq!(first["role_arn"], role);
    assert_eq!(first["expires_ms"], start_ms() + 365 * 24 * HOUR_MS);
    assert_eq!(stage.get(TASK), json!({"token": first["token"], "role_arn": role}));
    let second = stage.post(TASK, json!({"expiration_days": 1}));
    assert_ne!(second["token"], first["token"]);
    assert_eq!(second["expires_ms"], start_ms() + 24 * HOUR_MS);
    access(&stage, &first["token"]).good();
    stage.post(TASK, json!({"token": "two words"}));
    assert_eq!(stage.get(TASK)["token"], "two words");
    stage.control("DELETE", TASK, None).good();
    assert_eq!(stage.get(TASK)["token"], "");
}

#[test]
fn a_token_is_of_the_license_that_is_named_or_of_the_newest() {
    let stage = Stage::frozen();
    assert!(stage.refused(TASK, json!({})).contains("has no license"));
    let first = license(&stage, seats(1));
    let second = license(&stage, seats(1));
    assert_eq!(stage.post(TASK, json!({}))["license_id"], second["id"]);
    let named = stage.post(TASK, json!({"license_id": first["id"]}));
    assert_eq!(named["license_id"], first["id"]);
    assert!(stage.refused(TASK, json!({"license_id": "l-zzz"})).contains("no license `l-zzz`"));
    stage.keys("web");
    assert!(stage.refused("tasks/web/license_token", json!({})).contains("runs on AWS"));
    assert!(stage.refused("tasks/a%20b/license_token", json!({})).contains("not a task name"));
}

/// The whole way; seats, requests and faults know the task.
#[test]
fn a_mounted_token_becomes_a_role_that_is_known_as_its_task() {
    let stage = Stage::frozen();
    edge(&stage);
    let mounted = stage.post(TASK, json!({}));
    stage
        .post("faults", json!({"operation": "GetAccessToken", "kind": "throttle", "task": "edge"}));
    assert_eq!(access(&stage, &mounted["token"]).error(), "RateLimitExceededException");
    let answer = access(&stage, &mounted["token"]).good();
    let sts = assume(&stage, text(&answer["AccessToken"]), &[("RoleSessionName", "whoever")]);
    let role = keys(&sts);
    check_out(&stage, &role, "t", users(1)).good();
    assert_eq!(stage.get("seats")["checkouts"][0]["task"], "edge");
    for (operation, count) in [("GetAccessToken", 2), ("AssumeRoleWithWebIdentity", 1)] {
        let seen = stage.get(&format!("requests?operation={operation}&task=edge"));
        assert_eq!(seen["requests"].as_array().map(Vec::len), Some(count), "{operation}");
    }
    let record = usage("requests", start_ms(), 1);
    let metering = from(&stage, &role, "eu-west-1", "MeterUsage", &record);
    assert_eq!(metering.error(), "PlatformNotSupportedException");
}

#[test]
fn ten_access_tokens_an_hour_are_for_all_tasks_of_a_license() {
    let stage = Stage::frozen();
    edge(&stage);
    let tokens: Vec<Value> = (0..3)
        .map(|n| stage.post(&format!("tasks/edge-{n}/license_token"), json!({}))["token"].clone())
        .collect();
    for n in 0..10 {
        access(&stage, &tokens[n % 3]).good();
    }
    for token in &tokens {
        assert_eq!(access(&stage, token).error(), "RateLimitExceededException");
    }
    stage.post("clock", json!({"now_ms": start_ms() + HOUR_MS - 1}));
    assert_eq!(access(&stage, &tokens[0]).error(), "RateLimitExceededException");
    stage.post("clock", json!({"now_ms": start_ms() + HOUR_MS}));
    access(&stage, &tokens[0]).good();
}

fn from(stage: &Stage, keys: &Keys, region: &str, operation: &str, input: &Value) -> Got {
    let target = Target { region: region.to_owned(), ..Target::of(operation) };
    stage.send(keys, &target, &input.to_string()).expect("an answer")
}

#[test]
fn a_license_may_be_checked_out_at_home_only() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let home =
        json!({"product_sku": "prod-abc", "entitlements": seats(3), "home_region": "us-west-2"});
    let bought = stage.post("licenses", home);
    let arn = json!({"LicenseArn": bought["license_arn"]});
    let shown = stage.call(&keys, "GetLicense", arn).good();
    assert_eq!(shown["License"]["HomeRegion"], "us-west-2");
    check_out(&stage, &keys, "t-1", users(1)).good();

    stage.post("switches", json!({"checkout_only_at_home": true}));
    let refused = check_out(&stage, &keys, "t-2", users(1));
    assert_eq!(refused.error(), "RedirectException");
    assert_eq!(refused.json()["Location"], "https://license-manager.us-west-2.amazonaws.com");
    let wanted = request("t-2", users(1));
    let held = from(&stage, &keys, "us-west-2", "CheckoutLicense", &wanted).good();
    let token = token_of(&held);
    assert_eq!(extend(&stage, &keys, &token).error(), "ResourceNotFoundException");
    assert_eq!(check_in(&stage, &keys, &token).error(), "ResourceNotFoundException");
    let input = json!({"LicenseConsumptionToken": token});
    from(&stage, &keys, "us-west-2", "ExtendLicenseConsumption", &input).good();
    from(&stage, &keys, "us-west-2", "CheckInLicense", &input).good();
    // A license that is not there has no home.
    let mut other = request("t-3", users(1));
    other["ProductSKU"] = "prod-zzz".into();
    let none = stage.call(&keys, "CheckoutLicense", other).error();
    assert_eq!(none, "NoEntitlementsAllowedException");
    let nowhere = json!({"product_sku": "p", "entitlements": seats(1), "home_region": "Mars"});
    assert!(stage.refused("licenses", nowhere).contains("`Mars` is not a Region"));
}
