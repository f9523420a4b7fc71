use super::*;
use crate::model::ids::ConsumptionToken;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: i64 = 60_000;

/// One lease under a hand-moved clock.
struct Bench {
    lease: Lease,
    /// Somebody uses the seats, or waits for them.
    wanted: bool,
    draw: Draw,
    now: Timestamp,
    calls: Vec<Command>,
    came: Vec<Came>,
    left: Vec<Given>,
}

fn want() -> Entitlement {
    Entitlement {
        name: "Seats".into(),
        unit: "Count".into(),
        value: Some("2".into()),
        max_count: None,
        consumed: None,
    }
}

fn token(n: u32) -> ConsumptionToken {
    format!("token-{n}").as_str().into()
}

fn failure(class: FailureClass) -> Failure {
    Failure { class, text: "no answer".into() }
}

fn failed(class: FailureClass) -> CheckedOut {
    CheckedOut::Failed(failure(class))
}

fn none() -> CheckedOut {
    CheckedOut::NoneAllowed("all taken".into())
}

impl Bench {
    fn new() -> Bench {
        Bench::seeded(6)
    }

    fn seeded(seed: u8) -> Bench {
        let mut draw = Draw::new([seed; 32]);
        let (lease, step) = Lease::ask(LeaseId(1), want(), 2, Timestamp(0), &mut draw);
        let (calls, came, left) = (Vec::new(), Vec::new(), Vec::new());
        let mut bench = Bench { lease, wanted: true, draw, now: Timestamp(0), calls, came, left };
        bench.take(step);
        bench
    }

    /// Holds `token-1` for an hour.
    fn held() -> Bench {
        Bench::held_for(HOUR, 6)
    }

    fn held_for(life: Duration, seed: u8) -> Bench {
        let mut bench = Bench::seeded(seed);
        bench.gives(1, life);
        bench
    }

    fn take(&mut self, step: Step) {
        self.calls.extend(step.call);
        self.left.extend(step.left);
        if step.came != Came::Nothing {
            self.came.push(step.came);
        }
    }

    fn gives(&mut self, n: u32, life: Duration) {
        let outcome = self.given(n, life);
        self.checked_out(outcome);
    }

    fn given(&self, n: u32, life: Duration) -> CheckedOut {
        CheckedOut::Held { token: token(n), expires: self.now.after(life), license_arn: None }
    }

    fn checked_out(&mut self, outcome: CheckedOut) {
        let step = self.lease.checked_out(outcome, self.wanted, self.now, &mut self.draw);
        self.take(step);
    }

    fn extended(&mut self, outcome: CheckedOut) {
        let step = self.lease.extended(outcome, self.wanted, self.now, &mut self.draw);
        self.take(step);
    }

    fn checked_in(&mut self, outcome: CheckedIn) {
        let step = self.lease.checked_in(outcome, self.now, &mut self.draw);
        self.take(step);
    }

    fn give_back(&mut self) {
        self.wanted = false;
        let step = self.lease.give_back(self.now);
        self.take(step);
    }

    fn due(&self) -> Timestamp {
        self.lease.due(self.wanted).expect("something is due")
    }

    /// Moves to the next due time.
    fn go_on(&mut self) {
        let due = self.due();
        self.wake_at(due);
    }

    fn wake_at(&mut self, now: Timestamp) {
        self.now = now;
        let step = self.lease.tick(self.wanted, now, &mut self.draw);
        self.take(step);
    }

    fn check_ins(&self) -> Vec<&str> {
        let ins = self.calls.iter().filter_map(|call| match call {
            Command::CheckIn { token, .. } => Some(token.as_str()),
            _ => None,
        });
        ins.collect()
    }

    fn client_tokens(&self) -> Vec<&ClientToken> {
        let outs = self.calls.iter().filter_map(|command| match command {
            Command::CheckOut { token, .. } => Some(token),
            _ => None,
        });
        outs.collect()
    }

    fn extensions(&self) -> usize {
        self.calls.iter().filter(|call| matches!(call, Command::Extend { .. })).count()
    }

    fn last_came(&self) -> &Came {
        self.came.last().expect("something came")
    }
}

