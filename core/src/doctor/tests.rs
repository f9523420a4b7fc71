//! Reports as a whole. Production is never examined here: a test asks no metadata address.

mod contract;
mod state;

use super::*;
use crate::{
    adapter::{
        aws::examine::{Aws, Endpoint, Permission, Place, Principal, Reached, Through, Unreached},
        surroundings::{File, Variable},
    },
    model::{
        finding::{Candidate, Fate},
        ids::{Identity, Platform},
        outcome::{Failure, FailureClass, Permitted, Refusal, RefusalReason},
        time::Timestamp,
    },
};
use serde_json::json;
use std::time::Duration;

fn settings(changes: serde_json::Value) -> Result<Settings, Error> {
    let mut config = json!({
        "pricing": "usage", "product_code": "abc",
        "dimensions": [{"name": "requests"}],
    });
    for (key, value) in changes.as_object().expect("an object") {
        config[key] = value.clone();
    }
    Config::from_json(&config.to_string())?.settings()
}

fn not<T>() -> Look<T> {
    Look::Not("not asked in this test".to_owned())
}

/// Nobody has looked at anything.
fn facts() -> Facts {
    Facts {
        variables: Vec::new(),
        files: Vec::new(),
        aws: Aws {
            identity: not(),
            place: Place::default(),
            signs: Vec::new(),
            regions: Vec::new(),
            sources: Vec::new(),
            credentials: not(),
            principal: not(),
            register: None,
            meter: None,
            contract: None,
            through: Through::Direct,
            endpoints: Vec::new(),
        },
        survey: Look::Late,
        kept: Look::Late,
    }
}

fn candidate(source: &'static str, value: &str, fate: Fate) -> Candidate {
    Candidate { source, value: Some(value.to_owned()), fate, why: "because".to_owned() }
}

/// An ECS task of eu-west-1 where all is well.
fn task() -> Facts {
    let mut facts = facts();
    let aws = &mut facts.aws;
    aws.identity = Look::Seen(Ok(Identity {
        platform: Platform::Ecs,
        name: "arn:aws:ecs:eu-west-1:111122223333:task/default/1".to_owned(),
        region: "eu-west-1".to_owned(),
    }));
    aws.place = Place::Fargate;
    aws.signs = vec![candidate("LaunchType of the ECS task metadata", "FARGATE", Fate::Won)];
    aws.regions = vec![candidate("the ARN of the ECS task", "eu-west-1", Fate::Won)];
    aws.sources = vec![candidate("the ECS task role", "", Fate::Won)];
    aws.credentials = Look::Seen(Ok(Some(Timestamp(1_767_261_600_000))));
    aws.principal = Look::Seen(Ok(Principal { account: "111122223333".into(), arn: "arn".into() }));
    aws.register = Some(Look::Seen(Permission::Given(String::new())));
    aws.meter = Some(Look::Seen(Permitted::Yes));
    aws.endpoints = vec![endpoint(Ok(reached(40)))];
    facts
}

fn reached(behind_ms: i64) -> Reached {
    Reached { took: Duration::from_millis(12), tls: Some("TLS 1.3"), behind_ms: Some(behind_ms) }
}

fn endpoint(reached: Result<Reached, Unreached>) -> Endpoint {
    let host = "metering.marketplace.eu-west-1.amazonaws.com".to_owned();
    Endpoint { service: "metering", host, needed: true, reached: Look::Seen(reached) }
}

fn of<'a>(report: &'a Report, id: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("no finding `{id}`"))
}

/// The finding of these facts.
fn told(facts: &Facts, id: &str) -> Finding {
    of(&report(Some(&settings(json!({}))), Some(facts)), id).clone()
}

