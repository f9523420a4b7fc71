//! AWS: it takes one record for a slot and never changes it.

use super::scenarios::Says;
use mpguard_handless::model::{
    ids::{Dimension, RecordId},
    outcome::{Failure, FailureClass, Refusal, RefusalReason, Sent},
    time::Hour,
    usage::Record,
};
use std::collections::BTreeMap;

pub(crate) type Slot = (Dimension, Hour);

/// Who was first in a slot.
pub(crate) enum Holder {
    Ours(Record),
    Somebody,
}

#[derive(Default)]
pub(crate) struct Aws {
    pub(crate) slots: BTreeMap<Slot, Holder>,
    /// What was sent first for each slot: nothing else may ever follow.
    sent: BTreeMap<Slot, Record>,
    on_its_way: Vec<Request>,
}

/// A record that left and has no answer. The process that sent it may be gone.
pub(crate) struct Request {
    pub(crate) process: u64,
    pub(crate) record: Record,
}

impl Aws {
    /// A request leaves.
    pub(crate) fn receive(&mut self, process: u64, record: Record) -> Result<(), String> {
        let first = self.sent.entry(slot(&record)).or_insert_with(|| record.clone());
        if *first != record {
            return Err(format!("{first:?} was sent, and now another record: {record:?}"));
        }
        self.on_its_way.push(Request { process, record });
        Ok(())
    }

    pub(crate) fn has_requests(&self) -> bool {
        !self.on_its_way.is_empty()
    }

    pub(crate) fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.on_its_way)
    }

    /// The senders are gone: each request arrived or did not, and nobody hears.
    pub(crate) fn lose_senders(&mut self, seed: u64) {
        for Request { record, .. } in self.take_requests() {
            if (seed + record.id.0).is_multiple_of(2) {
                self.store(&record);
            }
        }
    }

    /// Who has which slot.
    pub(crate) fn fingerprint(&self) -> Vec<(Slot, bool)> {
        let ours = |holder: &Holder| matches!(holder, Holder::Ours(_));
        self.slots.iter().map(|(slot, holder)| (slot.clone(), ours(holder))).collect()
    }

    /// True when `record` has its slot, from now on or since before.
    fn store(&mut self, record: &Record) -> bool {
        let holder = self.slots.entry(slot(record)).or_insert_with(|| Holder::Ours(record.clone()));
        // The same content again is the same record. Source: MeterUsage API reference.
        matches!(holder, Holder::Ours(first)
            if first.units == record.units && first.allocations == record.allocations)
    }

    /// What becomes of one request. Where the slot does not allow what the story says, AWS says what it must.
    pub(crate) fn answer(&mut self, record: &Record, says: Says) -> Sent {
        match says {
            Says::Vanished => failed(FailureClass::Unknown),
            Says::NotSent => failed(FailureClass::NotSent),
            Says::Throttled => failed(FailureClass::Throttled),
            Says::OutOfBounds => Sent::OutOfBounds("too old".into()),
            Says::Lost => {
                self.store(record);
                failed(FailureClass::Unknown)
            }
            Says::Invalid if !self.slots.contains_key(&slot(record)) => Sent::Refused(Refusal {
                reason: RefusalReason::InvalidProduct,
                text: "no such dimension".into(),
            }),
            Says::Duplicate | Says::Recorded | Says::Invalid => {
                if says == Says::Duplicate {
                    self.slots.entry(slot(record)).or_insert(Holder::Somebody);
                }
                if self.store(record) {
                    let record_id = recorded_as(record.id);
                    Sent::Recorded { record_id, request_id: Some("request".into()) }
                } else {
                    Sent::Duplicate("another quantity".into())
                }
            }
        }
    }
}

pub(crate) fn slot(record: &Record) -> Slot {
    (record.dimension.clone(), record.hour)
}

fn recorded_as(id: RecordId) -> String {
    format!("record-{}", id.0)
}

fn failed(class: FailureClass) -> Sent {
    Sent::Failed(Failure { class, text: "no answer".into() })
}