#[test]
fn the_client_token_is_the_same_on_every_try_and_kept_while_it_may_have_taken_seats() {
    let mut bench = Bench::new();
    let kept = |bench: &Bench| bench.lease.kept().and_then(|kept| kept.asking);
    assert_eq!(&kept(&bench).expect("on its way").client_token, bench.client_tokens()[0]);
    bench.checked_out(failed(FailureClass::Throttled));
    assert_eq!(kept(&bench), None, "AWS said wait: nothing was taken");
    bench.go_on();
    bench.checked_out(failed(FailureClass::Unknown));
    assert!(kept(&bench).is_some(), "it may have been taken");
    bench.go_on();
    bench.checked_out(failed(FailureClass::Throttled));
    assert!(kept(&bench).is_some(), "still in doubt");
    bench.go_on();
    let tokens = bench.client_tokens();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
}

#[test]
fn a_seat_is_extended_at_75_to_92_percent_of_whatever_life_aws_gives() {
    // T47
    for (minutes, from, to) in [(60, 45, 55), (180, 135, 165), (5, 3, 4)] {
        for seed in 0..50 {
            let life = Duration::from_secs(minutes * 60);
            let mut bench = Bench::held_for(life, seed);
            let minute = bench.due().0 / MINUTE;
            assert!((from..=to).contains(&minute), "{minute} of {minutes}");
            bench.go_on();
            let outcome = bench.given(1, life);
            bench.extended(outcome);
            assert_eq!(bench.last_came(), &Came::Extended);
            assert_eq!(bench.extensions(), 1);
            assert_eq!(bench.lease.expires(), Some(bench.now.after(life)));
        }
    }
}

#[test]
fn a_token_that_was_extended_within_the_hour_is_replaced_without_a_wasted_call() {
    // T47. The quota: one extension of a token an hour.
    let mut bench = Bench::held();
    for n in 2..20 {
        bench.go_on();
        let outcome = bench.given(n, HOUR);
        bench.extended(outcome);
        bench.go_on();
        assert_eq!(bench.extensions(), n as usize - 1, "no second one within the hour");
        assert!(bench.check_ins().is_empty(), "the old seat is ours until the new one is");
        let n = 100 + n;
        bench.gives(n, HOUR);
        let old = bench.left.pop().expect("the old one");
        assert_eq!(old.token, token(n - 100));
    }
}

#[test]
fn an_extension_waits_for_its_hour_when_the_seat_lives_that_long() {
    // "adds another 60 min", said AWS: then one an hour is enough for ever.
    let mut bench = Bench::held();
    for n in 1..20 {
        bench.go_on();
        assert_eq!(bench.extensions(), n);
        let expires = bench.lease.expires().expect("held").after(HOUR);
        bench.extended(CheckedOut::Held { token: token(1), expires, license_arn: None });
    }
    assert_eq!(bench.client_tokens().len(), 1);
}

#[test]
fn a_refused_extension_falls_back_to_a_fresh_check_out_and_hands_out_the_old_seat() {
    for class in [FailureClass::Throttled, FailureClass::Unknown, FailureClass::AccessDenied] {
        let mut bench = Bench::held();
        bench.go_on();
        bench.extended(failed(class));
        assert_eq!(bench.client_tokens().len(), 2);
        assert_ne!(bench.client_tokens()[0], bench.client_tokens()[1]);
        let kept = bench.lease.kept().expect("both");
        assert!(kept.asking.is_some() && kept.given.is_some(), "{kept:?}");
        assert!(bench.check_ins().is_empty(), "the old seat is ours until the new one is");
        bench.gives(2, HOUR);
        let old = bench.left.pop().expect("the old one");
        assert_eq!(old.token, token(1));
    }
}

#[test]
fn an_extension_of_a_token_that_aws_forgot_takes_a_fresh_check_out_and_returns_nothing() {
    let mut bench = Bench::held();
    bench.go_on();
    bench.extended(CheckedOut::Gone("unknown token".into()));
    assert_eq!(bench.lease.token(), None);
    bench.gives(2, HOUR);
    assert_eq!(bench.last_came(), &Came::Given { license_arn: None });
    bench.go_on();
    bench.extended(CheckedOut::Gone("unknown token".into()));
    bench.checked_out(none());
    assert_eq!(bench.last_came(), &Came::NoneAllowed("all taken".into()));
    assert!(bench.lease.gone() && bench.check_ins().is_empty());
}

