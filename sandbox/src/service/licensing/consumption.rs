//! `ExtendLicenseConsumption` and `CheckInLicense`: what becomes of a check-out.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::checkout::{expiry, is_at_home};
use super::{date, invalid_parameter, read};
use crate::model::Service;
use crate::service::Caller;
use crate::store::{State, World};
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;
use crate::wire::time::HOUR_MS;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Extend {
    license_consumption_token: String,
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckIn {
    license_consumption_token: String,
}

pub(super) fn extend(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let request: Extend = read(input)?;
    let token = request.license_consumption_token;
    let now_ms = world.clock.now_ms();
    let mut guard = world.state();
    let state = &mut *guard;
    refuse_perpetual(state, &token, "extended")?;
    refuse_abroad(state, caller, &token, now_ms)?;
    let changes_token = state.switches.extend_changes_token;
    let checkout = state
        .checkouts
        .get_mut(&token, now_ms)
        .filter(|checkout| checkout.account == caller.account)
        .ok_or_else(|| not_found(&token))?;
    let license = state
        .licenses
        .get(&checkout.license_id)
        .filter(|license| license.entitles(now_ms))
        .ok_or_else(|| not_found(&token))?;
    if request.dry_run.unwrap_or_default() {
        let expiration = date(&state.switches, checkout.expires_ms);
        return Ok(json!({"LicenseConsumptionToken": token, "Expiration": expiration}));
    }
    // One call per token and hour. Source: License Manager quotas.
    if checkout.extended_ms.is_some_and(|extended_ms| now_ms - extended_ms < HOUR_MS) {
        return Err(AwsError::throttled(Service::LicenseManager));
    }
    checkout.extended_ms = Some(now_ms);
    checkout.expires_ms = expiry(license, now_ms);
    let expiration = date(&state.switches, checkout.expires_ms);
    let mut answered = token.clone();
    if changes_token && let Some(mut checkout) = state.checkouts.remove(&token, now_ms) {
        answered = Uuid::new_v4().simple().to_string();
        checkout.token.clone_from(&answered);
        state.checkouts.take(checkout);
    }
    Ok(json!({"LicenseConsumptionToken": answered, "Expiration": expiration}))
}

pub(super) fn check_in(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let token = read::<CheckIn>(input)?.license_consumption_token;
    let now_ms = world.clock.now_ms();
    let mut guard = world.state();
    let state = &mut *guard;
    refuse_perpetual(state, &token, "checked in")?;
    refuse_abroad(state, caller, &token, now_ms)?;
    let checkout = state
        .checkouts
        .get_mut(&token, now_ms)
        .filter(|checkout| checkout.account == caller.account)
        .ok_or_else(|| not_found(&token))?;
    let kept = |name: &str| {
        let license = state.licenses.get(&checkout.license_id);
        let entitlements = license.into_iter().flat_map(|license| &license.terms().entitlements);
        entitlements
            .clone()
            .any(|entitlement| entitlement.name == name && !entitlement.allow_check_in)
    };
    if let Some(taken) = checkout.taken.iter().find(|taken| kept(&taken.name)) {
        return Err(invalid_parameter(format!(
            "Entitlement {} can not be checked in early.",
            taken.name
        )));
    }
    state.checkouts.remove(&token, now_ms);
    Ok(json!({}))
}

/// A PERPETUAL check-out is permanent. Source: License Manager integration of the seller guide.
fn refuse_perpetual(state: &State, token: &str, done: &str) -> Result<(), AwsError> {
    if state.checkouts.is_perpetual(token) {
        return Err(invalid_parameter(format!("A PERPETUAL check-out can not be {done}.")));
    }
    Ok(())
}

/// Another Region does not know the token, if the switch says so.
fn refuse_abroad(
    state: &mut State,
    caller: &Caller,
    token: &str,
    now_ms: i64,
) -> Result<(), AwsError> {
    let license_id = state.checkouts.get_mut(token, now_ms).map(|c| c.license_id.clone());
    let license = license_id.and_then(|id| state.licenses.get(&id));
    match license {
        Some(license) if !is_at_home(state, caller, license) => Err(not_found(token)),
        _ => Ok(()),
    }
}

fn not_found(token: &str) -> AwsError {
    AwsError::new(
        "ResourceNotFoundException",
        format!("License consumption token {token} is not found."),
    )
}
