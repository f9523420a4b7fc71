//! The durable account: what was counted, what was sent, what became of it.

use crate::model::{entry::Entry, time::Timestamp};

/// Why entries were not made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// The disk does not take them now. What depends on them must not happen; try again.
    Unwritten(String),
    /// Another process leads, or the lock is gone: this process must stop to lead at once.
    Deposed(String),
}

/// Where entries are kept. Opened by the leader alone.
pub trait Ledger {
    /// True while this process leads. To be asked before anything that only a leader may do.
    fn holds(&self) -> bool;

    /// Makes all entries durable in one transaction, or none. `now` is noted beside each.
    ///
    /// # Errors
    /// Nothing was written.
    fn commit(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), LedgerError>;
}
