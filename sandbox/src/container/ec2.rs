//! Instance metadata, version 2: a token first, then the questions.
//!
//! Its credentials are those of the machine's role: metering refuses them, License Manager does not.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::keys;
use super::reply::{Found, Question};
use crate::store::World;
use crate::store::credentials::Source;
use crate::store::tasks::{Platform, Task};
use crate::wire::connection::Scissors;
use crate::wire::time::iso;

const OPERATION: &str = "InstanceMetadata";

/// The machine of those who do not say which task they are.
const MACHINE: &str = "instance";

/// Longest life of a session token. Source: EC2 user guide, instance metadata.
const TTL_SECONDS_MAX: i64 = 21_600;

const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

type World_ = State<Arc<World>>;

pub(super) async fn token(
    world: World_,
    scissors: ConnectInfo<Scissors>,
    headers: HeaderMap,
) -> Response<Body> {
    put_token(world, scissors, MACHINE.to_owned(), headers).await
}

pub(super) async fn token_of_task(
    world: World_,
    scissors: ConnectInfo<Scissors>,
    Path(task): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    put_token(world, scissors, task, headers).await
}

pub(super) async fn read(
    world: World_,
    scissors: ConnectInfo<Scissors>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    get_path(world, scissors, (MACHINE.to_owned(), path), headers).await
}

pub(super) async fn read_of_task(
    world: World_,
    scissors: ConnectInfo<Scissors>,
    Path(task_and_path): Path<(String, String)>,
    headers: HeaderMap,
) -> Response<Body> {
    get_path(world, scissors, task_and_path, headers).await
}

async fn put_token(
    State(world): World_,
    scissors: ConnectInfo<Scissors>,
    task: String,
    headers: HeaderMap,
) -> Response<Body> {
    let question = Question { world: &world, scissors, operation: OPERATION, task };
    let ttl_seconds = header(&headers, TTL_HEADER).and_then(|ttl| ttl.parse::<i64>().ok());
    let found = match (question.task(Platform::Ec2), ttl_seconds) {
        (Err(nothing), _) => nothing,
        (Ok(_), Some(ttl_seconds)) if (1..=TTL_SECONDS_MAX).contains(&ttl_seconds) => {
            let expires_ms = world.clock.now_ms() + ttl_seconds * 1000;
            Found::Text(world.state().tokens.issue_session(expires_ms))
        }
        (Ok(_), _) => {
            Found::Nothing(400, format!("{TTL_HEADER} must be from 1 to {TTL_SECONDS_MAX}"))
        }
    };
    let mut response = question.answer(found).await;
    if let Some(ttl) = headers.get(TTL_HEADER).filter(|_| response.status().is_success()) {
        response.headers_mut().insert(TTL_HEADER, ttl.clone());
    }
    response
}

async fn get_path(
    State(world): World_,
    scissors: ConnectInfo<Scissors>,
    (task, path): (String, String),
    headers: HeaderMap,
) -> Response<Body> {
    let question = Question { world: &world, scissors, operation: OPERATION, task };
    let now_ms = world.clock.now_ms();
    let token = header(&headers, TOKEN_HEADER).unwrap_or_default();
    let authorized = world.state().tokens.is_session(token, now_ms);
    let found = match question.task(Platform::Ec2) {
        Err(nothing) => nothing,
        Ok(_) if !authorized => Found::Nothing(401, "401 - Unauthorized".to_owned()),
        Ok(task) => answer(&world, &task, &path),
    };
    question.answer(found).await
}

fn answer(world: &World, task: &Task, path: &str) -> Found {
    let role = format!("sandbox-{}", task.name);
    match path.trim_end_matches('/') {
        "meta-data/placement/region" => Found::Text(task.region.clone()),
        "meta-data/placement/availability-zone" => Found::Text(format!("{}a", task.region)),
        "meta-data/instance-id" => Found::Text(task.instance_id.clone()),
        "meta-data/iam/security-credentials" => Found::Text(role),
        "dynamic/instance-identity/document" => Found::Json(identity(task, world.clock.now_ms())),
        path if path == format!("meta-data/iam/security-credentials/{role}") => {
            Found::Json(role_credentials(world, task))
        }
        _ => Found::Nothing(404, "404 - Not Found".to_owned()),
    }
}

fn identity(task: &Task, now_ms: i64) -> Value {
    json!({
        "accountId": task.account,
        "architecture": "x86_64",
        "availabilityZone": format!("{}a", task.region),
        "imageId": "ami-00000000000000000",
        "instanceId": task.instance_id,
        "instanceType": "t3.small",
        "pendingTime": iso(now_ms),
        "privateIp": "10.0.0.1",
        "region": task.region,
        "version": "2017-09-30",
    })
}

fn role_credentials(world: &World, task: &Task) -> Value {
    let (credential, expires_ms) = keys(world, &task.name, Source::NodeRole);
    json!({
        "Code": "Success",
        "LastUpdated": iso(world.clock.now_ms()),
        "Type": "AWS-HMAC",
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "Token": credential.session_token,
        "Expiration": iso(expires_ms),
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
