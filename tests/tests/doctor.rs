//! The doctor against a sandbox: what it finds, and that it changes nothing.

#[allow(dead_code, reason = "other tests play programs on it")]
mod stage;

use mpguard_core::{
    Config, Guard, doctor,
    model::finding::{Report, Status},
};
use mpguard_tests::{place::Place, sandbox::Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

/// A sandbox with a licensed product, and its configuration.
fn start() -> (Sandbox, Value) {
    let place = Place::of_this_test().expect("cargo built this test");
    stage::start(&place).expect("a sandbox with a product")
}

fn examine(config: &Value) -> Report {
    let config = Config::from_json(&config.to_string()).expect("a configuration");
    let report = doctor::examine(Some(&config));
    println!("{}", report.to_text(false, 100)); // for who reads a failure
    report
}

fn status(report: &Report, id: &str) -> Status {
    let found = report.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("no finding `{id}`")).status
}

fn what(report: &Report, id: &str) -> String {
    let found = report.findings.iter().find(|finding| finding.id == id);
    let found = found.unwrap_or_else(|| panic!("no finding `{id}`"));
    format!("{} | {} | {}", found.what, found.why, found.fix)
}

/// Everything that the sandbox could remember of us but requests and credentials.
fn traces(sandbox: &Sandbox) -> Value {
    let control = sandbox.control();
    let mut seats = control.get("/_sandbox/seats").expect("seats");
    // A look at tiers is a check out of what is not counted.
    if let Some(all) = seats["checkouts"].as_array_mut() {
        all.retain(|checkout| checkout["entitlements"].to_string().contains("\"unit\":\"Count\""));
    }
    json!([control.get("/_sandbox/bill").expect("the bill"), seats])
}

const ACTIONS: [&str; 8] = [
    "RegisterUsage",
    "MeterUsage",
    "CheckoutLicense",
    "CheckInLicense",
    "ExtendLicenseConsumption",
    "GetLicense",
    "ListReceivedLicenses",
    "GetLicenseUsage",
];

#[test]
fn a_healthy_task_passes_everything_and_nothing_is_billed_or_taken() {
    let (sandbox, config) = start();
    let before = traces(&sandbox);
    let report = examine(&config);
    assert!(report.sandbox);
    assert_eq!(report.exit_code(), 1, "a sandbox proves nothing");
    for id in ["configuration", "key", "platform", "identity", "region", "credentials", "principal"]
    {
        assert_eq!(status(&report, id), Status::Passed, "{id}");
    }
    for action in ACTIONS {
        assert_eq!(status(&report, &format!("permission.{action}")), Status::Passed, "{action}");
    }
    for id in ["dry_run", "entitlement", "state.directory"] {
        assert_eq!(status(&report, id), Status::Passed, "{id}");
    }
    assert!(what(&report, "principal").contains(":assumed-role/sandbox-native/native"));
    assert!(what(&report, "entitlement").contains("`Basic`"));
    assert_eq!(traces(&sandbox), before, "the doctor only looks");
}

#[test]
fn each_denied_action_is_named_and_a_diagnostic_one_only_warns() {
    let (sandbox, config) = start();
    for action in ACTIONS {
        let denied = json!({"iam_denied": [action]});
        sandbox.control().post("/_sandbox/switches", &denied).expect("a switch");
        let report = examine(&config);
        let diagnostic = matches!(action, "ListReceivedLicenses" | "GetLicenseUsage");
        let expected = if diagnostic { Status::Warning } else { Status::Failed };
        for other in ACTIONS {
            let wanted = if other == action { expected } else { Status::Passed };
            assert_eq!(
                status(&report, &format!("permission.{other}")),
                wanted,
                "{action}: {other}"
            );
        }
        let text = what(&report, &format!("permission.{action}"));
        assert!(text.contains(&format!(":{action}`")), "{text}");
        assert!(text.contains("mpguard policy") || diagnostic, "{text}");
    }
}

