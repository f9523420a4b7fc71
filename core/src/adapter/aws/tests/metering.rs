use super::super::{
    AwsCloud, ServerTime, Surroundings,
    testing::{Act, Canned, KEY, Key, cloud, divert, now, run, settings},
};
use crate::{
    model::{
        ids::{Platform, RecordId},
        key::PublicKey,
        outcome::{Failure, FailureClass, RefusalReason, Registered, Sent},
        quantity::Units,
        time::Timestamp,
        usage::{Allocation, Record, Tags},
    },
    port::{cloud::Cloud, entropy::Entropy},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

fn units(scaled: u64, digits: u32) -> Units {
    Units { scaled, digits }
}

fn record() -> Record {
    let hour = Timestamp(1_767_258_000_000).hour();
    Record {
        id: RecordId(1),
        dimension: "requests".into(),
        hour,
        timestamp: Timestamp(hour.end().0 - 1_000),
        units: units(17, 0),
        allocations: Vec::new(),
        client_token: "token-1".into(),
        parts: BTreeMap::new(),
    }
}

fn meter(act: Act) -> Sent {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).meter("abc".into(), record()).await
    })
}

fn register(act: Act) -> Registered {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).register("abc".into(), KEY.public()).await
    })
}

fn class(sent: &Sent) -> Option<FailureClass> {
    match sent {
        Sent::Failed(Failure { class, .. }) => Some(*class),
        _ => None,
    }
}

