//! What a container finds around itself.

use serde_json::json;

use crate::support::{Got, HOUR_MS, Keys, Stage, Target, start_ms, usage};

#[test]
fn a_task_is_there_on_first_touch_with_its_arn() {
    let stage = Stage::frozen();
    let task = stage.raw("GET", "/t/web-1/v4/task", &[], "").expect("an answer").good();
    assert_eq!(task["TaskARN"], "arn:aws:ecs:us-east-1:111122223333:task/sandbox/web-1");
    assert_eq!(task["LaunchType"], "FARGATE");
    let container = stage.raw("GET", "/t/web-1/v4", &[], "").expect("an answer").good();
    assert_eq!(container["Labels"]["com.amazonaws.ecs.task-arn"], task["TaskARN"]);
    let bad = stage.raw("GET", "/t/a%20b/v4/task", &[], "").expect("an answer");
    assert_eq!(bad.status, 400);
}

#[test]
fn a_declared_task_has_its_own_region_and_account() {
    let stage = Stage::frozen();
    stage.post("tasks", json!({"name": "eu", "region": "eu-west-1", "account": "444455556666"}));
    let task = stage.raw("GET", "/t/eu/v4/task", &[], "").expect("an answer").good();
    assert_eq!(task["TaskARN"], "arn:aws:ecs:eu-west-1:444455556666:task/sandbox/eu");
    assert_eq!(stage.get("tasks")["tasks"][0]["region"], "eu-west-1");
    assert!(
        stage
            .refused("tasks", json!({"name": "x", "region": "evil.example"}))
            .contains("is not a Region")
    );
    assert!(stage.refused("tasks", json!({"name": "x", "account": "12"})).contains("12 digits"));
    assert!(
        stage.refused("tasks", json!({"name": "x", "platform": "gke"})).contains("unknown variant")
    );
}

#[test]
fn a_pod_has_no_task_metadata() {
    let stage = Stage::frozen();
    stage.post("tasks", json!({"name": "pod", "platform": "eks"}));
    assert_eq!(stage.raw("GET", "/t/pod/v4/task", &[], "").expect("an answer").status, 404);
}

#[test]
fn credentials_stay_the_same_until_shortly_before_their_end() {
    let stage = Stage::frozen();
    let read = || stage.raw("GET", "/t/a/credentials", &[], "").expect("an answer").good();
    let first = read();
    assert_eq!(first["Expiration"], "2026-01-01T16:00:00Z");
    assert_eq!(first["RoleArn"], "arn:aws:iam::111122223333:role/sandbox-a");
    assert_eq!(read()["AccessKeyId"], first["AccessKeyId"]);
    stage.post("clock", json!({"now_ms": start_ms() + 6 * HOUR_MS - 600_000}));
    assert_ne!(read()["AccessKeyId"], first["AccessKeyId"]);
}

fn metadata(stage: &Stage, prefix: &str, path: &str, token: Option<&str>) -> Got {
    let headers: Vec<_> = token
        .map(|token| ("x-aws-ec2-metadata-token".to_owned(), token.to_owned()))
        .into_iter()
        .collect();
    stage.raw("GET", &format!("{prefix}/latest/{path}"), &headers, "").expect("an answer")
}

fn session(stage: &Stage, prefix: &str, ttl: &str) -> Got {
    let headers = [("x-aws-ec2-metadata-token-ttl-seconds".to_owned(), ttl.to_owned())];
    stage.raw("PUT", &format!("{prefix}/latest/api/token"), &headers, "").expect("an answer")
}

#[test]
fn instance_metadata_asks_for_a_token_first() {
    let stage = Stage::frozen();
    let region = |token: Option<&str>| metadata(&stage, "", "meta-data/placement/region", token);
    assert_eq!(region(None).status, 401);
    assert_eq!(region(Some("made-up")).status, 401);
    assert_eq!(session(&stage, "", "21601").status, 400);
    assert_eq!(session(&stage, "", "soon").status, 400);
    let token = session(&stage, "", "60");
    assert_eq!(token.header("x-aws-ec2-metadata-token-ttl-seconds"), Some("60"));
    assert_eq!(region(Some(&token.text)).text, "us-east-1");
    stage.post("clock", json!({"now_ms": start_ms() + 60_000}));
    assert_eq!(region(Some(&token.text)).status, 401);
}

#[test]
fn the_role_of_the_machine_may_not_meter_but_check_out() {
    let stage = Stage::frozen();
    stage.post("tasks", json!({"name": "vm", "platform": "ec2", "region": "eu-west-1"}));
    for (prefix, role, region) in
        [("", "sandbox-instance", "us-east-1"), ("/t/vm", "sandbox-vm", "eu-west-1")]
    {
        let token = session(&stage, prefix, "600").text;
        let read = |path: &str| metadata(&stage, prefix, path, Some(&token));
        assert_eq!(read("meta-data/iam/security-credentials/").text, role);
        let document = read("dynamic/instance-identity/document").good();
        assert_eq!(
            (&document["region"], &document["accountId"]),
            (&json!(region), &json!("111122223333"))
        );
        assert_eq!(
            read("meta-data/instance-id").text,
            document["instanceId"].as_str().expect("an id")
        );
        assert_eq!(read("meta-data/iam/security-credentials/other").status, 404);
        let keys = Keys::read(&read(&format!("meta-data/iam/security-credentials/{role}")).good());
        let scope = Target { region: region.to_owned(), ..Target::of("MeterUsage") };
        let body = usage("requests", start_ms(), 1).to_string();
        let refused = stage.send(&keys, &scope, &body).expect("an answer");
        assert_eq!(refused.error(), "PlatformNotSupportedException");
        stage.call(&keys, "ListReceivedLicenses", json!({})).good();
    }
    let machine = stage.raw("GET", "/t/vm/credentials", &[], "").expect("an answer");
    assert_eq!(machine.status, 404);
}
