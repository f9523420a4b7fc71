//! What long operations tell at their end.

use crate::model::usage::Account;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// What `shutdown` came to. Raw counts, summed over dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ShutdownReport {
    /// Recorded by AWS during the shutdown.
    pub recorded: u64,
    /// Not recorded yet.
    pub pending: u64,
    /// Fate unknown.
    pub disputed: u64,
    /// Seats checked in.
    pub seats_returned: u64,
    /// True when some pending usage lives in a place that ends with this process.
    pub may_be_lost: bool,
    /// Where every raw count is now.
    pub accounts: Vec<Account>,
}

/// What `flush` came to. Raw counts, summed over dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlushReport {
    /// Recorded by AWS during the flush.
    pub recorded: u64,
    /// Of ended hours, not recorded yet.
    pub pending: u64,
}

/// Counts since `init`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Calls to AWS.
    pub calls: u64,
    /// Calls that gave no answer to decide on.
    pub calls_failed: u64,
    /// Events announced.
    pub events: u64,
    /// Events replaced by a newer one of their topic before a listener took them.
    pub events_replaced: u64,
    /// Listeners that panicked or threw.
    pub listener_failures: u64,
    /// Where usage is kept: `durable`, `container` or `memory`.
    pub storage: &'static str,
    /// True when they come from a sandbox and say nothing of AWS.
    pub sandbox: bool,
}

/// Whether seats are still ours; written by the driver, read by the holder.
#[derive(Debug)]
pub struct SeatState {
    held: AtomicBool,
    expires_ms: AtomicI64,
}

impl SeatState {
    pub(crate) fn new(expires_ms: i64) -> SeatState {
        SeatState { held: AtomicBool::new(true), expires_ms: AtomicI64::new(expires_ms) }
    }

    pub(crate) fn extended(&self, expires_ms: i64) {
        self.expires_ms.store(expires_ms, Ordering::Release);
    }

    pub(crate) fn end(&self) {
        self.held.store(false, Ordering::Release);
    }

    /// True while AWS holds the seats for us.
    #[must_use]
    pub fn held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// When they return by themselves, in epoch milliseconds.
    #[must_use]
    pub fn expires_ms(&self) -> i64 {
        self.expires_ms.load(Ordering::Acquire)
    }
}
