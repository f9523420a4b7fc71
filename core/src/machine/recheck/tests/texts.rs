//! T45: six ways not to be licensed, six reasons, six texts that say what to do.

use super::*;

fn standing(standing: Standing, status: &str) -> Contract {
    Contract { standing, status: Some(status.into()), ..contract("Basic", 10, "1") }
}

fn said(plan: ContractPlan, answers: &Answers) -> (Verdict, Reason, String) {
    let mut bench = Bench::with(plan);
    bench.look(answers);
    let part = bench.recheck.part(bench.now);
    (part.verdict, part.reason, part.text)
}

#[test]
fn each_of_six_reasons_has_its_own_text_with_the_next_step() {
    // T45
    let none = || Tiers::None("none".into());
    let taken = CheckedOut::NoneAllowed("either all seats are taken, or none were bought".into());
    let nothing = Details::Nothing(
        "ListReceivedLicenses for product SKU `prod-1`: this AWS account has received no license of it; buy it in AWS \
         Marketplace"
            .into(),
    );
    let may_nothing = Answers {
        tiers: Tiers::Failed(denied_by_iam("CheckoutLicense")),
        ..Answers::unreadable(none())
    };
    let all = [
        (
            said(only_seats(), &Answers { proof: taken, ..Answers::unreadable(none()) }),
            (Verdict::Pending, Reason::NoSeat, "return a seat"),
        ),
        (
            said(plan(), &Answers::read(none(), nothing)),
            (Verdict::Denied, Reason::NotEntitled, "buy it in AWS Marketplace"),
        ),
        (
            said(plan(), &Answers::found(none(), &standing(Standing::Expired, "EXPIRED"))),
            (Verdict::Denied, Reason::Expired, "renew the agreement"),
        ),
        (
            said(plan(), &Answers::found(none(), &standing(Standing::Suspended, "DEACTIVATED"))),
            (Verdict::Denied, Reason::Suspended, "check it under Granted licenses"),
        ),
        (
            said(plan(), &may_nothing),
            (Verdict::Pending, Reason::AccessDenied, "`license-manager:CheckoutLicense`; allow it"),
        ),
        (
            said(plan(), &Answers::down()),
            (Verdict::Pending, Reason::Unreachable, "check the network"),
        ),
    ];
    for (said, wanted) in &all {
        assert_eq!((said.0, said.1), (wanted.0, wanted.1), "{said:?}");
        assert!(said.2.contains(wanted.2), "{said:?} does not say `{}`", wanted.2);
        let same = all.iter().filter(|(other, _)| other.1 == said.1 || other.2 == said.2).count();
        assert_eq!(same, 1, "{said:?} is nobody else's");
    }
}

#[test]
fn the_status_of_a_license_that_cannot_be_used_is_named() {
    // T57
    for status in ["SUSPENDED", "DEACTIVATED", "PENDING_DELETE", "DISABLED"] {
        let mut bench = Bench::new();
        bench.found(&contract("Basic", 10, "1"), "Basic");
        let answers =
            Answers::found(Tiers::None("none".into()), &standing(Standing::Suspended, status));
        assert_eq!(bench.look(&answers), [], "one answer takes nothing away");
        assert_eq!(bench.look(&answers), [EventKind::LicenseSuspended]);
        let told = bench.told.last().expect("told");
        assert!(told.text.contains(status), "{}", told.text);
        assert!(bench.recheck.part(bench.now).text.contains(status));
    }
}

#[test]
fn every_change_of_a_contract_is_told_once_and_in_order() {
    // T49
    let mut bench = Bench::new();
    let mut told = Vec::new();
    let year = |n: u32| Some(Timestamp(0).after(n * 365 * DAY));
    for next in [
        contract("Basic", 10, "1"),
        contract("Basic", 50, "2"),
        contract("Premium", 50, "3"),
        Contract { expires: year(2), ..contract("Premium", 50, "4") },
        contract("Premium", 50, "5"),
        contract("Premium", 5, "6"),
        contract("Basic", 5, "7"),
    ] {
        let tier = next.entitlements[0].name.clone();
        for _ in 0..4 {
            told.extend(bench.found(&next, &tier));
        }
    }
    use EventKind::{LicenseDowngraded, LicenseRenewed, LicenseUpgraded};
    assert_eq!(
        told,
        [
            LicenseUpgraded,
            LicenseUpgraded,
            LicenseRenewed,
            LicenseRenewed,
            LicenseDowngraded,
            LicenseDowngraded
        ]
    );
    assert!(bench.told[0].text.contains("`Seats` 10") && bench.told[0].text.contains("`Seats` 50"));
    assert!(bench.told[1].text.contains("`Basic`") && bench.told[1].text.contains("`Premium`"));
}

#[test]
fn a_second_answer_that_takes_something_else_away_is_no_confirmation() {
    // T49
    let mut bench = Bench::new();
    bench.found(&contract("Premium", 50, "1"), "Premium");
    assert_eq!(bench.found(&contract("Basic", 50, "2"), "Basic"), []);
    assert_eq!(bench.found(&contract("Premium", 5, "2"), "Premium"), []);
    assert_eq!(bench.recheck.contract().expect("known").version.as_deref(), Some("1"));
    assert_eq!(
        bench.found(&contract("Premium", 5, "2"), "Premium"),
        [EventKind::LicenseDowngraded]
    );
}

#[test]
fn the_end_is_announced_at_each_mark_and_as_reached_once() {
    // T57
    let plan = ContractPlan { expiring_notice: 60 * DAY, ..plan() };
    let end = Timestamp(0).after(90 * DAY);
    let ending = Contract { expires: Some(end), ..contract("Basic", 10, "1") };
    let answers = Answers::found(bought("Basic"), &ending);
    let mut bench = Bench::with(plan.clone());
    bench.run(89 * DAY + 23 * HOUR, &answers);
    let marks = |bench: &Bench| -> Vec<i64> {
        let expiring = bench.told.iter().filter(|news| news.kind == EventKind::LicenseExpiring);
        expiring
            .map(|news| news.details["notice_ms"].as_i64().expect("told") / 86_400_000)
            .collect()
    };
    assert_eq!(marks(&bench), [60, 30, 7, 1]);
    bench.run(DAY, &Answers::down());
    let ended = |bench: &Bench| {
        bench.told.iter().filter(|news| news.kind == EventKind::LicenseExpired).count()
    };
    assert_eq!((ended(&bench), bench.reason()), (1, Reason::Expired));
    let over = Contract { standing: Standing::Expired, ..ending.clone() };
    bench.run(DAY, &Answers::found(Tiers::None("none".into()), &over));
    assert_eq!((ended(&bench), bench.reason()), (1, Reason::Expired), "once");
    let renewed = Contract { expires: Some(end.after(365 * DAY)), ..contract("Basic", 10, "2") };
    assert_eq!(bench.found(&renewed, "Basic"), [EventKind::LicenseRenewed]);
    assert_eq!(bench.verdict(), Verdict::Licensed);

    let mut again = Bench::at(plan, end.before(5 * DAY));
    again.look(&answers);
    assert_eq!(marks(&again), [7], "after a restart only the last mark is told");
}
