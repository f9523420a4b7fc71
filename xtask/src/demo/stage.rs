//! The sandbox and the four products in it.

use super::{
    bill::{self, Balance},
    product::Product,
    timeline::Timeline,
};
use crate::run::Done;
use mpguard_tests::{place::Place, player::Language, sandbox::Sandbox};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

const HOUR: Duration = Duration::from_secs(3600);
const STEP: Duration = Duration::from_secs(300);
const MOMENT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);
/// Prepaid credits of each contract, how many a product draws at once, and how many left are few.
const CREDITS: u64 = 1500;
const CREDITS_AT_ONCE: u64 = 50;
const CREDITS_LOW: u64 = 500;

pub(super) struct Stage {
    sandbox: Sandbox,
    products: Vec<Product>,
    /// Records of the bill that were told.
    told: usize,
}

/// Product code of a language's product.
pub(super) fn code(language: Language) -> String {
    format!("demo-{}", language.word())
}

impl Stage {
    pub(super) fn set(place: &Place, timeline: &mut Timeline) -> Done<Stage> {
        let sandbox = Sandbox::start(place)?;
        let now_ms = sandbox.control().get("/_sandbox/clock")?["now_ms"]
            .as_i64()
            .ok_or("the sandbox's clock has no `now_ms`")?;
        timeline.begin(now_ms);
        timeline.tell(
            "AWS",
            &format!(
                "sandbox at {}, its clock stands still; bills show requests + megabytes",
                sandbox.control().address()
            ),
        );
        let mut stage = Stage { sandbox, products: Vec::new(), told: 0 };
        // All at once, as in a cluster; then each is listened to.
        for language in Language::ALL {
            let (config, license_id) = stage.sell(language)?;
            stage.products.push(Product::start(place, language, &config, &license_id)?);
        }
        for product in &mut stage.products {
            let tier = product.hear("licensed: ", timeline)?;
            let seat = product.hear("seat: ", timeline)?;
            timeline.tell(product.language.name(), &format!("licensed, {tier}; seat {seat}"));
        }
        Ok(stage)
    }

    /// Lists a product and sells it: hourly, by usage, and a contract of a tier, ten seats and credits.
    fn sell(&self, language: Language) -> Done<(Value, String)> {
        let (code, sku) = (code(language), format!("prod-demo-{}", language.word()));
        let control = self.sandbox.control();
        let product = control.post(
            "/_sandbox/products",
            &json!({"product_code": code, "product_sku": sku, "dimensions": ["requests", "megabytes"]}),
        )?;
        let license = control.post(
            "/_sandbox/licenses",
            &json!({"product_sku": sku, "entitlements": entitlements("Basic")}),
        )?;
        let config = json!({
            "pricing": "hourly+usage+contract",
            "product_code": code,
            "trusted_products": [{
                "code": code,
                "sku": sku,
                "public_keys": [{"version": 1, "pem": product["public_keys"]["1"]}],
            }],
            "dimensions": [{"name": "requests"}, {"name": "megabytes"}],
            "entitlements": [
                {"name": "Basic", "kind": "tier"},
                {"name": "Premium", "kind": "tier"},
                {"name": "Seats", "kind": "floating"},
                {"name": "Credits", "kind": "drawdown", "batch": CREDITS_AT_ONCE, "low": CREDITS_LOW},
            ],
            "sandbox": format!("{}/t/{code}", control.address()),
        });
        Ok((config, license["id"].as_str().unwrap_or_default().to_owned()))
    }

    /// Gives each product a batch of work, other amounts each hour and in each language.
    pub(super) fn work(&mut self, hour: u64, timeline: &mut Timeline) -> Done {
        for (index, product) in (0_u64..).zip(&mut self.products) {
            // Reproducible, uneven, and now and then nothing at all.
            let requests = (hour * 7_919 + index * 104_729 + 13) % 900;
            let megabytes =
                if hour % 6 == index { 0 } else { (hour * 6_151 + index * 31_337) % 300 };
            product.work(requests, megabytes)?;
        }
        // It must be counted before the hour moves on. Who waits for AWS is given a few seconds.
        let Stage { sandbox, products, .. } = self;
        for product in products {
            let end = Instant::now() + PATIENCE;
            while product.hear_soon("worked: ", timeline)?.is_none() {
                if Instant::now() > end {
                    return Err(format!(
                        "the product in {} does not work",
                        product.language.name()
                    ));
                }
                sandbox.control().advance(MOMENT, MOMENT)?;
            }
        }
        Ok(())
    }

    /// Moves the clock to the end of the hour, and tells what was billed meanwhile.
    pub(super) fn advance(&mut self, timeline: &mut Timeline) -> Done {
        self.advance_by(HOUR, timeline)?;
        self.tell_bill(timeline)
    }

    fn advance_by(&mut self, by: Duration, timeline: &mut Timeline) -> Done {
        let moved = self.sandbox.control().advance(by, STEP)?;
        timeline.at(moved["now_ms"].as_i64().ok_or("the sandbox's clock has no `now_ms`")?);
        self.products.iter_mut().try_for_each(|product| product.listen(timeline))
    }

