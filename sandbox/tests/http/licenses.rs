//! License Manager: what becomes of licenses, and how they are read.

use serde_json::{Value, json};

use crate::support::contract::{
    FINGERPRINT, change, check_in, check_out, extend, go_to, in_use, license, request, seats,
    token_of, users,
};
use crate::support::{HOUR_MS, Stage, start_ms};

#[test]
fn a_license_lives_through_upgrade_expiry_renewal_suspension_and_deletion() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let bought = license(&stage, seats(1));
    assert_eq!((&bought["version"], &bought["status"]), (&json!("1"), &json!("AVAILABLE")));
    let works = |n: i64| check_out(&stage, &keys, &format!("t-{n}"), users(1)).status == 200;
    let held = token_of(&check_out(&stage, &keys, "held", users(1)).good());

    let upgraded = change(&stage, &bought, "upgrade", json!({"entitlements": seats(9)}));
    assert_eq!(upgraded["version"], "2");
    assert!(works(1));
    assert_eq!(in_use(&stage), 2, "what was taken stays taken");

    assert_eq!(change(&stage, &bought, "suspend", json!({}))["status"], "SUSPENDED");
    assert!(!works(2));
    assert_eq!(extend(&stage, &keys, &held).error(), "ResourceNotFoundException");
    assert_eq!(change(&stage, &bought, "resume", json!({}))["status"], "AVAILABLE");
    assert!(works(3));

    assert_eq!(change(&stage, &bought, "expire", json!({}))["status"], "EXPIRED");
    assert!(!works(4));
    let renewed = change(&stage, &bought, "renew", json!({"end_ms": start_ms() + HOUR_MS / 2}));
    assert_eq!((&renewed["version"], &renewed["status"]), (&json!("3"), &json!("AVAILABLE")));
    let answer = check_out(&stage, &keys, "t-5", users(1)).good();
    assert_eq!(answer["Expiration"], "2026-01-01T10:30:00Z", "no check-out outlives its license");

    assert_eq!(change(&stage, &bought, "deactivate", json!({}))["status"], "DEACTIVATED");
    assert!(!works(6));
    assert_eq!(change(&stage, &bought, "delete", json!({}))["status"], "DELETED");
    assert!(!works(7));
    check_in(&stage, &keys, &held).good();
    let path = format!("licenses/{}/frame", bought["id"].as_str().expect("an id"));
    assert!(stage.refused(&path, json!({})).contains("cannot `frame` license"));
    assert!(stage.refused("licenses/l-0/expire", json!({})).contains("no license `l-0`"));
}

#[test]
fn the_newest_license_that_fits_is_used() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let old = license(&stage, seats(1));
    let new = license(&stage, seats(1));
    let used = |token: &str| check_out(&stage, &keys, token, users(1)).good()["LicenseArn"].clone();
    assert_eq!(used("t-1"), new["license_arn"]);
    assert_eq!(used("t-2"), old["license_arn"]);
}

#[test]
fn a_license_of_another_account_issuer_or_grant_does_not_entitle() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let with = |name: &str, value: &str| {
        let mut create = json!({"product_sku": "prod-abc", "entitlements": seats(1)});
        create[name] = value.into();
        stage.post("licenses", create)
    };
    with("account", "999988887777");
    with("issuer", "test-seller");
    with("received_status", "DISABLED");
    with("grant_type", "DelegateGrant");
    assert_eq!(check_out(&stage, &keys, "t", users(1)).error(), "NoEntitlementsAllowedException");
    let mut own = request("t", users(1));
    own["KeyFingerprint"] = "aws:294406891311:test-seller:issuer-fingerprint".into();
    stage.call(&keys, "CheckoutLicense", own).good();
    let refuse = |body: Value| stage.refused("licenses", body);
    assert!(
        refuse(json!({"product_sku": "p", "entitlements": []}))
            .contains("at least one entitlement")
    );
    let unit = json!({"product_sku": "p", "entitlements": [{"name": "n", "unit": "Users"}]});
    assert!(refuse(unit).contains("`Users` is no EntitlementUnit"));
    let tier = json!({"product_sku": "p", "entitlements": [{"name": "n", "unit": "None", "max_count": 1}]});
    assert!(refuse(tier).contains("give `value`"));
}

