//! Metering: each ended hour becomes one record per dimension, sent until its fate is known.
//!
//! One slot is (dimension, hour, identity): AWS takes one record for it and never changes it again, so a
//! record is frozen only after its hour has ended, and its bytes never change. Source: MeterUsage API
//! reference. The outcome table is in docs/decisions/0003-metering-outcomes.md.
//!
//! What must survive is in [`Books`]; it changes by entries only, and each entry leaves as a wish to be made
//! durable. The rest of the state is thrown away with the process and made anew from the books.

mod freeze;
mod labels;
mod send;

#[cfg(test)]
mod tests;

use super::{command::Command, command::News, draw::Draw};
use crate::{
    event::EventKind,
    model::{
        books::Books,
        entry::Entry,
        ids::{Dimension, Identity, RecordId, SeriesId},
        quantity::Raw,
        time::{Hour, Timestamp},
        usage::{Account, Closed, DimensionSpec, Lots, Series},
    },
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
/// When every slab of the ring waits for the disk, the running hour goes on this long before the next try.
const ROTATE_AGAIN: Duration = Duration::from_secs(60);

/// What metering is told once.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// How long metering may fail before it is serious.
    pub outage_stop: Duration,
    /// An hour without units is reported as zero.
    pub zero_records: bool,
}

/// State of metering, in the process that leads.
#[derive(Clone, Debug)]
pub struct Metering {
    dimensions: Vec<DimensionSpec>,
    policy: Policy,
    books: Books,
    /// Delay from the end of an hour to the first send; unknown until the identity is.
    phase: Option<Duration>,
    /// Label of the running hour.
    open: Hour,
    /// AWS's time is known. Nothing is frozen before.
    time_known: bool,
    /// How far this computer's clock, by which labels were guessed, is behind AWS's.
    behind_ms: i64,
    /// Captured hours that have not been looked at for freezing.
    ended: BTreeSet<Hour>,
    sends: BTreeMap<RecordId, Sending>,
    outage: Option<Outage>,
    /// Hours between records of a dimension, while the account is throttled.
    stretch: i64,
    /// Which of these hours is ours, so that the tasks of a fleet take turns.
    share: i64,
    /// A rotation was wished for and its values have not arrived.
    rotating: bool,
    rotate_from: Timestamp,
    closing: bool,
    /// The last values have arrived.
    closed: bool,
    /// Another process goes on: nothing new leaves from here.
    left: bool,
}

/// How the sending of one record goes.
#[derive(Clone, Copy, Debug, Default)]
struct Sending {
    in_flight: bool,
    attempt: u32,
    throttles: u32,
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
    /// Metering that goes on from `books`; the running hour has the label `open`.
    ///
    /// A record that was begun may have been recorded: nobody knows what the process before us heard.
    #[must_use]
    pub fn new(
        dimensions: Vec<DimensionSpec>,
        policy: Policy,
        mut books: Books,
        open: Hour,
        now: Timestamp,
    ) -> Metering {
        for kept in books.records.values_mut() {
            kept.in_doubt |= kept.begun;
        }
        let lots = books.waiting.values().flat_map(Lots::keys);
        let ended = lots.map(|lot| lot.hour).filter(|hour| *hour < open).collect();
        let sends = books
            .records
            .keys()
            .map(|id| (*id, Sending { at: now, ..Sending::default() }))
            .collect();
        Metering {
            dimensions,
            policy,
            books,
            phase: None,
            open,
            time_known: false,
            behind_ms: 0,
            ended,
            sends,
            outage: None,
            stretch: 1,
            share: 0,
            rotating: false,
            rotate_from: Timestamp::default(),
            closing: false,
            closed: false,
            left: false,
        }
    }

    /// The identity is known: sending may begin, at this identity's own minute of the hour.
    pub fn identified(&mut self, identity: &Identity) {
        let spread = u64::try_from(PHASE_SPREAD.as_millis()).unwrap_or(u64::MAX);
        let hash = fnv(&identity.name);
        self.phase = Some(PHASE_AFTER + Duration::from_millis(hash % spread));
        self.share = i64::from((hash >> 32) as u32);
    }

    /// New counters.
    pub fn learn(&mut self, series: Vec<(SeriesId, Series)>) -> Step {
        let new = |(id, series): &(SeriesId, Series)| self.books.series.get(id) != Some(series);
        let series: Vec<_> = series.into_iter().filter(new).collect();
        let mut step = Step::default();
        if !series.is_empty() {
            self.enter(Entry::Named(series), &mut step);
        }
        step
    }

    /// AWS's time is known. Labels that were guessed are put right before anything is frozen: the guess was
    /// `behind_ms` behind AWS's time.
    pub fn time_known(&mut self, behind_ms: i64, now: Timestamp, draw: &mut Draw) -> Step {
        let mut step = Step::default();
        self.time_known = true;
        // These moments were reckoned with a clock that may have been days ahead.
        self.rotate_from = self.rotate_from.min(now);
        for send in self.sends.values_mut() {
            send.at = send.at.min(now);
        }
        self.behind_ms = behind_ms;
        let mut guessed: Vec<Hour> = self.books.provisional.iter().copied().collect();
        if behind_ms > 0 {
            guessed.reverse(); // so that an hour is moved away before another one moves into its place
        }
        for from in guessed {
            self.relabel(from, now, &mut step);
        }
        self.label_running(now, &mut step);
        self.freeze_ended(now, draw, &mut step);
        self.send_due(now, &mut step);
        step
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let rotates = !self.closing && !self.rotating;
        let hour_ends = rotates.then(|| self.open.end().max(self.rotate_from));
        let waiting = self.sends.values().filter(|send| !send.in_flight);
        let sends = self.phase.is_some() && self.time_known && self.may_send();
        let send = waiting.map(|send| send.at).min().filter(|_| sends);
        let serious =
            self.outage.filter(|o| !o.serious).map(|o| o.since.after(self.policy.outage_stop));
        [hour_ends, send, serious].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp, draw: &mut Draw) -> Step {
        let mut step = Step::default();
        let over = now.hour() > self.open && self.rotate_from <= now;
        if over && !self.closing && !self.rotating {
            // The label follows when the values arrive: until then the hour is still this one.
            self.rotating = true;
            step.commands.push(Command::Rotate { next: now.hour(), provisional: !self.time_known });
        }
        if !self.ended.is_empty() {
            self.freeze_ended(now, draw, &mut step);
        }
        self.send_due(now, &mut step);
        self.tell_outage(now, &mut step);
        step
    }

