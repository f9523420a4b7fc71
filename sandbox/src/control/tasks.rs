//! Tasks, from outside.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{Refusal, Reply, done, read};
use crate::store::World;
use crate::store::tasks::{Platform, Task, is_region, is_task_name};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    name: String,
    platform: Option<Platform>,
    region: Option<String>,
    account: Option<String>,
}

pub(super) async fn put(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    put_task(&world, &body)
}

pub(super) fn put_task(world: &World, body: &Bytes) -> Reply {
    let Put { name, platform, region, account } = read(body)?;
    if !is_task_name(&name) {
        let error =
            format!("`{name}` is not a task name; use 1 to 64 of A-Z, a-z, 0-9, `_`, `.`, `-`");
        return Err(Refusal::bad_request(error));
    }
    if let Some(region) = region.as_ref().filter(|region| !is_region(region)) {
        return Err(Refusal::bad_request(format!(
            "`{region}` is not a Region; write it as `us-east-1`"
        )));
    }
    let is_account = |account: &&String| {
        account.len() == 12 && account.chars().all(|digit| digit.is_ascii_digit())
    };
    if let Some(account) = account.as_ref().filter(|account| !is_account(account)) {
        return Err(Refusal::bad_request(format!("`{account}` is not an account; use 12 digits")));
    }
    let mut state = world.state();
    let task = state.tasks.touch(&name, platform.unwrap_or_default(), &world.region);
    task.platform = platform.unwrap_or(task.platform);
    if let Some(region) = region {
        task.region = region;
    }
    if let Some(account) = account {
        task.account = account;
    }
    done(view(task))
}

pub(super) async fn list(State(world): State<Arc<World>>) -> Reply {
    let tasks: Vec<Value> = world.state().tasks.all().map(view).collect();
    done(json!({"tasks": tasks}))
}

fn view(task: &Task) -> Value {
    let environment: Map<String, Value> = task
        .environment()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({
        "name": task.name,
        "platform": task.platform,
        "region": task.region,
        "account": task.account,
        "task_arn": task.arn(),
        "pod_uid": task.pod_uid,
        "instance_id": task.instance_id,
        "role_arn": task.role_arn(),
        "environment": environment,
    })
}
