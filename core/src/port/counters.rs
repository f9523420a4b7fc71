//! Counters of the running hour, shared by every thread that adds.

use crate::model::{ids::SeriesId, quantity::Raw, time::Hour, usage::Kind};
use std::{collections::BTreeMap, sync::Arc};

/// Why a counter did not take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountError {
    /// The sum would pass 2^63 - 1.
    Overflow,
    /// No slab is open: the guard was shut down.
    Closed,
}

/// Hot half: called by the product's threads. No lock, no system call, no allocation.
pub trait Add: Send + Sync {
    /// Puts `value` into the running hour of `series`, by the rule of `kind`.
    ///
    /// # Errors
    /// Nothing was counted.
    fn put(&self, series: SeriesId, kind: Kind, value: Raw) -> Result<(), CountError>;

    /// What `series` holds in the running hour.
    fn peek(&self, series: SeriesId) -> Raw;
}

/// Cold half: called by the driver alone.
pub trait Counters {
    /// The half that product threads hold.
    fn adder(&self) -> Arc<dyn Add>;

    /// Hour that the running slab is labelled with.
    fn hour(&self) -> Hour;

    /// Corrects the label of the running slab, once the clock is known.
    fn label(&mut self, hour: Hour);

    /// Opens a slab labelled `next`, closes the running one and returns its final values.
    ///
    /// A value added while this runs is in exactly one of the two.
    fn rotate(&mut self, next: Hour) -> BTreeMap<SeriesId, Raw>;

    /// Closes the running slab for good and returns its final values.
    fn close(&mut self) -> BTreeMap<SeriesId, Raw>;
}
