//! The task of every story: its dimensions, its counters, and who it is.

use super::scenarios::{GB, HOSTS, REQUESTS, TEAM};
use mpguard_handless::model::{
    ids::{Dimension, Identity, Platform, SeriesId},
    usage::{DimensionSpec, Kind, Series, Tags},
};

pub(crate) fn dimensions() -> Vec<DimensionSpec> {
    let spec = |name: &str, kind, per_unit, fraction_digits| DimensionSpec {
        name: name.into(),
        kind,
        per_unit,
        fraction_digits,
        ceiling: None,
    };
    vec![
        spec("requests", Kind::Sum, 1, 0),
        spec("gb", Kind::Sum, 1000, 2),
        spec("hosts", Kind::Max, 1, 0),
    ]
}

pub(crate) fn series() -> Vec<(SeriesId, Series)> {
    let tags = Tags::from([("team".to_owned(), "a".to_owned())]);
    let series = |id, name: &str, tags| (id, Series { dimension: name.into(), tags });
    vec![
        series(REQUESTS, "requests", Tags::new()),
        series(TEAM, "requests", tags),
        series(GB, "gb", Tags::new()),
        series(HOSTS, "hosts", Tags::new()),
    ]
}

/// Dimension of a counter, and how its values become one number.
pub(crate) fn meaning(id: SeriesId) -> (Dimension, Kind) {
    match id {
        GB => ("gb".into(), Kind::Sum),
        HOSTS => ("hosts".into(), Kind::Max),
        _ => ("requests".into(), Kind::Sum),
    }
}

pub(crate) fn identity() -> Identity {
    Identity { platform: Platform::Ecs, name: "task".into(), region: "us-east-1".into() }
}
