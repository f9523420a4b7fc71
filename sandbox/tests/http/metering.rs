//! `MeterUsage`.

use serde_json::{Value, json};

use crate::support::{HOUR_MS, Stage, Target, start_ms, usage};

fn changed(mut input: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().expect("an object") {
        input[name] = value.clone();
    }
    input
}

#[test]
fn one_record_stands_per_dimension_and_hour() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let meter = |dimension, at_ms, quantity| {
        stage.call(&keys, "MeterUsage", usage(dimension, at_ms, quantity))
    };
    let first = meter("requests", start_ms() + 1000, 17).good();
    assert_eq!(meter("requests", start_ms(), 17).good(), first);
    assert_eq!(meter("requests", start_ms(), 18).error(), "DuplicateRequestException");
    meter("requests", start_ms() - HOUR_MS, 18).good();
    meter("gb", start_ms(), 1).good();
    let bill = stage.get("bill?task=a&product_code=abc");
    assert_eq!(bill["totals"], json!({"abc": {"requests": "35", "gb": "1"}}));
    assert_eq!(bill["records"][0]["hour_ms"], start_ms());
    assert_eq!(bill["records"][0]["timestamp_ms"], start_ms() + 1000);
    assert_eq!(bill["records"][0]["quantity"], "17");
}

#[test]
fn each_task_has_hours_of_its_own() {
    let stage = Stage::frozen();
    stage.call(&stage.keys("a"), "MeterUsage", usage("requests", start_ms(), 1)).good();
    stage.call(&stage.keys("b"), "MeterUsage", usage("requests", start_ms(), 2)).good();
    assert_eq!(stage.get("bill")["totals"]["abc"]["requests"], "3");
    assert_eq!(stage.get("bill?task=b")["totals"]["abc"]["requests"], "2");
}

#[test]
fn quantities_are_compared_by_value_in_either_member() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let decimal = |text: &str| {
        let input = changed(
            usage("gb", start_ms(), 0),
            json!({"UsageQuantity": null, "UsageQuantityAsDecimal": text}),
        );
        stage.call(&keys, "MeterUsage", input)
    };
    let first = decimal("17.0").good();
    assert_eq!(decimal("17.00").good(), first);
    assert_eq!(stage.call(&keys, "MeterUsage", usage("gb", start_ms(), 17)).good(), first);
    assert_eq!(decimal("17.000001").error(), "DuplicateRequestException");
    assert_eq!(decimal("1e3").error(), "ValidationException");
    let both = changed(usage("requests", start_ms(), 1), json!({"UsageQuantityAsDecimal": "1"}));
    assert_eq!(stage.call(&keys, "MeterUsage", both).error(), "ValidationException");
}

#[test]
fn a_record_without_a_quantity_is_zero_and_occupies_its_hour() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let none = changed(usage("gb", start_ms(), 0), json!({"UsageQuantity": null}));
    stage.call(&keys, "MeterUsage", none).good();
    assert_eq!(
        stage.call(&keys, "MeterUsage", usage("gb", start_ms(), 1)).error(),
        "DuplicateRequestException"
    );
}

#[test]
fn a_client_token_replays_its_request_and_refuses_any_other() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let with_token = |input: Value| {
        stage.call(&keys, "MeterUsage", changed(input, json!({"ClientToken": "t-1"})))
    };
    let first = with_token(usage("requests", start_ms(), 5)).good();
    assert_eq!(with_token(usage("requests", start_ms(), 5)).good(), first);
    assert_eq!(
        with_token(usage("requests", start_ms(), 6)).error(),
        "IdempotencyConflictException"
    );
    assert_eq!(with_token(usage("gb", start_ms(), 5)).error(), "IdempotencyConflictException");
    // The hour rule does not ask for tokens.
    let other = changed(usage("requests", start_ms(), 5), json!({"ClientToken": "t-2"}));
    assert_eq!(stage.call(&keys, "MeterUsage", other).good(), first);
    assert_eq!(stage.get("bill")["records"][0]["client_token"], "t-1");
}

