//! The books: what all entries so far come to. The durable half of metering.
//!
//! [`Books::apply`] is the only place that says what an entry means. The machine applies each entry to its
//! own books and asks for it to be made durable; a ledger keeps rows from which the same books are read
//! again. So what a restart finds is what the machine had, up to the last durable entry.

use super::{
    entry::{Entry, Fate, Place},
    ids::{Dimension, RecordId, SeriesId},
    quantity::Raw,
    time::Hour,
    usage::{Account, Lot, Lots, Record, Series},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where every captured count is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Slabs up to this number are captured.
    pub captured: u64,
    /// Known counters.
    pub series: BTreeMap<SeriesId, Series>,
    /// Counts that no record holds, by dimension. No lot of zero, no dimension without lots.
    pub waiting: BTreeMap<Dimension, Lots>,
    /// Hours of waiting counts whose label may be wrong.
    pub provisional: BTreeSet<Hour>,
    /// Slots that a record of ours has or may have.
    pub used: BTreeSet<(Dimension, Hour)>,
    /// Records without a fate.
    pub records: BTreeMap<RecordId, Kept>,
    /// Number of the newest record, 0 before the first.
    pub newest_record: u64,
    /// What has been counted and what has found its end, by dimension.
    pub totals: BTreeMap<Dimension, Totals>,
    /// AWS has said once that the buyer is entitled.
    pub entitled: bool,
    /// Ledgers whose counts are in here.
    pub taken_over: BTreeSet<String>,
}

/// A record without a fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What is sent; it never changes.
    pub record: Record,
    /// A byte of it may be on its way.
    pub begun: bool,
    /// A send ended without an answer: it may have been recorded.
    pub in_doubt: bool,
    /// Sends that gave no fate.
    pub attempts: u32,
}

/// Sums of raw counts since the ledger was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Captured.
    pub added: Raw,
    /// Recorded by AWS.
    pub delivered: Raw,
    /// Fate unknown.
    pub disputed: Raw,
    /// Refused.
    pub held: Raw,
    /// Levels that came too late.
    pub missed: Raw,
}

