use super::*;

const MINUTE: u64 = 60_000;

fn plan() -> ContractPlan {
    ContractPlan {
        tiers: vec!["Basic".into(), "Premium".into()],
        counted: vec!["Seats".into()],
        interval: Duration::from_millis(15 * MINUTE),
        grace: Duration::from_millis(24 * 60 * MINUTE),
        expiring_notice: Duration::from_millis(7 * 24 * 60 * MINUTE),
    }
}

fn entitlement(name: &str, max_count: Option<u64>) -> Entitlement {
    let unit = if max_count.is_some() { "Count" } else { "None" };
    Entitlement { name: name.into(), unit: unit.into(), value: None, max_count }
}

fn contract(tier: &str, seats: u64, version: &str) -> Contract {
    Contract {
        license_arn: Some("arn:aws:license-manager::294406891311:license:l-1".into()),
        version: Some(version.into()),
        entitlements: vec![entitlement(tier, None), entitlement("Seats", Some(seats))],
        expires: Some(Timestamp(0).after(Duration::from_millis(365 * 24 * 60 * MINUTE))),
        standing: Standing::Usable,
    }
}

fn bought(tier: &str) -> Tiers {
    Tiers::Bought { entitlements: vec![entitlement(tier, None)], license_arn: None }
}

fn lost() -> Failure {
    Failure { class: FailureClass::Unknown, text: "no answer".into() }
}

/// A machine under a hand-moved clock.
struct Bench {
    recheck: Recheck,
    draw: Draw,
    now: Timestamp,
}

impl Bench {
    fn new() -> Bench {
        let now = Timestamp(0);
        Bench { recheck: Recheck::new(plan(), now), draw: Draw::new([5; 32]), now }
    }

    /// Goes to the next due time and answers the look.
    fn look(&mut self, tiers: Tiers, details: Details) -> Vec<EventKind> {
        let mut news = Vec::new();
        loop {
            self.now = self.recheck.due().expect("it always looks again").max(self.now);
            let (question, told) = self.recheck.tick(self.now, &mut self.draw);
            news.extend(told);
            let Some(Question::Tiers(..)) = question else { continue };
            if self.recheck.tiers(tiers, self.now, &mut self.draw).is_some() {
                news.extend(self.recheck.details(details, self.now, &mut self.draw));
            }
            return news.into_iter().map(|news| news.kind).collect();
        }
    }

    fn found(&mut self, contract: &Contract, tier: &str) -> Vec<EventKind> {
        self.look(bought(tier), Details::Found(contract.clone()))
    }

    fn verdict(&self) -> Verdict {
        self.recheck.part(self.now).verdict
    }
}

#[test]
fn an_upgrade_is_announced_at_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.found(&contract("Basic", 10, "1"), "Basic"), []);
    assert_eq!(bench.found(&contract("Premium", 10, "2"), "Premium"), [EventKind::LicenseUpgraded]);
    assert_eq!(bench.found(&contract("Premium", 50, "3"), "Premium"), [EventKind::LicenseUpgraded]);
    assert_eq!(bench.found(&contract("Premium", 50, "3"), "Premium"), []);
    assert_eq!(bench.found(&contract("Premium", 50, "4"), "Premium"), [EventKind::LicenseRenewed]);
}

#[test]
fn a_downgrade_is_announced_once_and_only_after_a_second_answer() {
    let mut bench = Bench::new();
    bench.found(&contract("Premium", 10, "1"), "Premium");
    let before = bench.now;
    assert_eq!(bench.found(&contract("Basic", 10, "2"), "Basic"), []);
    let names = |b: &Bench| b.recheck.contract().expect("known").entitlements[0].name.clone();
    assert_eq!(names(&bench), "Premium", "one answer takes nothing away");
    let doubted = bench.now;
    assert_eq!(bench.found(&contract("Basic", 10, "2"), "Basic"), [EventKind::LicenseDowngraded]);
    assert!(bench.now.since(doubted) < Duration::from_secs(70), "it looks again soon");
    assert!(doubted.since(before) > Duration::from_secs(800));
    assert_eq!(names(&bench), "Basic");
    assert_eq!(bench.found(&contract("Basic", 10, "2"), "Basic"), []);
}

#[test]
fn a_doubt_that_is_not_confirmed_changes_nothing() {
    let mut bench = Bench::new();
    bench.found(&contract("Premium", 10, "1"), "Premium");
    assert_eq!(bench.look(Tiers::None("none".into()), Details::Nothing("gone".into())), []);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    assert_eq!(bench.found(&contract("Premium", 10, "1"), "Premium"), []);
    assert_eq!(bench.look(Tiers::None("none".into()), Details::Nothing("gone".into())), []);
    assert_eq!(bench.verdict(), Verdict::Licensed, "the earlier doubt was dropped");
}

