//! Dates of AWS's JSON answers.

use crate::model::time::Timestamp;
use aws_smithy_types::date_time::{DateTime, Format};

/// Reads ISO 8601 with or without a fraction and a zone; without a zone it is UTC.
///
/// License Manager's model demands a zone, and AWS's own samples have none: `2021-04-22T19:02:36`.
/// Source: Seller Guide, contract pricing for container products.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let parse = |text: &str| DateTime::from_str(text, Format::DateTimeWithOffset).ok();
    let date = parse(text).or_else(|| parse(&format!("{text}Z")))?;
    date.to_millis().ok().map(Timestamp)
}

/// The instant of a date that the SDK has read.
pub(super) fn of(date: DateTime) -> Option<Timestamp> {
    date.to_millis().ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_with_and_without_zone_and_fraction() {
        let check = |text, ms| assert_eq!(read(text), Some(Timestamp(ms)), "{text}");
        check("2026-01-01T10:00:00Z", 1_767_261_600_000);
        check("2026-01-01T10:00:00", 1_767_261_600_000);
        check("2026-01-01T10:00:00.250", 1_767_261_600_250);
        check("2026-01-01T12:00:00+02:00", 1_767_261_600_000);
        check("2026-01-01T12:00:00.5+02:00", 1_767_261_600_500);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "Z", "tomorrow", "2026-13-01T00:00:00Z", "1767261600"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
