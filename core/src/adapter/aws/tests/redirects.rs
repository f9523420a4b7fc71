//! A license whose home is another Region. (T56)

use super::super::{
    AwsCloud,
    testing::{Act, Canned, cloud, run},
};
use crate::{
    model::{
        license::Entitlement,
        outcome::{CheckedIn, CheckedOut, Details, Drawn, Failure, FailureClass, Tiers},
    },
    port::cloud::Cloud,
};

const WEST: &str = "https://license-manager.us-west-2.amazonaws.com/";
const HELD: &str = r#"{"LicenseConsumptionToken":"c","Expiration":"2026-01-01T10:00:00Z","LicenseArn":"arn:aws:x:1"}"#;

fn redirect(location: &str) -> Act {
    let body = format!(r#"{{"__type":"RedirectException","Message":"m","Location":"{location}"}}"#);
    Act::answer(400, &[], &body)
}

fn users() -> Entitlement {
    Entitlement {
        name: "Users".to_owned(),
        unit: "Count".to_owned(),
        value: Some("1".to_owned()),
        max_count: None,
        consumed: None,
    }
}

async fn check_out(cloud: &AwsCloud) -> CheckedOut {
    cloud.check_out(vec![users()], "t-1".into()).await
}

/// The Regions whose License Manager was asked, by the scopes of the signatures.
fn regions(server: &Canned) -> Vec<String> {
    let region = |signed: &str| signed.split('/').nth(2).unwrap_or_default().to_owned();
    server.calls().iter().map(|c| region(c.header("authorization").unwrap_or_default())).collect()
}

#[test]
fn a_redirect_is_followed_once_with_the_same_request() {
    run(async {
        let server = Canned::start(vec![redirect(WEST), Act::ok(HELD)]).await;
        let answer = check_out(&cloud(&server)).await;
        assert!(matches!(answer, CheckedOut::Held { .. }), "{answer:?}");
        let calls = server.calls();
        assert_eq!(calls[0].body, calls[1].body, "the same client token");
        assert_eq!(regions(&server), ["eu-west-1", "us-west-2"]);
    });
}

#[test]
fn a_home_that_has_served_is_asked_first_by_every_later_call() {
    run(async {
        let list = Act::ok(r#"{"Licenses":[]}"#);
        let tier = Act::ok(
            r#"{"LicenseConsumptionToken":"c","EntitlementsAllowed":[{"Name":"Basic","Unit":"None"}]}"#,
        );
        let server = Canned::start(vec![
            redirect(WEST),
            Act::ok(HELD),
            Act::ok(HELD),
            Act::ok("{}"),
            tier,
            list,
            Act::ok(HELD),
        ])
        .await;
        let cloud = cloud(&server);
        let held = check_out(&cloud).await;
        assert!(matches!(held, CheckedOut::Held { .. }), "{held:?}");
        assert!(matches!(cloud.extend("c".into()).await, CheckedOut::Held { .. }));
        assert_eq!(cloud.check_in("c".into()).await, CheckedIn::Done);
        assert!(matches!(
            cloud.tiers(vec!["Basic".into()], "t".into()).await,
            Tiers::Bought { .. }
        ));
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        assert!(matches!(cloud.draw(users(), "d".into()).await, Drawn::Yes { .. }));
        assert_eq!(regions(&server)[1..], ["us-west-2"; 6]);
    });
}

#[test]
fn every_operation_understands_a_redirect_although_one_has_it_in_its_model() {
    let check = |ask: fn(&AwsCloud) -> crate::port::cloud::Call<bool>, answer: &'static str| {
        run(async move {
            let server = Canned::start(vec![redirect("us-west-2"), Act::ok(answer)]).await;
            let cloud = cloud(&server);
            assert!(ask(&cloud).await, "{answer}");
            assert_eq!(regions(&server), ["eu-west-1", "us-west-2"]);
        });
    };
    check(|c| told(c.extend("c".into()), |a| matches!(a, CheckedOut::Held { .. })), HELD);
    check(|c| told(c.check_in("c".into()), |a| matches!(a, CheckedIn::Done)), "{}");
    check(|c| told(c.details(None), |a| matches!(a, Details::Nothing(_))), r#"{"Licenses":[]}"#);
    check(|c| told(c.draw(users(), "d".into()), |a| matches!(a, Drawn::Yes { .. })), HELD);
    check(
        |c| {
            told(c.consumption("arn:aws:x:1".into()), |a| {
                matches!(a, crate::model::outcome::Consumption::Read(_))
            })
        },
        r#"{"LicenseUsage":{}}"#,
    );
}

fn told<T: 'static>(
    call: crate::port::cloud::Call<T>,
    is_right: fn(&T) -> bool,
) -> crate::port::cloud::Call<bool> {
    Box::pin(async move { is_right(&call.await) })
}

#[test]
fn a_redirect_that_leads_on_or_in_a_circle_stops_after_the_second_call() {
    for second in ["us-west-2", "eu-west-1", "us-east-1"] {
        run(async {
            let again = redirect(second);
            let server = Canned::start(vec![redirect("us-west-2"), again.clone(), again]).await;
            let cloud = cloud(&server);
            match check_out(&cloud).await {
                CheckedOut::Failed(Failure { class, text }) => {
                    assert_eq!(class, FailureClass::NotSent, "{text}");
                    assert!(text.contains("`us-west-2`"), "{text}");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(server.calls().len(), 2, "{second}");
            // What has not served is not remembered.
            check_out(&cloud).await;
            assert_eq!(regions(&server)[2], "eu-west-1");
        });
    }
}

#[test]
fn a_redirect_to_where_we_are_or_out_of_the_partition_is_not_followed() {
    for location in [
        "https://evil.example/",
        "",
        "https://127.0.0.1/",
        "cn-north-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "eu-west-1",
    ] {
        run(async {
            let server = Canned::start(vec![redirect(location), Act::ok(HELD)]).await;
            let answer = check_out(&cloud(&server)).await;
            let not_sent =
                matches!(answer, CheckedOut::Failed(Failure { class: FailureClass::NotSent, .. }));
            assert!(not_sent, "{location}: {answer:?}");
            assert_eq!(server.calls().len(), 1, "{location}");
        });
    }
}

/// The host in it is the attacker's: nothing but the Region's name is read, and that goes through our table.
#[test]
fn the_host_of_a_hostile_location_is_never_contacted() {
    run(async {
        let evil = Canned::start(vec![]).await;
        for location in [
            evil.url(),
            format!("{}/us-west-2", evil.url()),
            format!("https://license-manager.us-west-2.amazonaws.com@{}/", evil.address()),
        ] {
            let server = Canned::start(vec![redirect(&location), Act::ok(HELD)]).await;
            check_out(&cloud(&server)).await;
            let named = location.contains("us-west-2");
            assert_eq!(server.calls().len(), 1 + usize::from(named), "{location}");
        }
        assert!(evil.requests().is_empty(), "{:?}", evil.lines());
    });
}
