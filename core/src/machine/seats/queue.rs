//! The queue: which wish gets which seats, and whose turn it is to ask AWS.

use super::{Entry, Lease, Seats, Turn, User, Wish};
use crate::{
    event::EventKind,
    machine::command::Command,
    model::{
        ids::{LeaseId, SeatId},
        license::Entitlement,
        time::Timestamp,
    },
};
use std::collections::BTreeMap;

impl Seats {
    /// Gives lingering seats to the wishes that they fit, first come, first served.
    pub(super) fn serve(&mut self, turn: &mut Turn) {
        for seat in self.seats_waiting() {
            let Some(wish) = self.wishes.get(&seat) else { continue };
            let lingers = |entry: &Entry| {
                let until = entry.lease.use_until().filter(|until| *until > turn.now)?;
                let nobody = matches!(entry.user, User::Nobody { .. });
                (nobody && wish.fits(&entry.lease)).then_some(until)
            };
            // The longest life first: it is the last to need an extension.
            let best = self.leases.iter().filter_map(|(id, entry)| Some((lingers(entry)?, *id)));
            if let Some((_, id)) = best.max() {
                self.give(id, seat, turn);
            }
        }
    }

    /// A check out on its way that nobody waits for may bring what a wish wants.
    pub(super) fn adopt(&mut self, now: Timestamp) {
        let asks = |entry: &Entry| matches!(entry.user, User::Nobody { .. }) && entry.lease.asks();
        if !self.leases.values().any(asks) {
            return;
        }
        for (seat, wish) in self.wishes.iter_mut().filter(|(_, wish)| wish.lease.is_none()) {
            let found =
                self.leases.iter_mut().find(|(_, entry)| asks(entry) && wish.fits(&entry.lease));
            if let Some((id, entry)) = found {
                entry.user = User::Wish(*seat);
                wish.lease = Some(*id);
                if !entry.lease.on_its_way() {
                    entry.lease.hasten(self.asks.take(now));
                }
            }
        }
    }

    /// Asks for wishes whose turn it is, as fast as calls may follow each other.
    pub(super) fn ask_for_wishes(&mut self, turn: &mut Turn) {
        let ready: Vec<SeatId> =
            self.asks_at().filter(|(_, at)| *at <= turn.now).map(|(seat, _)| seat).collect();
        for seat in ready {
            if self.asks.next() > turn.now {
                return;
            }
            self.asks.take(turn.now);
            let Some(wish) = self.wishes.get(&seat) else { continue };
            let (want, count) = (wish.want.clone(), wish.count);
            let id = self.ask(want, count, User::Wish(seat), turn);
            if let Some(wish) = self.wishes.get_mut(&seat) {
                wish.lease = Some(id);
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        want: Entitlement,
        count: u64,
        user: User,
        turn: &mut Turn,
    ) -> LeaseId {
        let id = self.number();
        let (lease, step) = Lease::ask(id, want, count, turn.now, turn.draw);
        self.leases.insert(id, Entry { lease, user });
        turn.changed |= step.changed;
        turn.step.commands.extend(step.call);
        id
    }

    /// Wishes that may be asked for, and when.
    ///
    /// While every seat is taken, a wish stands behind all earlier ones that want as many or fewer: what is not there
    /// for them is not there for it. One that wants fewer passes those that want more.
    pub(super) fn asks_at(&self) -> impl Iterator<Item = (SeatId, Timestamp)> {
        let mut least: BTreeMap<&str, u64> = BTreeMap::new();
        self.wishes.iter().filter_map(move |(seat, wish)| {
            let name = wish.want.name.as_str();
            let pool = self.pools.get(name)?;
            let least = least.entry(name).or_insert(u64::MAX);
            let behind = pool.serial && *least <= wish.count;
            *least = wish.count.min(*least);
            let may = wish.lease.is_none() && !behind && !self.swaps(name);
            may.then(|| (*seat, pool.ask_at(wish.count, wish.told, wish.at)))
        })
    }

    /// The host gets these seats.
    pub(super) fn give(&mut self, id: LeaseId, seat: SeatId, turn: &mut Turn) {
        let Some(expires) = self.leases.get(&id).and_then(|entry| entry.lease.expires()) else {
            return;
        };
        self.set_user(id, User::Seat(seat));
        if let Some(wish) = self.wishes.remove(&seat) {
            self.waits_no_more(
                &Wish { lease: wish.lease.filter(|lease| *lease != id), ..wish },
                turn,
            );
        }
        turn.step.commands.push(Command::SeatAnswer { seat, answer: Ok(expires) });
    }

    /// A wish has left the queue: what its check out brings is for others.
    pub(super) fn waits_no_more(&mut self, wish: &Wish, turn: &mut Turn) {
        if let Some(id) = wish.lease {
            self.set_user(id, User::Nobody { until: turn.now, wished: true });
            if let Some(entry) = self.leases.get_mut(&id) {
                entry.lease.unwanted(turn.now);
            }
            self.settle(id, turn);
        }
        let name = &wish.want.name;
        if !self.wishes.values().any(|wish| wish.want.name == *name) {
            self.pool(name).serial = false;
        }
    }

    /// Seats of this entitlement are free, for all that we know.
    pub(super) fn came_free(&mut self, name: &str, count: u64, turn: &mut Turn) {
        if !self.others_wait(name) && self.pool(name).free(count, Timestamp(i64::MAX)) {
            turn.tell(
                EventKind::SeatsAvailable,
                format!("there are seats of `{name}` again"),
                name,
            );
        }
    }

    /// Lingering seats of this entitlement go back, until `count` may be free.
    pub(super) fn make_room(&mut self, name: &str, count: u64, now: Timestamp) {
        let mut room = 0_u64;
        for entry in self.leases.values_mut().filter(|entry| entry.lease.want().name == name) {
            if let User::Nobody { until, .. } = &mut entry.user
                && room < count
                && entry.lease.use_until().is_some()
            {
                *until = now.min(*until);
                room = room.saturating_add(entry.lease.count());
            }
        }
    }

    /// True when no seats of this entitlement are on their way back any more.
    pub(super) fn room_is_made(&self, name: &str, now: Timestamp) -> bool {
        let leaves = |entry: &Entry| {
            entry.lease.want().name == name
                && (entry.lease.returning()
                    || entry.lingers_until().is_some_and(|until| until <= now))
        };
        !self.leases.values().any(leaves)
    }

    /// True when somebody without seats of this entitlement waits, and no call for it is on its way.
    pub(super) fn others_wait(&self, name: &str) -> bool {
        self.wishes.values().any(|wish| wish.want.name == name && !self.on_its_way(wish))
    }

    /// True when a try of this wish's check out is on its way.
    pub(super) fn on_its_way(&self, wish: &Wish) -> bool {
        let entry = wish.lease.and_then(|id| self.leases.get(&id));
        entry.is_some_and(|entry| entry.lease.on_its_way())
    }

    /// Wishes that seats may be given to now. One whose check out is on its way gets its seats from that.
    fn seats_waiting(&self) -> Vec<SeatId> {
        let waiting = self.wishes.iter().filter(|(_, wish)| !self.on_its_way(wish));
        waiting.map(|(seat, _)| *seat).collect()
    }

    /// True while seats of this entitlement that are ours are at AWS for a moment: none of us should take them.
    fn swaps(&self, name: &str) -> bool {
        let swaps = |entry: &Entry| entry.lease.swapping() && entry.lease.want().name == name;
        self.leases.values().any(swaps)
    }
}