fn signed(jwt: &str) -> Act {
    Act::ok(&format!(r#"{{"PublicKeyRotationTimestamp":null,"Signature":"{jwt}"}}"#))
}

#[test]
fn the_identity_is_the_task_and_its_region_is_the_arns() {
    run(async {
        let server = Canned::start(vec![]).await;
        let cloud = cloud(&server);
        let identity = cloud.identify().await.expect("the task metadata answers");
        assert_eq!(identity.platform, Platform::Ecs);
        assert_eq!(identity.region, "eu-west-1");
        cloud.identify().await.expect("it is known");
        let lines = server.lines();
        let asked = lines.iter().filter(|line| *line == "GET /t/app/v4/task").count();
        assert_eq!(asked, 1, "{lines:?}");
    });
}

#[test]
fn the_body_of_a_record_comes_from_the_record_alone_and_is_the_same_each_time() {
    run(async {
        let ok = Act::ok(r#"{"MeteringRecordId":"r-1"}"#);
        let server = Canned::start(vec![ok.clone(), ok]).await;
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let mut record = record();
        record.allocations = vec![
            Allocation { units: units(10, 0), tags: tags(&[("team", "a"), ("env", "prod")]) },
            Allocation { units: units(7, 0), tags: tags(&[]) },
        ];
        let sent = cloud(&server).meter("abc".into(), record.clone()).await;
        assert_eq!(
            sent,
            Sent::Recorded { record_id: "r-1".into(), request_id: Some("req-1".into()) }
        );
        cloud(&server).meter("abc".into(), record).await;
        let calls = server.calls();
        assert_eq!(calls[0].body, calls[1].body);
        let body: serde_json::Value = serde_json::from_str(&calls[0].body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "ProductCode": "abc", "Timestamp": 1_767_261_599, "UsageDimension": "requests",
                "UsageQuantity": 17, "ClientToken": "token-1",
                "UsageAllocations": [
                    { "AllocatedUsageQuantity": 10,
                      "Tags": [{ "Key": "env", "Value": "prod" }, { "Key": "team", "Value": "a" }] },
                    { "AllocatedUsageQuantity": 7 },
                ],
            })
        );
        assert_eq!(calls[0].header("x-amz-target"), Some("AWSMPMeteringService.MeterUsage"));
        let signed = calls[0].header("authorization").expect("it is signed");
        assert!(
            signed.contains("AKIDEXAMPLE/20260101/eu-west-1/aws-marketplace/aws4_request"),
            "the guard's clock and the task's Region sign: {signed}"
        );
        assert_eq!(calls[0].header("x-amz-date"), Some("20260101T100000Z"));
    });
}

#[test]
fn each_code_of_meter_usage_has_its_outcome() {
    use RefusalReason::{
        AccessDenied, InvalidProduct, InvalidRegion, NotEntitled, PlatformNotSupported,
    };
    let refused = |status, code: &str, reason| match meter(Act::error(status, code)) {
        Sent::Refused(refusal) => {
            assert_eq!(refusal.reason, reason, "{code}");
            assert!(refusal.text.contains(code), "the text names AWS's word: {}", refusal.text);
        }
        other => panic!("{code}: {other:?}"),
    };
    refused(400, "CustomerNotEntitledException", NotEntitled);
    refused(400, "CustomerNotEntitiledException", NotEntitled);
    refused(400, "CustomerNotSubscribedException", NotEntitled);
    refused(400, "PlatformNotSupportedException", PlatformNotSupported);
    refused(400, "InvalidEndpointRegionException", InvalidRegion);
    refused(400, "InvalidRegionException", InvalidRegion);
    refused(400, "InvalidProductCodeException", InvalidProduct);
    refused(400, "InvalidUsageDimensionException", InvalidProduct);
    refused(400, "InvalidTagException", InvalidProduct);
    refused(400, "InvalidUsageAllocationsException", InvalidProduct);
    refused(400, "ValidationException", InvalidProduct);
    refused(400, "SomethingQuiteNewException", InvalidProduct);
    refused(403, "AccessDeniedException", AccessDenied);
    refused(400, "UnauthorizedException", AccessDenied);

    assert!(matches!(meter(Act::error(400, "DuplicateRequestException")), Sent::Duplicate(_)));
    assert!(matches!(
        meter(Act::error(400, "TimestampOutOfBoundsException")),
        Sent::OutOfBounds(_)
    ));
    assert!(matches!(
        meter(Act::error(400, "IdempotencyConflictException")),
        Sent::TokenConflict(_)
    ));

    let failed = |status, code: &str, expected| {
        assert_eq!(class(&meter(Act::error(status, code))), Some(expected), "{code}");
    };
    failed(400, "ThrottlingException", FailureClass::Throttled);
    failed(400, "RateLimitExceededException", FailureClass::Throttled);
    failed(429, "TooManyRequestsException", FailureClass::Throttled);
    failed(503, "SlowDown", FailureClass::Throttled);
    failed(500, "InternalServiceErrorException", FailureClass::Unknown);
    failed(500, "InternalFailure", FailureClass::Unknown);
    failed(503, "ServiceUnavailable", FailureClass::Unknown);
    failed(408, "RequestTimeoutException", FailureClass::Unknown);
    failed(400, "RequestAbortedException", FailureClass::Unknown);
    failed(500, "SomethingQuiteNewException", FailureClass::Unknown);
}

#[test]
fn a_code_is_read_from_every_place_where_aws_may_put_it() {
    let duplicate = |act| assert!(matches!(meter(act), Sent::Duplicate(_)));
    let code = "DuplicateRequestException";
    duplicate(Act::answer(400, &["x-amzn-errortype: DuplicateRequestException"], "{}"));
    duplicate(Act::answer(400, &["x-amzn-errortype: DuplicateRequestException"], ""));
    duplicate(Act::answer(
        400,
        &["x-amzn-errortype: DuplicateRequestException:http://internal.example/"],
        r#"{"message":"m"}"#,
    ));
    duplicate(Act::error(400, &format!("com.amazonaws.marketplace.metering#{code}")));
    duplicate(Act::error(400, &format!("{code}:http://internal.example/coral/")));
    duplicate(Act::error(400, &format!("a.b#{code}:http://internal.example/")));
    duplicate(Act::answer(400, &[], &format!(r#"{{"code":"{code}","Message":"m"}}"#)));
}

#[test]
fn what_aws_did_not_say_is_unknown() {
    let unknown = |act: Act| {
        let sent = meter(act.clone());
        assert_eq!(class(&sent), Some(FailureClass::Unknown), "{act:?}: {sent:?}");
    };
    let html = "<html><body>Please log in</body></html>";
    unknown(Act::ok(""));
    unknown(Act::ok("{}"));
    unknown(Act::ok(r#"{"MeteringRecordId":null}"#));
    unknown(Act::ok(r#"{"MeteringRecordId":""}"#));
    unknown(Act::ok(r#"{"MeteringRecordId":7}"#));
    unknown(Act::ok(html));
    unknown(Act::ok("null"));
    unknown(Act::ok(r#"{"MeteringRecordId":"r-1""#));
    unknown(Act::answer(403, &[], html));
    unknown(Act::answer(400, &[], ""));
    unknown(Act::answer(502, &[], html));
    unknown(Act::answer(302, &["location: http://127.0.0.1:1/"], ""));
    unknown(Act::answer(404, &[], "{}"));
    unknown(Act::Close);
    unknown(Act::Reset);
    unknown(Act::Say(
        "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"MeteringRecordId\"".to_owned(),
    ));
    unknown(Act::Say("SSH-2.0-OpenSSH_9.2\r\n".to_owned()));
    let huge = format!(r#"{{"MeteringRecordId":"r-1","pad":"{}"}}"#, "x".repeat(1024 * 1024));
    unknown(Act::ok(&huge));
}

#[test]
fn a_throttling_status_without_a_code_is_throttling() {
    assert_eq!(class(&meter(Act::answer(429, &[], ""))), Some(FailureClass::Throttled));
}

#[test]
fn a_refused_connection_is_not_sent() {
    run(async {
        let server = Canned::start(vec![]).await;
        let mut cloud = cloud(&server);
        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", free.local_addr().expect("bound"));
        drop(free);
        divert(&mut cloud, url);
        let sent = cloud.meter("abc".into(), record()).await;
        assert_eq!(class(&sent), Some(FailureClass::NotSent), "{sent:?}");
    });
}

#[test]
fn without_task_metadata_or_credentials_nothing_is_sent() {
    for path in ["/v4/task", "/credentials"] {
        run(async {
            let server = Canned::start(vec![]).await;
            server.at(path, Act::answer(500, &[], ""));
            let sent = cloud(&server).meter("abc".into(), record()).await;
            assert_eq!(class(&sent), Some(FailureClass::NotSent), "{sent:?}");
            assert_eq!(server.calls().len(), 0);
        });
    }
}

#[test]
fn a_silent_server_and_a_body_that_drips_are_given_up() {
    run(async {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_owned();
        let silent = Canned::start(vec![Act::Wait(Duration::from_secs(60))]).await;
        let drips = Canned::start(vec![Act::Drip(head)]).await;
        let (silent, drips) = (cloud(&silent), cloud(&drips));
        let start = std::time::Instant::now();
        let (one, other) =
            tokio::join!(silent.meter("abc".into(), record()), drips.meter("abc".into(), record()));
        assert_eq!(class(&one), Some(FailureClass::Unknown), "{one:?}");
        assert_eq!(class(&other), Some(FailureClass::Unknown), "{other:?}");
        assert!(start.elapsed() < Duration::from_secs(13), "{:?}", start.elapsed());
    });
}

#[test]
fn one_attempt_is_one_request() {
    run(async {
        for act in
            [Act::error(500, "InternalFailure"), Act::error(400, "ThrottlingException"), Act::Reset]
        {
            let server = Canned::start(vec![act]).await;
            cloud(&server).meter("abc".into(), record()).await;
            assert_eq!(server.calls().len(), 1, "machines decide about a second one");
        }
    });
}

#[test]
fn expired_credentials_are_renewed_and_the_same_record_is_sent_again() {
    run(async {
        let server = Canned::start(vec![
            Act::error(403, "ExpiredTokenException"),
            Act::ok(r#"{"MeteringRecordId":"r-1"}"#),
        ])
        .await;
        let sent = cloud(&server).meter("abc".into(), record()).await;
        assert!(matches!(sent, Sent::Recorded { .. }), "{sent:?}");
        let calls = server.calls();
        assert_eq!(calls[0].body, calls[1].body);
        let asked = server.lines().iter().filter(|l| l.ends_with("/credentials")).count();
        assert_eq!(asked, 2);
    });
}

#[test]
fn credentials_that_stay_refused_are_no_permission() {
    run(async {
        let code = "UnrecognizedClientException";
        let server = Canned::start(vec![Act::error(403, code), Act::error(403, code)]).await;
        let sent = cloud(&server).meter("abc".into(), record()).await;
        assert_eq!(class(&sent), Some(FailureClass::AccessDenied), "{sent:?}");
        assert_eq!(server.calls().len(), 2);
    });
}

/// T65: a container's clock is an hour off.
#[test]
fn a_wrong_clock_is_corrected_by_the_date_of_the_refusal() {
    run(async {
        let body = r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#;
        let server = Canned::start(vec![
            Act::answer(403, &["date: Thu, 01 Jan 2026 11:00:00 GMT"], body),
            Act::ok(r#"{"MeteringRecordId":"r-1"}"#),
        ])
        .await;
        let sent = cloud(&server).meter("abc".into(), record()).await;
        assert!(matches!(sent, Sent::Recorded { .. }), "{sent:?}");
        let calls = server.calls();
        assert_eq!(calls[0].header("x-amz-date"), Some("20260101T100000Z"));
        assert_eq!(calls[1].header("x-amz-date"), Some("20260101T110000Z"));
        assert_eq!(calls[0].body, calls[1].body);
    });
}

/// Different bytes each time.
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn seed(&self) -> Result<[u8; 32], String> {
        Ok([self.0.fetch_add(1, Ordering::Relaxed); 32])
    }
}

#[test]
fn each_attempt_at_a_registration_has_a_nonce_of_its_own() {
    run(async {
        let body = r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#;
        let refused = Act::answer(403, &["date: Thu, 01 Jan 2026 11:00:00 GMT"], body);
        let server = Canned::start(vec![refused.clone(), refused]).await;
        let cloud = AwsCloud::new(
            settings(Some(format!("{}/t/app", server.url()))),
            Surroundings::default(),
            now(),
            Arc::new(Counting(1.into())),
            Arc::new(ServerTime::default()),
        );
        cloud.register("abc".into(), KEY.public()).await;
        let nonces: Vec<String> = server
            .calls()
            .iter()
            .map(|call| {
                let body: serde_json::Value = serde_json::from_str(&call.body).expect("JSON");
                body["Nonce"].as_str().expect("a nonce").to_owned()
            })
            .collect();
        assert_eq!(nonces.len(), 2);
        assert_ne!(nonces[0], nonces[1]);
    });
}

#[test]
fn credentials_are_asked_for_once_while_they_are_fresh() {
    run(async {
        let ok = Act::ok(r#"{"MeteringRecordId":"r-1"}"#);
        let server = Canned::start(vec![ok.clone(), ok.clone(), ok]).await;
        let cloud = cloud(&server);
        let both =
            tokio::join!(cloud.meter("abc".into(), record()), cloud.meter("abc".into(), record()));
        assert!(matches!(both, (Sent::Recorded { .. }, Sent::Recorded { .. })), "{both:?}");
        cloud.meter("abc".into(), record()).await;
        let asked = server.lines().iter().filter(|l| l.starts_with("GET")).count();
        assert_eq!(asked, 2, "once for the task, once for the credentials: {:?}", server.lines());
    });
}

#[test]
fn decimals_replace_the_whole_numbers_before_the_body_is_signed() {
    run(async {
        let ok = Act::ok(r#"{"MeteringRecordId":"r-1"}"#);
        let server = Canned::start(vec![ok.clone(), ok]).await;
        let mut decimal = record();
        decimal.units = units(1742, 2);
        let tags: Tags = [("team".to_owned(), "a".to_owned())].into();
        decimal.allocations = vec![
            Allocation { units: units(1700, 2), tags },
            Allocation { units: units(42, 2), tags: Tags::new() },
        ];
        cloud(&server).meter("abc".into(), decimal).await;
        let mut large = record();
        large.units = units(1 << 31, 0);
        cloud(&server).meter("abc".into(), large).await;
        let calls = server.calls();
        let body =
            |n: usize| -> serde_json::Value { serde_json::from_str(&calls[n].body).expect("JSON") };
        assert_eq!(
            body(0),
            serde_json::json!({
                "ProductCode": "abc", "Timestamp": 1_767_261_599, "UsageDimension": "requests",
                "UsageQuantityAsDecimal": "17.42", "ClientToken": "token-1",
                "UsageAllocations": [
                    { "AllocatedUsageQuantityAsDecimal": "17",
                      "Tags": [{ "Key": "team", "Value": "a" }] },
                    { "AllocatedUsageQuantityAsDecimal": "0.42" },
                ],
            })
        );
        assert_eq!(body(1)["UsageQuantityAsDecimal"], "2147483648");
        assert!(body(1).get("UsageQuantity").is_none(), "never both members");
        let length = calls[0].header("content-length").and_then(|text| text.parse().ok());
        assert_eq!(length, Some(calls[0].body.len()));
    });
}

#[test]
fn a_registration_that_aws_signed_is_a_yes() {
    let yes = Registered::Yes { key_rotation: None, weak_key: false };
    assert_eq!(register(signed(&KEY.registration())), yes);
    let rotated = format!(
        r#"{{"PublicKeyRotationTimestamp":1767225600,"Signature":"{}"}}"#,
        KEY.registration()
    );
    let at = Some(Timestamp(1_767_225_600_000));
    assert_eq!(register(Act::ok(&rotated)), Registered::Yes { key_rotation: at, weak_key: false });
}

#[test]
fn a_registration_carries_a_nonce_of_32_bytes() {
    run(async {
        let server = Canned::start(vec![signed("x")]).await;
        cloud(&server).register("abc".into(), KEY.public()).await;
        let body: serde_json::Value = serde_json::from_str(&server.calls()[0].body).expect("JSON");
        assert_eq!(body["ProductCode"], "abc");
        assert_eq!(body["PublicKeyVersion"], 1);
        assert_eq!(body["Nonce"].as_str().map(str::len), Some(43));
    });
}

#[test]
fn a_registration_that_does_not_verify_is_a_no_and_one_without_proof_is_nothing() {
    let forged = Key::of_bits(1024, 8).registration();
    match register(signed(&forged)) {
        Registered::No(refusal) => assert_eq!(refusal.reason, RefusalReason::SignatureInvalid),
        other => panic!("{other:?}"),
    }
    for body in ["", "{}", "<html></html>", r#"{"Signature":null}"#] {
        let answer = register(Act::ok(body));
        match answer {
            Registered::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::Unknown, "{body}")
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

/// T68: an answer of AWS that was kept, and given again to a process that asks anew.
#[test]
fn an_old_answer_of_aws_is_no_answer_to_a_new_question() {
    run(async {
        let server = Canned::start(vec![]).await;
        let sandbox = settings(Some(format!("{}/t/app", server.url())));
        let entropy = Arc::new(Counting(7.into()));
        let time = Arc::new(ServerTime::default());
        let cloud = AwsCloud::new(sandbox, Surroundings::default(), now(), entropy, time);
        cloud.identify().await.expect("the task metadata answers"); // takes the first seed
        let mut sent = Vec::new();
        for _ in 0..3 {
            server.then(signed(&KEY.registration()));
            match cloud.register("abc".into(), KEY.public()).await {
                Registered::No(refusal) => {
                    assert_eq!(refusal.reason, RefusalReason::SignatureInvalid);
                    assert!(refusal.text.contains("nonce is not ours"), "{}", refusal.text);
                    assert!(refusal.text.contains("public key version `1`"), "{}", refusal.text);
                }
                other => panic!("{other:?}"),
            }
            let body = server.calls().last().expect("a call").body.clone();
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let nonce = body["Nonce"].as_str().expect("a nonce").to_owned();
            assert!(!sent.contains(&nonce), "each question has a nonce of its own");
            sent.push(nonce);
        }
    });
}

#[test]
fn a_registration_by_a_short_key_is_a_yes_that_says_so() {
    run(async {
        let key = Key::of_bits(1024, 8);
        let server = Canned::start(vec![signed(&key.registration())]).await;
        let answer = cloud(&server).register("abc".into(), key.public()).await;
        assert_eq!(answer, Registered::Yes { key_rotation: None, weak_key: true });
    });
}

#[test]
fn a_key_version_that_aws_refuses_is_named_with_the_next_step() {
    run(async {
        let code = "InvalidPublicKeyVersionException";
        let server = Canned::start(vec![Act::error(400, code)]).await;
        let key = PublicKey { version: 12, ..KEY.public() };
        match cloud(&server).register("abc".into(), key).await {
            Registered::No(refusal) => {
                for part in
                    ["`abc`", "public key version `12`", "trusted_products", "rebuild", code]
                {
                    assert!(refusal.text.contains(part), "{}", refusal.text);
                }
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn each_code_of_register_usage_has_its_outcome() {
    use RefusalReason::{
        AccessDenied, InvalidProduct, InvalidRegion, NotEntitled, PlatformNotSupported,
    };
    let refused = |status, code: &str, reason| match register(Act::error(status, code)) {
        Registered::No(refusal) => assert_eq!(refusal.reason, reason, "{code}"),
        other => panic!("{code}: {other:?}"),
    };
    refused(400, "CustomerNotEntitledException", NotEntitled);
    refused(400, "InvalidProductCodeException", InvalidProduct);
    refused(400, "InvalidPublicKeyVersionException", InvalidProduct);
    refused(400, "InvalidPublicKeyException", InvalidProduct);
    refused(400, "InvalidRegionException", InvalidRegion);
    refused(400, "DisabledApiException", InvalidRegion);
    refused(400, "PlatformNotSupportedException", PlatformNotSupported);
    refused(403, "AccessDeniedException", AccessDenied);
    let failed = |status, code: &str, class| match register(Act::error(status, code)) {
        Registered::Failed(failure) => assert_eq!(failure.class, class, "{code}"),
        other => panic!("{code}: {other:?}"),
    };
    failed(400, "ThrottlingException", FailureClass::Throttled);
    failed(500, "InternalServiceErrorException", FailureClass::Unknown);
}

#[test]
fn a_missing_permission_names_the_action_and_a_policy() {
    match register(Act::error(403, "AccessDeniedException")) {
        Registered::No(refusal) => {
            assert!(refusal.text.contains("`aws-marketplace:RegisterUsage`"), "{}", refusal.text);
            assert!(
                refusal.text.contains("AWSMarketplaceMeteringRegisterUsage"),
                "{}",
                refusal.text
            );
        }
        other => panic!("{other:?}"),
    }
}
