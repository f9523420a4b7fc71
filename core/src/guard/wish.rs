//! What a host waits for, and may stop waiting for: seats and prepaid units.
//!
//! A thread that waits in [`Guard::check_out`] cannot be told to stop. Hosts with tasks that are cancelled ask with
//! [`Guard::ask_seats`] and [`Guard::ask_units`], wait on one thread and give up on another.

use super::{Guard, Seat, family::Family};
use crate::{
    error::{Code, Error, Result},
    model::ids::{DrawId, SeatId},
    shell::{self, mailbox::Request, report::SeatState},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
    mpsc::Receiver,
};

/// Seats that were asked for.
pub struct SeatsAsked {
    pub(super) guard: Guard,
    pub(super) seat: SeatId,
    pub(super) entitlement: String,
    pub(super) count: u64,
    pub(super) answer: Answer<Arc<SeatState>>,
}

/// Prepaid units that were asked for.
pub struct UnitsAsked {
    pub(super) guard: Guard,
    pub(super) draw: DrawId,
    pub(super) entitlement: String,
    pub(super) quantity: u64,
    pub(super) answer: Answer<()>,
    pub(super) stage: Mutex<Stage>,
}

/// Where a wish for units is. What was booked for somebody who gave up is not booked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    GivenUp,
    Booked,
    Over,
}

/// The one answer of the driver.
pub(super) struct Answer<T> {
    from: Mutex<Option<Receiver<Result<T>>>>,
    given_up: AtomicBool,
    /// Process that asked. A forked child has a copy of this, and gives nothing up with it.
    generation: u64,
}

impl<T> Answer<T> {
    pub(super) fn new(from: Receiver<Result<T>>) -> Answer<T> {
        Answer {
            from: Mutex::new(Some(from)),
            given_up: AtomicBool::new(false),
            generation: Family::generation(),
        }
    }

    fn wait(&self, what: &str) -> Result<T> {
        let from = lock(&self.from).take();
        // The driver keeps the time.
        match from.and_then(|from| from.recv().ok()) {
            Some(answer) => answer,
            None if self.given_up.load(Ordering::Acquire) => Err(Error::new(
                Code::TimedOut,
                format!("cannot {what}: the caller waits no more; ask again"),
            )),
            None => Err(shell::gone(what)),
        }
    }

    /// True for the first call in the process that asked.
    fn give_up(&self) -> bool {
        self.generation == Family::generation() && !self.given_up.swap(true, Ordering::AcqRel)
    }
}

impl SeatsAsked {
    /// Waits for the seats, at most the time that was given with the wish. There is one answer.
    ///
    /// # Errors
    /// As [`Guard::check_out`]; `TimedOut` after [`SeatsAsked::give_up`].
    pub fn wait(&self) -> Result<Seat> {
        let state = self.answer.wait("check out a seat").map_err(|error| self.guard.mark(error))?;
        Ok(Seat::new(self.guard.clone(), self.seat, &self.entitlement, self.count, state))
    }

    /// Waits no more: seats that AWS still gives are returned, and so is a [`Seat`] that nobody took out of the wait.
    pub fn give_up(&self) {
        if self.answer.give_up()
            && let Ok(running) = self.guard.running()
        {
            let _ = running.ask(Request::CheckIn { seat: self.seat, reply: None });
        }
    }
}

impl UnitsAsked {
    /// Waits for the units, at most the time that was given with the wish. There is one answer.
    ///
    /// # Errors
    /// As [`Guard::draw_down`]; `TimedOut` after [`UnitsAsked::give_up`]. Nothing is booked then.
    pub fn wait(&self) -> Result<()> {
        let answer = self.answer.wait("draw down units").map_err(|error| self.guard.mark(error));
        let mut stage = lock(&self.stage);
        let given_up = *stage == Stage::GivenUp;
        *stage = if answer.is_ok() && !given_up { Stage::Booked } else { Stage::Over };
        if answer.is_ok() && given_up {
            self.give_back();
            return Err(Error::new(
                Code::TimedOut,
                "cannot draw down units: the caller waits no more; nothing is booked",
            ));
        }
        answer
    }

    /// Waits no more: nothing is booked, also when the answer has come and no work was started on it.
    /// Units that AWS gives, or has given, serve the next call.
    pub fn give_up(&self) {
        if !self.answer.give_up() {
            return;
        }
        let mut stage = lock(&self.stage);
        match *stage {
            Stage::Waiting => {
                *stage = Stage::GivenUp;
                self.ask(Request::GiveUpUnits { draw: self.draw });
            }
            Stage::Booked => {
                *stage = Stage::Over;
                self.give_back();
            }
            Stage::GivenUp | Stage::Over => {}
        }
    }

    fn give_back(&self) {
        let (entitlement, quantity) = (self.entitlement.as_str().into(), self.quantity);
        self.ask(Request::GiveBackUnits { entitlement, quantity });
    }

    fn ask(&self, request: Request) {
        if let Ok(running) = self.guard.running() {
            let _ = running.ask(request);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
