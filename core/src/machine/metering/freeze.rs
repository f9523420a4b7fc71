//! Freezing: an ended hour's counts become a record that never changes.

use super::{Metering, Sending, Step, WINDOW};
use crate::{
    event::EventKind,
    machine::{command::News, draw::Draw},
    model::{
        entry::{Entry, Place},
        ids::{Dimension, RecordId, SeriesId},
        quantity::{Raw, Scale, Units},
        time::{Hour, Timestamp},
        usage::{Allocation, DimensionSpec, Kind, Lots, Record, Tags},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Last moment to send a record of `hour`.
pub(super) fn window_end(hour: Hour) -> Timestamp {
    hour.start().after(WINDOW)
}

impl Metering {
    /// Freezes every ended hour, the oldest first. The running hour only when the guard ends.
    pub(super) fn freeze_ended(&mut self, now: Timestamp, draw: &mut Draw, step: &mut Step) {
        if !self.time_known {
            return; // a wrong label would bill a wrong hour
        }
        let over = |hour: &Hour| {
            let over = *hour < now.hour() || self.closing && *hour == now.hour();
            over && !self.books.provisional.contains(hour)
        };
        let ended: Vec<Hour> = self.ended.iter().copied().filter(over).collect();
        for hour in ended {
            self.ended.remove(&hour);
            for spec in self.dimensions.clone() {
                self.freeze(&spec, hour, now, draw, step);
            }
            self.hold_unknown(hour, step);
        }
        // A slot is needed only while its window may be open.
        self.books.forget_slots_before(Hour(now.hour().0 - 6));
    }

    fn freeze(
        &mut self,
        spec: &DimensionSpec,
        hour: Hour,
        now: Timestamp,
        draw: &mut Draw,
        step: &mut Step,
    ) {
        let own = |lots: &Lots| lots.keys().any(|lot| lot.hour == hour);
        let waiting = self.books.waiting.get(&spec.name);
        let counted = waiting.is_some_and(own);
        if let Some(why) = self.no_slot(spec, hour, now) {
            if counted {
                self.pass_by(spec, hour, why, step);
            }
            return;
        }
        // What was counted before and has no record takes part; what was counted after never does.
        let lots: Lots = waiting
            .into_iter()
            .flatten()
            .filter(|(lot, _)| lot.hour == hour || lot.hour < hour && spec.kind == Kind::Sum)
            .filter(|(lot, _)| !self.books.provisional.contains(&lot.hour))
            .map(|(lot, raw)| (*lot, *raw))
            .collect();
        let taken = Taken::of(spec, &lots);
        if taken.units.scaled == 0 && !self.policy.zero_records {
            if spec.kind.is_level() && counted {
                let why = "it is less than the smallest part that the dimension bills";
                self.set_aside(spec.name.clone(), hour, Place::Missed, why, step);
            }
            return;
        }
        let id = RecordId(self.books.newest_record + 1);
        let record = Record {
            id,
            dimension: spec.name.clone(),
            hour,
            // The last second of the hour: its start may be before the software's own start, which AWS
            // refuses; the last second also gives the longest window. At shutdown the hour still runs.
            timestamp: Timestamp(hour.end().0 - 1000).min(now),
            units: taken.units,
            allocations: self.allocations(&taken.series, spec),
            client_token: draw.client_token(),
            parts: taken.parts,
        };
        tell_month(&record, step);
        self.enter(Entry::Frozen(record), step);
        let at = match self.phase {
            Some(phase) if !self.closing => hour.end().after(phase),
            _ => now,
        };
        self.sends.insert(id, Sending { at, ..Sending::default() });
    }

    /// Why `hour` takes no record of this dimension.
    fn no_slot(&self, spec: &DimensionSpec, hour: Hour, now: Timestamp) -> Option<&'static str> {
        if window_end(hour) <= now {
            Some("its window has closed")
        } else if self.books.used.contains(&(spec.name.clone(), hour)) {
            Some("its record is taken")
        } else if spec.kind == Kind::Sum
            && !self.closing
            && self.stretch > 1
            && (hour.0 + self.share).rem_euclid(self.stretch) != 0
        {
            Some("the account is throttled, so several hours go out as one")
        } else {
            None
        }
    }

    /// The hour cannot take its counts: sums wait for a later hour, levels are missed.
    fn pass_by(&mut self, spec: &DimensionSpec, hour: Hour, why: &str, step: &mut Step) {
        if spec.kind.is_level() {
            return self.set_aside(spec.name.clone(), hour, Place::Missed, why, step);
        }
        let name = &spec.name;
        let raw = self.waiting_in(name, hour);
        let text = format!("usage of `{name}` for {hour} is carried to a later hour: {why}");
        step.news.push(about(EventKind::UsageCarried, text, name, hour, raw));
    }

    /// Counts of dimensions that the configuration does not define (any more) are held, not lost.
    fn hold_unknown(&mut self, hour: Hour, step: &mut Step) {
        let unknown: BTreeSet<Dimension> = self
            .books
            .waiting
            .iter()
            .filter(|(name, lots)| self.spec(name).is_none() && lots.keys().any(|l| l.hour == hour))
            .map(|(name, _)| name.clone())
            .collect();
        for name in unknown {
            let why =
                "the configuration does not define this dimension; define it, or bill it by hand";
            self.set_aside(name, hour, Place::Held, why, step);
        }
    }

    pub(super) fn set_aside(
        &mut self,
        name: Dimension,
        hour: Hour,
        place: Place,
        why: &str,
        step: &mut Step,
    ) {
        let raw = self.waiting_in(&name, hour);
        let (kind, text) = match place {
            Place::Missed => (
                EventKind::UsageMissed,
                format!(
                    "level of `{name}` for {hour} is missed: {why}; a level is never moved to another hour"
                ),
            ),
            Place::Held => {
                (EventKind::UsageHeld, format!("usage of `{name}` for {hour} is held: {why}"))
            }
        };
        step.news.push(about(kind, text, &name, hour, raw));
        self.enter(Entry::SetAside { dimension: name, hour, place, why: why.to_owned() }, step);
    }

    fn waiting_in(&self, name: &Dimension, hour: Hour) -> Raw {
        let lots = self.books.waiting.get(name).into_iter().flatten();
        lots.filter(|(lot, _)| lot.hour == hour).map(|(_, raw)| raw).sum()
    }

    /// Units by tag set; none at all when every count is untagged. The parts always sum to the whole.
    fn allocations(
        &self,
        series: &BTreeMap<SeriesId, Raw>,
        spec: &DimensionSpec,
    ) -> Vec<Allocation> {
        let scale: Scale = spec.scale();
        let tags =
            |id: &SeriesId| self.books.series.get(id).map_or_else(Tags::new, |s| s.tags.clone());
        let parts: Vec<Allocation> = series
            .iter()
            .map(|(id, raw)| Allocation { units: scale.units(scale.steps(*raw)), tags: tags(id) })
            .filter(|part| part.units.scaled > 0)
            .collect();
        if parts.iter().all(|part| part.tags.is_empty()) { Vec::new() } else { parts }
    }
}

/// News about counts of one hour.
pub(super) fn about(kind: EventKind, text: String, name: &Dimension, hour: Hour, raw: Raw) -> News {
    News::new(kind, text)
        .with("dimension", name.as_str())
        .with("hour_ms", hour.start().0)
        .with("raw", raw)
}

/// A bill is made by calendar month: the seller should hear when usage moves to the next one.
fn tell_month(record: &Record, step: &mut Step) {
    let Some(from) = record.carried_from().into_iter().find(|h| h.month() != record.hour.month())
    else {
        return;
    };
    let name = &record.dimension;
    let text = format!(
        "usage of `{name}` for {from} goes out with {}, in another month: AWS bills it with that month",
        record.hour
    );
    let news = about(EventKind::UsageCrossedMonth, text, name, record.hour, record.raw());
    step.news.push(news.with("from_hour_ms", from.start().0));
}

/// What one record takes of the counts that wait.
struct Taken {
    units: Units,
    /// By counter.
    series: BTreeMap<SeriesId, Raw>,
    /// By counter and hour.
    parts: Lots,
}

impl Taken {
    /// Whole steps of the scale only, the oldest counts first; the remainder goes on waiting.
    fn of(spec: &DimensionSpec, lots: &Lots) -> Taken {
        let scale = spec.scale();
        let mut by_series: BTreeMap<SeriesId, Lots> = BTreeMap::new();
        for (lot, raw) in lots {
            by_series.entry(lot.series).or_default().insert(*lot, *raw);
        }
        let mut room = scale.steps_max(spec.ceiling);
        let mut total = 0;
        let mut taken =
            Taken { units: Units::default(), series: BTreeMap::new(), parts: Lots::new() };
        for (id, lots) in by_series {
            let raw: Raw = lots.values().sum();
            let steps = scale.steps(raw).min(room);
            room -= steps;
            total += steps;
            // A level's remainder belongs to its hour: it is rounded away with it, never moved.
            let mut left = if spec.kind == Kind::Sum { steps * scale.raw } else { raw };
            taken.series.insert(id, left);
            for (lot, raw) in lots {
                let part = raw.min(left);
                left -= part;
                if part > 0 {
                    taken.parts.insert(lot, part);
                }
            }
        }
        taken.units = scale.units(total);
        taken
    }
}
