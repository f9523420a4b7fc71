//! Units of dead processes.

use super::{super::*, bench::*};
use crate::{
    event::EventKind,
    model::{
        holdings::{ConsumedBefore, Dispute, KeptDraw},
        outcome::FailureClass,
    },
};

fn draw(token: &str, begun: Timestamp) -> KeptDraw {
    KeptDraw { client_token: token.into(), quantity: 50, begun, in_doubt: false, before: None }
}

fn kept(drawn: u64, booked: u64, in_hand: Vec<KeptDraw>) -> Units {
    let units = KeptUnits { drawn, booked, in_hand, disputes: Vec::new() };
    [("Data".into(), units)].into()
}

/// T54: crash mid-batch.
#[test]
fn a_restart_asks_again_with_the_token_of_the_draw_it_finds() {
    let mut bench = Bench::new(1);
    bench.want(1, 50);
    let token = bench.calls[0].0.clone();
    bench.crash(&[spec("Data", 1)]);
    assert_eq!(bench.calls, [(token.clone(), 50), (token, 50)]);
    bench.want(2, 50);
    bench.drawn(yes());
    assert_eq!((bench.sums(), bench.tokens()), ((50, 50), 1));
}

#[test]
fn a_restart_assumes_that_a_byte_has_left() {
    let mut bench = Bench::new(1);
    bench.take_over(kept(0, 0, vec![draw("theirs", bench.now)]));
    assert!(bench.written().in_hand[0].in_doubt);
    bench.drawn(none());
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed], "no reading from before");
    assert_eq!(bench.data().disputed(), 50);
}

/// By a clock that is days off, a draw of an hour ago may look fresh: AWS has forgotten its token, and would take the
/// units twice. Found by the simulator.
#[test]
fn a_dead_process_s_draw_waits_for_aws_s_time() {
    let mut bench = Bench::new(1);
    bench.units.guessing(true);
    bench.take_over(kept(0, 0, vec![draw("theirs", bench.now)]));
    assert_eq!(bench.calls, []);
    bench.units.guessing(false);
    bench.hear(|_| Step::default());
    assert_eq!(bench.calls, [("theirs".into(), 50)]);
}

#[test]
fn units_left_by_a_dead_process_serve_the_next_wish() {
    let mut bench = Bench::new(1);
    bench.take_over(kept(100, 40, vec![]));
    bench.want(1, 60);
    assert_eq!((bench.sums(), bench.calls.len()), ((100, 100), 0));
    assert_eq!(bench.answered(), [(1, Ok(()))]);
}

#[test]
fn what_several_dead_processes_held_adds_up() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(yes());
    bench.want(2, 7);
    let mut first = kept(30, 20, vec![draw("first", bench.now)]);
    first.get_mut(&"Data".into()).expect("units").disputes.push(Dispute {
        client_token: "old".into(),
        quantity: 3,
        begun: bench.now,
        why: "unknown".into(),
    });
    bench.take_over(first);
    assert_eq!(bench.answered(), [(1, Ok(())), (2, Ok(()))], "10 of theirs were left");
    bench.take_over(kept(1, 1, vec![draw("second", bench.now)]));
    let data = bench.written();
    assert_eq!((data.drawn, data.booked, data.disputed()), (36, 33, 3));
    assert_eq!(data.in_hand.len(), 3);
    assert_eq!(bench.calls.len(), 2, "one at a time is on its way");
    for _ in 0..3 {
        bench.drawn(yes());
    }
    assert_eq!((bench.calls.len(), bench.data().in_hand.len()), (4, 0));
    assert_eq!(bench.sums(), (36 + 7 + 50 + 50, 33));
}

#[test]
fn a_draw_of_theirs_that_waits_does_not_keep_the_loop_busy() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.take_over(kept(0, 0, vec![draw("theirs", bench.now)]));
    assert_eq!((bench.calls.len(), bench.units.due()), (1, None), "ours is on its way");
    bench.drawn(yes());
    assert_eq!(bench.calls.len(), 2);
}

#[test]
fn a_draw_found_after_its_ten_minutes_is_not_sent_again() {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(1000));
    let before =
        ConsumedBefore { license_arn: LICENSE.into(), version: Some("1".into()), consumed: 100 };
    let old = KeptDraw { before: Some(before), ..draw("old", bench.now.before(seconds(3600))) };
    bench.take_over(kept(0, 0, vec![old]));
    assert!(bench.calls.is_empty());
    bench.go_on();
    assert_eq!(bench.asks, [LICENSE]);
    bench.reads(120);
    assert_eq!(bench.data(), KeptUnits::default());
    assert!(bench.durable.is_empty() && bench.news.is_empty());
}

#[test]
fn a_reading_without_a_version_proves_nothing() {
    let mut bench = Bench::new(1);
    bench.contract = Some(Contract { version: None, ..contract(1000) });
    let before = ConsumedBefore { license_arn: LICENSE.into(), version: None, consumed: 100 };
    let old = KeptDraw { before: Some(before), ..draw("old", bench.now.before(seconds(3600))) };
    bench.take_over(kept(0, 0, vec![old]));
    bench.go_on();
    bench.reads(100);
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
}

/// A clock that was ahead when it was written must not make the token live longer.
#[test]
fn a_draw_from_the_future_is_tried_for_ten_minutes_too() {
    let mut bench = Bench::new(1);
    bench.take_over(kept(0, 0, vec![draw("ahead", bench.now.after(seconds(86_400)))]));
    let begun = bench.now;
    while bench.news.is_empty() {
        bench.drawn(failed(FailureClass::Unknown));
        bench.go_on();
    }
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
    assert!(bench.now.since(begun) <= seconds(600));
}

#[test]
fn units_of_an_entitlement_that_is_not_configured_any_more_are_kept() {
    let mut bench = Bench::with(&[spec("Other", 1)]);
    bench.take_over(kept(30, 20, vec![draw("theirs", bench.now)]));
    assert!(bench.calls.is_empty(), "nobody knows its unit");
    assert_eq!(bench.told(), [EventKind::DrawdownDisputed]);
    let data = bench.written();
    assert_eq!((data.drawn, data.booked, data.disputed()), (30, 20, 50));
}
