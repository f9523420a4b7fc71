//! Time, as a guard keeps it: the wall clock, or a sandbox's virtual one.

use crate::model::time::{Anchor, Timestamp};
use std::{future::Future, pin::Pin};

/// A clock that can be waited on.
pub trait Clock {
    /// The instant that billing hours and deadlines follow.
    fn now(&self) -> Timestamp;

    /// Resolves once `now() >= due`, or earlier when the clock was moved. Dropping it is harmless.
    ///
    /// `None` waits for a move of the clock only.
    fn wait(&self, due: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + '_>>;

    /// AWS's time, once it is known: from an answer of AWS, or adopted. Until then `now` is only a guess.
    fn anchor(&self) -> Option<Anchor>;

    /// Takes over what another process of this task, or an earlier one on this computer, knew. Ignored when it
    /// is of another start of the computer, or when this clock knows better.
    fn adopt(&self, anchor: Anchor);

    /// How far this computer's own clock is behind AWS's, in milliseconds; 0 while that is unknown.
    fn behind_ms(&self) -> i64;

    /// How far the guess was behind AWS's time, in milliseconds: hours that were labelled before `anchor` are off by
    /// this much. Not `behind_ms`, because the clock may have been set meanwhile, which moved no label.
    fn guess_behind_ms(&self) -> i64 {
        self.behind_ms()
    }

    /// Says that nothing is due and nothing is in flight. A sandbox moves its clock on from here.
    fn at_rest(&self) {}
}
