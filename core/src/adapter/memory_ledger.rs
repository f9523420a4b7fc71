//! A ledger that lives as long as the process.
#![allow(unreachable_pub, reason = "the proofs build this file as a door of their own crate")]

use crate::{
    model::{entry::Entry, time::Timestamp},
    port::ledger::{Ledger, LedgerError},
};
use std::collections::VecDeque;

/// Keeps the newest entries, for looking at; the machine holds the state itself.
#[derive(Default)]
pub struct MemoryLedger {
    entries: VecDeque<(Timestamp, Entry)>,
}

/// A process that runs for a year must not grow: about a day of entries of the largest product.
const ENTRIES_MAX: usize = 4096;

impl Ledger for MemoryLedger {
    fn holds(&self) -> bool {
        true
    }

    fn commit(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), LedgerError> {
        self.entries.extend(entries.iter().map(|entry| (now, entry.clone())));
        let surplus = self.entries.len().saturating_sub(ENTRIES_MAX);
        self.entries.drain(..surplus);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::RecordId;

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut ledger = MemoryLedger::default();
        for id in 0..10_000 {
            let entry = Entry::Begun(RecordId(id));
            let now = Timestamp(i64::try_from(id).expect("small"));
            ledger.commit(&[entry], now).expect("memory takes everything");
        }
        assert_eq!(ledger.entries.len(), ENTRIES_MAX);
        assert_eq!(ledger.entries.back(), Some(&(Timestamp(9_999), Entry::Begun(RecordId(9_999)))));
    }
}
