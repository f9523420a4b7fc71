//! The engine's half of time: a clock that is wrong is told, and what was reckoned by a guess moves along.

use super::{Engine, Identifying, Out};
use crate::{event::EventKind, machine::command::News, model::time::Timestamp};

/// Smaller differences between clocks are not worth an event: AWS takes signatures up to five minutes off.
const SKEW_TOLD_MS: i64 = 60_000;

impl Engine {
    pub(super) fn tell_skew(&mut self, behind_ms: i64, out: &mut Out) {
        let before = std::mem::replace(&mut self.behind_ms, behind_ms);
        let off = |ms: i64| ms.abs() >= SKEW_TOLD_MS;
        if off(behind_ms - before) && off(behind_ms) {
            let seconds = behind_ms.abs() / 1000;
            let side = if behind_ms > 0 { "behind" } else { "ahead of" };
            let text = format!(
                "this computer's clock is {seconds} s {side} AWS's; billing follows AWS's, set the clock right"
            );
            out.news.push(News::new(EventKind::ClockSkew, text).with("behind_ms", behind_ms));
        }
    }

    /// AWS's time takes the place of a guess, so `now` jumps. Moments that were reckoned by the guess jump along:
    /// else a clock that was days ahead would make a retry wait for days, and one behind would age what is fresh.
    pub(super) fn shift(&mut self, behind_ms: i64, now: Timestamp) {
        let moved = now.0.saturating_sub(self.last.0);
        if moved.saturating_sub(behind_ms).saturating_abs() >= moved.saturating_abs() {
            return; // it was known before our first step already
        }
        self.start = self.start.shifted(behind_ms);
        if let Identifying::Waiting { at, .. } = &mut self.identity {
            *at = at.shifted(behind_ms);
        }
        if let Some(proof) = &mut self.registration {
            proof.shift(behind_ms);
        }
        if let Some(check) = &mut self.permission {
            check.shift(behind_ms);
        }
        self.time.shift(behind_ms);
        if let Some(recheck) = &mut self.recheck {
            recheck.shift(behind_ms);
        }
        self.seats.shift(behind_ms);
        self.units.shift(behind_ms);
    }
}
