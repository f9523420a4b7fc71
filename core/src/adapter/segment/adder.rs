//! The hot half: what the product's threads add with.

use super::{
    super::slab::protocol::{self, Merge, Refused, Words},
    Segment,
};
use crate::{
    model::{ids::SeriesId, quantity::Raw, usage::Kind},
    port::counters::{Add, CountError},
};
use std::sync::{
    Arc,
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed},
    },
};

/// Adds to the current slab, until this process's guard ends.
pub(super) struct Adder {
    /// In this process's own memory, so that other processes go on.
    ended: AtomicBool,
    segment: Arc<Segment>,
}

impl Adder {
    pub(super) fn new(segment: Arc<Segment>) -> Adder {
        Adder { ended: AtomicBool::new(false), segment }
    }
}

impl Add for Adder {
    #[inline]
    fn put(&self, series: SeriesId, kind: Kind, value: Raw) -> Result<(), CountError> {
        if self.ended.load(Relaxed) {
            return Err(CountError::Closed);
        }
        let merge = match kind {
            Kind::Sum => Merge::Sum,
            Kind::Max => Merge::Max,
            Kind::Last => Merge::Last,
        };
        protocol::put(&*self.segment, series.0 as usize, merge, value).map_err(|refused| {
            match refused {
                Refused::Overflow => CountError::Overflow,
                Refused::Closed => CountError::Closed,
            }
        })
    }

    fn peek(&self, series: SeriesId) -> Raw {
        protocol::peek(&*self.segment, series.0 as usize)
    }

    fn sequence(&self) -> u64 {
        self.segment.current().load(Acquire)
    }

    fn end(&self) {
        self.ended.store(true, Relaxed);
    }
}
