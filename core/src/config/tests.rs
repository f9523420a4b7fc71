use super::{Config, KEYS, Shape, keys::Key};
use crate::error::Code;

fn usage() -> Config {
    Config::from_json(
        r#"{"pricing":"usage","product_code":"3xmpl","dimensions":[{"name":"requests"}]}"#,
    )
    .expect("the example is valid")
}

fn check(result: crate::Result<impl std::fmt::Debug>, parts: &[&str]) {
    let error = result.expect_err("the value is wrong");
    assert_eq!(error.code(), Code::InvalidConfig);
    for part in parts {
        assert!(error.text().contains(part), "`{}` does not say `{part}`", error.text());
    }
}

#[test]
fn every_default_fits_its_own_key() {
    fn walk(keys: &'static [Key]) {
        for key in keys {
            if !key.default.is_empty() {
                let value = serde_json::from_str(key.default).expect(key.name);
                super::read::check(key, key.name, &value).expect(key.name);
            }
            if let Shape::List(inner) = key.shape {
                walk(inner);
            }
        }
    }
    walk(KEYS);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    check(Config::new().set("productcode", "x").map(|_| ()), &["`productcode`", "`product_code`"]);
    check(Config::new().set("zzz", "x").map(|_| ()), &["`zzz`", "CONFIGURATION.md"]);
    check(
        Config::from_json(r#"{"dimensions":[{"name":"a","perunit":3}]}"#),
        &["`perunit`", "`dimensions[0]`", "`per_unit`"],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_what_is_allowed() {
    check(
        Config::new().set("recheck_interval_ms", "soon").map(|_| ()),
        &["`soon`", "whole number"],
    );
    check(Config::new().set("recheck_interval_ms", "5").map(|_| ()), &["`5`", "60000"]);
    check(Config::new().set("startup_pending", "hope").map(|_| ()), &["hope", "`wait`, `fail`"]);
    check(Config::from_json(r#"{"product_code":7}"#), &["`product_code`", "`7`"]);
    check(Config::from_json(r#"{"dimensions":{}}"#), &["`dimensions`", "list"]);
    check(Config::from_json("[]"), &["JSON object"]);
    check(Config::from_json("{"), &["cannot read configuration"]);
}

#[test]
fn a_missing_key_is_named_with_its_meaning() {
    check(Config::new().settings(), &["`pricing`", "RegisterUsage"]);
    let mut config = usage();
    config.set_value("product_code", serde_json::Value::Null).expect("null resets");
    check(config.settings(), &["`product_code`"]);
}

#[test]
fn a_code_from_outside_must_be_trusted() {
    let mut config = usage();
    config.set("trusted_products", r#"[{"code":"mine"}]"#).expect("valid");
    check(config.settings(), &["`3xmpl`", "`mine`"]);
    config.set("trusted_products", r#"[{"code":"3xmpl","plan":"free"}]"#).expect("valid");
    check(config.settings(), &["`3xmpl`", "free"]);
}

#[test]
fn hourly_pricing_needs_a_public_key() {
    let mut config = Config::new();
    config.set("pricing", "hourly").expect("valid").set("product_code", "3xmpl").expect("valid");
    check(config.settings(), &["`3xmpl`", "public_keys"]);
}

#[test]
fn a_sandbox_elsewhere_than_on_loopback_is_refused() {
    let mut config = usage();
    for url in
        ["http://10.0.0.1:80/t/a", "https://127.0.0.1:1", "127.0.0.1:4", "http://localhost:1/"]
    {
        config.set("sandbox", url).expect("a text");
        check(config.settings(), &[url, "loopback"]);
    }
    config.set("sandbox", "http://127.0.0.1:4000/t/app/").expect("a text");
    let settings = config.settings().expect("valid");
    assert_eq!(settings.sandbox.as_deref(), Some("http://127.0.0.1:4000/t/app"));
    assert!(settings.is_test());
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let mut config = usage();
    config.set("pricing", "contract").expect("a word");
    check(config.settings(), &["SKU"]);
    let mut config = usage();
    config.set("dimensions", r#"[{"name":"a"},{"name":"a"}]"#).expect("a list");
    check(config.settings(), &["`a`", "twice"]);
    let mut config = usage();
    config.set("pricing", "usage+contract").expect("a word");
    config.set("trusted_products", r#"[{"code":"3xmpl","sku":"prod-1"}]"#).expect("a list");
    config
        .set("entitlements", r#"[{"name":"Basic","kind":"tier","unit":"Count"}]"#)
        .expect("a list");
    check(config.settings(), &["`Basic`", "`Count`"]);
}

#[test]
fn a_probe_dimension_is_never_a_billed_one() {
    let mut config = usage();
    assert_eq!(config.settings().expect("valid").probe_dimension, None);
    config.set("probe_dimension", "requests").expect("a text");
    check(config.settings(), &["`requests`", "take the hour", "leave it out"]);
    config.set("probe_dimension", &"x".repeat(256)).expect("a text");
    check(config.settings(), &["255"]);
    config.set("probe_dimension", "started").expect("a text");
    let settings = config.settings().expect("valid");
    assert_eq!(settings.probe_dimension, Some("started".into()));
    let all: Vec<_> = (0..24).map(|n| serde_json::json!({"name": format!("d{n}")})).collect();
    config.set_value("dimensions", all.into()).expect("a list");
    check(config.settings(), &["`started`", "24"]);

    let hourly = r#"{"pricing":"hourly","product_code":"3xmpl","probe_dimension":"started",
        "trusted_products":[{"code":"3xmpl","public_keys":[{"version":1,"pem":"-----BEGIN"}]}]}"#;
    check(Config::from_json(hourly).expect("each key is valid").settings(), &["`usage`"]);
}

#[test]
fn an_idle_hour_is_silent_unless_the_seller_wants_a_record() {
    let mut config = usage();
    assert!(!config.settings().expect("valid").zero_records);
    config.set("idle_hours", "zero_record").expect("a word");
    assert!(config.settings().expect("valid").zero_records);
    check(config.set("idle_hours", "zero").map(|_| ()), &["`silent`, `zero_record`"]);
}

#[test]
fn a_dry_run_is_taken_when_the_seller_asks_for_it() {
    let mut config = usage();
    assert!(!config.settings().expect("valid").dry_run);
    config.set("startup_check", "dry_run").expect("a word");
    assert!(config.settings().expect("valid").dry_run);
}

#[test]
fn a_state_directory_is_an_absolute_path() {
    let mut config = usage();
    assert_eq!(config.settings().expect("valid").state_dir, None);
    for path in ["state", "./state", "../state", "~/state", "/var/lib/\0"] {
        config.set("state_dir", path).expect("a text");
        check(config.settings(), &["state_dir", "absolute path"]);
    }
    config.set("state_dir", "/var/lib/mpguard").expect("a text");
    let dir = config.settings().expect("valid").state_dir;
    assert_eq!(dir.as_deref(), Some(std::path::Path::new("/var/lib/mpguard")));
}

#[test]
fn a_refused_value_leaves_the_old_one() {
    let mut config = usage();
    let before = config.clone();
    config.set("pricing", "barter").expect_err("not a word of the list");
    assert_eq!(config, before);
}
