//! What License Manager's answers mean.

use super::{Asked, DENIED, Reading, Said, common, denied};
use crate::model::outcome::{
    CheckedIn, CheckedOut, Consumption, Details, Drawn, Failure, FailureClass, Tiers,
};

/// Failures that every operation of License Manager shares.
fn licensing(asked: &Asked, said: &Said) -> Failure {
    let (class, why) = match said.code.as_str() {
        code if DENIED.contains(&code) => (FailureClass::AccessDenied, denied(asked)),
        // "Try again", and nothing was done. [AC §4.4]
        "ConflictException" => (FailureClass::Throttled, "AWS asked to try again".to_owned()),
        "ResourceLimitExceededException" => {
            (FailureClass::Throttled, "a quota of the account is reached".to_owned())
        }
        "RedirectException" => (
            FailureClass::NotSent,
            format!(
                "Region {} is not the license's home, and AWS named no other Region to ask",
                asked.region
            ),
        ),
        code => (FailureClass::Unknown, format!("AWS answered `{code}`")),
    };
    asked.failure(class, &format!("{why}{}", said.said))
}

/// Where License Manager says that the license is, when it says that.
///
/// Only `CheckoutLicense` has this in its model; whoever says it is understood.
pub(in crate::adapter::aws) fn redirect(reading: &Reading) -> Option<&str> {
    match reading {
        Reading::Answered(answer) if reading.code() == Some("RedirectException") => {
            Some(answer.location.as_deref().unwrap_or_default())
        }
        _ => None,
    }
}

fn none_allowed(asked: &Asked, said: &Said, why: &str) -> Option<String> {
    // `ResourceNotFoundException`: no license of this SKU was received at all.
    [
        "NoEntitlementsAllowedException",
        "EntitlementNotAllowedException",
        "ResourceNotFoundException",
    ]
    .contains(&said.code.as_str())
    .then(|| format!("{} for {}: {why}{}", asked.operation, asked.about, said.said))
}

/// What an uncounted `CheckoutLicense` came to.
pub(in crate::adapter::aws) fn tiers(asked: &Asked, reading: &Reading) -> Tiers {
    match common(asked, reading) {
        Ok(failure) => Tiers::Failed(failure),
        Err(said) => match none_allowed(
            asked,
            &said,
            "this AWS account has no active license with any of them; accept and activate it in License Manager, or buy it \
             in AWS Marketplace",
        ) {
            Some(text) => Tiers::None(text),
            None => Tiers::Failed(licensing(asked, &said)),
        },
    }
}

/// What a counted `CheckoutLicense` came to.
pub(in crate::adapter::aws) fn checked_out(asked: &Asked, reading: &Reading) -> CheckedOut {
    match common(asked, reading) {
        Ok(failure) => CheckedOut::Failed(failure),
        Err(said) => {
            match none_allowed(asked, &said, "either all seats are taken, or none were bought") {
                Some(text) => CheckedOut::NoneAllowed(text),
                None => CheckedOut::Failed(licensing(asked, &said)),
            }
        }
    }
}

/// Codes of a request that License Manager did not take: explicit answers, and nothing was done.
const NOT_TAKEN: &[&str] = &[
    "ValidationException",
    "ValidationError",
    "InvalidParameterValueException",
    "UnsupportedDigitalSignatureMethodException",
];

/// What a `PERPETUAL` `CheckoutLicense` came to.
///
/// A draw whose fate is unknown may end as disputed. So what AWS has refused by name is never unknown.
pub(in crate::adapter::aws) fn drawn(asked: &Asked, reading: &Reading) -> Drawn {
    let said = match common(asked, reading) {
        Ok(failure) => return Drawn::Failed(failure),
        Err(said) => said,
    };
    let why = "either none were bought, or not so many are left; buy more in AWS Marketplace";
    if let Some(text) = none_allowed(asked, &said, why) {
        return Drawn::NoneAllowed(text);
    }
    if NOT_TAKEN.contains(&said.code.as_str()) {
        let why =
            format!("AWS does not take the request, and drew nothing; ask the seller{}", said.said);
        return Drawn::Failed(asked.failure(FailureClass::Throttled, &why));
    }
    Drawn::Failed(licensing(asked, &said))
}

/// What a read of the consumption came to.
pub(in crate::adapter::aws) fn consumption(asked: &Asked, reading: &Reading) -> Consumption {
    Consumption::Failed(match common(asked, reading) {
        Ok(failure) => failure,
        Err(said) => licensing(asked, &said),
    })
}

/// What `ExtendLicenseConsumption` came to.
pub(in crate::adapter::aws) fn extended(asked: &Asked, reading: &Reading) -> CheckedOut {
    match common(asked, reading) {
        Ok(failure) => CheckedOut::Failed(failure),
        Err(said) if said.code == "ResourceNotFoundException" => CheckedOut::Gone(format!(
            "ExtendLicenseConsumption for {}: AWS no longer knows it; it has expired or was checked in{}",
            asked.about, said.said
        )),
        Err(said) => CheckedOut::Failed(licensing(asked, &said)),
    }
}

/// What `CheckInLicense` came to. A token that AWS does not know is a seat that is not taken.
pub(in crate::adapter::aws) fn checked_in(asked: &Asked, reading: &Reading) -> CheckedIn {
    match common(asked, reading) {
        Ok(failure) => CheckedIn::Failed(failure),
        Err(said) if said.code == "ResourceNotFoundException" => CheckedIn::Done,
        Err(said) => CheckedIn::Failed(licensing(asked, &said)),
    }
}

/// What a read of the license came to.
pub(in crate::adapter::aws) fn details(asked: &Asked, reading: &Reading) -> Details {
    match common(asked, reading) {
        Ok(failure) => Details::Failed(failure),
        Err(said) if said.code == "ResourceNotFoundException" => Details::Nothing(format!(
            "{} for {}: AWS has none{}",
            asked.operation, asked.about, said.said
        )),
        Err(said) => Details::Failed(licensing(asked, &said)),
    }
}
