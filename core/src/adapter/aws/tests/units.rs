//! Prepaid units: draws, and how much is gone.

use super::super::testing::{Act, Canned, FINGERPRINT, cloud, run};
use crate::{
    model::{
        license::Entitlement,
        outcome::{Consumed, Consumption, Drawn, Failure, FailureClass},
    },
    port::cloud::Cloud,
};
use std::time::Duration;

fn scans() -> Entitlement {
    Entitlement {
        name: "Scans".to_owned(),
        unit: "Count".to_owned(),
        value: Some("7".to_owned()),
        max_count: None,
        consumed: None,
    }
}

fn draw(act: Act) -> Drawn {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).draw(scans(), "d-1".into()).await
    })
}

fn consumption(act: Act) -> Consumption {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).consumption("arn:aws:x:l-1".into()).await
    })
}

fn class_of(drawn: Drawn) -> FailureClass {
    match drawn {
        Drawn::Failed(failure) => failure.class,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_draw_is_for_good_and_sends_quantity_and_token() {
    run(async {
        let server = Canned::start(vec![Act::ok(
            r#"{"CheckoutType":"PERPETUAL","LicenseConsumptionToken":"c-1","LicenseArn":"arn:aws:x:l-1",
                "EntitlementsAllowed":[{"Name":"Scans","Unit":"Count","Value":"7"}]}"#,
        )])
        .await;
        let drawn = cloud(&server).draw(scans(), "d-1".into()).await;
        assert_eq!(drawn, Drawn::Yes { license_arn: Some("arn:aws:x:l-1".into()) });
        let body: serde_json::Value = serde_json::from_str(&server.calls()[0].body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "ProductSKU": "prod-1", "CheckoutType": "PERPETUAL", "KeyFingerprint": FINGERPRINT,
                "ClientToken": "d-1", "Entitlements": [{ "Name": "Scans", "Unit": "Count", "Value": "7" }],
            })
        );
    });
}

#[test]
fn a_token_or_the_entitlement_alone_is_a_receipt() {
    for body in [
        r#"{"LicenseConsumptionToken":"c-1"}"#,
        r#"{"EntitlementsAllowed":[{"Name":"Scans","Unit":"Count","Value":"7"}]}"#,
        r#"{"EntitlementsAllowed":[{"Name":"Scans","Count":7,"Units":"Count","Value":7}],"Expiration":1}"#,
    ] {
        assert_eq!(draw(Act::ok(body)), Drawn::Yes { license_arn: None }, "{body}");
    }
}

/// Each may have been drawn, so each stays in doubt. (T54)
#[test]
fn an_answer_without_a_receipt_and_a_lost_one_leave_the_draw_in_doubt() {
    for act in [
        Act::ok(""),
        Act::ok("{}"),
        Act::ok(r#"{"LicenseConsumptionToken":""}"#),
        Act::ok(r#"{"EntitlementsAllowed":[{"Name":"Users","Unit":"Count"}]}"#),
        Act::ok("<html></html>"),
        Act::answer(403, &[], ""),
        Act::error(500, "ServerInternalException"),
        Act::error(503, "ServiceUnavailable"),
        Act::error(400, "SomethingNewException"),
        Act::Close,
        Act::Reset,
    ] {
        assert_eq!(class_of(draw(act.clone())), FailureClass::Unknown, "{act:?}");
    }
}

#[test]
fn a_draw_that_nobody_answers_ends_in_doubt_and_soon() {
    let start = std::time::Instant::now();
    assert_eq!(class_of(draw(Act::Wait(Duration::from_secs(60)))), FailureClass::Unknown);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn what_aws_refuses_by_name_was_not_drawn() {
    for code in ["NoEntitlementsAllowedException", "ResourceNotFoundException"] {
        match draw(Act::error(400, code)) {
            Drawn::NoneAllowed(text) => {
                assert!(text.contains("not so many are left"), "{text}");
                assert!(text.contains("`Scans`"), "{text}");
            }
            other => panic!("{code}: {other:?}"),
        }
    }
    for code in
        ["RateLimitExceededException", "ThrottlingException", "ResourceLimitExceededException"]
    {
        assert_eq!(class_of(draw(Act::error(400, code))), FailureClass::Throttled, "{code}");
    }
    for code in ["ValidationException", "InvalidParameterValueException"] {
        assert_eq!(class_of(draw(Act::error(400, code))), FailureClass::Throttled, "{code}");
    }
    for code in ["AccessDeniedException", "AuthorizationException"] {
        match draw(Act::error(403, code)) {
            Drawn::Failed(Failure { class, text }) => {
                assert_eq!(class, FailureClass::AccessDenied);
                assert!(text.contains("`license-manager:CheckoutLicense`"), "{text}");
                assert!(text.contains("`AWSLicenseManagerConsumptionPolicy`"), "{text}");
            }
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn consumption_is_read_and_what_is_no_count_is_passed_over() {
    let answer = consumption(Act::ok(
        r#"{"LicenseUsage":{"EntitlementUsages":[
            {"Name":"Scans","ConsumedValue":"17","MaxCount":"100","Unit":"Count"},
            {"Name":"Users","ConsumedValue":3,"MaxCount":10,"Unit":"Count"},
            {"Name":"Data","ConsumedValue":"2.0","Units":"Gigabytes"},
            {"Name":"Odd","ConsumedValue":"many","Unit":"Count"},
            {"Name":"None"},
            {"Name":"Less","ConsumedValue":"-1","Unit":"Count"}]}}"#,
    ));
    let consumed = |name: &str, consumed| Consumed { name: name.to_owned(), consumed };
    let expected = vec![consumed("Scans", 17), consumed("Users", 3), consumed("Data", 2)];
    assert_eq!(answer, Consumption::Read(expected));
    let nothing = consumption(Act::ok(r#"{"LicenseUsage":{}}"#));
    assert_eq!(nothing, Consumption::Read(vec![]), "a license of tiers only");
}

#[test]
fn consumption_asks_for_the_license_and_no_answer_is_no_zero() {
    run(async {
        let server = Canned::start(vec![Act::ok("{}")]).await;
        let answer = cloud(&server).consumption("arn:aws:x:l-1".into()).await;
        assert!(matches!(answer, Consumption::Failed(_)), "{answer:?}");
        let call = &server.calls()[0];
        assert_eq!(call.header("x-amz-target"), Some("AWSLicenseManager.GetLicenseUsage"));
        assert_eq!(call.body, r#"{"LicenseArn":"arn:aws:x:l-1"}"#);
    });
    for act in [Act::ok(""), Act::ok("<html></html>"), Act::error(500, "ServerInternalException")] {
        let answer = consumption(act.clone());
        let unknown =
            matches!(answer, Consumption::Failed(Failure { class: FailureClass::Unknown, .. }));
        assert!(unknown, "{act:?}: {answer:?}");
    }
}

/// Two of AWS's three policies lack this permission. (T46)
#[test]
fn consumption_that_iam_denies_names_the_action_and_no_policy_that_lacks_it() {
    match consumption(Act::error(403, "AccessDeniedException")) {
        Consumption::Failed(Failure { class, text }) => {
            assert_eq!(class, FailureClass::AccessDenied);
            assert!(text.contains("`license-manager:GetLicenseUsage`"), "{text}");
            assert!(!text.contains("Policy"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    match consumption(Act::error(400, "RateLimitExceededException")) {
        Consumption::Failed(failure) => assert_eq!(failure.class, FailureClass::Throttled),
        other => panic!("{other:?}"),
    }
}
