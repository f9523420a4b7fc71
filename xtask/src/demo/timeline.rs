//! What happened, in virtual time.

use serde_json::{Value, json};

/// The story; printed as it goes on, or kept for JSON.
pub(super) struct Timeline {
    shown: bool,
    start_ms: i64,
    now_ms: i64,
    entries: Vec<Value>,
}

impl Timeline {
    pub(super) fn new(shown: bool) -> Timeline {
        Timeline { shown, start_ms: 0, now_ms: 0, entries: Vec::new() }
    }

    /// Virtual time begins here.
    pub(super) fn begin(&mut self, now_ms: i64) {
        (self.start_ms, self.now_ms) = (now_ms, now_ms);
    }

    /// Virtual time is here now.
    pub(super) fn at(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// `who` is a language, or `AWS`.
    pub(super) fn tell(&mut self, who: &str, what: &str) {
        if self.shown {
            // The whole text is in the JSON; here a line stays a line.
            let short: String = what.chars().take(110).collect();
            let more = if short.len() < what.len() { "…" } else { "" };
            println!("{}  {who:<7} {short}{more}", self.clock(self.now_ms));
        }
        self.entries.push(json!({"at_ms": self.now_ms, "who": who, "what": what}));
    }

    /// `day 1 10:00`.
    pub(super) fn clock(&self, ms: i64) -> String {
        const DAY: i64 = 86_400_000;
        let day = ms / DAY - self.start_ms / DAY + 1;
        let minutes = ms % DAY / 60_000;
        format!("day {day} {:02}:{:02}", minutes / 60, minutes % 60)
    }

    pub(super) fn entries(&self) -> &[Value] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_is_told_by_day_and_hour() {
        let mut timeline = Timeline::new(false);
        timeline.begin(1_767_261_600_000); // 10:00 UTC
        assert_eq!(timeline.clock(1_767_261_600_000), "day 1 10:00");
        assert_eq!(timeline.clock(1_767_261_600_000 + 14 * 3_600_000), "day 2 00:00");
    }
}
