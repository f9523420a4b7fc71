//! What a machine may hear.

use crate::model::{
    ids::{EntitlementName, Identity, LeaseId, RecordId, SeriesId},
    license::EntitlementSpec,
    outcome::{CheckedIn, CheckedOut, Details, Failure, Permitted, Registered, Sent, Tiers},
    quantity::Raw,
    time::Hour,
    usage::Series,
};
use std::collections::BTreeMap;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The guard begins; the running hour's counters carry this label.
    Start {
        /// Label of the running hour.
        hour: Hour,
    },
    /// Time has passed.
    Tick,
    /// Who we are, or why that is not known yet.
    Identified(Result<Identity, Failure>),
    /// Answer to `RegisterUsage`.
    Registered(Registered),
    /// Answer to the dry run.
    Permitted(Permitted),
    /// Answer to the uncounted check out.
    Tiers(Tiers),
    /// Answer to the read of the license.
    Details(Details),
    /// New counters, told before values of theirs are captured.
    Series(Vec<(SeriesId, Series)>),
    /// Final values of an ended hour.
    Captured {
        /// The hour they were counted in.
        hour: Hour,
        /// The hour that runs now.
        next: Hour,
        /// Raw counts by counter; counters at zero are left out.
        values: BTreeMap<SeriesId, Raw>,
    },
    /// Answer to one send of a record.
    Sent {
        /// Which record.
        record: RecordId,
        /// What became of this send.
        outcome: Sent,
    },
    /// The host wants seats.
    SeatWanted {
        /// Number of the check out.
        lease: LeaseId,
        /// Of which entitlement.
        spec: EntitlementSpec,
        /// How many.
        count: u64,
    },
    /// The host gives seats back, or waits no more.
    SeatReleased(LeaseId),
    /// Answer to a counted check out.
    CheckedOut {
        /// Which.
        lease: LeaseId,
        /// What it came to.
        outcome: CheckedOut,
    },
    /// Answer to an extension.
    Extended {
        /// Which.
        lease: LeaseId,
        /// What it came to.
        outcome: CheckedOut,
    },
    /// Answer to a check in.
    CheckedIn {
        /// Which.
        lease: LeaseId,
        /// What it came to.
        outcome: CheckedIn,
    },
    /// Send the usage of ended hours now.
    Flush,
    /// End: freeze the running hour, send everything, return seats.
    ShutDown,
    /// The time for ending is over.
    Deadline,
}

/// Which entitlements a contract question is about.
pub type Names = Vec<EntitlementName>;
