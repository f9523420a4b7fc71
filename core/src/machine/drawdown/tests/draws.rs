//! Answers that tell what happened: given, refused, or nothing done.

use super::{super::*, bench::*};
use crate::{
    error::Code,
    event::EventKind,
    model::{license::Standing, outcome::FailureClass},
};

#[test]
fn given_units_prove_the_entitlement() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(yes());
    assert_eq!(bench.proved, 1);
    assert_eq!(bench.answered(), [(1, Ok(()))]);
}

#[test]
fn an_answer_that_nobody_waits_for_is_passed_over() {
    let mut bench = Bench::new(1);
    bench.drawn(yes());
    bench.drawn_of("Other", yes());
    assert_eq!(bench.units.units(), Units::new());
}

/// T54: exhausted in the middle of work.
#[test]
fn a_batch_that_is_refused_is_asked_for_again_as_small_as_needed() {
    let mut bench = Bench::new(100);
    bench.want(1, 5);
    bench.drawn(none());
    assert_eq!(bench.quantities(), [100, 5]);
    assert_eq!(bench.tokens(), 2);
    bench.drawn(yes());
    assert_eq!(bench.answered(), [(1, Ok(()))]);
    assert!(bench.news.is_empty());
    bench.want(2, 5);
    assert_eq!(bench.quantities(), [100, 5, 5], "AWS has less than a batch");
}

#[test]
fn a_refused_draw_for_several_is_asked_for_again_for_the_first() {
    let mut bench = Bench::new(1);
    bench.want(1, 1);
    bench.want(2, 5);
    bench.want(3, 7);
    bench.drawn(yes());
    bench.drawn(none());
    bench.drawn(yes());
    bench.drawn(none());
    assert_eq!(bench.quantities(), [1, 12, 5, 7]);
    assert_eq!(bench.answered(), [(1, Ok(())), (2, Ok(())), (3, Err(Code::Exhausted))]);
}

/// T54: the smaller wishes behind the one that is refused are still served.
#[test]
fn exhausted_is_told_once_and_smaller_wishes_are_still_served() {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(1000));
    bench.want(1, 50);
    bench.want(2, 60);
    bench.want(3, 10);
    bench.drawn(none());
    assert_eq!(bench.answered(), [(1, Err(Code::Exhausted)), (2, Err(Code::Exhausted))]);
    assert_eq!(bench.told(), [EventKind::DrawdownExhausted]);
    assert_eq!(bench.news[0].details["entitlement"], "Data");
    let text = bench.last_text();
    assert!(text.contains("1000 bought") && text.contains("buy more in AWS Marketplace"), "{text}");
    assert!(text.contains("do not start the work"));
    bench.drawn(yes());
    assert_eq!(bench.answered()[2], (3, Ok(())));
    assert_eq!(bench.quantities(), [50, 10]);
    bench.want(4, 50);
    bench.drawn(none());
    assert_eq!(bench.told().len(), 2, "a draw had worked in between");
    bench.want(5, 50);
    bench.drawn(none());
    assert_eq!(bench.told().len(), 2);
}

#[test]
fn units_left_serve_smaller_wishes_while_the_contract_is_exhausted() {
    let mut bench = Bench::new(10);
    bench.want(1, 4);
    bench.drawn(yes());
    bench.want(2, 8);
    bench.want(3, 6);
    bench.drawn(none());
    bench.drawn(none());
    assert_eq!(bench.quantities(), [10, 10, 2]);
    assert_eq!(bench.answered(), [(1, Ok(())), (2, Err(Code::Exhausted)), (3, Ok(()))]);
    assert_eq!(bench.sums(), (10, 10));
}

