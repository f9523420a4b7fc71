mod clocks;
mod ends;
mod windows;

use super::*;
use crate::{
    event::EventKind,
    model::{
        entry::Fate,
        ids::Platform,
        outcome::{Failure, FailureClass, Refusal, RefusalReason, Sent},
        quantity::Units,
        usage::{Kind, Record, Tags},
    },
};

const ONE: SeriesId = SeriesId(0);
const LEVEL: SeriesId = SeriesId(1);
const TAGGED: SeriesId = SeriesId(2);
const FIRST: Hour = Hour(490_000);

fn policy() -> Policy {
    Policy { outage_stop: Duration::from_secs(7200), zero_records: false }
}

fn task(name: &str) -> Identity {
    let name = format!("arn:aws:ecs:us-east-1:1:task/t/{name}");
    Identity { platform: Platform::Ecs, name, region: "us-east-1".into() }
}

fn spec(name: &str, kind: Kind) -> DimensionSpec {
    DimensionSpec { name: name.into(), kind, per_unit: 1, fraction_digits: 0, ceiling: None }
}

/// Metering under a hand-moved clock, with an AWS that answers as it is told.
struct Bench {
    metering: Metering,
    draw: Draw,
    now: Timestamp,
    /// Number of the newest slab.
    slab: u64,
    sent: Vec<Record>,
    entries: Vec<Entry>,
    news: Vec<News>,
}

impl Bench {
    /// AWS's time is known and so is the identity.
    fn new(dimensions: Vec<DimensionSpec>) -> Bench {
        let mut bench = Bench::in_the_dark(dimensions);
        bench.time_known(0);
        bench
    }

    /// AWS's time is not known.
    fn in_the_dark(dimensions: Vec<DimensionSpec>) -> Bench {
        let name = |n: usize| dimensions.get(n).map_or("hosts".into(), |spec| spec.name.clone());
        let tags = Tags::from([("team".to_owned(), "a".to_owned())]);
        let series = vec![
            (ONE, Series { dimension: name(0), tags: Tags::new() }),
            (LEVEL, Series { dimension: name(1), tags: Tags::new() }),
            (TAGGED, Series { dimension: name(0), tags }),
        ];
        let now = FIRST.start();
        let mut bench = Bench {
            metering: Metering::new(dimensions, policy(), Books::default(), FIRST, now),
            draw: Draw::new([9; 32]),
            now,
            slab: 0,
            sent: Vec::new(),
            entries: Vec::new(),
            news: Vec::new(),
        };
        bench.metering.identified(&task("1"));
        let step = bench.metering.learn(series);
        bench.take(step);
        bench
    }

    fn sums() -> Bench {
        Bench::new(vec![spec("requests", Kind::Sum), spec("hosts", Kind::Max)])
    }

    /// Another process goes on from what is durable; answers to what was on its way never come.
    fn restart(&mut self) {
        let Metering { dimensions, policy, books, open, .. } = self.metering.clone();
        self.metering = Metering::new(dimensions, policy, books, open, self.now);
        self.metering.identified(&task("1"));
        self.sent.clear();
        self.time_known(0);
    }

    /// AWS's time is learned: it is `behind_ms` more than what this computer's clock says.
    fn time_known(&mut self, behind_ms: i64) {
        self.now = Timestamp(self.now.0 + behind_ms);
        let step = self.metering.time_known(behind_ms, self.now, &mut self.draw);
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        self.news.extend(step.news);
        for command in step.commands {
            match command {
                Command::Send(record) => self.sent.push(record),
                Command::Commit(entries) => self.entries.extend(entries),
                Command::Rotate { .. } | Command::CloseCounters | Command::Label { .. } => {}
                other => panic!("metering does not say {other:?}"),
            }
        }
        assert_eq!(self.metering.books.fault(), None);
    }

    /// The slab of `hour` is closed with these values; the clock stays where it is.
    fn capture(&mut self, hour: Hour, next: Hour, values: &[(SeriesId, u64)]) {
        let provisional = !self.metering.time_known;
        self.slab += 1;
        let values = values.iter().copied().collect();
        let slab = Closed { sequence: self.slab, hour, provisional, values };
        let step = self.metering.captured(slab, next, self.now, &mut self.draw);
        self.take(step);
    }

    fn tick(&mut self) {
        let step = self.metering.tick(self.now, &mut self.draw);
        self.take(step);
    }

