//! What one seed draws before its history begins: the listing, how rough the world is, how AWS reads its rules.

use crate::rng::Rng;
use mpguard_handless::{
    machine::{
        metering::Policy,
        plan::{Plan, StartupCheck},
    },
    model::{
        ids::SeriesId,
        usage::{DimensionSpec, Kind, Series, Tags},
    },
};
use std::time::Duration;

pub(crate) const SECOND: i64 = 1000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Open questions about AWS, as this seed answers them. Numbers: the contract's list of questions.
pub(crate) struct Answers {
    /// Q1: hours that a record may be late.
    pub(crate) window: i64,
    /// Q1: counted from the timestamp, not from the start of its hour.
    pub(crate) from_timestamp: bool,
    /// Q3: the same quantity with another token is a success, not a duplicate.
    pub(crate) same_quantity_is_same: bool,
    /// Q4: other allocations make another record.
    pub(crate) allocations_count: bool,
    /// Q6: a zero record takes the hour.
    pub(crate) zero_takes_hour: bool,
    /// Q16: an unsubscribe is told to running tasks.
    pub(crate) unsubscribe_told: bool,
}

/// One seed's world.
pub(crate) struct Scenario {
    pub(crate) plan: Plan,
    /// After an update of the product, which defines one dimension less.
    pub(crate) plan_less: Option<Plan>,
    pub(crate) series: Vec<(SeriesId, Series)>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) answers: Answers,
    /// Milliseconds between two faults, about.
    pub(crate) chaos: i64,
    /// Milliseconds between two adds of a task, about.
    pub(crate) adding: i64,
    /// A crash at a durable step, so many times in ten thousand.
    pub(crate) crash: u64,
    /// Each computer's clock at the beginning, against AWS's.
    pub(crate) clocks: Vec<i64>,
}

impl Scenario {
    pub(crate) fn draw(rng: &mut Rng) -> Scenario {
        let spec = |name: &str, kind, per_unit, fraction_digits, ceiling| DimensionSpec {
            name: name.into(),
            kind,
            per_unit,
            fraction_digits,
            ceiling,
        };
        let dimensions = vec![
            spec(
                "requests",
                Kind::Sum,
                rng.pick(&[1, 1, 7, 1000]),
                0,
                rng.pick(&[None, None, None, Some(60_000)]),
            ),
            spec("gb", Kind::Sum, rng.pick(&[1, 1000, 1024]), rng.pick(&[0, 2, 3]), None),
            spec("hosts", Kind::Max, 1, 0, None),
            spec("users", Kind::Last, 1, 0, None),
        ];
        let plan = Plan {
            usage: true,
            dimensions,
            metering: Policy {
                outage_stop: Duration::from_secs(7200),
                zero_records: rng.mille(200),
            },
            startup_check: rng.pick(&[
                StartupCheck::Auto,
                StartupCheck::Auto,
                StartupCheck::DryRun,
                StartupCheck::Probe,
            ]),
            ..Plan::default()
        };
        let plan_less = rng.mille(100).then(|| {
            let mut less = plan.clone();
            less.dimensions.remove(1);
            less
        });
        let tags = |value: &str| Tags::from([("team".to_owned(), value.to_owned())]);
        let series = |id, n: usize, tags| {
            (SeriesId(id), Series { dimension: plan.dimensions[n].name.clone(), tags })
        };
        let series = vec![
            series(0, 0, Tags::new()),
            series(1, 0, tags("a")),
            series(2, 0, tags("b")),
            series(3, 1, Tags::new()),
            series(4, 2, Tags::new()),
            series(5, 3, Tags::new()),
        ];
        let kinds = vec![Kind::Sum, Kind::Sum, Kind::Sum, Kind::Sum, Kind::Max, Kind::Last];
        let tasks = rng.pick(&[1, 1, 2, 3]);
        let window = rng.pick(&[6, 6, 6, 1]);
        Scenario {
            plan,
            plan_less,
            series,
            kinds,
            answers: Answers {
                window,
                // One hour from the start of an hour would leave no time at all.
                from_timestamp: window == 1 || rng.coin(),
                same_quantity_is_same: rng.coin(),
                allocations_count: rng.coin(),
                zero_takes_hour: rng.coin(),
                unsubscribe_told: rng.coin(),
            },
            chaos: rng.pick(&[20 * MINUTE, 2 * HOUR, 8 * HOUR, 2 * DAY]),
            adding: rng.pick(&[4 * MINUTE, 15 * MINUTE, 50 * MINUTE, 5 * HOUR]),
            crash: rng.pick(&[0, 5, 20, 200]),
            clocks: (0..tasks).map(|_| wrong_clock(rng)).collect(),
        }
    }

    /// Dimension of each series, by number.
    pub(crate) fn dimension(&self, series: usize) -> &mpguard_handless::model::ids::Dimension {
        &self.series[series].1.dimension
    }
}

/// How far a computer's clock is ahead of AWS's. Mostly little; by minutes, hours or days now and then.
pub(crate) fn wrong_clock(rng: &mut Rng) -> i64 {
    match rng.below(12) {
        0 => rng.between(-90 * MINUTE, 90 * MINUTE),
        1 => rng.between(-DAY, DAY),
        2 => rng.between(-40 * DAY, 40 * DAY),
        // A clock that begins with 1970.
        3 => -crate::world::BEGIN,
        _ => rng.between(-SECOND, SECOND),
    }
}
