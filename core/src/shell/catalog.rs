//! Which counter belongs to which dimension and tag set.

use crate::{
    error::{Code, Error, Result},
    model::{
        ids::SeriesId,
        tags,
        usage::{DimensionSpec, Kind, Series, Tags},
    },
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counters in a slab.
const SERIES_MAX: usize = 4096;
/// Tag sets of one dimension; AWS takes 2500 allocations in a record, and some room is kept for carried ones.
/// Source: MeterUsage model, `UsageAllocations`.
const TAG_SETS_MAX: usize = 2400;

/// The list of counters, which only grows.
pub(crate) struct Catalog {
    dimensions: Vec<DimensionSpec>,
    series: Mutex<Vec<Series>>,
}

impl Catalog {
    /// A catalog whose first counters are the untagged ones, in the order of the dimensions.
    pub(crate) fn new(dimensions: Vec<DimensionSpec>) -> Catalog {
        let untagged =
            (0..dimensions.len()).map(|dimension| Series { dimension, tags: Tags::new() });
        let series = Mutex::new(untagged.collect());
        Catalog { dimensions, series }
    }

    /// The counter of a dimension and tag set; a new set gets a new one.
    pub(crate) fn resolve(
        &self,
        dimension: &str,
        pairs: &[(&str, &str)],
    ) -> Result<(SeriesId, Kind)> {
        let index = self.index(dimension)?;
        let tags = tags::check(dimension, pairs)?;
        let kind = self.dimensions.get(index).map_or(Kind::Sum, |spec| spec.kind);
        let mut series = self.lock();
        let same = series.iter().position(|s| s.dimension == index && s.tags == tags);
        let place = match same {
            Some(place) => place,
            None if full(&series, index) => index, // counted untagged: sums still match
            None => {
                series.push(Series { dimension: index, tags });
                series.len() - 1
            }
        };
        let id = u32::try_from(place).unwrap_or_default();
        Ok((SeriesId(id), kind))
    }

    /// Counters from number `first` on.
    pub(crate) fn since(&self, first: usize) -> Vec<(SeriesId, Series)> {
        let series = self.lock();
        let ids = (0_u32..).map(SeriesId);
        ids.zip(series.iter().cloned()).skip(first).collect()
    }

    fn index(&self, dimension: &str) -> Result<usize> {
        self.dimensions.iter().position(|spec| spec.name.as_str() == dimension).ok_or_else(|| {
            let known: Vec<&str> = self.dimensions.iter().map(|spec| spec.name.as_str()).collect();
            let known = if known.is_empty() {
                "the configuration defines no dimensions".to_owned()
            } else {
                format!("the configuration defines `{}`", known.join("`, `"))
            };
            Error::new(
                Code::UnknownDimension,
                format!("cannot meter dimension `{dimension}`: {known}"),
            )
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(series: &[Series], dimension: usize) -> bool {
    series.len() >= SERIES_MAX
        || series.iter().filter(|s| s.dimension == dimension && !s.tags.is_empty()).count()
            >= TAG_SETS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let spec = |name: &str| DimensionSpec {
            name: name.into(),
            kind: Kind::Sum,
            per_unit: 1,
            fraction_digits: 0,
            ceiling: None,
        };
        Catalog::new(vec![spec("requests"), spec("gb")])
    }

    #[test]
    fn the_same_tag_set_in_any_order_is_one_counter() {
        let catalog = catalog();
        let id = |pairs: &[(&str, &str)]| catalog.resolve("gb", pairs).expect("valid").0;
        assert_eq!(id(&[]), SeriesId(1));
        assert_eq!(id(&[("a", "1"), ("b", "2")]), id(&[("b", "2"), ("a", "1")]));
        assert_ne!(id(&[("a", "1")]), id(&[("a", "2")]));
        assert_eq!(catalog.since(2).len(), 3);
    }

    #[test]
    fn an_unknown_dimension_is_named_with_the_known_ones() {
        let error = catalog().resolve("seat", &[]).expect_err("unknown");
        assert_eq!(error.code(), Code::UnknownDimension);
        assert_eq!(
            error.text(),
            "cannot meter dimension `seat`: the configuration defines `requests`, `gb`"
        );
    }

    #[test]
    fn the_tag_set_after_the_last_is_counted_untagged() {
        // T24
        let catalog = catalog();
        for n in 0..TAG_SETS_MAX {
            let (id, _) = catalog.resolve("gb", &[("n", &n.to_string())]).expect("valid");
            assert_ne!(id, SeriesId(1));
        }
        assert_eq!(catalog.resolve("gb", &[("n", "one more")]).expect("valid").0, SeriesId(1));
        assert_ne!(catalog.resolve("requests", &[("n", "1")]).expect("valid").0, SeriesId(0));
    }
}
