//! The cold half: what the leader rotates, captures and closes.

use super::{
    super::slab::protocol::{self, Words},
    Segment, keep,
};
use crate::{
    model::{time::Hour, usage::Closed},
    port::counters::Counters,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::Ordering::{AcqRel, Acquire},
    },
};

/// The ring, as its leader holds it.
pub struct Ring {
    segment: Arc<Segment>,
    private: bool,
    /// The last slab was closed for good.
    ended: bool,
}

impl Ring {
    pub(super) fn new(segment: Arc<Segment>, private: bool) -> Ring {
        Ring { segment, private, ended: false }
    }

    fn running(&self) -> u64 {
        self.segment.current().load(Acquire)
    }

    /// True when no count in the place of slab `next` waits to be captured. A leader that died in the middle of
    /// this very rotation has given the place to `next` already.
    fn has_place(&self, next: u64) -> bool {
        let there = self.segment.sequence_at(next);
        there == next || there <= self.segment.captured()
    }
}

impl Counters for Ring {
    fn hour(&self) -> Hour {
        self.segment.label_at(self.running()).hour
    }

    fn label(&mut self, hour: Hour, provisional: bool) {
        self.segment.label(self.running(), hour, provisional);
    }

    fn rotate(&mut self, next: Hour, provisional: bool) -> Option<Closed> {
        let (segment, old) = (&*self.segment, self.running());
        if self.ended || !self.has_place(old + 1) {
            return None;
        }
        segment.name(old + 1, next, provisional);
        // Header and open slots are on the disk before the number that points at them can be: so after a power
        // cut the current slab is always a whole one. A disk that refuses now takes nothing from the memory.
        let prepared = || drop(segment.sync());
        let mut values = BTreeMap::new();
        protocol::rotate(segment, prepared, |series, value| keep(&mut values, series, value));
        Some(segment.with_label(old, values))
    }

    fn uncaptured(&mut self) -> Vec<Closed> {
        let segment = &self.segment;
        let oldest = segment.oldest_kept().max(segment.captured().saturating_add(1));
        let end = self.running() + u64::from(self.ended);
        (oldest..end)
            .filter(|sequence| segment.sequence_at(*sequence) == *sequence)
            .map(|sequence| segment.closed(sequence))
            .collect()
    }

    fn captured(&mut self, sequence: u64) {
        self.segment.captured_word().fetch_max(sequence, AcqRel);
    }

    fn close(&mut self) -> Option<Closed> {
        let running = self.running();
        if self.private {
            self.ended = true;
            return (running > self.segment.captured()).then(|| self.segment.closed(running));
        }
        let label = self.segment.label_at(running);
        self.rotate(label.hour, label.provisional)
    }
}
