//! What is left in the contract.

use super::{super::*, bench::*};
use crate::{event::EventKind, model::outcome::FailureClass};

#[test]
fn low_is_told_once_until_it_rises_again() {
    let mut bench = Bench::new(1);
    bench.contract = Some(contract(1000));
    bench.reads(899);
    assert!(bench.news.is_empty());
    bench.reads(900);
    bench.reads(950);
    assert_eq!(bench.told(), [EventKind::DrawdownLow]);
    let details = &bench.news[0].details;
    assert_eq!(
        (&details["entitlement"], &details["left"], &details["max_count"]),
        (&"Data".into(), &100.into(), &1000.into())
    );
    bench.contract = Some(contract(5000));
    bench.reads(950);
    bench.reads(4800);
    assert_eq!(bench.told(), [EventKind::DrawdownLow, EventKind::DrawdownLow]);
}

#[test]
fn the_mark_of_low_may_be_configured() {
    let mut low = spec("Data", 1);
    low.low = Some(300);
    let mut bench = Bench::with(&[low]);
    bench.contract = Some(contract(1000));
    bench.reads(699);
    assert!(bench.news.is_empty());
    bench.reads(700);
    assert_eq!(bench.told(), [EventKind::DrawdownLow]);
}

#[test]
fn a_reading_of_another_license_or_without_a_contract_says_nothing() {
    let mut bench = Bench::new(1);
    bench.reads(1000);
    bench.contract = Some(Contract { license_arn: Some("another".into()), ..contract(1000) });
    bench.reads(1000);
    bench.unread(FailureClass::AccessDenied);
    assert!(bench.news.is_empty());
}
