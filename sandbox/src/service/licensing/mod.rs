//! AWS License Manager: contracts.

mod access_token;
mod checkout;
mod consumption;
mod reading;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Caller;
use crate::store::World;
use crate::store::switches::Switches;
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;
use crate::wire::time::{iso, iso_without_zone};

pub(super) use access_token::get_access_token;

/// Serves the operations that need a caller.
pub(super) fn serve(world: &World, operation: &str, caller: &Caller, input: &Value) -> Outcome {
    match operation {
        "CheckoutLicense" => checkout::checkout_license(world, caller, input),
        "ExtendLicenseConsumption" => consumption::extend(world, caller, input),
        "CheckInLicense" => consumption::check_in(world, caller, input),
        "GetLicense" => reading::get_license(world, caller, input),
        "GetLicenseUsage" => reading::get_license_usage(world, caller, input),
        "ListReceivedLicenses" => reading::list_received_licenses(world, caller, input),
        other => Err(AwsError::new(
            "UnknownOperationException",
            format!("The sandbox does not serve {other}."),
        )),
    }
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, AwsError> {
    T::deserialize(input)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))
}

/// A date as License Manager writes it: the model asks for a zone, AWS's sample answers have none.
fn date(switches: &Switches, epoch_ms: i64) -> Value {
    if switches.zoneless_dates { iso_without_zone(epoch_ms) } else { iso(epoch_ms) }.into()
}

fn invalid_parameter(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterValueException", message)
}
