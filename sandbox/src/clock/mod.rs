//! The virtual clock, and the followers that keep pace with it.
//!
//! The clock is a straight line through (`anchor`, `virtual_ms`) with slope `rate`; every change of the
//! line bumps `version`. A *follower* is a program that lives by this clock. It long-polls with the last
//! version it saw, and by doing so declares: all that was due at that version is done, and I am at rest.
//! `settle` waits for exactly this, so that advancing is deterministic however slow a follower is.

mod followers;

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::watch;

use followers::Followers;

/// How long a settle waits for one step when the caller names no limit.
pub(crate) const SETTLE_MS_DEFAULT: u64 = 5_000;

/// What the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Reading {
    pub(crate) now_ms: i64,
    #[serde(serialize_with = "whole_when_possible")]
    pub(crate) rate: f64,
    pub(crate) version: u64,
}

/// Where an advance ended.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Advanced {
    pub(crate) now_ms: i64,
    pub(crate) version: u64,
    pub(crate) settled: bool,
}

struct Line {
    anchor: Instant,
    virtual_ms: i64,
    rate: f64,
    version: u64,
}

impl Line {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = self.anchor.elapsed().as_secs_f64() * 1000.0;
        self.virtual_ms + (elapsed_ms * self.rate) as i64
    }

    /// Starts a new line here and now; the version tells followers that the old one is void.
    fn redraw(&mut self, now_ms: i64, rate: f64) {
        self.virtual_ms = now_ms;
        self.anchor = Instant::now();
        self.rate = rate;
        self.version += 1;
    }
}

/// The one clock of a sandbox.
pub(crate) struct Clock {
    line: Mutex<Line>,
    followers: Followers,
    moved: watch::Sender<()>,
    /// Held by whoever moves and settles, so that two advances do not interleave their steps.
    mover: tokio::sync::Mutex<()>,
}

impl Clock {
    pub(crate) fn new(start_ms: Option<i64>, frozen: bool) -> Self {
        let line = Line {
            anchor: Instant::now(),
            virtual_ms: start_ms.unwrap_or_else(real_now_ms),
            rate: if frozen { 0.0 } else { 1.0 },
            version: 1,
        };
        Self {
            line: Mutex::new(line),
            followers: Followers::default(),
            moved: watch::Sender::new(()),
            mover: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.line().now_ms()
    }

    pub(crate) fn reading(&self) -> Reading {
        let line = self.line();
        Reading { now_ms: line.now_ms(), rate: line.rate, version: line.version }
    }

    /// Sets the time, the rate or both.
    pub(crate) fn set(&self, now_ms: Option<i64>, rate: Option<f64>) -> Reading {
        {
            let mut line = self.line();
            let (now_ms, rate) =
                (now_ms.unwrap_or_else(|| line.now_ms()), rate.unwrap_or(line.rate));
            line.redraw(now_ms, rate);
        }
        self.moved.send_replace(());
        self.reading()
    }

    /// A follower's long poll: answers when the version is no longer `version`, or after `wait`.
    pub(crate) async fn follow(&self, name: &str, version: u64, wait: Duration) -> Reading {
        let mut moved = self.moved.subscribe();
        // If the connection drops, this future is dropped in the middle, and the poll says so.
        let poll = self.followers.declare(name, version);
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let reading = self.reading();
            if reading.version != version {
                poll.answered();
                return reading;
            }
            tokio::select! {
                _ = moved.changed() => {}
                () = tokio::time::sleep_until(deadline) => {
                    poll.answered();
                    return self.reading();
                }
            }
        }
    }

    /// Moves on by `by_ms` in steps of at most `step_ms`, and lets every follower come to rest after each.
    pub(crate) async fn advance(&self, by_ms: i64, step_ms: i64, settle: Duration) -> Advanced {
        let _mover = self.mover.lock().await;
        // Work that an earlier change of the clock made due belongs before the first step.
        let mut settled = self.all_at_rest(settle).await;
        let mut left_ms = by_ms;
        while left_ms > 0 {
            let step_ms = step_ms.min(left_ms);
            left_ms -= step_ms;
            self.step(step_ms);
            settled &= self.all_at_rest(settle).await;
        }
        self.advanced(settled)
    }

    /// Bumps the version without moving and waits until every follower is at rest.
    pub(crate) async fn settle(&self, settle: Duration) -> Advanced {
        let _mover = self.mover.lock().await;
        self.step(0);
        let settled = self.all_at_rest(settle).await;
        self.advanced(settled)
    }

    pub(crate) fn forget(&self, follower: &str) -> bool {
        self.followers.forget(follower)
    }

    /// Forgets the followers that nobody speaks for; those that are connected stay.
    pub(crate) fn forget_absent_followers(&self) {
        self.followers.forget_absent();
    }

    pub(crate) fn followers(&self) -> Vec<followers::FollowerView> {
        self.followers.view()
    }

    fn step(&self, by_ms: i64) {
        {
            let mut line = self.line();
            let (now_ms, rate) = (line.now_ms() + by_ms, line.rate);
            line.redraw(now_ms, rate);
        }
        self.moved.send_replace(());
    }

    async fn all_at_rest(&self, settle: Duration) -> bool {
        let version = self.line().version;
        self.followers.at_rest(version, settle).await
    }

    fn advanced(&self, settled: bool) -> Advanced {
        let Reading { now_ms, version, .. } = self.reading();
        Advanced { now_ms, version, settled }
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().expect("no code panics while it holds the clock")
    }
}

pub(crate) fn real_now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Rates are written `0`, `1`, `3600`: a client that expects an integer must not stumble over `1.0`.
fn whole_when_possible<S: serde::Serializer>(rate: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if rate.fract() == 0.0 {
        serializer.serialize_u64(*rate as u64)
    } else {
        serializer.serialize_f64(*rate)
    }
}