    /// One line for each hour that was billed since the last look.
    fn tell_bill(&mut self, timeline: &mut Timeline) -> Done {
        let bill = self.sandbox.control().get("/_sandbox/bill")?;
        let records = bill["records"].as_array().cloned().unwrap_or_default();
        let new = records.get(self.told..).unwrap_or_default();
        let hours: BTreeSet<i64> =
            new.iter().filter_map(|record| record["hour_ms"].as_i64()).collect();
        for hour in hours {
            let texts: Vec<String> = Language::ALL
                .iter()
                .map(|language| {
                    let units = |dimension: &str| {
                        let found = new.iter().find(|record| {
                            record["product_code"] == code(*language)
                                && record["hour_ms"] == hour
                                && record["dimension"] == dimension
                        });
                        found
                            .and_then(|record| record["quantity"].as_str())
                            .unwrap_or("0")
                            .to_owned()
                    };
                    let amounts = format!("{} + {}", units("requests"), units("megabytes"));
                    format!("{} {amounts:<10}", language.name())
                })
                .collect();
            let texts = texts.join(" ");
            timeline.tell("bill", &format!("{}: {}", timeline.clock(hour), texts.trim_end()));
        }
        self.told = records.len();
        Ok(())
    }

    pub(super) fn throttle(&self, timeline: &mut Timeline) -> Done {
        timeline.tell("AWS", "throttles the next 12 usage records");
        let fault = json!({"operation": "MeterUsage", "kind": "throttle", "times": 12});
        self.sandbox.control().post("/_sandbox/faults", &fault).map(drop)
    }

    pub(super) fn lose_answers(&self, timeline: &mut Timeline) -> Done {
        timeline.tell("AWS", "stores the next 8 usage records and loses its answers");
        let fault = json!({"operation": "MeterUsage", "kind": "lost_answer", "times": 8});
        self.sandbox.control().post("/_sandbox/faults", &fault).map(drop)
    }

    pub(super) fn lose_check_outs(&self, timeline: &mut Timeline) -> Done {
        timeline.tell(
            "AWS",
            "gives the next 6 check outs, of seats and of credits, and loses its answers",
        );
        let fault = json!({"operation": "CheckoutLicense", "kind": "lost_answer", "times": 6});
        self.sandbox.control().post("/_sandbox/faults", &fault).map(drop)
    }

    /// Every buyer takes the higher tier in this hour; each product must hear of it.
    pub(super) fn upgrade(&mut self, timeline: &mut Timeline) -> Done {
        timeline.tell("AWS", "every buyer upgrades from Basic to Premium");
        for product in &self.products {
            let path = format!("/_sandbox/licenses/{}/upgrade", product.license_id);
            self.sandbox
                .control()
                .post(&path, &json!({"entitlements": entitlements("Premium")}))?;
        }
        // A product looks at its contract every 15 minutes, more or less.
        let looked = HOUR / 3;
        self.advance_by(looked, timeline)?;
        for product in &mut self.products {
            product.hear_callback("license_upgraded", timeline)?;
        }
        self.advance_by(HOUR - looked, timeline)?;
        self.tell_bill(timeline)
    }

    /// Every product ends; gives what was metered beside what is billed.
    pub(super) fn close(self, timeline: &mut Timeline) -> Done<Vec<Balance>> {
        let Stage { sandbox, products, .. } = self;
        let control = sandbox.control();
        let held = seats(&control.get("/_sandbox/seats")?);
        let mut ended = Vec::new();
        for product in products {
            let (language, left) = product.finish(timeline)?;
            timeline.tell(language.name(), &left.farewell());
            ended.push((language, left));
        }
        let still = seats(&control.get("/_sandbox/seats")?);
        let mut balances = Vec::new();
        for (language, left) in ended {
            let bill = control.get(&format!("/_sandbox/bill?product_code={}", code(language)))?;
            let seats = (held.contains(&left.license_id), still.contains(&left.license_id));
            let drawn = drawn(&bill, &left.license_id);
            balances.push(bill::balance(language, &left, &bill, seats, drawn));
        }
        Ok(balances)
    }
}

fn entitlements(tier: &str) -> Value {
    json!([
        {"name": tier, "unit": "None", "value": "Enabled"},
        {"name": "Seats", "unit": "Count", "max_count": 10, "allow_check_in": true},
        {"name": "Credits", "unit": "Count", "max_count": CREDITS},
    ])
}

/// Licenses of which a seat is taken.
fn seats(answer: &Value) -> Vec<String> {
    let pools = answer["pools"].as_array().into_iter().flatten();
    pools
        .filter(|pool| pool["in_use"].as_u64().is_some_and(|n| n > 0))
        .filter_map(|pool| pool["license_id"].as_str().map(str::to_owned))
        .collect()
}

/// Credits that AWS has taken off a contract.
fn drawn(bill: &Value, license_id: &str) -> u64 {
    let entries = bill["drawn"].as_array().into_iter().flatten();
    let ours = entries
        .filter(|entry| entry["license_id"] == license_id && entry["name"] == "Credits")
        .filter_map(|entry| entry["quantity"].as_str()?.parse::<u64>().ok());
    ours.sum()
}
