//! AWS's clock, as the `Date` of its answers shows it, carried on by this computer's count since its start.
//!
//! AWS puts a usage record into an hour by its own clock, so a container whose clock is wrong would report
//! into wrong hours. Only answers over TLS on our own roots count. The wall clock is asked once, for a guess
//! that serves until AWS has spoken; setting it afterwards moves nothing. The SDK corrects its signatures by
//! the same header, by itself.

use crate::{
    adapter::computer::{Computer, ThisComputer},
    model::time::{Anchor, Timestamp},
};
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::date_time::{DateTime, Format};
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Time as AWS has it. Shared by the clock of the guard, which reads, and the HTTP client, which teaches.
pub(crate) struct ServerTime {
    computer: Box<dyn Computer>,
    guess: Anchor,
    state: Mutex<State>,
    corrected: Notify,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// A moment whose time is believed; every other follows by the count.
    base: Anchor,
    /// `base` is AWS's, and no guess of the wall clock.
    known: bool,
    /// How far the guess was behind when AWS's time became known.
    guess_behind_ms: i64,
    /// The latest time told.
    told: Timestamp,
}

/// Smaller differences move no hour, and a `Date` is cut to seconds and takes its time to come.
const TOLERATED_MS: i64 = 30_000;

/// A clock that is less than this ahead stands still until time has caught up; one that is more steps back,
/// because nothing would be reported while it stands.
const STAND_MAX_MS: i64 = 3_600_000;

/// 2025-01-01: no answer of AWS to this version is older.
const EPOCH_MIN_MS: i64 = 1_735_689_600_000;

impl Default for ServerTime {
    fn default() -> Self {
        ServerTime::on(Box::new(ThisComputer))
    }
}

impl ServerTime {
    /// Guesses by the wall clock of `computer` until AWS has answered.
    pub(crate) fn on(computer: Box<dyn Computer>) -> ServerTime {
        let guess = Anchor {
            time: Timestamp(computer.wall_ms()),
            boot_ms: computer.boot_ms(),
            boot: computer.boot(),
        };
        let state = State { base: guess, known: false, guess_behind_ms: 0, told: guess.time };
        ServerTime { computer, guess, state: Mutex::new(state), corrected: Notify::new() }
    }

    /// The time. Once AWS's is known, it goes back only when it was an hour or more ahead of it.
    pub(crate) fn now(&self) -> Timestamp {
        let here = self.boot_ms();
        let mut state = self.lock();
        state.told = state.told.max(state.at(here));
        state.told
    }

    /// How long until `now() >= due`, if nothing corrects the clock.
    pub(crate) fn until(&self, due: Timestamp) -> Duration {
        if due <= self.now() {
            return Duration::ZERO;
        }
        // Not from `now()`, which may stand still.
        due.since(self.lock().at(self.boot_ms()))
    }

    /// Resolves when the clock was corrected since this was last asked.
    pub(crate) async fn corrected(&self) {
        self.corrected.notified().await;
    }

    /// AWS's time at one moment, once it is known.
    pub(crate) fn anchor(&self) -> Option<Anchor> {
        let state = self.lock();
        state.known.then_some(state.base)
    }

    /// Believes what another process learnt from AWS, unless this one knows by itself.
    pub(crate) fn adopt(&self, anchor: Anchor) {
        let here = self.boot_ms();
        let mut state = self.lock();
        // A note from later in this very start is none: the file was changed, or the count is another's.
        let possible = anchor.boot == state.base.boot
            && anchor.boot_ms <= here
            && anchor.time.0 >= EPOCH_MIN_MS;
        if possible && !state.known {
            self.correct(&mut state, anchor, here);
        }
    }

    /// How far this computer's wall clock is behind AWS's; 0 when that moves no hour, or is not known.
    pub(crate) fn behind_ms(&self) -> i64 {
        let (wall, here) = (self.computer.wall_ms(), self.boot_ms());
        self.lock().beyond(here, Timestamp(wall))
    }

    /// How far the guess was behind; 0 when that moves no hour, or is not known.
    pub(crate) fn guess_behind_ms(&self) -> i64 {
        self.lock().guess_behind_ms
    }

    /// Milliseconds since this computer started, for [`ServerTime::observe`].
    pub(super) fn boot_ms(&self) -> i64 {
        self.computer.boot_ms()
    }

    /// Learns from an answer to a request that took from `sent` to `received`, as [`ServerTime::boot_ms`] gave
    /// them.
    pub(super) fn observe(&self, headers: &Headers, sent: i64, received: i64) {
        // An answer out of a cache is as old as it says. Source: RFC 9111, section 5.1.
        if headers.get("age").is_some() {
            return;
        }
        let Some(time) = headers.get("date").and_then(read) else { return };
        // No attempt takes that long: the computer slept meanwhile, and nobody knows when AWS answered.
        let taken = received.saturating_sub(sent);
        if !(0..TOLERATED_MS).contains(&taken) {
            return;
        }
        let boot_ms = sent.saturating_add(taken / 2);
        let mut state = self.lock();
        let here = state.at(boot_ms);
        let boot = state.base.boot;
        if time.0.saturating_sub(here.0).abs() >= TOLERATED_MS {
            self.correct(&mut state, Anchor { time, boot_ms, boot }, received);
        } else if !state.known {
            // The guess was right, and finer than whole seconds.
            self.correct(&mut state, Anchor { time: here, boot_ms, boot }, received);
        }
    }

    fn correct(&self, state: &mut State, base: Anchor, here: i64) {
        let guessed = !state.known;
        *state = State { base, known: true, ..*state };
        if guessed {
            state.guess_behind_ms = state.beyond(self.guess.boot_ms, self.guess.time);
        }
        let time = state.at(here);
        // A guess bound nobody: if it stood still instead, hours that have not ended would count as ended.
        if guessed || state.told.0.saturating_sub(time.0) >= STAND_MAX_MS {
            state.told = time;
        }
        self.corrected.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The time at this count.
    fn at(&self, boot_ms: i64) -> Timestamp {
        let passed = boot_ms.saturating_sub(self.base.boot_ms);
        Timestamp(self.base.time.0.saturating_add(passed))
    }

    /// How much later it was at this count than `told`.
    fn beyond(&self, boot_ms: i64, told: Timestamp) -> i64 {
        let beyond = self.at(boot_ms).0.saturating_sub(told.0);
        if self.known && beyond.abs() >= TOLERATED_MS { beyond } else { 0 }
    }
}

impl fmt::Debug for ServerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTime").field("state", &*self.lock()).finish_non_exhaustive()
    }
}

/// The time that a `Date` tells, if AWS can have said it.
pub(super) fn read(date: &str) -> Option<Timestamp> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?.to_millis().ok()?;
    (date >= EPOCH_MIN_MS).then_some(Timestamp(date))
}

#[cfg(test)]
pub(crate) mod tests;
