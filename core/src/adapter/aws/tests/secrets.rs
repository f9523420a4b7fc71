//! What we were given in confidence, against servers that say it aloud: no text of ours repeats it.

use super::super::{
    AwsCloud, Surroundings,
    testing::{Act, Canned, KEY, TokenFile, cloud_beside, divert, run, settings},
};
use crate::{
    model::{license::Entitlement, quantity::Units, time::Timestamp, usage::Record},
    port::cloud::{Cloud, CloudSettings, UsageProbe},
};
use std::{collections::BTreeMap, fmt::Debug};

const KEY_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYSECRETKEY";
const SESSION: &str = "IQoJb3JpZ2luX2VjEJr/SESSION+TOKEN/of/the/role==";
const CLIENT: &str = "0d9b1e64-client-token-of-one-call-7c2970c";
const CONSUMPTION: &str = "a5f0c0de-consumption-token-of-a-seat-99";
const PROJECTED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwcm9qZWN0ZWQifQ.cHJvamVjdGVkLXRva2Vu";
const REFRESH: &str =
    "eyJhbGciOiJQUzI1NiJ9.eyJzdWIiOiJyZWZyZXNoIn0.cmVmcmVzaC10b2tlbi1vZi1hLWxpY2Vuc2U";
const ACCESS: &str =
    "eyJhbGciOiJQUzUxMiJ9.eyJzdWIiOiJhY2Nlc3MifQ.YWNjZXNzLXRva2VuLW9mLWEtbGljZW5zZQ";
const METADATA: &str = "AQAEAsession-token-of-instance-metadata==";
const ALL: &[&str] =
    &[KEY_SECRET, SESSION, CLIENT, CONSUMPTION, PROJECTED, REFRESH, ACCESS, METADATA];

/// Fails when `told` has one of them, or the beginning of one.
fn keeps_quiet(told: &dyn Debug) {
    let told = format!("{told:?}");
    for secret in ALL {
        assert!(!told.contains(&secret[..20]), "`{secret}` is told: {told}");
    }
}

/// Every way in which a code is read, with words that repeat `secrets`.
fn indiscreet(secrets: &[&str]) -> Vec<Act> {
    let mut acts = Vec::new();
    for secret in secrets {
        for (status, code) in [
            (400, "ValidationException"),
            (400, "InvalidParameterValueException"),
            (400, "ThrottlingException"),
            (403, "AccessDeniedException"),
            (403, "UnrecognizedClientException"),
            (403, "InvalidSignatureException"),
            (500, "InternalServiceErrorException"),
            (500, "ServerInternalException"),
            (400, "NoEntitlementsAllowedException"),
            (400, "DuplicateRequestException"),
            (400, "IdempotencyConflictException"),
            (400, "SomethingQuiteNewException"),
            (302, "RedirectException"),
        ] {
            let words = format!("Value '{secret}' at 'token' failed to satisfy constraint");
            let body = format!(
                r#"{{"__type":"{code}","message":"{words}","Message":"{words}","Location":"{secret}"}}"#
            );
            acts.push(Act::answer(status, &[], &body));
            let error = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error></ErrorResponse>"
            );
            acts.push(Act::answer(status, &[], &error));
        }
        let code = format!(r#"{{"__type":"{secret}","message":"{}..."}}"#, &secret[..30]);
        acts.push(Act::answer(400, &[], &code));
        acts.push(Act::answer(
            400,
            &[&format!("x-amzn-errortype: {}", secret.replace('/', ""))],
            "{}",
        ));
        acts.push(Act::answer(200, &[], secret));
        acts.push(Act::answer(502, &[], &format!("<html>{secret}</html>")));
    }
    acts
}

fn credentials() -> Act {
    Act::ok(&format!(
        r#"{{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"{KEY_SECRET}","Token":"{SESSION}","Expiration":"2026-01-01T16:00:00Z"}}"#
    ))
}

fn record() -> Record {
    let hour = Timestamp(1_767_258_000_000).hour();
    Record {
        id: crate::model::ids::RecordId(1),
        dimension: "requests".into(),
        hour,
        timestamp: Timestamp(hour.end().0 - 1_000),
        units: Units { scaled: 17, digits: 0 },
        allocations: Vec::new(),
        client_token: CLIENT.into(),
        parts: BTreeMap::new(),
    }
}

fn seats() -> Entitlement {
    Entitlement {
        name: "Users".into(),
        unit: "Count".into(),
        max_count: Some(1),
        ..Entitlement::default()
    }
}

fn ecs() -> Surroundings {
    Surroundings {
        region: Some("eu-west-1".to_owned()),
        ecs_credentials: Some("/credentials".to_owned()),
        ..Surroundings::default()
    }
}

async fn stage(settings: CloudSettings, there: Surroundings) -> (Canned, AwsCloud) {
    let server = Canned::start(vec![]).await;
    server.at("/credentials", credentials());
    let mut cloud = cloud_beside(settings, there, &server);
    divert(&mut cloud, server.url());
    (server, cloud)
}

