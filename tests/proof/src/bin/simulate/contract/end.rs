//! The end of a history: everything heals, and then everybody who can have a seat has one.

use super::{
    network::Network,
    scenario::{DAY, HOUR, MINUTE, SEATS, SECOND, UNITS},
    service::Bought,
    world::World,
};
use mpguard_handless::model::{
    holdings::Holdings,
    ids::SeatId,
    license::{EntitlementKind, Standing, Verdict},
};

impl World {
    pub(crate) fn finish(&mut self) {
        self.heal();
        self.refused();
        self.served();
        self.settle();
        self.emptied();
    }

    /// The network is whole, disks have room, no process is stopped or killed; hosts want nothing by themselves.
    fn heal(&mut self) {
        (self.healing, self.quiet) = (true, false);
        self.network = Network::Good;
        self.note(|| "everything heals".into());
        for pod in 0..self.pods.len() {
            self.pods[pod].disk_full_until = 0;
            self.pods_restart_after(pod, SECOND);
        }
        for p in 0..self.processes.len() {
            self.go_on(p);
        }
        self.live(self.now + 2 * HOUR);
        self.quiet = true;
    }

    fn alive(&self) -> Vec<usize> {
        self.pods.iter().flat_map(|pod| pod.alive.clone()).collect()
    }

    /// A license that is no more is denied, whatever was known before.
    fn refused(&mut self) {
        if !self.rng.coin() || !self.whole() {
            return;
        }
        for license in &mut self.service.licenses {
            license.standing = Standing::Suspended;
            license.version += 1;
        }
        self.note(|| "the license is suspended".into());
        self.live(self.now + HOUR);
        for p in self.alive() {
            let license = self.processes[p].engine.license().clone();
            // Without a question that the role may ask, nothing tells.
            let rules = &self.service.rules;
            let asks = !(rules.list_denied && (rules.get_denied || license.license_arn.is_none()));
            if license.verdict != Verdict::Denied && asks && self.whole() {
                let proved = self.proves_by_seats();
                if !proved {
                    self.violate(|| format!("process {p} of a suspended license: {license:?}"));
                }
            }
        }
    }

    /// The role may not read licenses, and there is no tier to ask for: only seats and units prove the contract.
    fn proves_by_seats(&self) -> bool {
        let rules = &self.service.rules;
        self.scenario.contract.tiers.is_empty() && (rules.list_denied || rules.get_denied)
    }

    /// A good license: licensed, seats for everybody, units for everybody.
    fn served(&mut self) {
        if !self.whole() {
            return;
        }
        self.renew();
        let now = self.now;
        if let Some(license) = self.service.licenses.last_mut() {
            (license.standing, license.gone, license.end) =
                (Standing::Usable, false, now + 400 * DAY);
            for name in SEATS.iter().chain([&UNITS]) {
                let plenty = Bought { unit: "Count", max: 1_000_000, overage: false };
                license.has.insert(name, plenty);
            }
            let tier = Bought { unit: "None", max: 0, overage: false };
            license.has.insert("basic", tier);
        }
        self.live(now + 3 * HOUR);
        for p in self.alive() {
            let verdict = self.processes[p].engine.license().verdict;
            if verdict != Verdict::Licensed && !self.proves_by_seats() {
                self.violate(|| format!("verdict of process {p} is {verdict:?} at last"));
            }
        }
        let names: Vec<&'static str> = SEATS
            .iter()
            .filter(|n| self.configured(n, EntitlementKind::Floating))
            .copied()
            .collect();
        let mut wishes = Vec::new();
        for p in self.alive() {
            for seat in self.processes[p].host.seats.keys().copied().collect::<Vec<_>>() {
                self.release(p, seat);
            }
            for name in &names {
                wishes.extend(self.want_seats(p, name, 1, 30 * SECOND).map(|seat| (p, seat)));
            }
        }
        self.live(self.now + MINUTE);
        for (p, seat) in wishes {
            let wish = self.processes[p].host.seats.get(&seat);
            if wish.is_none_or(|wish| wish.told.is_none() && wish.released.is_none()) {
                self.violate(|| {
                    format!("process {p} gets no {seat:?} of a contract that has plenty")
                });
            }
        }
        if self.configured(UNITS, EntitlementKind::Drawdown) {
            self.drawn();
        }
    }

    fn drawn(&mut self) {
        for pod in 0..self.pods.len() {
            let before = self.pods[pod].told.get(&UNITS.into()).copied().unwrap_or(0);
            let alive = self.pods[pod].alive.clone();
            for p in &alive {
                self.draw_units(*p, 7, MINUTE);
            }
            self.live(self.now + 2 * MINUTE);
            let told = self.pods[pod].told.get(&UNITS.into()).copied().unwrap_or(0);
            if told != before + 7 * alive.len() as u64 {
                self.violate(|| format!("pod {pod} got {} units", told - before));
            }
        }
    }

    /// Hosts give everything back; what was lost with a process runs out.
    fn settle(&mut self) {
        for p in self.alive() {
            let seats: Vec<SeatId> = self.processes[p].host.seats.keys().copied().collect();
            for seat in seats {
                self.release(p, seat);
            }
        }
        self.live(self.now + 4 * HOUR);
        let now = self.now;
        let left =
            self.service.check_outs.iter().find(|c| c.client_token.is_some() && c.lives(now));
        if let Some(left) = left.cloned() {
            self.violate(|| format!("AWS still holds {left:?}"));
        }
        for p in self.alive() {
            let holdings = self.processes[p].engine.holdings();
            let in_hand = holdings.units.values().any(|units| !units.in_hand.is_empty());
            if !holdings.leases.is_empty() || in_hand {
                self.violate(|| format!("process {p} still has {holdings:?}"));
            }
            if let Some((seat, wish)) = self.processes[p].host.seats.iter().next() {
                let (seat, since) = (*seat, wish.since);
                self.violate(|| format!("host {p} still waits for {seat:?} since {since}"));
            }
        }
    }

    /// After the last shutdown nothing is held, and prepaid units are still there.
    fn emptied(&mut self) {
        if !self.whole() {
            return;
        }
        let names = SEATS.iter().filter(|n| self.configured(n, EntitlementKind::Floating));
        let names: Vec<&'static str> = names.copied().collect();
        for p in self.alive() {
            for name in &names {
                self.want_seats(p, name, 1, 30 * SECOND);
            }
        }
        self.live(self.now + MINUTE);
        for p in self.alive() {
            self.shut_down(p);
        }
        self.live(self.now + 20 * SECOND);
        if let Some(p) = self.alive().first() {
            self.violate(|| format!("process {p} does not end"));
        }
        let now = self.now;
        let left =
            self.service.check_outs.iter().find(|c| c.client_token.is_some() && c.lives(now));
        if let Some(left) = left.cloned() {
            self.violate(|| format!("AWS holds {left:?} after the end"));
        }
        let files = self.pods.iter().flat_map(|pod| &pod.files);
        let files = files.filter(|file| !file.holdings.leases.is_empty());
        let left: Vec<Holdings> = files.map(|file| file.holdings.clone()).collect();
        if !left.is_empty() {
            self.violate(|| format!("after the end there is {left:?}"));
        }
        let disputes = (0..self.pods.len()).flat_map(|pod| self.effective(pod));
        let disputes = disputes.flat_map(|holdings| holdings.units.into_values());
        self.figures.disputed += disputes.map(|units| units.disputed()).sum::<u64>();
        self.check_units();
    }
}
