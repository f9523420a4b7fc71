use super::*;
use crate::{
    adapter::{
        aws::{
            link_local::LinkLocal,
            testing::{
                Act, Canned, KEY, NOW, TokenFile, cloud_beside, cloud_of, divert, run, settings,
            },
        },
        surroundings::Surroundings,
    },
    model::{
        finding::Fate,
        outcome::{Details, Permitted, Registered},
    },
    port::cloud::{Cloud, CloudSettings, UsageProbe},
};
use std::path::Path;

fn irsa(token: &Path) -> Surroundings {
    Surroundings {
        region: Some("eu-west-1".to_owned()),
        web_identity_token: Some(token.to_owned()),
        role_arn: Some("arn:aws:iam::111122223333:role/app".to_owned()),
        instance_metadata_disabled: true,
        ..Surroundings::default()
    }
}

fn contracts() -> CloudSettings {
    CloudSettings { metering: false, ..settings(None) }
}

fn found(there: &Surroundings, metering: bool) -> Result<Source, String> {
    Source::find(there, None, metering, &LinkLocal::default())
}

const STS: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
    <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
    <Expiration>2026-01-01T11:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
    </AssumeRoleWithWebIdentityResponse>";

#[test]
fn metering_takes_a_task_role_or_an_iam_role_for_service_accounts_and_nothing_else() {
    let ecs = Surroundings { ecs_credentials: Some("/v2/x".to_owned()), ..Surroundings::default() };
    assert_eq!(found(&ecs, true), Ok(Source::EcsTask { path: "/v2/x".to_owned() }));
    assert!(matches!(found(&irsa(Path::new("/token")), true), Ok(Source::WebIdentity { .. })));

    let refused = |there: Surroundings, word: &str| {
        let why = found(&there, true).expect_err("it must be refused");
        assert!(why.contains(word), "`{why}` does not say `{word}`");
    };
    let pod_identity = Surroundings {
        pod_identity: Some("http://169.254.170.23/v1/credentials".to_owned()),
        pod_identity_token: Some("/token".into()),
        kubernetes: true,
        ..Surroundings::default()
    };
    refused(pod_identity.clone(), "EKS Pod Identity, which AWS does not accept");
    refused(Surroundings { static_keys: true, ..Surroundings::default() }, "static keys");
    refused(Surroundings { profile: true, ..Surroundings::default() }, "profile");
    refused(Surroundings { kubernetes: true, ..Surroundings::default() }, "node's role");
    refused(Surroundings::default(), "run as an ECS task");
    let half = Surroundings { role_arn: None, ..irsa(Path::new("/token")) };
    refused(half, "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN");

    let license = Surroundings { license_token: Some("/license".into()), ..pod_identity.clone() };
    refused(license, "AWS meters no container outside AWS");

    assert!(matches!(found(&pod_identity, false), Ok(Source::PodIdentity { .. })));
    assert_eq!(found(&Surroundings::default(), false), Ok(Source::Instance));
}

/// Source: Containers Anywhere samples: the default chain first, the license token as fallback.
#[test]
fn a_license_token_serves_contracts_where_aws_gives_no_role_and_before_a_machines_role() {
    let role_arn = "arn:aws:iam::111122223333:role/license".to_owned();
    let license = Surroundings {
        license_token: Some("/license".into()),
        role_arn: Some(role_arn.clone()),
        ..Surroundings::default()
    };
    let token = Source::LicenseToken { token: "/license".into(), role_arn };
    assert_eq!(found(&license, false), Ok(token.clone()));
    let disabled = Surroundings { instance_metadata_disabled: true, ..license.clone() };
    assert_eq!(found(&disabled, false), Ok(token));
    let irsa =
        Surroundings { license_token: license.license_token.clone(), ..irsa(Path::new("/token")) };
    assert!(matches!(found(&irsa, false), Ok(Source::WebIdentity { .. })), "IRSA is preferred");
    assert!(matches!(found(&irsa, true), Ok(Source::WebIdentity { .. })), "for metering too");
    let ecs = Surroundings { ecs_credentials: Some("/v2/x".to_owned()), ..license.clone() };
    assert!(matches!(found(&ecs, false), Ok(Source::EcsTask { .. })));
    let why = found(&Surroundings { role_arn: None, ..license }, false).expect_err("no role");
    assert!(why.contains("`/license`") && why.contains("AWS_ROLE_ARN"), "{why}");
}

