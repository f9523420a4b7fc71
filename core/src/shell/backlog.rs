//! Entries that the disk has not taken yet.
//!
//! The machine is then ahead of the disk. What waits stays in order before anything newer, and nothing that
//! rests on it may happen: a crash loses the backlog, which is as if those steps had never been taken.
#![allow(
    unreachable_pub,
    reason = "the proofs build this very file below a crate root of their own"
)]

use crate::{
    model::{entry::Entry, time::Timestamp},
    port::{
        counters::Counters,
        ledger::{Ledger, LedgerError},
    },
};

/// What waits to become durable, oldest first.
#[derive(Debug, Default)]
pub struct Backlog(Vec<Entry>);

/// What became of a wish to make something durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is, and everything before it.
    Yes,
    /// Not now. It is kept, and tried again with the next wish.
    No(String),
    /// Another process leads: what waits is that one's business, and is dropped here.
    Deposed,
}

impl Backlog {
    /// Makes `entries` durable after those that wait. Slabs whose capture is durable then are free again.
    pub fn write(
        &mut self,
        entries: Vec<Entry>,
        ledger: &mut dyn Ledger,
        counters: &mut dyn Counters,
        now: Timestamp,
    ) -> Written {
        self.0.extend(entries);
        if self.0.is_empty() {
            return Written::Yes;
        }
        match ledger.commit(&self.0, now) {
            Ok(()) => {
                let captured = self.0.iter().filter_map(|entry| match entry {
                    Entry::Captured { sequence, .. } => Some(*sequence),
                    _ => None,
                });
                if let Some(sequence) = captured.max() {
                    counters.captured(sequence);
                }
                self.0.clear();
                Written::Yes
            }
            Err(LedgerError::Unwritten(why)) => Written::No(why),
            Err(LedgerError::Deposed(_)) => {
                self.0.clear();
                Written::Deposed
            }
        }
    }

    /// True when the disk has everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
