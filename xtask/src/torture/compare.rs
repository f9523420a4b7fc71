//! Tallies, account, bill and requests beside each other.

use super::{
    figures::{self, Line},
    tally::{DIMENSIONS, SERIES, Tally},
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Everything that is known at the end.
pub(super) struct Books {
    /// What the processes say that they counted.
    pub(super) tally: Tally,
    /// What the last process says where it is.
    pub(super) account: Value,
    /// What AWS bills.
    pub(super) bill: Value,
    /// What AWS was sent.
    pub(super) requests: Value,
}

pub(super) struct Outcome {
    pub(super) passed: usize,
    pub(super) wrong: Vec<String>,
    pub(super) figures: Line,
}

const PLACES: [&str; 6] = ["open", "pending", "delivered", "disputed", "held", "missed"];

/// True when every count of this account is in exactly one place.
pub(super) fn balances(account: &Value) -> bool {
    account["added"].as_u64() == Some(PLACES.iter().map(|place| number(account, place)).sum())
}

/// Sum of one place over all dimensions.
pub(super) fn sum(account: &Value, place: &str) -> u64 {
    account.as_array().into_iter().flatten().map(|one| number(one, place)).sum()
}

fn number(account: &Value, name: &str) -> u64 {
    account[name].as_u64().unwrap_or(0)
}

/// `found` are faults that were seen before.
pub(super) fn compare(
    books: &Books,
    found: Vec<String>,
    done: figures::Done,
    restarts: u64,
    hours: i64,
) -> Outcome {
    let mut checks = Checks { passed: 0, wrong: Vec::new() };
    checks.that(found.is_empty(), || found.join("\n"));
    let billed = Billed::read(&books.bill);
    checks.that(billed.strange.is_empty(), || billed.strange.join("\n"));
    let Tally { refused, .. } = books.tally;
    checks.that(refused == 0, || format!("{refused} adds were refused by guards that were up"));
    let (mut lost, mut doubled) = (0, 0);
    for (dimension, _) in DIMENSIONS {
        let one = Dimension::of(books, &billed, dimension);
        one.check(&mut checks);
        lost += one.lost();
        doubled += one.doubled();
    }
    check_series(books, &billed, &mut checks);
    check_requests(&books.requests, &mut checks);
    let figures = Line {
        done,
        restarts,
        forks: books.tally.forks,
        hours,
        added: sum(&books.account, "added"),
        billed: billed.of_dimension.values().sum(),
        disputed: sum(&books.account, "disputed"),
        lost,
        doubled,
    };
    Outcome { passed: checks.passed, wrong: checks.wrong, figures }
}

struct Checks {
    passed: usize,
    wrong: Vec<String>,
}

impl Checks {
    fn that(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if holds {
            self.passed += 1;
        } else {
            self.wrong.push(otherwise());
        }
    }
}

/// One dimension in all books, in raw counts.
struct Dimension<'a> {
    name: &'a str,
    started: u64,
    counted: u64,
    account: Value,
    billed: u64,
}

impl Dimension<'_> {
    fn of<'a>(books: &Books, billed: &Billed, name: &'a str) -> Dimension<'a> {
        let (started, counted) = books.tally.of(name);
        let mut accounts = books.account.as_array().into_iter().flatten();
        let account = accounts.find(|account| account["dimension"] == name).cloned();
        let billed = billed.of_dimension.get(name).copied().unwrap_or(0);
        Dimension { name, started, counted, account: account.unwrap_or_default(), billed }
    }

    fn at(&self, place: &str) -> u64 {
        number(&self.account, place)
    }

    /// Counted by a process and in no place of the account; or called delivered and not on the bill.
    fn lost(&self) -> u64 {
        let places: u64 = PLACES.iter().map(|place| self.at(place)).sum();
        self.counted.saturating_sub(places) + self.at("delivered").saturating_sub(self.billed)
    }

    /// In the account and added by nobody; or billed beyond what is delivered or in doubt.
    fn doubled(&self) -> u64 {
        let known = self.at("delivered") + self.at("disputed");
        self.at("added").saturating_sub(self.started) + self.billed.saturating_sub(known)
    }

    fn check(&self, checks: &mut Checks) {
        let Dimension { name, started, counted, account, billed } = self;
        let (added, delivered, disputed) =
            (self.at("added"), self.at("delivered"), self.at("disputed"));
        let told = |what: &str| {
            format!(
                "`{name}`: {what}; counted {counted} started {started} billed {billed} account {account}"
            )
        };
        checks.that(*counted > 0, || told("nothing was counted, so nothing is proved"));
        checks.that(balances(account), || told("the account does not balance"));
        checks.that(*counted <= added, || told("an add that returned is not in the account"));
        checks.that(added <= *started, || told("the account holds more than was added"));
        checks.that(delivered <= *billed, || told("delivered, but not on the bill"));
        let known = delivered + disputed;
        checks.that(*billed <= known, || told("billed, but neither delivered nor disputed"));
        checks.that(billed <= started, || told("more is billed than was added"));
        let left = self.at("open") + self.at("pending");
        checks.that(left == 0, || told("something is pending though every window is over"));
        let refused = self.at("held") + self.at("missed");
        checks.that(refused == 0, || told("held or missed, though AWS refused nothing"));
    }
}

