//! The slab protocol: how adders and the one sealer share a ring of slabs.
//!
//! A slot is one word: bit 63 says open, the rest is the raw count. Zero memory is therefore a *closed*
//! slab, so memory that was never opened can swallow nothing. An adder takes the current slab and changes
//! its slot while the slot is open; a closed slot sends it to the slab that is current then, which was
//! opened and published before the old one was closed. So each count is in exactly one slab.
//!
//! The words are reached through [`Words`], and the atomics through the module above: `tests/race` runs
//! this very file under loom, where every order of every thread's steps is tried.

use super::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Bit that says that a slot takes values.
pub(crate) const OPEN: u64 = 1 << 63;
/// Largest value of a slot. The ledger adds hours up in 63 bits: 128 full ones fit, and one more would stop it for good.
pub(crate) const VALUE_MAX: u64 = (1 << 56) - 1;
/// More changes of slab than can happen during one `put` in order: each try needs a rotation of its own.
const TRIES: usize = 16;

/// How the values of one hour become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Values add up.
    Sum,
    /// The largest value.
    Max,
    /// The newest value.
    Last,
}

/// Why a slot did not take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The sum would pass what one hour holds.
    Overflow,
    /// No slab is open.
    Closed,
}

/// The words of a ring, wherever they are: heap, mapped file, or loom's own.
pub(crate) trait Words {
    /// Number of the current slab.
    fn current(&self) -> &AtomicU64;
    /// One slot of the slab of this number; `None` beyond the last series.
    fn slot(&self, sequence: u64, series: usize) -> Option<&AtomicU64>;
    /// Slots in a slab.
    fn series(&self) -> usize;
}

/// Puts `value` into the current slab. Takes no lock, makes no system call, allocates nothing.
#[inline]
pub(crate) fn put(
    words: &impl Words,
    series: usize,
    merge: Merge,
    value: u64,
) -> Result<(), Refused> {
    if value > VALUE_MAX {
        return Err(Refused::Overflow);
    }
    for _ in 0..TRIES {
        let Some(slot) = words.slot(words.current().load(Acquire), series) else {
            return Err(Refused::Closed);
        };
        // Acquire, here and where the exchange fails: whoever sees the slot closed must also see the slab that
        // was published before, or it would look for it in vain. Loom finds the order that breaks without.
        let mut old = slot.load(Acquire);
        while old & OPEN != 0 {
            let held = old & !OPEN;
            let new = match merge {
                Merge::Sum => held + value, // below 2^64: `held` is below 2^63 whatever the file holds
                Merge::Max => held.max(value),
                Merge::Last => value,
            };
            if new > VALUE_MAX {
                return Err(Refused::Overflow);
            }
            match slot.compare_exchange_weak(old, new | OPEN, AcqRel, Acquire) {
                Ok(_) => return Ok(()),
                Err(now) => old = now,
            }
        }
    }
    Err(Refused::Closed)
}

/// What an open slot of the current slab holds. What a closed one holds is captured, and counted elsewhere.
pub(crate) fn peek(words: &impl Words, series: usize) -> u64 {
    let slot = words.slot(words.current().load(Acquire), series);
    let word = slot.map_or(0, |slot| slot.load(Acquire));
    if word & OPEN != 0 { word & !OPEN } else { 0 }
}

/// Makes slab `sequence` take values: a closed slot opens at zero, an open one keeps what it holds.
///
/// Every value of a closed slot is captured by then, or the place would not be used again. An open slot here
/// means that a sealer died between this line and [`publish`], and that an adder who had stalled since the last
/// round of the ring has found the slot since: what it put there was counted, so it stays.
pub(crate) fn prepare(words: &impl Words, sequence: u64) {
    for series in 0..words.series() {
        if let Some(slot) = words.slot(sequence, series)
            && slot.load(Acquire) & OPEN == 0
        {
            slot.store(OPEN, Relaxed); // nobody but the sealer changes a closed slot
        }
    }
}

/// Makes slab `sequence` take values again, and keeps the values that it holds.
pub(crate) fn reopen(words: &impl Words, sequence: u64) {
    for series in 0..words.series() {
        if let Some(slot) = words.slot(sequence, series) {
            slot.fetch_or(OPEN, AcqRel);
        }
    }
}

/// Shows slab `sequence` to the adders. Numbers never decrease, whoever publishes.
pub(crate) fn publish(words: &impl Words, sequence: u64) {
    words.current().fetch_max(sequence, AcqRel);
}

/// Opens the next slab, then closes the current one. An adder that finds the old slab closed finds the new
/// one open: the order of publish and close is the protocol. `prepared` runs before anybody sees the new slab.
pub(crate) fn rotate(words: &impl Words, prepared: impl FnOnce(), take: impl FnMut(usize, u64)) {
    let old = words.current().load(Acquire); // one sealer: nobody else changes it
    prepare(words, old + 1);
    prepared();
    publish(words, old + 1);
    close(words, old, take);
}

/// Closes slab `sequence` and takes its final values; a second call takes the same ones.
pub(crate) fn close(words: &impl Words, sequence: u64, mut take: impl FnMut(usize, u64)) {
    for series in 0..words.series() {
        if let Some(slot) = words.slot(sequence, series) {
            let value = slot.fetch_and(!OPEN, AcqRel) & !OPEN;
            if value > 0 {
                take(series, value);
            }
        }
    }
}
