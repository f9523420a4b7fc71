//! What listeners hear of seats.

use super::*;

fn details(house: &House, kind: EventKind) -> Vec<serde_json::Value> {
    let of = house.news.iter().filter(|news| news.kind == kind);
    of.map(|news| serde_json::Value::Object(news.details.clone())).collect()
}

#[test]
fn a_full_pool_is_told_once_and_its_end_once() {
    let mut house = House::new(2, MINUTE);
    let held = [house.get(1), house.get(1)];
    let waiting: Vec<SeatId> = (0..5).map(|_| house.want(1)).collect();
    house.pass(MINUTE * 3);
    assert_eq!(house.count(EventKind::SeatsExhausted), 1);
    assert_eq!(
        details(&house, EventKind::SeatsExhausted),
        [serde_json::json!({"entitlement": "Seats"})]
    );
    waiting.into_iter().for_each(|seat| house.release(seat));
    assert_eq!(house.count(EventKind::SeatsAvailable), 0);
    held.into_iter().for_each(|seat| house.release(seat));
    assert_eq!(house.count(EventKind::SeatsAvailable), 1, "a seat is free again");
    house.pass(MINUTE * 3);
    let held = [house.get(1), house.get(1)];
    house.want(1);
    assert_eq!(house.count(EventKind::SeatsExhausted), 2, "a new time");
    let _ = held;
}

#[test]
fn a_seat_handed_from_host_to_host_is_no_free_seat() {
    let mut house = House::new(1, MINUTE);
    let mut holder = house.get(1);
    let waiting: Vec<SeatId> = (0..5).map(|_| house.want(1)).collect();
    for seat in waiting {
        house.release(holder);
        holder = seat;
        assert_eq!(house.count(EventKind::SeatsAvailable), 0);
    }
    house.release(holder);
    assert_eq!(house.count(EventKind::SeatsAvailable), 1);
    assert_eq!(house.count(EventKind::SeatsExhausted), 1);
}

#[test]
fn a_check_out_that_works_again_is_told_when_nobody_waits_any_more() {
    let mut house = House::new(0, MINUTE);
    for _ in 0..3 {
        house.want(1);
    }
    house.pass(MINUTE);
    house.aws.others_return("Seats", 2);
    house.pass(MINUTE);
    assert_eq!((house.held.len(), house.count(EventKind::SeatsAvailable)), (2, 0));
    house.aws.others_return("Seats", 5);
    house.pass(MINUTE);
    assert_eq!((house.held.len(), house.count(EventKind::SeatsAvailable)), (3, 1));
    assert_eq!(house.count(EventKind::SeatsExhausted), 1);
}

#[test]
fn each_entitlement_is_told_by_itself() {
    let mut house = House::new(0, MINUTE);
    house.aws.bought.insert("Robots".into(), 0);
    for _ in 0..2 {
        house.want_of("Seats", 1);
        house.want_of("Robots", 1);
    }
    let told = details(&house, EventKind::SeatsExhausted);
    assert_eq!(
        told,
        [serde_json::json!({"entitlement": "Seats"}), serde_json::json!({"entitlement": "Robots"})]
    );
}

#[test]
fn a_lost_seat_is_an_event_on_that_seat() {
    // T47
    let mut house = House::new(5, MINUTE);
    let (kept, lost) = (house.get(1), house.get(3));
    house.aws.outs.retain(|_, out| out.count == 1); // revoked
    house.aws.others_take("Seats", 4);
    house.pass(HOUR);
    assert!(house.held.contains_key(&kept) && !house.held.contains_key(&lost));
    let told = serde_json::json!({"seat": lost.0, "entitlement": "Seats", "count": 3});
    assert_eq!(details(&house, EventKind::SeatLost), [told]);
    let text = &house.news.iter().find(|n| n.kind == EventKind::SeatLost).expect("told").text;
    assert!(text.contains("lost 3 of `Seats`: ") && text.contains("check out again"), "{text}");
    assert_eq!(house.returned[&lost], Ok(()), "the driver forgets it");
    house.release(kept);
}

#[test]
fn the_first_answer_of_each_check_out_proves_the_contract_with_its_license() {
    let mut house = House::new(5, MINUTE);
    let seat = house.get(2);
    let [(entitlement, license_arn)] = &house.proved[..] else { panic!("{:?}", house.proved) };
    assert_eq!((entitlement.name.as_str(), entitlement.unit.as_str()), ("Seats", "Count"));
    assert!(license_arn.as_ref().is_some_and(|arn| arn.contains(":license:l-")));
    house.release(seat);
    house.get(2);
    assert_eq!(house.proved.len(), 1, "no answer, no proof");
}

#[test]
fn a_seat_to_prove_the_contract_goes_back_and_its_refusal_is_no_news() {
    for linger in [Duration::ZERO, SECOND * 5] {
        let mut house = House::new(1, linger);
        let step = house.seats.prove(spec("Seats"), house.now, &mut house.draw);
        house.hear(step);
        assert_eq!(house.proved.len(), 1);
        house.pass(SECOND * 10);
        assert_eq!(house.aws.in_use("Seats"), 0);
        assert!(house.seats.idle());

        house.aws.others_take("Seats", 1);
        let step = house.seats.prove(spec("Seats"), house.now, &mut house.draw);
        house.hear(step);
        assert_eq!((house.proved.len(), house.news.len()), (1, 0));
        assert!(house.seats.idle());
    }
    // Whoever wants a seat meanwhile takes it over.
    let mut house = House::new(1, MINUTE);
    house.prompt = false;
    let step = house.seats.prove(spec("Seats"), house.now, &mut house.draw);
    house.hear(step);
    let seat = house.want(1);
    house.answer(Fault::None);
    assert!(house.held.contains_key(&seat));
    assert_eq!(house.check_outs(), 1);
}