fn told(there: &Surroundings, metering: bool) -> Vec<(&'static str, Fate)> {
    let candidates = Source::candidates(there, None, metering, &LinkLocal::default());
    candidates.into_iter().map(|candidate| (candidate.source, candidate.fate)).collect()
}

/// Static keys would come first in AWS's own chain. [AC §6.5]
#[test]
fn static_keys_and_profiles_never_sign_and_are_named() {
    let there = Surroundings { static_keys: true, profile: true, ..irsa(Path::new("/token")) };
    for metering in [true, false] {
        assert!(matches!(found(&there, metering), Ok(Source::WebIdentity { .. })));
        let told = told(&there, metering);
        assert!(told.contains(&("the IAM role for service accounts", Fate::Won)), "{told:?}");
        assert!(told.contains(&("static keys", Fate::Refused)), "{told:?}");
        assert!(told.contains(&("profiles and credential files", Fate::Refused)), "{told:?}");
    }
    let why =
        found(&Surroundings { static_keys: true, profile: true, ..Surroundings::default() }, true)
            .expect_err("neither may sign");
    assert!(
        why.contains("found static keys (AWS_ACCESS_KEY_ID) and a profile or a credentials file"),
        "{why}"
    );
}

#[test]
fn each_source_tells_what_became_of_it() {
    use Fate::{Lost, NotAsked, Refused, Silent, Won};
    let fates = |there: &Surroundings, metering| {
        told(there, metering).into_iter().map(|(_, fate)| fate).collect::<Vec<_>>()
    };
    let all = Surroundings {
        ecs_credentials: Some("/v2/x".to_owned()),
        pod_identity: Some("http://169.254.170.23/v1/credentials".to_owned()),
        pod_identity_token: Some("/token".into()),
        license_token: Some("/license".into()),
        static_keys: true,
        instance_metadata_disabled: false,
        ..irsa(Path::new("/token"))
    };
    assert_eq!(fates(&all, true), [Won, Lost, Refused, Refused, NotAsked, Refused, Silent]);
    assert_eq!(fates(&all, false), [Won, Lost, Lost, Lost, Lost, Refused, Silent]);
    let pod = Surroundings { ecs_credentials: None, web_identity_token: None, ..all.clone() };
    assert_eq!(fates(&pod, true), [Silent, Silent, Refused, Refused, NotAsked, Refused, Silent]);
    assert_eq!(fates(&pod, false), [Silent, Silent, Won, Lost, Lost, Refused, Silent]);
    let odd = Surroundings { ecs_credentials: Some("v2/x".to_owned()), ..all };
    assert_eq!(fates(&odd, false), [Refused, Lost, Lost, Lost, Lost, Refused, Silent]);
    assert!(found(&odd, false).is_err(), "an odd variable is no reason to take the next source");
    let nothing = Surroundings { instance_metadata_disabled: true, ..Surroundings::default() };
    assert_eq!(fates(&nothing, false)[4], NotAsked);
    assert!(found(&nothing, false).is_err());
}

/// The texts go to screens and logs.
#[test]
fn no_candidate_shows_a_secret() {
    let there = Surroundings {
        ecs_credentials: Some("/v2/credentials/secret-path".to_owned()),
        pod_identity: Some("http://user:secret@evil.example/v1".to_owned()),
        pod_identity_token: Some("/token".into()),
        ..Surroundings::default()
    };
    for metering in [true, false] {
        let candidates = Source::candidates(&there, None, metering, &LinkLocal::default());
        assert!(!format!("{candidates:?}").contains("secret"), "{candidates:?}");
    }
}

/// A service account without its annotation, or a variable that somebody has unset.
#[test]
fn half_a_web_identity_is_named() {
    let half = Surroundings { role_arn: None, kubernetes: true, ..irsa(Path::new("/token")) };
    let why = found(&half, true).expect_err("it has no role");
    assert!(why.contains("AWS_ROLE_ARN is not"), "{why}");
    assert!(told(&half, true).contains(&("the IAM role for service accounts", Fate::Refused)));
}

