use super::*;
use crate::model::license::EntitlementKind;

const HOUR: Duration = Duration::from_secs(3600);

/// One lease under a hand-moved clock.
struct Bench {
    lease: Lease,
    draw: Draw,
    now: Timestamp,
    done: Vec<Command>,
    lost: Vec<String>,
}

fn spec() -> EntitlementSpec {
    EntitlementSpec { name: "Seats".into(), kind: EntitlementKind::Floating, unit: "Count".into() }
}

fn token(n: u32) -> ConsumptionToken {
    format!("token-{n}").as_str().into()
}

fn failed(class: FailureClass) -> CheckedOut {
    CheckedOut::Failed(Failure { class, text: "no answer".into() })
}

impl Bench {
    fn new() -> Bench {
        let mut draw = Draw::new([6; 32]);
        let (lease, step) = Lease::want(LeaseId(1), spec(), 2, Timestamp(0), &mut draw);
        let mut bench =
            Bench { lease, draw, now: Timestamp(0), done: Vec::new(), lost: Vec::new() };
        bench.take(step);
        bench
    }

    fn take(&mut self, step: Step) {
        self.done.extend(step.commands);
        self.lost.extend(step.lost);
    }

    fn held_for(&self, n: u32, life: Duration) -> CheckedOut {
        CheckedOut::Held { token: token(n), expires: self.now.after(life) }
    }

    fn checked_out(&mut self, outcome: CheckedOut) {
        let step = self.lease.checked_out(outcome, None, self.now, &mut self.draw);
        self.take(step);
    }

    fn extended(&mut self, outcome: CheckedOut) {
        let step = self.lease.extended(outcome, self.now, &mut self.draw);
        self.take(step);
    }

    fn checked_in(&mut self, outcome: CheckedIn) {
        let step = self.lease.checked_in(outcome, self.now, &mut self.draw);
        self.take(step);
    }

    fn release(&mut self) {
        let step = self.lease.release(self.now);
        self.take(step);
    }

    /// Moves to the next due time.
    fn go_on(&mut self) {
        self.now = self.lease.due().expect("something is due");
        let step = self.lease.tick(self.now);
        self.take(step);
    }

    fn held() -> Bench {
        let mut bench = Bench::new();
        let outcome = bench.held_for(1, HOUR);
        bench.checked_out(outcome);
        bench
    }

    fn answers(&self) -> Vec<Result<Timestamp, Code>> {
        let answer = |command: &Command| match command {
            Command::SeatAnswer { answer, .. } => Some(answer.clone().map_err(|e| e.code())),
            _ => None,
        };
        self.done.iter().filter_map(answer).collect()
    }

    fn check_ins(&self) -> Vec<&str> {
        let token = |command: &Command| matches!(command, Command::CheckIn { .. });
        let ins = self.done.iter().filter(|command| token(command));
        ins.filter_map(|command| match command {
            Command::CheckIn { token, .. } => Some(&*token.0),
            _ => None,
        })
        .collect()
    }

    fn client_tokens(&self) -> Vec<&ClientToken> {
        let outs = self.done.iter().filter_map(|command| match command {
            Command::CheckOut { token, .. } => Some(token),
            _ => None,
        });
        outs.collect()
    }
}

#[test]
fn the_client_token_is_durable_before_the_call_and_the_same_on_every_try() {
    let mut bench = Bench::new();
    assert!(matches!(&bench.done[..], [Command::Commit(entries), Command::CheckOut { .. }]
        if matches!(&entries[..], [Entry::LeaseBegun { .. }])));
    bench.checked_out(failed(FailureClass::Unknown));
    bench.go_on();
    bench.checked_out(failed(FailureClass::Throttled));
    bench.go_on();
    let tokens = bench.client_tokens();
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
}

#[test]
fn a_seat_is_extended_once_between_minute_45_and_55() {
    for seed in 0..50 {
        let mut bench = Bench::new();
        bench.draw = Draw::new([seed; 32]);
        let outcome = bench.held_for(1, HOUR);
        bench.checked_out(outcome);
        let minute = bench.lease.due().expect("due").0 / 60_000;
        assert!((45..=55).contains(&minute), "{minute}");
    }
}

#[test]
fn a_late_extension_falls_back_to_a_fresh_checkout_and_returns_the_old_seat() {
    // The quota lets one token be extended once an hour.
    for outcome in [failed(FailureClass::Throttled), CheckedOut::Gone("unknown token".into())] {
        let mut bench = Bench::held();
        bench.go_on();
        bench.extended(outcome);
        assert_eq!(bench.client_tokens().len(), 2);
        assert_ne!(
            bench.client_tokens()[0],
            bench.client_tokens()[1],
            "a new check out has a new token"
        );
        assert!(bench.check_ins().is_empty(), "the old seat is ours until the new one is");
        let outcome = bench.held_for(2, HOUR);
        bench.checked_out(outcome);
        assert_eq!(bench.check_ins(), ["token-1"]);
        bench.checked_in(CheckedIn::Done);
        assert!(matches!(bench.lease.state, State::Held(_)));
        assert_eq!(bench.answers().len(), 1, "the host is told once");
    }
}

