//! What the host, the buyer and the seller are told of prepaid units.

use super::pool::Refused;
use crate::{
    error::{Code, Error},
    event::EventKind,
    machine::command::News,
    model::{
        holdings::{Dispute, KeptDraw},
        ids::EntitlementName,
        license::{Contract, Standing},
        outcome::Failure,
    },
};

/// What everybody must know who has been given no units.
const NOTHING: &str = "nothing is booked, do not start the work";
const LATER: &str = "units that AWS gives later serve the next call";

pub(super) fn shut_down(name: &EntitlementName) -> Error {
    let text = format!("cannot draw `{name}`: the guard is shut down; {NOTHING}");
    Error::new(Code::ShutDown, text)
}

pub(super) fn unknown(name: &EntitlementName) -> Error {
    let text = format!(
        "cannot draw `{name}`: the configuration has no drawdown entitlement of this name; add it to `entitlements`"
    );
    Error::new(Code::UnknownEntitlement, text)
}

pub(super) fn too_many(name: &EntitlementName, quantity: u64) -> Error {
    let text = format!(
        "cannot draw {quantity} of `{name}`: License Manager cannot count so many; ask for fewer; {NOTHING}"
    );
    Error::new(Code::QuantityOutOfRange, text)
}

pub(super) fn unwritten(name: &EntitlementName, quantity: u64, why: &str) -> Error {
    let text = format!(
        "cannot draw {quantity} of `{name}`: it cannot be written down: {why}; nothing was booked, do not start the work; repair the state directory and try again"
    );
    Error::new(Code::Unavailable, text)
}

pub(super) fn unavailable(name: &EntitlementName, quantity: u64, failure: &Failure) -> Error {
    let text = format!("cannot draw {quantity} of `{name}`: {}; {NOTHING}; {LATER}", failure.text);
    Error::new(Code::Unavailable, text)
}

pub(super) fn unclear(name: &EntitlementName, quantity: u64, draw: &KeptDraw) -> Error {
    let text = format!(
        "cannot draw {quantity} of `{name}`: it is not known yet whether AWS has taken {} units of an earlier draw; {NOTHING}; try again in some minutes",
        draw.quantity
    );
    Error::new(Code::Unavailable, text)
}

pub(super) fn late(name: &EntitlementName, quantity: u64) -> Error {
    let text = format!(
        "cannot draw {quantity} of `{name}`: AWS has not answered within the time given; {NOTHING}; {LATER}"
    );
    Error::new(Code::TimedOut, text)
}

pub(super) fn refused(code: Code, name: &EntitlementName, quantity: u64, why: &str) -> Error {
    Error::new(code, format!("cannot draw {quantity} of `{name}`: {why}; {NOTHING}"))
}

/// Why AWS gave nothing. It has one exception for "not bought" and "not so many left"; what the license says tells
/// them apart. A contract without a version was never read: it lists what was asked for, not what was bought.
pub(super) fn none_allowed(
    name: &EntitlementName,
    contract: Option<&Contract>,
    consumed: Option<u64>,
    text: &str,
) -> (Code, String) {
    let Some(contract) = contract else { return either(text) };
    match contract.standing {
        Standing::Usable => {}
        Standing::Expired => {
            return (
                Code::LicenseEnded,
                "the license has expired; renew it in AWS Marketplace".into(),
            );
        }
        Standing::Suspended => {
            return (
                Code::LicenseEnded,
                "the license is suspended; see Granted licenses in AWS License Manager".into(),
            );
        }
    }
    let bought = contract.entitlements.iter().find(|e| e.name == name.as_str());
    match bought {
        None if contract.version.is_none() => either(text),
        None => {
            (Code::NotEntitled, format!("the contract has no `{name}`; buy it in AWS Marketplace"))
        }
        Some(bought) => {
            let Some(max) = bought.max_count else { return either(text) };
            let left = match bought.consumed.max(consumed) {
                Some(consumed) => format!(", about {} left", max.saturating_sub(consumed)),
                None => String::new(),
            };
            (
                Code::Exhausted,
                format!(
                    "the contract's prepaid units do not suffice ({max} bought{left}); buy more in AWS Marketplace, or ask for fewer"
                ),
            )
        }
    }
}

fn either(text: &str) -> (Code, String) {
    (
        Code::Exhausted,
        format!(
            "either it was not bought or not so many units are left ({text}); see Granted licenses in AWS License Manager, or buy more in AWS Marketplace"
        ),
    )
}

pub(super) fn exhausted(
    name: &EntitlementName,
    quantity: u64,
    left: u64,
    refused: &Refused,
) -> News {
    let text = format!("prepaid units of `{name}` are used up: {}", refused.why());
    News::new(EventKind::DrawdownExhausted, text)
        .with("entitlement", name.as_str())
        .with("quantity", quantity)
        .with("left", left)
}

pub(super) fn low(name: &EntitlementName, left: u64, max: u64) -> News {
    let text = format!(
        "few prepaid units of `{name}` are left: {left} of {max}; buy more in AWS Marketplace in time"
    );
    News::new(EventKind::DrawdownLow, text)
        .with("entitlement", name.as_str())
        .with("left", left)
        .with("max_count", max)
}

pub(super) fn disputed(name: &EntitlementName, dispute: &Dispute) -> News {
    let Dispute { client_token, quantity, begun, why } = dispute;
    // It is never sent again, and AWS finds the call by it. Elsewhere no text shows one.
    let client_token = client_token.as_str();
    let text = format!(
        "nobody can tell whether AWS has taken {quantity} units of `{name}` at {begun}: {why}; they are not drawn again; ask AWS about client token {client_token}"
    );
    News::new(EventKind::DrawdownDisputed, text)
        .with("entitlement", name.as_str())
        .with("quantity", *quantity)
        .with("client_token", client_token)
}
