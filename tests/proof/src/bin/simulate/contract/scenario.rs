//! What one seed draws before its history begins: the contract, the product, how rough the world is, how AWS reads
//! its rules.

use super::service::{Bought, License};
use crate::rng::Rng;
use mpguard_handless::{
    machine::plan::{ContractPlan, Plan},
    model::license::{EntitlementKind, EntitlementSpec, Standing},
};
use std::{collections::BTreeMap, time::Duration};

pub(crate) use crate::scenario::{DAY, HOUR, MINUTE, SECOND};

/// Tiers, from the lowest to the highest.
pub(crate) const TIERS: &[&str] = &["basic", "pro"];
/// Floating entitlements.
pub(crate) const SEATS: &[&str] = &["seats", "agents"];
/// Prepaid units.
pub(crate) const UNITS: &str = "units";

/// Open questions about AWS, and what the role may not do, as this seed answers them.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Q25: how long a client token of a provisional check out is remembered; 0 for never.
    pub(crate) replay: i64,
    /// The same for draws. Never shorter than the ten minutes that AWS documents elsewhere.
    pub(crate) draw_replay: i64,
    /// How long a check out lives.
    pub(crate) ttl: i64,
    /// An extension gives another token.
    pub(crate) rotates: bool,
    /// A new version of the license ends what was checked out before.
    pub(crate) revokes: bool,
    /// A counted name refuses an uncounted question as a whole.
    pub(crate) strict: bool,
    /// A renewal is another license.
    pub(crate) renews_by_another: bool,
    pub(crate) calls_a_second: u64,
    pub(crate) list_denied: bool,
    pub(crate) get_denied: bool,
    pub(crate) usage_denied: bool,
}

/// One seed's world.
pub(crate) struct Scenario {
    pub(crate) plan: Plan,
    pub(crate) contract: ContractPlan,
    pub(crate) rules: Rules,
    pub(crate) license: License,
    /// Pods, and processes of each.
    pub(crate) pods: Vec<usize>,
    /// Milliseconds between two faults, about.
    pub(crate) chaos: i64,
    /// Milliseconds between two acts of a host, about.
    pub(crate) pace: i64,
    /// A crash at a command, so many times in ten thousand.
    pub(crate) crash: u64,
    /// Others of the account take seats and units too.
    pub(crate) crowded: bool,
}

impl Scenario {
    pub(crate) fn draw(rng: &mut Rng, now: i64) -> Scenario {
        let tiers = rng.mille(750);
        let prepaid = rng.mille(700);
        let seats = rng.pick(&[1, 1, 2]);
        let mut counted: Vec<EntitlementSpec> =
            SEATS.iter().take(seats).map(|name| spec(name, EntitlementKind::Floating, 1)).collect();
        if prepaid {
            counted.push(spec(UNITS, EntitlementKind::Drawdown, rng.pick(&[1, 1, 10, 250])));
        }
        let tier_names = TIERS.iter().filter(|_| tiers).map(|name| (*name).into()).collect();
        let contract = ContractPlan {
            tiers: tier_names,
            counted,
            seat_linger: Duration::from_secs(rng.pick(&[0, 5, 60, 300])),
            interval: Duration::from_secs(900),
            grace: Duration::from_secs(rng.pick(&[3600, 6 * 3600, 86_400, 86_400])),
            expiring_notice: Duration::from_secs(rng.pick(&[1, 7, 30]) * 86_400),
        };
        Scenario {
            plan: Plan { contract: Some(contract.clone()), ..Plan::default() },
            contract,
            rules: rules(rng),
            license: license(rng, now),
            pods: (0..rng.pick(&[1, 1, 2])).map(|_| rng.pick(&[1, 2, 3])).collect(),
            chaos: rng.pick(&[10 * MINUTE, HOUR, 6 * HOUR, DAY]),
            pace: rng.pick(&[MINUTE, 3 * MINUTE, 15 * MINUTE, HOUR]),
            crash: rng.pick(&[0, 5, 20, 100]),
            crowded: rng.mille(350),
        }
    }
}

fn rules(rng: &mut Rng) -> Rules {
    Rules {
        replay: rng.pick(&[0, 10 * MINUTE, i64::MAX]),
        draw_replay: rng.pick(&[10 * MINUTE, i64::MAX]),
        ttl: rng.pick(&[5 * MINUTE, HOUR, HOUR, 3 * HOUR]),
        rotates: rng.mille(300),
        revokes: rng.mille(300),
        strict: rng.coin(),
        renews_by_another: rng.mille(300),
        calls_a_second: rng.pick(&[5, 20, 1000]),
        list_denied: rng.mille(350),
        get_denied: rng.mille(150),
        usage_denied: rng.mille(400),
    }
}

/// What the buyer has at first: the lowest tier, some seats, some units.
fn license(rng: &mut Rng, now: i64) -> License {
    let counted = |max| Bought { unit: "Count", max, overage: false };
    let mut has = BTreeMap::from([
        ("basic", Bought { unit: "None", max: 0, overage: false }),
        ("seats", counted(rng.pick(&[1, 2, 5, 20]))),
        ("agents", counted(rng.pick(&[3, 10]))),
        (UNITS, counted(rng.pick(&[300, 5000, 1_000_000]))),
    ]);
    if rng.mille(100) {
        has.remove("agents");
    }
    License {
        arn: "arn:aws:license-manager::294406891311:license:l-1".to_owned(),
        version: 1,
        standing: Standing::Usable,
        gone: false,
        end: now + rng.pick(&[2 * DAY, 20 * DAY, 400 * DAY]),
        has,
        drawn: BTreeMap::new(),
    }
}

fn spec(name: &str, kind: EntitlementKind, batch: u64) -> EntitlementSpec {
    EntitlementSpec { name: name.to_owned(), kind, unit: "Count".to_owned(), batch, low: None }
}
