//! Answers: what a step of a lease means for the host.

use super::{Seats, Turn, User, Wish, lease, why};
use crate::{
    error::Error,
    event::EventKind,
    machine::{
        command::{Command, News},
        lease::Came,
    },
    model::{
        ids::{LeaseId, SeatId},
        outcome::Failure,
        time::Timestamp,
    },
};

impl Seats {
    pub(super) fn take(&mut self, id: LeaseId, came: Came, turn: &mut Turn) {
        match came {
            Came::Nothing => {}
            Came::Given { license_arn } => self.given(id, license_arn, turn),
            Came::Extended => self.extended_until(id, turn),
            Came::NoneAllowed(text) => self.none_allowed(id, &text, turn),
            Came::Failed(failure) => self.failed(id, &failure, turn),
            Came::Ended(text) => self.lost(id, &text, turn),
            Came::Returned => self.back(id, turn),
            Came::NotReturned(failure) => self.not_back(id, &failure, turn),
        }
    }

    fn given(&mut self, id: LeaseId, license_arn: Option<String>, turn: &mut Turn) {
        if self.is_twice(id) {
            self.forget_twice(id, turn);
            return;
        }
        let Some(entry) = self.leases.get(&id) else { return };
        let (user, want, count) = (entry.user, entry.lease.want().clone(), entry.lease.count());
        turn.step.proved.push((want.clone(), license_arn));
        match user {
            User::Wish(seat) => {
                let seat = self.first_for(id, seat);
                self.give(id, seat, turn);
            }
            User::Seat(_) => self.extended_until(id, turn),
            User::Nobody { until, wished } => {
                let until = until.max(self.lingers(self.linger, turn));
                self.set_user(id, User::Nobody { until, wished });
            }
            User::Back { .. } => {}
        }
        if matches!(user, User::Wish(_)) {
            let begun = self.leases.get(&id).and_then(|entry| entry.lease.asked_at());
            self.seats_again(&want.name, count, begun, turn);
        }
    }

    /// A wish that came earlier, and wants the same, goes first. The later one asks in its place.
    fn first_for(&mut self, id: LeaseId, seat: SeatId) -> SeatId {
        let Some(lease) = self.leases.get(&id).map(|entry| &entry.lease) else { return seat };
        let waits = |(_, wish): &(&SeatId, &Wish)| wish.lease.is_none() && wish.fits(lease);
        let first = self.wishes.range(..seat).find(waits).map(|(first, _)| *first);
        if first.is_some()
            && let Some(wish) = self.wishes.get_mut(&seat)
        {
            wish.lease = None;
        }
        first.unwrap_or(seat)
    }

    /// A check out has worked.
    fn seats_again(&mut self, name: &str, count: u64, begun: Option<Timestamp>, turn: &mut Turn) {
        let next = self.wishes.values().find(|wish| wish.want.name == name && wish.lease.is_none());
        match next {
            // One after the other, as long as it works.
            Some(next) if next.count <= count => self.pool(name).wake(turn.now),
            Some(_) => {}
            None => {
                if self.pool(name).free(count, begun.unwrap_or(turn.now)) {
                    let text = format!("there are seats of `{name}` again");
                    turn.tell(EventKind::SeatsAvailable, text, name);
                }
            }
        }
    }

    fn extended_until(&self, id: LeaseId, turn: &mut Turn) {
        if let Some(entry) = self.leases.get(&id)
            && let User::Seat(seat) = entry.user
        {
            let expires = entry.lease.expires();
            turn.step.commands.push(Command::SeatState { seat, expires });
        }
    }

    fn none_allowed(&mut self, id: LeaseId, text: &str, turn: &mut Turn) {
        let Some(entry) = self.leases.get(&id) else { return };
        let (user, want, count) = (entry.user, entry.lease.want().clone(), entry.lease.count());
        let seat = match user {
            User::Seat(_) => return self.lost(id, text, turn),
            User::Wish(seat) => Some(seat),
            User::Nobody { wished: true, .. } => None,
            User::Nobody { .. } | User::Back { .. } => return,
        };
        if let Some(seat) = seat
            && let Some(unit) = super::unit_of(&want.name, turn.contract)
            && unit != want.unit
            && let Some(wish) = self.wishes.get_mut(&seat)
        {
            // Asked for by the wrong unit: AWS says no to that as well. Source: jentic#1184.
            wish.want = super::wanted(want.name, unit.to_owned(), count);
            wish.lease = None;
            return;
        }
        match why::none_allowed(&want, count, text, turn.contract, turn.now) {
            why::Why::Refuse(error) => {
                if let Some(seat) = seat {
                    self.refuse(seat, error, turn);
                }
            }
            why::Why::Wait(error) => {
                self.waits(seat, &error);
                self.all_taken(&want.name, count, error, turn);
            }
        }
    }