#[test]
fn get_license_shows_each_version_and_the_status() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let bought = license(&stage, seats(1));
    change(
        &stage,
        &bought,
        "upgrade",
        json!({"entitlements": seats(9), "end_ms": start_ms() + HOUR_MS}),
    );
    let arn = &bought["license_arn"];
    let get = |version: Option<&str>| {
        stage
            .call(
                &keys,
                "GetLicense",
                json!({"LicenseArn": arn, "Version": version}),
            )
            .good()["License"]
            .clone()
    };
    let newest = get(None);
    assert_eq!(
        (&newest["Version"], &newest["Entitlements"][0]["MaxCount"]),
        (&json!("2"), &json!(9))
    );
    assert_eq!(
        newest["Validity"],
        json!({"Begin": "2026-01-01T10:00:00Z", "End": "2026-01-01T11:00:00Z"})
    );
    assert_eq!(newest["Issuer"], json!({"Name": "AWS/Marketplace", "KeyFingerprint": FINGERPRINT}));
    assert_eq!(get(Some("1"))["Entitlements"][0]["MaxCount"], 1);
    go_to(&stage, HOUR_MS);
    assert_eq!(get(None)["Status"], "EXPIRED");
    let wrong = |input: Value| stage.call(&keys, "GetLicense", input).error();
    assert_eq!(wrong(json!({"LicenseArn": arn, "Version": "7"})), "InvalidParameterValueException");
    let unknown = "arn:aws:license-manager::294406891311:license:l-0";
    assert_eq!(wrong(json!({"LicenseArn": unknown})), "InvalidParameterValueException");
    assert_eq!(wrong(json!({"LicenseArn": "nonsense"})), "ValidationException");
}

#[test]
fn received_licenses_are_filtered_and_paged() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let first = license(&stage, seats(1));
    let other =
        json!({"product_sku": "prod-other", "entitlements": seats(1), "issuer": "test-seller"});
    stage.post("licenses", other);
    license(&stage, seats(2));
    change(&stage, &first, "expire", json!({}));
    let list = |input: Value| stage.call(&keys, "ListReceivedLicenses", input);
    let count = |input: Value| list(input).good()["Licenses"].as_array().map(Vec::len);
    assert_eq!(count(json!({})), Some(3));
    assert_eq!(
        count(json!({"Filters": [{"Name": "ProductSKU", "Values": ["prod-abc"]}]})),
        Some(2)
    );
    let both = json!([{"Name": "ProductSKU", "Values": ["prod-abc"]}, {"Name": "Status", "Values": ["AVAILABLE"]}]);
    assert_eq!(count(json!({"Filters": both})), Some(1));
    assert_eq!(
        count(json!({"Filters": [{"Name": "IssuerName", "Values": ["test-seller"]}]})),
        Some(1)
    );
    assert_eq!(
        count(json!({"Filters": [{"Name": "Fingerprint", "Values": [FINGERPRINT]}]})),
        Some(2)
    );
    assert_eq!(count(json!({"LicenseArns": [first["license_arn"]]})), Some(1));

    let page = list(json!({"MaxResults": 2})).good();
    assert_eq!(page["Licenses"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["Licenses"][0]["ReceivedMetadata"]["ReceivedStatus"], "ACTIVE");
    let rest = list(json!({"MaxResults": 2, "NextToken": page["NextToken"]})).good();
    assert_eq!(rest["Licenses"].as_array().map(Vec::len), Some(1));
    assert!(rest.get("NextToken").is_none());
    let invalid = "InvalidParameterValueException";
    assert_eq!(list(json!({"NextToken": "made-up"})).error(), invalid);
    assert_eq!(list(json!({"Filters": [{"Name": "Colour", "Values": ["red"]}]})).error(), invalid);
    assert_eq!(
        list(json!({"Filters": [{"Name": "Status", "Values": ["A", "B"]}]})).error(),
        invalid
    );
    assert_eq!(list(json!({"MaxResults": 101})).error(), "ValidationException");
}

#[test]
fn dates_and_keys_look_as_in_the_samples_if_the_switches_say_so() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(&stage, seats(2));
    stage.post("switches", json!({"zoneless_dates": true, "odd_sample_keys": true}));
    let answer = check_out(&stage, &keys, "t", users(2)).good();
    assert_eq!(answer["Expiration"], "2026-01-01T11:00:00");
    let allowed = &answer["EntitlementsAllowed"][0];
    assert_eq!(
        (&allowed["Units"], &allowed["Count"], &allowed["Value"]),
        (&json!("Count"), &json!(2), &json!("2"))
    );
}
