use super::super::{
    Surroundings,
    testing::{Act, Canned, FINGERPRINT, cloud, cloud_of, run, settings},
};
use crate::{
    model::{
        license::{Entitlement, Standing},
        outcome::{CheckedIn, CheckedOut, Details, Failure, FailureClass, Tiers},
        time::Timestamp,
    },
    port::cloud::Cloud,
};

const TEN: Timestamp = Timestamp(1_767_261_600_000);

fn counted(name: &str, count: u64) -> Entitlement {
    Entitlement {
        name: name.to_owned(),
        unit: "Count".to_owned(),
        value: None,
        max_count: Some(count),
        consumed: None,
    }
}

fn tiers(act: Act) -> Tiers {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).tiers(vec!["Basic".into(), "Premium".into()], "t-1".into()).await
    })
}

fn check_out(act: Act) -> CheckedOut {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).check_out(vec![counted("Users", 2)], "t-1".into()).await
    })
}

fn extend(act: Act) -> CheckedOut {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).extend("seat-1".into()).await
    })
}

fn check_in(act: Act) -> CheckedIn {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).check_in("seat-1".into()).await
    })
}

fn details(arn: Option<&str>, acts: Vec<Act>) -> Details {
    run(async {
        let server = Canned::start(acts).await;
        cloud(&server).details(arn.map(str::to_owned)).await
    })
}

/// One license of a list, with these members changed.
fn license(arn: &str, more: &str) -> String {
    format!(
        r#"{{"LicenseArn":"{arn}","ProductSKU":"prod-1","Status":"AVAILABLE","Version":"1",
            "Issuer":{{"Name":"AWS/Marketplace","KeyFingerprint":"{FINGERPRINT}"}},
            "Validity":{{"Begin":"2025-01-01T00:00:00Z","End":"2027-01-01T00:00:00"}},
            "CreateTime":"1735689600",
            "Entitlements":[{{"Name":"Users","Unit":"Count","MaxCount":10,"AllowCheckIn":true}},
                            {{"Name":"Basic","Unit":"None","Value":"Enabled"}}],
            "ReceivedMetadata":{{"ReceivedStatus":"ACTIVE","GrantType":"BuyerGrant"}}{more}}}"#
    )
}

fn listed(licenses: &[String]) -> Act {
    Act::ok(&format!(r#"{{"Licenses":[{}]}}"#, licenses.join(",")))
}

#[test]
fn asking_for_tiers_takes_nothing_and_names_issuer_and_product() {
    run(async {
        let server = Canned::start(vec![Act::ok(
            r#"{"LicenseConsumptionToken":"c-1","LicenseArn":"arn:aws:license-manager::1:license:l-1",
                "EntitlementsAllowed":[{"Name":"Basic","Unit":"None"},{"Name":"Other","Unit":"None"}]}"#,
        )])
        .await;
        let bought =
            cloud(&server).tiers(vec!["Basic".into(), "Premium".into()], "t-1".into()).await;
        let basic = Entitlement {
            name: "Basic".into(),
            unit: "None".into(),
            value: None,
            max_count: None,
            consumed: None,
        };
        assert_eq!(
            bought,
            Tiers::Bought {
                entitlements: vec![basic],
                license_arn: Some("arn:aws:license-manager::1:license:l-1".into())
            },
            "only what was asked for counts"
        );
        let call = &server.calls()[0];
        let body: serde_json::Value = serde_json::from_str(&call.body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "ProductSKU": "prod-1", "CheckoutType": "PROVISIONAL", "KeyFingerprint": FINGERPRINT,
                "ClientToken": "t-1",
                "Entitlements": [{ "Name": "Basic", "Unit": "None" }, { "Name": "Premium", "Unit": "None" }],
            })
        );
        assert_eq!(call.header("x-amz-target"), Some("AWSLicenseManager.CheckoutLicense"));
        let signed = call.header("authorization").expect("it is signed");
        assert!(signed.contains("/eu-west-1/license-manager/aws4_request"), "{signed}");
    });
}

