use super::*;
use crate::adapter::aws::testing::{Act, Canned, run};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::path::PathBuf;

async fn search(there: Surroundings, metering: bool, server: &Canned) -> Result<Found, String> {
    unfound(there, metering, server).await.map_err(|unfound| unfound.why)
}

async fn unfound(there: Surroundings, metering: bool, server: &Canned) -> Result<Found, Unfound> {
    let link_local = LinkLocal::all_at(server.address());
    let search = Search {
        there: &there,
        link_local: &link_local,
        instance: &Instance::at(&link_local),
        sandbox: None,
        metering,
        random: "random-id",
    };
    search.run().await
}

fn text(body: &str) -> Act {
    Act::answer(200, &[], body)
}

fn token_file(test: &str, claims: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mpguard-{}-{test}", std::process::id()));
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    std::fs::write(&path, token).expect("a temporary file");
    path
}

fn in_region(region: &str) -> Surroundings {
    Surroundings { region: Some(region.to_owned()), ..Surroundings::default() }
}

#[test]
fn an_ecs_task_is_its_arn_and_the_arns_region_wins_over_variables() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/v4/abc/task", text(r#"{"TaskARN":"arn:aws:ecs:us-west-2:1:task/c/1"}"#));
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
            ..in_region("eu-west-1")
        };
        let found = search(there, true, &server).await.expect("the metadata answers");
        assert_eq!(found.platform, Platform::Ecs);
        assert_eq!(found.name, "arn:aws:ecs:us-west-2:1:task/c/1");
        assert_eq!(found.region.name(), "us-west-2");
    });
}

#[test]
fn task_metadata_at_any_other_address_is_refused_and_not_asked() {
    run(async {
        let server = Canned::start(vec![]).await;
        for url in [server.url(), "http://169.254.170.2.evil.example/v4".to_owned()] {
            let there = Surroundings { ecs_metadata: Some(url), ..in_region("eu-west-1") };
            let why = search(there, true, &server).await.expect_err("it must be refused");
            assert!(why.contains("ECS_CONTAINER_METADATA_URI_V4"), "{why}");
        }
        assert!(server.lines().is_empty());
    });
}

#[test]
fn task_metadata_that_is_none_is_an_error_and_no_other_identity() {
    run(async {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"TaskARN":"x"}"#,
            r#"{"TaskARN":"arn:aws:iam::1:role/x"}"#,
            r#"{"TaskARN":"arn:aws:ecs:us-west-2:1:cluster/c"}"#,
            r#"{"TaskARN":"arn:aws:ecs:evil.example/:1:task/c/1"}"#,
        ] {
            let server = Canned::start(vec![]).await;
            server.at("/v4/abc/task", text(body));
            let there = Surroundings {
                ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
                ..in_region("eu-west-1")
            };
            assert!(search(there, true, &server).await.is_err(), "{body}");
        }
    });
}

#[test]
fn an_eks_pod_is_the_uid_in_its_projected_token() {
    run(async {
        let server = Canned::start(vec![]).await;
        let claims = r#"{"kubernetes.io":{"namespace":"n","pod":{"name":"p","uid":"uid-1"}}}"#;
        let path = token_file("pod-uid", claims);
        let there =
            Surroundings { web_identity_token: Some(path.clone()), ..in_region("eu-west-1") };
        let found = search(there, true, &server).await.expect("the token names the pod");
        std::fs::remove_file(path).expect("it is there");
        assert_eq!((found.platform, found.name.as_str()), (Platform::Eks, "uid-1"));
        assert!(server.lines().is_empty(), "AWS_REGION is there, so nobody else is asked");
    });
}

