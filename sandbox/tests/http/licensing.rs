//! License Manager: tiers, seats and draws.

use serde_json::{Value, json};

use crate::support::contract::{
    MINUTE_MS, check_in, check_out, extend, go_to, in_use, license, request, seats, token_of, users,
};
use crate::support::{HOUR_MS, Stage, start_ms};

#[test]
fn a_seat_is_taken_and_given_back() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let bought = license(&stage, seats(3));
    let answer = check_out(&stage, &keys, "t-1", users(2)).good();
    assert_eq!(answer["EntitlementsAllowed"], users(2));
    assert_eq!(answer["IssuedAt"], "2026-01-01T10:00:00Z");
    assert_eq!(answer["Expiration"], "2026-01-01T11:00:00Z");
    assert_eq!(answer["LicenseArn"], bought["license_arn"]);
    let seen = stage.get("seats");
    assert_eq!(seen["pools"][0]["in_use"], 2);
    assert_eq!(seen["pools"][0]["max_count"], 3);
    assert_eq!(seen["checkouts"][0]["task"], "a");
    assert_eq!(seen["checkouts"][0]["expires_ms"], start_ms() + HOUR_MS);
    assert_eq!(check_out(&stage, &keys, "t-2", users(2)).error(), "NoEntitlementsAllowedException");
    check_out(&stage, &keys, "t-3", users(1)).good();
    assert_eq!(check_in(&stage, &keys, &token_of(&answer)).good(), json!({}));
    assert_eq!(in_use(&stage), 1);
    assert_eq!(check_in(&stage, &keys, &token_of(&answer)).error(), "ResourceNotFoundException");
}

#[test]
fn a_seat_returns_by_itself_after_sixty_minutes() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(&stage, seats(1));
    let token = token_of(&check_out(&stage, &keys, "t-1", users(1)).good());
    go_to(&stage, HOUR_MS - 1);
    assert_eq!(in_use(&stage), 1);
    go_to(&stage, HOUR_MS);
    assert_eq!(in_use(&stage), 0);
    assert_eq!(extend(&stage, &keys, &token).error(), "ResourceNotFoundException");
    assert_eq!(check_in(&stage, &keys, &token).error(), "ResourceNotFoundException");
    check_out(&stage, &keys, "t-2", users(1)).good();
}

#[test]
fn a_token_is_extended_once_an_hour() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(&stage, seats(1));
    let token = token_of(&check_out(&stage, &keys, "t-1", users(1)).good());
    go_to(&stage, 50 * MINUTE_MS);
    let dry = json!({"LicenseConsumptionToken": token, "DryRun": true});
    assert_eq!(
        stage.call(&keys, "ExtendLicenseConsumption", dry).good()["Expiration"],
        "2026-01-01T11:00:00Z"
    );
    let answer = extend(&stage, &keys, &token).good();
    assert_eq!(
        answer,
        json!({"LicenseConsumptionToken": token, "Expiration": "2026-01-01T11:50:00Z"})
    );
    go_to(&stage, 109 * MINUTE_MS);
    let refused = extend(&stage, &keys, &token);
    assert_eq!(refused.error(), "RateLimitExceededException");
    assert!(
        refused.json()["Message"].is_string(),
        "License Manager writes `Message`: {}",
        refused.text
    );
    go_to(&stage, 110 * MINUTE_MS - 1);
    assert_eq!(extend(&stage, &keys, &token).error(), "RateLimitExceededException");
    assert_eq!(in_use(&stage), 1);
    // An hour after the first extension the token has just run out: there is one chance only.
    go_to(&stage, 110 * MINUTE_MS);
    assert_eq!(extend(&stage, &keys, &token).error(), "ResourceNotFoundException");
}

#[test]
fn a_long_lived_token_can_be_extended_again_after_an_hour() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let long = json!({"product_sku": "prod-abc", "entitlements": seats(1), "ttl_minutes": 180});
    stage.post("licenses", long);
    let token = token_of(&check_out(&stage, &keys, "t-1", users(1)).good());
    extend(&stage, &keys, &token).good();
    go_to(&stage, HOUR_MS);
    assert_eq!(extend(&stage, &keys, &token).good()["Expiration"], "2026-01-01T14:00:00Z");
}

