//! Faults: of processes, computers, clocks, disks, caches; and what the buyer, AWS and others do to the license.

use super::{
    scenario::{DAY, HOUR, MINUTE, SEATS, SECOND, UNITS},
    service::Bought,
    world::{Event, World},
};
use crate::scenario::wrong_clock;
use mpguard_handless::model::license::Standing;

impl World {
    /// One fault, and the time of the next.
    pub(crate) fn fault(&mut self) {
        if self.healing {
            return;
        }
        let delay = self.rng.between(MINUTE, 2 * self.scenario.chaos);
        self.after(delay, Event::Chaos);
        let pod = self.rng.below(self.pods.len() as u64) as usize;
        let alive = self.pods[pod].alive.clone();
        match self.rng.below(100) {
            0..30 => self.one(&alive, World::kill),
            30..40 => alive.iter().for_each(|p| self.kill(*p)),
            40..50 => self.one(&alive, World::end_running),
            50..55 => self.one(&alive, World::stop_one),
            55..68 => self.suspend(pod),
            68..76 => self.reboot(pod),
            76..90 => {
                self.figures.disks += 1;
                let full = self.rng.pick(&[MINUTE, HOUR, 5 * HOUR]);
                self.pods[pod].disk_full_until = self.now + full;
                self.note(|| format!("the disk of pod {pod} is full for {full} ms"));
            }
            90..94 => {
                self.figures.caches += 1;
                self.pods[pod].remembered = None;
            }
            // A crash loop: each life is short.
            _ => {
                for n in 1..self.rng.between(3, 50) {
                    let at = n * self.rng.pick(&[15 * SECOND, MINUTE]);
                    self.after(at, Event::Restart(pod));
                }
                alive.iter().for_each(|p| self.kill(*p));
            }
        }
    }

    fn one(&mut self, alive: &[usize], fault: fn(&mut World, usize)) {
        if !alive.is_empty() {
            let p = self.rng.pick(alive);
            fault(self, p);
        }
    }

    fn end_running(&mut self, p: usize) {
        if !self.processes[p].stopped {
            self.shut_down(p);
        }
    }

    /// SIGSTOP.
    fn stop_one(&mut self, p: usize) {
        let lasts = self.rng.pick(&[SECOND, MINUTE, HOUR, 7 * HOUR]);
        self.stop(p, lasts);
    }

    /// The computer sleeps: for its processes time jumps.
    fn suspend(&mut self, pod: usize) {
        let lasts = self.rng.pick(&[MINUTE, 50 * MINUTE, 3 * HOUR, DAY]);
        let lasts = self.rng.between(1, lasts);
        for p in self.pods[pod].alive.clone() {
            self.stop(p, lasts);
        }
    }

    fn stop(&mut self, p: usize, lasts: i64) {
        if self.processes[p].dead || std::mem::replace(&mut self.processes[p].stopped, true) {
            return;
        }
        self.figures.suspensions += 1;
        self.note(|| format!("process {p} stands still for {lasts} ms"));
        self.after(lasts, Event::Continue(p));
    }

    pub(crate) fn go_on(&mut self, p: usize) {
        if self.processes[p].dead || !std::mem::replace(&mut self.processes[p].stopped, false) {
            return;
        }
        self.note(|| format!("process {p} goes on"));
        for event in std::mem::take(&mut self.processes[p].waiting) {
            self.after(0, event);
        }
        self.processes[p].marks.went_on = self.now;
    }

    fn reboot(&mut self, pod: usize) {
        self.figures.clocks += 1;
        for p in self.pods[pod].alive.clone() {
            self.kill(p);
        }
        self.pods[pod].clock = wrong_clock(&mut self.rng);
        self.pods[pod].boot += 1;
    }

    /// The buyer buys more or less, renews, cancels; AWS suspends. A later change puts right what an earlier one took.
    pub(crate) fn change_license(&mut self) {
        if self.healing {
            return;
        }
        let delay = self.rng.pick(&[MINUTE, 5 * HOUR, 3 * DAY]);
        let delay = self.rng.between(SECOND, delay);
        self.after(delay, Event::License);
        self.figures.changes += 1;
        let Some(n) = self.service.license(self.now) else { return self.renew() };
        if !self.service.licenses[n].usable(self.now) {
            return self.renew();
        }
        let name = self.rng.pick(&[SEATS[0], SEATS[1], UNITS]);
        let more = self.rng.pick(&[1, 5, 300]);
        let license = &mut self.service.licenses[n];
        match self.rng.below(100) {
            0..30 => {
                license.has.insert("pro", Bought { unit: "None", max: 0, overage: false });
                let counted = Bought { unit: "Count", max: 0, overage: false };
                license.has.entry(name).or_insert(counted).max += more;
            }
            30..50 => {
                license.has.remove("pro");
                if let Some(bought) = license.has.get_mut(name) {
                    bought.max = bought.max.saturating_sub(more).max(1);
                }
            }
            50..60 => drop(license.has.remove(name)),
            60..68 => {
                // The seller has changed the unit, and changes it back.
                if let Some(seats) = license.has.get_mut(SEATS[1]) {
                    seats.unit = if seats.unit == "None" { "Count" } else { "None" };
                }
            }
            68..73 => {
                if let Some(bought) = license.has.get_mut(name) {
                    bought.overage = !bought.overage;
                }
            }
            73..81 => license.standing = Standing::Suspended,
            81..87 => license.standing = Standing::Expired,
            87..91 => license.gone = true,
            91..95 => license.end = self.now + self.rng.between(MINUTE, DAY),
            _ => return self.renew(),
        }
        let license = &mut self.service.licenses[n];
        license.version += 1;
        let shown = license.clone();
        self.note(|| format!("the license is {shown:?}"));
        if self.service.rules.revokes && self.rng.coin() {
            self.service.revoke_all();
        }
    }

    /// A year more, by a new version or by another license; prepaid units begin anew.
    pub(crate) fn renew(&mut self) {
        let mut next = match self.service.licenses.last() {
            Some(last) => last.clone(),
            None => self.scenario.license.clone(),
        };
        next.version += 1;
        (next.standing, next.gone) = (Standing::Usable, false);
        next.end = self.now + self.rng.pick(&[DAY, 40 * DAY, 365 * DAY]);
        next.drawn.clear();
        for (name, bought) in &self.scenario.license.has {
            next.has.entry(name).or_insert_with(|| bought.clone());
        }
        self.note(|| format!("renewed: {next:?}"));
        if self.service.rules.renews_by_another {
            let number = self.service.licenses.len() + 1;
            next.arn = format!("arn:aws:license-manager::294406891311:license:l-{number}");
            next.version = 1;
            if let Some(old) = self.service.licenses.last_mut() {
                old.standing = Standing::Expired;
            }
            self.service.licenses.push(next);
        } else if let Some(there) = self.service.licenses.last_mut() {
            *there = next;
        }
        if self.service.rules.revokes {
            self.service.revoke_all();
        }
    }

    /// Others of the account use the license too.
    pub(crate) fn crowd(&mut self) {
        if self.healing {
            return;
        }
        let delay = self.rng.between(MINUTE, 2 * HOUR);
        self.after(delay, Event::Crowd);
        let (name, for_good) =
            self.rng.pick(&[(SEATS[0], false), (SEATS[0], false), (UNITS, true)]);
        let count = if for_good { self.rng.pick(&[1, 10, 100]) } else { self.rng.pick(&[1, 2]) };
        self.service.foreign(name, count, for_good, self.now);
    }
}