/// The bill in raw counts.
#[derive(Default)]
struct Billed {
    of_dimension: BTreeMap<String, u64>,
    of_series: [u64; SERIES.len()],
    strange: Vec<String>,
}

impl Billed {
    fn read(bill: &Value) -> Billed {
        let mut billed = Billed::default();
        let mut slots = HashMap::new();
        for record in bill["records"].as_array().into_iter().flatten() {
            if billed.take(record).is_none() {
                billed.strange.push(format!("nobody could have sent this record: {record}"));
            }
            let slot = (record["dimension"].to_string(), record["hour_ms"].to_string());
            if slots.insert(slot, ()).is_some() {
                billed.strange.push(format!("a second record of its hour: {record}"));
            }
        }
        billed
    }

    fn take(&mut self, record: &Value) -> Option<()> {
        let dimension = record["dimension"].as_str()?;
        let (_, scale) = DIMENSIONS.iter().find(|(name, _)| *name == dimension)?;
        let whole = raw(&record["quantity"], *scale)?;
        *self.of_dimension.entry(dimension.to_owned()).or_default() += whole;
        let Some(allocations) = record["allocations"].as_array() else {
            let untagged = SERIES.iter().position(|series| *series == (dimension, &[]))?;
            self.of_series[untagged] += whole;
            return Some(());
        };
        for allocation in allocations {
            let mut tags: Vec<(&str, &str)> = Vec::new();
            for tag in allocation["Tags"].as_array().into_iter().flatten() {
                tags.push((tag["Key"].as_str()?, tag["Value"].as_str()?));
            }
            tags.sort_unstable();
            let series =
                SERIES.iter().position(|(name, own)| *name == dimension && **own == *tags)?;
            let quantity = match &allocation["AllocatedUsageQuantityAsDecimal"] {
                Value::Null => &allocation["AllocatedUsageQuantity"],
                decimal => decimal,
            };
            self.of_series[series] += raw(quantity, *scale)?;
        }
        Some(())
    }
}