#[test]
fn an_extension_that_did_not_leave_is_tried_again_before_anything_else() {
    let mut bench = Bench::held();
    while bench.client_tokens().len() == 1 {
        bench.go_on();
        if bench.client_tokens().len() == 1 {
            bench.extended(failed(FailureClass::NotSent));
        }
        assert!(bench.now.0 <= 56 * MINUTE, "a fresh check out needs time, too");
    }
    assert!(bench.extensions() > 3, "{}", bench.extensions());
}

#[test]
fn a_suspended_machine_wakes_after_the_end_and_checks_out_once() {
    // T47
    let mut bench = Bench::held();
    bench.wake_at(Timestamp(0).after(HOUR * 9));
    assert_eq!((bench.extensions(), bench.client_tokens().len()), (0, 2));
    assert!(bench.lease.swapping(), "nobody else of us takes it meanwhile");
    bench.gives(2, HOUR);
    assert_eq!(bench.last_came(), &Came::Given { license_arn: None });
    assert_eq!(bench.client_tokens().len(), 2);

    let mut bench = Bench::held();
    bench.wake_at(Timestamp(0).after(HOUR * 9));
    bench.checked_out(none());
    assert_eq!(bench.last_came(), &Came::NoneAllowed("all taken".into()));
    assert!(bench.lease.gone());

    // It falls asleep while a fresh check out is being tried.
    let mut bench = Bench::held();
    bench.go_on();
    bench.extended(failed(FailureClass::Unknown));
    bench.checked_out(failed(FailureClass::Unknown));
    bench.wake_at(bench.now.after(HOUR * 9));
    let tokens = bench.client_tokens();
    assert_ne!(tokens[1], tokens[2], "what AWS gave by the old token has expired");
}

#[test]
fn a_full_pool_of_one_gives_its_own_seat_back_before_it_asks_again() {
    // T43: one seat, held over a day by swapping when the extension is refused.
    let mut bench = Bench::held();
    for n in 2..26 {
        bench.go_on();
        bench.extended(failed(FailureClass::Throttled));
        bench.checked_out(none());
        assert_eq!(bench.check_ins().len() as u32, n - 1);
        assert!(bench.lease.swapping());
        bench.checked_in(CheckedIn::Done);
        bench.gives(n, HOUR);
        assert!(bench.lease.rests());
    }
    assert!(bench.now.0 > 17 * 60 * MINUTE, "{:?}", bench.now);
}

#[test]
fn a_swap_whose_check_in_gets_no_answer_asks_anyway() {
    let mut bench = Bench::held();
    bench.go_on();
    bench.extended(failed(FailureClass::Throttled));
    bench.checked_out(none());
    for _ in 0..2 {
        bench.checked_in(CheckedIn::Failed(failure(FailureClass::Unknown)));
        bench.go_on();
    }
    bench.checked_in(CheckedIn::Failed(failure(FailureClass::Unknown)));
    assert_eq!((bench.check_ins().len(), bench.client_tokens().len()), (3, 3));
}

#[test]
fn a_seat_that_cannot_be_kept_is_lost_at_its_end_and_not_before() {
    let mut bench = Bench::held();
    let end = Timestamp(0).after(HOUR);
    bench.go_on();
    bench.extended(failed(FailureClass::Unknown));
    loop {
        bench.checked_out(failed(FailureClass::Unknown));
        if matches!(bench.last_came(), Came::Ended(_)) {
            break;
        }
        bench.go_on();
    }
    assert_eq!(bench.now, end);
    // AWS may have given another: it is looked for, for nobody.
    assert!(bench.lease.asks());
    bench.wanted = false;
    while !bench.lease.gone() {
        bench.go_on();
        bench.checked_out(failed(FailureClass::Unknown));
    }
    assert!(bench.now.since(end) <= RECLAIM_FOR + HOUR / 60);
}

#[test]
fn an_expiration_in_the_past_does_not_make_check_outs_chase_each_other() {
    let mut bench = Bench::new();
    for n in 1..100 {
        let expires = bench.now.before(HOUR);
        bench.checked_out(CheckedOut::Held { token: token(n), expires, license_arn: None });
        bench.go_on();
    }
    assert!(bench.now.0 >= 99 * 30_000, "{:?}", bench.now);
}