#[test]
fn aws_may_repeat_what_it_was_sent_and_no_outcome_does() {
    run(async {
        let (server, cloud) = stage(settings(None), ecs()).await;
        let mut calls = 0;
        for act in indiscreet(&[KEY_SECRET, SESSION]) {
            server.when("AWS", act);
            let probe = || UsageProbe {
                product: "abc".into(),
                dimension: "requests".into(),
                timestamp: Timestamp(1_767_258_000_000),
            };
            keeps_quiet(&cloud.register("abc".into(), KEY.public()).await);
            keeps_quiet(&cloud.check_usage(probe()).await);
            keeps_quiet(&cloud.probe(probe()).await);
            keeps_quiet(&cloud.details(None).await);
            keeps_quiet(&cloud.consumption("arn:aws:license-manager::1:license:l-1".into()).await);
            calls += 5;
        }
        for act in indiscreet(&[KEY_SECRET, SESSION, CLIENT]) {
            server.when("AWS", act);
            keeps_quiet(&cloud.meter("abc".into(), record()).await);
            keeps_quiet(&cloud.tiers(vec!["Basic".into()], CLIENT.into()).await);
            keeps_quiet(&cloud.check_out(vec![seats()], CLIENT.into()).await);
            keeps_quiet(&cloud.draw(seats(), CLIENT.into()).await);
            calls += 4;
        }
        for act in indiscreet(&[KEY_SECRET, SESSION, CONSUMPTION]) {
            server.when("AWS", act);
            keeps_quiet(&cloud.extend(CONSUMPTION.into()).await);
            keeps_quiet(&cloud.check_in(CONSUMPTION.into()).await);
            calls += 2;
        }
        assert!(server.calls().len() >= calls, "each was really asked");
        let sent = format!("{:?}", server.requests());
        for secret in [SESSION, CLIENT, CONSUMPTION] {
            assert!(sent.contains(secret), "{secret} was really sent");
        }
    });
}

#[test]
fn a_good_answer_shows_no_token_either() {
    run(async {
        let (server, cloud) = stage(settings(None), ecs()).await;
        server.when("AWS", Act::ok(&format!(
            r#"{{"LicenseConsumptionToken":"{CONSUMPTION}","Expiration":"2026-01-01T11:00:00Z","SignedToken":"{ACCESS}"}}"#
        )));
        let held = cloud.check_out(vec![seats()], CLIENT.into()).await;
        assert!(
            matches!(&held, crate::model::outcome::CheckedOut::Held { token, .. } if token.as_str() == CONSUMPTION)
        );
        keeps_quiet(&held);
        keeps_quiet(&record());
        keeps_quiet(&cloud.0.credentials);
    });
}

#[test]
fn sts_and_license_manager_may_repeat_tokens_and_no_reason_does() {
    run(async {
        let (projected, license) = (
            TokenFile::of("indiscreet-irsa", PROJECTED),
            TokenFile::of("indiscreet-license", REFRESH),
        );
        let role_arn = Some("arn:aws:iam::111122223333:role/app".to_owned());
        let irsa = Surroundings {
            region: Some("eu-west-1".to_owned()),
            web_identity_token: Some(projected.0.clone()),
            role_arn: role_arn.clone(),
            instance_metadata_disabled: true,
            ..Surroundings::default()
        };
        let anywhere = Surroundings {
            license_token: Some(license.0.clone()),
            web_identity_token: None,
            ..irsa.clone()
        };
        for act in indiscreet(&[PROJECTED]) {
            let (server, cloud) = stage(settings(None), irsa.clone()).await;
            server.when("AssumeRole", act);
            keeps_quiet(&cloud.register("abc".into(), KEY.public()).await);
            assert!(format!("{:?}", server.calls()).contains(PROJECTED), "it was really sent");
        }
        let contracts = || CloudSettings { metering: false, ..settings(None) };
        for act in indiscreet(&[REFRESH]) {
            let (server, cloud) = stage(contracts(), anywhere.clone()).await;
            server.when("GetAccessToken", act);
            keeps_quiet(&cloud.details(None).await);
            assert!(format!("{:?}", server.calls()).contains(REFRESH), "it was really sent");
        }
        for act in indiscreet(&[ACCESS]) {
            let (server, cloud) = stage(contracts(), anywhere.clone()).await;
            server.when("GetAccessToken", Act::ok(&format!(r#"{{"AccessToken":"{ACCESS}"}}"#)));
            server.when("AssumeRole", act);
            keeps_quiet(&cloud.details(None).await);
            assert!(format!("{:?}", server.calls()).contains(ACCESS), "it was really sent");
        }
    });
}

#[test]
fn no_server_beside_the_container_brings_a_secret_into_a_reason() {
    run(async {
        let pod_token = TokenFile::of("indiscreet-pod", PROJECTED);
        let contracts = || CloudSettings { metering: false, ..settings(None) };
        let region = Some("eu-west-1".to_owned());
        let pod_identity = Surroundings {
            region: region.clone(),
            pod_identity: Some("http://169.254.170.23/credentials".to_owned()),
            pod_identity_token: Some(pod_token.0.clone()),
            ..Surroundings::default()
        };
        let instance = Surroundings { region, ..Surroundings::default() };
        let whole = format!(
            r#""AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"{KEY_SECRET}","Token":"{SESSION}""#
        );
        let broken = [
            Act::ok(&format!(r#"{{{whole},"Expiration":"{SESSION}"}}"#)),
            Act::ok(&format!(r#"{{{whole},"Expiration":7}}"#)),
            Act::ok(&format!(r#"{{{whole}"#)),
            Act::ok(&format!(r#"{{"SecretAccessKey":"{KEY_SECRET}"}}"#)),
            Act::ok(SESSION),
            Act::answer(400, &[], &format!(r#"{{"message":"{PROJECTED} {METADATA}"}}"#)),
        ];
        for act in broken {
            for there in [ecs(), pod_identity.clone(), instance.clone()] {
                let (server, cloud) = stage(contracts(), there).await;
                server.at("/latest/api/token", Act::ok(METADATA));
                server.at("/security-credentials/", Act::ok("role"));
                server.at("/security-credentials/role", act.clone());
                server.at("/credentials", act.clone());
                keeps_quiet(&cloud.details(None).await);
                let asked = server.lines();
                assert!(
                    asked
                        .iter()
                        .any(|line| line.ends_with("/credentials") || line.ends_with("/role")),
                    "{asked:?}"
                );
            }
        }
    });
}
