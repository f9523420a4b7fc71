//! The license token that a container outside AWS finds in a file.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use super::reply::{Refusal, Reply, done, read};
use super::tokens::{CreatedToken, create_token};
use crate::store::tasks::{Platform, Task, is_task_name};
use crate::store::tokens::Holder;
use crate::store::{State as Remembered, World};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mount {
    license_id: Option<String>,
    expiration_days: Option<i64>,
    token: Option<String>,
}

/// `POST /_sandbox/tasks/<task>/license_token`: creates a token of a license, as the buyer does with
/// `CreateToken`, and mounts it in the task; or mounts any text.
pub(super) async fn mount(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Reply {
    let Mount { license_id, expiration_days, token } = read(&body)?;
    let now_ms = world.clock.now_ms();
    let mut state = world.state();
    let account = task(&world, &mut state, &name)?.account.clone();
    let mounted = match token {
        Some(token) => json!({"token": token}),
        None => {
            let license_id = license_id.or_else(|| newest(&state, &account)).ok_or_else(|| {
                Refusal::conflict(format!(
                    "no license token for task `{name}`: account `{account}` has no license; create one with POST \
                     /_sandbox/licenses"
                ))
            })?;
            let holder = Holder { license_id: license_id.clone(), task: Some(name.clone()) };
            let created = create_token(&mut state, holder, expiration_days, now_ms)?;
            let CreatedToken { token, role_arn, expires_ms } = created;
            json!({"token": token, "license_id": license_id, "role_arn": role_arn, "expires_ms": expires_ms})
        }
    };
    let token = mounted["token"].as_str().map(str::to_owned);
    task(&world, &mut state, &name)?.license_token = token;
    done(mounted)
}

/// `GET …`: what is in the file, which is empty when nothing is mounted.
pub(super) async fn mounted(State(world): State<Arc<World>>, Path(name): Path<String>) -> Reply {
    let mut state = world.state();
    let task = task(&world, &mut state, &name)?;
    let token = task.license_token.clone().unwrap_or_default();
    done(json!({"token": token, "role_arn": task.role_arn()}))
}

/// `DELETE …`: nothing is mounted any more. The token itself stays good.
pub(super) async fn unmount(State(world): State<Arc<World>>, Path(name): Path<String>) -> Reply {
    task(&world, &mut world.state(), &name)?.license_token = None;
    done(json!({}))
}

fn newest(state: &Remembered, account: &str) -> Option<String> {
    let mut own = state.licenses.newest_first().filter(|license| license.account == account);
    own.next().map(|license| license.id.clone())
}

fn task<'a>(world: &World, state: &'a mut Remembered, name: &str) -> Result<&'a mut Task, Refusal> {
    if !is_task_name(name) {
        return Err(Refusal::bad_request(format!(
            "`{name}` is not a task name; see POST /_sandbox/tasks"
        )));
    }
    let task = state.tasks.touch(name, Platform::Anywhere, &world.region);
    if task.platform == Platform::Anywhere {
        return Ok(task);
    }
    Err(Refusal::conflict(format!(
        "no license token for task `{name}`: it runs on AWS; create it with \"platform\":\"anywhere\""
    )))
}
