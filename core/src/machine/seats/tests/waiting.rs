//! Wishes: refused, waiting, woken.

use super::*;

#[test]
fn none_allowed_is_told_apart_by_what_the_license_says() {
    // T45
    let read = |contract: Contract| Contract { version: Some("1".into()), ..contract };
    let standing = |standing| Contract { standing, ..bought("Seats", "Count", Some(10)) };
    let ended = Contract { expires: Some(START), ..bought("Seats", "Count", Some(10)) };
    let tiers = bought("Basic", "None", None);
    let check = |contract: Option<Contract>, code, part: &str| {
        let mut house = House::new(0, SECOND);
        house.contract = contract;
        let seat = house.want(2);
        let error = match house.refused.get(&seat) {
            Some(error) => error.clone(),
            None => house.why(seat),
        };
        assert_eq!(error.code(), code, "{error}");
        assert!(error.text().contains(part) && error.text().contains("`Seats`"), "{error}");
        let waits = code == Code::NoSeat;
        assert_eq!(house.waiting.contains_key(&seat), waits, "{error}");
        assert_eq!(house.count(EventKind::SeatsExhausted), usize::from(waits));
        assert_eq!(
            house.returned.contains_key(&seat),
            !waits,
            "the driver forgets who was refused"
        );
        assert_eq!(house.durable, [], "AWS holds nothing");
    };
    check(Some(bought("Seats", "Count", Some(10))), Code::NoSeat, "taken: the contract has 10");
    check(
        Some(bought("Seats", "Count", Some(1))),
        Code::NotEntitled,
        "the contract has 1; buy more",
    );
    check(Some(bought("Other", "Count", Some(10))), Code::NotEntitled, "has no `Seats`; buy it");
    check(Some(read(tiers.clone())), Code::NotEntitled, "has no `Seats`; buy it");
    // What was read of tiers alone says nothing about seats.
    check(Some(tiers), Code::NoSeat, "either");
    check(None, Code::NoSeat, "either");
    // No limit is no maximum of zero.
    check(Some(bought("Seats", "Count", Some(0))), Code::NoSeat, "either");
    check(Some(standing(Standing::Expired)), Code::LicenseEnded, "has expired; renew");
    check(Some(standing(Standing::Suspended)), Code::LicenseEnded, "is suspended");
    check(Some(ended), Code::LicenseEnded, "ended at 2026-01-01T10:00:00Z; renew");
}

#[test]
fn a_wish_that_waits_gets_the_seat_that_comes_free_here_without_a_call() {
    for linger in [Duration::ZERO, MINUTE] {
        let mut house = House::new(2, linger);
        let (first, _second) = (house.get(1), house.get(1));
        let third = house.want(1);
        let calls = house.aws.calls.len();
        house.release(first);
        assert!(house.held.contains_key(&third));
        assert_eq!(house.aws.calls.len(), calls);
        assert_eq!(house.returned[&first], Ok(()), "the host does not wait for it");
        assert_eq!(house.held[&third], START.after(HOUR));
    }
}

#[test]
fn wishes_are_served_in_the_order_in_which_they_came() {
    let mut house = House::new(1, SECOND);
    let mut holder = house.get(1);
    let waiting: Vec<SeatId> = (0..20).map(|_| house.want(1)).collect();
    let calls = house.check_outs();
    for seat in waiting {
        house.release(holder);
        assert!(house.held.contains_key(&seat), "{seat:?}");
        assert_eq!(house.held.len(), 1);
        holder = seat;
    }
    assert_eq!(house.check_outs(), calls, "handed from one to the next");
    assert!(calls <= 3, "who waits behind another is not asked for: {calls}");
}

#[test]
fn seats_of_another_count_go_back_first_and_then_it_is_asked_again() {
    for linger in [Duration::ZERO, MINUTE] {
        let mut house = House::new(4, linger);
        let two = [house.get(2), house.get(2)];
        let three = house.want(3);
        house.release(two[0]);
        house.pass(SECOND);
        assert!(house.waiting.contains_key(&three), "two are not three");
        house.release(two[1]);
        house.pass(SECOND);
        assert!(house.held.contains_key(&three), "{linger:?}");
        assert_eq!(house.aws.in_use("Seats"), 3);
    }
}

#[test]
fn seats_that_linger_make_room_for_a_wish_of_another_count() {
    let mut house = House::new(4, MINUTE * 10);
    let ones: Vec<SeatId> = (0..4).map(|_| house.get(1)).collect();
    ones.into_iter().for_each(|seat| house.release(seat));
    assert_eq!(house.aws.in_use("Seats"), 4, "all linger");
    let two = house.want(2);
    house.pass(SECOND);
    assert!(house.held.contains_key(&two));
    assert_eq!(house.check_ins(), 2, "no more than needed");
    assert_eq!(house.aws.in_use("Seats"), 4);
}

