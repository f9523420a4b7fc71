//! Rate limits, per account and Region.
//!
//! They count in real time: on a frozen virtual clock no second would ever end. And since a test moves a
//! day in a second, they are off unless the switch `rate_limits` is on.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::model::Service;
use crate::store::World;
use crate::wire::error::AwsError;

use super::Caller;

/// Calls of the last second, by operation, account and Region.
#[derive(Default)]
pub(crate) struct RateLimits {
    recent: HashMap<(String, String, String), Vec<Instant>>,
}

/// Calls a second. Source: service quotas of the Metering API reference.
fn limit_of(operation: &str) -> Option<usize> {
    match operation {
        "MeterUsage" => Some(10),
        "RegisterUsage" => Some(5),
        _ => None,
    }
}

impl RateLimits {
    fn admits(&mut self, operation: &str, caller: &Caller, limit: usize) -> bool {
        let key = (operation.to_owned(), caller.account.clone(), caller.endpoint_region.clone());
        let calls = self.recent.entry(key).or_default();
        calls.retain(|call| call.elapsed() < Duration::from_secs(1));
        let admitted = calls.len() < limit;
        if admitted {
            calls.push(Instant::now());
        }
        admitted
    }
}

pub(super) fn limit(
    world: &World,
    service: Service,
    operation: &str,
    caller: Option<&Caller>,
) -> Result<(), AwsError> {
    let (Some(limit), Some(caller)) = (limit_of(operation), caller) else {
        return Ok(());
    };
    let mut state = world.state();
    if state.switches.rate_limits && !state.rate_limits.admits(operation, caller, limit) {
        return Err(AwsError::throttled(service));
    }
    Ok(())
}
