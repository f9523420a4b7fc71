//! Wishes: who is served, in which order, and what giving up means.

use super::{super::*, bench::*};
use crate::{error::Code, model::outcome::FailureClass};

/// T54: work is never started on units that are not booked.
#[test]
fn a_wish_is_answered_only_after_its_booking_is_durable() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    let mut machine = bench.units.clone();
    let step = machine.want(DrawId(2), "Data".into(), 4, None, bench.now, &mut bench.random);
    assert!(matches!(&step.commands[..], [Command::KeepHoldings]), "{step:?}");
    assert_eq!(machine.units().values().map(|units| units.booked).sum::<u64>(), 8);
    let step = machine.kept(&Ok(()), bench.now, &mut bench.random);
    assert!(
        matches!(&step.commands[..], [Command::UnitsAnswer { draw: DrawId(2), answer: Ok(()) }]),
        "{step:?}"
    );
}

#[test]
fn units_that_are_left_serve_without_a_call() {
    let mut bench = Bench::new(10);
    for draw in 1..=3 {
        bench.want(draw, 3);
        if draw == 1 {
            bench.drawn(yes());
        }
    }
    assert_eq!(bench.quantities(), [10]);
    assert_eq!(bench.answered(), [(1, Ok(())), (2, Ok(())), (3, Ok(()))]);
    assert_eq!(bench.sums(), (10, 9));
    bench.want(4, 3);
    assert_eq!(bench.quantities(), [10, 10], "2 are lacking, a batch is drawn");
}

#[test]
fn several_wishes_share_a_draw_and_are_served_in_their_order() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.want(2, 7);
    bench.want(3, 2);
    bench.drawn(yes());
    assert_eq!(bench.answered(), [(1, Ok(()))]);
    assert_eq!(bench.quantities(), [5, 9]);
    bench.drawn(yes());
    assert_eq!(bench.answered(), [(1, Ok(())), (2, Ok(())), (3, Ok(()))]);
    assert_eq!(bench.sums(), (14, 14));
}

#[test]
fn a_small_wish_does_not_overtake_a_large_one() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    bench.want(2, 20);
    bench.want(3, 2);
    assert_eq!(bench.answered(), [(1, Ok(()))], "6 are left, but the second is before the third");
    bench.drawn(yes());
    assert_eq!(bench.quantities(), [10, 14, 10]);
    assert_eq!(bench.answered(), [(1, Ok(())), (2, Ok(()))]);
}

#[test]
fn entitlements_do_not_wait_for_each_other() {
    let mut bench = Bench::with(&[spec("Data", 1), spec("Scans", 1)]);
    bench.want_of("Data", 1, 5);
    bench.want_of("Scans", 2, 6);
    assert_eq!(bench.quantities(), [5, 6]);
    bench.drawn_of("Scans", yes());
    assert_eq!(bench.answered(), [(2, Ok(()))]);
    bench.drawn_of("Data", yes());
    assert_eq!(bench.answered(), [(2, Ok(())), (1, Ok(()))]);
}

#[test]
fn units_that_come_after_the_host_gave_up_serve_the_next_call() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    let (code, text) = bench.why(1).expect("it waits");
    assert_eq!(code, Code::TimedOut);
    assert!(text.contains("do not start the work") && text.contains("serve the next call"));
    bench.give_up(1);
    bench.drawn(yes());
    assert_eq!(bench.sums(), (5, 0));
    bench.want(2, 5);
    assert_eq!((bench.calls.len(), bench.answered()), (1, vec![(2, Ok(()))]));
}

#[test]
fn a_booking_whose_answer_has_not_left_is_undone_when_the_host_gives_up() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    let (now, mut random) = (bench.now, bench.random.clone());
    let _ = bench.units.want(DrawId(2), "Data".into(), 4, None, now, &mut random);
    let step = bench.units.give_up(DrawId(2));
    assert!(matches!(&step.commands[..], [Command::KeepHoldings]), "{step:?}");
    assert_eq!(bench.sums(), (10, 4));
    let step = bench.units.kept(&Ok(()), now, &mut random);
    assert!(step.commands.is_empty(), "{step:?}");
}

