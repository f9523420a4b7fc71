//! Pace: how fast calls may follow each other, after a first burst.

use crate::model::time::Timestamp;
use std::time::Duration;

/// A leaky bucket, kept as the moment at which it would be empty again.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    every: Duration,
    burst: u32,
    empty_at: Timestamp,
}

impl Pace {
    /// `burst` at once, and then one in `every`.
    pub(super) fn new(burst: u32, every: Duration) -> Pace {
        Pace { every, burst, empty_at: Timestamp(i64::MIN) }
    }

    /// When the next one may go.
    pub(super) fn next(&self) -> Timestamp {
        self.empty_at.before(self.every * self.burst.saturating_sub(1))
    }

    /// One goes at `now`, or as soon as it may. Says when.
    pub(super) fn take(&mut self, now: Timestamp) -> Timestamp {
        let at = self.next().max(now);
        self.empty_at = self.empty_at.max(now).after(self.every);
        at
    }

    pub(super) fn shift(&mut self, ms: i64) {
        if self.empty_at.0 != i64::MIN {
            self.empty_at = self.empty_at.shifted(ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_one_by_one() {
        let mut pace = Pace::new(3, Duration::from_millis(100));
        let now = Timestamp(5_000);
        let went: Vec<i64> = (0..6).map(|_| pace.take(now).0 - now.0).collect();
        assert_eq!(went, [0, 0, 0, 100, 200, 300]);
        let later = Timestamp(60_000);
        assert!(pace.next() <= later);
        let went: Vec<i64> = (0..4).map(|_| pace.take(later).0 - later.0).collect();
        assert_eq!(went, [0, 0, 0, 100]);
    }
}
