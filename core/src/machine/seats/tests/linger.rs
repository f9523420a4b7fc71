//! Lingering: what the host gives back stays for its next wish.

use super::*;

#[test]
fn a_seat_that_lingers_serves_the_next_wish_of_as_many_without_a_call_or_a_write() {
    let mut house = House::new(9, MINUTE);
    let seat = house.get(2);
    house.release(seat);
    assert_eq!(house.returned[&seat], Ok(()), "at once");
    let (calls, writes) = (house.aws.calls.len(), house.writes);
    let again = house.get(2);
    house.release(again);
    house.get(2);
    assert_eq!((house.aws.calls.len(), house.writes), (calls, writes));
    house.get(1);
    assert_eq!(house.check_outs(), 2, "another count is another check out");
}

#[test]
fn without_lingering_a_host_waits_for_the_answer_to_its_check_in() {
    let mut house = House::new(9, Duration::ZERO);
    let seat = house.get(2);
    house.prompt = false;
    house.release(seat);
    assert_eq!(house.returned.get(&seat), None);
    house.release(seat); // once more, by a handle that is dropped
    assert_eq!(house.returned.get(&seat), None);
    house.answer(Fault::None);
    assert_eq!(house.returned[&seat], Ok(()));

    let mut house = House::new(9, Duration::ZERO);
    let seat = house.get(2);
    house.fault = Fault::NotSent;
    house.release(seat);
    house.pass(SECOND * 20);
    let error = house.returned[&seat].clone().expect_err("AWS did not answer");
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.text().contains("return by themselves"), "{error}");
    house.fault = Fault::None;
    house.pass(MINUTE * 2);
    assert_eq!(house.aws.in_use("Seats"), 0, "it was tried on");
}

#[test]
fn lingering_ends_spread_and_its_check_ins_are_paced() {
    let mut house = House::new(200, SECOND * 10);
    for _ in 0..200 {
        house.want(1);
    }
    house.pass(MINUTE);
    let seats: Vec<SeatId> = house.held.keys().copied().collect();
    let released = house.now;
    house.aws.calls.clear();
    seats.into_iter().for_each(|seat| house.release(seat));
    assert_eq!(house.check_ins(), 0);
    house.pass(MINUTE * 2);
    assert_eq!((house.check_ins(), house.aws.in_use("Seats")), (200, 0));
    let first = house.aws.calls[0].0.since(released);
    assert!(
        (SECOND * 8..SECOND * 9).contains(&first),
        "spread by a fifth to both sides: {first:?}"
    );
    assert!(house.most_calls_a_second() <= 8, "{}", house.most_calls_a_second());
}

#[test]
fn what_lingers_is_not_extended_and_goes_back_before_it_expires() {
    let mut house = House::new(9, MINUTE * 15);
    let seat = house.get(1);
    house.pass(MINUTE * 44);
    house.release(seat);
    house.pass(HOUR);
    assert_eq!((house.extensions(), house.check_ins()), (0, 1));
    let (at, _) = house.aws.calls.last().expect("checked in");
    assert!(*at < START.after(HOUR), "AWS hears of it");

    // One that is about to expire is given to nobody.
    let mut house = House::new(9, MINUTE * 15);
    house.aws.life = MINUTE * 5;
    let seat = house.get(1);
    house.pass(MINUTE * 3);
    house.release(seat);
    house.now = house.now.after(MINUTE * 2 - SECOND * 10); // nothing has run since
    house.get(1);
    assert_eq!(house.check_outs(), 2);
}

#[test]
fn a_seat_taken_from_lingering_late_in_its_life_is_extended_at_once() {
    let mut house = House::new(9, MINUTE * 15);
    let seat = house.get(1);
    house.pass(MINUTE * 44);
    house.release(seat);
    house.pass(MINUTE * 11 + SECOND * 30);
    let seat = house.get(1);
    assert_eq!(house.held[&seat], START.after(HOUR));
    house.pass(Duration::ZERO);
    assert_eq!(house.extensions(), 1);
    assert_eq!(house.held[&seat], house.now.after(HOUR));
}

