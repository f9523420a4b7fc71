//! Hosts: they check out, hold, release, wait with a time of their own, and draw units.

use super::{
    pod::{DrawWish, Wish},
    scenario::{HOUR, MINUTE, SEATS, SECOND, UNITS},
    world::{Event, World},
};
use mpguard_handless::{
    error::{Code, Error},
    machine::input::Input,
    model::{
        ids::{DrawId, SeatId},
        license::EntitlementKind,
        time::Timestamp,
    },
};

/// Seats that one host has or waits for, at most.
const SEATS_MAX: usize = 8;

impl World {
    /// The host of a process does something.
    pub(crate) fn act(&mut self, p: usize) {
        if self.quiet || self.processes[p].ending {
            return;
        }
        let delay = self.rng.between(SECOND, 2 * self.scenario.pace);
        self.after(delay, Event::Host(p));
        match self.rng.below(100) {
            0..55 => self.want_some_seats(p),
            55..60 => {
                // A hundred log-ins, one after the other or at once.
                for n in 0..self.rng.between(3, 20) {
                    let later = n * self.rng.pick(&[0, 10, SECOND]);
                    self.after(later, Event::Release(p, SeatId(u64::MAX)));
                }
            }
            60..75 => self.release_one(p),
            _ => self.want_units(p),
        }
    }

    fn want_some_seats(&mut self, p: usize) {
        let names = SEATS.iter().filter(|name| self.configured(name, EntitlementKind::Floating));
        let names: Vec<&'static str> = names.copied().collect();
        let name = self.rng.pick(&names);
        let count = self.rng.pick(&[1, 1, 1, 1, 2, 3, 30]);
        let timeout = self.rng.pick(&[0, 5 * SECOND, 30 * SECOND, 30 * SECOND, 10 * MINUTE]);
        self.want_seats(p, name, count, timeout);
    }

    pub(crate) fn configured(&self, name: &str, kind: EntitlementKind) -> bool {
        self.scenario.contract.counted.iter().any(|spec| spec.name == name && spec.kind == kind)
    }

    pub(crate) fn want_seats(
        &mut self,
        p: usize,
        name: &'static str,
        count: u64,
        timeout: i64,
    ) -> Option<SeatId> {
        let host = &mut self.processes[p].host;
        if host.seats.values().filter(|wish| wish.released.is_none()).count() >= SEATS_MAX {
            return None;
        }
        host.number += 1;
        let seat = SeatId(host.number);
        self.figures.wishes += 1;
        self.note(|| format!("host {p} wants {count} of {name} as {seat:?} within {timeout} ms"));
        let wish = Wish {
            name,
            count,
            since: self.now,
            until: Some(self.now + timeout),
            told: None,
            released: None,
            lost: false,
        };
        self.processes[p].host.seats.insert(seat, wish);
        self.mark_wish(p, name);
        self.after(timeout, Event::Patience(p));
        let spec = self.scenario.contract.counted.iter().find(|spec| spec.name == name).cloned();
        let spec = spec.expect("hosts ask for what is configured");
        self.hear(p, Input::SeatWanted { seat, spec, count });
        Some(seat)
    }

    fn release_one(&mut self, p: usize) {
        let held = |wish: &Wish| wish.released.is_none() && wish.until.is_none();
        let seats = &self.processes[p].host.seats;
        let held: Vec<SeatId> = seats.iter().filter(|s| held(s.1)).map(|s| *s.0).collect();
        if !held.is_empty() {
            let seat = self.rng.pick(&held);
            self.release(p, seat);
        }
    }

    /// The host gives seats back; a log-in of a burst has no number, and comes and goes.
    pub(crate) fn release(&mut self, p: usize, seat: SeatId) {
        if seat == SeatId(u64::MAX) {
            if self.quiet || self.processes[p].ending {
                return;
            }
            if let Some(seat) = self.want_seats(p, SEATS[0], 1, MINUTE) {
                self.after(2 * SECOND, Event::Release(p, seat));
            }
            return;
        }
        let now = self.now;
        let Some(wish) = self.processes[p].host.seats.get_mut(&seat) else { return };
        if wish.released.is_some() {
            return;
        }
        (wish.released, wish.told, wish.until) = (Some(now), None, None);
        self.note(|| format!("host {p} releases {seat:?}"));
        self.hear(p, Input::SeatReleased(seat));
    }

