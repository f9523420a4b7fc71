//! The end of a guard.

use super::*;

#[test]
fn an_end_returns_everything_now_and_turns_everybody_away() {
    let mut house = House::new(5, MINUTE * 10);
    let (held, lingering) = (house.get(2), house.get(3));
    let waiting = house.want(4);
    house.release(lingering);
    house.close();
    assert_eq!(house.refused[&waiting].code(), Code::ShutDown);
    assert_eq!(house.returned[&held], Ok(()));
    assert_eq!(house.aws.in_use("Seats"), 0);
    assert_eq!(house.seats_returned, 2);
    assert!(house.seats.idle() && house.durable.is_empty());

    let mut house = House::new(5, MINUTE * 10);
    let lingering = house.get(3);
    house.release(lingering);
    house.close();
    assert_eq!((house.aws.in_use("Seats"), house.seats_returned), (0, 1), "what lingers too");
    let late = house.want(1);
    assert_eq!(house.refused[&late].code(), Code::ShutDown);
    assert_eq!(house.count(EventKind::SeatsAvailable), 0, "nobody is left to use them");
}

#[test]
fn an_end_waits_for_what_is_on_its_way_and_returns_that_too() {
    let mut house = House::new(6, MINUTE * 10);
    let renewed = house.get(1);
    house.prompt = false;
    house.pass(MINUTE * 55);
    let wished = house.want(2);
    house.close();
    assert!(house.refused.contains_key(&wished) && !house.seats.idle());
    while !house.flying.is_empty() {
        house.answer(Fault::None);
    }
    assert_eq!((house.aws.in_use("Seats"), house.seats_returned), (0, 2));
    assert!(house.seats.idle() && house.durable.is_empty());
    assert_eq!(house.returned[&renewed], Ok(()));
}

#[test]
fn an_end_without_aws_is_over_in_seconds_and_leaves_its_tokens_for_the_next_process() {
    let mut house = House::new(6, MINUTE * 10);
    let seat = house.get(2);
    house.fault = Fault::NotSent;
    house.close();
    house.pass(SECOND * 5);
    assert!(house.seats.idle());
    assert_eq!(house.returned[&seat].as_ref().map_err(Error::code), Err(Code::Unavailable));
    assert_eq!((house.aws.in_use("Seats"), house.seats_returned), (2, 0));
    house.fault = Fault::None;
    house.crash();
    house.get(2);
    assert_eq!(house.aws.in_use("Seats"), 2, "the same seats");
}

#[test]
fn an_end_in_the_middle_of_a_replacement_returns_the_old_and_the_new() {
    let mut house = House::new(6, MINUTE * 10);
    house.get(2);
    house.prompt = false;
    house.pass(MINUTE * 55);
    house.answer(Fault::Throttled);
    house.close();
    while !house.flying.is_empty() {
        house.answer(Fault::None);
    }
    assert_eq!((house.aws.in_use("Seats"), house.seats_returned), (0, 2));
    assert!(house.seats.idle());

    // And of a swap.
    let mut house = House::new(2, MINUTE * 10);
    house.get(2);
    house.prompt = false;
    house.pass(MINUTE * 55);
    house.answer(Fault::Throttled);
    house.answer(Fault::None); // all taken
    house.close();
    while !house.flying.is_empty() {
        house.answer(Fault::None);
    }
    assert_eq!((house.aws.in_use("Seats"), house.seats_returned), (0, 1));
    assert!(house.seats.idle());
}
