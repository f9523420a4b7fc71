//! A ledger that lives as long as the process.

use crate::{
    model::entry::Entry,
    port::ledger::{Ledger, LedgerError},
};

/// Keeps the newest entries, for looking at; the machine holds the state itself.
#[derive(Default)]
pub(super) struct MemoryLedger {
    entries: std::collections::VecDeque<Entry>,
}

/// A process that runs for a year must not grow: about a day of entries of the largest product.
const ENTRIES_MAX: usize = 4096;

impl Ledger for MemoryLedger {
    fn commit(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        self.entries.extend(entries.iter().cloned());
        let surplus = self.entries.len().saturating_sub(ENTRIES_MAX);
        self.entries.drain(..surplus);
        Ok(())
    }

    fn storage(&self) -> &'static str {
        "memory"
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
            ledger.commit(&[Entry::Begun(RecordId(id))]).expect("memory takes everything");
        }
        assert_eq!(ledger.entries.len(), ENTRIES_MAX);
        assert_eq!(ledger.entries.back(), Some(&Entry::Begun(RecordId(9_999))));
    }
}
