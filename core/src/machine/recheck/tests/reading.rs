//! Reading the license: by ARN, from the list, without the permission, and what `GetLicenseUsage` adds. T46

use super::*;

fn none() -> Tiers {
    Tiers::None("none of them was bought".into())
}

fn named(tier: &str) -> Tiers {
    Tiers::Bought { entitlements: vec![entitlement(tier, None)], license_arn: Some(ARN.into()) }
}

fn none_allowed() -> CheckedOut {
    CheckedOut::NoneAllowed("either all seats are taken, or none were bought".into())
}

fn count(bench: &Bench, what: impl Fn(&Question) -> bool) -> usize {
    bench.asked.iter().filter(|question| what(question)).count()
}

fn proofs(bench: &Bench) -> usize {
    count(bench, |question| matches!(question, Question::Prove(_)))
}

fn names(bench: &Bench) -> Vec<&str> {
    let contract = bench.recheck.contract().expect("known");
    contract.entitlements.iter().map(|e| e.name.as_str()).collect()
}

#[test]
fn without_the_permission_to_read_the_tier_answer_stands_and_the_permission_is_named_once() {
    // T46
    let mut bench = Bench::new();
    let told = bench.look(&Answers::unreadable(named("Basic")));
    assert_eq!(told, [EventKind::PermissionMissing]);
    for operation in ["GetLicense", "ListReceivedLicenses"] {
        assert!(
            bench.told[0].text.contains(&format!("`license-manager:{operation}`")),
            "{:?}",
            bench.told
        );
    }
    assert_eq!(bench.run(5 * HOUR, &Answers::unreadable(named("Basic"))), []);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    assert_eq!(proofs(&bench), 0, "a tier needs no seat as its proof");
}

#[test]
fn a_permission_that_comes_back_and_goes_again_is_named_again() {
    // T46
    let mut bench = Bench::new();
    bench.look(&Answers::unreadable(named("Basic")));
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench.run(HOUR, &Answers::found(named("Basic"), &contract("Basic", 10, "1")));
    let told = bench.look(&Answers::unreadable(named("Basic")));
    assert_eq!(told, [EventKind::PermissionMissing]);
}

#[test]
fn losing_the_permission_to_read_takes_nothing_away_and_getting_it_adds_nothing() {
    // T46
    let mut bench = Bench::new();
    bench.found(&contract("Basic", 10, "1"), "Basic");
    let told = bench.run(3 * HOUR, &Answers::unreadable(bought("Basic")));
    assert_eq!(told, [EventKind::PermissionMissing]);
    assert_eq!(names(&bench), ["Basic", "Seats"]);
    assert_eq!(bench.found(&contract("Basic", 10, "1"), "Basic"), []);
    let mut bench = Bench::new();
    bench.look(&Answers::unreadable(bought("Basic")));
    assert_eq!(
        bench.found(&contract("Basic", 10, "1"), "Basic"),
        [],
        "the seats were there before"
    );
    assert_eq!(names(&bench), ["Basic", "Seats"]);
}

#[test]
fn a_check_out_after_the_end_that_was_read_shows_that_the_end_has_moved() {
    // T46: a renewal that may not be read.
    let mut bench = Bench::new();
    let end = Timestamp(0).after(HOUR);
    bench.found(&Contract { expires: Some(end), ..contract("Basic", 10, "1") }, "Basic");
    bench.run(3 * HOUR, &Answers::unreadable(bought("Basic")));
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn awss_own_managed_policy_is_enough_for_everything_but_the_list() {
    // T46: AWSLicenseManagerConsumptionPolicy allows GetLicense, and not ListReceivedLicenses.
    let mut bench = Bench::new();
    let managed = Answers {
        list: Details::Failed(denied_by_iam("ListReceivedLicenses")),
        ..Answers::found(named("Basic"), &contract("Basic", 10, "1"))
    };
    assert_eq!(bench.look(&managed), []);
    assert_eq!(names(&bench), ["Basic", "Seats"]);
    let told = bench.run(2 * DAY, &managed);
    assert_eq!(told, [EventKind::PermissionMissing], "once");
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn a_seats_only_product_that_may_not_list_is_proved_by_one_seat_and_then_read_by_arn() {
    // T46
    let mut bench = Bench::with(only_seats());
    let license =
        Contract { entitlements: vec![entitlement("Seats", Some(3))], ..contract("x", 3, "1") };
    let answers = Answers {
        list: Details::Failed(denied_by_iam("ListReceivedLicenses")),
        get: Details::Found(license),
        proof: given(Some(ARN)),
        ..Answers::down()
    };
    assert_eq!(bench.look(&answers), [EventKind::PermissionMissing]);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    assert_eq!(bench.recheck.contract().expect("known").version.as_deref(), Some("1"));
    bench.run(2 * DAY, &answers);
    assert_eq!((bench.verdict(), proofs(&bench)), (Verdict::Licensed, 1));
}

#[test]
fn a_seats_only_product_whose_seats_are_all_taken_is_pending_until_one_comes_free() {
    // T46
    let mut bench = Bench::with(only_seats());
    let mut answers = Answers { proof: none_allowed(), ..Answers::unreadable(none()) };
    bench.look(&answers);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Pending, Reason::NoSeat));
    bench.run(2 * HOUR, &answers);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Pending, Reason::NoSeat));
    assert!((7..=9).contains(&(proofs(&bench) - 1)), "at each recheck: {}", proofs(&bench));
    answers.proof = given(None);
    bench.look(&answers);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Licensed, Reason::Entitled));
}

