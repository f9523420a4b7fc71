//! Counters of the running hour, shared by every thread and process that adds.

use crate::model::{
    ids::SeriesId,
    quantity::Raw,
    time::Hour,
    usage::{Closed, Kind, Series},
};
use std::sync::Arc;

/// Why a counter did not take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountError {
    /// The sum would pass what one hour holds.
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

    /// Number of the running slab.
    fn sequence(&self) -> u64;

    /// This process's guard ends: its later values are refused. Other processes go on counting.
    fn end(&self);
}

/// The list of counters of a task. It only grows, and every process sees the same one.
pub trait SeriesList: Send + Sync {
    /// Shows `change` the whole list, by number; what it returns is appended before anybody else appends.
    ///
    /// # Errors
    /// The list cannot be read or written; nothing was appended then.
    fn with(&self, change: &mut dyn FnMut(&[Series]) -> Option<Series>) -> Result<(), String>;
}

/// Cold half: for the leader alone.
pub trait Counters {
    /// Label of the running slab.
    fn hour(&self) -> Hour;

    /// Corrects the label of the running slab, once the time is known.
    fn label(&mut self, hour: Hour, provisional: bool);

    /// Opens a slab labelled `next` and closes the running one. A value added meanwhile is in exactly one.
    ///
    /// `None` when every slab of the ring waits to be captured: the running one then goes on.
    fn rotate(&mut self, next: Hour, provisional: bool) -> Option<Closed>;

    /// Slabs that are closed and not captured, the oldest first. A second call gives the same.
    fn uncaptured(&mut self) -> Vec<Closed>;

    /// The capture of slab `sequence` and of all before it is durable: their places may be used again.
    fn captured(&mut self, sequence: u64);

    /// The last attached process ends. Where other processes may come, a slab with the same label is opened.
    fn close(&mut self) -> Option<Closed>;
}

/// Both halves and the list, as one process holds them.
#[derive(Clone)]
pub struct Counting {
    /// Takes values.
    pub adder: Arc<dyn Add>,
    /// Names them.
    pub series: Arc<dyn SeriesList>,
}