/// Units such as `12` or `"12.345"` in raw counts, of which `scale` are one unit.
fn raw(quantity: &Value, scale: u64) -> Option<u64> {
    let text = match quantity {
        Value::String(text) => text.clone(),
        other => other.as_u64()?.to_string(),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = scale.ilog10() as usize;
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > digits {
        return None;
    }
    let fraction: u64 = format!("0{fraction:0<digits$}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(fraction)
}

/// Nothing may be billed to the wrong tags: of no series more than was added to it.
fn check_series(books: &Books, billed: &Billed, checks: &mut Checks) {
    for (index, (dimension, tags)) in SERIES.iter().enumerate() {
        let (started, got) = (books.tally.started[index], billed.of_series[index]);
        checks.that(got <= started, || {
            format!("`{dimension}` {tags:?}: {got} are billed, but only {started} were added to it")
        });
    }
}

/// More than these of a kind say nothing new.
const SHOWN: usize = 3;

/// A frozen record never changes: whatever is sent for one hour of a dimension is the same, byte for byte.
fn check_requests(requests: &Value, checks: &mut Checks) {
    let mut first: HashMap<(String, i64), &Value> = HashMap::new();
    let (mut changed, mut sent) = (Vec::new(), 0);
    for request in requests["requests"].as_array().into_iter().flatten() {
        let body = &request["body"];
        let Some(timestamp) = body["Timestamp"].as_f64().filter(|_| body["DryRun"] != true) else {
            continue;
        };
        sent += 1;
        let slot = (body["UsageDimension"].to_string(), (timestamp / 3600.0).floor() as i64);
        let known = *first.entry(slot).or_insert(body);
        if known != body {
            changed.push(format!(
                "an hour was sent with another content than before: {known} and {body}"
            ));
        }
    }
    checks.that(sent > 0, || "the sandbox shows no request, so nothing is proved".to_owned());
    let times = changed.len();
    changed.truncate(SHOWN);
    checks.that(times == 0, || format!("{times} times {}", changed.join("\n")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Ten requests in one record, of which four are of tenant a; one and a half gigabytes; three jobs in dispute.
    fn books() -> Books {
        let account = |dimension: &str, added: u64, disputed: u64| {
            json!({
                "dimension": dimension, "added": added, "open": 0, "pending": 0,
                "delivered": added - disputed, "disputed": disputed, "held": 0, "missed": 0,
            })
        };
        let record = |dimension: &str, quantity: &str, allocations: Value| json!({"dimension": dimension, "hour_ms": 0, "quantity": quantity, "allocations": allocations});
        let part = |quantity: Value, tags: Value| json!({"AllocatedUsageQuantity": quantity, "Tags": tags});
        let gold = json!([{"Key": "tier", "Value": "gold"}, {"Key": "tenant", "Value": "a"}]);
        let tenant = json!([{"Key": "tenant", "Value": "a"}]);
        let send = |token: &str| json!({"body": {"Timestamp": 3599.0, "UsageDimension": "requests", "ClientToken": token}});
        Books {
            tally: Tally {
                started: [6, 4, 0, 1500, 0, 4],
                counted: [6, 4, 0, 1500, 0, 3],
                forks: 1,
                processes: 2,
                refused: 0,
            },
            account: json!([
                account("requests", 10, 0),
                account("gigabytes", 1500, 0),
                account("jobs", 3, 3),
            ]),
            bill: json!({"records": [
                record("requests", "10", json!([part(json!(6), Value::Null), part(json!(4), tenant)])),
                record("gigabytes", "1.5", Value::Null),
                record("jobs", "3", json!([part(json!(3), gold)])),
            ]}),
            requests: json!({"requests": [send("t"), send("t")]}),
        }
    }

    fn check(spoil: impl FnOnce(&mut Books), wrong: &str, lost: u64, doubled: u64) {
        let mut books = books();
        spoil(&mut books);
        let outcome = compare(&books, Vec::new(), figures::Done::default(), 0, 0);
        let said = outcome.wrong.join("\n");
        assert_eq!((outcome.figures.lost, outcome.figures.doubled), (lost, doubled), "{said}");
        assert_eq!(said.is_empty(), wrong.is_empty(), "{said}");
        assert!(said.contains(wrong), "{said}");
    }

    #[test]
    fn books_that_agree_are_right() {
        check(|_| (), "", 0, 0);
        // One add was in its middle when its process died: it may be in or out.
        check(|books| books.account[2]["added"] = json!(4), "does not balance", 0, 0);
    }

    #[test]
    fn what_is_missing_is_lost() {
        let less = |books: &mut Books| {
            books.account[0]["added"] = json!(8);
            books.account[0]["delivered"] = json!(8);
        };
        check(less, "is not in the account", 2, 2);
        check(
            |books| books.bill["records"][1]["quantity"] = json!("1.2"),
            "not on the bill",
            300,
            0,
        );
        let pending = |books: &mut Books| {
            books.account[1]["delivered"] = json!(0);
            books.account[1]["pending"] = json!(1500);
            books.bill["records"][1]["quantity"] = json!("0");
        };
        check(pending, "something is pending", 0, 0);
    }

    #[test]
    fn what_is_too_much_is_doubled() {
        check(
            |books| books.bill["records"][1]["quantity"] = json!("1.6"),
            "more is billed",
            0,
            100,
        );
        let more = |books: &mut Books| {
            books.account[2]["added"] = json!(6);
            books.account[2]["disputed"] = json!(6);
        };
        check(more, "more than was added", 0, 2);
        let again = |books: &mut Books| {
            let record = books.bill["records"][2].clone();
            books.bill["records"].as_array_mut().expect("a list").push(record);
        };
        check(again, "a second record of its hour", 0, 3);
    }

    #[test]
    fn a_record_that_changed_is_found_even_when_all_sums_are_right() {
        let other = |books: &mut Books| {
            books.requests["requests"][1]["body"]["ClientToken"] = json!("u");
        };
        check(other, "with another content", 0, 0);
        check(|books| books.requests = json!({"requests": []}), "no request", 0, 0);
    }

    #[test]
    fn usage_of_one_tenant_is_not_billed_to_another() {
        let swapped = |books: &mut Books| {
            let tags = json!([{"Key": "tenant", "Value": "b"}]);
            books.bill["records"][0]["allocations"][1]["Tags"] = tags;
        };
        check(swapped, "were added to it", 0, 0);
    }

    #[test]
    fn units_become_raw_counts() {
        assert_eq!(raw(&json!("12.345"), 1000), Some(12_345));
        assert_eq!(raw(&json!("12.30"), 1000), Some(12_300));
        assert_eq!(raw(&json!(7), 1), Some(7));
        assert_eq!(raw(&json!("7"), 1000), Some(7000));
        assert_eq!(raw(&json!("0.0001"), 1000), None);
        assert_eq!(raw(&json!("0.5"), 1), None);
    }
}
