//! The durable account: what was counted, what was sent, what became of it.

use crate::model::entry::Entry;

/// A ledger that could not make an entry durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerError(pub String);

/// Where entries are kept.
pub trait Ledger {
    /// Makes all entries durable, or none.
    ///
    /// # Errors
    /// Nothing was written, and what depends on it must not happen.
    fn commit(&mut self, entries: &[Entry]) -> Result<(), LedgerError>;

    /// Where the entries live: `durable`, `container` or `memory`.
    fn storage(&self) -> &'static str;
}
