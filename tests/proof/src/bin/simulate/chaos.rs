//! Faults: of processes, clocks, disks, and of the way to AWS; and what comes back by itself.

use crate::{
    scenario::{DAY, HOUR, MINUTE, SECOND, wrong_clock},
    task::Ledger,
    world::{Event, Network, World},
};
use mpguard_handless::{
    machine::input::{Inherited, Input},
    model::{
        books::Books,
        entry::Entry,
        ids::{Identity, Platform},
        license::Verdict,
        usage::Lots,
    },
};

/// Forked children of a task, at most.
const CHILDREN: usize = 4;

impl World {
    pub(crate) fn change_network(&mut self) {
        if self.healing {
            return;
        }
        let good = self.network != Network::Good || self.rng.mille(300);
        self.network = if good {
            Network::Good
        } else {
            self.figures.partitions += 1;
            self.rng.pick(&[
                Network::Cut,
                Network::Cut,
                Network::Throttled,
                Network::Flaky,
                Network::Flaky,
                Network::Deaf,
                Network::Denied,
                Network::Unsubscribed,
            ])
        };
        let network = self.network;
        self.note(|| format!("the network is {network:?}"));
        let lasts = match network {
            Network::Good => self.rng.between(HOUR, 40 * HOUR),
            // Around the window now and then: five hours and a half to six and a half.
            _ if self.rng.mille(250) => self.rng.between(330 * MINUTE, 390 * MINUTE),
            _ if self.rng.mille(200) => self.rng.between(HOUR, 30 * HOUR),
            _ => self.rng.between(MINUTE, 2 * HOUR),
        };
        self.after(lasts, Event::Network);
    }

    /// One fault, and the time of the next.
    pub(crate) fn fault(&mut self) {
        if self.healing {
            return;
        }
        let delay = self.rng.between(MINUTE, 2 * self.scenario.chaos);
        self.after(delay, Event::Chaos);
        let t = self.rng.below(self.tasks.len() as u64) as usize;
        if self.tasks[t].deleted {
            return;
        }
        let alive = self.tasks[t].alive.clone();
        match self.rng.below(100) {
            0..20 => self.one(&alive, World::kill),
            20..26 => alive.iter().for_each(|p| self.kill(*p)),
            26..36 => self.one(&alive, World::stop),
            36..48 => self.fork(t, &alive),
            48..54 if alive.len() <= CHILDREN => drop(self.spawn(t, None)),
            54..62 => self.one(&alive, World::shut_down_running),
            62..68 => self.end_all(&alive),
            68..73 => self.lose_lock(t),
            73..80 => self.step_clock(t),
            80..83 => self.reboot(t, &alive),
            83..91 => {
                self.figures.disks += 1;
                let full = self.rng.pick(&[MINUTE, HOUR, 5 * HOUR, 30 * HOUR]);
                self.tasks[t].disk_full_until = self.now + full;
            }
            91 => self.lose_disk(t, &alive),
            92 => self.lose_ledger(t, &alive),
            93 if self.tasks.iter().filter(|task| !task.deleted).count() > 1 => {
                self.delete(t, &alive);
            }
            94..96 => self.tasks[t].less = self.scenario.plan_less.is_some() && self.rng.coin(),
            _ => {
                let dark = self.rng.between(MINUTE, 20 * HOUR);
                self.tasks[t].dark_until = self.now + dark;
            }
        }
    }

    fn one(&mut self, alive: &[usize], fault: fn(&mut World, usize)) {
        if !alive.is_empty() {
            let p = self.rng.pick(alive);
            fault(self, p);
        }
    }

    /// SIGSTOP: it keeps the lock, and nobody else leads.
    fn stop(&mut self, p: usize) {
        if std::mem::replace(&mut self.processes[p].stopped, true) {
            return;
        }
        self.figures.stops += 1;
        self.note(|| format!("process {p} is stopped"));
        let lasts = self.rng.pick(&[SECOND, MINUTE, HOUR, 7 * HOUR, 20 * HOUR]);
        let lasts = self.rng.between(1, lasts);
        self.after(lasts, Event::Continue(p));
    }

    pub(crate) fn go_on(&mut self, p: usize) {
        let process = &mut self.processes[p];
        if process.dead || !process.stopped {
            return;
        }
        process.stopped = false;
        let kept = std::mem::take(&mut process.kept);
        self.note(|| format!("process {p} goes on"));
        for event in kept {
            self.after(0, event);
        }
        self.after(SECOND, Event::Watch(p));
    }

