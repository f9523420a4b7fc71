//! The shared counters of a task: 16 slabs, as `port::counters` describes them.

use crate::scenario::Scenario;
use mpguard_handless::model::{
    ids::SeriesId,
    quantity::Raw,
    time::Hour,
    usage::{Closed, Kind},
};
use std::collections::VecDeque;

/// Slabs in the ring.
const PLACES: u64 = 16;
/// Counters in use.
pub(crate) const SERIES: usize = 6;

struct Slab {
    sequence: u64,
    hour: Hour,
    provisional: bool,
    closed: bool,
    values: [Raw; SERIES],
}

/// The segment.
pub(crate) struct Ring {
    /// The newest is the running one. Older ones are kept until their place is used again.
    slabs: VecDeque<Slab>,
    /// Slabs up to this one are captured, as the segment knows it.
    pub(crate) hint: u64,
}

impl Ring {
    pub(crate) fn new(hour: Hour, provisional: bool) -> Ring {
        let slab = Slab { sequence: 1, hour, provisional, closed: false, values: [0; SERIES] };
        Ring { slabs: VecDeque::from([slab]), hint: 0 }
    }

    fn running(&mut self) -> &mut Slab {
        self.slabs.back_mut().expect("a ring has a running slab")
    }

    pub(crate) fn hour(&self) -> Hour {
        self.slabs.back().expect("a ring has a running slab").hour
    }

    pub(crate) fn provisional(&self) -> bool {
        self.slabs.back().expect("a ring has a running slab").provisional
    }

    pub(crate) fn label(&mut self, hour: Hour) {
        let running = self.running();
        running.hour = hour;
        running.provisional = false;
    }

    /// An add: into the running slab, or into the one before it, while that is still open.
    pub(crate) fn put(&mut self, series: usize, kind: Kind, value: Raw, late: bool) {
        let places = self.slabs.len();
        let before = places.checked_sub(2).filter(|n| late && !self.slabs[*n].closed);
        let slot = &mut self.slabs[before.unwrap_or(places - 1)].values[series];
        *slot = match kind {
            Kind::Sum => *slot + value,
            Kind::Max => (*slot).max(value),
            Kind::Last => value,
        };
    }

    /// First half of a rotation: the next slab is there. False when its place still waits to be captured.
    pub(crate) fn publish(&mut self, hour: Hour, provisional: bool) -> bool {
        let sequence = self.running().sequence + 1;
        if sequence > PLACES && sequence - PLACES > self.hint {
            return false;
        }
        while self.slabs.front().is_some_and(|slab| slab.sequence + PLACES <= sequence) {
            self.slabs.pop_front();
        }
        let slab = Slab { sequence, hour, provisional, closed: false, values: [0; SERIES] };
        self.slabs.push_back(slab);
        true
    }

    /// Second half: the slab before takes nothing more.
    pub(crate) fn close_before(&mut self) -> Option<Closed> {
        let before = self.slabs.len().checked_sub(2)?;
        self.slabs[before].closed = true;
        Some(closed(&self.slabs[before]))
    }

    /// What a new leader finds. It closes what a dead one left half closed.
    pub(crate) fn uncaptured(&mut self) -> Vec<Closed> {
        let last = self.slabs.len() - 1;
        let hint = self.hint;
        let mut found = Vec::new();
        for slab in self.slabs.iter_mut().take(last).filter(|slab| slab.sequence > hint) {
            slab.closed = true;
            found.push(closed(slab));
        }
        found
    }

    /// Everything that slabs after `captured` hold, by counter.
    pub(crate) fn open(&self, captured: u64) -> [Raw; SERIES] {
        let mut sums = [0; SERIES];
        for slab in self.slabs.iter().filter(|slab| slab.sequence > captured) {
            for (sum, value) in sums.iter_mut().zip(slab.values) {
                *sum += value;
            }
        }
        sums
    }

    /// Sums of a dimension in slabs after `captured`.
    pub(crate) fn open_of(&self, scenario: &Scenario, captured: u64, dimension: &str) -> Raw {
        let open = self.open(captured);
        let own = |n: &usize| scenario.dimension(*n).as_str() == dimension;
        (0..SERIES).filter(own).map(|n| open[n]).sum()
    }
}

fn closed(slab: &Slab) -> Closed {
    let values = slab.values.iter().enumerate().filter(|(_, raw)| **raw > 0);
    Closed {
        sequence: slab.sequence,
        hour: slab.hour,
        provisional: slab.provisional,
        values: values.map(|(n, raw)| (SeriesId(n as u32), *raw)).collect(),
    }
}