#[test]
fn a_role_that_may_check_out_only_is_licensed_without_a_seat_taken_at_each_look() {
    // T46, T43
    let mut bench = Bench::with(only_seats());
    let answers = Answers { proof: given(Some(ARN)), ..Answers::unreadable(none()) };
    for _ in 0..3 * 24 {
        bench.run(HOUR, &answers);
        assert_eq!(bench.verdict(), Verdict::Licensed);
    }
    let proofs = proofs(&bench);
    assert!((10..=13).contains(&proofs), "every six hours: {proofs}");
}

#[test]
fn seats_that_are_in_use_prove_the_contract_better_than_one_more_could() {
    // T43: a contract of one seat, which is ours; asking for another would be refused.
    let mut bench = Bench::with(only_seats());
    let mut answers = Answers { proof: given(Some(ARN)), ..Answers::unreadable(none()) };
    bench.look(&answers);
    answers.proof = none_allowed();
    for _ in 0..3 * 24 {
        bench.run(HOUR, &answers);
        bench.recheck.extended(bench.now);
        assert_eq!(bench.verdict(), Verdict::Licensed);
    }
    assert_eq!(proofs(&bench), 1);
}

#[test]
fn a_buyer_of_the_second_entitlement_only_is_found_by_it() {
    // T46
    let both = vec![spec("Editors", EntitlementKind::Floating), seats()];
    let mut bench = Bench::with(ContractPlan { counted: both, ..only_seats() });
    let answers = Answers { proof: none_allowed(), ..Answers::unreadable(none()) };
    bench.look(&answers);
    let asked: Vec<_> = bench
        .asked
        .iter()
        .filter_map(|question| match question {
            Question::Prove(spec) => Some(spec.name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["Editors", "Seats"]);
    assert_eq!(bench.reason(), Reason::NoSeat);
}

#[test]
fn a_buyer_of_seats_without_a_tier_is_licensed_although_nothing_can_be_read() {
    // T46
    let mut bench = Bench::new();
    let answers = Answers { proof: given(None), ..Answers::unreadable(none()) };
    bench.look(&answers);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    let mut bench = Bench::new();
    let answers = Answers { proof: none_allowed(), ..Answers::unreadable(none()) };
    bench.look(&answers);
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Denied, Reason::NotEntitled));
}

