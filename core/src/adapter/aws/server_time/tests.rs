use super::*;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// 2026-01-01T10:00:00Z.
pub(crate) const TEN_MS: i64 = 1_767_261_600_000;
const DATE: (&str, &str) = ("date", "Thu, 01 Jan 2026 10:00:00 GMT");
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const BOOT: u64 = 7;

/// A computer whose clocks a test sets.
#[derive(Clone, Default)]
pub(crate) struct Bench {
    pub(crate) wall: Arc<AtomicI64>,
    pub(crate) boot: Arc<AtomicI64>,
}

impl Bench {
    /// One whose wall clock is `off` from ten o'clock, 1000 s after its start.
    pub(crate) fn off(off: i64) -> Bench {
        let bench = Bench::default();
        bench.wall.store(TEN_MS + off, Relaxed);
        bench.boot.store(1_000_000, Relaxed);
        bench
    }

    pub(crate) fn time(&self) -> ServerTime {
        ServerTime::on(Box::new(self.clone()))
    }

    /// Real time goes by.
    pub(crate) fn pass(&self, ms: i64) {
        self.wall.fetch_add(ms, Relaxed);
        self.boot.fetch_add(ms, Relaxed);
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set_wall(&self, by: i64) {
        self.wall.fetch_add(by, Relaxed);
    }
}

impl Computer for Bench {
    fn wall_ms(&self) -> i64 {
        self.wall.load(Relaxed)
    }

    fn boot_ms(&self) -> i64 {
        self.boot.load(Relaxed)
    }

