//! License Manager is down: grace, its end, and starts in between. T52, T53

use super::*;

const SECOND: Duration = Duration::from_secs(1);

impl Bench {
    /// The process dies. After `off` the next one starts with what was written last.
    fn restarted(&self, off: Duration) -> Bench {
        self.restarted_at(self.now.after(off), true)
    }

    /// The same where the next process finds this time on its clock.
    fn restarted_at(&self, now: Timestamp, trusted: bool) -> Bench {
        let mut next = Bench::at(self.recheck.plan.clone(), now);
        next.recheck.memory.trusted = trusted;
        next.draw = Draw::new([9; 32]);
        next.written.extend(self.written.last().cloned());
        if let Some(remembered) = next.written.last().cloned() {
            next.recheck.remembered(remembered, now);
        }
        next
    }

    /// License Manager is down for so long. Returns how long the verdict was grace.
    fn down(&mut self, time: Duration) -> Duration {
        let (end, mut grace) = (self.now.after(time), Duration::ZERO);
        while self.now < end {
            let before = self.now;
            let due = [self.recheck.due(), self.recheck.turns_at(self.now)];
            let due = due.into_iter().flatten().min().unwrap_or(end);
            let was = self.verdict();
            self.now = due.max(self.now).min(end);
            if was == Verdict::Grace {
                grace += self.now.since(before);
            }
            let questions = self.tick();
            self.answer(questions, &Answers::down());
        }
        grace
    }

    fn left_in_file(&self) -> Option<Duration> {
        let written = self.written.last()?;
        Some(DAY.saturating_sub(Duration::from_millis(written.spent_ms)))
    }
}

fn confirmed() -> Bench {
    let mut bench = Bench::new();
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench
}

#[test]
fn an_outage_of_twenty_minutes_two_hours_and_three_days_has_three_stages() {
    // T52
    for (time, verdict, reason) in [
        (20 * 60 * SECOND, Verdict::Licensed, Reason::Entitled),
        (2 * HOUR, Verdict::Grace, Reason::Unreachable),
        (3 * DAY, Verdict::Denied, Reason::Stale),
    ] {
        let mut bench = confirmed();
        bench.down(time);
        assert_eq!((bench.verdict(), bench.reason()), (verdict, reason), "{time:?}");
        bench.run(HOUR, &Answers::found(bought("Basic"), &contract("Basic", 10, "1")));
        assert_eq!((bench.verdict(), bench.reason()), (Verdict::Licensed, Reason::Entitled));
    }
}

#[test]
fn restarts_during_an_outage_neither_end_grace_nor_extend_it() {
    // T52
    for every in [10 * 60 * SECOND, HOUR, 5 * HOUR] {
        let mut bench = confirmed();
        let confirmed = bench.now;
        let mut seen = Vec::new();
        while bench.now.since(confirmed) < 2 * DAY {
            bench = bench.restarted(SECOND);
            bench.down(every);
            let age = bench.now.since(confirmed);
            match bench.verdict() {
                Verdict::Grace => assert!(age < DAY, "{every:?}: grace after {age:?}"),
                _ => assert!(age > 20 * HOUR, "{every:?}: {:?} after {age:?}", bench.verdict()),
            }
            seen.push(bench.verdict());
        }
        seen.dedup();
        assert_eq!(seen.first(), Some(&Verdict::Grace));
        assert_eq!(bench.verdict(), Verdict::Pending, "a new process was told nothing explicit");
    }
}

#[test]
fn grace_that_runs_out_under_a_process_denies_and_is_pending_for_the_next() {
    // T52
    let mut bench = confirmed().restarted(23 * HOUR);
    bench.down(HOUR / 2);
    assert_eq!(bench.verdict(), Verdict::Grace);
    bench.down(HOUR);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Denied, Reason::Stale));
    let mut next = bench.restarted(SECOND);
    next.down(HOUR);
    let part = next.recheck.part(next.now);
    assert_eq!((part.verdict, part.reason), (Verdict::Pending, Reason::Unreachable));
    assert!(part.text.contains("no grace is left"), "{}", part.text);
}

#[test]
fn a_start_during_an_outage_is_on_grace_whether_the_memory_or_the_failure_comes_first() {
    // T53
    let before = confirmed();
    let mut bench = before.restarted(HOUR);
    let asked = bench.tick();
    assert_eq!(bench.verdict(), Verdict::Pending, "AWS has not answered yet");
    bench.answer(asked, &Answers::down());
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Grace, Reason::Unreachable));
    assert!(bench.recheck.contract().is_some_and(|c| c.entitlements[0].name == "Basic"));
    let ends = bench.recheck.part(bench.now).until.expect("grace ends");
    assert!(ends <= before.now.after(DAY), "{ends}");

    let mut late = Bench::at(plan(), before.now.after(HOUR));
    late.look(&Answers::down());
    assert_eq!(late.verdict(), Verdict::Pending, "no memory, no grace");
    late.recheck.remembered(before.written.last().cloned().expect("written"), late.now);
    late.tick();
    assert_eq!(late.verdict(), Verdict::Grace);
}

