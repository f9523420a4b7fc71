//! Marks before the license's end at which it is announced.

use crate::{event::EventKind, machine::command::News, model::time::Timestamp};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Which marks were told, of which end.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// Time before the end, the longest first.
    marks: Vec<Duration>,
    /// The end, and the shortest of its marks that was told.
    told: Option<(Timestamp, Duration)>,
}

impl Marks {
    /// The configured notice and, where they are shorter, 30, 7 and 1 days.
    pub(super) fn new(notice: Duration) -> Marks {
        let days = [30 * DAY, 7 * DAY, DAY].into_iter().filter(|mark| *mark < notice);
        Marks { marks: std::iter::once(notice).chain(days).collect(), told: None }
    }

    /// When the next mark before this end is to be told.
    pub(super) fn due(&self, end: Timestamp) -> Option<Timestamp> {
        let told = self.told.filter(|(of, _)| *of == end).map(|(_, mark)| mark);
        let next = self.marks.iter().find(|mark| told.is_none_or(|told| **mark < told))?;
        Some(end.before(*next))
    }

    /// The news of the marks that have passed. Of several only the last is worth telling, as after a restart.
    pub(super) fn told(&mut self, end: Timestamp, now: Timestamp) -> Option<News> {
        if self.due(end).is_none_or(|due| due > now) {
            return None;
        }
        let passed = self.marks.iter().rev().find(|mark| end.before(**mark) <= now)?;
        self.told = Some((end, *passed));
        if end <= now {
            return None; // it is told as ended
        }
        let left = end.since(now);
        let days = left.as_secs().div_ceil(DAY.as_secs());
        let text = format!(
            "the license ends at {end}, in {}; renew the agreement in AWS Marketplace",
            if days > 1 { format!("{days} days") } else { "less than a day".to_owned() }
        );
        let mark = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let news = News::new(EventKind::LicenseExpiring, text).with("expires_ms", end.0);
        Some(news.with("notice_ms", mark))
    }
}
