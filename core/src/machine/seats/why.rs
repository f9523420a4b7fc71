//! Why there is no seat: what AWS's one exception means, by what the license says.

use crate::{
    error::{Code, Error},
    model::{
        license::{Contract, Entitlement, Standing},
        outcome::{Failure, FailureClass},
        time::Timestamp,
    },
};

/// What "no entitlements allowed" means for a wish.
pub(super) enum Why {
    /// Waiting does not help.
    Refuse(Error),
    /// Another seat may come free.
    Wait(Error),
}

/// AWS has one exception for "not bought" and "all taken"; what the license says tells them apart.
/// Source: `CheckoutLicense`, `NoEntitlementsAllowedException`.
pub(super) fn none_allowed(
    want: &Entitlement,
    count: u64,
    text: &str,
    contract: Option<&Contract>,
    now: Timestamp,
) -> Why {
    let name = &want.name;
    let Some(contract) = contract else { return either(name, text) };
    if let Some(error) = ended(name, contract, now) {
        return Why::Refuse(error);
    }
    let bought = contract.entitlements.iter().find(|entitlement| entitlement.name == *name);
    match bought {
        None if was_read(contract) => Why::Refuse(Error::new(
            Code::NotEntitled,
            format!("the contract has no `{name}`; buy it in AWS Marketplace"),
        )),
        // A maximum of zero, or none, says that there is no limit. Source: License Manager user guide.
        Some(Entitlement { max_count: Some(max), .. }) if *max > 0 && count > *max => {
            Why::Refuse(Error::new(
                Code::NotEntitled,
                format!(
                    "cannot check out {count} of `{name}`: the contract has {max}; buy more in AWS Marketplace"
                ),
            ))
        }
        Some(Entitlement { max_count: Some(max), .. }) if *max > 0 => Why::Wait(Error::new(
            Code::NoSeat,
            format!(
                "every seat of `{name}` is taken: the contract has {max}; wait for one, or buy more in AWS Marketplace"
            ),
        )),
        _ => either(name, text),
    }
}

fn either(name: &str, text: &str) -> Why {
    Why::Wait(Error::new(
        Code::NoSeat,
        format!(
            "no seat of `{name}`: either it was not bought or every seat is taken ({text}); check Granted licenses in AWS License Manager"
        ),
    ))
}

fn ended(name: &str, contract: &Contract, now: Timestamp) -> Option<Error> {
    let text = match (contract.standing, contract.expires) {
        (Standing::Suspended, _) => format!(
            "no seat of `{name}`: the license is suspended or not activated; check it under Granted licenses in AWS License Manager"
        ),
        (Standing::Usable, Some(end)) if end <= now => format!(
            "no seat of `{name}`: the license ended at {end}; renew the agreement in AWS Marketplace"
        ),
        (Standing::Usable, _) => return None,
        (Standing::Expired, _) => format!(
            "no seat of `{name}`: the license has expired; renew the agreement in AWS Marketplace"
        ),
    };
    Some(Error::new(Code::LicenseEnded, text))
}

/// True when the license itself was read. What a check out of tiers proves says nothing about other entitlements.
fn was_read(contract: &Contract) -> bool {
    contract.version.is_some() || contract.entitlements.iter().any(|e| e.max_count.is_some())
}

/// A check out gave no answer to decide on.
pub(super) fn failed(name: &str, failure: &Failure) -> Error {
    let text = &failure.text;
    match failure.class {
        FailureClass::AccessDenied => {
            Error::new(Code::AccessDenied, format!("cannot check out `{name}`: {text}"))
        }
        FailureClass::NotSent | FailureClass::Throttled | FailureClass::Unknown => {
            Error::new(Code::Unavailable, format!("cannot check out `{name}`: {text}; try again"))
        }
    }
}

/// A check in gave no answer to decide on.
pub(super) fn not_returned(name: &str, failure: &Failure) -> Error {
    let text = &failure.text;
    Error::new(
        Code::Unavailable,
        format!(
            "cannot check in `{name}`: {text}; the seats return by themselves when their time ends"
        ),
    )
}

/// The host's time was over before AWS's answer.
pub(super) fn no_answer(name: &str) -> Error {
    Error::new(Code::TimedOut, format!("no seat of `{name}` within the time given; try again"))
}

/// The guard ends.
pub(super) fn shut_down(name: &str) -> Error {
    Error::new(
        Code::ShutDown,
        format!("cannot check out `{name}`: the guard is shut down; init a new guard"),
    )
}
