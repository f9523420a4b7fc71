//! A container outside AWS, with a license token.

use super::*;
use crate::{
    adapter::{
        aws::{
            AwsCloud, Now,
            region::Said,
            testing::{
                Act, Canned, KEY, NOW, TokenFile, cloud_at, cloud_of, divert, run, settings,
            },
        },
        surroundings::Surroundings,
    },
    model::{
        ids::Platform,
        outcome::{Details, Failure, Registered},
    },
    port::cloud::{Cloud, CloudSettings},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

const MINUTE_MS: i64 = 60_000;
const LIST: &str = r#"{"Licenses":[]}"#;

/// A clock that tests move.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn new() -> Clock {
        Clock(Arc::new(AtomicI64::new(NOW.0)))
    }

    fn now(&self) -> Now {
        let clock = self.0.clone();
        Arc::new(move || Timestamp(clock.load(Ordering::Relaxed)))
    }

    fn go(&self, minutes: i64) {
        self.0.fetch_add(minutes * MINUTE_MS, Ordering::Relaxed);
    }

    fn set(&self, minutes: i64) {
        self.0.store(NOW.0 + minutes * MINUTE_MS, Ordering::Relaxed);
    }

    fn in_minutes(&self, minutes: i64) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed) + minutes * MINUTE_MS)
    }
}

fn anywhere(token: &Path) -> Surroundings {
    Surroundings {
        region: Some("eu-west-1".to_owned()),
        license_token: Some(token.to_owned()),
        role_arn: Some("arn:aws:iam::111122223333:role/license".to_owned()),
        ..Surroundings::default()
    }
}

fn contracts() -> CloudSettings {
    CloudSettings { metering: false, ..settings(None) }
}

fn xml(status: u16, body: &str) -> Act {
    let length = body.len();
    Act::Say(format!(
        "HTTP/1.1 {status} x\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
}

/// What STS answers for a session until `end`.
fn session_until(end: Timestamp) -> Act {
    xml(
        200,
        &format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIALICENSE</AccessKeyId>\
             <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{end}</Expiration>\
             </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ),
    )
}

fn sts_error(status: u16, code: &str) -> Act {
    let error = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>because</Message></Error></ErrorResponse>"
    );
    xml(status, &error)
}

