//! The contract as the engine hears it: the proof by a seat, what is remembered, what is told.

use super::{super::contract::tell_held, *};
use crate::model::{
    license::Remembered,
    outcome::{Consumed, Consumption},
};

const ARN: &str = "arn:aws:license-manager::294406891311:license:l-1";

fn only(tiers: bool) -> Plan {
    let contract = plan().contract.map(|contract| ContractPlan {
        tiers: if tiers { contract.tiers.clone() } else { Vec::new() },
        ..contract
    });
    Plan { hourly: false, usage: false, contract, ..plan() }
}

fn license() -> Contract {
    let Details::Found(contract) = found() else { panic!("it is found") };
    Contract { license_arn: Some(ARN.into()), version: Some("1".into()), ..contract }
}

fn denied() -> Failure {
    Failure { class: FailureClass::AccessDenied, text: "ListReceivedLicenses: allow it".into() }
}

fn started(plan: Plan) -> (Bench, Vec<Command>) {
    let mut bench = Bench::new(plan);
    bench.hear(Input::TimeKnown { behind_ms: 0, guess_behind_ms: 0 });
    let commands = bench.hear(Input::Identified(Ok(identity())));
    (bench, commands)
}

fn kinds(commands: &[Command]) -> Vec<EventKind> {
    let kind = |command: &Command| match command {
        Command::Announce(notice) => Some(notice.kind),
        _ => None,
    };
    commands.iter().filter_map(kind).collect()
}

fn remembered(commands: &[Command]) -> Option<&Remembered> {
    commands.iter().find_map(|command| match command {
        Command::Remember(remembered) => Some(&**remembered),
        _ => None,
    })
}

#[test]
fn a_seat_is_taken_as_the_proof_when_the_license_cannot_be_found_and_its_answer_names_it() {
    // T46
    let (mut bench, _) = started(only(false));
    let asked = bench.hear(Input::Details(Details::Failed(denied())));
    let lease = asked.iter().find_map(|command| match command {
        Command::CheckOut { lease, want, .. } if want.name == "Seats" => Some(*lease),
        _ => None,
    });
    let lease = lease.expect("one seat is asked for");
    assert_eq!(bench.verdict().0, Verdict::Pending);
    let expires = bench.now.after(Duration::from_secs(3600));
    let license_arn = Some(ARN.to_owned());
    let outcome = CheckedOut::Held { token: "t".into(), expires, license_arn };
    let asked = bench.hear(Input::CheckedOut { lease, outcome });
    let by_arn = |command: &Command| matches!(command, Command::AskDetails { license_arn } if license_arn.as_deref() == Some(ARN));
    assert!(asked.iter().any(by_arn), "{asked:?}");
    bench.hear(Input::Details(Details::Found(license())));
    assert_eq!(bench.verdict(), (Verdict::Licensed, Reason::Entitled));
    assert_eq!(bench.engine.license().license_version.as_deref(), Some("1"));
}

#[test]
fn a_seat_that_is_refused_as_the_proof_is_pending_with_its_own_reason() {
    // T45, T46
    let (mut bench, _) = started(only(false));
    let asked = bench.hear(Input::Details(Details::Failed(denied())));
    let lease = asked.iter().find_map(|command| match command {
        Command::CheckOut { lease, .. } => Some(*lease),
        _ => None,
    });
    let outcome = CheckedOut::NoneAllowed("all taken, or none bought".into());
    bench.hear(Input::CheckedOut { lease: lease.expect("asked"), outcome });
    assert_eq!(bench.verdict(), (Verdict::Pending, Reason::NoSeat));
}

#[test]
fn a_good_answer_is_remembered_once_the_time_is_known() {
    // T53
    let mut bench = Bench::new(only(true));
    let guess = 86_400_000;
    bench.hear(Input::Identified(Ok(identity())));
    bench.hear(Input::Tiers(basic()));
    let commands = bench.hear(Input::Details(Details::Found(license())));
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    assert_eq!(remembered(&commands), None, "when that was is a guess");
    bench.now = bench.now.shifted(guess);
    let commands = bench.hear(Input::TimeKnown { behind_ms: guess, guess_behind_ms: guess });
    let written = remembered(&commands).expect("now it is known");
    assert_eq!((written.confirmed, written.spent_ms), (bench.now, 0));
    assert_eq!(written.contract.license_arn.as_deref(), Some(ARN));
}