    fn waits(&mut self, seat: Option<SeatId>, why: &Error) {
        if let Some(wish) = seat.and_then(|seat| self.wishes.get_mut(&seat)) {
            wish.lease = None;
            wish.told = true;
            wish.why = Some(why.clone());
            let name = wish.want.name.clone();
            self.pool(&name).serial = true;
        }
    }

    fn all_taken(&mut self, name: &str, count: u64, why: Error, turn: &mut Turn) {
        let text = why.text().to_owned();
        if self.pools.entry(name.to_owned()).or_default().refused(count, why, turn.now, turn.draw) {
            turn.tell(EventKind::SeatsExhausted, text, name);
        }
        if self.wishes.values().any(|wish| wish.want.name == name) {
            self.make_room(name, count, turn.now);
        }
    }

    fn refuse(&mut self, seat: SeatId, error: Error, turn: &mut Turn) {
        if let Some(wish) = self.wishes.remove(&seat) {
            self.waits_no_more(&wish, turn);
            turn.refuse(seat, error);
        }
    }

    fn failed(&mut self, id: LeaseId, failure: &Failure, turn: &mut Turn) {
        let Some(entry) = self.leases.get_mut(&id) else { return };
        let User::Wish(seat) = entry.user else { return };
        let Some(wish) = self.wishes.get_mut(&seat) else { return };
        let name = wish.want.name.clone();
        let error = why::failed(&name, failure);
        wish.tries = wish.tries.saturating_add(1);
        wish.why = Some(error.clone());
        if wish.told {
            // It waits anyway. A try that took nothing for sure needs no second one under its token.
            entry.lease.unwanted(turn.now);
            if entry.lease.gone() {
                wish.lease = None;
                self.pools.entry(name).or_default().failed(turn.now, turn.draw);
            }
        } else if wish.tries >= lease::TRIES {
            self.refuse(seat, error, turn);
        }
    }

    /// Seats that could not be kept.
    fn lost(&mut self, id: LeaseId, why: &str, turn: &mut Turn) {
        let Some(entry) = self.leases.get_mut(&id) else { return };
        let User::Seat(seat) = entry.user else { return };
        entry.user = User::Nobody { until: turn.now, wished: false };
        let (name, count) = (entry.lease.want().name.clone(), entry.lease.count());
        let text = format!("lost {count} of `{name}`: {why}; check out again");
        let news = News::new(EventKind::SeatLost, text).with("seat", seat.0).with("count", count);
        turn.step.news.push(news.with("entitlement", name));
        turn.step.commands.push(Command::SeatState { seat, expires: None });
        turn.returned(seat, Ok(()));
    }

    fn back(&mut self, id: LeaseId, turn: &mut Turn) {
        turn.step.returned += 1;
        let Some(entry) = self.leases.remove(&id) else { return };
        turn.changed = true;
        if let User::Back { tell: Some(seat), .. } = entry.user {
            turn.returned(seat, Ok(()));
        }
        let name = &entry.lease.want().name;
        if self.room_is_made(name, turn.now) {
            self.pool(name).wake(turn.now);
        }
        if !self.closing {
            self.came_free(name, entry.lease.count(), turn);
        }
    }

    fn not_back(&mut self, id: LeaseId, failure: &Failure, turn: &mut Turn) {
        let Some(entry) = self.leases.get_mut(&id) else { return };
        let User::Back { tell, tries } = &mut entry.user else { return };
        *tries = tries.saturating_add(1);
        if *tries >= lease::TRIES
            && let Some(seat) = tell.take()
        {
            turn.returned(seat, Err(why::not_returned(&entry.lease.want().name, failure)));
        }
    }

    /// True when AWS gave seats that are ours already: it has answered one client token twice.
    fn is_twice(&self, id: LeaseId) -> bool {
        let Some(token) = self.leases.get(&id).and_then(|entry| entry.lease.token()) else {
            return false;
        };
        let same =
            |other: LeaseId| self.leases.get(&other).and_then(|e| e.lease.token()) == Some(token);
        self.leases.keys().any(|other| *other != id && same(*other))
    }

    /// One lease for one check out. Whoever waits asks anew.
    fn forget_twice(&mut self, id: LeaseId, turn: &mut Turn) {
        let Some(entry) = self.leases.remove(&id) else { return };
        turn.changed = true;
        if let User::Wish(seat) = entry.user
            && let Some(wish) = self.wishes.get_mut(&seat)
        {
            wish.lease = None;
        }
    }
}
