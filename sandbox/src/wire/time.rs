//! Moments as AWS writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const HOUR_MS: i64 = 3_600_000;

fn system_time(epoch_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(epoch_ms).unwrap_or(0))
}

/// ISO 8601 in whole seconds: `2026-01-01T10:00:00Z`.
pub(crate) fn iso(epoch_ms: i64) -> String {
    humantime::format_rfc3339_seconds(system_time(epoch_ms)).to_string()
}

/// The same without its zone, as AWS's own sample answers show it.
pub(crate) fn iso_without_zone(epoch_ms: i64) -> String {
    iso(epoch_ms).trim_end_matches('Z').to_owned()
}

/// The format of the `Date` header: `Thu, 01 Jan 2026 10:00:00 GMT`.
pub(crate) fn http_date(epoch_ms: i64) -> String {
    httpdate::fmt_http_date(system_time(epoch_ms))
}

/// The format of `X-Amz-Date`: `20260101T100000Z`.
pub(crate) fn parse_amz_date(text: &str) -> Option<i64> {
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    let (date, time) = (&text[..8], &text[9..15]);
    parse_iso(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &time[..2],
        &time[2..4],
        &time[4..6]
    ))
}

/// Reads `2026-01-01T10:00:00Z` with an optional fraction.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// The beginning of the UTC hour that holds this moment.
pub(crate) fn floor_to_hour(epoch_ms: i64) -> i64 {
    epoch_ms.div_euclid(HOUR_MS) * HOUR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_each_of_its_formats() {
        let moment = parse_iso("2026-01-01T10:00:00Z").expect("a good moment");
        assert_eq!(moment, 1_767_261_600_000);
        assert_eq!(iso(moment), "2026-01-01T10:00:00Z");
        assert_eq!(iso_without_zone(moment), "2026-01-01T10:00:00");
        assert_eq!(http_date(moment), "Thu, 01 Jan 2026 10:00:00 GMT");
        assert_eq!(parse_amz_date("20260101T100000Z"), Some(moment));
        assert_eq!(parse_amz_date("20261301T100000Z"), None);
    }

    #[test]
    fn an_hour_holds_its_first_and_its_last_millisecond() {
        let hour = 1_767_261_600_000;
        assert_eq!(floor_to_hour(hour), hour);
        assert_eq!(floor_to_hour(hour + HOUR_MS - 1), hour);
        assert_eq!(floor_to_hour(hour - 1), hour - HOUR_MS);
    }
}
