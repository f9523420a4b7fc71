//! `CheckoutLicense`: tiers, seats and draws.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{date, invalid_parameter, read};
use crate::service::Caller;
use crate::store::checkouts::{Checkout, Seen, Taken};
use crate::store::licenses::{Entitlement, License};
use crate::store::{State, World};
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;

/// Counted entitlements in one check-out. Source: License Manager quotas.
const COUNTED_MAX: usize = 5;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum CheckoutType {
    Provisional,
    Perpetual,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    name: String,
    unit: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckoutLicense {
    #[serde(rename = "ProductSKU")]
    product_sku: String,
    checkout_type: CheckoutType,
    key_fingerprint: String,
    entitlements: Vec<Wanted>,
    client_token: String,
    node_id: Option<String>,
}

impl Wanted {
    /// How many units; an uncounted entitlement takes none whatever its value says.
    fn count(&self) -> Result<i64, AwsError> {
        if self.unit == "None" {
            return Ok(0);
        }
        let value = self.value.as_deref().ok_or_else(|| {
            invalid_parameter(format!(
                "Entitlement {} with unit {} needs a value.",
                self.name, self.unit
            ))
        })?;
        value.parse::<i64>().ok().filter(|count| *count >= 0).ok_or_else(|| {
            invalid_parameter(format!(
                "The value {value} of entitlement {} is not a count.",
                self.name
            ))
        })
    }
}

pub(super) fn checkout_license(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let request: CheckoutLicense = read(input)?;
    check(&request)?;
    let now_ms = world.clock.now_ms();
    let mut state = world.state();

    redirect(&state, caller, &request)?;
    let key = (caller.account.clone(), request.client_token.clone());
    let parameters = format!("{request:?}");
    let window_ms = state.switches.checkout_token_window_ms;
    match state.checkouts.seen(&key, &parameters, now_ms, window_ms) {
        Seen::Same(answer) => return Ok(answer),
        Seen::Other => {
            let message = "The ClientToken was used for a request with different parameters.";
            return Err(invalid_parameter(message));
        }
        Seen::Never => {}
    }
    let (license, allowed) = find(&state, caller, &request, now_ms)?;
    let answer = take(&mut state, caller, &request, &license, &allowed, now_ms);
    state.checkouts.remember(key, parameters, now_ms, answer.clone());
    Ok(answer)
}

/// Sends a caller in another Region to the license's own, if the switch says that AWS does.
fn redirect(state: &State, caller: &Caller, request: &CheckoutLicense) -> Result<(), AwsError> {
    let mut fitting = state.licenses.newest_first().filter(|license| {
        license.account == caller.account
            && license.product_sku == request.product_sku
            && license.fingerprint == request.key_fingerprint
    });
    match fitting.next() {
        Some(license) if !is_at_home(state, caller, license) => {
            let home = &license.home_region;
            let message = format!("The license is in Region {home}.");
            let mut error = AwsError::new("RedirectException", message);
            error.location = Some(format!("https://license-manager.{home}.amazonaws.com"));
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Whether the caller may use the license in the Region that it has called.
pub(super) fn is_at_home(state: &State, caller: &Caller, license: &License) -> bool {
    !state.switches.checkout_only_at_home || caller.endpoint_region == license.home_region
}

fn check(request: &CheckoutLicense) -> Result<(), AwsError> {
    let mut names: Vec<&str> =
        request.entitlements.iter().map(|wanted| wanted.name.as_str()).collect();
    if names.is_empty() {
        return Err(invalid_parameter("A check-out needs at least one entitlement."));
    }
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(invalid_parameter(format!("Entitlement {} is asked for twice.", pair[0])));
    }
    let counted = request.entitlements.iter().filter(|wanted| wanted.unit != "None");
    if counted.clone().count() > COUNTED_MAX {
        let message =
            format!("At most {COUNTED_MAX} counted entitlements can be checked out at once.");
        return Err(invalid_parameter(message));
    }
    let perpetual = request.checkout_type == CheckoutType::Perpetual;
    if perpetual && counted.count() < request.entitlements.len() {
        return Err(invalid_parameter("Only counted entitlements can be checked out for good."));
    }
    request.entitlements.iter().try_for_each(|wanted| wanted.count().map(drop))
}

/// The license to use, with what it allows. "Not bought", "wrong unit" and "all taken" come as one error:
/// the caller cannot tell them apart. Source: the error's description in the service model.
fn find(
    state: &State,
    caller: &Caller,
    request: &CheckoutLicense,
    now_ms: i64,
) -> Result<(License, Vec<(Entitlement, i64)>), AwsError> {
    state
        .licenses
        .newest_first()
        .filter(|license| license.account == caller.account && license.entitles(now_ms))
        .filter(|license| license.product_sku == request.product_sku)
        .filter(|license| license.fingerprint == request.key_fingerprint)
        .find_map(|license| Some((license.clone(), allowed(state, license, request, now_ms)?)))
        .ok_or_else(|| {
            let message = "There are no entitlements found for this license, or the entitlement maximum count is \
                           reached.";
            AwsError::new("NoEntitlementsAllowedException", message)
        })
}

/// Of the tiers, those that were bought; of the counted entitlements, all or nothing.
fn allowed(
    state: &State,
    license: &License,
    request: &CheckoutLicense,
    now_ms: i64,
) -> Option<Vec<(Entitlement, i64)>> {
    let mut allowed = Vec::new();
    for wanted in &request.entitlements {
        let bought = license
            .terms()
            .entitlements
            .iter()
            .find(|bought| bought.name == wanted.name && bought.unit == wanted.unit);
        match bought {
            Some(bought) if bought.is_counted() => {
                let count = wanted.count().ok()?;
                if !has_room(state, license, bought, count, now_ms) {
                    return None;
                }
                allowed.push((bought.clone(), count));
            }
            Some(bought) => allowed.push((bought.clone(), 0)),
            None if wanted.unit == "None" => {}
            None => return None,
        }
    }
    Some(allowed).filter(|allowed| !allowed.is_empty())
}

fn has_room(
    state: &State,
    license: &License,
    bought: &Entitlement,
    count: i64,
    now_ms: i64,
) -> bool {
    let taken = state.checkouts.in_use(&license.id, &bought.name, now_ms)
        + state.licenses.drawn(&license.id, &bought.name);
    bought.overage
        || bought.max_count.is_none_or(|max_count| taken.saturating_add(count) <= max_count)
}

fn take(
    state: &mut State,
    caller: &Caller,
    request: &CheckoutLicense,
    license: &License,
    allowed: &[(Entitlement, i64)],
    now_ms: i64,
) -> Value {
    let token = Uuid::new_v4().simple().to_string();
    let mut answer = json!({
        "CheckoutType": if request.checkout_type == CheckoutType::Perpetual { "PERPETUAL" } else { "PROVISIONAL" },
        "LicenseConsumptionToken": token,
        "EntitlementsAllowed": allowed.iter().map(|each| data(state, each)).collect::<Vec<_>>(),
        "IssuedAt": date(&state.switches, now_ms),
        "LicenseArn": license.arn(),
    });
    if let Some(node_id) = &request.node_id {
        answer["NodeId"] = node_id.clone().into();
    }
    match request.checkout_type {
        CheckoutType::Perpetual => {
            for (entitlement, count) in allowed {
                state.licenses.draw(&license.id, &entitlement.name, *count);
            }
            state.checkouts.note_perpetual(&token, &license.id);
        }
        CheckoutType::Provisional => {
            let expires_ms = expiry(license, now_ms);
            answer["Expiration"] = date(&state.switches, expires_ms);
            let taken = |(entitlement, count): &(Entitlement, i64)| Taken {
                name: entitlement.name.clone(),
                unit: entitlement.unit.clone(),
                count: *count,
            };
            state.checkouts.take(Checkout {
                token,
                account: caller.account.clone(),
                task: caller.task.clone(),
                license_id: license.id.clone(),
                taken: allowed.iter().map(taken).collect(),
                issued_ms: now_ms,
                expires_ms,
                extended_ms: None,
            });
        }
    }
    answer
}

/// Units return by themselves after the license's time to live, 60 minutes on Marketplace; never later
/// than the license ends.
pub(super) fn expiry(license: &License, now_ms: i64) -> i64 {
    let expires_ms = now_ms + license.ttl_minutes * 60_000;
    license.terms().end_ms.map_or(expires_ms, |end_ms| expires_ms.min(end_ms))
}

fn data(state: &State, (entitlement, count): &(Entitlement, i64)) -> Value {
    let mut data = json!({"Name": entitlement.name, "Unit": entitlement.unit});
    if entitlement.is_counted() {
        data["Value"] = count.to_string().into();
    } else if let Some(value) = &entitlement.value {
        data["Value"] = value.clone().into();
    }
    if state.switches.odd_sample_keys {
        data["Units"] = entitlement.unit.clone().into();
        data["Count"] = (*count).into();
    }
    data
}