#[test]
fn who_wants_fewer_is_not_held_up_by_who_wants_more() {
    let mut house = House::new(3, SECOND);
    let _holder = house.get(2);
    let many = house.want(3);
    let one = house.want(1);
    assert!(house.held.contains_key(&one));
    let many_too = house.want(3);
    let calls = house.check_outs();
    house.pass(SECOND);
    assert_eq!(house.check_outs(), calls);
    assert!(house.waiting.contains_key(&many) && house.waiting.contains_key(&many_too));
}

#[test]
fn while_every_seat_is_taken_aws_is_asked_again_at_a_slowing_pace_for_one_wish_alone() {
    let mut house = House::new(0, SECOND);
    let seats: Vec<SeatId> = (0..50).map(|_| house.want(1)).collect();
    let first = house.check_outs();
    assert!(first <= 20, "{first}");
    house.pass(MINUTE * 10);
    let asked = house.check_outs() - first;
    // Every 15 s in the end, 30 % to both sides.
    assert!((30..=70).contains(&asked), "{asked}");
    assert_eq!(house.waiting.len(), 50);
    let gaps: Vec<u64> = house
        .aws
        .calls
        .windows(2)
        .skip(first + 3)
        .map(|calls| calls[1].0.since(calls[0].0).as_secs())
        .collect();
    assert!(gaps.iter().all(|gap| (10..20).contains(gap)), "{gaps:?}");
    // Other pods return seats: they are taken one after the other.
    house.aws.others_return("Seats", 49);
    house.pass(SECOND * 25);
    assert_eq!(house.held.len(), 49);
    assert!(house.waiting.contains_key(&seats[49]));
}

#[test]
fn a_wish_that_waits_no_more_leaves_nothing_behind() {
    let mut house = House::new(0, MINUTE);
    let (first, second) = (house.want(1), house.want(1));
    house.release(first);
    assert_eq!(house.returned[&first], Ok(()));
    house.aws.others_return("Seats", 1);
    house.pass(SECOND * 20);
    assert!(house.held.contains_key(&second), "the next one's turn");
    house.release(second);
    house.pass(MINUTE * 2);
    assert_eq!(house.aws.in_use("Seats"), 0);
    assert!(house.seats.idle() && house.durable.is_empty());
}

#[test]
fn a_host_without_patience_gets_one_try_and_the_next_one_gets_what_it_brought() {
    let mut house = House::new(5, MINUTE);
    house.prompt = false;
    for _ in 0..100 {
        let seat = house.want(1);
        assert_eq!(house.why(seat).code(), Code::TimedOut);
        house.release(seat);
    }
    assert_eq!(house.flying.len(), 1, "one check out serves them all");
    house.answer(Fault::None);
    let seat = house.get(1);
    assert_eq!(house.check_outs(), 1);
    house.release(seat);

    // Without lingering it goes back.
    let mut house = House::new(5, Duration::ZERO);
    house.prompt = false;
    let seat = house.want(1);
    house.release(seat);
    house.answer(Fault::None);
    assert!(matches!(house.flying.pop_front(), Some(Command::CheckIn { .. })));

    // A full pool is asked for no faster for a host that tries again and again.
    let mut house = House::new(0, MINUTE);
    for _ in 0..600 {
        let seat = house.want(1);
        assert_eq!(house.why(seat).code(), Code::NoSeat);
        house.release(seat);
        house.pass(SECOND / 10);
    }
    assert!(house.check_outs() <= 25, "{} in a minute", house.check_outs());
    assert_eq!(house.count(EventKind::SeatsExhausted), 1);
}

#[test]
fn a_check_out_that_fails_three_times_is_answered_within_half_a_minute() {
    for (fault, code) in
        [(Fault::NotSent, Code::Unavailable), (Fault::Throttled, Code::Unavailable)]
    {
        let mut house = House::new(5, MINUTE);
        house.fault = fault;
        let seat = house.want(1);
        assert_eq!(house.why(seat).code(), code);
        house.pass(SECOND * 30);
        assert_eq!(house.refused[&seat].code(), code);
        assert_eq!(house.check_outs(), 3);
        assert_eq!(house.returned[&seat], Ok(()));
        assert!(house.seats.idle(), "nothing was taken");
        assert_eq!(house.count(EventKind::SeatsExhausted), 0, "no answer is no answer");
    }
}

#[test]
fn a_role_without_the_permission_is_told_so() {
    let mut house = House::new(5, MINUTE);
    house.prompt = false;
    let seat = house.want(1);
    for _ in 0..3 {
        house.pass(SECOND * 10);
        house.flying.clear();
        let text = "the role may not call license-manager:CheckoutLicense".into();
        let failure = Failure { class: FailureClass::AccessDenied, text };
        house.hear_answer(house::Answer::Out(LeaseId(1), CheckedOut::Failed(failure)));
    }
    assert_eq!(house.refused[&seat].code(), Code::AccessDenied);
    assert!(house.refused[&seat].text().contains("may not call"));
}

