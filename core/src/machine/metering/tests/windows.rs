//! What late answers, throttling and the shape of a quantity do to records.

use super::*;

/// AWS cannot be reached from the start of `FIRST` for this long; an hour counts 7, or 1 later on.
fn outage(minutes: u64, restarts: bool) -> Bench {
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    let heals = FIRST.start().after(Duration::from_secs(minutes * 60));
    while bench.now < heals {
        bench.answer_all(&failed(FailureClass::NotSent));
        if restarts {
            bench.restart();
        }
        bench.wait(Duration::from_secs(60));
        if bench.now.hour() > bench.metering.open {
            bench.end_hour_now(&[(ONE, 1)]);
        }
    }
    for _ in 0..3 {
        for _ in 0..8 {
            bench.deliver_all();
            if restarts {
                bench.restart();
            }
            bench.wait(Duration::from_secs(400));
        }
        bench.deliver_all();
        bench.now = bench.now.max(bench.metering.open.end());
        bench.tick();
        bench.end_hour_now(&[]);
    }
    bench
}

#[test]
fn outages_up_to_the_window_are_billed_in_place_and_longer_ones_are_carried_once() {
    // T17. The last quarter of an hour of the six is left to doubt about where they begin.
    for restarts in [false, true] {
        for (minutes, carries) in
            [(5 * 60 + 30, false), (5 * 60 + 59, true), (361, true), (1800, true)]
        {
            let mut bench = outage(minutes, restarts);
            for _ in 0..8 {
                bench.wait(Duration::from_secs(400));
                bench.deliver_all();
            }
            let about = format!("{minutes} min, restarts {restarts}");
            let account = bench.account();
            assert_eq!((account.pending, account.disputed), (0, 0), "{about}: {account:?}");
            assert_eq!(account.delivered, account.added, "{about}");
            let carried = bench.kinds().contains(&EventKind::UsageCarried);
            assert_eq!(carried, carries, "{about}: {:?}", bench.kinds());
            let slots = bench.recorded_hours();
            assert_eq!(slots.iter().collect::<BTreeSet<_>>().len(), slots.len(), "{about}");
            assert_eq!(slots.contains(&FIRST), !carries, "{about}");
            let origins: BTreeSet<_> = bench
                .entries
                .iter()
                .filter_map(|entry| match entry {
                    Entry::Frozen(record) => Some(record.carried_from()),
                    _ => None,
                })
                .flatten()
                .collect();
            assert_eq!(origins.contains(&FIRST), carries, "{about}: the ledger shows the origin");
        }
    }
}

#[test]
fn a_restart_disputes_what_was_begun_and_nothing_else() {
    // T14, T27: nobody knows what the process before us heard.
    for (answer, disputed) in
        [(None, 7), (Some(FailureClass::Unknown), 7), (Some(FailureClass::NotSent), 0)]
    {
        let mut bench = Bench::sums();
        bench.end_hour(&[(ONE, 7)]);
        bench.wait_for_phase();
        if let Some(class) = answer {
            bench.answer(failed(class));
        }
        bench.now = freeze::window_end(FIRST);
        bench.restart();
        assert_eq!(bench.account().disputed, disputed, "{answer:?}");
        assert_eq!(bench.account().pending, 7 - disputed, "{answer:?}");
    }
}

#[test]
fn doubt_of_a_dead_process_outlives_an_answer_that_proves_nothing() {
    // Begun and killed; throttled in the next process, and that one ends too.
    for class in [FailureClass::Throttled, FailureClass::NotSent, FailureClass::AccessDenied] {
        let mut bench = Bench::sums();
        bench.end_hour(&[(ONE, 7)]);
        bench.wait_for_phase();
        bench.restart();
        bench.answer(failed(class));
        let durable: Books = bench.entries.iter().fold(Books::default(), |mut books, entry| {
            books.apply(entry);
            books
        });
        assert!(durable.records.values().all(|kept| kept.in_doubt), "{class:?}");
        bench.metering.books = durable;
        bench.now = freeze::window_end(FIRST);
        bench.restart();
        assert_eq!(bench.account().disputed, 7, "{class:?}");
    }
}