#[test]
fn a_wish_that_is_given_up_lets_the_one_behind_it_pass() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    bench.want(2, 20);
    bench.want(3, 5);
    bench.give_up(2);
    assert_eq!(bench.answered(), [(1, Ok(())), (3, Ok(()))]);
    bench.give_up(77);
    assert!(bench.why(77).is_none());
}

#[test]
fn the_reason_for_waiting_is_the_failure_of_the_call() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(failed(FailureClass::Throttled));
    let (code, text) = bench.why(1).expect("it waits");
    assert_eq!(code, Code::Unavailable);
    assert!(text.contains("no answer from AWS") && text.contains("do not start the work"));
}

#[test]
fn quantities_that_cannot_be_counted_are_refused() {
    let mut bench = Bench::new(1);
    bench.want(1, u64::MAX);
    assert_eq!(bench.answered(), [(1, Err(Code::QuantityOutOfRange))]);
    let most = i64::MAX as u64;
    bench.want(2, most);
    bench.want(3, most);
    bench.drawn(yes());
    bench.drawn(yes());
    bench.want(4, most);
    assert_eq!(bench.quantities(), [most, most], "never more than License Manager can count");
    assert_eq!(
        bench.answered()[1..],
        [(2, Ok(())), (3, Ok(())), (4, Err(Code::QuantityOutOfRange))]
    );
    assert_eq!(bench.sums(), (u64::MAX - 1, u64::MAX - 1));
    bench.want(5, 1);
    bench.drawn(yes());
    assert_eq!(bench.sums(), (u64::MAX, u64::MAX));
}

#[test]
fn an_entitlement_that_is_not_configured_is_refused() {
    let mut bench = Bench::new(1);
    bench.want_of("Other", 1, 1);
    assert_eq!(bench.answered(), [(1, Err(Code::UnknownEntitlement))]);
    let mut floating = spec("Seats", 1);
    floating.kind = EntitlementKind::Floating;
    let mut bench = Bench::with(&[floating]);
    bench.want_of("Seats", 1, 1);
    assert_eq!(bench.answered(), [(1, Err(Code::UnknownEntitlement))]);
}

#[test]
fn a_shut_down_refuses_who_waits_and_leaves_a_retry_to_the_next_process() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(failed(FailureClass::Unknown));
    assert!(bench.units.due().is_some());
    bench.close();
    assert_eq!(bench.answered(), [(1, Err(Code::ShutDown))]);
    assert!(bench.units.idle() && bench.units.due().is_none());
    bench.wait(seconds(3600));
    bench.want(2, 1);
    assert_eq!(bench.answered()[1], (2, Err(Code::ShutDown)));
    assert_eq!(bench.calls.len(), 1);
    assert_eq!(bench.written().in_hand.len(), 1, "the next process goes on with it");
}

#[test]
fn a_shut_down_waits_for_the_answer_of_a_draw_on_its_way() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.close();
    assert!(!bench.units.idle());
    bench.drawn(yes());
    assert!(bench.units.idle());
    assert_eq!((bench.written().drawn, bench.written().booked), (5, 0));
    assert_eq!(bench.answered(), [(1, Err(Code::ShutDown))]);
}

#[test]
fn a_shut_down_undoes_a_booking_whose_answer_has_not_left() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    let (now, mut random) = (bench.now, bench.random.clone());
    let _ = bench.units.want(DrawId(2), "Data".into(), 4, None, now, &mut random);
    bench.close();
    assert_eq!(bench.answered()[1..], [(2, Err(Code::ShutDown))]);
    assert_eq!((bench.sums(), bench.written().booked), ((10, 4), 4));
}

#[test]
fn a_shut_down_drops_a_draw_that_certainly_did_nothing() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(failed(FailureClass::NotSent));
    bench.close();
    assert_eq!(bench.durable, Units::new());
}

#[test]
fn the_account_shows_where_each_unit_is() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    bench.want(2, 8);
    let account = account(&"Data".into(), &bench.data());
    assert_eq!((account.open, account.delivered, account.pending), (6, 4, 10));
    assert_eq!((account.added, account.disputed), (20, 0));
}
