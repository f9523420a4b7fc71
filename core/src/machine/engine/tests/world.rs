//! A small world around one engine. `tests/proof` has the large one: many processes, crashes, disks.

use super::*;
use crate::model::usage::Record;
use std::collections::BTreeSet;

/// Weeks of random answers, clock jumps and outages: the account always balances, each slot gets one
/// record, a record's bytes never change, and nothing leaves before it is written down.
#[test]
fn no_run_of_answers_loses_doubles_or_changes_a_unit() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        for _ in 0..600 {
            world.step();
        }
        world.settle();
    }
}

struct World {
    engine: Engine,
    now: Timestamp,
    draw: Draw,
    open: Hour,
    slab: u64,
    held: u64,
    added: u64,
    on_their_way: Vec<Record>,
    frozen: BTreeMap<(Hour, String), Record>,
    begun: BTreeSet<u64>,
    /// What AWS has: at most one quantity for a slot.
    billed: BTreeMap<(Hour, String), u64>,
    good: bool,
}

impl World {
    fn new(seed: u8) -> World {
        let now = START.start();
        let plan = metered(StartupCheck::DryRun);
        let mut world = World {
            engine: Engine::new(plan, [seed; 32], now),
            now,
            draw: Draw::new([seed ^ 0x5a; 32]),
            open: START,
            slab: 0,
            held: 0,
            added: 0,
            on_their_way: Vec::new(),
            frozen: BTreeMap::new(),
            begun: BTreeSet::new(),
            billed: BTreeMap::new(),
            good: false,
        };
        world.hear(Input::Start { inherited: None });
        world.hear(Input::Identified(Ok(identity())));
        world.hear(Input::Opened { entitled: false, leading: true });
        world.hear(Input::Led { books: Box::default(), hour: START });
        world.hear(Input::TimeKnown { behind_ms: 0, guess_behind_ms: 0 });
        world.hear(Input::Series(series()));
        world
    }

    fn hear(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for command in self.engine.step(input, self.now) {
                match command {
                    Command::Rotate { next, provisional } => {
                        self.slab += 1;
                        let values =
                            BTreeMap::from([(SeriesId(0), std::mem::take(&mut self.held))]);
                        let (sequence, hour) = (self.slab, self.open);
                        let slab = Closed { sequence, hour, provisional, values };
                        inputs.push(Input::Captured { slab, next });
                        self.open = next;
                    }
                    Command::CheckUsage => inputs.push(Input::Permitted(Permitted::Yes)),
                    Command::Commit(entries) => entries.into_iter().for_each(|e| self.commit(e)),
                    Command::Send(record) => self.send(record),
                    _ => {}
                }
            }
            let fault = self.engine.metering().and_then(|metering| metering.books().fault());
            assert_eq!(fault, None);
        }
        let added = self.engine.accounts().first().map_or(0, |account| account.added);
        assert_eq!(added + self.held, self.added, "a count fell out");
    }

    fn commit(&mut self, entry: Entry) {
        match entry {
            Entry::Frozen(record) => {
                assert!(record.hour < self.now.hour(), "frozen before its hour had ended");
                let slot = (record.hour, record.dimension.to_string());
                assert!(self.frozen.insert(slot, record).is_none(), "two records for one slot");
            }
            Entry::Begun(id) => {
                self.begun.insert(id.0);
            }
            _ => {}
        }
    }

    fn send(&mut self, record: Record) {
        assert!(self.begun.contains(&record.id.0), "sent before it was written down");
        let slot = (record.hour, record.dimension.to_string());
        assert_eq!(self.frozen.get(&slot), Some(&record), "the bytes changed");
        self.on_their_way.push(record);
    }

    fn step(&mut self) {
        match self.draw.below(8) {
            0..=2 => {
                let n = self.draw.below(100);
                self.held += n;
                self.added += n;
            }
            3..=4 => {
                // From a minute to a day, rarely.
                let most = [600, 3600, 4 * 3600, 30 * 3600][self.draw.below(4) as usize];
                self.now = self.now.after(self.draw.up_to(Duration::from_secs(most)));
                self.hear(Input::Tick);
            }
            _ if self.on_their_way.is_empty() => self.hear(Input::Tick),
            _ => {
                let record = self.on_their_way.remove(0);
                let outcome = self.answer(&record);
                self.hear(Input::Sent { record: record.id, outcome });
            }
        }
    }

    /// AWS's side of one attempt: it may store and lose the answer.
    fn answer(&mut self, record: &Record) -> Sent {
        let slot = (record.hour, record.dimension.to_string());
        let recorded = || Sent::Recorded { record_id: "r".into(), request_id: None };
        let fault = if self.good { 9 } else { self.draw.below(10) };
        match fault {
            0 => Sent::Failed(failure(FailureClass::NotSent)),
            1 => Sent::Failed(failure(FailureClass::Throttled)),
            2 => Sent::Failed(failure(FailureClass::Unknown)),
            3 => {
                self.billed.insert(slot, record.units.scaled);
                Sent::Failed(failure(FailureClass::Unknown))
            }
            4 if !self.billed.contains_key(&slot) => Sent::Duplicate("another process".into()),
            _ => {
                let first = *self.billed.entry(slot).or_insert(record.units.scaled);
                assert_eq!(first, record.units.scaled, "two quantities for one slot");
                recorded()
            }
        }
    }

    /// The network heals and nothing more is added: everything finds its place, once.
    fn settle(&mut self) {
        self.good = true;
        for _ in 0..200 {
            self.now = self.now.after(Duration::from_secs(1200));
            self.hear(Input::Tick);
            while !self.on_their_way.is_empty() {
                let record = self.on_their_way.remove(0);
                let outcome = self.answer(&record);
                self.hear(Input::Sent { record: record.id, outcome });
            }
        }
        let account = self.engine.accounts().swap_remove(0);
        assert_eq!(account.pending, 0, "{account:?}");
        assert_eq!(account.delivered + account.disputed, self.added, "{account:?}");
        let billed: u64 = self.billed.values().sum();
        assert!(billed >= account.delivered, "delivered more than AWS has: {account:?}");
        assert!(
            billed <= account.delivered + account.disputed,
            "billed twice: {account:?}, {billed}"
        );
    }
}
