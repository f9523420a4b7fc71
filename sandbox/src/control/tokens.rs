//! Tokens, from outside: for pods, and for containers that run outside AWS.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use super::licenses::no_license;
use super::reply::{Refusal, Reply, done, read};
use crate::store::tasks::{Platform, consumption_role_arn, is_task_name};
use crate::store::tokens::{Bearer, Holder};
use crate::store::{State as Remembered, World};

const DAY_MS: i64 = 86_400_000;

/// The audience of a token that is projected for IAM roles for service accounts.
const AUDIENCE: &str = "sts.amazonaws.com";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebIdentity {
    ttl_ms: Option<i64>,
}

/// `POST /_sandbox/tasks/<task>/web_identity_token`: what the kubelet would project into the pod.
pub(super) async fn web_identity_token(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Reply {
    let WebIdentity { ttl_ms } = read(&body)?;
    if !is_task_name(&name) {
        return Err(Refusal::bad_request(format!(
            "`{name}` is not a task name; see POST /_sandbox/tasks"
        )));
    }
    let now_ms = world.clock.now_ms();
    let expires_ms = now_ms + ttl_ms.unwrap_or(DAY_MS);
    let mut guard = world.state();
    let state = &mut *guard;
    let task = state.tasks.touch(&name, Platform::Eks, &world.region);
    if task.platform != Platform::Eks {
        let error = format!(
            "no web identity token for task `{name}`: it is no pod; create it with \"platform\":\"eks\""
        );
        return Err(Refusal::conflict(error));
    }
    let claims = json!({
        "aud": [AUDIENCE],
        "iss": format!("https://oidc.eks.{}.amazonaws.com/id/SANDBOX", task.region),
        "sub": "system:serviceaccount:default:sandbox",
        "iat": now_ms / 1000,
        "nbf": now_ms / 1000,
        "exp": expires_ms / 1000,
        "kubernetes.io": {
            "namespace": "default",
            "pod": {"name": task.name, "uid": task.pod_uid},
            "serviceaccount": {"name": "sandbox", "uid": task.pod_uid},
        },
    });
    let (pod_uid, role_arn) = (task.pod_uid.clone(), task.role_arn());
    let token = state.tokens.issue_web_identity(Bearer::Pod(name), &claims, expires_ms);
    done(
        json!({"token": token, "pod_uid": pod_uid, "role_arn": role_arn, "expires_ms": expires_ms}),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    expiration_days: Option<i64>,
}

/// `POST /_sandbox/licenses/<id>/token`: what the buyer gets from `CreateToken`.
pub(super) fn refresh_token(world: &World, id: &str, body: &Bytes) -> Reply {
    let Refresh { expiration_days } = read(body)?;
    let now_ms = world.clock.now_ms();
    let holder = Holder { license_id: id.to_owned(), task: None };
    let created = create_token(&mut world.state(), holder, expiration_days, now_ms)?;
    let CreatedToken { token, role_arn, expires_ms } = created;
    done(json!({"token": token, "role_arn": role_arn, "expires_ms": expires_ms}))
}

/// What `CreateToken` gives the buyer, and the role to use it with.
pub(super) struct CreatedToken {
    pub(super) token: String,
    pub(super) role_arn: String,
    pub(super) expires_ms: i64,
}

pub(super) fn create_token(
    state: &mut Remembered,
    holder: Holder,
    expiration_days: Option<i64>,
    now_ms: i64,
) -> Result<CreatedToken, Refusal> {
    // 365 days unless said otherwise. Source: CreateToken API reference.
    let expires_ms = now_ms + expiration_days.unwrap_or(365) * DAY_MS;
    let id = &holder.license_id;
    let license = state.licenses.get(id).ok_or_else(|| no_license(id))?;
    let claims = json!({
        "iss": "https://openid-license-manager.amazonaws.com",
        "aud": license.arn(),
        "amr": [format!("aws:license-manager:token-issuer-account-id:{}", license.account)],
        "iat": now_ms / 1000,
        "exp": expires_ms / 1000,
    });
    let role_arn = consumption_role_arn(&license.account);
    let token = state.tokens.issue_refresh(holder, &claims, expires_ms);
    Ok(CreatedToken { token, role_arn, expires_ms })
}