    /// The running hour ends with these values; the clock stands at the start of the next one.
    fn end_hour(&mut self, values: &[(SeriesId, u64)]) {
        let hour = self.metering.open;
        self.now = hour.end();
        let step = self.metering.tick(self.now, &mut self.draw);
        let rotates = |command: &Command| matches!(command, Command::Rotate { next, .. } if *next == hour.next());
        assert!(step.commands.iter().any(rotates), "{step:?}");
        self.take(step);
        self.capture(hour, hour.next(), values);
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.tick();
    }

    /// Past the send phase of the hour that has just ended.
    fn wait_for_phase(&mut self) {
        self.wait(Duration::from_secs(16 * 60));
    }

    fn answer(&mut self, outcome: Sent) {
        let record = self.sent.last().expect("something was sent").id;
        let step = self.metering.sent(record, outcome, self.now, &mut self.draw);
        self.take(step);
    }

    fn account(&self) -> Account {
        let account = self.metering.accounts().swap_remove(0);
        assert!(account.balances(), "{account:?}");
        account
    }

    fn kinds(&self) -> Vec<EventKind> {
        self.news.iter().map(|news| news.kind).collect()
    }
}

fn whole(units: u64) -> Units {
    Units { scaled: units, digits: 0 }
}

fn recorded() -> Sent {
    Sent::Recorded { record_id: "r-1".into(), request_id: None }
}

fn failed(class: FailureClass) -> Sent {
    Sent::Failed(Failure { class, text: "no answer".into() })
}

fn refused(reason: RefusalReason) -> Sent {
    Sent::Refused(Refusal { reason, text: "no".into() })
}

#[test]
fn an_hour_is_frozen_only_after_it_has_ended_and_sent_at_its_own_minute() {
    let mut bench = Bench::sums();
    bench.wait(Duration::from_secs(3599));
    assert_eq!(bench.entries.len(), 1, "a record sent early locks the hour");
    bench.end_hour(&[(ONE, 7)]);
    assert!(matches!(&bench.entries[2], Entry::Frozen(record) if record.units == whole(7)));
    assert!(bench.sent.is_empty(), "not before the phase");
    let due = bench.metering.due().expect("it will send");
    let delay = due.since(FIRST.end());
    assert!((60..=60 + 14 * 60).contains(&delay.as_secs()), "{delay:?}");
    bench.wait_for_phase();
    let record = &bench.sent[0];
    assert_eq!(record.hour, FIRST);
    assert_eq!(record.timestamp.0, FIRST.end().0 - 1000, "the last second of its hour");
    assert!(matches!(bench.entries.last(), Some(Entry::Begun(_))), "durable before the first byte");
    bench.answer(recorded());
    assert_eq!(
        bench.account(),
        Account { dimension: "requests".into(), added: 7, delivered: 7, ..Account::default() }
    );
}

#[test]
fn an_hour_without_usage_sends_nothing() {
    // T19: zero records are off.
    let mut bench = Bench::sums();
    bench.end_hour(&[]);
    bench.wait_for_phase();
    assert!(bench.sent.is_empty());
}

#[test]
fn each_attempt_sends_the_same_record() {
    // T14, T27
    for class in [
        FailureClass::Unknown,
        FailureClass::NotSent,
        FailureClass::Throttled,
        FailureClass::AccessDenied,
    ] {
        let mut bench = Bench::sums();
        bench.end_hour(&[(ONE, 7)]);
        bench.wait_for_phase();
        for _ in 0..20 {
            bench.answer(failed(class));
            bench.wait(Duration::from_secs(400));
        }
        assert!(bench.sent.len() > 15, "{class:?}");
        assert!(bench.sent.iter().all(|record| *record == bench.sent[0]), "{class:?}");
        bench.answer(recorded());
        assert_eq!(bench.account().delivered, 7);
    }
}

