//! Seats held of a floating entitlement.

use super::{Guard, family::Family};
use crate::{
    error::Result,
    model::ids::SeatId,
    shell::{mailbox::Request, report::SeatState},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc,
};

/// Seats that are ours until checked in. Dropping it checks in without waiting.
pub struct Seat {
    guard: Guard,
    seat: SeatId,
    entitlement: String,
    count: u64,
    state: Arc<SeatState>,
    /// Process that took them. A forked child has a copy of this, and returns nothing with it.
    generation: u64,
    returned: AtomicBool,
}

impl Seat {
    pub(super) fn new(
        guard: Guard,
        seat: SeatId,
        entitlement: &str,
        count: u64,
        state: Arc<SeatState>,
    ) -> Seat {
        let entitlement = entitlement.to_owned();
        Seat {
            guard,
            seat,
            entitlement,
            count,
            state,
            generation: Family::generation(),
            returned: AtomicBool::new(false),
        }
    }

    /// Number of this seat in its guard; events about it carry it as `seat`.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.seat.0
    }

    /// API name of the entitlement.
    #[must_use]
    pub fn entitlement(&self) -> &str {
        &self.entitlement
    }

    /// How many seats.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// True while AWS holds the seats for us; false once lost or checked in.
    #[must_use]
    pub fn held(&self) -> bool {
        self.state.held()
    }

    /// When they would return by themselves if nothing extended them, in epoch milliseconds.
    #[must_use]
    pub fn expires_ms(&self) -> i64 {
        self.state.expires_ms()
    }

    /// Returns the seats and waits for AWS's answer. A second call does nothing.
    ///
    /// # Errors
    /// `Unavailable` when AWS did not answer: the seats return by themselves at [`Seat::expires_ms`].
    pub fn check_in(&self) -> Result<()> {
        if self.returned.swap(true, Ordering::AcqRel) || self.is_a_copy() {
            return Ok(());
        }
        let (reply, answer) = mpsc::sync_channel(1);
        let request = Request::CheckIn { seat: self.seat, reply: Some(reply) };
        if self.guard.running().and_then(|running| running.ask(request)).is_err() {
            return Ok(()); // shut down: every seat was returned then
        }
        answer.recv().unwrap_or(Ok(()))
    }

    /// True in a forked child: the seats are its parent's.
    fn is_a_copy(&self) -> bool {
        self.generation != Family::generation()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.returned.swap(true, Ordering::AcqRel)
            && !self.is_a_copy()
            && let Ok(running) = self.guard.running()
        {
            let _ = running.ask(Request::CheckIn { seat: self.seat, reply: None });
        }
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("entitlement", &self.entitlement)
            .field("count", &self.count)
            .field("held", &self.held())
            .finish_non_exhaustive()
    }
}
