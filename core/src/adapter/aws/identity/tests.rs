use super::*;
use crate::adapter::aws::testing::{Act, Canned, run};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::path::PathBuf;

async fn search(there: Surroundings, metering: bool, server: &Canned) -> Result<Found, String> {
    let link_local = LinkLocal {
        ecs: server.address(),
        pod_identity: server.address(),
        instance: server.address(),
        instance_prefix: String::new(),
    };
    let search = Search {
        there: &there,
        link_local: &link_local,
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

#[test]
fn a_token_without_a_pod_names_none() {
    let token = |claims: &str| format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims));
    assert_eq!(pod_uid(&token(r#"{"kubernetes.io":{"pod":{"uid":"u"}}}"#)).as_deref(), Some("u"));
    for text in [
        "",
        "a",
        "a.!.c",
        &token("{}"),
        &token("null"),
        &token(r#"{"kubernetes.io":{"pod":{"uid":""}}}"#),
        &token(r#"{"kubernetes.io":{"pod":{"uid":7}}}"#),
    ] {
        assert_eq!(pod_uid(text), None, "{text}");
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
        sandbox: Some((server.address(), "/t/app".to_owned())),
        metering: true,
        random: "random-id",
    };
    search.run().await
}