#[test]
fn an_extension_may_hand_out_a_new_token() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(&stage, seats(1));
    stage.post("switches", json!({"extend_changes_token": true}));
    let token = token_of(&check_out(&stage, &keys, "t-1", users(1)).good());
    let new = token_of(&extend(&stage, &keys, &token).good());
    assert_ne!(new, token);
    assert_eq!(check_in(&stage, &keys, &token).error(), "ResourceNotFoundException");
    assert_eq!(extend(&stage, &keys, &new).error(), "RateLimitExceededException");
    check_in(&stage, &keys, &new).good();
    assert_eq!(in_use(&stage), 0);
}

#[test]
fn of_the_tiers_asked_for_the_bought_ones_are_allowed_and_nothing_is_counted() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let tiers = json!([{"name": "Basic", "unit": "None", "value": "Enabled"}]);
    license(&stage, tiers);
    let wanted = json!([{"Name": "Basic", "Unit": "None"}, {"Name": "Premium", "Unit": "None"}]);
    for n in 0..20 {
        let answer = check_out(&stage, &keys, &format!("t-{n}"), wanted.clone()).good();
        assert_eq!(
            answer["EntitlementsAllowed"],
            json!([{"Name": "Basic", "Unit": "None", "Value": "Enabled"}])
        );
    }
    let premium = json!([{"Name": "Premium", "Unit": "None"}]);
    assert_eq!(check_out(&stage, &keys, "p", premium).error(), "NoEntitlementsAllowedException");
}

#[test]
fn a_draw_takes_units_for_good() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let bought = license(&stage, json!([{"name": "Scans", "unit": "Count", "max_count": 10}]));
    let draw = |token: &str, count: i64| {
        let entitlements = json!([{"Name": "Scans", "Unit": "Count", "Value": count.to_string()}]);
        let mut input = request(token, entitlements);
        input["CheckoutType"] = "PERPETUAL".into();
        stage.call(&keys, "CheckoutLicense", input)
    };
    let answer = draw("d-1", 7).good();
    assert_eq!(answer["CheckoutType"], "PERPETUAL");
    assert!(answer.get("Expiration").is_none());
    let token = token_of(&answer);
    assert_eq!(extend(&stage, &keys, &token).error(), "InvalidParameterValueException");
    assert_eq!(check_in(&stage, &keys, &token).error(), "InvalidParameterValueException");
    go_to(&stage, 5 * MINUTE_MS);
    assert_eq!(draw("d-1", 7).good(), answer, "a replay takes nothing");
    go_to(&stage, 48 * HOUR_MS);
    let keys = stage.keys("a");
    let mut input = request("d-2", json!([{"Name": "Scans", "Unit": "Count", "Value": "4"}]));
    input["CheckoutType"] = "PERPETUAL".into();
    assert_eq!(
        stage.call(&keys, "CheckoutLicense", input.clone()).error(),
        "NoEntitlementsAllowedException"
    );
    input["Entitlements"][0]["Value"] = "3".into();
    stage.call(&keys, "CheckoutLicense", input).good();
    assert_eq!(
        stage.get("bill")["drawn"],
        json!([{"license_id": bought["id"], "name": "Scans", "quantity": "10"}])
    );
    let usage =
        stage.call(&keys, "GetLicenseUsage", json!({"LicenseArn": bought["license_arn"]})).good();
    let expected =
        json!([{"Name": "Scans", "ConsumedValue": "10", "Unit": "Count", "MaxCount": "10"}]);
    assert_eq!(usage["LicenseUsage"]["EntitlementUsages"], expected);
}

#[test]
fn a_client_token_is_remembered_as_long_as_the_switch_says() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(&stage, seats(5));
    let first = check_out(&stage, &keys, "t", users(1)).good();
    assert_eq!(check_out(&stage, &keys, "t", users(1)).good(), first);
    assert_eq!(check_out(&stage, &keys, "t", users(2)).error(), "InvalidParameterValueException");
    assert_eq!(in_use(&stage), 1);
    go_to(&stage, 10 * MINUTE_MS);
    assert_ne!(check_out(&stage, &keys, "t", users(1)).good(), first);
    stage.post("switches", json!({"checkout_token_window_ms": 0}));
    check_out(&stage, &keys, "t", users(1)).good();
    assert_eq!(in_use(&stage), 3);
    stage.post("switches", json!({"checkout_token_window_ms": -1}));
    go_to(&stage, 3 * HOUR_MS);
    check_out(&stage, &keys, "t", users(1)).good();
    assert_eq!(in_use(&stage), 0, "the first answer comes back even though its seat has returned");
}

