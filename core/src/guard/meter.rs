//! A counter to keep and add to.

use crate::{
    error::{Code, Error, Result},
    model::{ids::SeriesId, quantity::RAW_MAX, usage::Kind},
    port::counters::{Add, CountError},
};
use std::sync::Arc;

/// A counter of one dimension and tag set. Cheap to clone; outlives nothing and holds no lock.
#[derive(Clone)]
pub struct Meter {
    adder: Arc<dyn Add>,
    series: SeriesId,
    kind: Kind,
    dimension: Arc<str>,
}

impl Meter {
    pub(super) fn new(adder: Arc<dyn Add>, series: SeriesId, kind: Kind, dimension: &str) -> Meter {
        Meter { adder, series, kind, dimension: dimension.into() }
    }

    /// Adds `quantity` raw counts to the running hour. For dimensions of kind `sum`.
    ///
    /// # Errors
    /// `WrongMeterKind`, `QuantityOutOfRange`, `ShutDown`. Nothing was counted then.
    #[inline(always)]
    pub fn add(&self, quantity: u64) -> Result<()> {
        if self.kind != Kind::Sum {
            return Err(self.wrong_kind("add to", "set"));
        }
        self.adder.put(self.series, Kind::Sum, quantity).map_err(|e| self.refused(e, quantity))
    }

    /// Says that the level is `quantity` now. For dimensions of kind `max` and `last`.
    ///
    /// # Errors
    /// As [`Meter::add`].
    #[inline(always)]
    pub fn set(&self, quantity: u64) -> Result<()> {
        if self.kind == Kind::Sum {
            return Err(self.wrong_kind("set", "add"));
        }
        self.adder.put(self.series, self.kind, quantity).map_err(|e| self.refused(e, quantity))
    }

    /// API name of the dimension.
    #[must_use]
    pub fn dimension(&self) -> &str {
        &self.dimension
    }

    #[cold]
    fn wrong_kind(&self, did: &str, should: &str) -> Error {
        Error::new(
            Code::WrongMeterKind,
            format!(
                "cannot {did} dimension `{}`: its kind is `{}`; call `{should}`, or change the kind",
                self.dimension,
                self.kind.as_str()
            ),
        )
    }

    #[cold]
    fn refused(&self, why: CountError, quantity: u64) -> Error {
        match why {
            CountError::Overflow => Error::new(
                Code::QuantityOutOfRange,
                format!(
                    "cannot add `{quantity}` to dimension `{}`: one hour holds 0 to {RAW_MAX} raw counts, and a negative \
                     number arrives here as a very large one; nothing was counted",
                    self.dimension
                ),
            ),
            CountError::Closed => Error::new(
                Code::ShutDown,
                format!(
                    "cannot add to dimension `{}`: the guard was shut down; nothing was counted, init a new guard",
                    self.dimension
                ),
            ),
        }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("dimension", &self.dimension).finish_non_exhaustive()
    }
}