    fn boot(&self) -> u64 {
        BOOT
    }
}

fn headers_of(headers: &[(&'static str, &str)]) -> Headers {
    let mut made = Headers::new();
    for (name, value) in headers {
        made.insert(*name, (*value).to_owned());
    }
    made
}

/// AWS answers at once, its clock `off` from ten o'clock, as a `Date` tells it.
pub(crate) fn answer(time: &ServerTime, off: i64) {
    let date = DateTime::from_millis(TEN_MS + off).fmt(Format::HttpDate).expect("a date");
    let here = time.boot_ms();
    time.observe(&headers_of(&[("date", &date)]), here, here);
}

fn after(off: i64) -> Timestamp {
    Timestamp(TEN_MS + off)
}

#[test]
fn before_any_answer_the_time_is_a_guess_that_no_set_wall_clock_moves() {
    let bench = Bench::off(0);
    let time = bench.time();
    assert_eq!((time.now(), time.anchor(), time.behind_ms()), (after(0), None, 0));
    bench.set_wall(-HOUR_MS);
    assert_eq!(time.now(), after(0));
    bench.set_wall(20 * HOUR_MS);
    bench.pass(5_000);
    assert_eq!((time.now(), time.behind_ms()), (after(5_000), 0));
}

/// T65: clock +20 min, -20 min, year 1970 at boot.
#[test]
fn the_first_answer_corrects_a_clock_that_is_off_in_either_direction() {
    for off in [20 * MINUTE_MS, -20 * MINUTE_MS, -TEN_MS, 12 * 365 * 24 * HOUR_MS] {
        let bench = Bench::off(off);
        let time = bench.time();
        assert_eq!(time.now(), after(off));
        bench.pass(2_000);
        answer(&time, 2_000);
        assert_eq!(time.now(), after(2_000), "wall clock off by {off}");
        assert_eq!(time.behind_ms(), -off);
        let anchor = Anchor { time: after(2_000), boot_ms: 1_002_000, boot: BOOT };
        assert_eq!(time.anchor(), Some(anchor));
        bench.pass(HOUR_MS);
        assert_eq!(time.now(), after(HOUR_MS + 2_000));
        assert_eq!(time.anchor(), Some(anchor), "it stays one moment");
    }
}

/// T65: a jump during the run.
#[test]
fn once_aws_has_answered_a_set_wall_clock_moves_nothing_but_how_far_it_is_behind() {
    let bench = Bench::off(0);
    let time = bench.time();
    answer(&time, 0);
    bench.set_wall(-20 * MINUTE_MS);
    bench.pass(1_000);
    assert_eq!((time.now(), time.behind_ms()), (after(1_000), 20 * MINUTE_MS));
    bench.set_wall(60 * MINUTE_MS);
    bench.pass(1_000);
    assert_eq!((time.now(), time.behind_ms()), (after(2_000), -40 * MINUTE_MS));
    bench.set_wall(-40 * MINUTE_MS);
    assert_eq!(time.behind_ms(), 0, "somebody has set it right");
}

/// T65.
#[test]
fn a_suspended_computer_wakes_at_the_right_time() {
    let bench = Bench::off(-20 * MINUTE_MS);
    let time = bench.time();
    answer(&time, 0);
    // The count goes on while it sleeps; a wall clock may not.
    bench.boot.fetch_add(5 * HOUR_MS, Relaxed);
    assert_eq!(time.now(), after(5 * HOUR_MS));
}

/// T65: year 1970 at boot, and the clock is set right before AWS has answered.
#[test]
fn how_far_the_guess_was_off_is_kept_when_somebody_sets_the_clock() {
    let bench = Bench::off(-TEN_MS);
    let time = bench.time();
    bench.pass(1_000);
    bench.set_wall(TEN_MS);
    assert_eq!((time.now().0, time.guess_behind_ms()), (1_000, 0));
    bench.pass(1_000);
    answer(&time, 2_000);
    assert_eq!((time.now(), time.behind_ms(), time.guess_behind_ms()), (after(2_000), 0, TEN_MS));
    answer(&time, 5 * HOUR_MS);
    assert_eq!(time.guess_behind_ms(), TEN_MS, "what was labelled by the guess was so before");
}

#[test]
fn seconds_do_not_matter() {
    let bench = Bench::off(20_000);
    let time = bench.time();
    answer(&time, 0);
    assert_eq!(time.now(), after(20_000), "the guess is good, and finer than a `Date`");
    assert_eq!(time.anchor().map(|anchor| anchor.time), Some(after(20_000)));
    assert_eq!(time.behind_ms(), 0);
    answer(&time, -9_000);
    assert_eq!(time.now(), after(20_000), "29 s are nothing");
    answer(&time, 49_000);
    assert_eq!(time.now(), after(20_000));
    answer(&time, 50_000);
    assert_eq!(time.now(), after(50_000), "30 s are something");
}

#[test]
fn the_answer_was_given_in_the_middle_of_the_call() {
    let bench = Bench::off(-2 * HOUR_MS);
    let time = bench.time();
    let sent = bench.boot_ms();
    bench.pass(4_000);
    time.observe(&headers_of(&[DATE]), sent, bench.boot_ms());
    assert_eq!(time.now(), after(2_000));
}

#[test]
fn a_known_time_stands_still_until_time_has_caught_up() {
    let bench = Bench::off(0);
    let time = bench.time();
    answer(&time, 0);
    assert_eq!(time.now(), after(0));
    // An answer whose `Date` was 20 minutes ahead, and then one that was right.
    answer(&time, 20 * MINUTE_MS);
    assert_eq!(time.now(), after(20 * MINUTE_MS));
    bench.pass(MINUTE_MS);
    assert_eq!(time.now(), after(21 * MINUTE_MS));
    answer(&time, MINUTE_MS);
    for minute in 2..=21 {
        bench.pass(MINUTE_MS);
        assert_eq!(time.now(), after(21 * MINUTE_MS), "minute {minute}");
    }
    let due = after(22 * MINUTE_MS);
    assert_eq!(time.until(due), Duration::from_secs(60));
    bench.pass(MINUTE_MS);
    assert_eq!((time.now(), time.until(due)), (due, Duration::ZERO));
}

#[test]
fn waiting_counts_the_time_that_a_clock_stands_still() {
    let bench = Bench::off(0);
    let time = bench.time();
    answer(&time, 20 * MINUTE_MS);
    answer(&time, 0);
    assert_eq!(time.now(), after(20 * MINUTE_MS));
    assert_eq!(time.until(after(21 * MINUTE_MS)), Duration::from_secs(21 * 60));
}

#[test]
fn a_time_that_was_an_hour_ahead_steps_back_because_standing_still_would_stop_all_reporting() {
    let bench = Bench::off(0);
    let time = bench.time();
    answer(&time, 0);
    answer(&time, 365 * 24 * HOUR_MS);
    assert_eq!(time.now(), after(365 * 24 * HOUR_MS));
    answer(&time, 0);
    assert_eq!(time.now(), after(0));
}

#[test]
fn what_another_process_knew_is_adopted() {
    let bench = Bench::off(-20 * MINUTE_MS);
    let time = bench.time();
    // Noted 500 s ago.
    let noted = Anchor { time: after(-500_000), boot_ms: 500_000, boot: BOOT };
    time.adopt(noted);
    assert_eq!((time.now(), time.anchor()), (after(0), Some(noted)));
    assert_eq!(time.behind_ms(), 20 * MINUTE_MS);
    time.adopt(Anchor { time: after(HOUR_MS), ..noted });
    assert_eq!(time.now(), after(0), "one note is enough");
    answer(&time, 5 * MINUTE_MS);
    assert_eq!(time.now(), after(5 * MINUTE_MS), "AWS itself knows better");
    time.adopt(noted);
    assert_eq!(time.now(), after(5 * MINUTE_MS));
}

#[test]
fn a_note_that_cannot_be_of_this_start_is_ignored() {
    let good = Anchor { time: after(HOUR_MS), boot_ms: 500_000, boot: BOOT };
    for note in [
        Anchor { boot: BOOT + 1, ..good },
        Anchor { boot_ms: 1_000_001, ..good },
        Anchor { time: Timestamp(0), ..good },
    ] {
        let time = Bench::off(0).time();
        time.adopt(note);
        assert_eq!((time.now(), time.anchor()), (after(0), None), "{note:?}");
    }
}

#[test]
fn what_tells_no_time_changes_nothing() {
    let ignored = |headers: &[(&'static str, &str)], taken: i64| {
        let bench = Bench::off(-2 * HOUR_MS);
        let time = bench.time();
        let here = bench.boot_ms();
        time.observe(&headers_of(headers), here - taken, here);
        assert_eq!((time.now(), time.anchor()), (after(-2 * HOUR_MS), None), "{headers:?}");
    };
    ignored(&[], 0);
    ignored(&[DATE, ("age", "0")], 0);
    ignored(&[("date", "soon")], 0);
    ignored(&[("date", "Thu, 01 Jan 1970 00:00:00 GMT")], 0);
    ignored(&[DATE], -1);
    ignored(&[DATE], TOLERATED_MS);
}
