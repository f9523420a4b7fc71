//! The account: where every raw count is.

use super::Metering;
use crate::model::{quantity::Raw, usage::Account};

impl Metering {
    /// One account a dimension, without the running hour, which only the counters know.
    ///
    /// `pending` is added up from what is there, not from what should be: so a count that fell out of the
    /// machine shows as an account that does not balance.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.totals
            .iter()
            .enumerate()
            .map(|(dimension, total)| Account { pending: self.pending(dimension), ..total.clone() })
            .collect()
    }

    fn pending(&self, dimension: usize) -> Raw {
        let captured: Raw = self
            .captured
            .values()
            .filter_map(|by_dimension| by_dimension.get(dimension))
            .flat_map(|values| values.values())
            .sum();
        let pool: Raw = self.pool.get(dimension).map_or(0, |pool| pool.raw.values().sum());
        let live: Raw = self
            .records
            .values()
            .filter(|live| live.dimension == dimension)
            .flat_map(|live| live.record.raw.values())
            .sum();
        captured + pool + live
    }

    /// Dimension of every known counter, for reading the running hour.
    pub fn dimension_of(&self, series: crate::model::ids::SeriesId) -> Option<usize> {
        self.series.get(&series).map(|series| series.dimension)
    }
}