#[test]
fn the_window_is_six_hours_from_the_beginning_of_the_hour() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let meter = |at_ms| stage.call(&keys, "MeterUsage", usage("requests", at_ms, 1));
    meter(start_ms() - 6 * HOUR_MS).good();
    assert_eq!(meter(start_ms() - 6 * HOUR_MS - 1000).error(), "TimestampOutOfBoundsException");
    meter(start_ms() + 300_000).good();
    assert_eq!(meter(start_ms() + 301_000).error(), "TimestampOutOfBoundsException");
    stage.post("clock", json!({"now_ms": start_ms() + 1}));
    // A millisecond later the window of that hour is over, even for a record from its end.
    assert_eq!(meter(start_ms() - 5 * HOUR_MS - 1000).error(), "TimestampOutOfBoundsException");
    stage.post("switches", json!({"meter_window_ms": HOUR_MS}));
    assert_eq!(meter(start_ms() - 2 * HOUR_MS).error(), "TimestampOutOfBoundsException");
}

#[test]
fn only_the_first_call_of_a_task_looks_at_the_subscription() {
    let stage = Stage::frozen();
    let (running, fresh) = (stage.keys("running"), stage.keys("fresh"));
    stage.call(&running, "MeterUsage", usage("requests", start_ms(), 1)).good();
    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": false}));
    stage.call(&running, "MeterUsage", usage("gb", start_ms(), 1)).good();
    let first = stage.call(&fresh, "MeterUsage", usage("requests", start_ms(), 1));
    assert_eq!(first.error(), "CustomerNotEntitledException");
}

#[test]
fn the_order_of_checks_is_fixed() {
    let stage = Stage::frozen();
    stage.post("tasks", json!({"name": "eu", "region": "eu-west-1", "platform": "none"}));
    let keys = stage.keys("eu");
    let call = |input: Value| stage.call(&keys, "MeterUsage", input).error();
    let wrong = json!([{"AllocatedUsageQuantity": 9, "Tags": [{"Key": "k!", "Value": "v"}]}]);
    let mut input = usage("nope", 0, 1);
    input["UsageAllocations"] = wrong;
    assert_eq!(call(changed(input.clone(), json!({"UsageDimension": ""}))), "ValidationException");
    assert_eq!(
        call(changed(input.clone(), json!({"ProductCode": "zzz"}))),
        "InvalidProductCodeException"
    );
    assert_eq!(call(input.clone()), "InvalidEndpointRegionException");

    let eu = Target { region: "eu-west-1".to_owned(), ..Target::of("MeterUsage") };
    let send = |input: &Value| stage.send(&keys, &eu, &input.to_string()).expect("an answer");
    assert_eq!(send(&input).error(), "PlatformNotSupportedException");
    stage.post("tasks", json!({"name": "eu", "platform": "ecs"}));
    let keys = stage.keys("eu");
    let call =
        |input: &Value| stage.send(&keys, &eu, &input.to_string()).expect("an answer").error();
    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": false}));
    assert_eq!(call(&input), "CustomerNotEntitledException");
    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": true}));
    assert_eq!(call(&input), "InvalidUsageDimensionException");
    input["UsageDimension"] = "requests".into();
    assert_eq!(call(&input), "InvalidTagException");
    input["UsageAllocations"][0]["Tags"][0]["Key"] = "k".into();
    assert_eq!(call(&input), "InvalidUsageAllocationsException");
    input["UsageAllocations"][0]["AllocatedUsageQuantity"] = 1.into();
    assert_eq!(call(&input), "TimestampOutOfBoundsException");
}