#[test]
fn a_drawdown_product_that_may_not_be_read_is_pending_until_the_first_draw_proves_it() {
    // T46
    let counted = vec![spec("Gigabytes", EntitlementKind::Drawdown)];
    let mut bench = Bench::with(ContractPlan { counted, ..only_seats() });
    let answers = Answers::unreadable(none());
    assert_eq!(bench.look(&answers), [EventKind::PermissionMissing]);
    let part = bench.recheck.part(bench.now);
    assert_eq!((part.verdict, part.reason), (Verdict::Pending, Reason::AccessDenied));
    assert!(part.text.contains("license-manager:ListReceivedLicenses"), "{}", part.text);
    bench.run(HOUR, &answers);
    assert_eq!((bench.verdict(), proofs(&bench)), (Verdict::Pending, 0));
    bench.recheck.proved_by_check_out(entitlement("Gigabytes", None), None, bench.now);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    bench.run(HOUR, &answers);
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn a_proof_without_an_answer_is_a_failure_and_no_denial() {
    // T46
    let mut bench = Bench::with(only_seats());
    bench.run(HOUR, &Answers::unreadable(none()));
    assert_eq!((bench.verdict(), bench.reason()), (Verdict::Pending, Reason::Unreachable));
}

#[test]
fn the_license_is_read_by_its_arn_and_a_renewal_under_another_one_is_found() {
    let mut bench = Bench::with(only_seats());
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench.found(&contract("Basic", 10, "1"), "Basic");
    bench.found(&contract("Basic", 10, "1"), "Basic");
    assert_eq!(bench.asked[4], Question::Details(Some(ARN.into())));
    let next = Contract { license_arn: Some("arn:next".into()), ..contract("Basic", 10, "1") };
    for gone in [
        Details::Nothing("GetLicense: AWS has none".into()),
        Details::Found(Contract { standing: Standing::Expired, ..contract("Basic", 10, "1") }),
    ] {
        let mut bench = bench.again();
        let answers = Answers { get: gone, list: Details::Found(next.clone()), ..Answers::down() };
        assert_eq!(bench.look(&answers), [EventKind::LicenseRenewed]);
        assert_eq!(bench.verdict(), Verdict::Licensed);
        assert_eq!(bench.recheck.contract().expect("known").license_arn, next.license_arn);
    }
}

#[test]
fn the_list_is_read_now_and_then_so_that_a_second_license_is_noticed() {
    let mut bench = Bench::new();
    let answers = Answers::found(named("Basic"), &contract("Basic", 10, "1"));
    bench.run(DAY, &answers);
    let lists = count(&bench, |question| *question == Question::Details(None));
    assert!((20..=30).contains(&lists), "about once an hour: {lists}");
}

#[test]
fn several_usable_licenses_are_told_once_with_the_one_that_counts() {
    let mut bench = Bench::new();
    let several = Contract { others: 2, ..contract("Basic", 10, "1") };
    let answers = Answers {
        list: Details::Found(several),
        ..Answers::found(named("Basic"), &contract("Basic", 10, "1"))
    };
    assert_eq!(bench.run(DAY, &answers), [EventKind::SeveralLicenses]);
    let news = &bench.told[0];
    assert_eq!(news.details["license_arn"], ARN);
    assert!(news.text.contains('3') && news.text.contains(ARN), "{}", news.text);
    bench.run(2 * HOUR, &Answers::found(named("Basic"), &contract("Basic", 10, "1")));
    assert_eq!(bench.run(DAY, &answers), [EventKind::SeveralLicenses], "again after it was mended");
}

#[test]
fn the_license_that_aws_checks_out_of_counts_before_the_one_that_the_list_chooses() {
    let mut bench = Bench::new();
    let newer =
        Contract { license_arn: Some("arn:newer".into()), others: 1, ..contract("Basic", 99, "1") };
    let answers = Answers {
        list: Details::Found(newer),
        ..Answers::found(named("Basic"), &contract("Basic", 10, "1"))
    };
    assert_eq!(bench.run(6 * HOUR, &answers), [EventKind::SeveralLicenses], "no flutter");
    assert_eq!(bench.recheck.contract().expect("known").license_arn.as_deref(), Some(ARN));
}

#[test]
fn consumption_is_read_where_something_is_counted_and_shown_in_the_contract() {
    let usage = |consumed| Consumption::Read(vec![Consumed { name: "Seats".into(), consumed }]);
    let mut bench = Bench::new();
    let license = contract("Basic", 10, "1");
    let answers = |n| Answers { usage: usage(n), ..Answers::found(bought("Basic"), &license) };
    bench.look(&answers(4));
    let consumed =
        |bench: &Bench| bench.recheck.contract().expect("known").entitlements[1].consumed;
    assert_eq!(consumed(&bench), Some(4));
    assert_eq!(bench.look(&answers(7)), [], "it is no change of rights");
    assert_eq!(consumed(&bench), Some(7));
    let failed = Answers { usage: Consumption::Failed(lost()), ..answers(0) };
    assert_eq!(bench.look(&failed), []);
    assert_eq!((bench.verdict(), consumed(&bench)), (Verdict::Licensed, Some(7)));
    let denied = Consumption::Failed(denied_by_iam("GetLicenseUsage"));
    let denied = Answers { usage: denied, ..answers(0) };
    assert_eq!(bench.look(&denied), [EventKind::PermissionMissing]);
    assert!(bench.told.last().is_some_and(|news| news.details["operation"] == "GetLicenseUsage"));
    assert_eq!(bench.run(5 * HOUR, &denied), []);
    assert_eq!(bench.verdict(), Verdict::Licensed);

    let mut bench = Bench::with(ContractPlan { counted: Vec::new(), ..plan() });
    bench.look(&answers(4));
    assert_eq!(count(&bench, |question| matches!(question, Question::Consumption(_))), 0);
}