#[test]
fn a_record_that_was_never_sent_is_carried_when_its_window_closes_and_billed_once() {
    // T17
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    while bench.now < freeze::window_end(FIRST) {
        bench.answer_all(&failed(FailureClass::NotSent));
        bench.wait(Duration::from_secs(400));
        if bench.now.hour() > bench.metering.open {
            bench.end_hour_now(&[(ONE, 1)]);
        }
    }
    bench.answer_all(&failed(FailureClass::NotSent));
    bench.wait(Duration::from_secs(1));
    assert!(bench.kinds().contains(&EventKind::UsageCarried), "{:?}", bench.kinds());
    for _ in 0..20 {
        bench.deliver_all();
        bench.end_hour(&[(ONE, 1)]);
        bench.wait_for_phase();
    }
    bench.deliver_all();
    let account = bench.account();
    assert_eq!(
        (account.added, account.delivered, account.pending),
        (account.added, account.added, 0)
    );
    let mut slots: Vec<_> = bench.recorded_hours();
    let all = slots.len();
    slots.dedup();
    assert_eq!(slots.len(), all, "one record an hour");
}

impl Bench {
    /// As `end_hour`, with the clock where it is.
    fn end_hour_now(&mut self, values: &[(SeriesId, u64)]) {
        self.capture(self.metering.open, self.now.hour(), values);
    }

    /// Answers every record that is on its way, and those that leave thereupon.
    fn answer_all(&mut self, outcome: &Sent) {
        for _ in 0..100 {
            for record in std::mem::take(&mut self.sent) {
                let step = self.metering.sent(record.id, outcome.clone(), self.now, &mut self.draw);
                self.take(step);
            }
        }
    }

    fn deliver_all(&mut self) {
        self.answer_all(&recorded());
    }

    fn recorded_hours(&self) -> Vec<Hour> {
        let mut hours: Vec<Hour> = Vec::new();
        for entry in &self.entries {
            if let Entry::Settled { record, fate: Fate::Recorded { .. } } = entry {
                let frozen = self.entries.iter().find_map(|entry| match entry {
                    Entry::Frozen(frozen) if frozen.id == *record => Some(frozen.hour),
                    _ => None,
                });
                hours.extend(frozen);
            }
        }
        hours.sort();
        hours
    }
}

#[test]
fn a_record_of_unknown_fate_is_disputed_when_its_window_closes_and_never_resent() {
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    bench.answer(failed(FailureClass::Unknown));
    bench.now = freeze::window_end(FIRST);
    bench.wait(Duration::from_secs(1));
    assert_eq!(
        bench.kinds(),
        [EventKind::MeteringOutage, EventKind::UsageDisputed, EventKind::MeteringOutage]
    );
    assert_eq!((bench.account().disputed, bench.account().pending), (7, 0));
    let sent = bench.sent.len();
    for _ in 0..30 {
        bench.end_hour_now(&[]);
        bench.wait(Duration::from_secs(3600));
    }
    assert_eq!(bench.sent.len(), sent);
}

#[test]
fn outcomes_settle_a_record_as_the_table_says() {
    let check =
        |before: Option<Sent>, outcome: Sent, place: fn(&Account) -> u64, kinds: &[EventKind]| {
            let mut bench = Bench::sums();
            bench.end_hour(&[(ONE, 7)]);
            bench.wait_for_phase();
            if let Some(before) = before {
                bench.answer(before);
                bench.wait(Duration::from_secs(400));
            }
            let told = bench.news.len();
            bench.answer(outcome.clone());
            assert_eq!(place(&bench.account()), 7, "{outcome:?}");
            assert_eq!(&bench.kinds()[told..], kinds, "{outcome:?}");
        };
    type Place = fn(&Account) -> u64;
    let (pending, disputed, held): (Place, Place, Place) =
        (|a| a.pending, |a| a.disputed, |a| a.held);
    use EventKind::{UsageCarried, UsageDisputed, UsageHeld};
    let unknown = || Some(failed(FailureClass::Unknown));
    // T15: another process holds the slot.
    check(None, Sent::Duplicate("17".into()), pending, &[UsageCarried]);
    check(unknown(), Sent::Duplicate("17".into()), pending, &[UsageCarried]);
    check(None, Sent::OutOfBounds("old".into()), pending, &[UsageCarried]);
    check(unknown(), Sent::OutOfBounds("old".into()), disputed, &[UsageDisputed]);
    check(None, Sent::TokenConflict("token".into()), disputed, &[UsageDisputed]);
    check(None, refused(RefusalReason::InvalidProduct), held, &[UsageHeld]);
    check(None, refused(RefusalReason::NotEntitled), held, &[UsageHeld]);
    check(None, refused(RefusalReason::AccessDenied), pending, &[EventKind::MeteringOutage]);
    check(None, failed(FailureClass::Throttled), pending, &[]);
}