    fn want_units(&mut self, p: usize) {
        if !self.configured(UNITS, EntitlementKind::Drawdown) {
            return;
        }
        let quantity = self.rng.pick(&[1, 1, 3, 20, 100, 2000]);
        let timeout = self.rng.pick(&[0, 5 * SECOND, 30 * SECOND, 20 * MINUTE]);
        self.draw_units(p, quantity, timeout);
    }

    pub(crate) fn draw_units(&mut self, p: usize, quantity: u64, timeout: i64) -> DrawId {
        let host = &mut self.processes[p].host;
        host.number += 1;
        let draw = DrawId(host.number);
        let (since, until) = (self.now, self.now + timeout);
        host.draws.insert(draw, DrawWish { name: UNITS.into(), quantity, since, until });
        self.figures.draws += 1;
        self.note(|| format!("host {p} wants {quantity} units as {draw:?} within {timeout} ms"));
        self.after(timeout, Event::Patience(p));
        self.hear(p, Input::UnitsWanted { draw, entitlement: UNITS.into(), quantity });
        draw
    }

    /// Answers those whose time is over, as the product's driver does.
    pub(crate) fn lose_patience(&mut self, p: usize) {
        let now = self.now;
        let seats = &self.processes[p].host.seats;
        let over = seats.iter().filter(|(_, wish)| wish.until.is_some_and(|until| until <= now));
        let over: Vec<SeatId> = over.map(|(seat, _)| *seat).collect();
        for seat in over {
            let why = self.processes[p].engine.seats().why_waiting(seat);
            let Some(wish) = self.processes[p].host.seats.remove(&seat) else { continue };
            self.note(|| format!("host {p} waits no more for {seat:?}: {why:?}"));
            if let Some(why) = why {
                self.check_refusal(p, &wish, &why);
            }
            self.hear(p, Input::SeatReleased(seat));
            if self.processes[p].dead {
                return;
            }
        }
        let draws = &self.processes[p].host.draws;
        let over = draws.iter().filter(|(_, draw)| draw.until <= now);
        let over: Vec<DrawId> = over.map(|(draw, _)| *draw).collect();
        for draw in over {
            let why = self.processes[p].engine.units().why_waiting(draw);
            let Some(wish) = self.processes[p].host.draws.remove(&draw) else { continue };
            self.note(|| format!("host {p} waits no more for {draw:?}: {why:?}"));
            if let Some(why) = why {
                self.check_exhausted(p, wish.since, &why);
            }
            self.hear(p, Input::UnitsGivenUp(draw));
            if self.processes[p].dead {
                return;
            }
        }
    }

    pub(crate) fn seat_answer(&mut self, p: usize, seat: SeatId, answer: Result<Timestamp, Error>) {
        let Some(wish) = self.processes[p].host.seats.get_mut(&seat) else { return };
        if wish.until.take().is_none() {
            return;
        }
        match answer {
            Ok(expires) => {
                wish.told = Some(expires.0);
                self.figures.given += 1;
                if self.quiet {
                    return;
                }
                let hold = self.rng.pick(&[SECOND, MINUTE, 40 * MINUTE, 3 * HOUR, 10 * HOUR]);
                let hold = self.rng.between(1, hold);
                self.after(hold, Event::Release(p, seat));
            }
            Err(error) => {
                self.figures.refused += 1;
                if let Some(wish) = self.processes[p].host.seats.remove(&seat) {
                    self.check_refusal(p, &wish, &error);
                }
            }
        }
    }

    pub(crate) fn seat_state(&mut self, p: usize, seat: SeatId, expires: Option<Timestamp>) {
        if let Some(wish) = self.processes[p].host.seats.get_mut(&seat)
            && wish.until.is_none()
            && wish.released.is_none()
        {
            wish.told = expires.map(|expires| expires.0);
        }
    }

    pub(crate) fn units_answer(&mut self, p: usize, draw: DrawId, answer: Result<(), Error>) {
        let Some(wish) = self.processes[p].host.draws.remove(&draw) else { return };
        match answer {
            Ok(()) => {
                self.figures.booked += wish.quantity;
                let pod = self.processes[p].pod;
                *self.pods[pod].told.entry(wish.name.clone()).or_default() += wish.quantity;
                self.check_told(p);
            }
            Err(error) if error.code() == Code::ShutDown => {}
            Err(error) => self.check_exhausted(p, wish.since, &error),
        }
    }
}