#[test]
fn a_configuration_that_cannot_be_used_has_failed_and_the_surroundings_are_looked_at_all_the_same()
{
    for text in ["{", "[]", r#"{"pricing":"usage"}"#, r#"{"pricing":"sage","product_code":"abc"}"#]
    {
        let settings = Config::from_json(text).and_then(|config| config.settings());
        let report = report(Some(&settings), Some(&facts()));
        let first = &report.findings[0];
        assert_eq!((first.id.as_str(), first.status), ("configuration", Status::Failed), "{text}");
        assert_eq!(report.exit_code(), 2, "{text}");
        assert!(report.findings.len() > 5, "{text}");
    }
}

#[test]
fn an_examination_that_could_not_be_made_has_failed() {
    let report = report(None, None);
    assert_eq!(of(&report, "examination").status, Status::Failed);
}

#[test]
fn every_finding_stands_in_the_table_and_has_what_a_reader_needs() {
    let hourly = json!({"pricing": "usage+contract", "entitlements": [{"name": "Basic", "kind": "tier"}],
        "trusted_products": [{"code": "abc", "sku": "prod-1"}]});
    let mut hostile = facts();
    let variable =
        |name: &str, used| Variable { name: name.to_owned(), effect_elsewhere: "does harm", used };
    hostile.variables = vec![
        variable("AWS_ENDPOINT_URL", false),
        variable("HTTPS_PROXY", true),
        variable("NO_PROXY", true),
        variable("AWS_REGION", true),
        variable("LD_PRELOAD", false),
    ];
    hostile.files = vec![File { path: "/etc/.aws/config".into(), effect_elsewhere: "does harm" }];
    hostile.aws.identity = Look::Seen(Err("nobody knows".to_owned()));
    hostile.aws.credentials = Look::Seen(Err("none".to_owned()));
    hostile.aws.endpoints =
        vec![endpoint(Err(Unreached { why: "closed".to_owned(), signer: None }))];
    hostile.aws.through = Through::Unusable("odd".to_owned());
    let none: Option<&Result<Settings, Error>> = None;
    let (usage, both) = (settings(json!({})), settings(hourly));
    both.as_ref().expect("a configuration");
    for settings in [none, Some(&usage), Some(&both)] {
        for facts in [None, Some(&facts()), Some(&task()), Some(&hostile)] {
            for finding in report(settings, facts).findings {
                let topic = table::of(&finding.id).unwrap_or_else(|| panic!("`{}`", finding.id));
                assert_eq!(finding.docs, topic.docs, "{}", finding.id);
                assert!(!finding.what.is_empty() && !finding.why.is_empty(), "{finding:?}");
                let status = finding.status.as_str();
                let listed = topic.statuses.iter().any(|(known, _)| *known == status);
                assert!(listed || finding.status == Status::Passed, "{}: {status}", finding.id);
                let acts = matches!(finding.status, Status::Warning | Status::Failed);
                assert!(!acts || !finding.fix.is_empty(), "{finding:?}");
            }
        }
    }
}

#[test]
fn where_all_is_well_everything_has_passed() {
    let report = report(Some(&settings(json!({}))), Some(&task()));
    for id in [
        "configuration",
        "platform",
        "identity",
        "region",
        "endpoint.metering",
        "proxy",
        "clock",
        "credentials",
        "principal",
        "permission.RegisterUsage",
        "permission.MeterUsage",
        "dry_run",
    ] {
        assert_eq!(of(&report, id).status, Status::Passed, "{id}");
    }
}

/// T67: an attack that has no effect is told all the same, and never with its value.
#[test]
fn each_variable_is_named_with_what_it_would_do() {
    let mut facts = task();
    let effect_elsewhere = "sends every call to another server";
    facts.variables =
        vec![Variable { name: "AWS_ENDPOINT_URL".to_owned(), effect_elsewhere, used: false }];
    let finding = told(&facts, "variable.AWS_ENDPOINT_URL");
    assert_eq!(finding.status, Status::Warning);
    assert!(
        finding.what.contains("`AWS_ENDPOINT_URL` is set")
            && finding.what.contains(effect_elsewhere)
    );
    assert!(finding.why.contains("no effect on mpguard"));
    facts.variables[0].name = "LD_PRELOAD".to_owned();
    assert!(!told(&facts, "variable.LD_PRELOAD").why.contains("no effect"), "that would be untrue");
}

#[test]
fn a_proxy_that_the_configuration_wants_is_no_fault_while_it_works() {
    let mut facts = task();
    let proxy = Variable { name: "HTTPS_PROXY".to_owned(), effect_elsewhere: "x", used: true };
    facts.variables = vec![proxy];
    assert_eq!(told(&facts, "variable.HTTPS_PROXY").status, Status::Warning);
    let wants = settings(json!({"proxy": "environment"}));
    let status =
        |facts: &Facts| of(&report(Some(&wants), Some(facts)), "variable.HTTPS_PROXY").status;
    assert_eq!(status(&facts), Status::Passed);
    facts.aws.endpoints = vec![endpoint(Err(Unreached { why: "no".to_owned(), signer: None }))];
    assert_eq!(status(&facts), Status::Warning);
}

#[test]
fn sources_that_disagree_about_the_region_are_told() {
    let mut facts = task();
    facts.aws.regions.push(candidate("AWS_REGION", "us-east-1", Fate::Lost));
    let finding = told(&facts, "region");
    assert_eq!(finding.status, Status::Warning);
    assert!(finding.why.contains("AWS_REGION says `us-east-1`"), "{}", finding.why);
    assert!(finding.fix.contains("AWS_REGION"), "{}", finding.fix);
    facts.aws.regions[1] = candidate("AWS_REGION", "eu-west-1", Fate::Lost);
    assert_eq!(told(&facts, "region").status, Status::Passed, "they agree");
    facts.aws.regions[1] = candidate("AWS_REGION", "a.b", Fate::Refused);
    assert_eq!(told(&facts, "region").status, Status::Warning);
}

#[test]
fn a_region_without_metering_of_containers_is_told_for_metering_alone() {
    let mut facts = task();
    if let Look::Seen(Ok(identity)) = &mut facts.aws.identity {
        identity.region = "me-south-1".to_owned();
    }
    facts.aws.regions[0] = candidate("the ARN of the ECS task", "me-south-1", Fate::Won);
    assert_eq!(told(&facts, "region").status, Status::Warning);
    let contract = settings(json!({"pricing": "contract", "dimensions": [],
        "entitlements": [{"name": "Basic", "kind": "tier"}], "trusted_products": [{"code": "abc", "sku": "prod-1"}]}));
    assert_eq!(of(&report(Some(&contract), Some(&facts)), "region").status, Status::Passed);
}

/// T64: a proxy that inspects TLS.
#[test]
fn whoever_signed_the_wrong_certificate_is_named() {
    let mut facts = task();
    let signer = Some("CN=Inspector".to_owned());
    facts.aws.endpoints = vec![endpoint(Err(Unreached { why: "not AWS".to_owned(), signer }))];
    let finding = told(&facts, "endpoint.metering");
    assert_eq!(finding.status, Status::Failed);
    assert!(finding.what.contains("issued by `CN=Inspector`"), "{}", finding.what);
    assert!(finding.fix.contains("extra_ca_pem"), "{}", finding.fix);
}

/// T65: a clock that is wrong.
#[test]
fn a_clock_is_told_when_it_is_off_by_half_a_minute() {
    let clock = |behind_ms| {
        let mut facts = task();
        facts.aws.endpoints = vec![endpoint(Ok(reached(behind_ms)))];
        told(&facts, "clock")
    };
    for right in [0, 29_999, -29_999] {
        assert_eq!(clock(right).status, Status::Passed, "{right}");
    }
    for (wrong, text) in [(1_200_000, "1200 s behind AWS's"), (-1_200_000, "1200 s ahead of AWS's")]
    {
        let finding = clock(wrong);
        assert_eq!(finding.status, Status::Warning, "{wrong}");
        assert!(
            finding.what.contains(text) && finding.what.contains("refused"),
            "{}",
            finding.what
        );
    }
    for slight in [30_000, -60_000] {
        let finding = clock(slight);
        assert_eq!(finding.status, Status::Warning, "{slight}");
        assert!(!finding.what.contains("refused"), "{}", finding.what);
    }
    assert_eq!(clock(i64::MIN).status, Status::Warning);
}

#[test]
fn a_denied_action_fails_and_names_itself() {
    let mut facts = task();
    facts.aws.register = Some(Look::Seen(Permission::Missing("may not".to_owned())));
    let finding = told(&facts, "permission.RegisterUsage");
    assert_eq!(finding.status, Status::Failed);
    assert!(finding.fix.contains("`aws-marketplace:RegisterUsage`"), "{}", finding.fix);
}

#[test]
fn an_answer_that_decides_nothing_accuses_nobody() {
    let with = |class| {
        let mut facts = task();
        let failure = Failure { class, text: "text".to_owned() };
        facts.aws.register = Some(Look::Seen(Permission::Unknown(failure)));
        told(&facts, "permission.RegisterUsage").status
    };
    assert_eq!(with(FailureClass::NotSent), Status::Skipped, "another finding says why");
    assert_eq!(with(FailureClass::Throttled), Status::Skipped);
    assert_eq!(with(FailureClass::Unknown), Status::Warning);
}

#[test]
fn a_dry_run_that_aws_refuses_says_what_to_do() {
    for (reason, word) in [
        (RefusalReason::NotEntitled, "subscribe"),
        (RefusalReason::PlatformNotSupported, "IRSA"),
        (RefusalReason::InvalidRegion, "AWS_REGION"),
        (RefusalReason::InvalidProduct, "seller"),
    ] {
        let mut facts = task();
        let refusal = Refusal { reason, text: "text".to_owned() };
        facts.aws.meter = Some(Look::Seen(Permitted::No(refusal)));
        let finding = told(&facts, "dry_run");
        assert_eq!(finding.status, Status::Failed, "{reason:?}");
        assert!(finding.fix.contains(word), "{reason:?}: {}", finding.fix);
        assert_eq!(told(&facts, "permission.MeterUsage").status, Status::Passed, "{reason:?}");
    }
}

/// T60, T63: metering where AWS does not meter.
#[test]
fn a_place_that_aws_does_not_meter_fails_for_metering_alone() {
    let mut facts = task();
    for place in [Place::EcsAnywhere, Place::Ec2, Place::Elsewhere] {
        facts.aws.place = place;
        assert_eq!(told(&facts, "platform").status, Status::Failed, "{place:?}");
        let nothing = report(None, Some(&facts));
        assert_eq!(of(&nothing, "platform").status, Status::Warning, "{place:?}");
    }
}

#[test]
fn without_a_configuration_what_is_missing_is_no_fault() {
    let mut facts = task();
    facts.aws.identity = Look::Seen(Err("no Region".to_owned()));
    facts.aws.credentials = Look::Seen(Err("none".to_owned()));
    facts.aws.endpoints = Vec::new();
    let usage = settings(json!({}));
    for (settings, status) in [(Some(&usage), Status::Failed), (None, Status::Warning)] {
        let report = report(settings, Some(&facts));
        for id in ["identity", "region", "credentials"] {
            assert_eq!(of(&report, id).status, status, "{id}");
        }
    }
}
