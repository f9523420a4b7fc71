//! A sandbox with one product, and a program that is told how to reach it.

use mpguard_tests::{Done, native, place::Place, sandbox::Sandbox, tool};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Command};

/// Compiles a program of these sources and runs it; it must end well.
pub(crate) fn check(sources: &[&str]) {
    if let Err(why) = play(sources) {
        panic!("{why}");
    }
}

fn play(sources: &[&str]) -> Done {
    let place = Place::of_this_test()?;
    let paths: Vec<PathBuf> = sources.iter().map(|source| place.root.join(source)).collect();
    let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
    let program = native::compile_checked(&place, &paths)?;
    let (sandbox, config) = start(&place)?;
    let mut command = Command::new(program);
    command.arg(config.to_string()).arg(sandbox.control().address());
    tool::run(&mut command).map(drop)
}

/// A sandbox, and the configuration of a product that it licenses.
pub(crate) fn start(place: &Place) -> Done<(Sandbox, Value)> {
    let sandbox = Sandbox::start(place)?;
    let config = set_up(&sandbox)?;
    Ok((sandbox, config))
}

/// A product that is subscribed to, with a tier and ten seats, and one that is not.
fn set_up(sandbox: &Sandbox) -> Done<Value> {
    let control = sandbox.control();
    let product = |code: &str, subscribed: bool| {
        control.post(
            "/_sandbox/products",
            &json!({
                "product_code": code, "product_sku": format!("prod-{code}"), "subscribed": subscribed,
                "dimensions": ["requests", "megabytes", "hosts"],
            }),
        )
    };
    let trusted = |made: &Value| {
        json!({
            "code": made["product_code"], "sku": made["product_sku"],
            "public_keys": [{"version": 1, "pem": made["public_keys"]["1"]}],
        })
    };
    let (native, unsubscribed) = (product("native", true)?, product("unsubscribed", false)?);
    control.post(
        "/_sandbox/licenses",
        &json!({"product_sku": "prod-native", "entitlements": [
            {"name": "Basic", "unit": "None", "value": "Enabled"},
            {"name": "Seats", "unit": "Count", "max_count": 10, "allow_check_in": true},
            {"name": "Credits", "unit": "Count", "max_count": 100},
        ]}),
    )?;
    Ok(json!({
        "pricing": "hourly+usage+contract",
        "product_code": "native",
        "trusted_products": [trusted(&native), trusted(&unsubscribed)],
        "dimensions": [{"name": "requests"}, {"name": "megabytes"}, {"name": "hosts", "kind": "max"}],
        "entitlements": [
            {"name": "Basic", "kind": "tier"},
            {"name": "Premium", "kind": "tier"},
            {"name": "Seats", "kind": "floating"},
            {"name": "Credits", "kind": "drawdown", "batch": 10},
        ],
        "startup_timeout_ms": 20_000,
        "sandbox": format!("{}/t/native", control.address()),
    }))
}