#[test]
fn the_region_comes_from_the_first_source_that_has_one() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", text("t"));
        server.at("/placement/region", text("ap-south-1\n"));
        let named = |region: Option<&str>, default: Option<&str>| Surroundings {
            region: region.map(str::to_owned),
            default_region: default.map(str::to_owned),
            kubernetes: true,
            ..Surroundings::default()
        };
        for (there, expected) in [
            (named(Some("eu-west-1"), Some("eu-west-2")), "eu-west-1"),
            (named(None, Some("eu-west-2")), "eu-west-2"),
            (named(None, None), "ap-south-1"),
        ] {
            let found = search(there, true, &server).await.expect("a Region");
            assert_eq!(found.region.name(), expected);
        }
        let why = search(named(Some("a.b"), Some("eu-west-2")), true, &server).await;
        assert!(
            why.expect_err("an odd Region is no reason to take another").contains("AWS_REGION")
        );
    });
}

#[test]
fn metering_never_guesses_a_region_and_contracts_do() {
    run(async {
        let server = Canned::start(vec![]).await;
        let there = Surroundings {
            instance_metadata_disabled: true,
            kubernetes: true,
            ..Surroundings::default()
        };
        let why = search(there.clone(), true, &server).await.expect_err("no Region");
        assert!(why.contains("no Region"), "{why}");
        let found = search(there, false, &server).await.expect("contracts work anywhere");
        assert_eq!(found.region.name(), "us-east-1");
        assert_eq!((found.platform, found.name.as_str()), (Platform::Elsewhere, "random-id"));
        assert!(server.lines().is_empty(), "instance metadata is disabled");
    });
}

#[test]
fn an_instance_is_its_id_for_contracts_only() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", text("t"));
        server.at("/latest/meta-data/instance-id", text("i-0123"));
        server.at("/placement/region", text("ap-south-1"));
        let found = search(Surroundings::default(), false, &server).await.expect("an instance");
        assert_eq!((found.platform, found.name.as_str()), (Platform::Ec2, "i-0123"));
        assert_eq!(found.region.name(), "ap-south-1");
        let found = search(Surroundings::default(), true, &server).await.expect("a Region");
        assert_eq!(found.platform, Platform::Elsewhere);
    });
}

fn told(candidates: &[Candidate]) -> Vec<(&str, Option<&str>, Fate)> {
    candidates.iter().map(|c| (c.source, c.value.as_deref(), c.fate)).collect()
}

#[test]
fn a_task_tells_who_was_asked_for_its_region_and_what_became_of_it() {
    run(async {
        let server = Canned::start(vec![]).await;
        let body = r#"{"TaskARN":"arn:aws:ecs:eu-west-1:1:task/c/1","LaunchType":"FARGATE"}"#;
        server.at("/v4/abc/task", text(body));
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
            default_region: Some("a.b".to_owned()),
            ..in_region("us-east-1")
        };
        let found = search(there, true, &server).await.expect("an odd Region decides nothing here");
        assert_eq!(found.region.name(), "eu-west-1");
        assert_eq!(found.place, Place::Fargate);
        assert_eq!(
            told(&found.trail.regions),
            [
                ("the ARN of the ECS task", Some("eu-west-1"), Fate::Won),
                ("AWS_REGION", Some("us-east-1"), Fate::Lost),
                ("AWS_DEFAULT_REGION", Some("a.b"), Fate::Refused),
                ("the EC2 instance metadata", None, Fate::NotAsked),
                ("mpguard's default for contracts", None, Fate::NotAsked),
            ]
        );
        let signs = told(&found.trail.signs);
        assert!(signs.contains(&(
            "LaunchType of the ECS task metadata",
            Some("FARGATE"),
            Fate::Won
        )));
    });
}