#[test]
fn a_memory_that_comes_after_awss_answer_changes_nothing() {
    // T53
    let mut bench = Bench::at(plan(), Timestamp(0).after(HOUR));
    bench.look(&Answers::read(Tiers::None("none".into()), Details::Nothing("gone".into())));
    bench.recheck.remembered(confirmed().written[0].clone(), bench.now);
    bench.down(HOUR);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Denied, Reason::NotEntitled));

    let old = confirmed().written[0].clone();
    let mut bench = Bench::at(plan(), Timestamp(0).after(10 * DAY));
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench.recheck.remembered(old, bench.now);
    bench.down(2 * HOUR);
    assert_eq!(bench.verdict(), Verdict::Grace, "on our own answer, which is younger");
}

#[test]
fn grace_of_a_memory_ends_with_the_license() {
    // T53
    let mut bench = Bench::new();
    let end = Timestamp(0).after(5 * HOUR);
    bench.found(&Contract { expires: Some(end), ..contract("Basic", 10, "1") }, "Basic");
    let mut next = bench.restarted(2 * HOUR);
    next.look(&Answers::down());
    assert_eq!(next.recheck.part(next.now).until, Some(end));
    next.down(4 * HOUR);
    assert_eq!(next.verdict(), Verdict::Denied);
    let mut late = bench.restarted(6 * HOUR);
    late.down(HOUR);
    let part = late.recheck.part(late.now);
    assert_eq!(part.verdict, Verdict::Pending);
    assert!(part.text.contains("ended at"), "{}", part.text);
}

#[test]
fn awss_no_is_remembered_and_no_outage_revives_what_it_ended() {
    // T53
    let none = || Tiers::None("none".into());
    let status = |standing| Contract { standing, ..contract("Basic", 10, "1") };
    for no in [
        Answers::read(none(), Details::Nothing("gone".into())),
        Answers::found(none(), &status(Standing::Suspended)),
        Answers::found(none(), &status(Standing::Expired)),
    ] {
        let mut bench = confirmed();
        bench.look(&no);
        bench.look(&no);
        assert_eq!(bench.verdict(), Verdict::Denied);
        let mut next = bench.restarted(SECOND);
        next.down(HOUR);
        let part = next.recheck.part(next.now);
        assert_eq!(part.verdict, Verdict::Pending, "{part:?}");
        assert!(part.text.contains("no license that can be used"), "{}", part.text);
    }
}

