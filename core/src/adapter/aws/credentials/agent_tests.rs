//! Our own client of the agents beside a container: what they answer, and when they are asked.

use super::*;
use crate::{
    adapter::{
        aws::testing::{Act, Canned, NOW, cloud_at, divert, run, settings},
        surroundings::Surroundings,
    },
    model::outcome::Details,
    port::cloud::{Cloud, CloudSettings},
};
use std::sync::atomic::{AtomicI64, Ordering};

const PATH: &str = "/v2/credentials";
const MINUTE_MS: i64 = 60_000;

fn keys(id: &str, expiration: &str) -> Act {
    Act::ok(&format!(
        r#"{{"RoleArn":"r","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t","Expiration":"{expiration}"}}"#
    ))
}

/// A task, its agent, and a clock.
struct Task {
    server: Canned,
    cloud: super::super::AwsCloud,
    minutes: Arc<AtomicI64>,
}

impl Task {
    async fn start() -> Task {
        let server = Canned::start(vec![]).await;
        server.at("/v4/abc/task", Act::ok(r#"{"TaskARN":"arn:aws:ecs:eu-west-1:1:task/c/1"}"#));
        server.when("AWSLicenseManager", Act::ok(r#"{"Licenses":[]}"#));
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4/abc".to_owned()),
            ecs_credentials: Some(PATH.to_owned()),
            ..Surroundings::default()
        };
        let minutes = Arc::new(AtomicI64::new(0));
        let clock = minutes.clone();
        let now = Arc::new(move || Timestamp(NOW.0 + clock.load(Ordering::Relaxed) * MINUTE_MS));
        let contracts = CloudSettings { metering: false, ..settings(None) };
        let mut cloud = cloud_at(contracts, there, &server, now);
        divert(&mut cloud, server.url());
        Task { server, cloud, minutes }
    }

    /// Who signs a call at `minute`, or why nobody does.
    async fn signer(&self, minute: i64) -> Result<String, String> {
        self.minutes.store(minute, Ordering::Relaxed);
        match self.cloud.details(None).await {
            Details::Failed(failure) => Err(failure.text),
            _ => {
                let calls = self.server.calls();
                let header = calls.last().and_then(|call| call.header("authorization"));
                let name = header.and_then(|h| h.split_once("Credential=")?.1.split('/').next());
                Ok(name.unwrap_or_default().to_owned())
            }
        }
    }

    fn asked(&self) -> usize {
        self.server.lines().iter().filter(|line| line.ends_with(PATH)).count()
    }
}

#[test]
fn credentials_are_asked_for_anew_five_minutes_before_they_end() {
    run(async {
        let task = Task::start().await;
        task.server.at(PATH, keys("FIRST", "2026-01-01T11:00:00Z"));
        assert_eq!(task.signer(0).await.as_deref(), Ok("FIRST"));
        task.server.at(PATH, keys("SECOND", "2026-01-01T16:00:00Z"));
        assert_eq!(task.signer(54).await.as_deref(), Ok("FIRST"));
        assert_eq!(task.asked(), 1);
        assert_eq!(task.signer(56).await.as_deref(), Ok("SECOND"));
        assert_eq!(task.asked(), 2);
    });
}

#[test]
fn old_credentials_serve_while_the_agent_has_trouble_and_it_is_not_asked_at_every_call() {
    run(async {
        let task = Task::start().await;
        task.server.at(PATH, keys("FIRST", "2026-01-01T11:00:00Z"));
        assert_eq!(task.signer(0).await.as_deref(), Ok("FIRST"));
        task.server.at(PATH, Act::answer(503, &[], ""));
        for _ in 0..3 {
            assert_eq!(task.signer(57).await.as_deref(), Ok("FIRST"));
        }
        assert_eq!(task.asked(), 1 + 3, "three tries of one call, and then a pause");
        assert_eq!(task.signer(58).await.as_deref(), Ok("FIRST"));
        assert_eq!(task.asked(), 1 + 3 + 3);
        let why = task.signer(61).await.expect_err("they have ended");
        assert!(why.contains("no credentials of the ECS task role: status 503"), "{why}");
        task.server.at(PATH, keys("SECOND", "2026-01-01T16:00:00Z"));
        assert_eq!(task.signer(61).await.as_deref(), Ok("SECOND"));
    });
}

#[test]
fn an_agent_that_stumbles_is_asked_again_and_one_that_refuses_is_not() {
    run(async {
        let task = Task::start().await;
        task.server.at(PATH, keys("FIRST", "2026-01-01T16:00:00Z"));
        task.server.once(PATH, Act::answer(500, &[], ""));
        task.server.once(PATH, Act::Close);
        assert_eq!(task.signer(0).await.as_deref(), Ok("FIRST"));
        assert_eq!(task.asked(), 3);

        for status in [302, 400, 403, 404] {
            let task = Task::start().await;
            task.server.at(PATH, Act::answer(status, &["location: http://127.0.0.1:1/"], "{}"));
            let why = task.signer(0).await.expect_err("it gave none");
            assert!(why.contains(&format!("status {status}")), "{why}");
            assert!(why.contains("does the task or pod have a role?"), "{why}");
            assert_eq!(task.asked(), 1, "{status}");
        }
    });
}

/// An agent may hold an old answer for a moment. If it has no newer one AWS decides: the clock may be wrong.
#[test]
fn what_has_ended_already_is_asked_for_once_more_and_left_to_aws() {
    run(async {
        let task = Task::start().await;
        task.server.once(PATH, keys("OLD", "2026-01-01T09:59:59Z"));
        task.server.at(PATH, keys("NEW", "2026-01-01T16:00:00Z"));
        assert_eq!(task.signer(0).await.as_deref(), Ok("NEW"));
        assert_eq!(task.asked(), 2);

        let task = Task::start().await;
        task.server.at(PATH, keys("OLD", "2026-01-01T09:59:59Z"));
        for _ in 0..3 {
            assert_eq!(task.signer(0).await.as_deref(), Ok("OLD"));
        }
        assert_eq!(task.asked(), 2, "not at every call");
        task.server.at(PATH, keys("NEW", "2026-01-01T16:00:00Z"));
        assert_eq!(task.signer(1).await.as_deref(), Ok("NEW"));
    });
}

#[test]
fn an_answer_that_is_none_is_named_and_never_shown() {
    run(async {
        for body in [
            "",
            "<html>hunter2</html>",
            "[]",
            r#"{"AccessKeyId":"hunter2"}"#,
            r#"{"AccessKeyId":7,"SecretAccessKey":"hunter2"}"#,
            r#"{"AccessKeyId":"","SecretAccessKey":"hunter2"}"#,
            r#"{"AccessKeyId":"A\r\nx-evil: 1","SecretAccessKey":"hunter2"}"#,
            r#"{"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"hunter2 \u0000"}"#,
            r#"{"AccessKeyId":"A","SecretAccessKey":"hunter2","Expiration":"hunter2"}"#,
        ] {
            let task = Task::start().await;
            task.server.at(PATH, Act::ok(body));
            let why = task.signer(0).await.expect_err("it is no answer");
            assert!(why.contains("the ECS task role: the answer"), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
            assert_eq!(task.server.calls().len(), 0, "{body}");
        }
    });
}
