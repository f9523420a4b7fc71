//! Who signs in each place that a container runs in, and what is said where nobody may.

use super::super::testing::{
    Act, Canned, KEY, TokenFile, cloud, cloud_beside, divert, run, settings,
};
use crate::{
    adapter::surroundings::Surroundings,
    model::outcome::{Details, FailureClass, RefusalReason, Registered},
    port::cloud::{Cloud, CloudSettings},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::{Duration, Instant};

const NODE: &str = r#"{"AccessKeyId":"NODE","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T16:00:00Z"}"#;

fn in_region() -> Surroundings {
    Surroundings { region: Some("eu-west-1".to_owned()), ..Surroundings::default() }
}

fn contracts() -> CloudSettings {
    CloudSettings { metering: false, ..settings(None) }
}

/// A pod's token, as the kubelet projects it.
fn token(test: &str) -> TokenFile {
    let claims = r#"{"kubernetes.io":{"pod":{"uid":"uid-1"}}}"#;
    TokenFile::of(test, &format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
}

fn irsa(token: &TokenFile) -> Surroundings {
    Surroundings {
        web_identity_token: Some(token.0.clone()),
        role_arn: Some("arn:aws:iam::111122223333:role/app".to_owned()),
        kubernetes: true,
        ..in_region()
    }
}

/// A server whose instance metadata gives the node's role, and whose STS gives a pod's.
async fn node() -> Canned {
    let server = Canned::start(vec![]).await;
    let roles = "/latest/meta-data/iam/security-credentials/";
    server.at("/latest/api/token", Act::ok("imds-token"));
    server.at("/latest/meta-data/placement/region", Act::ok("us-east-1"));
    server.at("/latest/meta-data/instance-id", Act::ok("i-0123"));
    server.at(roles, Act::ok("node-role"));
    server.at(&format!("{roles}node-role"), Act::ok(NODE));
    let sts = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>POD</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
        <SessionToken>t</SessionToken><Expiration>2026-01-01T11:00:00Z</Expiration></Credentials>\
        </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length";
    server.when(
        "Action=AssumeRoleWithWebIdentity",
        Act::Say(format!("{head}: {}\r\n\r\n{sts}", sts.len())),
    );
    server.when("AWSLicenseManager", Act::ok(r#"{"Licenses":[]}"#));
    server.when("RegisterUsage", Act::error(400, "ThrottlingException"));
    server
}

/// What registering comes to, where it is not sent.
async fn refused(settings: CloudSettings, there: Surroundings, server: &Canned) -> String {
    let mut cloud = cloud_beside(settings, there, server);
    divert(&mut cloud, server.url());
    match cloud.register("abc".into(), KEY.public()).await {
        Registered::Failed(failure) => {
            assert_eq!(failure.class, FailureClass::NotSent, "{}", failure.text);
            failure.text
        }
        other => panic!("{other:?}"),
    }
}

fn signer(server: &Canned, call: &str) -> Option<String> {
    let calls = server.calls();
    let call = calls.iter().find(|asked| asked.head.contains(call))?;
    let header = call.header("authorization")?;
    Some(header.split_once("Credential=")?.1.split('/').next()?.to_owned())
}

/// T59: the node's role can be reached, and static keys and a profile lie about: the pod's own role signs.
#[test]
fn the_pods_role_signs_whatever_else_is_there() {
    run(async {
        let file = token("t59");
        let server = node().await;
        let there = Surroundings { static_keys: true, profile: true, ..irsa(&file) };
        let mut cloud = cloud_beside(settings(None), there, &server);
        divert(&mut cloud, server.url());
        cloud.register("abc".into(), KEY.public()).await;
        assert_eq!(signer(&server, "RegisterUsage").as_deref(), Some("POD"));
        let asked = server.lines();
        assert!(asked.iter().all(|line| line == "POST /"), "metadata is not asked: {asked:?}");
    });
}

/// T59: without a role of its own a pod on a node with one sends nothing, and says what was found.
#[test]
fn a_pod_without_a_role_of_its_own_does_not_take_the_nodes() {
    run(async {
        let server = node().await;
        let there = Surroundings { kubernetes: true, static_keys: true, ..in_region() };
        let why = refused(settings(None), there, &server).await;
        for words in [
            "found static keys (AWS_ACCESS_KEY_ID)",
            "node's role is not accepted",
            "role `node-role` of the machine",
            "IRSA",
        ] {
            assert!(why.contains(words), "`{words}`: {why}");
        }
        let asked = server.lines();
        assert!(asked.iter().all(|line| !line.ends_with("node-role")), "no keys: {asked:?}");
    });
}

/// T60: AWS takes EKS Pod Identity for contracts, and not for metering.
#[test]
fn pod_identity_serves_contracts_and_metering_says_that_it_cannot() {
    run(async {
        let file = token("t60");
        let server = node().await;
        server.at("/v1/credentials", Act::ok(&NODE.replace("NODE", "AGENT")));
        for url in ["http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"]
        {
            let there = Surroundings {
                pod_identity: Some(url.to_owned()),
                pod_identity_token: Some(file.0.clone()),
                kubernetes: true,
                ..in_region()
            };
            let asked = server.lines().len();
            let why = refused(settings(None), there.clone(), &server).await;
            assert!(
                why.contains("EKS Pod Identity, which AWS does not accept for metering"),
                "{why}"
            );
            assert!(why.contains("annotate the pod's service account with an IAM role"), "{why}");
            assert_eq!(server.lines().len(), asked, "nobody is asked");

            let mut cloud = cloud_beside(contracts(), there, &server);
            divert(&mut cloud, server.url());
            assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
            assert_eq!(signer(&server, "ListReceivedLicenses").as_deref(), Some("AGENT"));
        }
    });
}

/// T61: with the Region in the environment nobody waits for instance metadata, not even for contracts.
#[test]
fn a_black_hole_of_instance_metadata_is_not_asked_when_the_environment_answers() {
    run(async {
        let file = token("t61");
        let server = node().await;
        server.at("/latest/api/token", Act::Wait(Duration::from_secs(60)));
        for metering in [true, false] {
            let began = Instant::now();
            let settings = CloudSettings { metering, ..settings(None) };
            let there = Surroundings { kubernetes: false, ..irsa(&file) };
            let mut cloud = cloud_beside(settings, there, &server);
            divert(&mut cloud, server.url());
            cloud.identify().await.expect("the token names the pod");
            cloud.details(None).await;
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
        assert!(server.lines().iter().all(|line| line == "POST /"), "{:?}", server.lines());
    });
}

/// T61: where it is the only one to ask, a whole start costs two seconds.
#[test]
fn a_black_hole_of_instance_metadata_costs_a_start_two_seconds_in_all() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", Act::Wait(Duration::from_secs(60)));
        let began = Instant::now();
        let cloud = cloud_beside(contracts(), Surroundings::default(), &server);
        cloud.identify().await.expect("contracts work anywhere");
        for _ in 0..3 {
            match cloud.details(None).await {
                Details::Failed(failure) => {
                    assert!(failure.text.contains("hop limit"), "{}", failure.text);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    });
}

/// Contracts neither: who has set keys on a laptop is told that they are not used.
#[test]
fn static_keys_do_not_sign_for_contracts_and_are_named() {
    run(async {
        let server = Canned::start(vec![]).await;
        for (static_keys, named) in [(true, true), (false, false)] {
            let there = Surroundings { static_keys, ..in_region() };
            match cloud_beside(contracts(), there, &server).details(None).await {
                Details::Failed(failure) => {
                    let said = failure.text.contains("mpguard never signs with them");
                    assert_eq!(said, named, "{}", failure.text);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(server.calls().is_empty());
    });
}

/// T63: AWS's answers to a call from the wrong place tell what to do there.
#[test]
fn a_wrong_region_or_platform_is_refused_with_advice() {
    for (code, reason, words) in [
        (
            "InvalidRegionException",
            RefusalReason::InvalidRegion,
            ["`eu-west-1` (named by AWS_REGION)", "set them to the cluster's Region"],
        ),
        (
            "PlatformNotSupportedException",
            RefusalReason::PlatformNotSupported,
            ["an ECS task with a task role", "EKS Pod Identity, node roles and static keys"],
        ),
    ] {
        run(async {
            let file = token(code);
            let server = node().await;
            server.when("RegisterUsage", Act::error(400, code));
            let mut cloud = cloud_beside(settings(None), irsa(&file), &server);
            divert(&mut cloud, server.url());
            match cloud.register("abc".into(), KEY.public()).await {
                Registered::No(refusal) => {
                    assert_eq!(refusal.reason, reason);
                    for words in words {
                        assert!(refusal.text.contains(words), "`{words}`: {}", refusal.text);
                    }
                }
                other => panic!("{other:?}"),
            }
        });
    }
}

/// T63: locally, and on an instance by itself, nothing is sent.
#[test]
fn metering_outside_of_ecs_and_eks_sends_nothing() {
    run(async {
        for server in [Canned::start(vec![]).await, node().await] {
            for there in [in_region(), Surroundings { static_keys: true, ..in_region() }] {
                let why = refused(settings(None), there, &server).await;
                assert!(
                    why.contains("run as an ECS task with a task role or as an EKS pod"),
                    "{why}"
                );
            }
            // At most the name of the machine's role is looked up, for the text.
            let name = |line: &String| {
                line.starts_with("PUT ") || line.ends_with("/iam/security-credentials/")
            };
            let asked = server.lines();
            assert!(asked.iter().all(name), "{asked:?}");
        }
    });
}

/// Source: [AC §6.2]: launch type EXTERNAL is ECS Anywhere, which AWS does not meter.
#[test]
fn a_task_of_ecs_anywhere_serves_contracts_and_does_not_meter() {
    run(async {
        let server = node().await;
        server.at(
            "/v4/abc/task",
            Act::ok(r#"{"TaskARN":"arn:aws:ecs:eu-west-1:1:task/c/1","LaunchType":"EXTERNAL"}"#),
        );
        server.at("/v2/credentials", Act::ok(&NODE.replace("NODE", "TASK")));
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
            ecs_credentials: Some("/v2/credentials".to_owned()),
            ..Surroundings::default()
        };
        let why = refused(settings(None), there.clone(), &server).await;
        for words in ["ECS Anywhere", "Fargate or on EC2", "contract pricing"] {
            assert!(why.contains(words), "`{words}`: {why}");
        }
        assert_eq!(server.lines(), ["GET /v4/abc/task"], "its role is not even asked for");

        let mut cloud = cloud_beside(contracts(), there, &server);
        divert(&mut cloud, server.url());
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        assert_eq!(signer(&server, "ListReceivedLicenses").as_deref(), Some("TASK"));
    });
}

/// The kubelet replaces the token while we run: the next exchange uses the new one.
#[test]
fn a_rotated_token_is_used_at_the_next_exchange() {
    run(async {
        let file = token("rotated");
        let server = node().await;
        let mut cloud = cloud_beside(contracts(), irsa(&file), &server);
        divert(&mut cloud, server.url());
        cloud.details(None).await;
        std::fs::write(&file.0, "e30.e30.bmV3").expect("the kubelet writes");
        // Whose credentials AWS no longer takes, exchanges anew.
        server.when("ListReceivedLicenses", Act::error(400, "ExpiredTokenException"));
        cloud.details(None).await;
        let exchanges: Vec<_> = server
            .calls()
            .into_iter()
            .filter(|call| call.body.contains("WebIdentityToken"))
            .collect();
        assert_eq!(exchanges.len(), 2);
        assert!(!exchanges[0].body.contains("WebIdentityToken=e30.e30.bmV3"));
        assert!(exchanges[1].body.contains("WebIdentityToken=e30.e30.bmV3"));
    });
}

/// In a sandbox no variable of the place counts, and nobody but the sandbox is asked.
#[test]
fn a_sandbox_is_believed_about_the_place() {
    run(async {
        let server = Canned::start(vec![Act::error(400, "ThrottlingException")]).await;
        cloud(&server).register("abc".into(), KEY.public()).await;
        let mut asked = server.lines();
        asked.sort();
        asked.dedup();
        assert!(asked.iter().all(|line| line.contains("/t/app/") || line == "POST /"), "{asked:?}");
    });
}
