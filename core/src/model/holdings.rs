//! What one process holds of a contract: seats at AWS, and prepaid units. It is kept durably, so that after a crash
//! the next process of the task goes on with it instead of taking more.

use super::{
    ids::{ClientToken, ConsumptionToken, EntitlementName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that must outlive the process. A snapshot: the newest one replaces all before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holdings {
    /// Check outs that AWS may hold for us.
    pub leases: Vec<KeptLease>,
    /// Prepaid units, by entitlement.
    pub units: BTreeMap<EntitlementName, KeptUnits>,
    /// Ids of dead processes' holdings that are in these. An id goes when its file is gone.
    pub absorbed: BTreeSet<String>,
}

/// One check out that AWS may hold for us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLease {
    /// API name of the entitlement.
    pub entitlement: String,
    /// AWS's unit word.
    pub unit: String,
    /// Units of it.
    pub count: u64,
    /// A check out under this token is on its way, or was when the process died.
    pub asking: Option<Asking>,
    /// What AWS has given.
    pub given: Option<Given>,
}

/// A check out without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// The same on every try.
    pub client_token: ClientToken,
    /// When it was first sent.
    pub begun: Timestamp,
}

/// A check out that AWS has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// To extend or check in with.
    pub token: ConsumptionToken,
    /// When the units return by themselves.
    pub expires: Timestamp,
    /// When it was last extended: AWS takes one extension an hour.
    pub extended: Option<Timestamp>,
    /// A check in of it may have left, so nobody is given it any more.
    #[serde(default)]
    pub returning: bool,
}

/// Prepaid units of one entitlement. `drawn - booked` are drawn and serve what is booked next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptUnits {
    /// Units that AWS has taken off the contract for us.
    pub drawn: u64,
    /// Units that the host was given.
    pub booked: u64,
    /// Draws without a last answer: at most one of ours, and those of dead processes.
    pub in_hand: Vec<KeptDraw>,
    /// Draws of which nobody can tell any more whether AWS took the units; never drawn again.
    pub disputes: Vec<Dispute>,
}

impl KeptUnits {
    /// Drawn and not booked.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.drawn.saturating_sub(self.booked)
    }

    /// Being drawn.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.in_hand.iter().fold(0, |sum, draw| sum.saturating_add(draw.quantity))
    }

    /// Units whose fate is unknown for good.
    #[must_use]
    pub fn disputed(&self) -> u64 {
        self.disputes.iter().fold(0, |sum, dispute| sum.saturating_add(dispute.quantity))
    }
}

/// One draw: a `PERPETUAL` check out, which cannot be returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDraw {
    /// The same on every try.
    pub client_token: ClientToken,
    /// Units.
    pub quantity: u64,
    /// When the first try left that may have done something. AWS's memory of the token counts from there.
    pub begun: Timestamp,
    /// Some try got no answer. A restart must assume so of every draw in hand.
    pub in_doubt: bool,
    /// What `GetLicenseUsage` said last before the first send, with the license version that it was said of.
    pub before: Option<ConsumedBefore>,
}

/// A reading of a license's consumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumedBefore {
    /// ARN of the license.
    pub license_arn: String,
    /// Its version: a renewal begins at zero.
    pub version: Option<String>,
    /// Units consumed by everybody.
    pub consumed: u64,
}

/// A draw whose fate is unknown for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its token, for AWS's support.
    pub client_token: ClientToken,
    /// Units.
    pub quantity: u64,
    /// When it was first sent.
    pub begun: Timestamp,
    /// Why nobody can tell.
    pub why: String,
}
