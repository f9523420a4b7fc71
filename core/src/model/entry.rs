//! Entries of the account: facts that must be durable before the next step is taken.

use super::{
    ids::{ClientToken, ConsumptionToken, LeaseId, RecordId, SeriesId},
    quantity::Raw,
    time::{Hour, Timestamp},
    usage::Record,
};
use std::collections::BTreeMap;

/// One fact that must be durable before the next step is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Final values of an ended hour.
    Captured {
        /// The hour.
        hour: Hour,
        /// Raw counts by counter.
        values: BTreeMap<SeriesId, Raw>,
    },
    /// A record's content is fixed.
    Frozen(Record),
    /// The first byte of the record is about to leave.
    Begun(RecordId),
    /// What became of a record.
    Settled {
        /// Which.
        record: RecordId,
        /// Its fate.
        fate: Fate,
    },
    /// Levels of an hour that can no longer be reported.
    Missed {
        /// The hour.
        hour: Hour,
        /// Raw values by counter.
        values: BTreeMap<SeriesId, Raw>,
    },
    /// A check out is about to be asked for.
    LeaseBegun {
        /// Which.
        lease: LeaseId,
        /// Token of the request.
        client_token: ClientToken,
    },
    /// Seats are held.
    LeaseHeld {
        /// Which.
        lease: LeaseId,
        /// Token of the check out.
        token: ConsumptionToken,
        /// When they return by themselves.
        expires: Timestamp,
    },
    /// Seats are returned or lost.
    LeaseEnded(LeaseId),
}

/// End of a record's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// AWS has it.
    Recorded {
        /// Metering record id.
        record_id: String,
        /// Request id.
        request_id: Option<String>,
    },
    /// AWS does not have it; its counts go to a later hour.
    Carried {
        /// Why.
        why: String,
    },
    /// Nobody can tell any more; its counts are neither resent nor forgotten.
    Disputed {
        /// Why.
        why: String,
    },
    /// AWS refuses it until somebody repairs the set-up.
    Held {
        /// Why.
        why: String,
    },
}