#[test]
fn a_check_out_that_nobody_wants_is_reclaimed_for_ten_minutes_when_in_doubt() {
    let mut bench = Bench::new();
    bench.checked_out(failed(FailureClass::NotSent));
    assert_eq!(bench.lease.unwanted(bench.now), None);
    assert!(bench.lease.gone(), "nothing was sent, so nothing is to be reclaimed");

    let mut bench = Bench::new();
    bench.lease.unwanted(bench.now);
    bench.wanted = false;
    bench.checked_out(failed(FailureClass::Throttled));
    assert!(bench.lease.gone(), "AWS took nothing");

    let mut bench = Bench::new();
    bench.checked_out(failed(FailureClass::Unknown));
    bench.lease.unwanted(bench.now);
    bench.wanted = false;
    while !bench.lease.gone() {
        bench.go_on();
        bench.checked_out(failed(FailureClass::Unknown));
    }
    let tokens = bench.client_tokens();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert!((8..=30).contains(&tokens.len()), "{}", tokens.len());
    assert!((10 * MINUTE..=11 * MINUTE + 30_000).contains(&bench.now.0), "{:?}", bench.now);
}

#[test]
fn a_replacement_that_nobody_wants_any_more_leaves_the_old_seat() {
    let mut bench = Bench::held();
    bench.go_on();
    bench.extended(failed(FailureClass::Throttled));
    let old = bench.lease.unwanted(bench.now).expect("held still");
    assert_eq!(old.token, token(1));
    assert!(old.extended.is_some(), "AWS may count the refused extension");
    assert!(bench.lease.asks() && bench.lease.token().is_none());
}

/// The simulator's seed 103: an extension that nobody answered had not moved the end, and a host had a seat for an
/// hour that AWS did not hold.
#[test]
fn an_old_seat_is_handed_out_with_the_end_that_is_sure() {
    let mut bench = Bench::held();
    let sure = Timestamp(0).after(HOUR);
    bench.go_on();
    bench.extended(failed(FailureClass::Unknown));
    bench.checked_out(failed(FailureClass::Unknown));
    let old = bench.lease.unwanted(bench.now).expect("held still");
    assert_eq!(old.expires, sure);
}

#[test]
fn seats_that_nobody_wants_are_not_extended_and_end_by_themselves() {
    let mut bench = Bench::held();
    bench.wanted = false;
    assert_eq!(bench.due(), Timestamp(0).after(HOUR));
    bench.go_on();
    assert!(bench.lease.gone());
    assert_eq!(bench.calls.len(), 1);
}

#[test]
fn a_check_in_without_an_answer_is_tried_for_ten_minutes_and_then_left_to_time() {
    let mut bench = Bench::held();
    bench.give_back();
    while !bench.lease.settled() {
        bench.checked_in(CheckedIn::Failed(failure(FailureClass::Unknown)));
        assert!(bench.lease.kept().is_some_and(|kept| kept.given.is_some()));
        if !bench.lease.settled() {
            bench.go_on();
        }
    }
    assert!((10 * MINUTE..12 * MINUTE).contains(&bench.now.0), "{:?}", bench.now);
    assert!((8..=30).contains(&bench.check_ins().len()), "{}", bench.check_ins().len());
    bench.go_on();
    assert!(bench.lease.gone());
    assert_eq!(bench.now, Timestamp(0).after(HOUR));
}

#[test]
fn an_end_tries_a_check_in_three_times_within_seconds_and_keeps_what_is_left() {
    let mut bench = Bench::held();
    bench.lease.close(bench.now);
    bench.give_back();
    while !bench.lease.settled() {
        bench.checked_in(CheckedIn::Failed(failure(FailureClass::NotSent)));
        if !bench.lease.settled() {
            bench.go_on();
        }
    }
    assert_eq!(bench.check_ins().len(), 3);
    assert!(bench.now.0 <= 5_000, "{:?}", bench.now);
    assert!(bench.lease.kept().is_some(), "the next process gives it back");
}

#[test]
fn an_answer_that_nothing_waits_for_changes_nothing() {
    let mut bench = Bench::held();
    let before = format!("{:?}", bench.lease);
    bench.checked_out(none());
    bench.extended(none());
    bench.checked_in(CheckedIn::Done);
    assert_eq!(format!("{:?}", bench.lease), before);
}
