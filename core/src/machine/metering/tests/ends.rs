//! How processes end, come back, and take over.

use super::*;
use crate::model::usage::Lot;

fn close(bench: &mut Bench, values: &[(SeriesId, u64)]) {
    let step = bench.metering.close(bench.now);
    assert!(matches!(step.commands[..], [Command::CloseCounters]), "{step:?}");
    let open = bench.metering.open;
    bench.capture(open, open, values);
}

#[test]
fn a_second_end_in_the_same_hour_carries_and_never_sends_another_record() {
    // T13, T13b: final flush at hh:20, restart in place, end at hh:40, start again in the next hour.
    let mut bench = Bench::sums();
    bench.wait(Duration::from_secs(1200));
    close(&mut bench, &[(ONE, 7), (LEVEL, 3)]);
    assert_eq!(bench.sent.len(), 2);
    assert_eq!(bench.sent[0].timestamp, bench.now, "not in the future");
    bench.deliver_all();
    bench.restart();
    bench.wait(Duration::from_secs(1200));
    close(&mut bench, &[(ONE, 2), (LEVEL, 4)]);
    assert!(bench.sent.is_empty(), "its record is taken");
    assert_eq!(bench.kinds(), [EventKind::UsageCarried, EventKind::UsageMissed], "never silent");
    assert_eq!(bench.account().pending, 2);
    bench.restart();
    bench.end_hour(&[]);
    bench.restart();
    bench.end_hour(&[(ONE, 1)]);
    bench.wait_for_phase();
    let record = bench.sent.last().expect("the next free hour");
    assert_eq!((record.hour, record.units), (FIRST.next(), whole(3)));
    assert_eq!(record.carried_from(), BTreeSet::from([FIRST]));
}

#[test]
fn who_leaves_freezes_nothing_and_begins_nothing() {
    // T28: a recycled worker.
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.metering.leave();
    assert!(bench.metering.closed() && !bench.metering.busy());
    let before = bench.entries.len();
    bench.wait_for_phase();
    bench.now = FIRST.next().end();
    bench.tick();
    assert!(bench.sent.is_empty());
    assert_eq!(bench.entries.len(), before);
    bench.restart();
    bench.tick();
    assert_eq!(bench.sent[0].units, whole(7), "the next leader sends it");
}

#[test]
fn who_leaves_hears_what_is_on_its_way_and_tries_nothing_again() {
    for (outcome, delivered) in [(recorded(), 7), (failed(FailureClass::Unknown), 0)] {
        let mut bench = Bench::sums();
        bench.end_hour(&[(ONE, 7)]);
        bench.wait_for_phase();
        bench.metering.leave();
        assert!(bench.metering.busy(), "an answer may still come");
        bench.answer(outcome);
        assert!(!bench.metering.busy());
        assert_eq!(bench.account().delivered, delivered);
        assert_eq!(bench.metering.due(), None);
    }
}

#[test]
fn counts_of_a_dead_identity_are_taken_over_once() {
    // T09: never begun waits for us, begun is disputed, a level is missed.
    let mut bench = Bench::sums();
    let dead = Hour(FIRST.0 - 9);
    let lot = |series| Lot { hour: dead, series };
    let waiting = Lots::from([(lot(ONE), 5), (lot(LEVEL), 4)]);
    let disputed = Lots::from([(lot(ONE), 6)]);
    for _ in 0..2 {
        let why = "task 2 has ended".to_owned();
        let step =
            bench.metering.take_over("ledger-2".into(), waiting.clone(), disputed.clone(), why);
        bench.take(step);
        bench.restart();
    }
    let account = bench.account();
    assert_eq!((account.added, account.pending, account.disputed), (11, 5, 6));
    let hosts = bench.metering.accounts().swap_remove(1);
    assert_eq!((hosts.added, hosts.missed), (4, 4));
    let taken = |entry: &&Entry| matches!(entry, Entry::TakenOver { .. });
    assert_eq!(bench.entries.iter().filter(taken).count(), 1);
    bench.end_hour(&[(ONE, 1)]);
    bench.wait_for_phase();
    let record = bench.sent.last().expect("sent with our own hour");
    assert_eq!((record.hour, record.units), (FIRST, whole(6)));
    assert_eq!(record.carried_from(), BTreeSet::from([dead]));
}

#[test]
fn what_was_taken_over_goes_out_even_when_nothing_more_is_counted() {
    let mut bench = Bench::sums();
    let lots = Lots::from([(Lot { hour: Hour(FIRST.0 - 9), series: ONE }, 5)]);
    let step = bench.metering.take_over("ledger-2".into(), lots, Lots::new(), "ended".into());
    bench.take(step);
    bench.end_hour(&[]);
    bench.wait_for_phase();
    bench.deliver_all();
    assert_eq!(bench.account().delivered, 5);
}

#[test]
fn the_end_waits_for_an_answer_and_tries_again_soon() {
    // T37: the deadline is the driver's; until then every try is short.
    let mut bench = Bench::sums();
    close(&mut bench, &[(ONE, 7)]);
    for _ in 0..5 {
        bench.answer(failed(FailureClass::NotSent));
        let due = bench.metering.due().expect("again");
        assert!(due.since(bench.now) <= Duration::from_secs(2));
        bench.now = due;
        bench.tick();
    }
    assert_eq!(bench.sent.len(), 6);
    assert!(bench.sent.iter().all(|record| *record == bench.sent[0]));
}
