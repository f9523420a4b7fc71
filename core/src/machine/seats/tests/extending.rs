//! Seats that are held for long.

use super::*;

#[test]
fn seats_are_kept_for_days_whatever_their_life_and_no_extension_is_wasted() {
    // T47
    for minutes in [5, 60, 180] {
        for renames in [false, true] {
            let mut aws = Aws::with(20);
            aws.life = MINUTE * minutes;
            aws.renames = renames;
            let mut house = House::over(aws, MINUTE, 3);
            let seats: Vec<SeatId> = (0..5).map(|_| house.get(2)).collect();
            for _ in 0..48 {
                house.pass(HOUR);
                assert_eq!(house.held.len(), 5);
                assert!(house.held.values().all(|expires| *expires > house.now));
                assert_eq!(house.aws.in_use("Seats"), 10, "the old ones go back");
            }
            assert_eq!((house.news.len(), house.aws.wasted), (0, 0));
            seats.into_iter().for_each(|seat| house.release(seat));
            house.pass(MINUTE * 5);
            assert_eq!(house.aws.in_use("Seats"), 0);
            assert!(house.seats.idle());
        }
    }
}

#[test]
fn a_contract_of_one_seat_never_locks_its_holder_out() {
    // T43
    let mut house = House::new(1, MINUTE);
    let seat = house.get(1);
    house.pass(HOUR * 24);
    assert!(house.held.contains_key(&seat));
    assert_eq!(house.count(EventKind::SeatLost), 0);
    assert_eq!((house.aws.in_use("Seats"), house.aws.most_in_use), (1, 1));
}

#[test]
fn a_full_pool_of_many_is_kept_and_no_wish_of_ours_takes_what_is_swapped() {
    // T43
    let mut house = House::new(10, MINUTE);
    let seats: Vec<SeatId> = (0..10).map(|_| house.get(1)).collect();
    let waiting = house.want(1);
    house.pass(HOUR * 24);
    assert!(seats.iter().all(|seat| house.held.contains_key(seat)));
    assert!(house.waiting.contains_key(&waiting));
    assert_eq!((house.count(EventKind::SeatLost), house.aws.most_in_use), (0, 10));
    house.release(seats[0]);
    assert!(house.held.contains_key(&waiting));
}

#[test]
fn a_wish_does_not_take_what_another_seat_of_ours_is_being_swapped_for() {
    // T43
    let mut house = House::new(1, MINUTE);
    let seat = house.get(1);
    let waiting = house.want(1);
    house.prompt = false;
    while !matches!(house.flying.front(), Some(Command::Extend { .. })) {
        house.flying.clear();
        house.pass(SECOND);
        if matches!(house.flying.front(), Some(Command::CheckOut { .. })) {
            house.answer(Fault::None);
        }
    }
    house.answer(Fault::Throttled);
    while !matches!(house.flying.front(), Some(Command::CheckIn { .. })) {
        house.answer(Fault::None);
    }
    // The answer to the check in is late: the wish's time comes meanwhile.
    let calls = house.check_outs();
    house.pass(SECOND * 40);
    assert_eq!(house.check_outs(), calls);
    house.prompt = true;
    house.answer(Fault::None);
    assert!(house.held.contains_key(&seat) && house.waiting.contains_key(&waiting));
}

#[test]
fn a_machine_that_slept_past_the_end_checks_out_once_and_says_nothing() {
    // T47
    let mut house = House::new(5, MINUTE);
    let seat = house.get(2);
    house.sleep(HOUR * 9);
    assert!(house.held.contains_key(&seat));
    assert_eq!(house.held[&seat], house.now.after(HOUR));
    assert_eq!((house.extensions(), house.check_outs(), house.news.len()), (0, 2, 0));

    // Meanwhile others took them.
    house.aws.others_take("Seats", 4);
    house.sleep(HOUR * 9);
    assert!(!house.held.contains_key(&seat));
    assert_eq!(house.count(EventKind::SeatLost), 1);
    assert_eq!(house.check_outs(), 3);
}

#[test]
fn many_seats_come_back_after_a_sleep_though_aws_asks_for_patience() {
    let mut house = House::new(50, MINUTE);
    for _ in 0..50 {
        house.want(1);
    }
    house.pass(SECOND * 10);
    assert_eq!(house.held.len(), 50);
    house.fault = Fault::Throttled;
    house.sleep(HOUR * 9);
    house.pass(MINUTE * 3);
    house.fault = Fault::None;
    house.pass(MINUTE);
    assert_eq!((house.held.len(), house.count(EventKind::SeatLost)), (50, 0));
}

#[test]
fn an_outage_loses_seats_at_their_end_and_not_before() {
    let mut house = House::new(5, MINUTE);
    let seat = house.get(1);
    house.fault = Fault::Unknown;
    house.pass(MINUTE * 59);
    assert!(house.held.contains_key(&seat));
    house.pass(MINUTE * 3);
    assert!(!house.held.contains_key(&seat));
    assert_eq!(house.count(EventKind::SeatLost), 1);
    house.pass(MINUTE * 20);
    assert!(house.seats.idle());
    house.fault = Fault::None;
    house.get(1);
}

#[test]
fn an_outage_shorter_than_the_rest_of_a_life_is_not_noticed() {
    for fault in [Fault::NotSent, Fault::Unknown, Fault::Throttled, Fault::Lost] {
        let mut house = House::new(5, MINUTE);
        let seat = house.get(1);
        house.pass(MINUTE * 44);
        house.fault = fault;
        house.pass(MINUTE * 14);
        house.fault = Fault::None;
        house.pass(HOUR * 3);
        assert!(house.held.contains_key(&seat));
        assert_eq!((house.news.len(), house.aws.in_use("Seats")), (0, 1), "{fault:?}");
    }
}

#[test]
fn seven_counted_entitlements_are_seven_calls() {
    // AWS takes five counted entitlements in one check out. Source: AWS General Reference, License Manager quotas.
    let mut house = House::new(0, MINUTE);
    for n in 0..7 {
        let name = format!("Seats{n}");
        house.aws.bought.insert(name.clone(), 3);
        let seat = house.want_of(&name, n % 3 + 1);
        assert!(house.held.contains_key(&seat));
    }
    assert_eq!(house.check_outs(), 7, "a command has one entitlement");
    house.pass(HOUR * 5);
    assert_eq!(house.held.len(), 7);
}

#[test]
fn what_was_reckoned_by_a_clock_that_was_days_ahead_does_not_wait_for_days() {
    let mut house = House::new(0, MINUTE * 10);
    let waiting = house.want(1);
    let day = Duration::from_secs(86_400);
    house.now = house.now.before(day);
    house.seats.shift(-86_400_000);
    house.aws.others_return("Seats", 1);
    house.pass(SECOND * 20);
    assert!(house.held.contains_key(&waiting));
}

#[test]
fn the_end_of_a_seats_time_is_aws_word_and_no_clock_moves_it() {
    let mut house = House::new(5, MINUTE * 10);
    let seat = house.get(1);
    house.seats.shift(86_400_000);
    assert!(house.seats.due().is_some_and(|due| due < START.after(HOUR)));
    house.now = START.after(HOUR * 24);
    house.pass(SECOND);
    assert_eq!((house.check_outs(), house.extensions()), (2, 0), "it is over");
    assert_eq!(house.held[&seat], START.after(HOUR * 25));
}