#[test]
fn a_restart_sends_the_same_bytes() {
    // T14
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7), (TAGGED, 3)]);
    bench.wait_for_phase();
    let first = bench.sent[0].clone();
    for _ in 0..5 {
        bench.restart();
        bench.tick();
        assert_eq!(bench.sent, std::slice::from_ref(&first));
    }
    bench.deliver_all();
    assert_eq!(bench.account().delivered, 10);
}

#[test]
fn a_refusal_after_an_unknown_attempt_is_disputed() {
    // Held counts may be billed by hand; these may be billed already.
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    bench.answer(failed(FailureClass::Unknown));
    bench.wait(Duration::from_secs(400));
    bench.answer(refused(RefusalReason::NotEntitled));
    assert_eq!((bench.account().held, bench.account().disputed), (0, 7));
}

#[test]
fn usage_added_while_a_record_is_on_its_way_is_counted_in_the_next_hour() {
    // T12: sent at hh:59:59, answered at hh+1:00:01.
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.now = Timestamp(FIRST.next().end().0 - 1000);
    bench.tick();
    assert_eq!(bench.sent.len(), 1);
    bench.wait(Duration::from_secs(2));
    bench.end_hour_now(&[(ONE, 5)]);
    bench.answer(recorded());
    bench.sent.clear();
    bench.wait_for_phase();
    assert_eq!((bench.sent[0].hour, bench.sent[0].units), (FIRST.next(), whole(5)));
    bench.deliver_all();
    assert_eq!(bench.account().delivered, 12);
}

#[test]
fn hours_without_usage_are_reported_when_the_policy_says_so() {
    // T19
    let mut bench = Bench::sums();
    bench.metering.policy.zero_records = true;
    bench.end_hour(&[]);
    bench.wait_for_phase();
    let sent: Vec<_> = bench.sent.iter().map(|r| (r.dimension.as_str(), r.units.scaled)).collect();
    assert_eq!(sent, [("requests", 0), ("hosts", 0)]);
    bench.deliver_all();
    bench.end_hour(&[(ONE, 2)]);
    bench.wait_for_phase();
    assert_eq!(bench.sent[0].units, whole(2), "a zero hour does not stop the next one");
}

#[test]
fn a_duplicate_of_another_process_carries_everything() {
    // T15: in doubt or not, for as long as the other process takes our hours.
    let mut bench = Bench::sums();
    let mut added = 0;
    for n in 1..=5 {
        bench.end_hour(&[(ONE, n)]);
        added += n;
        bench.wait_for_phase();
        if n % 2 == 0 {
            bench.answer(failed(FailureClass::Unknown));
            bench.wait(Duration::from_secs(400));
        }
        bench.answer(Sent::Duplicate("1000".into()));
        bench.sent.clear();
        assert_eq!(bench.account().pending, added);
    }
    bench.end_hour(&[]);
    bench.wait_for_phase();
    assert_eq!(bench.sent[0].units, whole(added));
    assert_eq!(bench.sent[0].carried_from().len(), 5);
}

#[test]
fn usage_that_crosses_a_month_is_told() {
    // T21: 1 December 2025, 00:00 UTC.
    let new_month = Timestamp(1_764_547_200_000).hour();
    let mut bench = Bench::sums();
    let last = Hour(new_month.0 - 1);
    bench.metering.open = last;
    bench.now = last.start();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    bench.answer(failed(FailureClass::Throttled));
    bench.wait(Duration::from_secs(1800));
    assert!(!bench.kinds().contains(&EventKind::UsageCrossedMonth), "still sent with its month");
    bench.answer(Sent::OutOfBounds("one hour".into()));
    bench.end_hour(&[(ONE, 1)]);
    let news = bench.news.last().expect("told");
    assert_eq!(news.kind, EventKind::UsageCrossedMonth);
    assert_eq!(news.details["from_hour_ms"], last.start().0);
    assert_eq!(news.details["hour_ms"], new_month.start().0);
}

