//! What the processes of a task hold of the contract. Tokens of seats are not shown: whoever has one can return them.

use super::ReadError;
use crate::{
    adapter::state::holdings::{self, Stored},
    model::{holdings::Holdings, time::Timestamp},
};
use std::path::{Path, PathBuf};

/// What one process holds, or held when it died.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Its file.
    pub file: PathBuf,
    /// Check outs.
    pub seats: Vec<SeatRow>,
    /// Prepaid units, by entitlement.
    pub units: Vec<UnitsRow>,
    /// Draws whose fate is unknown for good.
    pub disputes: Vec<DisputeRow>,
}

/// One check out.
#[derive(Clone, Debug)]
pub struct SeatRow {
    /// API name of the entitlement.
    pub entitlement: String,
    /// Units of it.
    pub count: u64,
    /// `held`, or `asked for` while no answer has come.
    pub state: String,
    /// When AWS takes them back by itself; of one that was asked for, when that was.
    pub at: Timestamp,
}

/// Prepaid units of one entitlement.
#[derive(Clone, Debug)]
pub struct UnitsRow {
    /// API name of the entitlement.
    pub entitlement: String,
    /// Taken off the contract.
    pub drawn: u64,
    /// Given to the product.
    pub booked: u64,
    /// Drawn and not booked yet.
    pub left: u64,
    /// Asked for, and not answered yet.
    pub in_hand: u64,
    /// Perhaps taken off the contract.
    pub disputed: u64,
}

/// One draw whose fate is unknown for good.
#[derive(Clone, Debug)]
pub struct DisputeRow {
    /// API name of the entitlement.
    pub entitlement: String,
    /// Token of the request, for AWS's support.
    pub client_token: String,
    /// Units.
    pub quantity: u64,
    /// When it was first sent.
    pub begun: Timestamp,
    /// Why nobody can tell.
    pub why: String,
}

/// Reads the holdings in one identity directory, each thing once.
#[must_use]
pub fn holdings(dir: &Path) -> Vec<Result<Holder, ReadError>> {
    let found = holdings::look(dir);
    let elsewhere = holdings::absorbed(&found);
    let once = |stored: &Stored| !elsewhere.contains(&stored.id);
    found
        .into_iter()
        .filter(|(_, it)| it.as_ref().map_or(true, once))
        .map(|(file, it)| match it {
            Ok(stored) => Ok(holder(file, &stored.holdings)),
            Err(why) => Err(ReadError(format!(
                "cannot read the holdings `{}`: {why}; {ASIDE}",
                file.display()
            ))),
        })
        .collect()
}

/// What to do with a broken one.
pub(super) const ASIDE: &str = "seats in it return by themselves within an hour; keep a copy for a dispute about prepaid \
                                units; the product sets it aside when it starts next";

fn holder(file: PathBuf, held: &Holdings) -> Holder {
    let seats = held.leases.iter().filter_map(|lease| {
        let (state, at) = match (&lease.given, &lease.asking) {
            (Some(given), _) => ("held", given.expires),
            (None, Some(asking)) => ("asked for", asking.begun),
            (None, None) => return None,
        };
        let (entitlement, state) = (lease.entitlement.clone(), state.to_owned());
        Some(SeatRow { entitlement, count: lease.count, state, at })
    });
    let units = held.units.iter().map(|(name, units)| UnitsRow {
        entitlement: name.to_string(),
        drawn: units.drawn,
        booked: units.booked,
        left: units.left(),
        in_hand: units.asked(),
        disputed: units.disputed(),
    });
    let disputes = held.units.iter().flat_map(|(name, units)| {
        units.disputes.iter().map(|dispute| DisputeRow {
            entitlement: name.to_string(),
            client_token: dispute.client_token.as_str().to_owned(),
            quantity: dispute.quantity,
            begun: dispute.begun,
            why: dispute.why.clone(),
        })
    });
    Holder { file, seats: seats.collect(), units: units.collect(), disputes: disputes.collect() }
}