#[test]
fn allocations_split_the_quantity_exactly() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let allocated = |dimension: &str, allocations: Value| {
        let input =
            changed(usage(dimension, start_ms(), 15), json!({"UsageAllocations": allocations}));
        stage.call(&keys, "MeterUsage", input)
    };
    let team = |name: &str, quantity: i64| json!({"AllocatedUsageQuantity": quantity, "Tags": [{"Key": "team", "Value": name}]});
    let untagged = json!({"AllocatedUsageQuantity": 5});
    let first = allocated("requests", json!([team("a", 10), untagged])).good();
    // The order is not part of the record.
    assert_eq!(allocated("requests", json!([untagged, team("a", 10)])).good(), first);
    let invalid = "InvalidUsageAllocationsException";
    assert_eq!(allocated("gb", json!([team("a", 10), team("b", 4)])).error(), invalid);
    assert_eq!(allocated("gb", json!([team("a", 10), team("a", 5)])).error(), invalid);
    assert_eq!(
        allocated("gb", json!([{"AllocatedUsageQuantityAsDecimal": "15"}])).error(),
        invalid
    );
    assert_eq!(allocated("gb", json!([{"Tags": [{"Key": "k", "Value": "v"}]}])).error(), invalid);
    let twice = json!([{"Key": "k", "Value": "v"}, {"Key": "k", "Value": "w"}]);
    assert_eq!(
        allocated("gb", json!([{"AllocatedUsageQuantity": 15, "Tags": twice}])).error(),
        "InvalidTagException"
    );
    let keys_of_six: Vec<Value> = (0..6)
        .map(|n| json!({"AllocatedUsageQuantity": n, "Tags": [{"Key": format!("k{n}"), "Value": "v"}]}))
        .collect();
    assert_eq!(allocated("gb", json!(keys_of_six)).error(), "InvalidTagException");
    assert_eq!(stage.get("bill")["records"].as_array().map(Vec::len), Some(1));
}

#[test]
fn allocations_belong_to_the_identity_only_if_the_switch_says_so() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let one = json!({"UsageAllocations": [{"AllocatedUsageQuantity": 3}]});
    let first = stage.call(&keys, "MeterUsage", usage("gb", start_ms(), 3)).good();
    let second = changed(usage("gb", start_ms(), 3), one);
    assert_eq!(stage.call(&keys, "MeterUsage", second.clone()).good(), first);
    stage.post("switches", json!({"allocations_in_identity": true}));
    assert_eq!(stage.call(&keys, "MeterUsage", second).error(), "DuplicateRequestException");
}

#[test]
fn a_dry_run_checks_everything_and_records_nothing() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let dry =
        |input: Value| stage.call(&keys, "MeterUsage", changed(input, json!({"DryRun": true})));
    assert_eq!(dry(usage("gb", start_ms(), 3)).good()["MeteringRecordId"], "DryRunOperation");
    assert_eq!(dry(usage("nope", start_ms(), 3)).error(), "InvalidUsageDimensionException");
    stage.post("switches", json!({"dry_run": "error"}));
    assert_eq!(dry(usage("gb", start_ms(), 3)).error(), "DryRunOperation");
    stage.post("switches", json!({"dry_run": "unauthorized"}));
    assert_eq!(dry(usage("gb", start_ms(), 3)).error(), "UnauthorizedException");
    stage.post("switches", json!({"dry_run": "ok"}));
    stage.post("subscriptions", json!({"product_code": "abc", "subscribed": false}));
    assert_eq!(dry(usage("gb", start_ms(), 3)).error(), "CustomerNotEntitledException");
    stage.post("switches", json!({"dry_run_checks_subscription": false}));
    dry(usage("gb", start_ms(), 3)).good();
    assert_eq!(stage.get("bill")["records"], json!([]));
}

#[test]
fn a_body_that_is_not_what_the_model_says_is_refused() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let broken =
        stage.send(&keys, &Target::of("MeterUsage"), "{\"ProductCode\":").expect("an answer");
    assert_eq!(broken.error(), "SerializationException");
    let negative = stage.call(&keys, "MeterUsage", usage("gb", start_ms(), -1));
    assert_eq!(negative.error(), "ValidationException");
    assert!(negative.text.contains("usageQuantity"), "{}", negative.text);
    let text = changed(usage("gb", start_ms(), 1), json!({"UsageQuantity": "1"}));
    assert_eq!(stage.call(&keys, "MeterUsage", text).error(), "SerializationException");
}