    fn fork(&mut self, t: usize, alive: &[usize]) {
        let Some(parent) = alive.iter().copied().find(|p| self.processes[*p].engine.is_some())
        else {
            return;
        };
        if alive.len() > CHILDREN || self.processes[parent].stopped {
            return;
        }
        self.figures.forks += 1;
        if self.rng.coin() {
            self.attach(t, true);
            return;
        }
        let license =
            self.processes[parent].engine.as_ref().expect("found above").license().clone();
        self.processes[parent].refused |= license.verdict == Verdict::Denied;
        let name = format!("task-{t}-of-{}", self.seed);
        let identity = Identity { platform: Platform::Ecs, name, region: "us-east-1".into() };
        let identity = self.rng.coin().then_some(identity);
        self.spawn(t, Some(Inherited { identity, license }));
    }

    fn shut_down_running(&mut self, p: usize) {
        if !self.processes[p].stopped && !self.processes[p].ending {
            self.shut_down(p);
        }
    }

    /// SIGTERM to all of a container: the last one sends the running hour.
    fn end_all(&mut self, alive: &[usize]) {
        for p in alive {
            if !self.processes[*p].dead {
                self.shut_down_running(*p);
            }
        }
    }

    /// A leader whose lock is gone without its knowing, as when a host closes all files.
    fn lose_lock(&mut self, t: usize) {
        if self.tasks[t].lock.take().is_none() {
            return;
        }
        self.figures.deposed += 1;
        self.note(|| format!("task {t} loses its lock"));
        for p in self.tasks[t].alive.clone() {
            let delay = self.rng.between(1, 2 * SECOND);
            self.after(delay, Event::Watch(p));
        }
    }

    fn step_clock(&mut self, t: usize) {
        self.figures.clocks += 1;
        self.tasks[t].clock = wrong_clock(&mut self.rng);
    }

    fn reboot(&mut self, t: usize, alive: &[usize]) {
        alive.iter().for_each(|p| self.kill(*p));
        self.step_clock(t);
        let task = &mut self.tasks[t];
        task.boot += 1;
        task.dark_until = self.now + self.rng.pick(&[0, MINUTE, 3 * HOUR]);
    }

    /// The volume goes with the container: what was not delivered is lost, and the status says so.
    fn lose_disk(&mut self, t: usize, alive: &[usize]) {
        self.figures.losses += 1;
        self.note(|| format!("task {t} loses its disk"));
        alive.iter().for_each(|p| self.kill(*p));
        self.declare(t, true);
        self.tasks[t].ring = None;
    }

    /// The database is broken and set aside; the segment stays.
    fn lose_ledger(&mut self, t: usize, alive: &[usize]) {
        self.figures.losses += 1;
        self.note(|| format!("task {t} loses its ledger"));
        alive.iter().for_each(|p| self.kill(*p));
        let captured = self.tasks[t].ledger.books.captured;
        self.declare(t, false);
        // What the lost ledger had captured is not captured again: the segment remembers.
        if let Some(ring) = &mut self.tasks[t].ring {
            ring.hint = ring.hint.max(captured);
            let hint = ring.hint;
            self.tasks[t].ledger.books = Books { captured: hint, ..Books::default() };
        }
    }

    /// A new ledger. What the old one held is declared as lost, delivered counts too: nobody knows of them.
    fn declare(&mut self, t: usize, with_ring: bool) {
        self.ledgers += 1;
        let id = self.ledgers;
        let ledger =
            std::mem::replace(&mut self.tasks[t].ledger, Ledger { id, ..Ledger::default() });
        self.forget_tokens(t);
        for spec in self.scenario.plan.dimensions.clone() {
            if spec.kind.is_level() {
                continue;
            }
            let books = &ledger.books;
            let own = books.totals.get(&spec.name).map_or(0, |totals| totals.added);
            let ring = self.tasks[t].ring.as_ref().filter(|_| with_ring);
            let open = ring
                .map_or(0, |ring| ring.open_of(&self.scenario, books.captured, spec.name.as_str()));
            let foreign = ledger.taken_over.get(&spec.name).copied().unwrap_or(0);
            self.figures.declared += books.account(&spec.name).pending + open;
            *self.tasks[t].lost.entry(spec.name).or_default() += own - foreign + open;
        }
    }

