//! Instants and billing hours, in UTC.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

const HOUR_MS: i64 = 3_600_000;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The billing hour that contains this instant.
    #[must_use]
    pub fn hour(self) -> Hour {
        Hour(self.0.div_euclid(HOUR_MS))
    }

    /// This instant plus `delay`, saturating.
    #[must_use]
    pub fn after(self, delay: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(millis(delay)))
    }

    /// This instant minus `delay`, saturating.
    #[must_use]
    pub fn before(self, delay: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(millis(delay)))
    }

    /// The same moment by a clock that is ahead by `ms`, saturating.
    #[must_use]
    pub fn shifted(self, ms: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(ms))
    }

    /// Time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since the epoch, the form in which `MeterUsage` takes a timestamp.
    #[must_use]
    pub fn epoch_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for Timestamp {
    /// ISO 8601 in UTC to the second: `2026-01-01T10:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(24 * HOUR_MS));
        let second = self.0.div_euclid(1000).rem_euclid(86_400);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

/// AWS's time at one moment of this computer's run, from which every later moment follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// AWS's time then.
    pub time: Timestamp,
    /// Milliseconds since this computer started, suspended time included.
    pub boot_ms: i64,
    /// Which start of the computer that was.
    pub boot: u64,
}

/// Hours since 1970-01-01T00:00:00Z. AWS rounds every usage record down to one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i64);

impl Hour {
    /// First instant of the hour.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(HOUR_MS))
    }

    /// First instant after the hour.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.next().start()
    }

    /// The hour that follows.
    #[must_use]
    pub fn next(self) -> Hour {
        Hour(self.0.saturating_add(1))
    }

    /// Year and month that it begins in.
    #[must_use]
    pub fn month(self) -> (i64, i64) {
        let (year, month, _) = civil(self.start().0.div_euclid(24 * HOUR_MS));
        (year, month)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.get(..16).unwrap_or(&text))
    }
}

fn millis(delay: Duration) -> i64 {
    i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)
}

/// Days since the epoch as (year, month, day) of the proleptic Gregorian calendar.
///
/// The method is Howard Hinnant's `civil_from_days`: eras of 400 years, years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_as_iso_8601() {
        let check = |ms, text: &str| assert_eq!(Timestamp(ms).to_string(), text);
        check(0, "1970-01-01T00:00:00Z");
        check(1_767_261_600_000, "2026-01-01T10:00:00Z");
        check(1_709_164_799_999, "2024-02-28T23:59:59Z");
        check(1_709_164_800_000, "2024-02-29T00:00:00Z");
        check(-1, "1969-12-31T23:59:59Z");
    }

    #[test]
    fn an_hour_holds_its_start_and_not_its_end() {
        let hour = Timestamp(1_767_261_600_000).hour();
        assert_eq!(hour.start().hour(), hour);
        assert_eq!(Timestamp(hour.end().0 - 1).hour(), hour);
        assert_eq!(hour.end().hour(), hour.next());
        assert_eq!(hour.to_string(), "2026-01-01T10:00");
    }
}
