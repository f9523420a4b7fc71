//! What must be durable before what, and a disk that refuses.

use super::{super::*, bench::*};
use crate::{error::Code, model::outcome::FailureClass};

fn full() -> Result<(), String> {
    Err("no space left on the device".into())
}

/// T54: `Bench::called` checks it on every call of every test; this is the order of commands.
#[test]
fn the_intent_is_durable_before_the_call() {
    let mut bench = Bench::new(1);
    let (now, random) = (bench.now, &mut bench.random);
    let step = bench.units.want(DrawId(1), "Data".into(), 5, None, now, random);
    assert!(step.commands.is_empty());
    let step = bench.units.tick(now, random);
    assert!(matches!(&step.commands[..], [Command::KeepHoldings]), "{step:?}");
    assert_eq!(bench.units.units().values().next().expect("an intent").in_hand.len(), 1);
    let step = bench.units.kept(&Ok(()), now, random);
    assert!(matches!(&step.commands[..], [Command::DrawDown { .. }]), "{step:?}");
}

#[test]
fn a_draw_whose_intent_cannot_be_written_is_not_made() {
    let mut bench = Bench::new(1);
    bench.disk = full();
    bench.want(1, 5);
    assert_eq!(bench.answered(), [(1, Err(Code::Unavailable))]);
    assert!(bench.last_text().contains("cannot be written down"), "{}", bench.last_text());
    assert!(bench.last_text().contains("nothing was booked"));
    assert!(bench.calls.is_empty());
    assert_eq!(bench.units.units(), Units::new());
}

#[test]
fn a_booking_that_cannot_be_written_is_undone() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    bench.disk = full();
    bench.want(2, 4);
    assert_eq!(bench.answered()[1], (2, Err(Code::Unavailable)));
    assert_eq!(bench.sums(), (10, 4));
    bench.disk = Ok(());
    bench.want(3, 4);
    assert_eq!(bench.answered()[2], (3, Ok(())));
    assert_eq!((bench.calls.len(), bench.sums()), (1, (10, 8)));
}

#[test]
fn units_drawn_while_the_disk_is_full_are_kept_and_written_later() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.disk = full();
    bench.drawn(yes());
    assert_eq!(bench.answered(), [(1, Err(Code::Unavailable))]);
    assert_eq!(bench.sums(), (5, 0));
    assert_eq!(bench.written().in_hand.len(), 1, "a crash now would ask with the same token");
    bench.go_on();
    assert_eq!(bench.written().drawn, 0);
    bench.disk = Ok(());
    bench.go_on();
    assert_eq!((bench.written().drawn, bench.written().in_hand.len()), (5, 0));
    assert_eq!(bench.units.due(), None, "and not again");
}

#[test]
fn who_waits_behind_an_undone_booking_is_served_once_the_disk_works() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.want(2, 3);
    bench.disk = full();
    bench.drawn(yes());
    // The first was booked and undone; the second's own intent could not be written either.
    assert_eq!(bench.answered(), [(1, Err(Code::Unavailable)), (2, Err(Code::Unavailable))]);
    bench.disk = Ok(());
    bench.want(3, 5);
    assert_eq!(bench.answered()[2], (3, Ok(())));
}

/// Seats keep holdings too, and the engine passes on only the newest answer. A failed one while nothing of ours is
/// open changes nothing.
#[test]
fn a_failed_write_of_seats_does_not_touch_a_draw_on_its_way() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.hear(|b| b.units.kept(&full(), b.now, &mut b.random));
    assert!(bench.answered().is_empty());
    assert_eq!(bench.units.due(), None, "nothing of ours is unwritten");
    bench.drawn(yes());
    assert_eq!(bench.answered(), [(1, Ok(()))]);
}

#[test]
fn units_taken_over_while_the_disk_is_full_are_written_later() {
    let mut bench = Bench::new(1);
    bench.disk = full();
    let units = KeptUnits { drawn: 9, booked: 4, ..KeptUnits::default() };
    bench.take_over([("Data".into(), units)].into());
    assert_eq!((bench.sums(), bench.written().drawn), ((9, 4), 0));
    bench.disk = Ok(());
    bench.go_on();
    assert_eq!((bench.written().drawn, bench.written().booked), (9, 4));
}

#[test]
fn several_bookings_share_one_write() {
    let mut bench = Bench::new(100);
    bench.want(1, 5);
    for draw in 2..=20 {
        bench.want(draw, 5);
    }
    let before = bench.keeps;
    bench.drawn(yes());
    assert_eq!(bench.answered().len(), 20);
    assert_eq!(bench.keeps, before + 1);
}

#[test]
fn a_first_call_costs_one_write_and_a_repeated_one_renews_its_beginning() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    assert_eq!(bench.keeps, 1);
    let begun = bench.written().in_hand[0].begun;
    bench.drawn(failed(FailureClass::NotSent));
    let mut again = bench.units.clone();
    let step = again.tick(again.due().expect("a retry"), &mut bench.random);
    let [Command::KeepHoldings, Command::DrawDown { .. }] = &step.commands[..] else {
        panic!("sent before its new beginning was durable: {step:?}");
    };
    bench.go_on();
    assert!(bench.written().in_hand[0].begun > begun, "nothing had left until now");
    assert_eq!(bench.tokens(), 1);
}
