//! Which counter belongs to which dimension and tag set.

use crate::{
    error::{Code, Error, Result},
    model::{
        ids::SeriesId,
        tags,
        usage::{DimensionSpec, Kind, Series, Tags},
    },
    port::counters::SeriesList,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Counters in a slab.
const SERIES_MAX: usize = 4096;
/// Tag sets of one dimension; AWS takes 2500 allocations in a record, and some room is kept for carried ones.
/// Source: MeterUsage model, `UsageAllocations`.
const TAG_SETS_MAX: usize = 2400;

/// The counters of a task, as one process names them.
pub(crate) struct Catalog {
    dimensions: Vec<DimensionSpec>,
    list: Arc<dyn SeriesList>,
    /// What this process has found before: a counter's number never changes.
    known: Mutex<BTreeMap<Series, SeriesId>>,
}

impl Catalog {
    /// A catalog over the task's list, which then has the untagged counter of every dimension.
    pub(crate) fn new(dimensions: Vec<DimensionSpec>, list: Arc<dyn SeriesList>) -> Catalog {
        let catalog = Catalog { dimensions, list, known: Mutex::new(BTreeMap::new()) };
        for spec in &catalog.dimensions {
            // A list that cannot be written says so when the meter is made.
            let _ = catalog.place(Series { dimension: spec.name.clone(), tags: Tags::new() });
        }
        catalog
    }

    /// The counter of a dimension and tag set; a new set gets a new one.
    pub(crate) fn resolve(
        &self,
        dimension: &str,
        pairs: &[(&str, &str)],
    ) -> Result<(SeriesId, Kind)> {
        let spec = self.spec(dimension)?;
        let tags = tags::check(dimension, pairs)?;
        let id = self.place(Series { dimension: spec.name.clone(), tags }).map_err(|why| {
            Error::new(
                Code::Storage,
                format!("cannot make a meter of dimension `{dimension}`: {why}"),
            )
        })?;
        Ok((id, spec.kind))
    }

    /// The counter that stands for one of another ledger.
    pub(crate) fn adopt(&self, series: &Series) -> Option<SeriesId> {
        self.place(series.clone()).ok()
    }

    /// Counters from number `first` on.
    pub(crate) fn since(&self, first: usize) -> Vec<(SeriesId, Series)> {
        let mut found = Vec::new();
        // A list that cannot be read now is read at the next capture; the counts stay where they are.
        let _ = self.list.with(&mut |list| {
            let ids = (0_u32..).map(SeriesId);
            found = ids.zip(list.iter().cloned()).skip(first).collect();
            None
        });
        found
    }

    fn place(&self, series: Series) -> std::result::Result<SeriesId, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.get(&series) {
            return Ok(*id);
        }
        let mut place = None;
        self.list.with(&mut |list| {
            let find = |wanted: &Series| list.iter().position(|series| series == wanted);
            place = find(&series);
            if place.is_some() {
                return None;
            }
            if full(list, &series) {
                // Counted untagged: sums still match.
                place = find(&Series { tags: Tags::new(), ..series.clone() });
                return None;
            }
            place = Some(list.len());
            Some(series.clone())
        })?;
        let place = place.and_then(|place| u32::try_from(place).ok());
        let id = SeriesId(place.ok_or("the list of counters is full; use fewer tag sets")?);
        known.insert(series, id);
        Ok(id)
    }

    fn spec(&self, dimension: &str) -> Result<&DimensionSpec> {
        self.dimensions.iter().find(|spec| spec.name.as_str() == dimension).ok_or_else(|| {
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
}

fn full(list: &[Series], new: &Series) -> bool {
    let tagged = |s: &&Series| s.dimension == new.dimension && !s.tags.is_empty();
    list.len() >= SERIES_MAX
        || !new.tags.is_empty() && list.iter().filter(tagged).count() >= TAG_SETS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct List(Mutex<Vec<Series>>);

    impl SeriesList for List {
        fn with(
            &self,
            change: &mut dyn FnMut(&[Series]) -> Option<Series>,
        ) -> std::result::Result<(), String> {
            let mut list = self.0.lock().expect("no panic inside");
            let new = change(&list);
            list.extend(new);
            Ok(())
        }
    }

    fn catalog() -> Catalog {
        let spec = |name: &str| DimensionSpec {
            name: name.into(),
            kind: Kind::Sum,
            per_unit: 1,
            fraction_digits: 0,
            ceiling: None,
        };
        Catalog::new(vec![spec("requests"), spec("gb")], Arc::new(List::default()))
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
    fn two_processes_give_one_counter_one_number() {
        let list: Arc<dyn SeriesList> = Arc::new(List::default());
        let first = Catalog::new(catalog().dimensions, list.clone());
        let second = Catalog::new(catalog().dimensions, list);
        let tags = [("a", "1")];
        let id = first.resolve("gb", &tags).expect("valid");
        assert_eq!(second.resolve("gb", &tags).expect("valid"), id);
        assert_eq!(first.since(0).len(), 3);
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
