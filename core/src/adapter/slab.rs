//! Slabs: one hour of counters each, in a ring.

mod protocol;

/// What the protocol counts with here; `tests/race` gives it loom's.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}

use crate::{
    model::{ids::SeriesId, quantity::Raw, time::Hour, usage::Kind},
    port::counters::{Add, CountError, Counters},
};
use atomic::{AtomicU64, Ordering::Relaxed};
use protocol::{Merge, Refused, Words};
use std::{collections::BTreeMap, sync::Arc};

/// Slabs in the ring: an adder would have to stall for 16 hours to meet its own slab again.
const SLABS: usize = 16;
/// Counters in a slab.
const SERIES: usize = 4096;

/// A ring in this process's own memory.
struct Ring {
    current: AtomicU64,
    slots: Box<[AtomicU64]>,
}

impl Words for Ring {
    #[inline]
    fn current(&self) -> &AtomicU64 {
        &self.current
    }

    #[inline]
    fn slot(&self, sequence: u64, series: usize) -> Option<&AtomicU64> {
        if series >= SERIES {
            return None;
        }
        let slab = (sequence % SLABS as u64) as usize;
        self.slots.get(slab * SERIES + series)
    }

    fn series(&self) -> usize {
        SERIES
    }
}

impl Add for Ring {
    #[inline]
    fn put(&self, series: SeriesId, kind: Kind, value: Raw) -> Result<(), CountError> {
        let merge = match kind {
            Kind::Sum => Merge::Sum,
            Kind::Max => Merge::Max,
            Kind::Last => Merge::Last,
        };
        protocol::put(self, series.0 as usize, merge, value).map_err(|refused| match refused {
            Refused::Overflow => CountError::Overflow,
            Refused::Closed => CountError::Closed,
        })
    }

    fn peek(&self, series: SeriesId) -> Raw {
        protocol::peek(self, series.0 as usize)
    }
}

/// The ring with the label of its running slab.
pub(super) struct Slabs {
    ring: Arc<Ring>,
    label: Hour,
}

impl Slabs {
    /// A ring whose first slab is open.
    pub(super) fn new() -> Slabs {
        let slots = (0..SLABS * SERIES).map(|_| AtomicU64::new(0)).collect();
        let ring = Ring { current: AtomicU64::new(0), slots };
        protocol::open(&ring, 1);
        Slabs { ring: Arc::new(ring), label: Hour(0) }
    }
}

impl Counters for Slabs {
    fn adder(&self) -> Arc<dyn Add> {
        self.ring.clone()
    }

    fn hour(&self) -> Hour {
        self.label
    }

    fn label(&mut self, hour: Hour) {
        self.label = hour;
    }

    fn rotate(&mut self, next: Hour) -> BTreeMap<SeriesId, Raw> {
        let mut values = BTreeMap::new();
        protocol::rotate(&*self.ring, |series, value| {
            values.insert(id(series), value);
        });
        self.label = next;
        values
    }

    fn close(&mut self) -> BTreeMap<SeriesId, Raw> {
        let mut values = BTreeMap::new();
        let current = self.ring.current.load(Relaxed);
        protocol::close(&*self.ring, current, |series, value| {
            values.insert(id(series), value);
        });
        values
    }
}

fn id(series: usize) -> SeriesId {
    SeriesId(u32::try_from(series).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quantity::RAW_MAX;

    const ONE: SeriesId = SeriesId(1);

    #[test]
    fn kinds_combine_the_values_of_an_hour() {
        let check = |kind, values: &[u64], whole| {
            let mut slabs = Slabs::new();
            for value in values {
                slabs.adder().put(ONE, kind, *value).expect("open");
            }
            assert_eq!(slabs.adder().peek(ONE), whole);
            assert_eq!(slabs.rotate(Hour(1)).get(&ONE).copied().unwrap_or(0), whole);
            assert_eq!(slabs.adder().peek(ONE), 0, "a new hour begins at zero");
        };
        check(Kind::Sum, &[3, 0, 4], 7);
        check(Kind::Max, &[3, 9, 4], 9);
        check(Kind::Last, &[3, 9, 4], 4);
        check(Kind::Sum, &[], 0);
    }

    #[test]
    fn an_overflow_is_refused_whole_and_leaves_the_count() {
        let mut slabs = Slabs::new();
        let adder = slabs.adder();
        adder.put(ONE, Kind::Sum, RAW_MAX - 1).expect("fits");
        assert_eq!(adder.put(ONE, Kind::Sum, 2), Err(CountError::Overflow));
        assert_eq!(adder.put(ONE, Kind::Sum, u64::MAX), Err(CountError::Overflow));
        adder.put(ONE, Kind::Sum, 1).expect("fits just");
        assert_eq!(slabs.close().get(&ONE), Some(&RAW_MAX));
    }

    #[test]
    fn nothing_is_taken_after_the_end() {
        let mut slabs = Slabs::new();
        let adder = slabs.adder();
        adder.put(ONE, Kind::Sum, 5).expect("open");
        assert_eq!(slabs.close().get(&ONE), Some(&5));
        assert_eq!(adder.put(ONE, Kind::Sum, 1), Err(CountError::Closed));
        assert_eq!(adder.put(SeriesId(9_999), Kind::Sum, 1), Err(CountError::Closed));
        assert_eq!(slabs.close().get(&ONE), Some(&5), "a second capture reads the same");
    }

    #[test]
    fn adds_of_eight_threads_over_a_thousand_hours_are_all_in_exactly_one_hour() {
        // T08, within one process.
        const EACH: u64 = 50_000;
        let mut slabs = Slabs::new();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let adder = slabs.adder();
                std::thread::spawn(move || {
                    for _ in 0..EACH {
                        adder.put(ONE, Kind::Sum, 1).expect("a slab is always open");
                    }
                })
            })
            .collect();
        let mut sum = 0;
        for hour in 0..1000 {
            sum += slabs.rotate(Hour(hour)).get(&ONE).copied().unwrap_or(0);
        }
        for thread in threads {
            thread.join().expect("it counts");
        }
        sum += slabs.close().get(&ONE).copied().unwrap_or(0);
        assert_eq!(sum, 8 * EACH);
    }
}