#[test]
fn a_full_pool_of_one_gives_its_own_seat_back_before_it_asks_again() {
    // T43: one seat, held over a day by swapping when the extension is refused.
    let mut bench = Bench::held();
    for n in 2..26 {
        bench.go_on();
        bench.extended(failed(FailureClass::Throttled));
        bench.checked_out(CheckedOut::NoneAllowed("all taken".into()));
        assert_eq!(bench.check_ins().len() as u32, n - 1);
        bench.checked_in(CheckedIn::Done);
        let outcome = bench.held_for(n, HOUR);
        bench.checked_out(outcome);
        assert!(bench.lost.is_empty());
    }
    assert!(bench.now.0 > 17 * 3_600_000, "{:?}", bench.now);
}

#[test]
fn a_seat_that_cannot_be_kept_is_lost_at_its_end_and_not_before() {
    let mut bench = Bench::held();
    let end = Timestamp(0).after(HOUR);
    bench.go_on();
    bench.extended(failed(FailureClass::Unknown));
    while !bench.lease.gone() {
        assert!(bench.lost.is_empty());
        bench.checked_out(failed(FailureClass::Unknown));
        if !bench.lease.gone() {
            bench.go_on();
        }
    }
    assert_eq!(bench.now, end);
    assert_eq!(bench.lost.len(), 1);
    assert!(bench.done.iter().any(|c| matches!(c, Command::SeatState { expires: None, .. })));
}

#[test]
fn none_allowed_is_told_apart_by_what_the_license_says() {
    // T45
    let contract = |name: &str, max| Contract {
        entitlements: vec![Entitlement {
            name: name.into(),
            unit: "Count".into(),
            value: None,
            max_count: Some(max),
        }],
        ..Contract::default()
    };
    let check = |contract: Option<Contract>, code, part: &str| {
        let mut bench = Bench::new();
        let none = CheckedOut::NoneAllowed("max".into());
        let step = bench.lease.checked_out(none, contract.as_ref(), bench.now, &mut bench.draw);
        let Some(Command::SeatAnswer { answer: Err(error), .. }) =
            step.commands.iter().find(|c| matches!(c, Command::SeatAnswer { .. }))
        else {
            panic!("the host is told");
        };
        assert_eq!(error.code(), code);
        assert!(error.text().contains(part), "{error}");
        assert!(bench.lease.gone());
    };
    check(Some(contract("Seats", 10)), Code::NoSeat, "taken");
    check(Some(contract("Seats", 1)), Code::NotEntitled, "has 1");
    check(Some(contract("Other", 10)), Code::NotEntitled, "no `Seats`");
    check(None, Code::NoSeat, "either");
}

#[test]
fn a_checkout_that_fails_three_times_is_answered_and_reclaimed_when_in_doubt() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.checked_out(failed(FailureClass::NotSent));
        bench.go_on();
    }
    bench.checked_out(failed(FailureClass::NotSent));
    assert_eq!(bench.answers(), [Err(Code::Unavailable)]);
    assert!(bench.lease.gone(), "nothing was sent, so nothing is to be reclaimed");

    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.checked_out(failed(FailureClass::Unknown));
        bench.go_on();
    }
    assert_eq!(bench.answers(), [Err(Code::Unavailable)]);
    let outcome = bench.held_for(1, HOUR);
    bench.checked_out(outcome);
    assert_eq!(bench.check_ins(), ["token-1"], "AWS had given it after all");
    bench.checked_in(CheckedIn::Done);
    assert!(bench.lease.gone());
}

#[test]
fn a_release_returns_the_seat_wherever_it_is() {
    let mut bench = Bench::held();
    bench.release();
    assert_eq!(bench.check_ins(), ["token-1"]);

    let mut bench = Bench::new();
    bench.release();
    let outcome = bench.held_for(1, HOUR);
    bench.checked_out(outcome);
    assert_eq!(bench.check_ins(), ["token-1"], "given after nobody waited");

    let mut bench = Bench::held();
    bench.go_on();
    bench.release();
    let outcome = bench.held_for(2, HOUR);
    bench.extended(outcome);
    assert_eq!(bench.check_ins(), ["token-2"], "the newest token counts");

    let mut bench = Bench::new();
    bench.checked_out(failed(FailureClass::NotSent));
    bench.release();
    assert!(bench.lease.gone());
}

#[test]
fn a_check_in_without_an_answer_is_tried_again_and_then_left_to_time() {
    let mut bench = Bench::held();
    bench.release();
    let failure =
        || CheckedIn::Failed(Failure { class: FailureClass::Unknown, text: "no answer".into() });
    while !bench.lease.gone() {
        bench.checked_in(failure());
        if !bench.lease.gone() {
            bench.go_on();
        }
    }
    assert_eq!(bench.check_ins().len(), 4);
    let told = bench.done.iter().find_map(|command| match command {
        Command::SeatReturned { answer: Err(error), .. } => Some(error.code()),
        _ => None,
    });
    assert_eq!(told, Some(Code::Unavailable));
}