#[test]
fn where_no_region_is_found_the_search_still_tells_who_was_asked() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", text("t"));
        let there = Surroundings { kubernetes: true, ..Surroundings::default() };
        let unfound = unfound(there, true, &server).await.expect_err("nobody names one");
        assert_eq!(
            told(&unfound.trail.regions),
            [
                ("the ARN of the ECS task", None, Fate::Silent),
                ("AWS_REGION", None, Fate::Silent),
                ("AWS_DEFAULT_REGION", None, Fate::Silent),
                ("the EC2 instance metadata", None, Fate::Silent),
                ("mpguard's default for contracts", None, Fate::NotAsked),
            ]
        );
        assert!(unfound.trail.regions[3].why.contains("status 404"), "{:?}", unfound.trail.regions);
        assert_eq!(unfound.place, Place::Kubernetes);

        let there = Surroundings { ecs_metadata: Some(server.url()), ..in_region("eu-west-1") };
        let unfound = self::unfound(there, true, &server).await.expect_err("it is not ECS");
        assert_eq!(told(&unfound.trail.regions)[0].2, Fate::Silent);
        assert!(unfound.trail.regions.iter().all(|c| c.fate != Fate::Won));
        let signs = told(&unfound.trail.signs);
        assert!(
            signs.iter().any(|sign| sign.0 == METADATA && sign.2 == Fate::Refused),
            "{signs:?}"
        );
    });
}

#[test]
fn a_task_whose_metadata_variable_is_unset_tells_that_it_looks_like_one() {
    run(async {
        let server = Canned::start(vec![]).await;
        for there in [
            Surroundings { ecs_credentials: Some("/v2/x".to_owned()), ..in_region("eu-west-1") },
            Surroundings {
                execution_env: Some("AWS_ECS_EC2".to_owned()),
                ..in_region("eu-west-1")
            },
        ] {
            let found = search(there, true, &server).await.expect("a variable names the Region");
            assert_eq!((found.platform, found.place), (Platform::Elsewhere, Place::Ecs));
            let why = &found.trail.signs[0].why;
            assert!(why.contains("who has unset it?"), "{why}");
        }
    });
}

#[test]
fn contracts_tell_that_their_region_is_a_default() {
    run(async {
        let server = Canned::start(vec![]).await;
        let there = Surroundings { instance_metadata_disabled: true, ..Surroundings::default() };
        let found = search(there, false, &server).await.expect("contracts work anywhere");
        let regions = told(&found.trail.regions);
        assert_eq!(regions[3], ("the EC2 instance metadata", None, Fate::NotAsked));
        assert_eq!(regions[4], ("mpguard's default for contracts", Some("us-east-1"), Fate::Won));
        assert_eq!(found.place, Place::Elsewhere);
    });
}

#[test]
fn a_pod_tells_whether_its_cluster_is_eks() {
    run(async {
        let server = Canned::start(vec![]).await;
        let pod = |issuer: &str| {
            format!(r#"{{"iss":"{issuer}","kubernetes.io":{{"pod":{{"uid":"uid-1"}}}}}}"#)
        };
        for (test, issuer, agent, expected) in [
            ("eks", "https://oidc.eks.eu-west-1.amazonaws.com/id/A", None, Place::Eks),
            ("own", "https://kubernetes.default.svc", None, Place::Kubernetes),
            ("agent", "x", Some("http://169.254.170.23/v1/credentials"), Place::Eks),
            ("liar", "x", Some("http://127.0.0.1/v1/credentials"), Place::Kubernetes),
        ] {
            let path = token_file(test, &pod(issuer));
            let there = Surroundings {
                web_identity_token: Some(path.clone()),
                pod_identity: agent.map(str::to_owned),
                kubernetes: true,
                ..in_region("eu-west-1")
            };
            let found = search(there, true, &server).await.expect("the token names the pod");
            std::fs::remove_file(path).expect("it is there");
            assert_eq!((found.platform, found.place), (Platform::Eks, expected), "{test}");
        }
    });
}

/// Without it we would call ourselves by another name until the next start, and count under it.
#[test]
fn a_token_that_cannot_be_read_is_no_reason_to_be_somebody_else() {
    run(async {
        let server = Canned::start(vec![]).await;
        let there = Surroundings {
            web_identity_token: Some("/nowhere/token".into()),
            ..in_region("eu-west-1")
        };
        for metering in [true, false] {
            let why = search(there.clone(), metering, &server).await.expect_err("who is it?");
            assert!(why.contains("`/nowhere/token`"), "{why}");
        }
        let path = token_file("second", r#"{"kubernetes.io":{"pod":{"uid":"uid-2"}}}"#);
        let there = Surroundings { pod_identity_token: Some(path.clone()), ..there };
        let found = search(there, true, &server).await.expect("the other token names the pod");
        std::fs::remove_file(path).expect("it is there");
        assert_eq!(found.name, "uid-2");
    });
}

#[test]
fn task_metadata_that_stumbles_is_asked_again() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/v4/abc/task", text(r#"{"TaskARN":"arn:aws:ecs:eu-west-1:1:task/c/1"}"#));
        server.once("/v4/abc/task", Act::answer(500, &[], ""));
        server.once("/v4/abc/task", Act::Close);
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
            ..Surroundings::default()
        };
        let found = search(there, true, &server).await.expect("the third answer is one");
        assert_eq!(found.platform, Platform::Ecs);
    });
}

