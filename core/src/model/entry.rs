//! Entries of the account: facts that must be durable before the next step is taken.

use super::{
    ids::{Dimension, RecordId, SeriesId},
    quantity::Raw,
    time::Hour,
    usage::{Lots, Record, Series},
};
use std::collections::BTreeMap;

/// One fact that must be durable before the next step is taken. `Books::apply` says what each one means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// New counters.
    Named(Vec<(SeriesId, Series)>),
    /// Final values of a closed slab.
    Captured {
        /// Number of the slab.
        sequence: u64,
        /// Hour that it is labelled with.
        hour: Hour,
        /// AWS's time was not known while it counted, so the label may be wrong.
        provisional: bool,
        /// Raw counts by counter; counters at zero are left out.
        values: BTreeMap<SeriesId, Raw>,
    },
    /// AWS's time is known: what was counted under one label belongs to another.
    Relabelled {
        /// The label so far.
        from: Hour,
        /// The hour by AWS's time.
        to: Hour,
    },
    /// A record's content is fixed; its parts no longer wait.
    Frozen(Record),
    /// The first byte of the record is about to leave.
    Begun(RecordId),
    /// A send of the record gave no fate.
    Attempted {
        /// Which.
        record: RecordId,
        /// It may have been recorded all the same.
        in_doubt: bool,
        /// What happened.
        why: String,
    },
    /// What became of a record.
    Settled {
        /// Which.
        record: RecordId,
        /// Its fate.
        fate: Fate,
    },
    /// Waiting counts of one hour that no record will ever hold.
    SetAside {
        /// Whose.
        dimension: Dimension,
        /// When they were counted.
        hour: Hour,
        /// Where they stand from now on.
        place: Place,
        /// Why.
        why: String,
    },
    /// AWS answered that the buyer is entitled to use this product in this task or pod.
    Entitled {
        /// What it answered: a metering record id, or the name of the answer.
        receipt: String,
    },
    /// Counts that another ledger held: one of a dead identity, or a broken one of our own.
    TakenOver {
        /// Id of that ledger. A ledger is taken over once.
        ledger: String,
        /// Never part of a request.
        waiting: Lots,
        /// Perhaps recorded, under an identity or a token that is not ours.
        disputed: Lots,
        /// Levels of hours that are over.
        missed: Lots,
        /// Why.
        why: String,
    },
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
    /// AWS does not have it; its counts wait for a later hour.
    Carried {
        /// Why.
        why: String,
    },
    /// AWS does not have it, and its levels belong to no other hour.
    Missed {
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

/// Where counts end that no record will hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Levels that came too late.
    Missed,
    /// Refused until somebody repairs the set-up.
    Held,
}
