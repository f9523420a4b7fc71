//! The end of a history: everything heals, and then everything must have found its place.

use crate::{
    scenario::MINUTE,
    world::{Event, Network, World},
};
use mpguard_handless::model::{license::Verdict, usage::Kind};

/// Hours until all is delivered: six of the window, one to freeze, the rest for what then follows.
const HOURS: i64 = 14;
/// The same where an hour bills only so much.
const HOURS_CEILING: i64 = 120;

impl World {
    /// The network is whole, disks have room, no process is stopped or killed, and nobody counts.
    pub(crate) fn heal(&mut self) {
        self.healing = true;
        self.network = Network::Good;
        self.note(|| "everything heals".into());
        for t in 0..self.tasks.len() {
            let task = &mut self.tasks[t];
            task.dark_until = 0;
            task.disk_full_until = 0;
            task.less = false;
            self.after(MINUTE, Event::Restart(t));
            self.after(5 * MINUTE, Event::Adopt(t));
        }
        for p in 0..self.processes.len() {
            self.go_on(p);
        }
    }

    pub(crate) fn healing_hours(&self) -> i64 {
        let ceiling = self.scenario.plan.dimensions.iter().any(|spec| spec.ceiling.is_some());
        if ceiling { HOURS_CEILING } else { HOURS }
    }

    /// What must be true at last.
    pub(crate) fn finish(&mut self) {
        for t in 0..self.tasks.len() {
            self.look_at_task(t);
            let task = &self.tasks[t];
            if task.deleted {
                if !task.adopted && task.claimed.is_none() {
                    self.violate(|| format!("nobody has adopted task {t}"));
                }
                continue;
            }
            let Some(p) = task.lock else {
                self.violate(|| format!("nobody leads task {t}"));
                continue;
            };
            let engine = self.processes[p].engine.as_ref();
            let verdict = engine.map(|engine| engine.license().verdict);
            if verdict != Some(Verdict::Licensed) && !self.processes[p].refused {
                self.violate(|| format!("verdict of process {p} is {verdict:?} at last"));
            }
            self.finish_account(t);
        }
    }

    fn finish_account(&mut self, t: usize) {
        let books = self.tasks[t].ledger.books.clone();
        // Hours without counts go on being reported where the seller wants it.
        let records: Vec<_> = books.records.values().filter(|k| k.record.raw() > 0).collect();
        if !records.is_empty() || !books.provisional.is_empty() {
            let guessed = &books.provisional;
            self.violate(|| format!("task {t} still has {records:?}, guessed {guessed:?}"));
        }
        for spec in self.scenario.plan.dimensions.clone() {
            // Less than a step of each counter.
            let rest = if spec.kind == Kind::Sum { 3 * (spec.scale().raw - 1) } else { 0 };
            let waiting: u64 = books.waiting.get(&spec.name).map_or(0, |lots| lots.values().sum());
            if waiting > rest {
                let name = &spec.name;
                self.violate(|| format!("{waiting} of `{name}` of task {t} wait for ever"));
            }
        }
    }
}
