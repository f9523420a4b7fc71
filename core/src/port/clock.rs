//! Time, as a guard keeps it: the wall clock, or a sandbox's virtual one.

use crate::model::time::Timestamp;
use std::{future::Future, pin::Pin};

/// A clock that can be waited on.
pub trait Clock {
    /// The instant that billing hours and deadlines follow.
    fn now(&self) -> Timestamp;

    /// Resolves once `now() >= due`, or earlier when the clock was moved. Dropping it is harmless.
    ///
    /// `None` waits for a move of the clock only.
    fn wait(&self, due: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + '_>>;

    /// Says that nothing is due and nothing is in flight. A sandbox moves its clock on from here.
    fn at_rest(&self) {}
}