/// T45: not bought, used up, ended and unknown are told apart.
#[test]
fn the_license_tells_why_there_is_nothing() {
    let refused = |contract: Option<Contract>| {
        let mut bench = Bench::new(1);
        bench.contract = contract;
        bench.want(1, 5);
        bench.drawn(none());
        let kinds = bench.told();
        (bench.answered()[0].1.unwrap_err(), bench.last_text(), kinds)
    };
    let other = Contract { entitlements: Vec::new(), ..contract(0) };
    let tiers_only = Contract { version: None, ..other.clone() };
    let expired = Contract { standing: Standing::Expired, ..contract(9) };
    let suspended = Contract { standing: Standing::Suspended, ..contract(9) };
    let all = [
        (Some(contract(9)), Code::Exhausted, "9 bought", true),
        (Some(other), Code::NotEntitled, "the contract has no `Data`", false),
        (Some(tiers_only), Code::Exhausted, "either it was not bought", true),
        (Some(expired), Code::LicenseEnded, "expired; renew it", false),
        (Some(suspended), Code::LicenseEnded, "suspended", false),
        (None, Code::Exhausted, "maximum count reached", true),
    ];
    for (contract, code, words, told) in all {
        let (got, text, kinds) = refused(contract);
        assert_eq!(got, code, "{text}");
        assert!(text.contains(words), "{text}");
        assert_eq!(kinds == [EventKind::DrawdownExhausted], told, "{text}");
    }
}

#[test]
fn what_is_left_in_the_contract_is_told_when_it_is_known() {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(100));
    bench.reads(60);
    bench.want(1, 50);
    bench.drawn(none());
    assert!(bench.last_text().contains("100 bought, about 40 left"), "{}", bench.last_text());
}

#[test]
fn a_product_that_asks_in_a_loop_does_not_call_aws_as_often() {
    let mut bench = Bench::new(100);
    bench.contract = Some(contract(1000));
    for draw in 0..1000 {
        bench.want(draw, 5);
        while bench.answers.len() as u64 <= draw {
            bench.drawn(none());
        }
        bench.wait(std::time::Duration::from_millis(10));
    }
    assert!(bench.answered().iter().all(|(_, answer)| *answer == Err(Code::Exhausted)));
    assert!(bench.calls.len() <= 12, "{} calls in ten seconds", bench.calls.len());
    let before = bench.calls.len();
    bench.want(1000, 4);
    assert_eq!(bench.calls.len(), before + 1, "less than what was refused is worth asking");
    bench.drawn(none());
    bench.contract = Some(contract(2000));
    bench.want(1001, 5);
    assert_eq!(bench.calls.len(), before + 2, "the buyer has bought more");
}

#[test]
fn what_did_nothing_is_tried_again_with_the_same_token_for_who_waits() {
    for class in [FailureClass::NotSent, FailureClass::Throttled, FailureClass::AccessDenied] {
        let mut bench = Bench::new(1);
        bench.want(1, 5);
        let mut gaps = Vec::new();
        for _ in 0..30 {
            bench.drawn(failed(class));
            let before = bench.now;
            bench.go_on();
            gaps.push(bench.now.since(before).as_secs());
        }
        assert_eq!((bench.calls.len(), bench.tokens()), (31, 1));
        assert!(gaps[0] >= 3 && gaps[0] <= 7, "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= 78), "{gaps:?}");
        assert!(gaps[20..].iter().any(|gap| gap != &gaps[29]), "no jitter: {gaps:?}");
        bench.drawn(yes());
        assert_eq!(bench.answered(), [(1, Ok(()))]);
        assert!(bench.news.is_empty(), "no dispute after twenty minutes: nothing was in doubt");
    }
}

#[test]
fn what_did_nothing_is_dropped_when_nobody_waits_any_more() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(failed(FailureClass::Throttled));
    bench.give_up(1);
    assert_eq!((bench.units.due(), bench.durable.clone()), (None, Units::new()));
    bench.want(2, 6);
    assert_eq!((bench.quantities(), bench.tokens()), (vec![5, 6], 2));
    bench.give_up(2);
    bench.drawn(failed(FailureClass::NotSent));
    assert_eq!((bench.units.due(), bench.durable.clone()), (None, Units::new()));
}

#[test]
fn a_jump_of_the_clock_moves_waits_along() {
    let mut bench = Bench::new(1);
    bench.want(1, 5);
    bench.drawn(failed(FailureClass::Unknown));
    let (due, begun) = (bench.units.due().expect("a retry"), bench.data().in_hand[0].begun);
    bench.units.shift(-86_400_000);
    assert_eq!(bench.units.due(), Some(due.shifted(-86_400_000)));
    assert_eq!(bench.data().in_hand[0].begun, begun.shifted(-86_400_000));
}