#[test]
fn a_seat_released_while_it_is_renewed_lingers_or_returns_with_its_newest_token() {
    for linger in [Duration::ZERO, MINUTE] {
        let mut house = House::new(9, linger);
        house.aws.renames = true;
        let seat = house.get(1);
        house.prompt = false;
        house.pass(MINUTE * 55);
        assert!(matches!(house.flying.front(), Some(Command::Extend { .. })));
        house.release(seat);
        house.prompt = true;
        house.answer(Fault::None);
        house.pass(MINUTE * 2);
        assert_eq!((house.aws.in_use("Seats"), house.check_ins()), (0, 1));
        assert_eq!(house.returned[&seat], Ok(()));
    }
}

#[test]
fn a_seat_released_while_it_is_replaced_leaves_both_to_be_returned() {
    for linger in [Duration::ZERO, MINUTE] {
        let mut house = House::new(9, linger);
        let seat = house.get(1);
        house.prompt = false;
        house.pass(MINUTE * 55);
        house.answer(Fault::Throttled);
        assert!(matches!(house.flying.front(), Some(Command::CheckOut { .. })));
        house.release(seat);
        house.prompt = true;
        house.answer(Fault::None);
        house.pass(MINUTE * 2);
        assert_eq!((house.aws.in_use("Seats"), house.check_ins()), (0, 2), "{linger:?}");
        assert!(house.seats.idle() && house.durable.is_empty());
    }
}

#[test]
fn a_hundred_log_ins_and_log_outs_a_second_make_few_calls() {
    // T55: sessions of half a second on average, for five minutes.
    let run = |linger| {
        let mut house = House::new(1000, linger);
        let mut ends: BTreeMap<Timestamp, Vec<SeatId>> = BTreeMap::new();
        let mut log_ins = 0_u32;
        for _ in 0..5 * 60 * 100 {
            house.pass(SECOND / 100);
            let now = house.now;
            let over = ends.extract_if(..=now, |_, _| true).flat_map(|(_, seats)| seats);
            over.collect::<Vec<_>>().into_iter().for_each(|seat| house.release(seat));
            let seat = house.want(1);
            log_ins += u32::from(house.held.contains_key(&seat));
            let stay = house.draw.up_to(SECOND);
            ends.entry(house.now.after(stay)).or_default().push(seat);
        }
        (house.aws.calls.len(), house.most_calls_a_second(), log_ins)
    };
    let (calls, most, served) = run(SECOND * 5);
    assert!(calls < 300, "{calls} calls for 30,000 log-ins");
    assert!(most <= 40, "{most}");
    assert!(served > 29_500, "{served} were served at once");
    let (without, ..) = run(Duration::ZERO);
    assert!(without > 10 * calls, "the measure measures: {without}");
}

#[test]
fn a_crowd_before_a_full_pool_makes_few_calls_too() {
    // T55: a hundred wishes a second for twenty seats; each is gone after a second, with or without a seat.
    for many in [1, 7] {
        let mut house = House::new(20, SECOND * 5);
        house.contract = Some(bought("Seats", "Count", Some(20)));
        let mut ends: BTreeMap<Timestamp, Vec<SeatId>> = BTreeMap::new();
        let mut served = 0;
        for n in 0..60 * 100 {
            house.pass(SECOND / 100);
            let now = house.now;
            let over = ends.extract_if(..=now, |_, _| true).flat_map(|(_, seats)| seats);
            over.collect::<Vec<_>>().into_iter().for_each(|seat| {
                served += u32::from(house.held.contains_key(&seat));
                house.release(seat);
            });
            // Now and then somebody wants several.
            let seat = house.want(if n % 50 == 0 { many } else { 1 });
            ends.entry(house.now.after(SECOND)).or_default().push(seat);
        }
        let calls = house.aws.calls.len();
        assert!(calls < 60 * 15, "{calls} calls in a minute");
        assert!(house.aws.most_in_use <= 20);
        assert!(served > 800, "{served}");
    }
}
