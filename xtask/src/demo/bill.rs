//! What was metered beside what is billed.

use super::product::Ended;
use mpguard_tests::player::Language;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One language's outcome, over both dimensions.
pub(super) struct Balance {
    language: Language,
    metered: u64,
    billed: u64,
    lost: u64,
    doubled: u64,
    /// Prepaid credits that the work needed, and those that AWS took off the contract.
    credits: u64,
    drawn: u64,
    callbacks: Vec<String>,
    /// What else should have been and was not.
    pub(super) wrong: Vec<String>,
}

/// Compares, dimension by dimension: what is missing in one is not made good by too much in another.
pub(super) fn balance(
    language: Language,
    ended: &Ended,
    bill: &Value,
    (held_before, held_after): (bool, bool),
    drawn: u64,
) -> Balance {
    let name = language.name();
    let mut wrong = Vec::new();
    let (billed, twice) = billed(bill, &mut wrong);
    let mut balance = Balance {
        language,
        metered: ended.metered.values().sum(),
        billed: billed.values().sum(),
        lost: 0,
        doubled: twice,
        credits: ended.credits,
        drawn,
        callbacks: ended.callbacks.clone(),
        wrong: Vec::new(),
    };
    let dimensions: BTreeSet<&str> =
        ended.metered.keys().copied().chain(billed.keys().map(String::as_str)).collect();
    for dimension in dimensions {
        let fed = ended.metered.get(dimension).copied().unwrap_or(0);
        let paid = billed.get(dimension).copied().unwrap_or(0);
        if fed > 0 || paid > 0 {
            let account = account(&ended.account, dimension);
            if account != (fed, paid) {
                wrong.push(format!(
                    "{name}: its account of `{dimension}` says added {} and delivered {}, but {fed} were metered and {paid} billed",
                    account.0, account.1
                ));
            }
        }
    }
    for (dimension, fed) in &ended.metered {
        let paid = billed.get(*dimension).copied().unwrap_or(0);
        balance.lost += fed.saturating_sub(paid);
        balance.doubled += paid.saturating_sub(*fed);
    }
    // A dimension that nobody metered is billed for nothing.
    balance.doubled += billed
        .iter()
        .filter(|(d, _)| !ended.metered.contains_key(d.as_str()))
        .map(|(_, n)| n)
        .sum::<u64>();
    if balance.lost > 0 || balance.doubled > 0 {
        wrong.push(format!("{name}: lost {} doubled {}", balance.lost, balance.doubled));
    }
    if balance.metered == 0 {
        wrong.push(format!("{name}: metered nothing"));
    }
    let (asked, booked) = account(&ended.account, "Credits");
    if booked != ended.credits || asked != drawn {
        wrong.push(format!(
            "{name}: {} credits were needed and AWS took {drawn}, but its account says booked {booked} of {asked}",
            ended.credits
        ));
    }
    for kind in ["license_upgraded", "drawdown_low"] {
        if !ended.callbacks.iter().any(|heard| heard == kind) {
            wrong.push(format!("{name}: no callback `{kind}`"));
        }
    }
    if !held_before {
        wrong.push(format!("{name}: held no seat at the end"));
    }
    if held_after {
        wrong.push(format!("{name}: did not return its seat"));
    }
    let registrations = bill["registrations"].as_array().map_or(0, Vec::len);
    if registrations != 1 {
        wrong.push(format!("{name}: registered {registrations} times"));
    }
    balance.wrong = wrong;
    balance
}

/// Units by dimension, and how many of them are in a slot (dimension, hour) that has more than one record.
fn billed(bill: &Value, wrong: &mut Vec<String>) -> (BTreeMap<String, u64>, u64) {
    let (mut sums, mut slots, mut twice) = (BTreeMap::new(), HashMap::new(), 0);
    for record in bill["records"].as_array().into_iter().flatten() {
        let dimension = record["dimension"].as_str().unwrap_or_default().to_owned();
        let Some(units) = record["quantity"].as_str().and_then(|text| text.parse::<u64>().ok())
        else {
            wrong.push(format!("the bill has a quantity that is no whole number: {record}"));
            continue;
        };
        let slot = slots.entry((dimension.clone(), record["hour_ms"].to_string())).or_insert(0);
        if *slot > 0 {
            twice += units;
        }
        *slot += 1;
        *sums.entry(dimension).or_insert(0) += units;
    }
    (sums, twice)
}

/// `added` and `delivered` of a dimension, as the product itself says.
fn account(account: &Value, dimension: &str) -> (u64, u64) {
    let entry =
        account.as_array().into_iter().flatten().find(|entry| entry["dimension"] == dimension);
    let number = |name: &str| entry.and_then(|entry| entry[name].as_u64()).unwrap_or(0);
    (number("added"), number("delivered"))
}