#[test]
fn an_unsubscribed_buyer_holds_usage_and_loses_none() {
    // T22
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 7)]);
    bench.wait_for_phase();
    bench.answer(refused(RefusalReason::NotEntitled));
    bench.sent.clear();
    bench.end_hour(&[(ONE, 2)]);
    bench.wait_for_phase();
    bench.deliver_all();
    let account = bench.account();
    assert_eq!((account.held, account.delivered, account.pending), (7, 2, 0));
}

#[test]
fn a_throttled_account_sends_several_hours_of_sums_as_one_and_comes_back() {
    // T26
    let mut bench = Bench::sums();
    bench.end_hour(&[(ONE, 1)]);
    bench.wait_for_phase();
    for _ in 0..3 {
        bench.answer_all(&failed(FailureClass::Throttled));
        bench.wait(Duration::from_secs(400));
    }
    bench.deliver_all();
    let mut levels = 0;
    let mut hours = Vec::new();
    for _ in 0..6 {
        bench.end_hour(&[(ONE, 1), (LEVEL, 4)]);
        bench.wait_for_phase();
        while let Some(record) = bench.sent.pop() {
            if record.dimension.as_str() == "hosts" {
                levels += 1;
                assert_eq!(record.carried_from(), BTreeSet::new(), "a level never moves");
            } else {
                hours.push((record.hour.0 - FIRST.0, record.units.scaled));
            }
            // Levels that get through do not say that the account has room again.
            let class = failed(FailureClass::Throttled);
            let outcome = if hours.len() > 1 { recorded() } else { class };
            let step = bench.metering.sent(record.id, outcome, bench.now, &mut bench.draw);
            bench.take(step);
        }
        bench.deliver_all();
    }
    assert!(levels >= 6, "{levels}");
    assert!(hours.iter().any(|(_, units)| *units > 1), "sums were merged: {hours:?}");
    assert_eq!(bench.metering.stretch, 1, "and then no more");
}

#[test]
fn counts_of_an_unknown_dimension_are_held() {
    // A dimension that the new version of the product does not define any more.
    let mut bench = Bench::sums();
    let gone = Series { dimension: "old".into(), tags: Tags::new() };
    let step = bench.metering.learn(vec![(SeriesId(9), gone)]);
    bench.take(step);
    bench.end_hour(&[(ONE, 1), (SeriesId(9), 5), (SeriesId(77), 6)]);
    assert_eq!(bench.kinds(), [EventKind::UsageHeld, EventKind::UsageHeld]);
    let held: Vec<_> =
        bench.metering.accounts().into_iter().map(|a| (a.dimension, a.held)).collect();
    let named = |name: &str, held| (name.to_owned(), held);
    assert_eq!(
        held,
        [
            named("requests", 0),
            named("hosts", 0),
            named(crate::model::books::UNKNOWN, 6),
            named("old", 5)
        ]
    );
}

#[test]
fn allocations_of_many_hours_and_tag_sets_sum_to_the_whole() {
    // T24: as AWS demands of UsageAllocations; with units of 7 and a ceiling, so that remainders stay.
    let specs =
        vec![DimensionSpec { per_unit: 7, ceiling: Some(9), ..spec("requests", Kind::Sum) }];
    let mut bench = Bench::new(specs);
    let (mut billed, mut added) = (0, 0);
    for n in 0..40 {
        let (plain, tagged) = (n % 11, if n < 30 { n % 13 } else { 0 });
        added += plain + tagged;
        bench.end_hour(&[(ONE, plain), (TAGGED, tagged)]);
        bench.wait_for_phase();
        for record in &bench.sent {
            let parts: u64 = record.allocations.iter().map(|part| part.units.scaled).sum();
            assert!(record.allocations.is_empty() || parts == record.units.scaled, "{record:?}");
            assert!(record.units.scaled <= 9 && record.raw() == record.units.scaled * 7);
            billed += record.units.scaled;
        }
        bench.deliver_all();
    }
    let account = bench.account();
    assert_eq!((account.added, account.delivered), (added, billed * 7));
    assert!(account.pending < 14, "less than a unit of each counter: {account:?}");
}