#[test]
fn a_late_level_is_missed_and_never_moved_to_another_hour() {
    let mut bench = Bench::sums();
    bench.end_hour(&[(LEVEL, 5)]);
    bench.wait_for_phase();
    bench.answer(Sent::Duplicate("4".into()));
    assert_eq!(bench.kinds(), [EventKind::UsageMissed]);
    let hosts = bench.metering.accounts().swap_remove(1);
    assert!(hosts.balances());
    assert_eq!((hosts.added, hosts.missed), (5, 5));
    bench.end_hour(&[(LEVEL, 6)]);
    bench.wait_for_phase();
    assert_eq!(bench.sent.last().expect("the next hour").units, whole(6));
}

#[test]
fn a_carried_hour_joins_the_next_one_with_its_origin() {
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    bench.answer(Sent::Duplicate("17".into()));
    bench.end_hour(&[(ONE, 2)]);
    bench.wait_for_phase();
    let record = bench.sent.last().expect("sent");
    assert_eq!(
        (record.units, record.hour, record.carried_from()),
        (whole(9), FIRST.next(), BTreeSet::from([FIRST]))
    );
}

#[test]
fn remainders_of_a_unit_wait_and_are_never_lost() {
    let mut bench = Bench::new(vec![
        DimensionSpec { per_unit: 1000, ..spec("requests", Kind::Sum) },
        spec("hosts", Kind::Max),
    ]);
    let mut units = 0;
    for _ in 0..10 {
        bench.end_hour(&[(ONE, 1300)]);
        bench.wait_for_phase();
        units += bench.sent.iter().map(|record| record.units.scaled).sum::<u64>();
        bench.deliver_all();
    }
    assert_eq!(units, 13);
    assert_eq!((bench.account().delivered, bench.account().pending), (13_000, 0));
    assert!(!bench.kinds().contains(&EventKind::UsageCarried), "a remainder is no carried hour");
}

#[test]
fn what_an_hour_cannot_take_goes_to_the_next_one() {
    // T20: beyond int32, and a seller's own ceiling.
    for (ceiling, first) in [(None, quantity_max()), (Some(100), 100)] {
        let mut bench = Bench::new(vec![
            DimensionSpec { ceiling, ..spec("requests", Kind::Sum) },
            spec("hosts", Kind::Max),
        ]);
        bench.end_hour(&[(ONE, first + 50)]);
        bench.wait_for_phase();
        assert_eq!(bench.sent[0].units, whole(first));
        bench.deliver_all();
        bench.end_hour(&[(ONE, 1)]);
        bench.wait_for_phase();
        assert_eq!(bench.sent[0].units, whole(51));
        bench.deliver_all();
        assert_eq!(bench.account().pending, 0);
    }
}

fn quantity_max() -> u64 {
    crate::model::quantity::WHOLE_MAX
}

#[test]
fn tagged_counts_become_allocations_that_sum_to_the_whole() {
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 5), (TAGGED, 10)]);
    bench.wait_for_phase();
    let record = &bench.sent[0];
    assert_eq!(record.units, whole(15));
    let parts: Vec<_> =
        record.allocations.iter().map(|part| (part.units.scaled, part.tags.len())).collect();
    assert_eq!(parts, [(5, 0), (10, 1)]);
}

#[test]
fn the_end_freezes_the_running_hour_once_and_sends_it_at_once() {
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait(Duration::from_secs(20));
    let step = bench.metering.close(bench.now);
    assert!(matches!(step.commands[..], [Command::CloseCounters]));
    let running = bench.metering.open;
    bench.capture(running, running.next(), &[(ONE, 3)]);
    assert_eq!(bench.sent.len(), 2, "both at once, without waiting for the phase");
    assert_eq!(bench.sent[1].timestamp, bench.now, "now, for the hour still runs");
    assert!(bench.metering.closed() && bench.metering.busy());
    bench.deliver_all();
    assert!(!bench.metering.busy());
    assert_eq!(bench.account().delivered, 10);
    assert_eq!(bench.metering.due(), None);
}

#[test]
fn nothing_is_sent_before_the_identity_is_known() {
    let mut bench = Bench::sums();
    bench.metering.phase = None;
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    assert!(bench.sent.is_empty());
    assert_eq!(bench.account().pending, 7);
}