impl Balance {
    pub(super) fn document(&self) -> Value {
        json!({
            "language": self.language.name(),
            "metered": self.metered,
            "billed": self.billed,
            "lost": self.lost,
            "doubled": self.doubled,
            "credits": self.credits,
            "drawn": self.drawn,
            "callbacks": self.callbacks,
            "wrong": self.wrong,
        })
    }
}

pub(super) fn total(balances: &[Balance]) -> Value {
    let sum = |part: fn(&Balance) -> u64| balances.iter().map(part).sum::<u64>();
    json!({"metered": sum(|b| b.metered), "billed": sum(|b| b.billed), "lost": sum(|b| b.lost), "doubled": sum(|b| b.doubled)})
}

/// A line per language, and the total.
pub(super) fn table(balances: &[Balance]) -> String {
    let line = |name: &str, metered: u64, billed: u64, lost: u64, doubled: u64| {
        format!(
            "{name:<7} metered {metered:>6} units  billed {billed:>6}  lost {lost} doubled {doubled}"
        )
    };
    let total = total(balances);
    let number = |name: &str| total[name].as_u64().unwrap_or(0);
    let mut lines: Vec<String> = balances
        .iter()
        .map(|b| line(b.language.name(), b.metered, b.billed, b.lost, b.doubled))
        .collect();
    lines.push(line(
        "total",
        number("metered"),
        number("billed"),
        number("lost"),
        number("doubled"),
    ));
    lines.extend(balances.iter().map(|b| {
        let left = b.drawn.saturating_sub(b.credits);
        format!(
            "{:<7} credits booked {:>5}, drawn {:>5}, {left} for the next work",
            b.language.name(),
            b.credits,
            b.drawn
        )
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(callbacks: &[&str]) -> Ended {
        Ended {
            license_id: "l-1".into(),
            metered: BTreeMap::from([("requests", 10), ("megabytes", 5)]),
            credits: 3,
            callbacks: callbacks.iter().map(|kind| (*kind).to_owned()).collect(),
            account: json!([
                {"dimension": "requests", "added": 10, "delivered": 10},
                {"dimension": "megabytes", "added": 5, "delivered": 5},
                {"dimension": "Credits", "added": 4, "delivered": 3},
            ]),
            report: Value::Null,
        }
    }

    fn bill(records: &[(&str, i64, &str)]) -> Value {
        let records: Vec<Value> = records
            .iter()
            .map(|(dimension, hour, quantity)| json!({"dimension": dimension, "hour_ms": hour, "quantity": quantity}))
            .collect();
        json!({"records": records, "registrations": [{}]})
    }

    const UPGRADED: &[&str] = &["license_upgraded", "drawdown_low"];

    fn check(
        bill: &Value,
        callbacks: &[&str],
        seats: (bool, bool),
        lost: u64,
        doubled: u64,
        wrong: usize,
    ) {
        let balance = balance(Language::C, &ended(callbacks), bill, seats, 4);
        assert_eq!((balance.lost, balance.doubled), (lost, doubled), "{:?}", balance.wrong);
        assert_eq!(balance.wrong.len(), wrong, "{:?}", balance.wrong);
    }

    #[test]
    fn everything_in_its_place_is_a_clean_balance() {
        let good = bill(&[("requests", 1, "4"), ("requests", 2, "6"), ("megabytes", 1, "5")]);
        check(&good, UPGRADED, (true, false), 0, 0, 0);
        check(&good, &[], (true, false), 0, 0, 2);
        check(&good, UPGRADED, (false, false), 0, 0, 1);
        check(&good, UPGRADED, (true, true), 0, 0, 1);
    }

    #[test]
    fn credits_that_were_taken_twice_or_not_booked_are_wrong() {
        let good = bill(&[("requests", 1, "10"), ("megabytes", 1, "5")]);
        let found = |credits, drawn| {
            let ended = Ended { credits, ..ended(UPGRADED) };
            balance(Language::C, &ended, &good, (true, false), drawn).wrong
        };
        assert_eq!(found(3, 4), Vec::<String>::new());
        assert_eq!(found(3, 8).len(), 1);
        assert_eq!(found(4, 4).len(), 1);
    }

    #[test]
    fn what_is_lost_in_one_dimension_is_not_made_good_by_another() {
        check(
            &bill(&[("requests", 1, "11"), ("megabytes", 1, "4")]),
            UPGRADED,
            (true, false),
            1,
            1,
            3,
        );
    }

    #[test]
    fn one_slot_billed_twice_is_doubled_even_when_the_sum_is_right() {
        let twice = bill(&[("requests", 1, "5"), ("requests", 1, "5"), ("megabytes", 1, "5")]);
        check(&twice, UPGRADED, (true, false), 0, 5, 1);
    }

    #[test]
    fn a_dimension_that_nobody_metered_is_doubled() {
        let foreign = bill(&[("requests", 1, "10"), ("megabytes", 1, "5"), ("robots", 1, "2")]);
        check(&foreign, UPGRADED, (true, false), 0, 2, 2);
    }
}
