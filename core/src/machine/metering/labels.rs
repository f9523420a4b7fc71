//! Labels: which hour a slab's values belong to, once AWS's time is known.

use super::{Metering, Step};
use crate::{
    machine::command::Command,
    model::{
        entry::{Entry, Place},
        ids::{Dimension, SeriesId},
        quantity::Raw,
        time::{Hour, Timestamp},
        usage::{Kind, Lots},
    },
};
use std::collections::BTreeMap;

impl Metering {
    /// The label of the running hour, when it was guessed right or lies in the future. A label that lies in the
    /// past stays: the hour is over, and a guess is put right when its values arrive.
    pub(super) fn label_running(&mut self, now: Timestamp, step: &mut Step) {
        if self.open < now.hour() || self.rotating || self.closing {
            return;
        }
        self.open = now.hour();
        step.commands.push(Command::Label { hour: self.open });
    }

    /// Puts a guessed label right.
    pub(super) fn relabel(&mut self, from: Hour, now: Timestamp, step: &mut Step) {
        // A slab that lies in two hours counts for the later one: the earlier may be over for AWS.
        let to = Timestamp(from.end().0.saturating_sub(1).saturating_add(self.behind_ms));
        let to = to.hour().min(now.hour());
        let both = |lots: &Lots| [from, to].iter().all(|h| lots.keys().any(|lot| lot.hour == *h));
        let levels =
            self.books.waiting.iter().filter(|(name, _)| from != to && self.is_level(name));
        let twice: Vec<_> =
            levels.filter(|(_, lots)| both(lots)).map(|(name, _)| name.clone()).collect();
        for name in twice {
            let why = "two hours of this computer's clock are one of AWS's";
            self.set_aside(name, from, Place::Missed, why, step);
        }
        self.enter(Entry::Relabelled { from, to }, step);
        self.ended.remove(&from);
        self.ended.insert(to);
    }

    /// An hour has one level, though two slabs may have its label: after an end and a start in the same hour.
    /// What waits already is not counted on top of the new value.
    pub(super) fn one_level(
        &mut self,
        hour: Hour,
        mut values: BTreeMap<SeriesId, Raw>,
        step: &mut Step,
    ) -> BTreeMap<SeriesId, Raw> {
        for (kind, name) in self.levels() {
            let waiting = self.books.waiting.get(&name).into_iter().flatten();
            let old: BTreeMap<SeriesId, Raw> = waiting
                .filter(|(lot, _)| lot.hour == hour)
                .map(|(lot, raw)| (lot.series, *raw))
                .collect();
            if kind == Kind::Max {
                for (series, raw) in &old {
                    values.entry(*series).and_modify(|new| *new = new.saturating_sub(*raw));
                }
            } else if values.keys().any(|series| old.contains_key(series)) {
                let why = "a later value of the same hour takes its place";
                self.set_aside(name, hour, Place::Missed, why, step);
            }
        }
        values
    }

    fn levels(&self) -> Vec<(Kind, Dimension)> {
        let levels = self.dimensions.iter().filter(|spec| spec.kind.is_level());
        levels.map(|spec| (spec.kind, spec.name.clone())).collect()
    }
}
