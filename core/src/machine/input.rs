//! What a machine may hear.

use super::command::News;
use crate::model::{
    books::Books,
    holdings::Holdings,
    ids::{DrawId, EntitlementName, Identity, LeaseId, RecordId, SeatId, SeriesId},
    license::{EntitlementSpec, License, Remembered},
    outcome::{
        CheckedIn, CheckedOut, Consumption, Details, Drawn, Failure, Permitted, Registered, Sent,
        Tiers,
    },
    time::Hour,
    usage::{Closed, Lots, Series},
};
use std::sync::Arc;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The guard begins. A forked child knows what its parent knew.
    Start {
        /// Of the parent, in a forked child.
        inherited: Option<Inherited>,
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
    /// `init` waits no longer for an identity: count without one, if there is none.
    Unidentified,
    /// The state of the task is open.
    Opened {
        /// AWS has said before that the buyer is entitled.
        entitled: bool,
        /// `Led` follows.
        leading: bool,
    },
    /// This process leads the task from now on.
    Led {
        /// Everything that is durable.
        books: Box<Books>,
        /// Label of the running hour.
        hour: Hour,
    },
    /// This process leads no more.
    Deposed,
    /// AWS's time is known, or known better.
    TimeKnown {
        /// How far this computer's clock is behind AWS's.
        behind_ms: i64,
        /// How far the time was behind AWS's that labels were given by until now.
        guess_behind_ms: i64,
    },
    /// Something happened to the place where usage is kept.
    Noted(News),
    /// New counters, told before values of theirs are captured.
    Series(Vec<(SeriesId, Series)>),
    /// Final values of a closed slab.
    Captured {
        /// The slab.
        slab: Closed,
        /// The hour that runs now.
        next: Hour,
    },
    /// No slab of the ring is free: the running hour goes on.
    Unrotated,
    /// A dead identity's ledger holds these counts.
    TakenOver {
        /// Id of that ledger.
        ledger: String,
        /// Never part of a request.
        waiting: Lots,
        /// Perhaps recorded.
        disputed: Lots,
        /// Whose it was, for a person.
        why: String,
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
        /// Number of the wish.
        seat: SeatId,
        /// Of which entitlement.
        spec: EntitlementSpec,
        /// How many.
        count: u64,
    },
    /// The host gives seats back, or waits no more.
    SeatReleased(SeatId),
    /// What this process found of a dead one: leases and units that are ours from now on.
    Took {
        /// Id of those holdings; `None` for those that this process's own file had.
        id: Option<String>,
        /// What they are.
        holdings: Box<Holdings>,
    },
    /// The file of absorbed holdings is gone: their id need not be kept.
    Absorbed(String),
    /// The answer to [`Command::KeepHoldings`](super::command::Command::KeepHoldings): durable, or why not.
    Kept(Result<(), String>),
    /// The contract as it was last confirmed, by an earlier process.
    Remembered(Box<Remembered>),
    /// The host wants prepaid units.
    UnitsWanted {
        /// Number of the wish.
        draw: DrawId,
        /// Of which entitlement.
        entitlement: EntitlementName,
        /// How many.
        quantity: u64,
    },
    /// The host waits no more for these units.
    UnitsGivenUp(DrawId),
    /// Units were booked for a host that had stopped waiting: they serve the next wish.
    UnitsGivenBack {
        /// Of which entitlement.
        entitlement: EntitlementName,
        /// How many.
        quantity: u64,
    },
    /// Answer to a draw.
    Drawn {
        /// Of which entitlement.
        entitlement: EntitlementName,
        /// What it came to.
        outcome: Drawn,
    },
    /// Answer to the read of a license's consumption.
    Consumption {
        /// Of which license.
        license_arn: String,
        /// What it came to.
        outcome: Consumption,
    },
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
    /// End: return seats; the last process of the task freezes the running hour and sends everything.
    ShutDown {
        /// No other process of the task is attached.
        last: bool,
    },
    /// The time for ending is over.
    Deadline,
}

/// What a forked child knows of its parent's guard.
#[derive(Clone, Debug)]
pub struct Inherited {
    /// Who the task is; `None` when the parent did not know yet.
    pub identity: Option<Identity>,
    /// The license as it stood at the fork.
    pub license: Arc<License>,
}

/// Which entitlements a contract question is about.
pub type Names = Vec<EntitlementName>;
