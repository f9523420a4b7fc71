use super::*;
use crate::{
    machine::plan::ContractPlan,
    model::{
        entry::Entry,
        ids::{Identity, Platform, SeriesId},
        license::{Contract, Entitlement, EntitlementKind, EntitlementSpec, Reason, Verdict},
        outcome::{
            CheckedIn, CheckedOut, Details, FailureClass, Refusal, RefusalReason, Sent, Tiers,
        },
        time::Hour,
        usage::{DimensionSpec, Kind, Record, Series, Tags},
    },
};
use std::{collections::BTreeSet, time::Duration};

const START: Hour = Hour(490_000);

fn plan() -> Plan {
    Plan {
        hourly: true,
        usage: true,
        contract: Some(ContractPlan {
            tiers: vec!["Basic".into(), "Premium".into()],
            counted: vec!["Seats".into()],
            interval: Duration::from_secs(900),
            grace: Duration::from_secs(86_400),
            expiring_notice: Duration::from_secs(86_400),
        }),
        dimensions: vec![DimensionSpec {
            name: "requests".into(),
            kind: Kind::Sum,
            per_unit: 1,
            fraction_digits: 0,
            ceiling: None,
        }],
        outage_stop: Duration::from_secs(7200),
        sandbox: true,
    }
}

fn identity() -> Identity {
    Identity { platform: Platform::Ecs, name: "task".into(), region: "us-east-1".into() }
}

fn failure(class: FailureClass) -> Failure {
    Failure { class, text: "no answer".into() }
}

fn found() -> Details {
    let seats = Entitlement {
        name: "Seats".into(),
        unit: "Count".into(),
        value: None,
        max_count: Some(10),
    };
    Details::Found(Contract { entitlements: vec![seats], ..Contract::default() })
}

fn basic() -> Tiers {
    let tier =
        Entitlement { name: "Basic".into(), unit: "None".into(), value: None, max_count: None };
    Tiers::Bought { entitlements: vec![tier], license_arn: None }
}

/// An engine under a hand-moved clock.
struct Bench {
    engine: Engine,
    now: Timestamp,
}

impl Bench {
    fn new(plan: Plan) -> Bench {
        let now = START.start();
        let mut bench = Bench { engine: Engine::new(plan, [2; 32], now), now };
        let commands = bench.hear(Input::Start { hour: START });
        assert!(matches!(commands[..], [Command::Identify]), "{commands:?}");
        bench
    }

    fn hear(&mut self, input: Input) -> Vec<Command> {
        self.engine.step(input, self.now)
    }

    fn verdict(&self) -> (Verdict, Reason) {
        let license = self.engine.license();
        (license.verdict, license.reason)
    }

    /// A guard that has every yes.
    fn licensed() -> Bench {
        let mut bench = Bench::new(plan());
        bench.hear(Input::Identified(Ok(identity())));
        bench.hear(Input::Registered(Registered::Yes { key_rotation: None, weak_key: false }));
        bench.hear(Input::Permitted(Permitted::Yes));
        bench.hear(Input::Tiers(basic()));
        bench.hear(Input::Details(found()));
        assert_eq!(bench.verdict(), (Verdict::Licensed, Reason::Entitled));
        bench
    }
}

#[test]
fn the_verdict_needs_a_yes_from_every_part() {
    let mut bench = Bench::new(plan());
    let asked = bench.hear(Input::Identified(Ok(identity())));
    assert!(matches!(
        asked[..],
        [Command::Register, Command::CheckUsage, Command::AskTiers { .. }]
    ));
    let inputs = [
        Input::Registered(Registered::Yes { key_rotation: None, weak_key: false }),
        Input::Permitted(Permitted::Yes),
        Input::Tiers(basic()),
    ];
    for input in inputs {
        bench.hear(input);
        assert_eq!(bench.verdict().0, Verdict::Pending);
    }
    let told = bench.hear(Input::Details(found()));
    let Some(Command::Announce(notice)) = told.last() else { panic!("{told:?}") };
    assert_eq!(notice.kind, EventKind::VerdictChanged);
    assert_eq!((notice.old.verdict, notice.license.verdict), (Verdict::Pending, Verdict::Licensed));
    assert!(matches!(told[told.len() - 2], Command::Publish(_)), "shown before it is told");
}

#[test]
fn nothing_is_asked_before_the_identity_is_known_and_failures_are_pending() {
    let mut bench = Bench::new(plan());
    for _ in 0..20 {
        let asked = bench.hear(Input::Identified(Err(failure(FailureClass::NotSent))));
        assert!(!asked.iter().any(|command| matches!(command, Command::Register)), "{asked:?}");
        assert_eq!(bench.verdict(), (Verdict::Pending, Reason::Unreachable));
        bench.now = bench.engine.due(bench.now).expect("it asks again");
        let asked = bench.hear(Input::Tick);
        assert!(asked.iter().any(|command| matches!(command, Command::Identify)), "{asked:?}");
    }
}