    /// The task ends for good; its directory may stay on the volume that others share.
    fn delete(&mut self, t: usize, alive: &[usize]) {
        self.note(|| format!("task {t} is deleted"));
        self.tasks[t].deleted = true;
        alive.iter().for_each(|p| self.kill(*p));
        if self.rng.mille(300) {
            self.lose_disk(t, &[]);
            self.tasks[t].adopted = true;
        }
        if self.rng.coin() && self.tasks.len() < 6 {
            // Its successor, another identity on the same volume.
            self.ledgers += 1;
            let clock = wrong_clock(&mut self.rng);
            self.tasks.push(crate::task::Task::new(self.ledgers, clock));
            let new = self.tasks.len() - 1;
            self.after(MINUTE, Event::Restart(new));
            self.after(2 * MINUTE, Event::Add(new));
            self.after(HOUR, Event::Adopt(new));
        }
    }

    pub(crate) fn restart(&mut self, t: usize) {
        self.tasks[t].restart_due = false;
        if self.tasks[t].deleted || !self.tasks[t].alive.is_empty() {
            return;
        }
        for _ in 0..=self.rng.below(2) {
            self.spawn(t, None);
        }
    }

    /// The leader of `t` looks for directories of dead identities beside its own.
    pub(crate) fn adopt(&mut self, t: usize) {
        let again = if self.healing { HOUR / 2 } else { self.rng.between(HOUR, DAY) };
        self.after(again, Event::Adopt(t));
        let Some(p) = self.tasks[t].lock else { return };
        let process = &self.processes[p];
        if process.stopped || process.ending || !process.leads || process.adopting.is_some() {
            return;
        }
        if self.metering(p).is_none() || !process.backlog.is_empty() {
            return;
        }
        let Some(orphan) = (0..self.tasks.len()).find(|o| self.adoptable(*o, t)) else { return };
        // Written into the orphan first: from now on no other identity takes it.
        self.tasks[orphan].claimed = Some(t);
        self.processes[p].adopting = Some(orphan);
        self.note(|| format!("process {p} adopts task {orphan}"));
        self.capture_orphan(orphan);
        let books = &self.tasks[orphan].ledger.books;
        let mut waiting: Lots = books.waiting.values().flatten().map(|(l, r)| (*l, *r)).collect();
        let mut disputed = Lots::new();
        for kept in books.records.values() {
            let into = if kept.begun { &mut disputed } else { &mut waiting };
            for (lot, raw) in &kept.record.parts {
                *into.entry(*lot).or_default() += raw;
            }
        }
        let ledger = self.tasks[orphan].ledger.id.to_string();
        let why = format!("task {orphan} has ended");
        self.hear(p, Input::TakenOver { ledger, waiting, disputed, why });
        self.adopted(p);
    }

    fn adoptable(&self, o: usize, by: usize) -> bool {
        let orphan = &self.tasks[o];
        let free = match orphan.claimed {
            None => true,
            Some(claimer) => {
                let ledger = &self.tasks[claimer].ledger;
                let took = ledger.books.taken_over.contains(&orphan.ledger.id.to_string());
                claimer == by || self.tasks[claimer].adopted && !took
            }
        };
        orphan.deleted && !orphan.adopted && free
    }

    /// The last slabs of a dead task, which nobody has captured.
    fn capture_orphan(&mut self, orphan: usize) {
        let task = &mut self.tasks[orphan];
        let Some(ring) = &mut task.ring else { return };
        if ring.publish(ring.hour(), ring.provisional()) {
            ring.close_before();
        }
        let mut names = vec![Entry::Named(self.scenario.series.clone())];
        names.extend(ring.uncaptured().into_iter().map(|closed| Entry::Captured {
            sequence: closed.sequence,
            hour: closed.hour,
            provisional: closed.provisional,
            values: closed.values,
        }));
        for entry in &names {
            task.ledger.books.apply(entry);
        }
        ring.hint = ring.hint.max(task.ledger.books.captured);
    }

    /// The counts of an adopted ledger are durable in ours: its directory is marked.
    pub(crate) fn adopted(&mut self, p: usize) {
        let Some(orphan) = self.processes[p].adopting else { return };
        let id = self.tasks[orphan].ledger.id.to_string();
        let t = self.processes[p].task;
        if self.processes[p].dead || !self.tasks[t].ledger.books.taken_over.contains(&id) {
            return;
        }
        if self.crashes(p) {
            return;
        }
        self.figures.adoptions += 1;
        self.tasks[orphan].adopted = true;
        self.processes[p].adopting = None;
    }

    pub(crate) fn give_back_claim(&mut self, p: usize) {
        self.processes[p].adopting = None;
    }
}
