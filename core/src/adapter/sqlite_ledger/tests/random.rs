//! Entries as machines write them, from a seed.

use crate::model::{
    books::{Books, UNKNOWN},
    entry::{Entry, Fate, Place},
    ids::{ClientToken, Dimension, RecordId, SeriesId},
    quantity::Units,
    time::{Hour, Timestamp},
    usage::{Allocation, Lot, Lots, Record, Series, Tags},
};
use std::collections::BTreeMap;

/// Draws numbers and entries that fit the books so far.
pub(super) struct Draw {
    state: u64,
    pub(super) books: Books,
    pub(super) hour: Hour,
}

const SERIES: u64 = 9;
const DIMENSIONS: [&str; 3] = ["requests", "gigabytes", "hosts"];

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Draw { state, books: Books::default(), hour: Hour(490_000) }
    }

    /// A number below `end` (xorshift).
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % end
    }

    pub(super) fn now(&mut self) -> Timestamp {
        Timestamp(self.hour.start().0 + i64::try_from(self.below(3_600_000)).expect("small"))
    }

    /// One to four entries; the books have them when this returns.
    pub(super) fn batch(&mut self) -> Vec<Entry> {
        let mut batch = Vec::new();
        for _ in 0..=self.below(4) {
            if let Some(entry) = self.entry() {
                self.books.apply(&entry);
                batch.push(entry);
            }
        }
        batch
    }

    fn entry(&mut self) -> Option<Entry> {
        let why = || "because".to_owned();
        Some(match self.below(20) {
            0 | 1 => {
                let id = u32::try_from(self.below(SERIES)).expect("small");
                // A counter never changes its dimension; it may be named after it was captured.
                let place = id as usize % DIMENSIONS.len();
                let tags = Tags::from([("team".to_owned(), format!("t\"{id}'"))]);
                let tags = if self.below(2) == 0 { Tags::new() } else { tags };
                let dimension = Dimension::from(DIMENSIONS[place]);
                Entry::Named(vec![(SeriesId(id), Series { dimension, tags })])
            }
            2..=5 => {
                self.hour = Hour(self.hour.0 + i64::try_from(self.below(3)).expect("small"));
                let values = self.lots(1).into_iter().map(|(lot, raw)| (lot.series, raw)).collect();
                let stale = self.below(10) == 0;
                let sequence = self.books.captured + u64::from(!stale);
                let provisional = self.below(4) == 0;
                Entry::Captured { sequence, hour: self.hour, provisional, values }
            }
            6 => {
                let from = *self.books.provisional.first()?;
                Entry::Relabelled { from, to: Hour(from.0 + i64::try_from(self.below(3)).ok()?) }
            }
            7..=10 => self.freeze()?,
            11 => Entry::Begun(self.live()?),
            12 | 13 => {
                let in_doubt = self.below(3) == 0;
                Entry::Attempted { record: self.live()?, in_doubt, why: why() }
            }
            14..=16 => {
                let record = self.live()?;
                let fate = match self.below(6) {
                    0 => Fate::Carried { why: why() },
                    1 => Fate::Missed { why: why() },
                    2 => Fate::Disputed { why: why() },
                    3 => Fate::Held { why: why() },
                    _ => Fate::Recorded { record_id: "r-1".to_owned(), request_id: Some(why()) },
                };
                Entry::Settled { record, fate }
            }
            17 => {
                let (dimension, lots) = self.books.waiting.first_key_value()?;
                let (dimension, hour) = (dimension.clone(), lots.first_key_value()?.0.hour);
                let place = if self.below(2) == 0 { Place::Missed } else { Place::Held };
                Entry::SetAside { dimension, hour, place, why: why() }
            }
            18 => {
                let ledger = format!("ledger-{}", self.below(30));
                let (waiting, disputed, missed) = (self.lots(3), self.lots(3), self.lots(3));
                Entry::TakenOver { ledger, waiting, disputed, missed, why: why() }
            }
            _ => Entry::Entitled { receipt: "r-0".to_owned() },
        })
    }

    /// Some counters of some hours.
    fn lots(&mut self, hours: u64) -> Lots {
        let mut lots = BTreeMap::new();
        for _ in 0..self.below(5) {
            let hour = Hour(self.hour.0 - i64::try_from(self.below(hours)).expect("small"));
            let series = SeriesId(u32::try_from(self.below(SERIES)).expect("small"));
            lots.insert(Lot { hour, series }, self.below(1 << 40) >> self.below(40));
        }
        lots
    }

    fn live(&mut self) -> Option<RecordId> {
        let count = u64::try_from(self.books.records.len()).ok()?;
        let at = usize::try_from(self.below(count.max(1))).ok()?;
        self.books.records.keys().nth(at).copied()
    }

    /// A record of what waits, or of most of it, in a free slot.
    fn freeze(&mut self) -> Option<Entry> {
        let at = usize::try_from(self.below(3)).ok()?;
        // No listing has the name that stands for lost ones, so no record is made of it.
        let known = |name: &&Dimension| name.as_str() != UNKNOWN;
        let dimension = self.books.waiting.keys().filter(known).nth(at)?.clone();
        let hour = Hour(self.hour.0 - i64::try_from(self.below(5)).ok()?);
        if self.books.used.contains(&(dimension.clone(), hour)) {
            return None;
        }
        let waiting = self.books.waiting.get(&dimension)?.clone();
        let mut parts = Lots::new();
        for (lot, raw) in waiting {
            match self.below(4) {
                0 => {}
                1 => drop(parts.insert(lot, raw / 2)),
                _ => drop(parts.insert(lot, raw)),
            }
        }
        let units = Units { scaled: self.below(1 << 50), digits: 6 };
        let tags = Tags::from([("k".to_owned(), "ü".to_owned())]);
        let allocations =
            if self.below(2) == 0 { vec![Allocation { units, tags }] } else { Vec::new() };
        Some(Entry::Frozen(Record {
            id: RecordId(self.books.newest_record + 1),
            dimension,
            hour,
            timestamp: self.now(),
            units,
            allocations,
            client_token: ClientToken::from(format!("client-{}", self.state).as_str()),
            parts,
        }))
    }
}
