//! Metering: each ended hour becomes one record per dimension, sent until its fate is known.
//!
//! One slot is (dimension, hour, identity): AWS takes one record for it and never changes it again, so a
//! record is frozen only after its hour has ended, and its bytes never change. Source: MeterUsage API
//! reference. The outcome table is in docs/decisions/0003-metering-outcomes.md.

mod account;
mod freeze;
mod send;

#[cfg(test)]
mod tests;

use super::{command::Command, command::News, draw::Draw};
use crate::model::{
    entry::Entry,
    ids::{Identity, RecordId, SeriesId},
    quantity::Raw,
    time::{Hour, Timestamp},
    usage::{Account, DimensionSpec, Record, Series},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Records on their way at once.
const IN_FLIGHT_MAX: usize = 2;
/// First send: this long after the hour, plus the identity's own share of `PHASE_SPREAD`.
const PHASE_AFTER: Duration = Duration::from_secs(60);
/// The whole account shares 10 calls a second. Source: Metering API reference, service quotas.
const PHASE_SPREAD: Duration = Duration::from_secs(14 * 60);
/// AWS takes a record for six hours; the last quarter of an hour is left for doubt about where they begin.
const WINDOW: Duration = Duration::from_secs(6 * 3600 - 15 * 60);

/// State of metering.
#[derive(Clone, Debug)]
pub struct Metering {
    dimensions: Vec<DimensionSpec>,
    series: BTreeMap<SeriesId, Series>,
    /// Delay from the end of an hour to the first send; unknown until the identity is.
    phase: Option<Duration>,
    /// Label of the running hour.
    open: Hour,
    /// Final values of ended hours that no record holds yet, by dimension.
    captured: BTreeMap<Hour, Vec<BTreeMap<SeriesId, Raw>>>,
    /// Quantity without an hour of its own, by dimension.
    pool: Vec<Pool>,
    /// Slots that a record of ours has or may have.
    used: BTreeSet<(usize, Hour)>,
    records: BTreeMap<RecordId, Live>,
    next_record: u64,
    totals: Vec<Account>,
    outage: Option<Outage>,
    outage_stop: Duration,
    /// A rotation was wished for and its values have not arrived.
    rotating: bool,
    closing: bool,
    /// The last values have arrived.
    closed: bool,
}

/// Counts that wait for an hour.
#[derive(Clone, Debug, Default)]
struct Pool {
    raw: BTreeMap<SeriesId, Raw>,
    /// Hours in which they were counted, when they were carried.
    from: BTreeSet<Hour>,
}

/// A frozen record that has no fate yet.
#[derive(Clone, Debug)]
struct Live {
    record: Record,
    dimension: usize,
    begun: bool,
    /// Some send of it may have been recorded.
    in_doubt: bool,
    in_flight: bool,
    attempt: u32,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Timestamp,
    serious: bool,
}

/// What a step of metering came to.
#[derive(Debug, Default)]
pub struct Step {
    /// What to do.
    pub commands: Vec<Command>,
    /// What to tell.
    pub news: Vec<News>,
}

impl Metering {
    /// Metering whose running hour has the label `open`.
    #[must_use]
    pub fn new(dimensions: Vec<DimensionSpec>, outage_stop: Duration, open: Hour) -> Metering {
        let totals = dimensions
            .iter()
            .map(|spec| Account { dimension: spec.name.to_string(), ..Account::default() })
            .collect();
        Metering {
            pool: vec![Pool::default(); dimensions.len()],
            dimensions,
            series: BTreeMap::new(),
            phase: None,
            open,
            captured: BTreeMap::new(),
            used: BTreeSet::new(),
            records: BTreeMap::new(),
            next_record: 1,
            totals,
            outage: None,
            outage_stop,
            rotating: false,
            closing: false,
            closed: false,
        }
    }

    /// The identity is known: sending may begin, at this identity's own minute of the hour.
    pub fn identified(&mut self, identity: &Identity) {
        let spread = u64::try_from(PHASE_SPREAD.as_millis()).unwrap_or(u64::MAX);
        let share = Duration::from_millis(fnv(&identity.name) % spread);
        self.phase = Some(PHASE_AFTER + share);
    }

    /// New counters.
    pub fn learn(&mut self, series: Vec<(SeriesId, Series)>) {
        self.series.extend(series);
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let hour_ends = (!self.closing && !self.rotating).then(|| self.open.end());
        let send = self
            .phase
            .and_then(|_| self.records.values().filter(|r| !r.in_flight).map(|r| r.at).min());
        let serious = self.outage.filter(|o| !o.serious).map(|o| o.since.after(self.outage_stop));
        [hour_ends, send.filter(|_| self.may_send()), serious].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp) -> Step {
        let mut step = Step::default();
        if !self.closing && !self.rotating && now.hour() > self.open {
            // The label follows when the values arrive: until then the hour is still this one.
            self.rotating = true;
            step.commands.push(Command::Rotate { next: now.hour() });
        }
        self.send_due(now, &mut step);
        self.tell_outage(now, &mut step);
        step
    }

    /// Takes the final values of an ended hour and freezes what may be frozen.
    pub fn captured(
        &mut self,
        hour: Hour,
        next: Hour,
        values: BTreeMap<SeriesId, Raw>,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        self.open = next;
        self.rotating = false;
        self.closed = self.closing;
        let mut step = Step::default();
        step.commands.push(Command::Commit(vec![Entry::Captured { hour, values: values.clone() }]));
        let by_dimension = self
            .captured
            .entry(hour)
            .or_insert_with(|| vec![BTreeMap::new(); self.dimensions.len()]);
        for (id, raw) in values {
            let Some(dimension) = self.series.get(&id).map(|series| series.dimension) else {
                continue;
            };
            if let (Some(values), Some(total)) =
                (by_dimension.get_mut(dimension), self.totals.get_mut(dimension))
            {
                *values.entry(id).or_default() += raw;
                total.added += raw;
            }
        }
        self.freeze_ended(now, draw, &mut step);
        self.send_due(now, &mut step);
        step
    }

    /// Sends what is frozen without waiting for its time.
    pub fn flush(&mut self, now: Timestamp) -> Step {
        for live in self.records.values_mut() {
            live.at = live.at.min(now);
        }
        self.tick(now)
    }

    /// The guard ends: the running hour is captured too, and nothing waits for its time.
    pub fn close(&mut self, now: Timestamp) -> Step {
        self.closing = true;
        for live in self.records.values_mut() {
            live.at = live.at.min(now);
        }
        Step { commands: vec![Command::CloseCounters], news: Vec::new() }
    }

    /// True when the last values have arrived.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// True while a record is on its way or waits for its turn.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.records.is_empty()
    }

    /// True while a flush has something to wait for.
    #[must_use]
    pub fn sending(&self, now: Timestamp) -> bool {
        self.records.values().any(|live| live.in_flight || live.at <= now)
    }
}

/// FNV-1a: a hash that stays the same over releases, as the phase of a task should.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
