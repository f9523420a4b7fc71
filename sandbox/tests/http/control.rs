//! The control API as a whole.

use std::io::Write as _;

use mpguard_sandbox::{Error, Options, Sandbox};
use serde_json::json;

use crate::support::{Stage, start_ms, usage};

#[test]
fn an_unknown_path_says_where_to_look() {
    let stage = Stage::frozen();
    let got = stage.control("GET", "nonsense", None);
    assert_eq!(got.status, 404);
    assert!(got.text.contains("sandbox/README.md"), "{}", got.text);
    let got = stage.control("DELETE", "bill", None);
    assert!(
        got.json()["error"].as_str().is_some_and(|error| error.contains("DELETE /_sandbox/bill"))
    );
    let got = stage.control("GET", "bill?tusk=a", None);
    assert!(
        got.json()["error"].as_str().is_some_and(|error| error.contains("`tusk`")),
        "{}",
        got.text
    );
}

#[test]
fn bad_products_and_faults_are_refused_by_name() {
    let stage = Stage::frozen();
    assert!(
        stage
            .refused("products", json!({"product_code": "a b"}))
            .contains("`a b` is not a product code")
    );
    assert!(
        stage
            .refused("products", json!({"product_code": "a", "key_versions": [0]}))
            .contains("start at 1")
    );
    assert!(
        stage
            .refused("products", json!({"product_code": "a", "price": 1}))
            .contains("unknown field `price`")
    );
    assert!(
        stage
            .refused("subscriptions", json!({"product_code": "zzz", "subscribed": true}))
            .contains("`zzz`")
    );
    assert!(
        stage
            .refused("faults", json!({"operation": "Nope", "kind": "throttle"}))
            .contains("MeterUsage")
    );
    assert!(
        stage
            .refused("faults", json!({"operation": "*", "kind": "nope"}))
            .contains("unknown variant")
    );
    assert!(stage.refused("switches", json!({"dry_run": "maybe"})).contains("maybe"));
    assert!(stage.refused("switches", json!({"no_such": 1})).contains("no_such"));
}

#[test]
fn requests_are_recorded_with_body_answer_and_error() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    stage.call(&keys, "MeterUsage", usage("requests", start_ms(), 3));
    stage.call(&keys, "MeterUsage", usage("requests", start_ms(), 4));
    let requests = stage.get("requests?operation=MeterUsage&task=a");
    let requests = requests["requests"].as_array().expect("a list");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0]["body"]["UsageQuantity"], 3);
    assert_eq!(requests[0]["status"], 200);
    assert!(requests[0]["answer"]["MeteringRecordId"].is_string());
    assert_eq!(requests[1]["error"], "DuplicateRequestException");
    assert_eq!(requests[1]["at_ms"], start_ms());
    assert_eq!(stage.get("requests?task=b")["requests"], json!([]));
    stage.control("DELETE", "requests", None).good();
    assert_eq!(stage.get("requests")["requests"], json!([]));
}

#[test]
fn a_seed_sets_things_up_before_the_first_request() {
    let path = std::env::temp_dir().join(format!("mpguard-seed-{}.json", std::process::id()));
    let seed = json!({
        "products": [{"product_code": "seeded", "dimensions": ["d"]}],
        "tasks": [{"name": "t", "platform": "eks"}],
        "switches": {"dry_run": "error"},
        "faults": [{"operation": "MeterUsage", "kind": "throttle"}],
    });
    let write = |text: &str| {
        std::fs::File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("a seed file");
    };
    write(&seed.to_string());
    let stage = Stage::with(Options { seed: Some(path.clone()), ..Options::default() });
    assert_eq!(stage.get("products")["products"][1]["product_code"], "seeded");
    assert_eq!(stage.get("tasks")["tasks"][0]["platform"], "eks");
    assert_eq!(stage.get("switches")["dry_run"], "error");
    assert_eq!(stage.get("faults")["faults"][0]["kind"], "throttle");

    let refused = |text: &str| {
        write(text);
        match Sandbox::start(Options { seed: Some(path.clone()), ..Options::default() }) {
            Err(error @ Error::Seed { .. }) => error.to_string(),
            other => panic!("expected a refusal, got {:?}", other.err()),
        }
    };
    assert!(refused(r#"{"moons": []}"#).contains("no seeds for `moons`"));
    assert!(refused(r#"{"tasks": [{"name": ""}]}"#).contains("tasks: `` is not a task name"));
    std::fs::remove_file(&path).expect("the seed file goes");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let stage = Stage::frozen();
    let port = stage.sandbox.address().port();
    let error =
        Sandbox::start(Options { port, ..Options::default() }).err().expect("the port is taken");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    let error = Sandbox::start(Options { region: "a.b".to_owned(), ..Options::default() }).err();
    assert!(matches!(error, Some(Error::Region(_))));
}

#[test]
fn a_dropped_sandbox_is_gone() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox starts");
    let address = sandbox.address();
    drop(sandbox);
    assert!(std::net::TcpStream::connect(address).is_err());
}