fn access(token: &str) -> Act {
    Act::ok(&format!(r#"{{"AccessToken":"{token}"}}"#))
}

const GET_ACCESS_TOKEN: &str = "AWSLicenseManager.GetAccessToken";
const ASSUME: &str = "Action=AssumeRoleWithWebIdentity";
const READ: &str = "AWSLicenseManager.ListReceivedLicenses";

/// License Manager, STS and a guard of a container with this token file.
struct Stage {
    server: Canned,
    clock: Clock,
    cloud: AwsCloud,
}

impl Stage {
    async fn of(there: Surroundings) -> Stage {
        let server = Canned::start(vec![]).await;
        let clock = Clock::new();
        server.when(GET_ACCESS_TOKEN, access("access-1"));
        server.when(ASSUME, session_until(clock.in_minutes(60)));
        server.when(READ, Act::ok(LIST));
        let mut cloud = cloud_at(contracts(), there, &server, clock.now());
        divert(&mut cloud, server.url());
        Stage { server, clock, cloud }
    }

    /// A call of a contract; the failure if it was none.
    async fn read(&self) -> Option<Failure> {
        match self.cloud.details(None).await {
            Details::Nothing(_) => None,
            Details::Failed(failure) => Some(failure),
            found @ Details::Found(_) => panic!("{found:?}"),
        }
    }

    /// The same at this minute, with an STS whose sessions last an hour from now.
    async fn read_at(&self, minute: i64) -> Option<Failure> {
        self.clock.set(minute);
        self.server.when(ASSUME, session_until(self.clock.in_minutes(60)));
        self.read().await
    }

    fn count(&self, needle: &str) -> usize {
        let calls = self.server.calls();
        calls.iter().filter(|c| c.head.contains(needle) || c.body.contains(needle)).count()
    }
}

#[test]
fn a_refresh_token_becomes_an_access_token_becomes_the_role_that_signs() {
    run(async {
        let file = TokenFile::of("anywhere", " refresh.to.ken\n");
        let stage = Stage::of(anywhere(&file.0)).await;
        assert_eq!(stage.read().await, None);
        let calls = stage.server.calls();
        assert_eq!(calls.len(), 3);
        assert_eq!(calls[0].header("x-amz-target"), Some(GET_ACCESS_TOKEN));
        assert_eq!(calls[0].body, r#"{"Token":"refresh.to.ken"}"#, "trimmed");
        let session = format!("RoleSessionName=mpguard-{}", NOW.epoch_seconds());
        let role = "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Flicense";
        for part in [ASSUME, role, "WebIdentityToken=access-1", &session] {
            assert!(calls[1].body.contains(part), "{part}: {}", calls[1].body);
        }
        for unsigned in &calls[..2] {
            assert_eq!(unsigned.header("authorization"), None);
            assert_eq!(unsigned.header("x-amz-security-token"), None);
        }
        let signed = calls[2].header("authorization").expect("it is signed");
        assert!(signed.contains("=ASIALICENSE/20260101/eu-west-1/license-manager/"), "{signed}");
    });
}

#[test]
fn who_and_where_we_are_outside_of_aws_is_found_without_asking_a_machine() {
    run(async {
        let file = TokenFile::of("who", "refresh");
        let there = Surroundings { region: None, ..anywhere(&file.0) };
        let stage = Stage::of(there).await;
        let identity = stage.cloud.identify().await.expect("an identity");
        assert_eq!(identity.platform, Platform::Elsewhere);
        assert_eq!(identity.region, "us-east-1");
        let lines = stage.server.lines();
        assert!(lines.iter().all(|line| line == "POST /"), "{lines:?}");
    });
}

#[test]
fn a_session_name_is_the_buyers_if_sts_takes_it() {
    let check = |name: &str, expected: &str| {
        run(async {
            let file = TokenFile::of("session", "refresh");
            let there =
                Surroundings { role_session_name: Some(name.to_owned()), ..anywhere(&file.0) };
            let stage = Stage::of(there).await;
            assert_eq!(stage.read().await, None);
            let body = stage.server.calls()[1].body.clone();
            assert!(body.contains(&format!("RoleSessionName={expected}")), "{name}: {body}");
        });
    };
    check("node-7", "node-7");
    check("a", "mpguard-");
    check("two words", "mpguard-");
    check(&"x".repeat(65), "mpguard-");
}

#[test]
fn the_token_flow_is_at_home_in_us_east_1_or_inside_its_own_partition() {
    let home = |name| {
        let region = Region::read(name, Said::Region).expect("well formed");
        token_region(&region).name().to_owned()
    };
    assert_eq!(home("eu-west-1"), "us-east-1");
    assert_eq!(home("us-east-1"), "us-east-1");
    assert_eq!(home("us-gov-west-1"), "us-gov-west-1");
    assert_eq!(home("cn-north-1"), "cn-north-1");
}

/// Ten calls an hour are for all replicas of a license: one replica stays far below one an hour.
#[test]
fn a_day_of_calls_every_five_or_fifteen_minutes_needs_few_access_tokens() {
    for (every, most) in [(5, 16), (15, 15), (60, 24)] {
        run(async {
            let file = TokenFile::of("day", "refresh");
            let stage = Stage::of(anywhere(&file.0)).await;
            for minute in (0..24 * 60).step_by(every) {
                let minute = i64::from(minute);
                assert_eq!(stage.read_at(minute).await, None, "{minute}");
            }
            let asked = stage.count(GET_ACCESS_TOKEN);
            assert!((12..=most).contains(&asked), "every {every} minutes: {asked}");
            assert!(stage.count(ASSUME) <= 32, "{}", stage.count(ASSUME));
        });
    }
}

#[test]
fn an_access_token_is_used_a_second_time_before_its_end_and_never_after() {
    run(async {
        let file = TokenFile::of("twice", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        let mut tokens = Vec::new();
        for (minute, token) in [(0, "a"), (39, "b"), (41, "c"), (90, "d"), (97, "e"), (98, "f")] {
            stage.server.when(GET_ACCESS_TOKEN, access(token));
            assert_eq!(stage.read_at(minute).await, None, "{minute}");
            tokens.push(stage.count(ASSUME));
        }
        assert_eq!(tokens, [1, 1, 2, 2, 3, 3], "used at 0 and at 41; at 97 there is another");
        assert_eq!(stage.count("WebIdentityToken=a"), 2);
        assert_eq!(stage.count("WebIdentityToken=e"), 1);
    });
}

#[test]
fn two_calls_at_once_and_a_refused_credential_ask_for_one_access_token() {
    run(async {
        let file = TokenFile::of("at-once", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        tokio::join!(stage.read(), stage.read());
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 1);
        stage.server.when(READ, Act::error(403, "ExpiredTokenException"));
        assert!(stage.read().await.is_some());
        assert_eq!(stage.count(ASSUME), 2, "fresh credentials were tried");
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 1, "from the same access token");
    });
}

#[test]
fn throttling_keeps_the_old_credentials_as_long_as_they_last_and_then_says_what_it_is() {
    run(async {
        let file = TokenFile::of("throttled", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        assert_eq!(stage.read().await, None);
        stage.clock.go(59);
        stage.server.when(GET_ACCESS_TOKEN, Act::error(400, "RateLimitExceededException"));
        stage.server.when(ASSUME, sts_error(400, "ExpiredTokenException"));
        for _ in 0..5 {
            assert_eq!(stage.read().await, None, "they last for another minute");
        }
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 2, "asked again once, not at every call");
        // Five minutes and more later there are none left, and the pause says so.
        stage.clock.go(2);
        let failure = stage.read().await.expect("nothing is left");
        assert_eq!(failure.class, FailureClass::Throttled, "{}", failure.text);
        assert!(failure.text.contains("AWS asked to wait"), "{}", failure.text);
    });
}

#[test]
fn while_it_is_throttled_it_asks_at_most_ten_times_in_the_first_hour_and_six_in_each_later_one() {
    run(async {
        let file = TokenFile::of("pause", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        stage.server.when(GET_ACCESS_TOKEN, Act::error(400, "RateLimitExceededException"));
        let mut before = 0;
        for hour in 0..3 {
            for _ in 0..60 {
                let failure = stage.read().await.expect("there are no credentials");
                assert_eq!(failure.class, FailureClass::Throttled);
                stage.clock.go(1);
            }
            let asked = stage.count(GET_ACCESS_TOKEN) - before;
            assert!((2..=if hour == 0 { 10 } else { 6 }).contains(&asked), "hour {hour}: {asked}");
            before += asked;
        }
        stage.server.when(GET_ACCESS_TOKEN, access("access-2"));
        stage.clock.go(15);
        let end = stage.clock.in_minutes(60);
        stage.server.when(ASSUME, session_until(end));
        assert_eq!(stage.read().await, None, "it comes back by itself");
    });
}

#[test]
fn a_pause_follows_from_what_failed_and_says_when_it_ends() {
    let seconds = |class, failures| pause_after(class, failures).as_secs();
    assert_eq!([0, 1, 9].map(|n| seconds(FailureClass::NotSent, n)), [1, 2, 30]);
    assert_eq!([0, 1, 9].map(|n| seconds(FailureClass::Unknown, n)), [10, 20, 600]);
    assert_eq!([0, 1, 9].map(|n| seconds(FailureClass::Throttled, n)), [60, 120, 900]);
    assert_eq!([0, 9, 99].map(|n| seconds(FailureClass::AccessDenied, n)), [600; 3]);
    run(async {
        let file = TokenFile::of("says-when", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        stage.server.when(GET_ACCESS_TOKEN, Act::error(500, "ServerInternalException"));
        let first = stage.read().await.expect("it failed");
        assert_eq!(first.class, FailureClass::NotSent, "the call itself never left");
        let second = stage.read().await.expect("it is paused");
        assert!(second.text.contains("asked again at 2026-01-01T10:00:0"), "{}", second.text);
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 1);
        // A clock that is set back ends a pause instead of prolonging it.
        stage.clock.go(-60);
        stage.read().await;
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 2);
    });
}

#[test]
fn a_token_that_is_refused_is_asked_again_as_soon_as_the_file_holds_another() {
    run(async {
        let file = TokenFile::of("rotated", "revoked");
        let stage = Stage::of(anywhere(&file.0)).await;
        stage.server.when("revoked", Act::error(400, "AuthorizationException"));
        let failure = stage.read().await.expect("it is refused");
        assert_eq!(failure.class, FailureClass::AccessDenied);
        for part in ["does not take it", "create a new token", "rotated"] {
            assert!(failure.text.contains(part), "`{part}`: {}", failure.text);
        }
        stage.clock.go(1);
        stage.read().await;
        assert_eq!(stage.count("revoked"), 1, "the same token is not asked again so soon");
        std::fs::write(&file.0, "renewed").expect("a temporary file");
        assert_eq!(stage.read().await, None);
    });
}

#[test]
fn a_refresh_token_that_has_ended_says_when() {
    for code in ["AuthorizationException", "ValidationException", "ExpiredTokenException"] {
        run(async {
            let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1767258000}"#);
            let file = TokenFile::of("ended", &format!("e30.{claims}.c2ln"));
            let stage = Stage::of(anywhere(&file.0)).await;
            stage.server.when(GET_ACCESS_TOKEN, Act::error(400, code));
            let failure = stage.read().await.expect("it has ended");
            assert_eq!(failure.class, FailureClass::AccessDenied, "{}", failure.text);
            assert!(failure.text.contains("ended at 2026-01-01T09:00:00Z"), "{}", failure.text);
            assert!(!failure.text.contains(&claims), "no token in a text: {}", failure.text);
        });
    }
}

#[test]
fn a_file_that_is_missing_empty_or_no_token_is_named_and_nothing_is_asked() {
    let long = "x".repeat(4097);
    for (name, content, says) in [
        ("absent", None, "cannot read"),
        ("empty", Some(" \n"), "is empty"),
        ("words", Some("two words"), "one word"),
        ("long", Some(long.as_str()), "at most 4096"),
    ] {
        run(async {
            let file = TokenFile::of(name, content.unwrap_or_default());
            if content.is_none() {
                std::fs::remove_file(&file.0).expect("it was there");
            }
            let stage = Stage::of(anywhere(&file.0)).await;
            let failure = stage.read().await.expect("there is no token");
            assert_eq!(failure.class, FailureClass::NotSent);
            for part in [name, says, "`license_token`"] {
                assert!(failure.text.contains(part), "`{part}`: {}", failure.text);
            }
            assert!(stage.server.requests().is_empty(), "{:?}", stage.server.lines());
        });
    }
}

#[test]
fn a_file_that_vanishes_stops_nothing_while_an_access_token_serves() {
    run(async {
        let file = TokenFile::of("vanished", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        assert_eq!(stage.read().await, None);
        std::fs::remove_file(&file.0).expect("it was there");
        assert_eq!(stage.read_at(45).await, None, "from the access token");
        assert_eq!(stage.read_at(104).await, None, "while the credentials last");
        assert!(stage.read_at(106).await.is_some());
    });
}

/// Each try may take seconds, and there is a quarter of an hour left.
#[test]
fn a_second_exchange_that_fails_is_not_tried_at_every_call() {
    run(async {
        let file = TokenFile::of("patient", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        assert_eq!(stage.read().await, None);
        stage.server.when(ASSUME, sts_error(503, "ServiceUnavailable"));
        let mut asked = Vec::new();
        for minute in [45, 46, 50, 54, 56] {
            stage.clock.set(minute);
            assert_eq!(stage.read().await, None, "{minute}: the old ones last");
            asked.push(stage.count(ASSUME));
        }
        assert_eq!(asked, [2, 2, 2, 2, 3]);
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 1);
    });
}

#[test]
fn sts_is_asked_again_while_it_cannot_reach_the_issuer() {
    run(async {
        let file = TokenFile::of("idp", "refresh");
        let server = Canned::start(vec![
            access("access-1"),
            sts_error(400, "IDPCommunicationError"),
            sts_error(400, "IDPCommunicationError"),
            session_until(Clock::new().in_minutes(60)),
            Act::ok(LIST),
        ])
        .await;
        let mut cloud = cloud_at(contracts(), anywhere(&file.0), &server, Clock::new().now());
        divert(&mut cloud, server.url());
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        assert_eq!(server.calls().len(), 5);
    });
    run(async {
        let file = TokenFile::of("idp-silent", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        stage.server.when(ASSUME, sts_error(400, "IDPCommunicationError"));
        let failure = stage.read().await.expect("it never answers");
        assert_eq!(failure.class, FailureClass::NotSent);
        assert!(failure.text.contains("cannot reach who issued"), "{}", failure.text);
        assert_eq!((stage.count(ASSUME), stage.count(GET_ACCESS_TOKEN)), (3, 1));
    });
}

/// STS says `InvalidIdentityToken` also when the account lacks the identity provider: no token heals that.
#[test]
fn a_role_that_does_not_trust_license_manager_is_named_and_costs_one_access_token() {
    for code in ["AccessDenied", "InvalidIdentityToken", "IDPRejectedClaim"] {
        run(async {
            let file = TokenFile::of("trust", "refresh");
            let stage = Stage::of(anywhere(&file.0)).await;
            stage.server.when(ASSUME, sts_error(403, code));
            for _ in 0..4 {
                let failure = stage.read().await.expect("there is no role");
                assert_eq!(failure.class, FailureClass::AccessDenied);
                for part in ["role/license", "openid-license-manager.amazonaws.com"] {
                    assert!(failure.text.contains(part), "`{part}`: {}", failure.text);
                }
                assert!(!failure.text.contains("access-1"), "{}", failure.text);
            }
            assert_eq!((stage.count(GET_ACCESS_TOKEN), stage.count(ASSUME)), (1, 4), "{code}");
            // Whoever repairs the role needs no new token.
            stage.server.when(ASSUME, session_until(stage.clock.in_minutes(60)));
            assert_eq!(stage.read().await, None);
            assert_eq!(stage.count(GET_ACCESS_TOKEN), 1, "{code}");
        });
    }
}

#[test]
fn an_access_token_that_sts_no_longer_takes_is_replaced_once() {
    run(async {
        let file = TokenFile::of("replaced", "refresh");
        let stage = Stage::of(anywhere(&file.0)).await;
        assert_eq!(stage.read().await, None);
        stage.server.when(GET_ACCESS_TOKEN, access("access-2"));
        stage.clock.set(45);
        stage.server.when(ASSUME, session_until(stage.clock.in_minutes(60)));
        stage.server.when("WebIdentityToken=access-1", sts_error(400, "ExpiredTokenException"));
        assert_eq!(stage.read().await, None);
        assert_eq!(stage.count("WebIdentityToken=access-2"), 1);
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 2);
    });
}

#[test]
fn an_answer_without_an_access_token_is_none() {
    for answer in [Act::ok("{}"), Act::ok(r#"{"AccessToken":""}"#), Act::ok(""), Act::ok("<html>")]
    {
        run(async {
            let file = TokenFile::of("no-token", "refresh");
            let stage = Stage::of(anywhere(&file.0)).await;
            stage.server.when(GET_ACCESS_TOKEN, answer.clone());
            assert!(stage.read().await.is_some(), "{answer:?}");
            assert_eq!(stage.count(ASSUME), 0, "{answer:?}");
        });
    }
}

#[test]
fn a_redirect_of_the_token_call_is_followed_once() {
    run(async {
        let file = TokenFile::of("home", "refresh");
        let redirect = r#"{"__type":"RedirectException","Message":"m","Location":"us-west-2"}"#;
        let end = Clock::new().in_minutes(60);
        let script =
            vec![Act::answer(400, &[], redirect), access("a"), session_until(end), Act::ok(LIST)];
        let server = Canned::start(script).await;
        let mut cloud = cloud_at(contracts(), anywhere(&file.0), &server, Clock::new().now());
        divert(&mut cloud, server.url());
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        let signed = server.calls()[3].header("authorization").map(str::to_owned);
        // Where tokens are at home says nothing about where contracts are read.
        assert!(signed.is_some_and(|s| s.contains("/eu-west-1/license-manager/")));
    });
    run(async {
        let file = TokenFile::of("redirected", "refresh");
        let redirect = r#"{"__type":"RedirectException","Message":"m","Location":"us-west-2"}"#;
        let stage = Stage::of(anywhere(&file.0)).await;
        stage.server.when(GET_ACCESS_TOKEN, Act::answer(400, &[], redirect));
        assert!(stage.read().await.is_some());
        assert_eq!(stage.count(GET_ACCESS_TOKEN), 2, "once here, once there");
        assert_eq!(stage.count(ASSUME), 0);
    });
}

#[test]
fn a_container_of_a_sandbox_outside_aws_gets_what_is_mounted_there() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/v4/task", Act::answer(404, &[], "{}"));
        let listed = r#"{"tasks":[{"name":"app","platform":"anywhere","region":"eu-north-1"}]}"#;
        server.at("/_sandbox/tasks", Act::ok(listed));
        let mounted = r#"{"token":"sandbox.refresh\n","role_arn":"arn:aws:iam::1:role/license"}"#;
        server.at("/_sandbox/tasks/app/license_token", Act::ok(mounted));
        server.when(GET_ACCESS_TOKEN, access("access-1"));
        server.when(ASSUME, session_until(Clock::new().in_minutes(60)));
        server.when(READ, Act::ok(LIST));
        let sandbox = Some(format!("{}/t/app", server.url()));
        let contract = CloudSettings { metering: false, ..settings(sandbox.clone()) };
        let cloud = cloud_of(contract, Surroundings::default());
        assert!(matches!(cloud.details(None).await, Details::Nothing(_)));
        assert!(server.calls()[0].body.contains(r#""sandbox.refresh""#));
        let signed = server.calls()[2].header("authorization").map(str::to_owned);
        assert!(signed.is_some_and(|s| s.contains("=ASIALICENSE/20260101/eu-north-1/")));

        let asked = server.requests().len();
        let metering = cloud_of(settings(sandbox), Surroundings::default());
        match metering.register("abc".into(), KEY.public()).await {
            Registered::Failed(failure) => {
                assert!(failure.text.contains("found a license token"), "{}", failure.text);
            }
            other => panic!("{other:?}"),
        }
        let more: Vec<String> = server.lines().split_off(asked);
        assert!(more.iter().all(|line| line.starts_with("GET ")), "{more:?}");
    });
}