impl Books {
    /// Does what `entry` says. An entry about a record that is not there changes nothing.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Named(series) => self.series.extend(series.iter().cloned()),
            Entry::Captured { sequence, hour, provisional, values } => {
                if *sequence <= self.captured {
                    return;
                }
                self.captured = *sequence;
                for (series, raw) in values {
                    self.wait(Lot { hour: *hour, series: *series }, *raw);
                    self.totals_of(*series).added += raw;
                }
                if *provisional && !values.is_empty() {
                    self.provisional.insert(*hour);
                }
            }
            Entry::Relabelled { from, to } => self.relabel(*from, *to),
            Entry::Frozen(record) => {
                for (lot, raw) in &record.parts {
                    self.take(&record.dimension, *lot, *raw);
                }
                self.used.insert((record.dimension.clone(), record.hour));
                self.newest_record = self.newest_record.max(record.id.0);
                let kept =
                    Kept { record: record.clone(), begun: false, in_doubt: false, attempts: 0 };
                self.records.insert(record.id, kept);
            }
            Entry::Begun(record) => {
                if let Some(kept) = self.records.get_mut(record) {
                    kept.begun = true;
                }
            }
            Entry::Attempted { record, in_doubt, .. } => {
                if let Some(kept) = self.records.get_mut(record) {
                    kept.in_doubt |= in_doubt;
                    // Nothing of it is on its way now. Unless an earlier send is in doubt, a restart may know that.
                    kept.begun = kept.in_doubt;
                    kept.attempts = kept.attempts.saturating_add(1);
                }
            }
            Entry::Settled { record, fate } => self.settle(*record, fate),
            Entry::SetAside { dimension, hour, place, .. } => {
                self.set_aside(dimension, *hour, *place)
            }
            Entry::Entitled { .. } => self.entitled = true,
            Entry::TakenOver { ledger, waiting, disputed, missed, .. } => {
                if !self.taken_over.insert(ledger.clone()) {
                    return;
                }
                for (lot, raw) in waiting {
                    self.wait(*lot, *raw);
                    self.totals_of(lot.series).added += raw;
                }
                for (lot, raw) in disputed {
                    let totals = self.totals_of(lot.series);
                    totals.added += raw;
                    totals.disputed += raw;
                }
                for (lot, raw) in missed {
                    let totals = self.totals_of(lot.series);
                    totals.added += raw;
                    totals.missed += raw;
                }
            }
        }
    }

    /// Dimension of a counter. One that was never named stands under a name that no listing has.
    #[must_use]
    pub fn dimension_of(&self, series: SeriesId) -> Dimension {
        self.series.get(&series).map_or_else(|| UNKNOWN.into(), |series| series.dimension.clone())
    }

    /// One account a dimension, without the running hour.
    ///
    /// `pending` is added up from what is there, not from what should be: so a count that fell out of the
    /// books shows as an account that does not balance.
    #[must_use]
    pub fn account(&self, dimension: &Dimension) -> Account {
        let totals = self.totals.get(dimension).copied().unwrap_or_default();
        let waiting: Raw = self.waiting.get(dimension).map_or(0, |lots| lots.values().sum());
        let kept = self.records.values().filter(|kept| kept.record.dimension == *dimension);
        let frozen: Raw = kept.flat_map(|kept| kept.record.parts.values()).sum();
        Account {
            dimension: dimension.to_string(),
            added: totals.added,
            open: 0,
            pending: waiting + frozen,
            delivered: totals.delivered,
            disputed: totals.disputed,
            held: totals.held,
            missed: totals.missed,
        }
    }

    /// Every dimension that the books know.
    #[must_use]
    pub fn dimensions(&self) -> BTreeSet<Dimension> {
        self.totals.keys().chain(self.waiting.keys()).cloned().collect()
    }

    /// What is wrong with the books, if anything: an account that does not balance, two records in a slot.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        for dimension in self.dimensions() {
            let account = self.account(&dimension);
            if !account.balances() {
                return Some(format!("the account of `{dimension}` does not balance: {account:?}"));
            }
        }
        let mut slots = BTreeSet::new();
        for Kept { record, .. } in self.records.values() {
            let slot = (record.dimension.clone(), record.hour);
            if !slots.insert(slot) {
                return Some(format!("two records of `{}` for {}", record.dimension, record.hour));
            }
        }
        None
    }

    /// Forgets slots of hours before `hour`, for which AWS takes no record any more.
    pub fn forget_slots_before(&mut self, hour: Hour) {
        self.used.retain(|(_, used)| *used >= hour);
    }

    fn settle(&mut self, id: RecordId, fate: &Fate) {
        let Some(kept) = self.records.remove(&id) else { return };
        let Record { dimension, parts, .. } = kept.record;
        let raw: Raw = parts.values().sum();
        let totals = self.totals.entry(dimension.clone()).or_default();
        match fate {
            Fate::Recorded { .. } => {
                totals.delivered += raw;
                self.entitled = true;
            }
            Fate::Missed { .. } => totals.missed += raw,
            Fate::Disputed { .. } => totals.disputed += raw,
            Fate::Held { .. } => totals.held += raw,
            Fate::Carried { .. } => {
                for (lot, raw) in parts {
                    self.wait_as(dimension.clone(), lot, raw);
                }
            }
        }
    }

    fn set_aside(&mut self, dimension: &Dimension, hour: Hour, place: Place) {
        let Some(lots) = self.waiting.get_mut(dimension) else { return };
        let raw: Raw = lots.extract_if(.., |lot, _| lot.hour == hour).map(|(_, raw)| raw).sum();
        if lots.is_empty() {
            self.waiting.remove(dimension);
        }
        let totals = self.totals.entry(dimension.clone()).or_default();
        match place {
            Place::Missed => totals.missed += raw,
            Place::Held => totals.held += raw,
        }
    }

    fn relabel(&mut self, from: Hour, to: Hour) {
        self.provisional.remove(&from);
        if from == to {
            return;
        }
        for lots in self.waiting.values_mut() {
            let moved: Vec<_> = lots.extract_if(.., |lot, _| lot.hour == from).collect();
            for (lot, raw) in moved {
                *lots.entry(Lot { hour: to, ..lot }).or_default() += raw;
            }
        }
    }

    fn wait(&mut self, lot: Lot, raw: Raw) {
        self.wait_as(self.dimension_of(lot.series), lot, raw);
    }

    fn wait_as(&mut self, dimension: Dimension, lot: Lot, raw: Raw) {
        if raw > 0 {
            *self.waiting.entry(dimension).or_default().entry(lot).or_default() += raw;
        }
    }

    fn take(&mut self, dimension: &Dimension, lot: Lot, raw: Raw) {
        let Some(lots) = self.waiting.get_mut(dimension) else { return };
        if let Some(there) = lots.get_mut(&lot) {
            *there = there.saturating_sub(raw);
            if *there == 0 {
                lots.remove(&lot);
            }
        }
        if lots.is_empty() {
            self.waiting.remove(dimension);
        }
    }

    fn totals_of(&mut self, series: SeriesId) -> &mut Totals {
        let dimension = self.dimension_of(series);
        self.totals.entry(dimension).or_default()
    }
}

/// Stands for the dimension of a counter whose name was lost with a broken catalog.
pub const UNKNOWN: &str = "(unknown)";