/// An instance is asked for a name only where its role would sign. Elsewhere nobody waits for it.
#[test]
fn an_instance_is_not_asked_for_a_name_where_somebody_else_gives_credentials() {
    run(async {
        let server = Canned::start(vec![]).await;
        let path = token_file("no-pod", "{}");
        let there = Surroundings {
            web_identity_token: Some(path.clone()),
            role_arn: Some("arn:aws:iam::1:role/x".to_owned()),
            ..in_region("eu-west-1")
        };
        let found = search(there, false, &server).await.expect("a variable names the Region");
        std::fs::remove_file(path).expect("it is there");
        assert_eq!(found.platform, Platform::Elsewhere);
        assert_eq!(server.lines(), Vec::<String>::new());
    });
}

#[test]
fn a_token_without_a_pod_names_none() {
    let token = |claims: &str| format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims));
    let uid = |token: &str| pod_uid(&claims::of(token).unwrap_or_default());
    assert_eq!(uid(&token(r#"{"kubernetes.io":{"pod":{"uid":"u"}}}"#)).as_deref(), Some("u"));
    for text in [
        "",
        "a",
        "a.!.c",
        &token("{}"),
        &token("null"),
        &token(r#"{"kubernetes.io":{"pod":{"uid":""}}}"#),
        &token(r#"{"kubernetes.io":{"pod":{"uid":7}}}"#),
    ] {
        assert_eq!(uid(text), None, "{text}");
    }
}

#[test]
fn a_sandbox_task_is_whatever_platform_it_plays() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/v4/task", Act::answer(404, &[], "{}"));
        let task = |platform: &str| {
            text(&format!(
                r#"{{"tasks":[{{"name":"other","platform":"ecs"}},{{"name":"app","platform":"{platform}",
                    "region":"eu-north-1","pod_uid":"uid-1","instance_id":"i-1"}}]}}"#
            ))
        };
        for (platform, expected, name) in [
            ("eks", Platform::Eks, "uid-1"),
            ("ec2", Platform::Ec2, "i-1"),
            ("none", Platform::Elsewhere, "random-id"),
        ] {
            server.at("/_sandbox/tasks", task(platform));
            let found = in_sandbox(&server).await.expect("the sandbox lists it");
            assert_eq!((found.platform, found.name.as_str()), (expected, name));
            assert_eq!(found.region.name(), "eu-north-1");
        }
        server.at("/_sandbox/tasks", text(r#"{"tasks":[]}"#));
        assert!(in_sandbox(&server).await.is_err());
        server.at("/v4/task", Act::answer(500, &[], ""));
        server.at("/_sandbox/tasks", task("eks"));
        assert!(in_sandbox(&server).await.is_err(), "only a 404 says that it is no ECS task");
    });
}

async fn in_sandbox(server: &Canned) -> Result<Found, String> {
    let there = Surroundings::default();
    let link_local = LinkLocal::of_sandbox(server.address(), "/t/app");
    let search = Search {
        there: &there,
        link_local: &link_local,
        instance: &Instance::at(&link_local),
        sandbox: Some((server.address(), "/t/app".to_owned())),
        metering: true,
        random: "random-id",
    };
    search.run().await.map_err(|unfound| unfound.why)
}
