//! Pool: what AWS has said lately about one entitlement, and when to ask again.

use crate::{
    error::Error,
    machine::{draw::Draw, retry},
    model::time::Timestamp,
};
use std::time::Duration;

/// Fresh wishes that come one by one while every seat is taken are asked for no faster than this in the end.
const FRESH_EVERY: Duration = Duration::from_secs(3);

/// How long AWS's "all taken" answers those who do not wait for an answer of their own.
const SAID_STANDS: Duration = Duration::from_secs(60);

/// One entitlement's seats, as far as we know.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    /// Wishes wait for seats that are taken: they are asked for one after the other.
    pub(super) serial: bool,
    /// AWS allows no so many; told to listeners.
    refused: Option<Refused>,
    /// AWS's last no, for whoever waits behind others.
    pub(super) why: Option<Error>,
    /// When to ask again for those who wait.
    at: Timestamp,
    /// Refusals in a row.
    refusals: u32,
    refused_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Refused {
    /// The fewest seats that were refused.
    count: u64,
    /// When that was first said.
    since: Timestamp,
}

impl Pool {
    /// True when so many seats were refused, and nothing has shown since that there are some.
    pub(super) fn refuses(&self, count: u64) -> bool {
        self.refused.is_some_and(|refused| refused.count <= count)
    }

    /// When a wish that has just come may be asked for.
    pub(super) fn fresh_at(&self, count: u64, now: Timestamp) -> Timestamp {
        if !self.refuses(count) {
            return now;
        }
        let pause = Duration::from_secs(self.refusals.saturating_sub(1).into()).min(FRESH_EVERY);
        self.refused_at.after(pause).max(now)
    }

    /// When a wish that waits since `at` may be asked for.
    pub(super) fn ask_at(&self, count: u64, told: bool, at: Timestamp) -> Timestamp {
        if self.refuses(count) && (told || self.serial) { self.at } else { at }
    }

    /// AWS allows none. True when that is news.
    pub(super) fn refused(
        &mut self,
        count: u64,
        why: Error,
        now: Timestamp,
        draw: &mut Draw,
    ) -> bool {
        let news = self.refused.is_none();
        let since = self.refused.map_or(now, |refused| refused.since);
        let least = self.refused.map_or(count, |refused| refused.count.min(count));
        self.refused = Some(Refused { count: least, since });
        self.why = Some(why);
        self.at = now.after(retry::delay(retry::SEAT_WAIT, self.refusals, draw));
        self.refusals = self.refusals.saturating_add(1);
        self.refused_at = now;
        news
    }

    /// A try for those who wait gave no answer to decide on.
    pub(super) fn failed(&mut self, now: Timestamp, draw: &mut Draw) {
        self.at = now.after(retry::delay(retry::SEAT_WAIT, self.refusals.max(1), draw));
        self.refusals = self.refusals.saturating_add(1);
    }

    /// What AWS said a while ago tells nobody any more why there is no seat.
    pub(super) fn forget(&mut self, now: Timestamp) {
        if now.since(self.refused_at) > SAID_STANDS {
            self.why = None;
        }
    }

    /// There may be seats: whoever waits may be asked for at once.
    pub(super) fn wake(&mut self, now: Timestamp) {
        self.at = now;
        self.refusals = 0;
    }

    /// So many seats are free, or were given by a check out that began at `begun`. True when that is news.
    pub(super) fn free(&mut self, count: u64, begun: Timestamp) -> bool {
        let news =
            self.refused.is_some_and(|refused| refused.count <= count && refused.since < begun);
        if news {
            self.refused = None;
            self.why = None;
            self.refusals = 0;
        }
        news
    }

    pub(super) fn shift(&mut self, ms: i64) {
        self.at = self.at.shifted(ms);
        self.refused_at = self.refused_at.shifted(ms);
        if let Some(refused) = &mut self.refused {
            refused.since = refused.since.shifted(ms);
        }
    }
}