#[test]
fn a_crash_loop_under_a_clock_that_stands_still_uses_grace_up() {
    // T52: nothing but the time that processes have run says that time has passed.
    for life in [SECOND, 59 * SECOND, 61 * SECOND, 7 * 60 * SECOND, HOUR] {
        let mut bench = confirmed();
        let start = bench.now;
        let (mut ran, mut lives) = (Duration::ZERO, 0);
        loop {
            bench = bench.restarted_at(start, false);
            let grace = bench.down(life);
            ran += grace;
            lives += 1;
            if grace.is_zero() {
                break;
            }
        }
        assert!(ran <= DAY, "{life:?}: {ran:?}");
        assert!(lives <= 24 * 60 + 1, "{life:?}: {lives} lives; each start costs a minute");
        if life >= HOUR {
            assert!(ran >= DAY / 10 * 8, "{life:?}: an honest run loses little: {ran:?}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_gains_nothing() {
    // T53
    let first = confirmed();
    let mut second = first.restarted(20 * HOUR);
    second.down(HOUR);
    let mut third = second.restarted_at(first.now, false);
    third.look(&Answers::down());
    let part = third.recheck.part(third.now);
    assert_eq!(part.verdict, Verdict::Grace);
    let left = part.until.expect("grace ends").since(third.now);
    let block = 5 * 60 * SECOND;
    assert!(left <= 3 * HOUR + block, "{left:?}: twenty-one hours have been seen");
}

#[test]
fn a_guess_of_the_time_is_never_written_as_seen() {
    // T53: a clock that is years ahead for a moment must not end grace for good.
    let first = confirmed();
    let mut second = first.restarted_at(first.now.after(900 * DAY), false);
    second.down(HOUR);
    assert_eq!(second.verdict(), Verdict::Pending);
    let written = second.written.last().expect("kept");
    assert!(written.seen <= first.now.after(HOUR), "{written:?}");
    let mut third = second.restarted_at(first.now.after(2 * HOUR), true);
    third.look(&Answers::down());
    assert_eq!(third.verdict(), Verdict::Grace, "{:?}", third.left_in_file());
}

#[test]
fn a_jump_of_the_clock_is_no_running_time() {
    // T53: AWS's time takes the place of a guess.
    let first = confirmed();
    for ahead in [-3, 3] {
        let now = first.now.after(2 * HOUR);
        let guess = now.shifted(ahead * 86_400_000);
        let mut next = first.restarted_at(guess, false);
        next.look(&Answers::down());
        next.now = next.now.after(60 * SECOND).shifted(-ahead * 86_400_000);
        next.recheck.shift(-ahead * 86_400_000);
        next.recheck.trust();
        next.look(&Answers::down());
        assert_eq!(next.verdict(), Verdict::Grace, "{ahead}");
        let spent = next.recheck.memory.since(next.now);
        assert!(spent < 3 * HOUR, "{ahead}: {spent:?}");
        let ran = Duration::from_millis(next.written.last().expect("written").spent_ms);
        assert!(ran < 10 * 60 * SECOND, "{ahead}: {ran:?}");
    }
}

#[test]
fn nothing_is_written_under_a_guessed_clock_and_all_of_it_once_the_time_is_known() {
    // T53
    let mut bench = Bench::new();
    bench.recheck.memory.trusted = false;
    bench.found(&contract("Basic", 10, "1"), "Basic");
    assert!(bench.written.is_empty());
    bench.recheck.trust();
    bench.tick();
    assert_eq!(bench.written.len(), 1);
    assert_eq!((bench.written[0].confirmed, bench.written[0].spent_ms), (bench.now, 0));
}

#[test]
fn good_answers_are_written_when_they_are_new_or_some_minutes_older() {
    let mut bench = confirmed();
    bench.run(DAY, &Answers::found(bought("Basic"), &contract("Basic", 10, "1")));
    let written = bench.written.len();
    assert!((80..=110).contains(&written), "each good answer: {written}");
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench.recheck.phase = Phase::Idle { at: bench.now.after(SECOND) };
    bench.found(&contract("Basic", 10, "1"), "Basic");
    assert_eq!(bench.written.len(), written + 1, "nothing new, and a second old");
    bench.recheck.phase = Phase::Idle { at: bench.now.after(SECOND) };
    bench.found(&contract("Basic", 20, "2"), "Basic");
    assert_eq!(bench.written.len(), written + 2);
    bench.written.clear();
    bench.down(DAY);
    assert!(bench.written.len() < 320, "every few minutes: {}", bench.written.len());
}

#[test]
fn a_machine_whose_grace_is_over_does_not_wake_for_it_again_and_again() {
    let mut bench = confirmed().restarted(SECOND);
    bench.down(2 * DAY);
    for _ in 0..100 {
        bench.look(&Answers::down());
        let due = bench.recheck.due().expect("it looks again");
        assert!(due > bench.now, "{due} at {}", bench.now);
        assert_eq!(bench.recheck.turns_at(bench.now).filter(|at| *at <= bench.now), None);
    }
}

#[test]
fn an_answer_after_a_start_on_grace_is_compared_with_what_was_remembered() {
    // T52
    let upgraded = || {
        let mut bench = confirmed().restarted(HOUR);
        bench.look(&Answers::down());
        bench
    };
    let mut bench = upgraded();
    assert_eq!(bench.found(&contract("Premium", 10, "2"), "Premium"), [EventKind::LicenseUpgraded]);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    let mut bench = upgraded();
    let none = Answers::read(Tiers::None("none".into()), Details::Nothing("gone".into()));
    assert_eq!(bench.look(&none), []);
    assert_eq!(
        bench.verdict(),
        Verdict::Grace,
        "one answer takes nothing away, and confirms nothing"
    );
    assert_eq!(bench.look(&none), [EventKind::LicenseSuspended]);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Denied, Reason::NotEntitled));
}

#[test]
fn without_grace_in_the_configuration_a_start_during_an_outage_is_pending() {
    let none = ContractPlan { grace: Duration::ZERO, ..plan() };
    let mut bench = Bench::with(none);
    bench.found(&contract("Basic", 10, "1"), "Basic");
    let mut next = bench.restarted(SECOND);
    next.down(HOUR);
    assert_eq!(next.verdict(), Verdict::Pending);
}
