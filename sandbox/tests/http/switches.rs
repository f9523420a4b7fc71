//! Switches that concern every service.

use serde_json::json;

use crate::support::{Stage, start_ms, usage};

#[test]
fn the_error_code_is_where_the_switch_puts_it() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let refused = |style: &str| {
        stage.post("switches", json!({"error_style": style}));
        stage.call(&keys, "MeterUsage", usage("nope", start_ms(), 1))
    };
    let code = "InvalidUsageDimensionException";
    let plain = refused("type");
    assert_eq!(
        (plain.json()["__type"].as_str(), plain.header("x-amzn-errortype")),
        (Some(code), None)
    );
    let header = refused("header");
    assert_eq!(
        (header.json().get("__type"), header.header("x-amzn-errortype")),
        (None, Some(code))
    );
    let namespaced = refused("namespaced").json()["__type"].as_str().expect("a type").to_owned();
    assert!(namespaced.ends_with(&format!("#{code}")), "{namespaced}");
    let suffixed = refused("suffixed");
    let header = suffixed.header("x-amzn-errortype").expect("a header");
    assert!(header.starts_with(&format!("{code}:http://")), "{header}");
    for style in ["type", "header", "namespaced", "suffixed"] {
        assert!(refused(style).json()["message"].is_string(), "{style}");
    }
}

#[test]
fn rate_limits_count_in_real_time_and_only_when_switched_on() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let register = || {
        stage
            .call(&keys, "RegisterUsage", json!({"ProductCode": "abc", "PublicKeyVersion": 1}))
            .status
    };
    assert!((0..8).all(|_| register() == 200));
    stage.post("switches", json!({"rate_limits": true}));
    // However slow the machine is, the first five pass; five a second is more than enough for the rest.
    let statuses: Vec<u16> = (0..40).map(|_| register()).collect();
    assert_eq!(statuses[..5], [200; 5]);
    assert!(statuses.contains(&400), "{statuses:?}");
    let requests = stage.get("requests?operation=RegisterUsage");
    let requests = requests["requests"].as_array().expect("a list");
    let throttled =
        requests.iter().find(|request| request["status"] == 400).expect("a throttled one");
    assert_eq!(throttled["error"], "ThrottlingException");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(register(), 200);
}

#[test]
fn switches_keep_their_positions_until_they_are_moved_or_reset() {
    let stage = Stage::frozen();
    let fresh = stage.get("switches");
    stage.post("switches", json!({"meter_window_ms": 1}));
    let moved = stage.post("switches", json!({"claims": "pascal"}));
    assert_eq!((&moved["meter_window_ms"], &moved["claims"]), (&json!(1), &json!("pascal")));
    stage.post("reset", json!({}));
    assert_eq!(stage.get("switches"), fresh);
}
