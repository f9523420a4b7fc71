//! Restarts: what a dead process held is used or returned.

use super::*;
use crate::model::holdings::Asking;

#[test]
fn a_restart_takes_the_same_seats_over_without_a_call() {
    // T48
    let mut house = House::new(9, Duration::ZERO);
    for _ in 0..3 {
        house.get(1);
    }
    let calls = house.aws.calls.len();
    house.crash();
    for _ in 0..3 {
        house.get(1);
    }
    assert_eq!(house.aws.calls.len(), calls);
    house.pass(HOUR * 5);
    assert_eq!((house.aws.in_use("Seats"), house.aws.wasted), (3, 0));
}

#[test]
fn what_a_restart_does_not_use_goes_back_after_a_minute() {
    // T48
    let mut house = House::new(9, Duration::ZERO);
    for _ in 0..3 {
        house.get(1);
    }
    house.crash();
    house.get(1);
    house.pass(MINUTE);
    assert_eq!(house.aws.in_use("Seats"), 3, "the product may still be starting");
    house.pass(MINUTE);
    assert_eq!(house.aws.in_use("Seats"), 1);
    assert_eq!(house.durable.len(), 1);
}

#[test]
fn fifty_crashes_in_a_row_hold_no_more_seats_than_are_in_use() {
    // T48: at every moment of a check out, an extension, a check in and a swap.
    for seed in 0..60 {
        let mut house = House::over(Aws::with(9), SECOND * 5, seed);
        house.prompt = false;
        for crash in 0..50 {
            for _ in 0..3 {
                house.want(1);
            }
            let steps = house.draw.below(12);
            for _ in 0..steps {
                if house.draw.below(6) == 0 {
                    // Most of a life; no call is without an answer for so long.
                    for _ in 0..110 {
                        while !house.flying.is_empty() {
                            house.answer(Fault::None);
                        }
                        house.pass(SECOND * 30);
                    }
                }
                let wait = house.draw.up_to(SECOND);
                house.pass(wait);
                if !house.flying.is_empty() {
                    house.answer(Fault::None);
                }
            }
            // What was sent arrives, or not; nobody hears of it.
            while let Some(command) = house.flying.pop_front() {
                let fault = if house.draw.below(2) == 0 { Fault::Lost } else { Fault::Unknown };
                let _ = house.aws.carry_out(&command, fault, house.now);
            }
            assert!(house.aws.in_use("Seats") <= 6, "{crash}: {}", house.aws.in_use("Seats"));
            house.crash();
        }
        house.prompt = true;
        while !house.flying.is_empty() {
            house.answer(Fault::None);
        }
        for _ in 0..3 {
            house.want(1);
        }
        house.pass(MINUTE * 2);
        assert_eq!(house.held.len(), 3);
        assert!(house.aws.in_use("Seats") <= 3, "{seed}");
        // A check in that was on its way at a crash may have arrived: the next renewal finds out.
        house.pass(HOUR);
        assert_eq!((house.held.len(), house.aws.in_use("Seats")), (3, 3), "{seed}");
        assert_eq!(house.news, []);
    }
}

#[test]
fn without_memory_of_client_tokens_a_crash_costs_what_runs_out_by_itself_and_no_more() {
    // T48: AWS documents no memory for the token of a check out.
    let mut aws = Aws::with(500);
    aws.memory = Duration::ZERO;
    let mut house = House::over(aws, SECOND * 5, 4);
    for _ in 0..50 {
        house.crash();
        for _ in 0..3 {
            house.get(1);
        }
        house.pass(SECOND);
    }
    assert_eq!(house.aws.in_use("Seats"), 3, "what was answered is known");
    // The worst: each crash falls between a check out and its answer.
    house.prompt = false;
    for _ in 0..50 {
        house.crash();
        while let Some(command) = house.flying.pop_front() {
            let _ = house.aws.carry_out(&command, Fault::Lost, house.now);
        }
        house.want(2);
        if let Some(command) = house.flying.pop_front() {
            let _ = house.aws.carry_out(&command, Fault::Lost, house.now);
        }
        house.sleep(SECOND * 90);
    }
    house.prompt = true;
    house.crash();
    house.pass(HOUR * 2);
    assert_eq!(house.aws.in_use("Seats"), 0, "all of it has run out, or was returned");
    assert!(house.seats.idle());
}

