//! AWS, as far as usage records go: one record a slot, for ever; its open questions are switches.

use crate::scenario::{Answers, HOUR, MINUTE};
use mpguard_handless::model::{
    ids::ClientToken,
    outcome::Sent,
    quantity::Units,
    usage::{Allocation, Record},
};
use std::collections::HashMap;

/// A slot: task, dimension, hour.
pub(crate) type Slot = (usize, mpguard_handless::model::ids::Dimension, i64);

/// What holds a slot.
pub(crate) struct Stored {
    /// `None` when a process that is not ours put it there.
    pub(crate) token: Option<ClientToken>,
    pub(crate) units: Units,
    allocations: Vec<Allocation>,
}

/// The service.
#[derive(Default)]
pub(crate) struct Aws {
    pub(crate) slots: HashMap<Slot, Stored>,
    records: u64,
}

/// What a record came to, and whether it was put into its slot just now.
pub(crate) struct Metered {
    pub(crate) answer: Sent,
    pub(crate) stored: bool,
}

impl Aws {
    /// One `MeterUsage` that has arrived.
    pub(crate) fn meter(
        &mut self,
        task: usize,
        record: &Record,
        now: i64,
        rules: &Answers,
    ) -> Metered {
        let only = |answer| Metered { answer, stored: false };
        let from = if rules.from_timestamp { record.timestamp.0 } else { record.hour.start().0 };
        if now > from + rules.window * HOUR || record.timestamp.0 > now + MINUTE {
            return only(Sent::OutOfBounds("the timestamp is out of bounds".into()));
        }
        self.records += 1;
        let recorded = Sent::Recorded { record_id: self.records.to_string(), request_id: None };
        if record.units.scaled == 0 && !rules.zero_takes_hour {
            return only(recorded);
        }
        let slot = (task, record.dimension.clone(), record.hour.0);
        let Some(there) = self.slots.get(&slot) else {
            let stored = Stored {
                token: Some(record.client_token.clone()),
                units: record.units,
                allocations: record.allocations.clone(),
            };
            self.slots.insert(slot, stored);
            return Metered { answer: recorded, stored: true };
        };
        let same = there.units == record.units
            && (!rules.allocations_count || there.allocations == record.allocations);
        if there.token.as_ref() == Some(&record.client_token) {
            let conflict = || Sent::TokenConflict("this token came with another content".into());
            return only(if same { recorded } else { conflict() });
        }
        if same && rules.same_quantity_is_same {
            return only(recorded);
        }
        only(Sent::Duplicate(there.units.to_string()))
    }

    /// A process that shares no state with ours reports for the same task.
    pub(crate) fn foreign(&mut self, slot: Slot, scaled: u64, digits: u32) {
        self.slots.entry(slot).or_insert(Stored {
            token: None,
            units: Units { scaled, digits },
            allocations: Vec::new(),
        });
    }
}
