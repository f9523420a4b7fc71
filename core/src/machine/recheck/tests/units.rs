//! T44: the configuration and the license disagree about an entitlement's unit.

use super::*;

fn license(entitlements: Vec<Entitlement>) -> Contract {
    Contract { entitlements, ..contract("x", 1, "1") }
}

/// AWS as it is: one counted name in a question with unit `None` makes it refuse all. [AC §4.2]
fn look(bench: &mut Bench, license: &Contract) -> Vec<EventKind> {
    let before = bench.told.len();
    loop {
        bench.now = bench.recheck.due().expect("it always looks again").max(bench.now);
        let mut questions = bench.tick();
        if questions.is_empty() {
            continue;
        }
        while let Some(question) = questions.pop() {
            bench.asked.push(question.clone());
            let uncounted = |name: &EntitlementName| {
                license.entitlements.iter().find(|e| e.name == name.as_str() && e.unit == "None")
            };
            let counted = |name: &EntitlementName| {
                license.entitlements.iter().any(|e| e.name == name.as_str() && e.unit != "None")
            };
            let step = match question {
                Question::Tiers(want, _) => {
                    let entitlements: Vec<_> = want.iter().filter_map(uncounted).cloned().collect();
                    let answer = if entitlements.is_empty() || want.iter().any(counted) {
                        Tiers::None("none".into())
                    } else {
                        Tiers::Bought { entitlements, license_arn: license.license_arn.clone() }
                    };
                    bench.recheck.tiers(answer, bench.now, &mut bench.draw)
                }
                Question::Details(_) => bench.recheck.details(
                    Details::Found(license.clone()),
                    bench.now,
                    &mut bench.draw,
                ),
                Question::Consumption(_) => Step::default(),
                Question::Prove(_) => panic!("the license can be read"),
            };
            bench.told.extend(step.news);
            questions.extend(step.questions);
        }
        assert!(bench.tick().is_empty());
        return bench.told[before..].iter().map(|news| news.kind).collect();
    }
}

fn has(bench: &Bench, name: &str) -> bool {
    let contract = bench.recheck.contract().expect("known");
    contract.entitlements.iter().any(|e| e.name == name)
}

#[test]
fn a_tier_that_the_license_counts_is_bought_and_hides_no_other_tier() {
    // T44
    let mut bench = Bench::new();
    let counted = license(vec![entitlement("Basic", Some(5)), entitlement("Premium", None)]);
    assert_eq!(look(&mut bench, &counted), [EventKind::UnitMismatch]);
    assert_eq!(bench.verdict(), Verdict::Licensed);
    assert!(has(&bench, "Basic") && has(&bench, "Premium"));
    let news = &bench.told[0];
    assert_eq!(
        (&news.details["entitlement"], &news.details["configured"], &news.details["contract"]),
        (&"Basic".into(), &"None".into(), &"Count".into())
    );
    bench.asked.clear();
    assert_eq!(look(&mut bench, &counted), [], "once");
    let Question::Tiers(asked, _) = &bench.asked[0] else { panic!("{:?}", bench.asked) };
    assert_eq!(*asked, ["Premium".into()], "the counted name is not asked as a tier any more");
}

#[test]
fn a_license_that_changes_back_is_asked_as_configured_again() {
    // T44
    let mut bench = Bench::new();
    let counted = license(vec![entitlement("Basic", Some(5)), entitlement("Premium", None)]);
    let right = license(vec![entitlement("Basic", None), entitlement("Premium", None)]);
    look(&mut bench, &counted);
    for _ in 0..3 {
        assert_eq!(look(&mut bench, &right), []);
        assert!(has(&bench, "Basic") && has(&bench, "Premium"));
    }
    assert_eq!(look(&mut bench, &counted), [EventKind::UnitMismatch], "new again");
    assert_eq!(bench.verdict(), Verdict::Licensed);
}

#[test]
fn a_license_with_nothing_but_a_counted_tier_is_a_license() {
    // T44
    let mut bench = Bench::new();
    let counted = license(vec![entitlement("Basic", Some(5))]);
    for _ in 0..3 {
        look(&mut bench, &counted);
        assert_eq!(bench.verdict(), Verdict::Licensed);
        assert!(has(&bench, "Basic"));
    }
    let mut bench = Bench::new();
    look(&mut bench, &license(vec![entitlement("Basic", Some(0))]));
    assert_eq!(bench.verdict(), Verdict::Denied, "none of it was bought");
}

#[test]
fn a_counted_entitlement_that_the_license_does_not_count_is_told_and_kept() {
    // T44
    let mut bench = Bench::new();
    let uncounted = license(vec![entitlement("Basic", None), entitlement("Seats", None)]);
    assert_eq!(look(&mut bench, &uncounted), [EventKind::UnitMismatch]);
    assert_eq!(bench.told[0].details["configured"], "Count");
    assert_eq!(bench.told[0].details["contract"], "None");
    assert!(has(&bench, "Seats"));
    assert_eq!(look(&mut bench, &uncounted), []);
}

#[test]
fn a_question_that_was_refused_is_asked_again_once_at_most() {
    // T44: AWS refuses every question for tiers, whatever the license says.
    let mut bench = Bench::new();
    let counted = license(vec![entitlement("Basic", Some(5)), entitlement("Premium", None)]);
    bench.look(&Answers::found(Tiers::None("none".into()), &counted));
    let asked = bench.asked.iter().filter(|q| matches!(q, Question::Tiers(..))).count();
    assert_eq!(asked, 2);
    assert_eq!(bench.verdict(), Verdict::Licensed, "the counted one was bought");
}