    /// Takes the final values of a closed slab and freezes what may be frozen.
    pub fn captured(&mut self, slab: Closed, next: Hour, now: Timestamp, draw: &mut Draw) -> Step {
        let Closed { sequence, hour, provisional, values } = slab;
        self.open = next;
        self.rotating = false;
        self.closed = self.closing;
        let mut step = Step::default();
        let values = self.one_level(hour, values, &mut step);
        self.enter(Entry::Captured { sequence, hour, provisional, values }, &mut step);
        self.ended.insert(hour);
        if self.time_known {
            if self.books.provisional.contains(&hour) {
                self.relabel(hour, now, &mut step);
            }
            self.label_running(now, &mut step);
        }
        self.freeze_ended(now, draw, &mut step);
        self.send_due(now, &mut step);
        step
    }

    /// No slab of the ring is free: the running hour goes on, and nothing is lost but its length.
    pub fn unrotated(&mut self, now: Timestamp) {
        self.rotating = false;
        self.closed = self.closing;
        self.rotate_from = now.after(ROTATE_AGAIN);
    }

    /// Takes over what the ledger of a dead identity holds. Its levels belong to hours that are over.
    pub fn take_over(
        &mut self,
        ledger: String,
        waiting: Lots,
        disputed: Lots,
        why: String,
    ) -> Step {
        let mut step = Step::default();
        if self.books.taken_over.contains(&ledger) {
            return step;
        }
        let (missed, waiting): (Lots, Lots) = waiting
            .into_iter()
            .partition(|(lot, _)| self.is_level(&self.books.dimension_of(lot.series)));
        let sum = |lots: &Lots| lots.values().sum::<Raw>();
        let text = format!(
            "{why}: {} raw counts wait for a later hour, {} are disputed, {} are missed",
            sum(&waiting),
            sum(&disputed),
            sum(&missed)
        );
        if sum(&waiting) + sum(&disputed) + sum(&missed) > 0 {
            let news = News::new(EventKind::UsageCarried, text)
                .with("ledger", ledger.clone())
                .with("raw", sum(&waiting));
            step.news.push(news);
        }
        self.enter(Entry::TakenOver { ledger, waiting, disputed, missed, why }, &mut step);
        step
    }

    /// AWS has said that the buyer is entitled.
    pub fn entitled(&mut self, receipt: &str) -> Step {
        let mut step = Step::default();
        if !self.books.entitled {
            self.enter(Entry::Entitled { receipt: receipt.to_owned() }, &mut step);
        }
        step
    }

    /// Sends what is frozen without waiting for its time.
    pub fn flush(&mut self, now: Timestamp, draw: &mut Draw) -> Step {
        for send in self.sends.values_mut() {
            send.at = send.at.min(now);
        }
        self.tick(now, draw)
    }

    /// The last process of the task ends: the running hour is captured too, and nothing waits for its time.
    pub fn close(&mut self, now: Timestamp) -> Step {
        self.closing = true;
        for send in self.sends.values_mut() {
            send.at = send.at.min(now);
        }
        Step { commands: vec![Command::CloseCounters], news: Vec::new() }
    }

    /// This process ends and others go on: they will lead. Nothing new is begun.
    pub fn leave(&mut self) {
        self.closing = true;
        self.closed = true;
        self.left = true;
        self.ended.clear();
        self.sends.retain(|_, send| send.in_flight);
    }

    /// True when the last values have arrived.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// True while a record is on its way or waits for its turn.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.sends.is_empty()
    }

    /// True while a flush has something to wait for.
    #[must_use]
    pub fn sending(&self, now: Timestamp) -> bool {
        self.sends.values().any(|send| send.in_flight || send.at <= now)
    }

    /// What is durable, or is about to be.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// One account a dimension, without the running hour: the configured ones in their order, then others.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let configured = self.dimensions.iter().map(|spec| spec.name.clone());
        let others = self.books.dimensions().into_iter().filter(|name| self.spec(name).is_none());
        configured.chain(others).map(|name| self.books.account(&name)).collect()
    }

    fn spec(&self, name: &Dimension) -> Option<&DimensionSpec> {
        self.dimensions.iter().find(|spec| spec.name == *name)
    }

    fn is_level(&self, name: &Dimension) -> bool {
        self.spec(name).is_some_and(|spec| spec.kind.is_level())
    }

    /// Changes the books, and wishes the same to be durable.
    fn enter(&mut self, entry: Entry, step: &mut Step) {
        self.books.apply(&entry);
        step.commands.push(Command::Commit(vec![entry]));
    }
}

/// FNV-1a: a hash that stays the same over releases, as the phase of a task should.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
