//! What is known of a virtual clock, and the time that follows from it.

use crate::model::time::Timestamp;
use std::time::{Duration, Instant, SystemTime};

/// One answer of the sandbox and the moment it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    now_ms: i64,
    at: Instant,
    /// Virtual seconds in a real one; 0 is frozen.
    rate: f64,
    /// `None` until the sandbox has answered.
    pub(super) version: Option<u64>,
}

/// Below this, two answers of one version differ by their way here only.
const JITTER_MS: i64 = 100;

impl View {
    /// The real time, for a sandbox that does not answer yet.
    pub(super) fn of_this_computer() -> View {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        View { now_ms, at: Instant::now(), rate: 1.0, version: None }
    }

    /// Takes an answer.
    pub(super) fn take(&mut self, now_ms: i64, rate: f64, version: u64) {
        // A frozen clock stands still whatever nonsense the rate is.
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 0.0 };
        let same = self.version == Some(version) && (self.rate - rate).abs() < f64::EPSILON;
        if same && (self.now().0 - now_ms).abs() < JITTER_MS {
            // Time must not step back by the milliseconds that an answer travels.
            return;
        }
        *self = View { now_ms, at: Instant::now(), rate, version: Some(version) };
    }

    /// The virtual time now.
    pub(super) fn now(&self) -> Timestamp {
        let passed = self.at.elapsed().as_secs_f64() * 1000.0 * self.rate;
        Timestamp(self.now_ms.saturating_add(passed as i64))
    }

    /// Real time until `due`; `None` when this clock never gets there by itself.
    pub(super) fn until(&self, due: Timestamp) -> Option<Duration> {
        if self.rate <= 0.0 {
            return None;
        }
        let seconds = due.since(self.now()).as_secs_f64() / self.rate;
        // One millisecond more, so that waking finds it due.
        Duration::try_from_secs_f64(seconds).ok().map(|delay| delay + Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_never_gets_anywhere_by_itself() {
        let mut view = View::of_this_computer();
        view.take(1_000, 0.0, 1);
        assert_eq!(view.now(), Timestamp(1_000));
        assert_eq!(view.until(Timestamp(2_000)), None);
    }

    #[test]
    fn a_fast_clock_takes_less_real_time() {
        let mut view = View::of_this_computer();
        view.take(0, 3600.0, 1);
        let delay = view.until(Timestamp(3_600_000)).expect("it moves");
        assert!(delay <= Duration::from_millis(1_001), "{delay:?}");
        assert!(delay >= Duration::from_millis(900), "{delay:?}");
    }

    #[test]
    fn an_answer_of_the_same_version_does_not_step_back_by_its_way_here() {
        let mut view = View::of_this_computer();
        view.take(10_000, 1.0, 1);
        view.take(9_980, 1.0, 1);
        assert!(view.now() >= Timestamp(10_000));
        view.take(5_000, 1.0, 2);
        assert!(view.now() < Timestamp(6_000), "a move of the clock counts, backwards too");
    }

    #[test]
    fn nonsense_for_a_rate_is_a_frozen_clock() {
        for rate in [f64::NAN, -1.0, f64::INFINITY] {
            let mut view = View::of_this_computer();
            view.take(1_000, rate, 1);
            assert_eq!(view.now(), Timestamp(1_000));
        }
    }
}
