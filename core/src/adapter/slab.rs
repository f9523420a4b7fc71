//! Slabs: one hour of counters each, in a ring. Here is the protocol; `segment` has the memory for it.

pub(super) mod protocol;

/// What the protocol counts with here; `tests/race` gives it loom's.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}
