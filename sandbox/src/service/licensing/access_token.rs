//! `GetAccessToken`: the first step of containers that run outside AWS. It needs no signature.

use serde::Deserialize;
use serde_json::{Value, json};

use super::read;
use crate::model::Service;
use crate::store::World;
use crate::store::tokens::{Bearer, Rejected};
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;
use crate::wire::time::HOUR_MS;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAccessToken {
    token: String,
}

pub(in crate::service) fn get_access_token(world: &World, input: &Value) -> Outcome {
    let request: GetAccessToken = read(input)?;
    let now_ms = world.clock.now_ms();
    let mut guard = world.state();
    let state = &mut *guard;
    let holder = state.tokens.refresh(&request.token, now_ms).cloned().map_err(|rejected| {
        let message = match rejected {
            Rejected::Unknown => "The token is not valid.",
            Rejected::Expired => "The token is expired.",
        };
        AwsError::new("AuthorizationException", message)
    })?;
    if !state.tokens.admits_access_call(&holder.license_id, now_ms) {
        return Err(AwsError::throttled(Service::LicenseManager));
    }
    let arn =
        state.licenses.get(&holder.license_id).map(|license| license.arn()).unwrap_or_default();
    // Valid for one hour. Source: description of the operation in the service model.
    let expires_ms = now_ms + HOUR_MS;
    let claims = json!({
        "iss": "https://openid-license-manager.amazonaws.com",
        "sub": arn,
        "aud": "sts.amazonaws.com",
        "iat": now_ms / 1000,
        "exp": expires_ms / 1000,
    });
    let token = state.tokens.issue_web_identity(Bearer::License(holder), &claims, expires_ms);
    Ok(json!({"AccessToken": token}))
}
