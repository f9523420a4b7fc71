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

/// T69: a code from the environment that stands for another product, or for a free one.
#[test]
fn a_code_from_outside_must_be_trusted() {
    let mut config = usage();
    config.set("trusted_products", r#"[{"code":"mine"}]"#).expect("valid");
    check(config.settings(), &["`3xmpl`", "`mine`"]);
    let free = r#"[{"code":"paid"},{"code":"3xmpl","plan":"free"}]"#;
    config.set("trusted_products", free).expect("valid");
    check(config.settings(), &["`3xmpl`", "free"]);
    // The free product's entry does not lend its trust to a code that looks like it.
    for code in ["paid ", "PAID", "paid/", "pai"] {
        config.set("product_code", code).expect("a text");
        assert_eq!(config.settings().expect_err("not listed").code(), Code::InvalidConfig);
    }
    config.set("product_code", "paid").expect("a text");
    assert!(config.settings().expect("the paid one").product.paid);
}

fn hourly(keys: &[i32]) -> Config {
    let keys: Vec<_> = keys
        .iter()
        .map(|version| serde_json::json!({"version": version, "pem": format!("-----BEGIN {version}")}))
        .collect();
    let mut config = Config::new();
    config.set("pricing", "hourly").expect("a word").set("product_code", "3xmpl").expect("a text");
    let products = serde_json::json!([{"code": "other"}, {"code": "3xmpl", "public_keys": keys}]);
    config.set_value("trusted_products", products).expect("a list");
    config
}

#[test]
fn the_newest_version_of_a_public_key_is_the_last_wherever_it_stands() {
    for keys in [&[1, 2, 10][..], &[10, 2, 1], &[2, 10, 1]] {
        let settings = hourly(keys).settings().expect("valid");
        let newest = settings.product.public_keys.last().expect("there are three");
        assert_eq!((newest.version, newest.pem.as_str()), (10, "-----BEGIN 10"), "{keys:?}");
    }
}

#[test]
fn a_product_or_a_key_version_that_is_listed_twice_is_refused() {
    check(hourly(&[2, 1, 2]).settings(), &["`3xmpl`", "version `2`"]);
    let mut config = usage();
    config
        .set("trusted_products", r#"[{"code":"3xmpl"},{"code":"3xmpl","plan":"free"}]"#)
        .expect("a list");
    check(config.settings(), &["`3xmpl`", "listed twice"]);
    // Also of a product that this process is not.
    let keys = r#"[{"code":"3xmpl"},{"code":"b","public_keys":[{"version":1,"pem":"-----BEGIN"},{"version":1,"pem":"-----BEGIN"}]}]"#;
    config.set("trusted_products", keys).expect("a list");
    check(config.settings(), &["`b`", "version `1`"]);
}

#[test]
fn another_issuer_than_aws_marketplace_is_test_mode() {
    // T71
    let mut config = usage();
    assert!(!config.settings().expect("valid").is_test());
    config.set("issuer_fingerprint", "aws:111122223333:me:issuer-fingerprint").expect("a text");
    assert!(config.settings().expect("valid").is_test());
    let awss = "aws:294406891311:AWS/Marketplace:issuer-fingerprint";
    config.set("issuer_fingerprint", awss).expect("a text");
    assert!(!config.settings().expect("valid").is_test());
    config.set("issuer_fingerprint", &awss.to_lowercase()).expect("a text");
    assert!(config.settings().expect("valid").is_test(), "a name is the same or it is not");
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
fn nothing_that_may_be_secret_is_shown() {
    let mut config = usage();
    config.set("proxy", "http://user:hunter22@proxy:3128").expect("a text");
    let shown = format!("{config:?}");
    assert!(shown.contains("proxy") && !shown.contains("hunter22"), "{shown}");
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}", "MIIEvQIBADANBgkq".repeat(8));
    for place in ["trusted_products", "dimensions", "recheck_interval_ms"] {
        let why = config.set(place, &key).expect_err("it is none");
        assert!(why.text().contains(place) && !why.text().contains("MIIE"), "{}", why.text());
    }
    let pasted =
        serde_json::json!([{"code": "3xmpl", "public_keys": [{"version": key, "pem": 7}]}]);
    let why = config.set_value("trusted_products", pasted).expect_err("it is none");
    assert!(!why.text().contains("MIIE"), "{}", why.text());
}

#[test]
fn a_refused_value_leaves_the_old_one() {
    let mut config = usage();
    let before = config.clone();
    config.set("pricing", "barter").expect_err("not a word of the list");
    assert_eq!(config, before);
}

#[test]
fn a_proxy_is_nowhere_in_the_environment_or_a_url_with_its_exceptions() {
    use crate::model::proxy::{NoProxy, ProxyChoice, ProxyUrl};
    let of = |keys: &[(&str, &str)]| {
        let mut config = usage();
        for (key, value) in keys {
            config.set(key, value)?;
        }
        config.settings().map(|settings| settings.proxy)
    };
    assert_eq!(of(&[]), Ok(ProxyChoice::None));
    assert_eq!(of(&[("proxy", "none")]), Ok(ProxyChoice::None));
    assert_eq!(of(&[("proxy", "environment")]), Ok(ProxyChoice::Environment));
    let url = ProxyUrl::read("http://user:pass@proxy:3128").expect("it can be read");
    let both = [("proxy", "http://user:pass@proxy:3128"), ("no_proxy", ".example.com")];
    assert_eq!(of(&both[..1]), Ok(ProxyChoice::Url(url.clone(), NoProxy::default())));
    assert_eq!(of(&both), Ok(ProxyChoice::Url(url, NoProxy::read("example.com"))));

    check(of(&both[1..]), &["`no_proxy`", "`none`"]);
    check(of(&[("proxy", "environment"), both[1]]), &["`no_proxy`", "`environment`", "NO_PROXY"]);
    check(of(&[("proxy", "https://proxy:443")]), &["`proxy`", "`https://`", "`environment`"]);
    check(of(&[("proxy", "socks5://proxy:1080")]), &["`proxy`", "SOCKS"]);
    check(of(&[("proxy", "no such thing")]), &["`proxy`", "`http://proxy.example.com:3128`"]);
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_without_showing_its_password() {
    for url in ["https://user:secret@proxy", "http://user:secret@bad host", "user:secret@:1"] {
        let mut config = usage();
        let error = config.set("proxy", url).and_then(|config| config.settings());
        let error = error.expect_err("it is wrong");
        assert!(!error.text().contains("secret"), "{}", error.text());
    }
    let mut config = usage();
    let settings = config.set("proxy", "http://user:secret@proxy:1").and_then(|c| c.settings());
    assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
}

#[test]
fn variants_of_awss_hosts_are_off_unless_the_seller_asks() {
    let of = |key: &str, value: &str| {
        let mut config = usage();
        let settings = config.set(key, value).and_then(|config| config.settings());
        settings.map(|s| (s.use_fips_endpoint, s.use_dualstack_endpoint))
    };
    let settings = usage().settings().expect("valid");
    assert!(!settings.use_fips_endpoint && !settings.use_dualstack_endpoint);
    assert_eq!(of("use_fips_endpoint", "true"), Ok((true, false)));
    assert_eq!(of("use_dualstack_endpoint", "true"), Ok((false, true)));
    check(of("use_fips_endpoint", "yes"), &["`use_fips_endpoint`", "`yes`", "`true` or `false`"]);
}
