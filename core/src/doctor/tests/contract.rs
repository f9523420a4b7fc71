//! What was bought, and what the role may ask about it.

use super::*;
use crate::{
    adapter::aws::examine::Contract,
    model::{
        license::{self, Entitlement, Standing},
        outcome::{Consumption, Details, Tiers},
    },
};

const ARN: &str = "arn:aws:license-manager::294406891311:license:l-1";

fn seats() -> Result<Settings, Error> {
    product(json!([{"name": "Seats", "kind": "floating"}]))
}

fn tiers() -> Result<Settings, Error> {
    product(json!([{"name": "Basic", "kind": "tier"}, {"name": "Premium", "kind": "tier"}]))
}

fn product(entitlements: serde_json::Value) -> Result<Settings, Error> {
    settings(json!({"pricing": "contract", "dimensions": [], "entitlements": entitlements,
        "trusted_products": [{"code": "abc", "sku": "prod-1"}]}))
}

fn license(names: &[&str], standing: Standing, status: &str) -> Details {
    let entitlement =
        |name: &&str| Entitlement { name: (*name).to_owned(), ..Entitlement::default() };
    Details::Found(license::Contract {
        license_arn: Some(ARN.to_owned()),
        entitlements: names.iter().map(entitlement).collect(),
        standing,
        status: Some(status.to_owned()),
        ..license::Contract::default()
    })
}

fn denied() -> Failure {
    Failure { class: FailureClass::AccessDenied, text: "may not".to_owned() }
}

fn bought(names: &[&str]) -> Tiers {
    let entitlement =
        |name: &&str| Entitlement { name: (*name).to_owned(), ..Entitlement::default() };
    let entitlements = names.iter().map(entitlement).collect();
    Tiers::Bought { entitlements, license_arn: Some(ARN.to_owned()) }
}

/// Report of a role that may ask everything.
fn contract(settings: &Result<Settings, Error>, check_out: Tiers, received: Details) -> Report {
    let given = || Look::Seen(Permission::Given(String::new()));
    let mut facts = task();
    (facts.aws.register, facts.aws.meter) = (None, None);
    facts.aws.contract = Some(Contract {
        check_out: Look::Seen(check_out),
        check_in: given(),
        extend: given(),
        license: Look::Seen(received.clone()),
        received: Look::Seen(received),
        usage: Look::Seen(Consumption::Read(Vec::new())),
    });
    report(Some(settings), Some(&facts))
}

fn check(report: &Report, status: Status, word: &str) {
    let finding = of(report, "entitlement");
    assert_eq!(finding.status, status, "{finding:?}");
    let text = format!("{} {}", finding.what, finding.why);
    assert!(text.contains(word), "{finding:?}");
}

#[test]
fn what_was_bought_is_named_with_its_license() {
    let all = license(&["Basic", "Seats"], Standing::Usable, "AVAILABLE");
    check(
        &contract(&tiers(), bought(&["Basic"]), all.clone()),
        Status::Passed,
        "`Basic` by license",
    );
    let none = Tiers::None("no heartbeat".to_owned());
    check(&contract(&seats(), none, all), Status::Passed, "`Seats` by license");
}

#[test]
fn what_was_not_bought_has_failed() {
    let nothing = || Details::Nothing("no license of it".to_owned());
    let none = || Tiers::None("none of them".to_owned());
    check(&contract(&tiers(), none(), nothing()), Status::Failed, "none of the tiers");
    check(&contract(&seats(), none(), nothing()), Status::Failed, "no license of it");
    let other = license(&["Cores"], Standing::Usable, "AVAILABLE");
    check(&contract(&seats(), none(), other), Status::Failed, "it has `Cores`");
}

#[test]
fn a_license_that_may_not_be_used_has_failed_whatever_a_check_out_says() {
    for (standing, status) in [(Standing::Expired, "EXPIRED"), (Standing::Suspended, "DISABLED")] {
        let details = license(&["Basic"], standing, status);
        check(&contract(&tiers(), bought(&["Basic"]), details), Status::Failed, status);
    }
}

/// The diagnostics are in no managed policy of AWS.
#[test]
fn without_the_diagnostics_tiers_are_told_and_seats_are_not() {
    let report = contract(&tiers(), bought(&["Basic"]), Details::Failed(denied()));
    check(&report, Status::Passed, "`Basic`");
    assert_eq!(of(&report, "permission.ListReceivedLicenses").status, Status::Warning);
    let report = contract(&seats(), Tiers::None("none".to_owned()), Details::Failed(denied()));
    check(&report, Status::Skipped, "may not");
}

#[test]
fn a_denied_check_out_has_failed_and_what_was_bought_is_unknown() {
    let report = contract(&tiers(), Tiers::Failed(denied()), Details::Failed(denied()));
    assert_eq!(of(&report, "permission.CheckoutLicense").status, Status::Failed);
    check(&report, Status::Skipped, "may not");
}

#[test]
fn hourly_pricing_is_not_asked_what_would_begin_billing() {
    let mut facts = task();
    facts.aws.meter = None;
    let finding = told(&facts, "entitlement");
    assert_eq!(finding.status, Status::Skipped);
    let refusal =
        Refusal { reason: RefusalReason::NotEntitled, text: "no subscription".to_owned() };
    facts.aws.meter = Some(Look::Seen(Permitted::No(refusal)));
    assert_eq!(told(&facts, "entitlement").status, Status::Failed);
}
