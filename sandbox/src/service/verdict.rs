//! Requests and answers against AWS's models.

use crate::model::{Invalid, Service};
use crate::store::World;
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;

use super::Incoming;

/// Refuses what the service would refuse before it thinks about it.
pub(super) fn check_input(
    incoming: &Incoming<'_>,
    input: &serde_json::Value,
) -> Result<(), AwsError> {
    incoming.service.model().check_input(incoming.operation, input).map_err(|invalid| match invalid
    {
        Invalid::Type(message) => AwsError::new("SerializationException", message),
        Invalid::Constraints(broken) => {
            let errors = if broken.len() == 1 { "error" } else { "errors" };
            let message =
                format!("{} validation {errors} detected: {}", broken.len(), broken.join("; "));
            // The query services spell it differently.
            let code = if incoming.service == Service::Sts {
                "ValidationError"
            } else {
                "ValidationException"
            };
            AwsError::new(code, message)
        }
    })
}

/// In debug builds every answer is held against AWS's model before it leaves: whatever test runs, it
/// tests the sandbox too.
pub(super) fn checked(world: &World, incoming: &Incoming<'_>, outcome: Outcome) -> Outcome {
    let as_modelled = {
        let state = world.state();
        !state.switches.odd_sample_keys && !state.switches.zoneless_dates
    };
    match &outcome {
        Ok(value) if cfg!(debug_assertions) && as_modelled => {
            let defects = incoming.service.model().check_output(incoming.operation, value);
            if defects.is_empty() { outcome } else { Err(bug(incoming, &defects.join("; "))) }
        }
        Err(error) if cfg!(debug_assertions) && !is_known(incoming, &error.code) => {
            Err(bug(incoming, &format!("it has no error `{}`", error.code)))
        }
        _ => outcome,
    }
}

/// Modelled codes, common ones, and three that only AWS's prose knows.
fn is_known(incoming: &Incoming<'_>, code: &str) -> bool {
    let in_prose = incoming.operation == "MeterUsage"
        && matches!(
            code,
            "PlatformNotSupportedException" | "DryRunOperation" | "UnauthorizedException"
        );
    in_prose
        || AwsError::is_common(code)
        || incoming.service.model().models_error(incoming.operation, code)
}

fn bug(incoming: &Incoming<'_>, defect: &str) -> AwsError {
    let operation = incoming.operation;
    let message =
        format!("a bug of the sandbox: its answer to {operation} breaks AWS's model: {defect}");
    AwsError::new("InternalFailure", message)
}
