mod grace;
mod random;
mod reading;
mod texts;
mod units;

use super::*;
use crate::model::license::{Reason, Verdict};
use crate::model::{license::EntitlementKind, outcome::CheckedOut};

const MINUTE: u64 = 60_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const ARN: &str = "arn:aws:license-manager::294406891311:license:l-1";

fn plan() -> ContractPlan {
    ContractPlan {
        tiers: vec!["Basic".into(), "Premium".into()],
        counted: vec![seats()],
        seat_linger: Duration::ZERO,
        interval: Duration::from_millis(15 * MINUTE),
        grace: DAY,
        expiring_notice: 7 * DAY,
    }
}

/// A product that sells seats and nothing else.
fn only_seats() -> ContractPlan {
    ContractPlan { tiers: Vec::new(), ..plan() }
}

fn spec(name: &str, kind: EntitlementKind) -> EntitlementSpec {
    let (name, unit) = (name.to_owned(), "Count".to_owned());
    EntitlementSpec { name, kind, unit, batch: 1, low: None }
}

fn seats() -> EntitlementSpec {
    spec("Seats", EntitlementKind::Floating)
}

fn entitlement(name: &str, max_count: Option<u64>) -> Entitlement {
    let unit = if max_count.is_some() { "Count" } else { "None" };
    Entitlement { name: name.into(), unit: unit.into(), value: None, max_count, consumed: None }
}

fn contract(tier: &str, seats: u64, version: &str) -> Contract {
    Contract {
        license_arn: Some(ARN.into()),
        version: Some(version.into()),
        entitlements: vec![entitlement(tier, None), entitlement("Seats", Some(seats))],
        expires: Some(Timestamp(0).after(365 * DAY)),
        ..Contract::default()
    }
}

fn bought(tier: &str) -> Tiers {
    Tiers::Bought { entitlements: vec![entitlement(tier, None)], license_arn: None }
}

fn failure(class: FailureClass, text: &str) -> Failure {
    Failure { class, text: text.into() }
}

fn lost() -> Failure {
    failure(FailureClass::Unknown, "CheckoutLicense for entitlements `Basic` failed: no answer")
}

/// As the adapter words it.
fn denied_by_iam(operation: &str) -> Failure {
    let text = format!(
        "{operation} for product SKU `prod-1` failed: the role of the task or pod may not call \
         `license-manager:{operation}`; allow it"
    );
    failure(FailureClass::AccessDenied, &text)
}

fn given(license_arn: Option<&str>) -> CheckedOut {
    let expires = Timestamp(i64::MAX);
    CheckedOut::Held { token: "t".into(), expires, license_arn: license_arn.map(str::to_owned) }
}

/// What AWS answers.
#[derive(Clone)]
struct Answers {
    tiers: Tiers,
    get: Details,
    list: Details,
    proof: CheckedOut,
    usage: Consumption,
}

impl Answers {
    fn down() -> Answers {
        Answers {
            tiers: Tiers::Failed(lost()),
            get: Details::Failed(lost()),
            list: Details::Failed(lost()),
            proof: CheckedOut::Failed(lost()),
            usage: Consumption::Failed(lost()),
        }
    }

    /// Both reads show this license.
    fn found(tiers: Tiers, contract: &Contract) -> Answers {
        let read = || Details::Found(contract.clone());
        Answers { tiers, get: read(), list: read(), ..Answers::down() }
    }

    fn read(tiers: Tiers, read: Details) -> Answers {
        Answers { tiers, get: read.clone(), list: read, ..Answers::down() }
    }

    /// A role without the permission to read licenses.
    fn unreadable(tiers: Tiers) -> Answers {
        Answers {
            tiers,
            get: Details::Failed(denied_by_iam("GetLicense")),
            list: Details::Failed(denied_by_iam("ListReceivedLicenses")),
            ..Answers::down()
        }
    }
}