#[test]
fn a_check_out_that_a_dead_process_had_no_answer_to_is_asked_for_under_its_own_token() {
    let mut house = House::new(9, Duration::ZERO);
    house.prompt = false;
    house.want(2);
    let command = house.flying.pop_front().expect("sent");
    let _ = house.aws.carry_out(&command, Fault::Lost, house.now);
    house.crash();
    let seat = house.want(2);
    assert_eq!(house.flying.len(), 1, "the wish waits for the same one");
    house.answer(Fault::None);
    assert!(house.held.contains_key(&seat));
    assert_eq!(house.aws.in_use("Seats"), 2);

    // Nobody wants it: back it goes.
    house.crash();
    house.prompt = true;
    house.pass(MINUTE * 2);
    assert_eq!(house.aws.in_use("Seats"), 0);
}

#[test]
fn an_old_check_out_without_an_answer_is_left_to_its_time() {
    let kept = |minutes: u64| KeptLease {
        entitlement: "Seats".into(),
        unit: "Count".into(),
        count: 1,
        asking: Some(Asking {
            client_token: "t".into(),
            begun: START.before(MINUTE * minutes as u32),
        }),
        given: None,
    };
    for (minutes, asked) in [(0, true), (9, true), (10, false), (59, false), (600, false)] {
        let mut house = House::new(9, Duration::ZERO);
        house.durable = vec![kept(minutes)];
        house.crash();
        assert_eq!(house.check_outs(), usize::from(asked), "{minutes}");
    }
}

#[test]
fn a_replacement_in_hand_at_the_crash_leaves_one_seat_in_the_end() {
    let mut house = House::new(9, Duration::ZERO);
    house.get(1);
    house.prompt = false;
    house.pass(MINUTE * 55);
    house.answer(Fault::Throttled);
    let command = house.flying.pop_front().expect("a fresh check out");
    let _ = house.aws.carry_out(&command, Fault::Lost, house.now);
    assert!(house.durable.iter().any(|kept| kept.asking.is_some() && kept.given.is_some()));
    house.crash();
    house.prompt = true;
    while !house.flying.is_empty() {
        house.answer(Fault::None);
    }
    assert_eq!(house.aws.in_use("Seats"), 2);
    house.get(1);
    house.pass(MINUTE * 2);
    assert_eq!((house.held.len(), house.aws.in_use("Seats")), (1, 1));
    house.pass(HOUR * 5);
    assert_eq!((house.aws.in_use("Seats"), house.aws.wasted), (1, 0));
}

#[test]
fn an_extended_token_is_not_extended_again_by_the_next_process() {
    let mut house = House::new(9, MINUTE);
    house.get(1);
    house.pass(MINUTE * 56);
    assert_eq!(house.extensions(), 1);
    house.crash();
    house.get(1);
    house.pass(HOUR - MINUTE * 10);
    assert_eq!((house.extensions(), house.aws.wasted), (1, 0));
    assert_eq!(house.aws.in_use("Seats"), 1);
}

#[test]
fn one_check_out_answered_under_two_tokens_is_one_lease() {
    let mut house = House::new(9, MINUTE);
    house.get(1);
    let given = house.durable[0].clone();
    let Command::CheckOut { token, .. } = house.aws.calls[0].1.clone() else { panic!("asked") };
    // The file was written before the answer, and again after it, by two processes.
    let asking = Some(Asking { client_token: token, begun: START });
    let asked = KeptLease { asking, given: None, ..given.clone() };
    for kept in [vec![given.clone(), asked.clone()], vec![asked, given.clone(), given]] {
        house.durable = kept;
        house.crash();
        let seats = [house.get(1), house.get(1)];
        assert_eq!(house.aws.in_use("Seats"), 2, "two hosts, two seats");
        house.release(seats[1]);
        house.pass(MINUTE * 2);
        assert_eq!(house.aws.in_use("Seats"), 1);
        house.release(seats[0]);
        house.want(1);
    }
}

#[test]
fn a_file_found_while_the_guard_ends_is_given_back_too() {
    let mut house = House::new(9, MINUTE);
    house.get(3);
    let kept = house.durable.clone();
    house.crash();
    house.seats = Seats::new(MINUTE);
    house.close();
    let step = house.seats.took(kept, house.now, &mut house.draw);
    house.hear(step);
    assert_eq!((house.aws.in_use("Seats"), house.seats_returned), (0, 1));
    assert!(house.seats.idle());
}
