//! Draws of which an answer was lost.

use super::{super::*, bench::*};
use crate::{
    error::Code,
    event::EventKind,
    model::outcome::{Consumed, FailureClass},
};

/// A draw of 50 whose first answer was lost, and a reading of 100 from before it.
fn in_doubt() -> Bench {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(1000));
    bench.reads(100);
    bench.want(1, 50);
    bench.drawn(failed(FailureClass::Unknown));
    bench
}

/// The same after ten minutes without an answer: the consumption is being read.
fn reconciling() -> Bench {
    let mut bench = in_doubt();
    lose_every_answer(&mut bench);
    bench.go_on();
    assert_eq!(bench.asks, [LICENSE]);
    bench
}

/// Ten minutes of lost answers.
fn lose_every_answer(bench: &mut Bench) {
    let tries = bench.calls.len();
    for _ in tries..1000 {
        let calls = bench.calls.len();
        bench.go_on();
        if bench.calls.len() == calls || !bench.news.is_empty() {
            return;
        }
        bench.drawn(failed(FailureClass::Unknown));
    }
    panic!("tried for ever");
}

/// T54: answer lost after the `PERPETUAL` commit.
#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    let mut bench = in_doubt();
    assert!(bench.written().in_hand[0].in_doubt);
    bench.go_on();
    assert_eq!((bench.calls.len(), bench.tokens()), (2, 1));
    bench.drawn(yes());
    assert_eq!((bench.answered(), bench.sums()), (vec![(1, Ok(()))], (50, 50)));
}

#[test]
fn a_lost_answer_is_asked_for_again_even_when_nobody_waits() {
    let mut bench = in_doubt();
    bench.give_up(1);
    bench.go_on();
    bench.drawn(failed(FailureClass::NotSent));
    bench.go_on();
    assert_eq!((bench.calls.len(), bench.tokens()), (3, 1));
    bench.drawn(yes());
    assert_eq!(bench.sums(), (50, 0));
}

#[test]
fn the_same_token_is_tried_for_ten_minutes_and_no_longer() {
    let mut bench = in_doubt();
    let begun = bench.data().in_hand[0].begun;
    let mut last = bench.now;
    while bench.asks.is_empty() {
        let calls = bench.calls.len();
        bench.go_on();
        if bench.calls.len() > calls {
            last = bench.now;
            bench.drawn(failed(FailureClass::Throttled));
        }
    }
    let tried_for = last.since(begun).as_secs();
    assert!((430..=525).contains(&tried_for), "{tried_for} s");
    assert_eq!(bench.tokens(), 1);
}

/// The time counts from the first try that may have done something, not from the intent.
#[test]
fn tries_that_did_nothing_do_not_use_up_the_ten_minutes() {
    let mut bench = Bench::new(1);
    bench.want(1, 50);
    let first = bench.now;
    while bench.now.since(first) < seconds(1200) {
        bench.drawn(failed(FailureClass::NotSent));
        bench.go_on();
    }
    bench.drawn(failed(FailureClass::Unknown));
    let calls = bench.calls.len();
    bench.go_on();
    assert_eq!((bench.calls.len(), bench.tokens()), (calls + 1, 1));
    assert!(bench.news.is_empty());
}

#[test]
fn a_reading_that_grew_by_less_proves_that_nothing_was_taken() {
    let mut bench = reconciling();
    bench.reads(149);
    assert_eq!((bench.data().disputed(), bench.sums()), (0, (0, 0)));
    assert_eq!((bench.tokens(), bench.calls.last().map(|call| call.1)), (2, Some(50)));
    bench.drawn(yes());
    assert_eq!((bench.answered(), bench.sums()), (vec![(1, Ok(()))], (50, 50)));
    assert!(bench.news.is_empty());
}

/// As much may have been drawn by another pod, so it is no proof that it was this draw.
#[test]
fn a_reading_that_grew_by_as_much_is_a_dispute() {
    for consumed in [150, 151, 900] {
        let mut bench = reconciling();
        bench.reads(consumed);
        assert_eq!(bench.told()[0], EventKind::DrawdownDisputed);
        let details = &bench.news[0].details;
        assert_eq!((&details["entitlement"], &details["quantity"]), (&"Data".into(), &50.into()));
        assert_eq!(details["client_token"], bench.calls[0].0.as_str());
        assert_eq!(bench.written().disputes[0].client_token, bench.calls[0].0);
        assert_eq!(bench.data().disputed(), 50);
        assert_eq!(bench.tokens(), 2, "who waits is served by a new draw");
    }
}