/// A machine under a hand-moved clock.
struct Bench {
    recheck: Recheck,
    draw: Draw,
    now: Timestamp,
    /// Everything that was told.
    told: Vec<News>,
    /// Everything that was asked.
    asked: Vec<Question>,
    /// Everything that was written for the next start.
    written: Vec<Remembered>,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(plan())
    }

    fn with(plan: ContractPlan) -> Bench {
        Bench::at(plan, Timestamp(0))
    }

    fn at(plan: ContractPlan, now: Timestamp) -> Bench {
        let mut recheck = Recheck::new(plan, now);
        recheck.trust();
        Bench {
            recheck,
            draw: Draw::new([5; 32]),
            now,
            told: Vec::new(),
            asked: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Time is now: whatever is due begins. Returns what is asked.
    fn tick(&mut self) -> Vec<Question> {
        let step = self.recheck.tick(self.now, &mut self.draw);
        self.told.extend(step.news);
        self.written.extend(step.remember);
        step.questions
    }

    /// Goes to the next due time at which something is asked, and answers the whole look.
    fn look(&mut self, answers: &Answers) -> Vec<EventKind> {
        let before = self.told.len();
        loop {
            self.now = self.recheck.due().expect("it always looks again").max(self.now);
            let questions = self.tick();
            if !questions.is_empty() {
                self.answer(questions, answers);
                return self.told[before..].iter().map(|news| news.kind).collect();
            }
        }
    }

    fn answer(&mut self, mut questions: Vec<Question>, answers: &Answers) {
        while let Some(question) = questions.pop() {
            self.asked.push(question.clone());
            let (now, draw) = (self.now, &mut self.draw);
            let step = match question {
                Question::Tiers(..) => self.recheck.tiers(answers.tiers.clone(), now, draw),
                Question::Details(Some(_)) => self.recheck.details(answers.get.clone(), now, draw),
                Question::Details(None) => self.recheck.details(answers.list.clone(), now, draw),
                Question::Prove(_) => self.recheck.proof(&answers.proof, now, draw),
                Question::Consumption(arn) => {
                    let news = self.recheck.consumption(&arn, &answers.usage);
                    Step { news, ..Step::default() }
                }
            };
            self.told.extend(step.news);
            questions.extend(step.questions);
        }
        assert!(self.tick().is_empty(), "a look is over when its answers are there");
    }

    fn found(&mut self, contract: &Contract, tier: &str) -> Vec<EventKind> {
        self.look(&Answers::found(bought(tier), contract))
    }

    fn verdict(&self) -> Verdict {
        self.recheck.part(self.now).verdict
    }

    fn reason(&self) -> Reason {
        self.recheck.part(self.now).reason
    }

    /// The same, from here on.
    fn again(&self) -> Bench {
        let (recheck, draw) = (self.recheck.clone(), self.draw.clone());
        Bench { recheck, draw, ..Bench::at(plan(), self.now) }
    }

    /// Looks again and again for so long.
    fn run(&mut self, time: Duration, answers: &Answers) -> Vec<EventKind> {
        let (end, before) = (self.now.after(time), self.told.len());
        while self.recheck.due().is_some_and(|due| due <= end) {
            self.look(answers);
        }
        self.now = self.now.max(end);
        self.told[before..].iter().map(|news| news.kind).collect()
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
    assert_eq!(
        bench.look(&Answers::read(Tiers::None("none".into()), Details::Nothing("gone".into()))),
        []
    );
    assert_eq!(bench.verdict(), Verdict::Licensed);
    assert_eq!(bench.found(&contract("Premium", 10, "1"), "Premium"), []);
    assert_eq!(
        bench.look(&Answers::read(Tiers::None("none".into()), Details::Nothing("gone".into()))),
        []
    );
    assert_eq!(bench.verdict(), Verdict::Licensed, "the earlier doubt was dropped");
}

#[test]
fn a_suspended_license_is_denied_and_comes_back_at_once() {
    let mut bench = Bench::new();
    let good = contract("Basic", 10, "1");
    bench.found(&good, "Basic");
    let suspended = Contract { standing: Standing::Suspended, ..good.clone() };
    let none = || Tiers::None("none".into());
    assert_eq!(bench.look(&Answers::found(none(), &suspended)), []);
    assert_eq!(bench.look(&Answers::found(none(), &suspended)), [EventKind::LicenseSuspended]);
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
    bench.look(&Answers::down());
    assert_eq!(bench.verdict(), Verdict::Licensed);
    let mut seen = vec![Verdict::Licensed];
    while bench.now.since(good) < Duration::from_millis(25 * 60 * MINUTE) {
        bench.look(&Answers::down());
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
        bench.look(&Answers::down());
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
fn a_coming_end_is_announced_once_at_each_mark() {
    let mut bench = Bench::new();
    let end = Timestamp(0).after(Duration::from_millis(8 * 24 * 60 * MINUTE));
    let ending = Contract { expires: Some(end), ..contract("Basic", 10, "1") };
    let mut count = 0;
    while bench.now.0 < end.0 - 3_600_000 {
        let news = bench.found(&ending, "Basic");
        count += news.iter().filter(|kind| **kind == EventKind::LicenseExpiring).count();
    }
    assert_eq!(count, 2, "at seven days, and at one day");
}

#[test]
fn no_answer_at_all_is_pending_and_never_a_denial() {
    let mut bench = Bench::new();
    for _ in 0..50 {
        bench.look(&Answers::down());
        assert_eq!(bench.verdict(), Verdict::Pending);
    }
}
