//! AWS's clock, as the `Date` of its answers shows it.
//!
//! AWS puts a usage record into an hour by its own clock, so a container whose clock is wrong would report
//! into wrong hours. Only answers over TLS on our own roots count. The SDK corrects its signatures by the
//! same header, by itself.

use crate::model::time::Timestamp;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::date_time::{DateTime, Format};
use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

/// How far this computer's clock is behind AWS's. Shared with the clock of the guard.
#[derive(Debug, Default)]
pub(crate) struct ServerTime {
    behind_ms: AtomicI64,
}

/// Smaller differences move no hour, and a `Date` is cut to seconds and takes its time to come.
const TOLERATED_MS: i64 = 30_000;

/// 2025-01-01: no answer of AWS to this version is older.
const EPOCH_MIN_MS: i64 = 1_735_689_600_000;

impl ServerTime {
    /// What to add to this computer's clock, in milliseconds.
    pub(crate) fn behind_ms(&self) -> i64 {
        self.behind_ms.load(Relaxed)
    }

    /// Learns from an answer to a request that took from `sent` to `received` by this computer's clock.
    pub(super) fn observe(&self, headers: &Headers, sent: SystemTime, received: SystemTime) {
        // An answer out of a cache is as old as it says. Source: RFC 9111, section 5.1.
        if headers.get("age").is_some() {
            return;
        }
        let Some(server) = headers.get("date").and_then(read) else { return };
        // A clock that was set back meanwhile tells nothing.
        let Ok(taken) = received.duration_since(sent) else { return };
        let Some(here) = millis(sent + taken / 2) else { return };
        let behind = server.0.saturating_sub(here);
        self.behind_ms.store(if behind.abs() < TOLERATED_MS { 0 } else { behind }, Relaxed);
    }
}

fn read(date: &str) -> Option<Timestamp> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?.to_millis().ok()?;
    (date >= EPOCH_MIN_MS).then_some(Timestamp(date))
}

fn millis(time: SystemTime) -> Option<i64> {
    let since: Duration = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T10:00:00Z.
    const TEN_MS: u64 = 1_767_261_600_000;

    fn at(ms: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
    }

    fn behind(headers: &[(&'static str, &'static str)], sent: u64, received: u64) -> i64 {
        let time = ServerTime::default();
        time.observe(&headers_of(headers), at(sent), at(received));
        time.behind_ms()
    }

    fn headers_of(headers: &[(&'static str, &'static str)]) -> Headers {
        let mut made = Headers::new();
        for (name, value) in headers {
            made.insert(*name, *value);
        }
        made
    }

    const DATE: (&str, &str) = ("date", "Thu, 01 Jan 2026 10:00:00 GMT");

    #[test]
    fn a_clock_that_is_hours_off_is_corrected_to_the_middle_of_the_call() {
        assert_eq!(behind(&[DATE], TEN_MS - 7_201_000, TEN_MS - 7_199_000), 7_200_000);
        assert_eq!(behind(&[DATE], TEN_MS + 7_199_000, TEN_MS + 7_201_000), -7_200_000);
    }

    #[test]
    fn seconds_do_not_matter_and_take_an_old_correction_away() {
        assert_eq!(behind(&[DATE], TEN_MS - 20_000, TEN_MS - 19_000), 0);
        let time = ServerTime::default();
        time.observe(&headers_of(&[DATE]), at(TEN_MS - 7_200_000), at(TEN_MS - 7_200_000));
        assert_eq!(time.behind_ms(), 7_200_000);
        time.observe(&headers_of(&[DATE]), at(TEN_MS + 100), at(TEN_MS + 200));
        assert_eq!(time.behind_ms(), 0, "somebody has set the clock right");
    }

    #[test]
    fn what_tells_no_time_changes_nothing() {
        let wrong = TEN_MS - 7_200_000;
        assert_eq!(behind(&[], wrong, wrong), 0);
        assert_eq!(behind(&[DATE, ("age", "0")], wrong, wrong), 0, "out of a cache");
        assert_eq!(behind(&[("date", "soon")], wrong, wrong), 0);
        assert_eq!(behind(&[("date", "Thu, 01 Jan 1970 00:00:00 GMT")], wrong, wrong), 0);
        assert_eq!(behind(&[DATE], wrong, wrong - 1), 0, "the clock was set back meanwhile");
    }
}
