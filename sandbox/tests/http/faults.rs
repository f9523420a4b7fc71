//! Faults, as a client meets them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Got, Keys, Stage, start_ms, usage};

fn arm(stage: &Stage, kind: &str, more: Value) {
    let mut fault = json!({"operation": "MeterUsage", "kind": kind});
    for (name, value) in more.as_object().expect("an object") {
        fault[name] = value.clone();
    }
    stage.post("faults", fault);
}

fn meter(stage: &Stage, keys: &Keys) -> Result<Got, ureq::Error> {
    stage.try_call(keys, "MeterUsage", usage("requests", start_ms(), 3))
}

fn billed(stage: &Stage) -> usize {
    stage.get("bill")["records"].as_array().map_or(0, Vec::len)
}

fn last_request(stage: &Stage) -> Value {
    let requests = stage.get("requests?operation=MeterUsage");
    requests["requests"].as_array().and_then(|all| all.last()).cloned().expect("a request")
}

#[test]
fn a_lost_answer_is_a_broken_connection_after_the_record_was_stored() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    arm(&stage, "lost_answer", json!({}));
    assert!(meter(&stage, &keys).is_err());
    assert_eq!(billed(&stage), 1);
    let request = last_request(&stage);
    assert_eq!((&request["fault"], &request["status"]), (&json!("lost_answer"), &json!(0)));
    let again = meter(&stage, &keys).expect("an answer").good();
    assert_eq!(again, request["answer"]);
    assert_eq!(billed(&stage), 1);
}

#[test]
fn a_reset_is_a_broken_connection_before_anything_was_done() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    arm(&stage, "reset", json!({}));
    assert!(meter(&stage, &keys).is_err());
    assert_eq!(billed(&stage), 0);
    meter(&stage, &keys).expect("an answer").good();
}

#[test]
fn the_connection_is_really_reset() {
    let stage = Stage::frozen();
    stage.post("faults", json!({"operation": "TaskMetadata", "kind": "reset"}));
    let mut stream = TcpStream::connect(stage.sandbox.address()).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    stream.write_all(b"GET /t/a/v4/task HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    let error = stream.read(&mut [0; 16]).expect_err("a reset, neither an answer nor a polite end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn throttling_and_errors_come_in_the_words_of_the_service() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let refused = |kind: &str, more: Value| {
        arm(&stage, kind, more);
        let got = meter(&stage, &keys).expect("an answer");
        (got.status, got.error())
    };
    assert_eq!(refused("throttle", json!({})), (400, "ThrottlingException".to_owned()));
    assert_eq!(refused("error", json!({})), (500, "InternalServiceErrorException".to_owned()));
    assert_eq!(
        refused("error", json!({"code": "ServiceUnavailable"})),
        (503, "ServiceUnavailable".to_owned())
    );
    assert_eq!(refused("error", json!({"code": "Odd", "status": 418})), (418, "Odd".to_owned()));
    assert_eq!(billed(&stage), 0);

    stage.post("faults", json!({"operation": "GetLicense", "kind": "throttle"}));
    let get = |stage: &Stage| stage.call(&keys, "GetLicense", json!({"LicenseArn": "x"}));
    assert_eq!(get(&stage).error(), "RateLimitExceededException");
    stage.post("faults", json!({"operation": "GetLicense", "kind": "error"}));
    assert_eq!(get(&stage).error(), "ServerInternalException");
    let redirect = json!({"operation": "GetLicense", "kind": "error", "code": "RedirectException", "location": "us-west-2"});
    stage.post("faults", redirect);
    assert_eq!(get(&stage).json()["Location"], "us-west-2");
}

#[test]
fn a_box_in_the_middle_answers_200_with_nonsense() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    let nonsense = |kind: &str, more: Value| {
        arm(&stage, kind, more);
        let got = meter(&stage, &keys).expect("an answer");
        assert_eq!(got.status, 200);
        got
    };
    assert!(serde_json::from_str::<Value>(&nonsense("garbage", json!({})).text).is_err());
    let html = nonsense("html", json!({}));
    assert_eq!(html.header("content-type"), Some("text/html"));
    assert!(html.text.contains("sign in"));
    assert_eq!(nonsense("empty", json!({})).text, "");
    assert!(nonsense("huge", json!({})).text.len() > 1 << 20);
    assert_eq!(billed(&stage), 0);
    nonsense("garbage", json!({"done": true}));
    assert_eq!(billed(&stage), 1);
}

