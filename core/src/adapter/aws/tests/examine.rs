//! What the doctor asks AWS, and that nothing of it counts.

use super::super::{
    examine::{Aws, Needs, Permission, Principal, Questions, look},
    testing::{Act, Canned, NOW, cloud, cloud_beside, run, settings},
};
use crate::{
    adapter::{
        examine::{Look, Until},
        surroundings::Surroundings,
    },
    model::outcome::{Details, Permitted, RefusalReason, Tiers},
    port::cloud::UsageProbe,
};
use serde_json::Value;
use std::time::{Duration, Instant};

fn questions() -> Questions {
    Questions {
        register: true,
        meter: Some(UsageProbe {
            product: "real-product".into(),
            dimension: "requests".to_owned(),
            timestamp: NOW,
        }),
        contract: Some(vec!["Basic".into()]),
        needs: Some(Needs { metering: true, contract: true }),
    }
}

fn until() -> Until {
    Until::within(Duration::from_secs(20))
}

const CALLER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
     <Arn>arn:aws:sts::111122223333:assumed-role/app/x</Arn><Account>111122223333</Account></GetCallerIdentityResult>\
     </GetCallerIdentityResponse>";

/// Answers everything as AWS would answer a role that may do everything.
async fn generous() -> Canned {
    let server = Canned::start(vec![]).await;
    server.when("Action=GetCallerIdentity", Act::answer(200, &[], CALLER));
    server.when("RegisterUsage", Act::error(400, "InvalidProductCodeException"));
    server.when("MeterUsage", Act::ok(r#"{"MeteringRecordId":"DryRunOperation"}"#));
    server.when(
        "CheckoutLicense",
        Act::ok(
            r#"{"LicenseConsumptionToken":"t","LicenseArn":"arn:aws:license-manager::1:license:l-1",
                "EntitlementsAllowed":[{"Name":"Basic","Unit":"None","Value":"Enabled"}]}"#,
        ),
    );
    server.when("CheckInLicense", Act::error(400, "ResourceNotFoundException"));
    server.when("ExtendLicenseConsumption", Act::error(400, "ResourceNotFoundException"));
    server.when("ListReceivedLicenses", Act::ok(r#"{"Licenses":[]}"#));
    server.when("GetLicense", Act::error(400, "InvalidParameterValueException"));
    server.when("GetLicenseUsage", Act::ok(r#"{"LicenseUsage":{"EntitlementUsages":[]}}"#));
    server
}

fn seen<T>(look: Option<Look<T>>) -> T {
    match look {
        Some(Look::Seen(seen)) => seen,
        Some(Look::Late) => panic!("too late"),
        Some(Look::Not(why)) => panic!("not asked: {why}"),
        None => panic!("not wanted"),
    }
}

/// The bodies of all calls of `operation`.
fn bodies(server: &Canned, operation: &str) -> Vec<Value> {
    let target = format!(".{operation}");
    let calls = server.calls().into_iter();
    let of =
        calls.filter(|call| call.header("x-amz-target").is_some_and(|it| it.ends_with(&target)));
    of.map(|call| serde_json::from_str(&call.body).expect("JSON")).collect()
}

#[test]
fn nothing_that_is_asked_bills_or_takes() {
    run(async {
        let server = generous().await;
        let aws = look(&cloud(&server), questions(), until()).await;
        assert_eq!(seen(aws.meter), Permitted::Yes);
        for body in bodies(&server, "MeterUsage") {
            assert_eq!(body["DryRun"], true, "{body}");
        }
        for body in bodies(&server, "RegisterUsage") {
            assert_eq!(body["ProductCode"], "mpguard-doctor", "a real one begins billing");
        }
        for body in bodies(&server, "CheckoutLicense") {
            assert_eq!(body["CheckoutType"], "PROVISIONAL");
            for wanted in body["Entitlements"].as_array().expect("a list") {
                assert_eq!(wanted["Unit"], "None", "{body}");
                assert!(wanted.get("Value").is_none(), "{body}");
            }
        }
        for operation in ["CheckInLicense", "ExtendLicenseConsumption"] {
            for body in bodies(&server, operation) {
                assert_eq!(body["LicenseConsumptionToken"], "mpguard-doctor", "{operation}");
            }
        }
        assert_eq!(bodies(&server, "ExtendLicenseConsumption")[0]["DryRun"], true);
        let each = ["MeterUsage", "RegisterUsage", "CheckoutLicense", "CheckInLicense"];
        assert!(each.iter().all(|operation| bodies(&server, operation).len() == 1));
    });
}

#[test]
fn a_refusal_of_what_is_made_up_is_a_permission() {
    run(async {
        let server = generous().await;
        let aws = look(&cloud(&server), questions(), until()).await;
        let given = |code: &str| Permission::Given(code.to_owned());
        assert_eq!(seen(aws.register), given("InvalidProductCodeException"));
        let contract = aws.contract.expect("wanted");
        assert_eq!(seen(Some(contract.check_in)), given("ResourceNotFoundException"));
        assert_eq!(seen(Some(contract.extend)), given("ResourceNotFoundException"));
        assert!(matches!(seen(Some(contract.check_out)), Tiers::Bought { .. }));
        assert!(matches!(seen(Some(contract.received)), Details::Nothing(_)));
        let principal = seen(Some(aws.principal)).expect("STS says it");
        let arn = "arn:aws:sts::111122223333:assumed-role/app/x".to_owned();
        assert_eq!(principal, Principal { account: "111122223333".to_owned(), arn });
    });
}

#[test]
fn each_denial_is_told_from_each_refusal() {
    let register = |act: Act| {
        run(async {
            let server = generous().await;
            server.when("RegisterUsage", act);
            seen(look(&cloud(&server), questions(), until()).await.register)
        })
    };
    for code in ["AccessDeniedException", "UnauthorizedException"] {
        match register(Act::error(403, code)) {
            Permission::Missing(text) => {
                assert!(text.contains("`aws-marketplace:RegisterUsage`"), "{text}")
            }
            other => panic!("{code}: {other:?}"),
        }
    }
    for code in ["PlatformNotSupportedException", "InvalidRegionException", "DisabledApiException"]
    {
        assert!(matches!(register(Act::error(400, code)), Permission::Refused(_)), "{code}");
    }
    for code in ["CustomerNotEntitledException", "InvalidPublicKeyVersionException"] {
        assert_eq!(register(Act::error(400, code)), Permission::Given(code.to_owned()));
    }
    for act in
        [Act::error(400, "ThrottlingException"), Act::error(500, "InternalFailure"), Act::Close]
    {
        assert!(matches!(register(act.clone()), Permission::Unknown(_)), "{act:?}");
    }
    // Whoever registers a product that nobody has is not AWS.
    let liar = register(Act::ok(r#"{"Signature":"e30.e30.e30"}"#));
    assert!(matches!(liar, Permission::Refused(_)), "{liar:?}");
}

#[test]
fn a_contract_without_tiers_is_asked_for_what_is_not_counted() {
    run(async {
        let server = generous().await;
        server.when("CheckoutLicense", Act::error(400, "NoEntitlementsAllowedException"));
        let questions = Questions { contract: Some(Vec::new()), ..questions() };
        let aws = look(&cloud(&server), questions, until()).await;
        let wanted = &bodies(&server, "CheckoutLicense")[0]["Entitlements"];
        assert_eq!(wanted.as_array().map(Vec::len), Some(1));
        assert_eq!(wanted[0]["Name"], "AWS::Marketplace::Usage");
        assert_eq!(wanted[0]["Unit"], "None");
        assert!(matches!(seen(Some(aws.contract.expect("wanted").check_out)), Tiers::None(_)));
    });
}

#[test]
fn a_license_is_read_by_its_own_name_only() {
    run(async {
        let server = generous().await;
        server.when("CheckoutLicense", Act::error(400, "NoEntitlementsAllowedException"));
        let aws = look(&cloud(&server), questions(), until()).await;
        let contract = aws.contract.expect("wanted");
        assert!(matches!(contract.license, Look::Not(_)) && matches!(contract.usage, Look::Not(_)));
        let asked = server.calls().iter().filter(|call| call.body.contains("LicenseArn")).count();
        assert_eq!(asked, 0);
    });
}

#[test]
fn without_credentials_nothing_is_asked_and_each_look_says_why() {
    run(async {
        let server = generous().await;
        // Production, beside a metadata server, and nobody who gives credentials for metering.
        let there = Surroundings {
            region: Some("eu-west-1".to_owned()),
            instance_metadata_disabled: true,
            ..Surroundings::default()
        };
        let mut cloud = cloud_beside(settings(None), there, &server);
        super::super::testing::divert(&mut cloud, server.url());
        let aws = look(&cloud, questions(), until()).await;
        assert!(matches!(&aws.credentials, Look::Seen(Err(why)) if why.contains("no credentials")));
        assert!(matches!(&aws.register, Some(Look::Not(why)) if why.contains("`credentials`")));
        assert!(matches!(&aws.principal, Look::Not(_)));
        assert!(server.calls().is_empty(), "{:?}", server.lines());
        assert!(aws.sources.iter().all(|source| source.fate != crate::model::finding::Fate::Won));
    });
}

#[test]
fn a_refusal_by_platform_is_the_dry_runs_matter() {
    run(async {
        let server = generous().await;
        server.when("MeterUsage", Act::error(400, "PlatformNotSupportedException"));
        match seen(look(&cloud(&server), questions(), until()).await.meter) {
            Permitted::No(refusal) => {
                assert_eq!(refusal.reason, RefusalReason::PlatformNotSupported)
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn what_does_not_answer_is_late_and_the_rest_is_told() {
    run(async {
        let server = generous().await;
        server.when("RegisterUsage", Act::Wait(Duration::from_secs(60)));
        let begun = Instant::now();
        let until = Until::within(Duration::from_millis(1500));
        let Aws { register, meter, .. } = look(&cloud(&server), questions(), until).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(matches!(register, Some(Look::Late)), "{register:?}");
        assert_eq!(seen(meter), Permitted::Yes);
    });
}
