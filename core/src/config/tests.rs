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
fn a_refused_value_leaves_the_old_one() {
    let mut config = usage();
    let before = config.clone();
    config.set("pricing", "barter").expect_err("not a word of the list");
    assert_eq!(config, before);
}
