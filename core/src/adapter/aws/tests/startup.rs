//! The start-up check of custom metering: a dry run, or a record of zero.

use super::super::testing::{Act, Canned, NOW, cloud, run};
use crate::{
    model::outcome::{FailureClass, Permitted, RefusalReason},
    port::cloud::{Cloud, UsageProbe},
};

fn dry_run(act: Act) -> Permitted {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).check_usage(usage_probe()).await
    })
}

fn probe(act: Act) -> Permitted {
    run(async {
        let server = Canned::start(vec![act]).await;
        cloud(&server).probe(usage_probe()).await
    })
}

fn usage_probe() -> UsageProbe {
    UsageProbe { product: "abc".into(), dimension: "requests".to_owned(), timestamp: NOW }
}

/// T16: a dry run is answered both ways, and leaves the hour free.
#[test]
fn a_dry_run_succeeds_as_an_answer_and_as_an_error() {
    assert_eq!(dry_run(Act::ok(r#"{"MeteringRecordId":"DryRunOperation"}"#)), Permitted::Yes);
    assert_eq!(dry_run(Act::ok("{}")), Permitted::Yes);
    assert_eq!(dry_run(Act::error(400, "DryRunOperation")), Permitted::Yes);
}

#[test]
fn a_dry_run_that_nobody_answered_permits_nothing() {
    for act in
        [Act::ok(""), Act::ok("<html></html>"), Act::Close, Act::error(500, "InternalFailure")]
    {
        let answer = dry_run(act.clone());
        assert!(matches!(answer, Permitted::Failed(_)), "{act:?}: {answer:?}");
    }
    for (code, reason) in [
        ("UnauthorizedException", RefusalReason::AccessDenied),
        ("CustomerNotEntitledException", RefusalReason::NotEntitled),
    ] {
        match dry_run(Act::error(400, code)) {
            Permitted::No(refusal) => assert_eq!(refusal.reason, reason),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn a_dry_run_records_nothing() {
    run(async {
        let server = Canned::start(vec![Act::ok("{}")]).await;
        cloud(&server).check_usage(usage_probe()).await;
        let body: serde_json::Value = serde_json::from_str(&server.calls()[0].body).expect("JSON");
        assert_eq!(body["DryRun"], true);
        assert_eq!(body["UsageQuantity"], 0);
    });
}

/// T16.
#[test]
fn a_probe_is_a_record_of_zero() {
    run(async {
        let server = Canned::start(vec![Act::ok(r#"{"MeteringRecordId":"r-1"}"#)]).await;
        assert_eq!(cloud(&server).probe(usage_probe()).await, Permitted::Yes);
        let body: serde_json::Value = serde_json::from_str(&server.calls()[0].body).expect("JSON");
        let token = body["ClientToken"].as_str().expect("our own token").to_owned();
        assert_eq!(
            body,
            serde_json::json!({
                "ProductCode": "abc", "Timestamp": 1_767_261_600, "UsageDimension": "requests",
                "UsageQuantity": 0, "ClientToken": token,
            })
        );
        assert_eq!(token.len(), 43, "32 fresh bytes");
    });
}

#[test]
fn a_probe_is_answered_by_a_record_or_by_one_that_was_there_already() {
    assert_eq!(probe(Act::ok(r#"{"MeteringRecordId":"r-1"}"#)), Permitted::Yes);
    assert_eq!(probe(Act::error(400, "DuplicateRequestException")), Permitted::Yes);
    for body in ["", "{}", r#"{"MeteringRecordId":""}"#, "<html></html>"] {
        let answer = probe(Act::ok(body));
        assert!(
            matches!(&answer, Permitted::Failed(failure) if failure.class == FailureClass::Unknown),
            "{body}: {answer:?}"
        );
    }
    let answer = probe(Act::error(400, "DryRunOperation"));
    assert!(!matches!(answer, Permitted::Yes), "it was no dry run: {answer:?}");
}

#[test]
fn each_refusal_of_a_probe_is_a_no_and_each_failure_is_none() {
    use RefusalReason::{AccessDenied, InvalidProduct, InvalidRegion, NotEntitled};
    for (code, reason) in [
        ("CustomerNotEntitledException", NotEntitled),
        ("CustomerNotSubscribedException", NotEntitled),
        ("PlatformNotSupportedException", RefusalReason::PlatformNotSupported),
        ("InvalidEndpointRegionException", InvalidRegion),
        ("InvalidProductCodeException", InvalidProduct),
        ("InvalidUsageDimensionException", InvalidProduct),
        ("AccessDeniedException", AccessDenied),
    ] {
        match probe(Act::error(400, code)) {
            Permitted::No(refusal) => assert_eq!(refusal.reason, reason, "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    for (act, class) in [
        (Act::error(400, "ThrottlingException"), FailureClass::Throttled),
        (Act::error(500, "InternalServiceErrorException"), FailureClass::Unknown),
        (Act::Reset, FailureClass::Unknown),
    ] {
        match probe(act.clone()) {
            Permitted::Failed(failure) => assert_eq!(failure.class, class, "{act:?}"),
            other => panic!("{act:?}: {other:?}"),
        }
    }
}

/// T65: a clock that was wrong when the question was asked is no reason to shut a buyer out.
#[test]
fn a_refused_time_or_token_says_nothing_of_the_buyer() {
    for code in ["TimestampOutOfBoundsException", "IdempotencyConflictException"] {
        for answer in [probe(Act::error(400, code)), dry_run(Act::error(400, code))] {
            assert!(
                matches!(&answer, Permitted::Failed(failure) if failure.class == FailureClass::Throttled),
                "{code}: {answer:?}"
            );
        }
    }
}

#[test]
fn an_hour_that_was_reported_before_a_restart_does_not_shut_a_dry_run_out() {
    assert_eq!(dry_run(Act::error(400, "DuplicateRequestException")), Permitted::Yes);
}
