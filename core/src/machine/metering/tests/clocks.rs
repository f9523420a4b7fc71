//! Hours whose labels were guessed, and clocks that jump.

use super::*;

const MINUTE: i64 = 60_000;

fn specs() -> Vec<DimensionSpec> {
    vec![spec("requests", Kind::Sum), spec("hosts", Kind::Max)]
}

/// Three hours are counted by a guessed clock (1, 2, 3); then AWS's time is known.
fn guessed(behind_ms: i64) -> Bench {
    let mut bench = Bench::in_the_dark(specs());
    for n in 1..=3 {
        bench.end_hour(&[(ONE, n), (LEVEL, n)]);
        bench.wait_for_phase();
    }
    assert!(bench.sent.is_empty(), "nothing leaves before the time is known");
    let frozen = |entry: &Entry| matches!(entry, Entry::Frozen(_));
    assert!(!bench.entries.iter().any(frozen), "and nothing is frozen");
    bench.time_known(behind_ms);
    bench
}

fn finish(bench: &mut Bench) {
    for _ in 0..40 {
        bench.wait(Duration::from_secs(300));
        bench.deliver_all();
        if bench.now.hour() > bench.metering.open {
            bench.end_hour_now(&[]);
        }
    }
}

#[test]
fn guessed_labels_follow_aws_and_no_count_is_lost() {
    for behind in [0, 20, -20, 40, -40, 90, -90, 3 * 1440, -3 * 1440] {
        let mut bench = guessed(behind * MINUTE);
        let true_hour = bench.now.hour();
        assert!(bench.metering.books.provisional.is_empty(), "{behind}");
        let lots = bench.metering.books.waiting.values().flat_map(|lots| lots.keys());
        let latest = lots.map(|lot| lot.hour).max();
        assert!(latest.is_none_or(|hour| hour <= true_hour), "{behind}: no label in the future");
        finish(&mut bench);
        let account = bench.account();
        assert_eq!((account.added, account.delivered, account.pending), (6, 6, 0), "{behind}");
        let hosts = bench.metering.accounts().swap_remove(1);
        assert_eq!(hosts.delivered + hosts.missed, 6, "{behind}: {hosts:?}");
        let slots = bench.recorded_hours();
        assert!(slots.iter().all(|hour| hour.0 >= true_hour.0 - 6), "{behind}: {slots:?}");
    }
}

#[test]
fn a_clock_that_was_behind_bills_the_hours_that_aws_means() {
    // 90 minutes behind: an hour by our clock lies in two of AWS's, and the later one is still open there.
    let bench = guessed(90 * MINUTE);
    let frozen: Vec<_> =
        bench.metering.books.records.values().map(|k| k.record.hour.0 - FIRST.0).collect();
    assert_eq!(frozen, [2, 2, 3, 3, 4, 4][..frozen.len()], "{frozen:?}");
    let due = bench.metering.due().expect("the running hour ends");
    assert!(
        due <= bench.now,
        "its label is in the past: it ends now, as a guess that is put right"
    );
}

#[test]
fn a_label_in_the_future_is_never_frozen() {
    // T65
    let mut bench = guessed(-40 * MINUTE);
    let frozen = |bench: &Bench| -> Vec<Hour> {
        bench.metering.books.records.values().map(|kept| kept.record.hour).collect()
    };
    let running = bench.now.hour();
    assert!(frozen(&bench).iter().all(|hour| *hour < running), "{:?}", frozen(&bench));
    bench.wait(Duration::from_secs(60));
    assert!(frozen(&bench).iter().all(|hour| *hour < bench.now.hour()));
}

#[test]
fn a_restart_keeps_guessed_labels_guessed() {
    let mut bench = Bench::in_the_dark(specs());
    bench.end_hour(&[(ONE, 5)]);
    let Metering { dimensions, policy, books, open, .. } = bench.metering.clone();
    bench.metering = Metering::new(dimensions, policy, books, open, bench.now);
    bench.metering.identified(&task("1"));
    bench.tick();
    assert!(bench.metering.books.records.is_empty());
    bench.time_known(-180 * MINUTE);
    assert!(bench.metering.books.provisional.is_empty());
    finish(&mut bench);
    assert_eq!(bench.account().delivered, 5);
}

