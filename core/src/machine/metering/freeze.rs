//! Freezing: an ended hour's counts become a record that never changes.

use super::{Live, Metering, Pool, Step, WINDOW};
use crate::{
    event::EventKind,
    machine::{
        command::{Command, News},
        draw::Draw,
    },
    model::{
        entry::Entry,
        ids::{RecordId, SeriesId},
        quantity::{Raw, Scale, Units},
        time::{Hour, Timestamp},
        usage::{Allocation, DimensionSpec, Kind, Record, Tags},
    },
};
use std::collections::BTreeMap;

/// Last moment to send a record of `hour`.
pub(super) fn window_end(hour: Hour) -> Timestamp {
    hour.start().after(WINDOW)
}

impl Metering {
    /// Freezes every ended hour, the oldest first. The running hour only when the guard ends.
    pub(super) fn freeze_ended(&mut self, now: Timestamp, draw: &mut Draw, step: &mut Step) {
        let ended: Vec<Hour> =
            self.captured.keys().copied().filter(|h| self.closing || *h < now.hour()).collect();
        for hour in ended {
            let Some(by_dimension) = self.captured.remove(&hour) else { continue };
            for (dimension, values) in by_dimension.into_iter().enumerate() {
                self.freeze(dimension, hour, values, now, draw, step);
            }
        }
        // A slot is needed only while its window is open.
        self.used.retain(|(_, hour)| window_end(*hour) > now);
    }

    fn freeze(
        &mut self,
        dimension: usize,
        hour: Hour,
        mut values: BTreeMap<SeriesId, Raw>,
        now: Timestamp,
        draw: &mut Draw,
        step: &mut Step,
    ) {
        let Some(spec) = self.dimensions.get(dimension).cloned() else { return };
        if window_end(hour) <= now || self.used.contains(&(dimension, hour)) {
            let why = if window_end(hour) <= now {
                "its window has closed"
            } else {
                "its record is taken"
            };
            return self.no_slot(dimension, &spec, hour, values, why, step);
        }
        let mut carried_from = Vec::new();
        if let Some(pool) = self.pool.get_mut(dimension) {
            let Pool { raw, from } = std::mem::take(pool);
            for (id, raw) in raw {
                *values.entry(id).or_default() += raw;
            }
            carried_from.extend(from);
        }
        let split = Split::of(&spec, &values);
        self.put_back(dimension, split.rest);
        if split.units.scaled == 0 {
            if let Some(pool) = self.pool.get_mut(dimension) {
                pool.from.extend(carried_from);
            }
            return;
        }
        let id = RecordId(self.next_record);
        self.next_record += 1;
        let record = Record {
            id,
            dimension: spec.name.clone(),
            hour,
            // The last second of the hour: its start may be before the software's own start, which AWS
            // refuses; the last second also gives the longest window. At shutdown the hour still runs.
            timestamp: Timestamp(hour.end().0 - 1000).min(now),
            units: split.units,
            allocations: self.allocations(&split.taken, &spec),
            client_token: draw.client_token(),
            raw: split.taken,
            carried_from,
        };
        self.used.insert((dimension, hour));
        step.commands.push(Command::Commit(vec![Entry::Frozen(record.clone())]));
        let at = match self.phase {
            Some(phase) if !self.closing => hour.end().after(phase),
            _ => now,
        };
        let live = Live {
            record,
            dimension,
            begun: false,
            in_doubt: false,
            in_flight: false,
            attempt: 0,
            at,
        };
        self.records.insert(id, live);
    }

    /// The hour cannot take these counts: sums wait for a later hour, levels are missed.
    pub(super) fn no_slot(
        &mut self,
        dimension: usize,
        spec: &DimensionSpec,
        hour: Hour,
        values: BTreeMap<SeriesId, Raw>,
        why: &str,
        step: &mut Step,
    ) {
        let total: Raw = values.values().sum();
        if total == 0 {
            return;
        }
        let name = spec.name.as_str();
        let news = |kind, text: String| {
            News::new(kind, text)
                .with("dimension", name)
                .with("hour_ms", hour.start().0)
                .with("raw", total)
        };
        if spec.kind.is_level() {
            if let Some(account) = self.totals.get_mut(dimension) {
                account.missed += total;
            }
            step.commands.push(Command::Commit(vec![Entry::Missed { hour, values }]));
            let text = format!(
                "level of `{name}` for {hour} is missed: {why}; a level is never moved to another hour"
            );
            step.news.push(news(EventKind::UsageMissed, text));
        } else {
            self.put_back(dimension, values);
            if let Some(pool) = self.pool.get_mut(dimension) {
                pool.from.insert(hour);
            }
            let text = format!("usage of `{name}` for {hour} is carried to a later hour: {why}");
            step.news.push(news(EventKind::UsageCarried, text));
        }
    }

    pub(super) fn put_back(&mut self, dimension: usize, values: BTreeMap<SeriesId, Raw>) {
        let Some(pool) = self.pool.get_mut(dimension) else { return };
        for (id, raw) in values.into_iter().filter(|(_, raw)| *raw > 0) {
            *pool.raw.entry(id).or_default() += raw;
        }
    }

    /// Units by tag set; none at all when every count is untagged. The parts always sum to the whole.
    fn allocations(
        &self,
        taken: &BTreeMap<SeriesId, Raw>,
        spec: &DimensionSpec,
    ) -> Vec<Allocation> {
        let scale: Scale = spec.scale();
        let tags = |id: &SeriesId| self.series.get(id).map_or_else(Tags::new, |s| s.tags.clone());
        let parts: Vec<Allocation> = taken
            .iter()
            .map(|(id, raw)| Allocation { units: scale.units(scale.steps(*raw)), tags: tags(id) })
            .filter(|part| part.units.scaled > 0)
            .collect();
        if parts.iter().all(|part| part.tags.is_empty()) { Vec::new() } else { parts }
    }
}

/// Counts of one hour, split into what the record takes and what waits.
struct Split {
    units: Units,
    taken: BTreeMap<SeriesId, Raw>,
    rest: BTreeMap<SeriesId, Raw>,
}

impl Split {
    fn of(spec: &DimensionSpec, values: &BTreeMap<SeriesId, Raw>) -> Split {
        let scale = spec.scale();
        let mut room = scale.steps_max(spec.ceiling);
        let mut total = 0;
        let mut split =
            Split { units: Units::default(), taken: BTreeMap::new(), rest: BTreeMap::new() };
        for (id, raw) in values {
            let steps = scale.steps(*raw).min(room);
            room -= steps;
            total += steps;
            // A level's remainder belongs to its hour: it is rounded away with it, never moved.
            let whole = if spec.kind == Kind::Sum { steps * scale.raw } else { *raw };
            split.taken.insert(*id, whole);
            split.rest.insert(*id, raw - whole);
        }
        split.units = scale.units(total);
        if spec.kind == Kind::Sum {
            split.taken.retain(|_, raw| *raw > 0);
        }
        split
    }
}
