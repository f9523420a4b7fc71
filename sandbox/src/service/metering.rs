//! `MeterUsage`: one record per dimension, hour and task or pod.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Caller;
use super::allocations::{self, Allocation};
use crate::store::credentials::Source;
use crate::store::quantity::Quantity;
use crate::store::switches::{DryRun, Switches};
use crate::store::tasks::Platform;
use crate::store::usage::{Record, Slot};
use crate::store::{State, World};
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;
use crate::wire::time::floor_to_hour;

/// How far in the future a record may lie. AWS says nothing; this is the tolerance of its signatures.
const FUTURE_MS: i64 = 5 * 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MeterUsage {
    product_code: String,
    timestamp: f64,
    usage_dimension: String,
    usage_quantity: Option<u32>,
    usage_quantity_as_decimal: Option<String>,
    #[serde(default)]
    dry_run: Option<bool>,
    usage_allocations: Option<Vec<Allocation>>,
    client_token: Option<String>,
}

pub(super) fn meter_usage(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let request = MeterUsage::deserialize(input)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))?;
    let quantity = parent_quantity(&request)?;
    let timestamp_ms = (request.timestamp * 1000.0).floor() as i64;
    let now_ms = world.clock.now_ms();
    let mut state = world.state();

    let product = state
        .products
        .get(&request.product_code)
        .ok_or_else(|| unknown_product(&request.product_code))?;
    if caller.endpoint_region != caller.region {
        let message =
            format!("MeterUsage must be called in the Region of the task: {}.", caller.region);
        return Err(AwsError::new("InvalidEndpointRegionException", message));
    }
    check_platform(caller)?;
    let dry_run = request.dry_run.unwrap_or_default();
    check_subscription(&state, caller, &request.product_code, product.subscribed, dry_run)?;
    if !product.dimensions.contains(&request.usage_dimension) {
        let message =
            format!("The usage dimension {} is not one of the product's.", request.usage_dimension);
        return Err(AwsError::new("InvalidUsageDimensionException", message));
    }
    let decimal = request.usage_quantity_as_decimal.is_some();
    let allocations_canonical = allocations::check(
        request.usage_allocations.as_deref().unwrap_or_default(),
        quantity,
        decimal,
    )?;
    check_window(&state.switches, timestamp_ms, now_ms)?;
    if dry_run {
        return dry_run_answer(state.switches.dry_run);
    }

    let record = Record {
        slot: Slot {
            task: caller.task.clone(),
            product_code: request.product_code,
            dimension: request.usage_dimension,
            // The service rounds the timestamp down to the hour. Source: MeterUsage API reference.
            hour_ms: floor_to_hour(timestamp_ms),
        },
        timestamp_ms,
        quantity,
        allocations: input.get("UsageAllocations").cloned().unwrap_or_default(),
        allocations_canonical,
        record_id: Uuid::new_v4().to_string(),
        client_token: request.client_token,
        received_ms: now_ms,
    };
    let record_id = store(&mut state, caller, record)?;
    Ok(json!({"MeteringRecordId": record_id}))
}

fn parent_quantity(request: &MeterUsage) -> Result<Quantity, AwsError> {
    match (request.usage_quantity, &request.usage_quantity_as_decimal) {
        (Some(_), Some(_)) => {
            let message = "UsageQuantity and UsageQuantityAsDecimal are mutually exclusive.";
            Err(AwsError::new("ValidationException", message))
        }
        (None, Some(text)) => Quantity::decimal(text).ok_or_else(|| {
            AwsError::new("ValidationException", format!("{text} is not a usage quantity."))
        }),
        (whole, None) => Ok(Quantity::whole(whole.unwrap_or_default())),
    }
}

/// Only the initial call from a task or pod looks at the subscription. Source: MeterUsage guide,
/// RegisterUsage API reference.
fn check_subscription(
    state: &State,
    caller: &Caller,
    product_code: &str,
    subscribed: bool,
    dry_run: bool,
) -> Result<(), AwsError> {
    let looked_at = !dry_run || state.switches.dry_run_checks_subscription;
    if subscribed || !looked_at || state.usage.is_running(&caller.task, product_code) {
        return Ok(());
    }
    let message = "The customer does not have a valid subscription to the product.";
    Err(AwsError::new("CustomerNotEntitledException", message))
}

/// The window is counted from the beginning of the hour: the strictest reading of "six hours".
fn check_window(switches: &Switches, timestamp_ms: i64, now_ms: i64) -> Result<(), AwsError> {
    let too_old = now_ms - floor_to_hour(timestamp_ms) > switches.meter_window_ms;
    if too_old || timestamp_ms > now_ms + FUTURE_MS {
        let side = if too_old { "past" } else { "future" };
        let message = format!("The timestamp lies too far in the {side}.");
        return Err(AwsError::new("TimestampOutOfBoundsException", message));
    }
    Ok(())
}

fn dry_run_answer(switch: DryRun) -> Outcome {
    match switch {
        DryRun::Ok => Ok(json!({"MeteringRecordId": "DryRunOperation"})),
        DryRun::Error => Err(AwsError::new(
            "DryRunOperation",
            "Request would have succeeded, but DryRun is set.",
        )),
        DryRun::Unauthorized => Err(AwsError::new(
            "UnauthorizedException",
            "You are not authorized to perform this operation.",
        )),
    }
}

/// Stores the record unless its hour or its token is taken, and answers the id of what then stands.
fn store(state: &mut State, caller: &Caller, record: Record) -> Result<String, AwsError> {
    let Record { slot, timestamp_ms, quantity, allocations_canonical, .. } = &record;
    let parameters = format!("{slot:?} {timestamp_ms} {quantity} {allocations_canonical}");
    if let Some(token) = &record.client_token
        && let Some((first, record_id)) = state.usage.token(&caller.account, token)
    {
        if *first == parameters {
            return Ok(record_id.clone());
        }
        let message =
            "The ClientToken is being used for multiple requests with different parameters.";
        return Err(AwsError::new("IdempotencyConflictException", message));
    }
    let record_id = match state.usage.in_slot(&record.slot) {
        Some(first) => {
            let other_allocations = first.allocations_canonical != record.allocations_canonical;
            if first.quantity != record.quantity
                || (other_allocations && state.switches.allocations_in_identity)
            {
                let message = "A metering record has already been emitted by the same task or pod for the given \
                               {usageDimension, timestamp} with a different usageQuantity.";
                return Err(AwsError::new("DuplicateRequestException", message));
            }
            first.record_id.clone()
        }
        None => record.record_id.clone(),
    };
    if let Some(token) = &record.client_token {
        state.usage.keep_token(&caller.account, token, parameters, &record_id);
    }
    if state.usage.in_slot(&record.slot).is_none() {
        state.usage.store(record);
    }
    Ok(record_id)
}

pub(super) fn unknown_product(product_code: &str) -> AwsError {
    let message = format!("The product code {product_code} does not match a published product.");
    AwsError::new("InvalidProductCodeException", message)
}

/// The task role on ECS and IAM roles for service accounts on EKS; the node's role, EKS Pod Identity and
/// long-term keys are not supported. Source: MeterUsage and RegisterUsage API reference.
pub(super) fn check_platform(caller: &Caller) -> Result<(), AwsError> {
    match (caller.platform, caller.source) {
        (Platform::Ecs, Source::TaskRole) | (Platform::Eks, Source::WebIdentity) => Ok(()),
        _ => {
            let message =
                "This operation can only be called from within an ECS task or an EKS pod.";
            Err(AwsError::new("PlatformNotSupportedException", message))
        }
    }
}