#[test]
fn an_outage_is_told_at_once_again_when_it_is_serious_and_when_it_ends() {
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    for _ in 0..30 {
        bench.answer(failed(FailureClass::NotSent));
        bench.now = bench.now.after(Duration::from_secs(300));
        let step = bench.metering.flush(bench.now, &mut bench.draw);
        bench.take(step);
    }
    bench.answer(recorded());
    let outage: Vec<_> = bench
        .news
        .iter()
        .filter(|news| news.kind == EventKind::MeteringOutage)
        .map(|news| news.details["serious"].as_bool())
        .collect();
    assert_eq!(outage, [Some(false), Some(true)]);
    assert_eq!(bench.kinds().last(), Some(&EventKind::MeteringRecovered));
}

#[test]
fn at_most_two_records_are_on_their_way() {
    let name = |n: u32| format!("d{n}");
    let series =
        |n| (SeriesId(n), Series { dimension: name(n).as_str().into(), tags: Tags::new() });
    let mut bench = Bench::new((0..24).map(|n| spec(&name(n), Kind::Sum)).collect());
    bench.metering.learn((0..24).map(series).collect());
    let values: Vec<_> = (0..24).map(|n| (SeriesId(n), 1)).collect();
    bench.end_hour(&values);
    bench.wait_for_phase();
    assert_eq!(bench.sent.len(), IN_FLIGHT_MAX);
    assert_eq!(bench.metering.due().map(|due| due > bench.now), Some(true), "no busy waiting");
    for _ in 0..24 {
        bench.deliver_all();
    }
    assert!(!bench.metering.busy());
}

#[test]
fn many_tasks_spread_over_the_phase() {
    // T26
    let mut minutes = BTreeSet::new();
    for task_number in 0..500 {
        let mut bench = Bench::sums();
        bench.metering.identified(&task(&task_number.to_string()));
        bench.end_hour(&[(ONE, 1)]);
        let due = bench.metering.sends.values().next().expect("frozen").at;
        minutes.insert(due.since(FIRST.end()).as_secs() / 60);
    }
    assert_eq!(minutes.into_iter().collect::<Vec<_>>(), (1..15).collect::<Vec<_>>());
}

#[test]
fn an_hour_stays_unfrozen_while_the_clock_stands_before_its_end() {
    // T65: the clock stepped back between the rotation and its values.
    let mut bench = Bench::sums();
    bench.now = FIRST.start();
    bench.capture(FIRST, FIRST.next(), &[(ONE, 7)]);
    assert!(!bench.entries.iter().any(|entry| matches!(entry, Entry::Frozen(_))));
    assert_eq!(bench.account().pending, 7);
    bench.end_hour(&[]);
    bench.wait_for_phase();
    assert_eq!((bench.sent[0].hour, bench.sent[0].units), (FIRST, whole(7)));
}

#[test]
fn a_slot_takes_one_record_even_when_its_hour_is_captured_twice() {
    // T13
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.capture(FIRST, FIRST.next(), &[(ONE, 2)]);
    assert_eq!(bench.kinds(), [EventKind::UsageCarried]);
    bench.wait_for_phase();
    bench.end_hour(&[]);
    bench.wait_for_phase();
    let sent: Vec<_> = bench.sent.iter().map(|record| (record.hour, record.units.scaled)).collect();
    assert_eq!(sent, [(FIRST, 7), (FIRST.next(), 2)]);
}

#[test]
fn decimals_are_exact_and_their_remainder_waits() {
    // 0.01 GB is ten raw megabytes of a thousand.
    let mut bench = Bench::new(vec![
        DimensionSpec { per_unit: 1000, fraction_digits: 2, ..spec("gb", Kind::Sum) },
        spec("hosts", Kind::Max),
    ]);
    let mut texts = Vec::new();
    for _ in 0..4 {
        bench.end_hour(&[(ONE, 17_428), (TAGGED, 5)]);
        bench.wait_for_phase();
        let record = bench.sent[0].clone();
        let parts: u64 = record.allocations.iter().map(|part| part.units.scaled).sum();
        assert!(record.allocations.is_empty() || parts == record.units.scaled);
        texts.push(record.units.to_string());
        bench.deliver_all();
    }
    assert_eq!(texts, ["17.42", "17.44", "17.43", "17.44"]);
    assert_eq!(bench.account().pending, 2, "4 x 17433 less 6973 hundredths of ten");
}