#[test]
fn a_start_while_license_manager_is_down_runs_on_what_was_remembered() {
    // T53
    let (mut bench, _) = started(only(true));
    let confirmed = bench.now.before(Duration::from_secs(3600));
    let mut contract = license();
    contract
        .entitlements
        .push(Entitlement { name: "Basic".into(), ..contract.entitlements[0].clone() });
    let known = Remembered { contract, confirmed, seen: confirmed, spent_ms: 0 };
    let commands = bench.hear(Input::Remembered(Box::new(known)));
    let charged = remembered(&commands).expect("each start pays");
    assert_eq!(charged.spent_ms, 60_000);
    assert_eq!(bench.verdict().0, Verdict::Pending, "AWS has not been heard");
    let told = bench.hear(Input::Tiers(Tiers::Failed(failure(FailureClass::NotSent))));
    assert_eq!(kinds(&told), [EventKind::VerdictChanged]);
    assert_eq!(bench.verdict(), (Verdict::Grace, Reason::Unreachable));
    assert!(bench.engine.license().has("Basic"));
    assert_eq!(
        bench.engine.license().until,
        Some(confirmed.after(Duration::from_secs(86_400))),
        "an hour of grace is gone"
    );
}

#[test]
fn consumption_is_asked_for_and_shown() {
    let (mut bench, _) = started(only(true));
    bench.hear(Input::Tiers(basic()));
    let asked = bench.hear(Input::Details(Details::Found(license())));
    let asks =
        |c: &Command| matches!(c, Command::AskConsumption { license_arn } if license_arn == ARN);
    assert!(asked.iter().any(asks), "{asked:?}");
    let read = vec![Consumed { name: "Seats".into(), consumed: 7 }];
    let outcome = Consumption::Read(read);
    let shown = bench.hear(Input::Consumption { license_arn: ARN.into(), outcome });
    assert!(has(&shown, |c| matches!(c, Command::Publish(_))), "{shown:?}");
    let seats = bench.engine.license().entitlements.iter().find(|e| e.name == "Seats").cloned();
    assert_eq!(seats.and_then(|seats| seats.consumed), Some(7));
}

#[test]
fn a_downgrade_below_the_seats_in_use_says_how_many_are_held() {
    // T49
    let news = || News::new(EventKind::LicenseDowngraded, "downgraded");
    let told = |held: u64| {
        let mut told = news();
        tell_held(&mut told, &license(), &BTreeMap::from([("Seats".to_owned(), held)]));
        told
    };
    assert_eq!(told(10), news(), "the contract has ten");
    let above = told(12);
    assert!(above.text.contains("holds 12 of `Seats`, 2 more"), "{}", above.text);
    assert_eq!(
        (&above.details["held"], &above.details["entitlement"]),
        (&12.into(), &"Seats".into())
    );
    let mut gone = news();
    tell_held(&mut gone, &Contract::default(), &BTreeMap::from([("Seats".to_owned(), 1)]));
    assert!(gone.text.contains("1 more"), "{}", gone.text);
}

#[test]
fn a_change_of_the_contract_is_told_with_the_state_before_and_after() {
    // T49
    let (mut bench, _) = started(only(true));
    bench.hear(Input::Tiers(basic()));
    bench.hear(Input::Details(Details::Found(license())));
    bench.now = bench.engine.due(bench.now).expect("it looks again");
    bench.hear(Input::Tick);
    bench.hear(Input::Tiers(basic()));
    let mut more = Contract { version: Some("2".into()), ..license() };
    more.entitlements[0].max_count = Some(50);
    let told = bench.hear(Input::Details(Details::Found(more)));
    let notice = told.iter().find_map(|command| match command {
        Command::Announce(notice) => Some(notice),
        _ => None,
    });
    let notice = notice.expect("told");
    assert_eq!(notice.kind, EventKind::LicenseUpgraded);
    let max = |license: &License| {
        license.entitlements.iter().find(|e| e.name == "Seats").and_then(|e| e.max_count)
    };
    assert_eq!((max(&notice.old), max(&notice.license)), (Some(10), Some(50)));
    assert_eq!(notice.license.license_version.as_deref(), Some("2"));
}