/// The sample sets AWS_ROLE_ARN, and EKS leaves it as it is. [AC §5.2]
#[test]
fn a_role_of_a_license_token_that_took_the_place_of_irsas_is_suspected() {
    run(async {
        let token = TokenFile::of("mixed", "a.b.c");
        let server = Canned::start(vec![]).await;
        let error = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>";
        let head = "HTTP/1.1 403 x\r\ncontent-type: text/xml\r\ncontent-length";
        server.when("AssumeRole", Act::Say(format!("{head}: {}\r\n\r\n{error}", error.len())));
        let text = async |there: Surroundings| {
            let mut cloud = cloud_beside(contracts(), there, &server);
            divert(&mut cloud, server.url());
            match cloud.details(None).await {
                Details::Failed(failure) => failure.text,
                other => panic!("{other:?}"),
            }
        };
        let hint = "if AWS_ROLE_ARN is its role, unset that on EKS";
        assert!(!text(irsa(&token.0)).await.contains(hint));
        let both = Surroundings { license_token: Some("/license".into()), ..irsa(&token.0) };
        assert!(text(both).await.contains(hint));
    });
}

#[test]
fn no_variable_moves_credentials_to_another_server() {
    for path in ["v2/x", "//evil example/x", "@evil.example/x", "", "/a\r\nhost: evil"] {
        let there =
            Surroundings { ecs_credentials: Some(path.to_owned()), ..Surroundings::default() };
        assert!(found(&there, true).is_err(), "{path:?}");
    }
    let there = Surroundings {
        pod_identity: Some("http://169.254.170.24/v1/credentials".to_owned()),
        pod_identity_token: Some("/token".into()),
        ..Surroundings::default()
    };
    assert!(found(&there, false).is_err());
}

#[test]
fn a_web_identity_is_exchanged_unsigned_at_our_own_sts_client_and_signs_the_call() {
    run(async {
        let token = TokenFile::of("irsa", " the.projected.token\n");
        let server = Canned::start(vec![
            Act::Say(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{STS}",
                STS.len()
            )),
            Act::error(400, "ThrottlingException"),
        ])
        .await;
        let mut cloud = cloud_beside(settings(None), irsa(&token.0), &server);
        divert(&mut cloud, server.url());
        let answer = cloud.register("abc".into(), KEY.public()).await;
        let calls = server.calls();
        assert_eq!(calls.len(), 2, "{answer:?}");
        let body = &calls[0].body;
        for part in [
            "Action=AssumeRoleWithWebIdentity",
            "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fapp",
            "WebIdentityToken=the.projected.token&",
        ] {
            assert!(format!("{body}&").contains(part), "{part}: {body}");
        }
        assert_eq!(calls[0].header("authorization"), None);
        let signed = calls[1].header("authorization").expect("it is signed");
        assert!(signed.contains("=ASIAEXAMPLE/20260101/eu-west-1/aws-marketplace/"), "{signed}");
        assert_eq!(calls[1].header("x-amz-security-token"), Some("t"));
    });
}