#[test]
fn a_wrong_sku_fingerprint_name_or_unit_is_no_entitlement() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(&stage, seats(5));
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut input = request("t", users(1));
        change(&mut input);
        stage.call(&keys, "CheckoutLicense", input).error()
    };
    let none = "NoEntitlementsAllowedException";
    assert_eq!(refused(&|input| input["ProductSKU"] = "prod-zzz".into()), none);
    assert_eq!(
        refused(&|input| input["KeyFingerprint"] = "aws:1:x:issuer-fingerprint".into()),
        none
    );
    assert_eq!(refused(&|input| input["Entitlements"][0]["Name"] = "Nobody".into()), none);
    assert_eq!(refused(&|input| input["Entitlements"][0]["Unit"] = "Bytes".into()), none);
    assert_eq!(refused(&|input| input["Entitlements"][0]["Unit"] = "None".into()), none);
    let invalid = "InvalidParameterValueException";
    assert_eq!(refused(&|input| input["Entitlements"][0]["Value"] = "many".into()), invalid);
    assert_eq!(refused(&|input| input["Entitlements"][0]["Value"] = Value::Null), invalid);
    assert_eq!(refused(&|input| input["Entitlements"] = json!([])), invalid);
    let six: Vec<Value> =
        (0..6).map(|n| json!({"Name": format!("E{n}"), "Unit": "Count", "Value": "1"})).collect();
    assert_eq!(refused(&|input| input["Entitlements"] = json!(six)), invalid);
    assert_eq!(refused(&|input| input["ClientToken"] = "a b".into()), "ValidationException");
    assert_eq!(refused(&|input| input["CheckoutType"] = "SOMETIMES".into()), "ValidationException");
    assert_eq!(
        refused(&|input| input["Entitlements"][0]["Unit"] = "Users".into()),
        "ValidationException"
    );
}

#[test]
fn counted_entitlements_are_allowed_all_or_none() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let two = json!([
        {"name": "Users", "unit": "Count", "max_count": 5},
        {"name": "Nodes", "unit": "Count", "max_count": 1},
        {"name": "Basic", "unit": "None"},
    ]);
    license(&stage, two);
    let wanted = json!([
        {"Name": "Users", "Unit": "Count", "Value": "1"},
        {"Name": "Nodes", "Unit": "Count", "Value": "2"},
        {"Name": "Basic", "Unit": "None"},
    ]);
    assert_eq!(
        check_out(&stage, &keys, "t-1", wanted.clone()).error(),
        "NoEntitlementsAllowedException"
    );
    assert_eq!(stage.get("seats")["checkouts"], json!([]));
    let mut fewer = wanted;
    fewer[1]["Value"] = "1".into();
    let allowed =
        check_out(&stage, &keys, "t-2", fewer.clone()).good()["EntitlementsAllowed"].clone();
    assert_eq!(allowed, fewer);
}

#[test]
fn overage_lets_more_be_taken_than_was_bought_and_no_maximum_means_any_number() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let bought = json!([
        {"name": "Users", "unit": "Count", "max_count": 1, "overage": true},
        {"name": "Nodes", "unit": "Count"},
    ]);
    license(&stage, bought);
    check_out(&stage, &keys, "t-1", users(7)).good();
    let nodes = json!([{"Name": "Nodes", "Unit": "Count", "Value": "1000000"}]);
    check_out(&stage, &keys, "t-2", nodes).good();
}

#[test]
fn what_must_not_be_checked_in_early_stays_out() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    license(
        &stage,
        json!([{"name": "Users", "unit": "Count", "max_count": 1, "allow_check_in": false}]),
    );
    let token = token_of(&check_out(&stage, &keys, "t-1", users(1)).good());
    assert_eq!(check_in(&stage, &keys, &token).error(), "InvalidParameterValueException");
    assert_eq!(in_use(&stage), 1);
}

#[test]
fn the_roles_of_nodes_pods_and_laptops_may_check_out() {
    let stage = Stage::frozen();
    license(&stage, seats(9));
    for (name, platform) in [("laptop", "none"), ("pod", "eks"), ("task", "ecs")] {
        stage.post("tasks", json!({"name": name, "platform": platform}));
        check_out(&stage, &stage.keys(name), name, users(1)).good();
    }
    assert_eq!(in_use(&stage), 3);
}