#[test]
fn no_tier_is_an_answer_and_no_answer_is_no_tier() {
    assert!(matches!(tiers(Act::error(400, "NoEntitlementsAllowedException")), Tiers::None(_)));
    assert!(matches!(tiers(Act::error(400, "ResourceNotFoundException")), Tiers::None(_)));
    let none = r#"{"LicenseConsumptionToken":"c-1","EntitlementsAllowed":[]}"#;
    assert!(matches!(tiers(Act::ok(none)), Tiers::None(_)));
    for act in [
        Act::ok(""),
        Act::ok("{}"),
        Act::ok("<html></html>"),
        Act::Close,
        Act::answer(403, &[], ""),
    ] {
        let answer = tiers(act.clone());
        let unknown = matches!(answer, Tiers::Failed(Failure { class: FailureClass::Unknown, .. }));
        assert!(unknown, "{act:?}: {answer:?}");
    }
}

#[test]
fn license_managers_own_throttling_is_throttling() {
    let class = |status, code: &str, expected| match tiers(Act::error(status, code)) {
        Tiers::Failed(failure) => assert_eq!(failure.class, expected, "{code}"),
        other => panic!("{code}: {other:?}"),
    };
    class(400, "RateLimitExceededException", FailureClass::Throttled);
    class(400, "ThrottlingException", FailureClass::Throttled);
    class(500, "ServerInternalException", FailureClass::Unknown);
    class(400, "AccessDeniedException", FailureClass::AccessDenied);
    class(400, "AuthorizationException", FailureClass::AccessDenied);
    class(400, "ValidationException", FailureClass::Unknown);
}

#[test]
fn seats_are_held_until_the_expiration_of_the_answer_with_or_without_a_zone() {
    for date in ["2026-01-01T10:00:00Z", "2026-01-01T10:00:00", "2026-01-01T12:00:00+02:00"] {
        let answer = check_out(Act::ok(&format!(
            r#"{{"LicenseConsumptionToken":"c-1","Expiration":"{date}"}}"#
        )));
        assert_eq!(
            answer,
            CheckedOut::Held { token: "c-1".into(), expires: TEN, license_arn: None },
            "{date}"
        );
    }
}

#[test]
fn a_check_out_of_seats_sends_how_many() {
    run(async {
        let server = Canned::start(vec![Act::ok("{}")]).await;
        cloud(&server).check_out(vec![counted("Users", 2)], "t-1".into()).await;
        let body: serde_json::Value = serde_json::from_str(&server.calls()[0].body).expect("JSON");
        let users = serde_json::json!([{ "Name": "Users", "Unit": "Count", "Value": "2" }]);
        assert_eq!(body["Entitlements"], users);
        assert_eq!(body["ClientToken"], "t-1");
    });
}

#[test]
fn a_check_out_without_token_or_readable_end_is_no_seat_that_we_know_of() {
    for body in [
        "{}",
        "",
        r#"{"LicenseConsumptionToken":"c-1"}"#,
        r#"{"LicenseConsumptionToken":"c-1","Expiration":"soon"}"#,
        r#"{"LicenseConsumptionToken":"","Expiration":"2026-01-01T10:00:00Z"}"#,
        r#"{"Expiration":"2026-01-01T10:00:00Z"}"#,
    ] {
        let answer = check_out(Act::ok(body));
        let unknown =
            matches!(answer, CheckedOut::Failed(Failure { class: FailureClass::Unknown, .. }));
        assert!(unknown, "{body}: {answer:?}");
    }
    let none = check_out(Act::error(400, "NoEntitlementsAllowedException"));
    assert!(matches!(none, CheckedOut::NoneAllowed(_)), "{none:?}");
}

#[test]
fn an_entitlement_that_is_not_counted_is_asked_for_without_a_value() {
    run(async {
        let server = Canned::start(vec![Act::ok("{}")]).await;
        let tier =
            Entitlement { unit: "None".into(), value: Some("1".into()), ..counted("Basic", 1) };
        cloud(&server).check_out(vec![tier, counted("Users", 2)], "t-1".into()).await;
        let body: serde_json::Value = serde_json::from_str(&server.calls()[0].body).expect("JSON");
        let wanted = serde_json::json!([
            { "Name": "Basic", "Unit": "None" }, { "Name": "Users", "Unit": "Count", "Value": "2" },
        ]);
        assert_eq!(body["Entitlements"], wanted);
    });
}