#[test]
fn records_wait_for_no_time_of_a_clock_that_was_wrong() {
    // The process before us froze and sent; ours begins with a clock that is days ahead.
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    bench.answer(failed(FailureClass::NotSent));
    let right = bench.now;
    let ahead = 3 * 1440 * MINUTE;
    let Metering { dimensions, policy, books, open, .. } = bench.metering.clone();
    bench.metering = Metering::new(dimensions, policy, books, open, Timestamp(right.0 + ahead));
    bench.metering.identified(&task("1"));
    bench.sent.clear();
    bench.now = Timestamp(right.0 + ahead);
    bench.tick();
    assert!(bench.sent.is_empty());
    assert!(bench.metering.due().is_none_or(|due| due > bench.now), "no busy waiting");
    bench.time_known(-ahead);
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.sent.len(), 1, "its time is now, not in three days");
}

#[test]
fn a_full_ring_makes_the_hour_longer_and_loses_nothing() {
    // T04
    let mut bench = Bench::sums();
    bench.now = FIRST.end();
    bench.tick();
    bench.metering.unrotated(bench.now);
    let again = bench.metering.due().expect("it tries again");
    assert!(again > bench.now && again <= bench.now.after(Duration::from_secs(60)));
    bench.now = FIRST.end().after(Duration::from_secs(3600 * 2));
    bench.tick();
    bench.end_hour_now(&[(ONE, 7)]);
    bench.wait_for_phase();
    assert_eq!((bench.sent[0].hour, bench.sent[0].units), (FIRST, whole(7)));
}

#[test]
fn a_slab_that_is_captured_late_loses_its_guess_too() {
    // Counted in the dark, captured by the next leader, who knows the time.
    let mut bench = Bench::sums();
    bench.now = Hour(FIRST.0 + 3).start();
    bench.metering.behind_ms = -60 * MINUTE;
    let values = BTreeMap::from([(ONE, 7)]);
    let slab = Closed { sequence: 1, hour: Hour(FIRST.0 + 3), provisional: true, values };
    let step = bench.metering.captured(slab, Hour(FIRST.0 + 3), bench.now, &mut bench.draw);
    bench.take(step);
    assert!(bench.metering.books.provisional.is_empty());
    let record = bench.metering.books.records.values().next().expect("frozen");
    assert_eq!((record.record.hour, record.record.units), (Hour(FIRST.0 + 2), whole(7)));
}

#[test]
fn a_new_leader_ends_the_hour_that_it_finds_and_does_not_rename_it() {
    // T28: the leader died at the end of an hour.
    let mut bench = Bench::sums();
    bench.now = FIRST.end().after(Duration::from_secs(2));
    bench.restart();
    assert_eq!(bench.metering.open, FIRST);
    bench.tick();
    assert!(bench.metering.rotating);
    bench.end_hour_now(&[(LEVEL, 3)]);
    bench.wait_for_phase();
    assert_eq!((bench.sent[0].hour, bench.sent[0].units), (FIRST, whole(3)));
}

#[test]
fn a_level_counts_once_though_two_slabs_have_its_hour() {
    // T13: ended in the dark, started again in the same hour.
    for (kind, low, missed) in [(Kind::Max, 5, 0), (Kind::Last, 3, 5)] {
        let mut bench = Bench::in_the_dark(vec![spec("requests", Kind::Sum), spec("hosts", kind)]);
        bench.capture(FIRST, FIRST, &[(LEVEL, 5)]);
        bench.capture(FIRST, FIRST.next(), &[(LEVEL, 3)]);
        bench.now = FIRST.end();
        bench.time_known(0);
        bench.wait_for_phase();
        assert_eq!(bench.sent[0].units, whole(low), "{kind:?}");
        let hosts = bench.metering.accounts().swap_remove(1);
        assert_eq!(hosts.missed, missed, "{kind:?}");
    }
}

#[test]
fn two_guessed_hours_that_become_one_bill_one_level() {
    let mut bench = Bench::in_the_dark(specs());
    bench.capture(FIRST, FIRST.next(), &[(LEVEL, 5), (ONE, 1)]);
    bench.capture(FIRST.next(), Hour(FIRST.0 + 2), &[(LEVEL, 6), (ONE, 1)]);
    // Both lie in what is left of the hour that AWS has.
    bench.now = FIRST.start();
    bench.time_known(90 * MINUTE);
    bench.wait(Duration::from_secs(3600));
    bench.wait_for_phase();
    let levels: Vec<_> = bench.sent.iter().filter(|r| r.dimension.as_str() == "hosts").collect();
    assert!(levels.iter().all(|record| record.units.scaled <= 6), "{levels:?}");
    let hosts = bench.metering.accounts().swap_remove(1);
    assert!(hosts.balances());
}