#[test]
fn a_role_that_sts_does_not_give_says_what_to_check() {
    run(async {
        let token = TokenFile::of("denied", "a.b.c");
        let error = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                     <Message>Not authorized</Message></Error></ErrorResponse>";
        let head = "HTTP/1.1 403 x\r\ncontent-type: text/xml\r\ncontent-length";
        let server =
            Canned::start(vec![Act::Say(format!("{head}: {}\r\n\r\n{error}", error.len()))]).await;
        let mut cloud = cloud_beside(contracts(), irsa(&token.0), &server);
        divert(&mut cloud, server.url());
        match cloud.details(None).await {
            Details::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::NotSent);
                assert!(failure.text.contains("trust policy"), "{}", failure.text);
                assert!(!failure.text.contains("a.b.c"), "{}", failure.text);
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_missing_or_empty_token_file_is_named() {
    for (name, content) in [("absent", None), ("empty", Some("\n"))] {
        run(async {
            let file = TokenFile::of(name, content.unwrap_or_default());
            if content.is_none() {
                std::fs::remove_file(&file.0).expect("it was there");
            }
            let server = Canned::start(vec![]).await;
            let cloud = cloud_beside(contracts(), irsa(&file.0), &server);
            match cloud.details(None).await {
                Details::Failed(failure) => {
                    assert!(failure.text.contains(name), "{}", failure.text)
                }
                other => panic!("{other:?}"),
            }
        });
    }
}

#[test]
fn an_ecs_task_asks_its_own_agent() {
    run(async {
        let server = Canned::start(vec![Act::ok(r#"{"MeteringRecordId":"r"}"#)]).await;
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
            ecs_credentials: Some("/v2/credentials".to_owned()),
            static_keys: true,
            ..Surroundings::default()
        };
        server.at("/v4/abc/task", Act::ok(r#"{"TaskARN":"arn:aws:ecs:eu-west-1:1:task/c/1"}"#));
        let mut cloud = cloud_beside(settings(None), there, &server);
        divert(&mut cloud, server.url());
        let probe = UsageProbe { product: "abc".into(), dimension: "d".to_owned(), timestamp: NOW };
        assert_eq!(cloud.check_usage(probe).await, Permitted::Yes);
        let mut gets = server.lines();
        gets.sort();
        assert_eq!(gets, ["GET /v2/credentials", "GET /v4/abc/task", "POST /"]);
    });
}

#[test]
fn pod_identity_and_the_instance_role_serve_contracts() {
    run(async {
        let token = TokenFile::of("pod", "pod-token");
        let list = Act::ok(r#"{"Licenses":[]}"#);
        let server = Canned::start(vec![list.clone(), list]).await;
        let pod = Surroundings {
            region: Some("eu-west-1".to_owned()),
            pod_identity: Some("http://169.254.170.23/v1/credentials".to_owned()),
            pod_identity_token: Some(token.0.clone()),
            kubernetes: true,
            ..Surroundings::default()
        };
        let mut cloud = cloud_beside(contracts(), pod, &server);
        divert(&mut cloud, server.url());
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        let asked = server.requests().into_iter().find(|r| r.line() == "GET /v1/credentials");
        assert_eq!(asked.expect("the agent is asked").header("authorization"), Some("pod-token"));

        let token = |body: &str| Act::answer(200, &[], body);
        server.at("/latest/api/token", token("imds-token"));
        server.at("/latest/meta-data/instance-id", token("i-0123"));
        server.at("/latest/meta-data/placement/region", token("eu-central-1"));
        server.at("/iam/security-credentials/", token("node-role"));
        server.at(
            "/iam/security-credentials/node-role",
            token(r#"{"AccessKeyId":"INSTANCE","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T16:00:00Z"}"#),
        );
        let mut cloud = cloud_beside(contracts(), Surroundings::default(), &server);
        divert(&mut cloud, server.url());
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        let calls = server.calls();
        let signed = calls[1].header("authorization").expect("it is signed");
        assert!(signed.contains("=INSTANCE/20260101/eu-central-1/"), "{signed}");
        let asked: Vec<_> = server.requests();
        let with_token = asked.iter().filter(|r| r.line().contains("/latest/meta-data/"));
        assert!(
            with_token.clone().all(|r| r.header("x-aws-ec2-metadata-token") == Some("imds-token")),
            "version 2 only"
        );
        assert!(with_token.count() >= 3);
    });
}

#[test]
fn metering_on_an_instance_or_in_agentcore_sends_nothing_and_says_what_to_do() {
    run(async {
        let server = Canned::start(vec![]).await;
        let there =
            Surroundings { region: Some("eu-west-1".to_owned()), ..Surroundings::default() };
        let cloud = cloud_beside(settings(None), there, &server);
        let answer = cloud.register("abc".into(), KEY.public()).await;
        match answer {
            Registered::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::NotSent);
                assert!(failure.text.contains("no credentials for metering"), "{}", failure.text);
                // AgentCore Runtime looks like this from inside.
                assert!(failure.text.contains("AgentCore Runtime is not used"), "{}", failure.text);
                assert!(failure.text.contains("an image of its own"), "{}", failure.text);
            }
            other => panic!("{other:?}"),
        }
        let keys = "/latest/meta-data/iam/security-credentials/";
        let asked = server.lines();
        assert!(asked.iter().all(|line| !line.contains(keys) || line.ends_with(keys)), "{asked:?}");
    });
}

#[test]
fn an_answer_without_keys_or_with_an_unreadable_end_gives_none() {
    for body in [
        "",
        "{}",
        "null",
        r#"{"AccessKeyId":"a"}"#,
        r#"{"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"soon"}"#,
        "<html></html>",
    ] {
        assert!(Answer::read(body.as_bytes()).is_err(), "{body}");
    }
    let endless = Answer::read(br#"{"AccessKeyId":"a","SecretAccessKey":"b"}"#).expect("keys");
    assert_eq!(endless.expiry(), None);
}

#[test]
fn two_calls_at_once_exchange_a_token_once() {
    run(async {
        let token = TokenFile::of("once", "a.b.c");
        let server = Canned::start(vec![]).await;
        server.then(Act::Say(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{STS}",
            STS.len()
        )));
        server.then(Act::ok(r#"{"Licenses":[]}"#));
        server.then(Act::ok(r#"{"Licenses":[]}"#));
        let mut cloud = cloud_beside(contracts(), irsa(&token.0), &server);
        divert(&mut cloud, server.url());
        tokio::join!(cloud.details(None), cloud.details(None));
        let exchanged =
            server.calls().iter().filter(|c| c.body.contains("AssumeRoleWithWebIdentity")).count();
        assert_eq!(exchanged, 1);
    });
}

#[test]
fn a_custom_partition_file_that_the_sdk_cannot_read_is_named_and_stops_nothing_else() {
    run(async {
        let server = Canned::start(vec![]).await;
        let there = Surroundings {
            custom_partition: Some("/nowhere/partitions.json".into()),
            ..Surroundings::default()
        };
        let url = format!("{}/t/app", server.url());
        let cloud = cloud_beside(settings(Some(url)), there, &server);
        let answer = cloud
            .check_usage(UsageProbe {
                product: "abc".into(),
                dimension: "d".to_owned(),
                timestamp: NOW,
            })
            .await;
        match answer {
            Permitted::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::NotSent);
                assert!(
                    failure.text.contains("SMITHY_CLIENT_SDK_CUSTOM_PARTITION"),
                    "{}",
                    failure.text
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(server.calls().len(), 0);
    });
}

#[test]
fn an_instance_of_a_sandbox_uses_its_role_for_contracts_and_never_for_metering() {
    run(async {
        let server = Canned::start(vec![Act::ok(r#"{"Licenses":[]}"#)]).await;
        server.at("/t/app/credentials", Act::answer(404, &[], "{}"));
        server.at("/t/app/latest/api/token", Act::ok("imds-token"));
        let roles = "/t/app/latest/meta-data/iam/security-credentials/";
        server.at(roles, Act::ok("node-role"));
        let keys = r#"{"AccessKeyId":"INSTANCE","SecretAccessKey":"s","Token":"t"}"#;
        server.at(&format!("{roles}node-role"), Act::ok(keys));
        let sandbox = Some(format!("{}/t/app", server.url()));
        let contract = CloudSettings { metering: false, ..settings(sandbox.clone()) };
        let there = Surroundings::default();
        assert!(matches!(
            cloud_of(contract, there.clone()).details(None).await,
            Details::Nothing(_)
        ));
        let signed = server.calls()[0].header("authorization").map(str::to_owned);
        assert!(signed.is_some_and(|s| s.contains("=INSTANCE/")));
        let answer = cloud_of(settings(sandbox), there).register("abc".into(), KEY.public()).await;
        assert!(matches!(answer, Registered::Failed(_)), "{answer:?}");
        assert_eq!(server.calls().len(), 1, "nothing was sent");
    });
}

#[test]
fn a_pod_of_a_sandbox_exchanges_its_projected_token() {
    run(async {
        let server = Canned::start(vec![
            Act::ok(r#"{"token":"pod.token.x","role_arn":"arn:aws:iam::1:role/pod"}"#),
            Act::Say(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{STS}", STS.len())),
            Act::error(400, "ThrottlingException"),
        ])
        .await;
        server.at("/v4/task", Act::answer(404, &[], "{}"));
        let listed =
            r#"{"tasks":[{"name":"app","platform":"eks","region":"eu-north-1","pod_uid":"u"}]}"#;
        server.at("/_sandbox/tasks", Act::ok(listed));
        let sandbox = Some(format!("{}/t/app", server.url()));
        let cloud = cloud_of(settings(sandbox), Surroundings::default());
        cloud.register("abc".into(), KEY.public()).await;
        let calls = server.calls();
        assert_eq!(calls[0].line(), "POST /_sandbox/tasks/app/web_identity_token");
        assert!(calls[1].body.contains("WebIdentityToken=pod.token.x"), "{}", calls[1].body);
        let signed = calls[2].header("authorization").expect("it is signed");
        assert!(signed.contains("=ASIAEXAMPLE/20260101/eu-north-1/"), "{signed}");
    });
}