#[test]
fn a_suspended_license_is_denied_and_comes_back_at_once() {
    let mut bench = Bench::new();
    let good = contract("Basic", 10, "1");
    bench.found(&good, "Basic");
    let suspended = Contract { standing: Standing::Suspended, ..good.clone() };
    let none = || Tiers::None("none".into());
    assert_eq!(bench.look(none(), Details::Found(suspended.clone())), []);
    assert_eq!(bench.look(none(), Details::Found(suspended)), [EventKind::LicenseSuspended]);
    assert_eq!(
        (bench.verdict(), bench.recheck.part(bench.now).reason),
        (Verdict::Denied, Reason::Suspended)
    );
    assert_eq!(bench.found(&good, "Basic"), [EventKind::LicenseRenewed]);
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn an_outage_ages_into_grace_and_then_into_stale_but_one_failure_changes_nothing() {
    let mut bench = Bench::new();
    bench.found(&contract("Basic", 10, "1"), "Basic");
    let good = bench.now;
    bench.look(Tiers::Failed(lost()), Details::Failed(lost()));
    assert_eq!(bench.verdict(), Verdict::Licensed);
    let mut seen = vec![Verdict::Licensed];
    while bench.now.since(good) < Duration::from_millis(25 * 60 * MINUTE) {
        bench.look(Tiers::Failed(lost()), Details::Failed(lost()));
        if seen.last() != Some(&bench.verdict()) {
            seen.push(bench.verdict());
        }
    }
    assert_eq!(seen, [Verdict::Licensed, Verdict::Grace, Verdict::Denied]);
    assert_eq!(bench.recheck.part(bench.now).reason, Reason::Stale);
    bench.found(&contract("Basic", 10, "1"), "Basic");
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn grace_never_passes_the_end_of_the_license() {
    let mut bench = Bench::new();
    let end = Timestamp(0).after(Duration::from_millis(60 * MINUTE));
    bench.found(&Contract { expires: Some(end), ..contract("Basic", 10, "1") }, "Basic");
    while bench.now <= end {
        bench.look(Tiers::Failed(lost()), Details::Failed(lost()));
    }
    assert_eq!(bench.verdict(), Verdict::Denied);
}

#[test]
fn a_license_is_looked_at_when_it_ends_and_a_renewal_found_then_is_no_denial() {
    let mut bench = Bench::new();
    let end = Timestamp(0).after(Duration::from_millis(5 * MINUTE));
    bench.found(&Contract { expires: Some(end), ..contract("Basic", 10, "1") }, "Basic");
    assert!(bench.recheck.due().expect("due") <= end);
    assert_eq!(bench.found(&contract("Basic", 10, "2"), "Basic"), [EventKind::LicenseRenewed]);
    assert_eq!(bench.now, end);
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn a_coming_end_is_announced_once() {
    let mut bench = Bench::new();
    let end = Timestamp(0).after(Duration::from_millis(8 * 24 * 60 * MINUTE));
    let ending = Contract { expires: Some(end), ..contract("Basic", 10, "1") };
    let mut count = 0;
    while bench.now.0 < end.0 - 3_600_000 {
        let news = bench.found(&ending, "Basic");
        count += news.iter().filter(|kind| **kind == EventKind::LicenseExpiring).count();
    }
    assert_eq!(count, 1);
}

#[test]
fn no_answer_at_all_is_pending_and_never_a_denial() {
    let mut bench = Bench::new();
    for _ in 0..50 {
        bench.look(Tiers::Failed(lost()), Details::Failed(lost()));
        assert_eq!(bench.verdict(), Verdict::Pending);
    }
}

#[test]
fn a_missing_permission_to_read_licenses_leaves_the_tier_answer_standing() {
    // T46
    let mut bench = Bench::new();
    let denied = || {
        Details::Failed(Failure {
            class: FailureClass::AccessDenied,
            text: "GetLicense denied".into(),
        })
    };
    assert_eq!(bench.look(bought("Basic"), denied()), [EventKind::PermissionMissing]);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    assert_eq!(bench.look(bought("Basic"), denied()), []);
    let mut bench = Bench::new();
    bench.look(Tiers::None("none".into()), denied());
    assert_eq!(bench.verdict(), Verdict::Denied);
}