#[test]
fn one_no_denies_whatever_the_others_say() {
    let mut bench = Bench::licensed();
    let refusal = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
    bench.engine.permission = Some(Proof::default());
    bench.hear(Input::Tick);
    bench.hear(Input::Permitted(Permitted::No(refusal)));
    assert_eq!(bench.verdict(), (Verdict::Denied, Reason::NotEntitled));
}

#[test]
fn a_rotated_or_short_key_is_told_and_denies_nothing() {
    let mut bench = Bench::new(Plan { usage: false, contract: None, ..plan() });
    bench.hear(Input::Identified(Ok(identity())));
    let yes = Registered::Yes { key_rotation: Some(Timestamp(5)), weak_key: true };
    let told = bench.hear(Input::Registered(yes));
    let kinds: Vec<_> = told
        .iter()
        .filter_map(|command| match command {
            Command::Announce(notice) => Some(notice.kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [EventKind::VerdictChanged, EventKind::KeyRotation, EventKind::WeakKey]);
    assert_eq!(bench.verdict().0, Verdict::Licensed);
}

fn seats() -> EntitlementSpec {
    EntitlementSpec { name: "Seats".into(), kind: EntitlementKind::Floating, unit: "Count".into() }
}

#[test]
fn the_end_returns_seats_sends_usage_and_then_finishes() {
    let mut bench = Bench::licensed();
    let lease = LeaseId(1);
    bench.hear(Input::SeatWanted { lease, spec: seats(), count: 1 });
    let expires = bench.now.after(Duration::from_secs(3600));
    bench.hear(Input::CheckedOut {
        lease,
        outcome: CheckedOut::Held { token: "t".into(), expires },
    });
    let ending = bench.hear(Input::ShutDown);
    assert!(ending.iter().any(|command| matches!(command, Command::CheckIn { .. })), "{ending:?}");
    let series = vec![(SeriesId(0), Series { dimension: 0, tags: Tags::new() })];
    bench.hear(Input::Series(series));
    let values = BTreeMap::from([(SeriesId(0), 4)]);
    let sending = bench.hear(Input::Captured { hour: START, next: START.next(), values });
    let Some(Command::Send(record)) = sending.last() else { panic!("{sending:?}") };
    let record = record.id;
    let finished = |commands: &[Command]| commands.iter().any(|c| matches!(c, Command::Finished));
    let returned = bench.hear(Input::CheckedIn { lease, outcome: CheckedIn::Done });
    assert!(!finished(&returned), "a record is still on its way");
    let outcome = Sent::Recorded { record_id: "r".into(), request_id: None };
    assert!(finished(&bench.hear(Input::Sent { record, outcome })));
    assert_eq!(bench.engine.seats_returned(), 1);
    assert_eq!(bench.engine.accounts()[0].delivered, 4);
}

#[test]
fn the_deadline_ends_what_has_not_ended() {
    let mut bench = Bench::licensed();
    bench.hear(Input::SeatWanted { lease: LeaseId(1), spec: seats(), count: 1 });
    bench.hear(Input::ShutDown);
    let told = bench.hear(Input::Deadline);
    assert!(matches!(told.last(), Some(Command::Finished)));
    assert_eq!(bench.engine.due(bench.now), None);
}

/// A year of random answers, clock jumps and outages: the account always balances, each slot gets one
/// record, a record's bytes never change, and nothing leaves before it is written down.
#[test]
fn no_run_of_answers_loses_doubles_or_changes_a_unit() {
    for seed in 0..200 {
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
        let plan = Plan { hourly: false, contract: None, ..plan() };
        let mut world = World {
            engine: Engine::new(plan, [seed; 32], now),
            now,
            draw: Draw::new([seed ^ 0x5a; 32]),
            open: START,
            held: 0,
            added: 0,
            on_their_way: Vec::new(),
            frozen: BTreeMap::new(),
            begun: BTreeSet::new(),
            billed: BTreeMap::new(),
            good: false,
        };
        world.hear(Input::Start { hour: START });
        world.hear(Input::Identified(Ok(identity())));
        world.hear(Input::Series(vec![(SeriesId(0), Series { dimension: 0, tags: Tags::new() })]));
        world
    }

    fn hear(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for command in self.engine.step(input, self.now) {
                match command {
                    Command::Rotate { next } => {
                        let values =
                            BTreeMap::from([(SeriesId(0), std::mem::take(&mut self.held))]);
                        inputs.push(Input::Captured { hour: self.open, next, values });
                        self.open = next;
                    }
                    Command::CheckUsage => inputs.push(Input::Permitted(Permitted::Yes)),
                    Command::Commit(entries) => entries.into_iter().for_each(|e| self.commit(e)),
                    Command::Send(record) => self.send(record),
                    _ => {}
                }
            }
            let account = self.engine.accounts().swap_remove(0);
            assert!(account.balances(), "{account:?}");
        }
        let account = self.engine.accounts().swap_remove(0);
        assert_eq!(account.added + self.held, self.added, "a count fell out");
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