#[test]
fn a_lost_answer_costs_no_second_seat() {
    let mut house = House::new(5, MINUTE);
    house.fault = Fault::Lost;
    let seat = house.want(1);
    house.fault = Fault::None;
    house.pass(SECOND * 10);
    assert!(house.held.contains_key(&seat));
    assert_eq!((house.aws.in_use("Seats"), house.check_outs()), (1, 2));
}

#[test]
fn a_check_out_in_doubt_is_reclaimed_after_its_host_was_told_and_serves_the_next() {
    let mut house = House::new(5, MINUTE * 5);
    house.fault = Fault::Lost;
    let seat = house.want(1);
    house.pass(SECOND * 30);
    assert_eq!(house.refused[&seat].code(), Code::Unavailable);
    assert_eq!(house.aws.in_use("Seats"), 1);
    assert!(!house.durable.is_empty(), "a restart reclaims it, too");
    house.fault = Fault::None;
    house.pass(MINUTE * 2);
    let _next = house.get(1);
    assert_eq!(house.aws.in_use("Seats"), 1);

    // Nobody wants it: it goes back.
    let mut house = House::new(5, Duration::ZERO);
    house.fault = Fault::Lost;
    house.want(1);
    house.pass(SECOND * 30);
    house.fault = Fault::None;
    house.pass(MINUTE * 2);
    assert_eq!(house.aws.in_use("Seats"), 0);
    assert!(house.seats.idle());
}

#[test]
fn who_waits_goes_on_waiting_through_an_outage_and_hears_of_it() {
    let mut house = House::new(0, MINUTE);
    let (first, second) = (house.want(1), house.want(1));
    assert_eq!(house.why(first).code(), Code::NoSeat);
    assert_eq!(house.why(second).code(), Code::NoSeat, "though it was not asked for");
    for fault in [Fault::NotSent, Fault::Throttled, Fault::Unknown] {
        house.fault = fault;
        let before = house.check_outs();
        house.pass(MINUTE * 5);
        assert!((10..=60).contains(&(house.check_outs() - before)), "{}", house.check_outs());
        assert_eq!(house.why(first).code(), Code::Unavailable);
    }
    house.fault = Fault::None;
    house.aws.others_return("Seats", 2);
    house.pass(MINUTE);
    assert!(house.held.contains_key(&first) && house.held.contains_key(&second));
}

#[test]
fn a_first_answer_goes_to_the_wish_that_came_first() {
    let mut house = House::new(1, MINUTE);
    house.prompt = false;
    let (first, second) = (house.want(1), house.want(1));
    // AWS serves the second call first.
    house.flying.rotate_left(1);
    let other = house.flying.pop_back().expect("two");
    let given = house.aws.carry_out(&house.flying.pop_front().expect("two"), Fault::None, START);
    let none = house.aws.carry_out(&other, Fault::None, START);
    house.hear_answer(none);
    assert_eq!(house.why(first).code(), Code::NoSeat);
    house.hear_answer(given);
    assert!(house.held.contains_key(&first));
    assert!(house.waiting.contains_key(&second));
}

#[test]
fn the_contracts_own_unit_is_used_and_found_out_by_a_refusal() {
    // T44
    let units = |house: &House| -> Vec<(String, Option<String>)> {
        let want = |(_, call): &(Timestamp, Command)| match call {
            Command::CheckOut { want, .. } => Some((want.unit.clone(), want.value.clone())),
            _ => None,
        };
        house.aws.calls.iter().filter_map(want).collect()
    };
    for unit in ["None", "Gigabytes"] {
        let value = (unit != "None").then(|| "2".to_owned());
        let mut house = House::new(5, MINUTE);
        house.aws.units.insert("Seats".into(), unit.into());
        house.contract = Some(bought("Seats", unit, None));
        let _seat = house.get(2);
        assert_eq!(units(&house), [(unit.to_owned(), value.clone())]);
        assert_eq!(house.proved[0].0.unit, unit);

        // The contract is read while the first try is on its way.
        let mut house = House::new(5, MINUTE);
        house.aws.units.insert("Seats".into(), unit.into());
        house.prompt = false;
        let seat = house.want(2);
        house.contract = Some(bought("Seats", unit, None));
        house.answer(Fault::None);
        house.answer(Fault::None);
        assert!(house.held.contains_key(&seat));
        let counted = ("Count".to_owned(), Some("2".to_owned()));
        assert_eq!(units(&house), [counted, (unit.to_owned(), value)]);
        assert_eq!(house.count(EventKind::SeatsExhausted), 0);
    }
}

#[test]
fn a_crowd_at_the_start_is_asked_for_at_a_bounded_rate_and_nobody_is_lost() {
    let mut house = House::new(500, MINUTE);
    for _ in 0..300 {
        house.want(1);
    }
    house.pass(MINUTE);
    assert_eq!(house.held.len(), 300);
    assert!(house.most_calls_a_second() <= 31, "{}", house.most_calls_a_second());
}