#[test]
fn what_was_not_bought_is_told_by_the_contract_and_by_the_dry_run() {
    let (sandbox, mut config) = start();
    config["product_code"] = json!("unsubscribed");
    let report = examine(&config);
    assert_eq!(status(&report, "entitlement"), Status::Failed);
    assert!(what(&report, "entitlement").contains("AWS Marketplace"));
    // No permission is missing for it.
    for action in ["RegisterUsage", "MeterUsage", "CheckoutLicense", "ListReceivedLicenses"] {
        assert_eq!(status(&report, &format!("permission.{action}")), Status::Passed, "{action}");
    }
    assert_eq!(status(&report, "permission.GetLicense"), Status::Skipped, "there is none to get");
    drop(sandbox);
}

#[test]
fn a_license_that_may_not_be_used_is_named_with_its_status() {
    let (sandbox, config) = start();
    let control = sandbox.control();
    let licenses = control.get("/_sandbox/licenses").expect("licenses");
    let id = licenses["licenses"][0]["id"].as_str().expect("an id").to_owned();
    control
        .post(&format!("/_sandbox/licenses/{id}/deactivate"), &Value::Null)
        .expect("deactivated");
    let report = examine(&config);
    assert_eq!(status(&report, "entitlement"), Status::Failed);
    assert!(
        what(&report, "entitlement").contains("`DEACTIVATED`"),
        "{}",
        what(&report, "entitlement")
    );
}

#[test]
fn a_place_that_aws_does_not_meter_is_told_by_platform_and_dry_run() {
    let (sandbox, mut config) = start();
    let control = sandbox.control();
    let laptop = json!({"name": "laptop", "platform": "none"});
    control.post("/_sandbox/tasks", &laptop).expect("a task");
    config["sandbox"] = json!(format!("{}/t/laptop", control.address()));
    let report = examine(&config);
    assert_eq!(report.exit_code(), 2);
    assert_eq!(status(&report, "platform"), Status::Failed);
    assert!(what(&report, "platform").contains("IRSA"));
    assert_eq!(status(&report, "dry_run"), Status::Failed);
    assert_eq!(status(&report, "permission.MeterUsage"), Status::Passed);
}

#[test]
fn a_sandbox_that_is_gone_fails_soon_and_every_look_says_why() {
    let (mut sandbox, config) = start();
    sandbox.kill();
    let begun = std::time::Instant::now();
    let report = examine(&config);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(report.exit_code(), 2);
    assert_eq!(status(&report, "identity"), Status::Failed);
    for finding in report.findings.iter().filter(|finding| finding.status == Status::Skipped) {
        assert!(!finding.why.is_empty(), "{}", finding.id);
    }
    assert_eq!(status(&report, "permission.MeterUsage"), Status::Skipped);
}

#[test]
fn a_guard_of_this_process_keeps_its_ledger_and_goes_on_counting() {
    let (sandbox, mut config) = start();
    let folder = mpguard_tests::tool::scratch(env!("CARGO_TARGET_TMPDIR"), "doctor-beside-a-guard");
    let folder = folder.expect("a folder");
    config["state_dir"] = json!(folder);
    assert_eq!(status(&examine(&config), "state.ledger"), Status::Passed, "there is none yet");
    let made = Config::from_json(&config.to_string()).expect("a configuration");
    let guard = Guard::init(&made).expect("a licensed guard");
    let meter = guard.meter("requests", &[]).expect("a meter");
    meter.add(7).expect("counted");
    let report = examine(&config);
    assert_eq!(status(&report, "state.directory"), Status::Passed);
    assert_eq!(status(&report, "state.ledger"), Status::Skipped, "its locks would be gone");
    let hour = Duration::from_secs(3600);
    sandbox.control().advance(hour * 2, hour / 4).expect("every guard is at rest");
    let bill = sandbox.control().get("/_sandbox/bill").expect("the bill");
    assert_eq!(bill["totals"]["native"]["requests"], "7");
    guard.shutdown(Duration::from_secs(10)).expect("a report");
    let report = examine(&config);
    assert_eq!(status(&report, "state.ledger"), Status::Passed);
    assert!(
        what(&report, "state.ledger").contains("7 delivered"),
        "{}",
        what(&report, "state.ledger")
    );
}