#[test]
fn a_delayed_answer_is_late_but_right_and_the_record_is_there_at_once() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    arm(&stage, "delay", json!({"delay_ms": 1000}));
    let began = Instant::now();
    std::thread::scope(|scope| {
        let late = scope.spawn(|| meter(&stage, &keys).expect("an answer").good());
        while billed(&stage) == 0 {
            assert!(began.elapsed() < Duration::from_millis(1000), "stored only with the answer");
        }
        assert!(late.join().expect("an answer")["MeteringRecordId"].is_string());
    });
    assert!(began.elapsed() >= Duration::from_millis(1000));
}

#[test]
fn a_slow_answer_arrives_byte_by_byte() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    arm(&stage, "slow_drip", json!({"delay_ms": 4}));
    let began = Instant::now();
    let answer = meter(&stage, &keys).expect("an answer");
    assert!(answer.good()["MeteringRecordId"].is_string());
    let least =
        Duration::from_millis(4) * u32::try_from(answer.text.len()).expect("a short answer");
    assert!(began.elapsed() >= least, "{:?} for {} bytes", began.elapsed(), answer.text.len());
}

#[test]
fn a_skewed_date_is_off_by_what_was_asked_for() {
    let stage = Stage::frozen();
    let keys = stage.keys("a");
    arm(&stage, "skewed_date", json!({"skew_ms": -3_600_000}));
    let got = meter(&stage, &keys).expect("an answer");
    assert_eq!(got.header("date"), Some("Thu, 01 Jan 2026 09:00:00 GMT"));
    got.good();
    let straight = meter(&stage, &keys).expect("an answer");
    assert_eq!(straight.header("date"), Some("Thu, 01 Jan 2026 10:00:00 GMT"));
}

#[test]
fn faults_concern_whom_they_name_and_can_be_taken_back() {
    let stage = Stage::frozen();
    let (a, b) = (stage.keys("a"), stage.keys("b"));
    let fault = json!({"operation": "*", "kind": "throttle", "times": -1, "task": "a"});
    let id = stage.post("faults", fault)["id"].as_str().expect("an id").to_owned();
    assert_eq!(meter(&stage, &a).expect("an answer").status, 400);
    meter(&stage, &b).expect("an answer").good();
    assert_eq!(stage.get("faults")["faults"][0]["id"], id.as_str());
    stage.control("DELETE", &format!("faults/{id}"), None).good();
    assert_eq!(stage.control("DELETE", &format!("faults/{id}"), None).status, 404);
    meter(&stage, &a).expect("an answer").good();
    stage.post("faults", json!({"operation": "*", "kind": "throttle"}));
    stage.control("DELETE", "faults", None).good();
    meter(&stage, &a).expect("an answer").good();
}

#[test]
fn the_surroundings_of_a_container_fail_as_well() {
    let stage = Stage::frozen();
    let read = || stage.raw("GET", "/t/a/v4/task", &[], "");
    stage.post("faults", json!({"operation": "TaskMetadata", "kind": "error", "task": "a"}));
    assert_eq!(read().expect("an answer").status, 500);
    stage.post("faults", json!({"operation": "TaskMetadata", "kind": "throttle"}));
    assert_eq!(read().expect("an answer").status, 429);
    stage.post("faults", json!({"operation": "TaskMetadata", "kind": "garbage"}));
    assert!(serde_json::from_str::<Value>(&read().expect("an answer").text).is_err());
    read().expect("an answer").good();
    assert_eq!(stage.get("requests?operation=TaskMetadata")["requests"][0]["status"], 500);
}