/// The keys of AWS's sample answers: Seller Guide, contract pricing for container products.
#[test]
fn an_answer_as_in_awss_samples_is_understood() {
    let sample = r#"{"CheckoutType":"PROVISIONAL","LicenseConsumptionToken":"c-1",
        "EntitlementsAllowed":[{"Name":"Basic","Count":10,"Units":"Count","Value":"Enabled"},
                               {"Name":"Premium","Value":5}],
        "Expiration":"2026-01-01T10:00:00","IssuedAt":1767258000}"#;
    match tiers(Act::ok(sample)) {
        Tiers::Bought { entitlements, .. } => {
            let bought: Vec<_> =
                entitlements.iter().map(|e| (e.name.as_str(), e.value.as_deref())).collect();
            assert_eq!(bought, [("Basic", Some("Enabled")), ("Premium", Some("5"))]);
        }
        other => panic!("{other:?}"),
    }
    let held = CheckedOut::Held { token: "c-1".into(), expires: TEN, license_arn: None };
    assert_eq!(check_out(Act::ok(sample)), held);
}

#[test]
fn a_list_of_tiers_that_cannot_be_read_denies_nothing() {
    for list in [
        "",
        r#","EntitlementsAllowed":null"#,
        r#","EntitlementsAllowed":[7]"#,
        r#","EntitlementsAllowed":[{"Title":"Basic"}]"#,
    ] {
        let answer = tiers(Act::ok(&format!(r#"{{"LicenseConsumptionToken":"c-1"{list}}}"#)));
        assert!(
            matches!(answer, Tiers::Failed(Failure { class: FailureClass::Unknown, .. })),
            "{list}: {answer:?}"
        );
    }
}

#[test]
fn an_extension_keeps_the_token_of_the_newest_answer() {
    let answer = extend(Act::ok(
        r#"{"LicenseConsumptionToken":"seat-2","Expiration":"2026-01-01T10:00:00"}"#,
    ));
    assert_eq!(
        answer,
        CheckedOut::Held { token: "seat-2".into(), expires: TEN, license_arn: None }
    );
    let answer = extend(Act::ok(r#"{"Expiration":"2026-01-01T10:00:00"}"#));
    assert_eq!(
        answer,
        CheckedOut::Held { token: "seat-1".into(), expires: TEN, license_arn: None }
    );
}

#[test]
fn an_extension_of_a_token_that_aws_forgot_is_gone() {
    assert!(matches!(extend(Act::error(400, "ResourceNotFoundException")), CheckedOut::Gone(_)));
    match extend(Act::error(400, "RateLimitExceededException")) {
        CheckedOut::Failed(failure) => assert_eq!(failure.class, FailureClass::Throttled),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_seat_that_aws_does_not_know_is_checked_in() {
    assert_eq!(check_in(Act::ok("{}")), CheckedIn::Done);
    assert_eq!(check_in(Act::ok("")), CheckedIn::Done);
    assert_eq!(check_in(Act::error(400, "ResourceNotFoundException")), CheckedIn::Done);
    for code in ["ConflictException", "RateLimitExceededException"] {
        match check_in(Act::error(400, code)) {
            CheckedIn::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::Throttled, "{code}")
            }
            CheckedIn::Done => panic!("{code}"),
        }
    }
    assert!(matches!(check_in(Act::ok("<html></html>")), CheckedIn::Failed(_)));
}

#[test]
fn a_text_never_shows_a_consumption_token() {
    match extend(Act::error(400, "ValidationException")) {
        CheckedOut::Failed(failure) => {
            assert!(!failure.text.contains("seat-1"), "{}", failure.text)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_license_is_read_by_its_arn() {
    let act = Act::ok(&format!(r#"{{"License":{}}}"#, license("arn:aws:x:l-1", "")));
    match details(Some("arn:aws:x:l-1"), vec![act]) {
        Details::Found(contract) => {
            assert_eq!(contract.license_arn.as_deref(), Some("arn:aws:x:l-1"));
            assert_eq!(contract.version.as_deref(), Some("1"));
            assert_eq!(contract.expires, Some(Timestamp(1_798_761_600_000)));
            assert_eq!(contract.standing, Standing::Usable);
            assert_eq!(contract.entitlements[0].max_count, Some(10));
            assert_eq!(contract.entitlements[1].value.as_deref(), Some("Enabled"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_is_filtered_by_product_read_to_its_last_page_and_the_best_license_counts() {
    run(async {
        let first = format!(
            r#"{{"Licenses":[{}],"NextToken":"n-1"}}"#,
            license("arn:aws:x:old", r#","Status":"EXPIRED""#).replacen(
                r#""Status":"AVAILABLE","#,
                "",
                1
            )
        );
        let second = listed(&[license("arn:aws:x:good", "")]);
        let server = Canned::start(vec![Act::ok(&first), second]).await;
        match cloud(&server).details(None).await {
            Details::Found(contract) => {
                assert_eq!(contract.license_arn.as_deref(), Some("arn:aws:x:good"));
            }
            other => panic!("{other:?}"),
        }
        let bodies: Vec<serde_json::Value> = server
            .calls()
            .iter()
            .map(|call| serde_json::from_str(&call.body).expect("JSON"))
            .collect();
        let filter = serde_json::json!([{ "Name": "ProductSKU", "Values": ["prod-1"] }]);
        assert_eq!(bodies[0]["Filters"], filter);
        assert_eq!(bodies[1]["NextToken"], "n-1");
    });
}

#[test]
fn a_list_without_end_is_not_read_for_ever() {
    run(async {
        let page = Act::ok(r#"{"Licenses":[],"NextToken":"again"}"#);
        let server = Canned::start(vec![page; 50]).await;
        assert!(matches!(cloud(&server).details(None).await, Details::Nothing(_)));
        assert_eq!(server.calls().len(), 10);
    });
}

#[test]
fn other_usable_licenses_of_the_product_are_counted() {
    let expired = license("arn:aws:x:3", "").replace("AVAILABLE", "EXPIRED");
    let shown = license("arn:aws:x:4", "").replace("BuyerGrant", "DelegateGrant");
    let foreign = license("arn:aws:x:5", "").replace("prod-1", "prod-2");
    let list = [license("arn:aws:x:1", ""), license("arn:aws:x:2", ""), expired, shown, foreign];
    match details(None, vec![listed(&list)]) {
        Details::Found(contract) => {
            assert_eq!(contract.license_arn.as_deref(), Some("arn:aws:x:2"));
            assert_eq!(contract.others, 1);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_license_that_cannot_be_read_is_not_anothers() {
    for list in ["[7]", r#"[{"LicenseArn":"arn:aws:x:1"}]"#] {
        let answer = details(None, vec![Act::ok(&format!(r#"{{"Licenses":{list}}}"#))]);
        assert!(matches!(answer, Details::Failed(_)), "{list}: {answer:?}");
    }
    // One without a status is not suspended. A good one beside it counts.
    let silent = license("arn:aws:x:1", "").replace(r#""Status":"AVAILABLE","#, "");
    let act = Act::ok(&format!(r#"{{"License":{silent}}}"#));
    let answer = details(Some("arn:aws:x:1"), vec![act]);
    assert!(matches!(answer, Details::Failed(_)), "{answer:?}");
    let answer = details(None, vec![listed(&[license("arn:aws:x:0", ""), silent])]);
    assert!(matches!(answer, Details::Found(_)), "{answer:?}");
}

#[test]
fn licenses_of_others_and_delegated_ones_are_nothing() {
    let nothing = |act: Act, word: &str| match details(None, vec![act]) {
        Details::Nothing(text) => assert!(text.contains(word), "{text}"),
        other => panic!("{word}: {other:?}"),
    };
    nothing(listed(&[]), "received no license");
    let foreign = license("arn:aws:x:1", "").replace("294406891311", "111122223333");
    nothing(listed(&[foreign]), "another product or issuer");
    let other = license("arn:aws:x:1", "").replace("prod-1", "prod-2");
    nothing(listed(&[other]), "another product or issuer");
    let shown = license("arn:aws:x:1", "").replace("BuyerGrant", "DelegateGrant");
    nothing(listed(&[shown]), "only delegated");
}

/// T71: whoever has an AWS account can issue a license of any SKU to himself, under any issuer's name. What he cannot
/// choose is the account in the fingerprint.
#[test]
fn a_self_issued_license_of_the_same_sku_is_nothing_beside_awss_own_or_alone() {
    let own = |fingerprint: &str| {
        license("arn:aws:x:1", "")
            .replace("1735689600", "1767225600")
            .replace(FINGERPRINT, fingerprint)
    };
    for fingerprint in [
        "aws:111122223333:AWS/Marketplace:issuer-fingerprint",
        "aws:111122223333:test-seller:issuer-fingerprint",
        "AWS:294406891311:AWS/Marketplace:issuer-fingerprint",
        "aws:294406891311:aws/marketplace:issuer-fingerprint",
        "aws:294406891311:AWS/Marketplace:issuer-fingerprint ",
        "aws:294406891311:AWS/Marketplace:issuer-fingerprint:2",
        "aws:294406891311:AWS/Marketplace",
        "",
    ] {
        let got = Act::ok(&format!(r#"{{"License":{}}}"#, own(fingerprint)));
        for (arn, act) in [(None, listed(&[own(fingerprint)])), (Some("arn:aws:x:1"), got)] {
            match details(arn, vec![act]) {
                Details::Nothing(text) => {
                    assert!(text.contains("another product or issuer"), "{text}");
                }
                other => panic!("`{fingerprint}`: {other:?}"),
            }
        }
        let both = listed(&[own(fingerprint), license("arn:aws:x:0", "")]);
        match details(None, vec![both]) {
            Details::Found(contract) => {
                assert_eq!(
                    contract.license_arn.as_deref(),
                    Some("arn:aws:x:0"),
                    "the newer one lies"
                );
                assert_eq!(contract.others, 0);
            }
            other => panic!("`{fingerprint}`: {other:?}"),
        }
    }
}

/// T71: the same at the check out, where AWS itself compares.
#[test]
fn each_check_out_names_the_issuer_that_it_trusts() {
    run(async {
        let server = Canned::start(vec![]).await;
        let mut settings = settings(Some(format!("{}/t/app", server.url())));
        for issuer in [FINGERPRINT, "aws:111122223333:test-seller:issuer-fingerprint"] {
            issuer.clone_into(&mut settings.issuer_fingerprint);
            let cloud = cloud_of(settings.clone(), Surroundings::default());
            let before = server.calls().len();
            cloud.tiers(vec!["Basic".into()], "t-1".into()).await;
            cloud.check_out(vec![counted("Users", 1)], "t-2".into()).await;
            cloud.draw(counted("Scans", 1), "t-3".into()).await;
            let calls = server.calls().split_off(before);
            assert_eq!(calls.len(), 3);
            for call in &calls {
                let body: serde_json::Value = serde_json::from_str(&call.body).expect("JSON");
                assert_eq!(body["KeyFingerprint"], issuer, "{}", call.body);
                assert_eq!(body["ProductSKU"], "prod-1", "{}", call.body);
            }
        }
    });
}

#[test]
fn a_license_that_may_not_be_used_now_is_found_with_the_reason() {
    let standing = |from: &str, to: &str, expected| match details(
        None,
        vec![listed(&[license("arn:aws:x:1", "").replace(from, to)])],
    ) {
        Details::Found(contract) => assert_eq!(contract.standing, expected, "{to}"),
        other => panic!("{to}: {other:?}"),
    };
    standing("AVAILABLE", "EXPIRED", Standing::Expired);
    standing("AVAILABLE", "SUSPENDED", Standing::Suspended);
    standing("AVAILABLE", "DEACTIVATED", Standing::Suspended);
    standing("AVAILABLE", "SOMETHING_NEW", Standing::Suspended);
    standing("ACTIVE", "DISABLED", Standing::Suspended);
}

#[test]
fn a_read_that_iam_denies_is_no_permission_and_not_no_license() {
    match details(None, vec![Act::error(403, "AccessDeniedException")]) {
        Details::Failed(failure) => {
            assert_eq!(failure.class, FailureClass::AccessDenied);
            assert!(
                failure.text.contains("`license-manager:ListReceivedLicenses`"),
                "{}",
                failure.text
            );
        }
        other => panic!("{other:?}"),
    }
    for act in [Act::ok(""), Act::ok("{}"), Act::ok("<html></html>")] {
        let answer = details(None, vec![act.clone()]);
        assert!(matches!(answer, Details::Failed(_)), "{act:?}: {answer:?}");
    }
}