#[test]
fn a_reading_of_another_version_or_license_is_a_dispute() {
    let changed: [fn(&mut Contract); 4] = [
        |c| c.version = Some("2".into()),
        |c| c.version = None,
        |c| c.license_arn = Some("another".into()),
        |c| c.others = 1,
    ];
    for change in changed {
        let mut bench = reconciling();
        change(bench.contract.as_mut().expect("a contract"));
        bench.reads(101);
        assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
    }
    let mut bench = reconciling();
    bench.reads(99);
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed], "consumption never falls");
    let mut bench = reconciling();
    bench.consumption(&Consumption::Read(vec![Consumed { name: "Other".into(), consumed: 1 }]));
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
}

#[test]
fn without_a_reading_from_before_there_is_nothing_to_compare() {
    for others in [None, Some(1)] {
        let mut bench = Bench::new(1);
        if let Some(others) = others {
            bench.contract = Some(Contract { others, ..contract(1000) });
            bench.reads(100);
        }
        bench.want(1, 50);
        bench.drawn(failed(FailureClass::Unknown));
        lose_every_answer(&mut bench);
        assert!(bench.asks.is_empty());
        assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
        assert_eq!(bench.data().disputed(), 50);
    }
}

#[test]
fn a_refused_reading_is_a_dispute_at_once() {
    let mut bench = reconciling();
    bench.unread(FailureClass::AccessDenied);
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
}

#[test]
fn an_unreachable_reading_is_tried_for_about_ten_minutes() {
    let mut bench = reconciling();
    let begun = bench.now;
    let (code, text) = bench.why(1).expect("it waits");
    assert_eq!(code, Code::Unavailable);
    assert!(text.contains("not known yet whether AWS has taken 50"), "{text}");
    for _ in 0..20 {
        bench.unread(FailureClass::Unknown);
        if !bench.news.is_empty() {
            break;
        }
        bench.go_on();
    }
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
    assert_eq!(bench.asks.len(), 6);
    let tried_for = bench.now.since(begun).as_secs();
    assert!((400..=1000).contains(&tried_for), "{tried_for} s");
}

/// The first try may be the one that took the rest.
#[test]
fn a_no_in_doubt_is_reconciled_and_never_drawn_anew() {
    let mut bench = in_doubt();
    bench.go_on();
    let at = bench.now;
    bench.drawn(none());
    assert_eq!((bench.tokens(), bench.answered()), (1, vec![]));
    bench.go_on();
    assert_eq!(bench.asks, [LICENSE]);
    // The try without an answer may still be at work when the no comes.
    assert!(bench.now.since(at) >= seconds(50), "{:?}", bench.now.since(at));
    bench.reads(150);
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
}

/// It is the last try without an answer that has to settle, not the first.
#[test]
fn a_reading_waits_until_the_last_lost_try_has_settled() {
    let mut bench = in_doubt();
    for _ in 0..2 {
        bench.go_on();
        bench.drawn(failed(FailureClass::Unknown));
    }
    let lost = bench.now;
    bench.go_on();
    bench.drawn(none());
    bench.go_on();
    assert_eq!(bench.asks, [LICENSE]);
    assert!(bench.now.since(lost) >= seconds(60), "{:?}", bench.now.since(lost));
}

/// A look at the contract also reads: what it brings before things have settled decides nothing.
#[test]
fn a_reading_that_nobody_asked_for_decides_nothing() {
    let mut bench = in_doubt();
    bench.reads(100);
    bench.go_on();
    assert_eq!(bench.tokens(), 1);
    bench.drawn(none());
    bench.reads(100);
    assert_eq!((bench.tokens(), bench.data().in_hand.len()), (1, 1));
}

#[test]
fn our_own_draws_since_the_reading_are_reckoned_in() {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(1000));
    bench.reads(100);
    bench.want(1, 80);
    bench.drawn(yes());
    bench.want(2, 50);
    bench.drawn(failed(FailureClass::Unknown));
    lose_every_answer(&mut bench);
    bench.go_on();
    bench.reads(180);
    assert!(bench.news.is_empty(), "180 are what is known");
}

/// A reading that came while a draw was on its way may have its units already; reckoned in twice, they would prove
/// too much.
#[test]
fn a_draw_that_a_reading_may_have_is_not_reckoned_in() {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(1000));
    bench.want(1, 80);
    bench.reads(180);
    bench.drawn(yes());
    bench.want(2, 50);
    bench.drawn(failed(FailureClass::Unknown));
    lose_every_answer(&mut bench);
    bench.go_on();
    bench.reads(230);
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
}

/// Declared: should AWS forget a token sooner than we stop trying it, a second try takes units again. AWS has then
/// taken more than we know of; booked is still what the host was given, once.
#[test]
fn a_token_that_aws_forgets_at_once_costs_units_but_books_nothing_twice() {
    let mut bench = in_doubt(); // taken, the answer lost
    bench.go_on(); // and taken once more
    bench.drawn(yes());
    let at_aws = 50 * bench.calls.len() as u64;
    assert_eq!((at_aws, bench.sums()), (100, (50, 50)));
    assert_eq!(bench.answered(), [(1, Ok(()))]);
}
