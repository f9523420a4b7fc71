//! When to try again: one pure function of attempt, outcome and draw.

use super::draw::Draw;
use crate::model::outcome::FailureClass;
use std::time::Duration;

/// How fast a call may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Longest first delay.
    pub base: Duration,
    /// Longest delay of all.
    pub cap: Duration,
    /// How delays are spread.
    pub spread: Spread,
}

/// How delays are spread so that many guards do not call together.
#[derive(Clone, Copy, Debug)]
pub enum Spread {
    /// Anywhere from nothing to the whole delay. Source: AWS Architecture blog, "Exponential Backoff And Jitter".
    Full,
    /// Thirty percent to both sides.
    Thirty,
}

/// Calls that a start waits for.
pub const START: Policy =
    Policy { base: Duration::from_secs(1), cap: Duration::from_secs(30), spread: Spread::Full };

/// Calls of a start that fail for want of a connection come back faster.
pub const START_TRANSIENT: Policy =
    Policy { base: Duration::from_millis(200), cap: Duration::from_secs(20), spread: Spread::Full };

/// Usage records.
pub const METERING: Policy =
    Policy { base: Duration::from_secs(30), cap: Duration::from_secs(300), spread: Spread::Thirty };

/// Usage records while shutting down: what matters is the deadline.
pub const CLOSING: Policy =
    Policy { base: Duration::from_millis(500), cap: Duration::from_secs(2), spread: Spread::Full };

/// Looks at the contract.
pub const CONTRACT: Policy =
    Policy { base: Duration::from_secs(5), cap: Duration::from_secs(120), spread: Spread::Thirty };

/// The first tries of a check out or check in, while a host waits.
pub const SEAT: Policy =
    Policy { base: Duration::from_secs(1), cap: Duration::from_secs(10), spread: Spread::Full };

/// Draws of prepaid units. The longest delay is well inside the time for which one token is tried.
pub const DRAW: Policy =
    Policy { base: Duration::from_secs(5), cap: Duration::from_secs(60), spread: Spread::Thirty };

/// Reads of a license's consumption that decide on a draw's fate.
pub const CONSUMPTION: Policy =
    Policy { base: Duration::from_secs(60), cap: Duration::from_secs(180), spread: Spread::Thirty };

/// Check outs while every seat is taken.
pub const SEAT_WAIT: Policy =
    Policy { base: Duration::from_secs(3), cap: Duration::from_secs(15), spread: Spread::Thirty };

/// Check outs that nobody waits for, and check ins that go on in the background.
pub const SEAT_BACK: Policy =
    Policy { base: Duration::from_secs(5), cap: Duration::from_secs(60), spread: Spread::Thirty };

/// The delay before try number `attempt + 1`, where the first try is number 0.
pub fn delay(policy: Policy, attempt: u32, draw: &mut Draw) -> Duration {
    let longest = policy.base.saturating_mul(1 << attempt.min(16)).min(policy.cap);
    match policy.spread {
        Spread::Full => draw.up_to(longest),
        Spread::Thirty => draw.around(longest, 30),
    }
}

/// The delay of a start's call, by what it failed of.
pub fn start_delay(class: FailureClass, attempt: u32, draw: &mut Draw) -> Duration {
    match class {
        FailureClass::NotSent | FailureClass::Unknown => delay(START_TRANSIENT, attempt, draw),
        FailureClass::Throttled | FailureClass::AccessDenied => delay(START, attempt, draw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_cap_and_no_further() {
        let mut draw = Draw::new([3; 32]);
        for attempt in 0..60 {
            let drawn = delay(METERING, attempt, &mut draw);
            let middle = (30_u64 << attempt.min(16)).min(300);
            assert!(drawn.as_millis() as u64 >= middle * 700, "{attempt}: {drawn:?}");
            assert!(drawn.as_millis() as u64 <= middle * 1300, "{attempt}: {drawn:?}");
        }
    }

    #[test]
    fn full_jitter_uses_the_whole_range() {
        let mut draw = Draw::new([4; 32]);
        let drawn: Vec<_> = (0..500).map(|_| delay(START, 10, &mut draw).as_secs()).collect();
        assert!(drawn.iter().any(|s| *s < 3) && drawn.iter().any(|s| *s > 26));
        assert!(drawn.iter().all(|s| *s <= 30));
    }
}
