//! Seats: what the host wants of floating entitlements, and the leases at AWS that serve it.
//!
//! A **seat** is the host's wish and then its handle; a **lease** is one check out at AWS. A seat that the host gives
//! back leaves its lease lingering for the next wish, so that many short log-ins make few calls. Wishes that find
//! every seat taken wait in the order in which they came; one that wants fewer seats is not held up by one that wants
//! more.

use super::{
    command::{Command, News},
    draw::Draw,
    lease::{self, Lease},
};
use crate::{
    error::Error,
    event::EventKind,
    model::{
        holdings::{Given, KeptLease},
        ids::{LeaseId, SeatId},
        license::{Contract, Entitlement, EntitlementSpec},
        outcome::{CheckedIn, CheckedOut},
        time::Timestamp,
    },
};
use std::{collections::BTreeMap, time::Duration};

mod answers;
mod pace;
mod pool;
mod queue;
mod why;

use pace::Pace;
use pool::Pool;

/// What a dead process held stays for a minute and more: its successor has just started, and will want it.
const TAKEN_OVER_STAYS: Duration = Duration::from_secs(75);
/// First check outs: so many at once, and then one in so long. AWS publishes no rate for them; ten a second is what it
/// takes of `MeterUsage`.
const ASKS: (u32, Duration) = (20, Duration::from_millis(100));
/// Check ins that nobody waits for.
const RETURNS: (u32, Duration) = (4, Duration::from_millis(250));

/// All seats of one process.
#[derive(Clone, Debug)]
pub struct Seats {
    linger: Duration,
    /// Number of the next lease.
    next: u64,
    leases: BTreeMap<LeaseId, Entry>,
    /// Wishes without seats, in the order in which they came.
    wishes: BTreeMap<SeatId, Wish>,
    /// By entitlement.
    pools: BTreeMap<String, Pool>,
    asks: Pace,
    returns: Pace,
    closing: bool,
}

/// A lease and whom it serves.
#[derive(Clone, Debug)]
struct Entry {
    lease: Lease,
    user: User,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    /// The host has these seats.
    Seat(SeatId),
    /// A wish waits for what the check out brings.
    Wish(SeatId),
    /// Nobody: the seats linger until then. `wished`: a host asked for them and waits no more.
    Nobody { until: Timestamp, wished: bool },
    /// They go back. The host of `tell` waits for AWS's answer, for a few tries.
    Back { tell: Option<SeatId>, tries: u32 },
}

/// A wish without seats.
#[derive(Clone, Debug)]
struct Wish {
    want: Entitlement,
    count: u64,
    /// The check out in hand.
    lease: Option<LeaseId>,
    /// When to ask first.
    at: Timestamp,
    /// Tries that gave no answer to decide on.
    tries: u32,
    /// AWS has said that every seat is taken: it waits.
    told: bool,
    /// What AWS said last.
    why: Option<Error>,
}

/// What a step came to.
#[derive(Debug, Default)]
pub struct Step {
    /// What to do.
    pub commands: Vec<Command>,
    /// What to tell.
    pub news: Vec<News>,
    /// AWS gave seats: the buyer has the entitlement, by this license.
    pub proved: Vec<(Entitlement, Option<String>)>,
    /// Seats went back to AWS.
    pub returned: u64,
}

/// One step in the making.
struct Turn<'a> {
    now: Timestamp,
    contract: Option<&'a Contract>,
    draw: &'a mut Draw,
    step: Step,
    /// What AWS may hold for us is another thing now.
    changed: bool,
}

impl Seats {
    /// None yet.
    #[must_use]
    pub fn new(linger: Duration) -> Seats {
        Seats {
            linger,
            next: 1,
            leases: BTreeMap::new(),
            wishes: BTreeMap::new(),
            pools: BTreeMap::new(),
            asks: Pace::new(ASKS.0, ASKS.1),
            returns: Pace::new(RETURNS.0, RETURNS.1),
            closing: false,
        }
    }

    /// Leases that a dead process held are ours now: used for what the host wants next, or returned.
    ///
    /// A check out whose answer it had not heard is asked for again under its own token while AWS may remember that;
    /// an older one runs out by itself.
    pub fn took(&mut self, kept: Vec<KeptLease>, now: Timestamp, draw: &mut Draw) -> Step {
        let mut turn = Turn::new(now, None, draw);
        let stays = self.linger.max(TAKEN_OVER_STAYS);
        for KeptLease { entitlement, unit, count, asking, given } in kept {
            let want = wanted(entitlement, unit, count);
            let user = User::Nobody { until: self.lingers(stays, &mut turn), wished: false };
            if let Some(given) = given.filter(|given| !self.has(given)) {
                let (id, returning) = (self.number(), given.returning);
                let lease = Lease::given_before(id, want.clone(), count, given, now, turn.draw);
                if lease.may_be_held(now) {
                    self.leases.insert(id, Entry { lease, user });
                    if returning {
                        self.send_back(id, None, &mut turn); // AWS may have it back already
                    }
                }
            }
            if let Some(asking) =
                asking.filter(|asking| now.since(asking.begun) < lease::RECLAIM_FOR)
            {
                let (id, at) = (self.number(), self.asks.take(now));
                let lease = Lease::ask_again(id, want, count, asking, at);
                self.leases.insert(id, Entry { lease, user });
            }
            turn.changed = true;
        }
        if self.closing {
            self.give_all_back(&mut turn);
        }
        self.go_on(&mut turn);
        turn.end()
    }

    /// The host wants seats.
    pub fn want(
        &mut self,
        seat: SeatId,
        spec: EntitlementSpec,
        count: u64,
        contract: Option<&Contract>,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let mut turn = Turn::new(now, contract, draw);
        if self.closing {
            turn.refuse(seat, why::shut_down(&spec.name));
            return turn.end();
        }
        let unit = unit_of(&spec.name, contract).map_or(spec.unit, str::to_owned);
        let at = self.pool(&spec.name).fresh_at(count, now);
        let want = wanted(spec.name, unit, count);
        let wish = Wish { want, count, lease: None, at, tries: 0, told: false, why: None };
        self.wishes.insert(seat, wish);
        self.go_on(&mut turn);
        turn.end()
    }

    /// One seat that nobody wants, so that AWS's answer proves the contract. It goes back when nobody takes it over.
    pub fn prove(&mut self, spec: EntitlementSpec, now: Timestamp, draw: &mut Draw) -> Step {
        let mut turn = Turn::new(now, None, draw);
        let asks = |entry: &Entry| entry.lease.asks() && entry.lease.want().name == spec.name;
        if !self.closing && !self.leases.values().any(asks) {
            let want = wanted(spec.name, spec.unit, 1);
            let user = User::Nobody { until: now, wished: false };
            self.ask(want, 1, user, &mut turn);
        }
        turn.end()
    }

    /// The host gives seats back, or waits no more.
    pub fn release(&mut self, seat: SeatId, now: Timestamp, draw: &mut Draw) -> Step {
        let mut turn = Turn::new(now, None, draw);
        let serves = |(_, entry): &(&LeaseId, &Entry)| entry.user == User::Seat(seat);
        let lease = self.leases.iter().find(serves).map(|(id, _)| *id);
        if let Some(wish) = self.wishes.remove(&seat) {
            self.waits_no_more(&wish, &mut turn);
            turn.returned(seat, Ok(()));
        } else if let Some(id) = lease {
            self.free(id, seat, &mut turn);
        } else if !self.tells(seat) {
            turn.returned(seat, Ok(()));
        }
        self.go_on(&mut turn);
        turn.end()
    }

    /// Why the host got no seats within its time.
    #[must_use]
    pub fn why_waiting(&self, seat: SeatId) -> Option<Error> {
        let wish = self.wishes.get(&seat)?;
        let of_others = || {
            let pool = self.pools.get(&wish.want.name)?;
            pool.why.clone().filter(|_| pool.refuses(wish.count))
        };
        let why = wish.why.clone().or_else(of_others);
        Some(why.unwrap_or_else(|| why::no_answer(&wish.want.name)))
    }

    /// Takes the answer to a check out.
    pub fn checked_out(
        &mut self,
        lease: LeaseId,
        outcome: CheckedOut,
        contract: Option<&Contract>,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let mut turn = Turn::new(now, contract, draw);
        self.act(lease, &mut turn, |lease, wanted, draw| {
            lease.checked_out(outcome, wanted, now, draw)
        });
        self.go_on(&mut turn);
        turn.end()
    }

    /// Takes the answer to an extension.
    pub fn extended(
        &mut self,
        lease: LeaseId,
        outcome: CheckedOut,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let mut turn = Turn::new(now, None, draw);
        self.act(lease, &mut turn, |lease, wanted, draw| {
            lease.extended(outcome, wanted, now, draw)
        });
        self.go_on(&mut turn);
        turn.end()
    }

    /// Takes the answer to a check in.
    pub fn checked_in(
        &mut self,
        lease: LeaseId,
        outcome: CheckedIn,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let mut turn = Turn::new(now, None, draw);
        self.act(lease, &mut turn, |lease, _, draw| lease.checked_in(outcome, now, draw));
        self.go_on(&mut turn);
        turn.end()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp, draw: &mut Draw) -> Step {
        let mut turn = Turn::new(now, None, draw);
        let due = |entry: &Entry| entry.lease.due(entry.wanted()).is_some_and(|due| due <= now);
        let due: Vec<LeaseId> =
            self.leases.iter().filter(|(_, entry)| due(entry)).map(|(id, _)| *id).collect();
        for id in due {
            self.act(id, &mut turn, |lease, wanted, draw| lease.tick(wanted, now, draw));
        }
        self.go_on(&mut turn);
        turn.end()
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let leases = self.leases.values().filter_map(|entry| entry.lease.due(entry.wanted()));
        let lingering = self.leases.values().filter_map(Entry::lingers_until).min();
        let lingering = lingering.map(|until| until.max(self.returns.next()));
        let asks = self.asks_at().map(|(_, at)| at).min().map(|at| at.max(self.asks.next()));
        leases.chain(lingering).chain(asks).min()
    }

    /// The clock has jumped by this much. Times that AWS gave stay.
    pub fn shift(&mut self, ms: i64) {
        for Entry { lease, user } in self.leases.values_mut() {
            lease.shift(ms);
            if let User::Nobody { until, .. } = user {
                *until = until.shifted(ms);
            }
        }
        self.wishes.values_mut().for_each(|wish| wish.at = wish.at.shifted(ms));
        self.pools.values_mut().for_each(|pool| pool.shift(ms));
        self.asks.shift(ms);
        self.returns.shift(ms);
    }

    /// The guard ends: everything goes back.
    pub fn close(&mut self, now: Timestamp, draw: &mut Draw) -> Step {
        let mut turn = Turn::new(now, None, draw);
        self.closing = true;
        while let Some((seat, wish)) = self.wishes.pop_first() {
            self.waits_no_more(&wish, &mut turn);
            turn.refuse(seat, why::shut_down(&wish.want.name));
        }
        self.give_all_back(&mut turn);
        self.go_on(&mut turn);
        turn.end()
    }

    /// True when nothing is on its way, and AWS holds nothing for us that a call could still change.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.wishes.is_empty() && self.leases.values().all(|entry| entry.lease.settled())
    }

    /// What must outlive the process: every check out that AWS may hold for us.
    #[must_use]
    pub fn kept(&self) -> Vec<KeptLease> {
        self.leases.values().filter_map(|entry| entry.lease.kept()).collect()
    }

    /// Runs a step of a lease, and takes what it came to.
    fn act(
        &mut self,
        id: LeaseId,
        turn: &mut Turn,
        act: impl FnOnce(&mut Lease, bool, &mut Draw) -> lease::Step,
    ) {
        let Some(entry) = self.leases.get_mut(&id) else { return };
        let wanted = entry.wanted();
        let step = act(&mut entry.lease, wanted, turn.draw);
        turn.changed |= step.changed;
        turn.step.commands.extend(step.call);
        let left = step.left.map(|left| (left, entry.lease.want().clone(), entry.lease.count()));
        self.take(id, step.came, turn);
        self.settle(id, turn);
        if let Some((left, want, count)) = left {
            let id = self.add(left, want, count, turn);
            self.send_back(id, None, turn);
        }
    }

    /// Gives back what is to go back, and forgets what is gone.
    fn settle(&mut self, id: LeaseId, turn: &mut Turn) {
        let Some(entry) = self.leases.get_mut(&id) else { return };
        if let User::Back { tell, .. } = &mut entry.user {
            if entry.lease.rests() {
                let step = entry.lease.give_back(turn.now);
                turn.changed |= step.changed;
                turn.step.commands.extend(step.call);
            }
            if entry.lease.gone()
                && let Some(seat) = tell.take()
            {
                turn.returned(seat, Ok(()));
            }
        }
        if entry.lease.gone() {
            turn.changed = true;
            self.leases.remove(&id);
        }
    }

    /// What follows of everything else: wishes are served, lingering ends, seats are asked for.
    fn go_on(&mut self, turn: &mut Turn) {
        self.pools.values_mut().for_each(|pool| pool.forget(turn.now));
        self.serve(turn);
        self.adopt(turn.now);
        self.end_lingering(turn);
        self.ask_for_wishes(turn);
    }

    fn end_lingering(&mut self, turn: &mut Turn) {
        let now = turn.now;
        let over = |entry: &Entry| entry.lingers_until().is_some_and(|until| until <= now);
        let over: Vec<LeaseId> =
            self.leases.iter().filter(|(_, entry)| over(entry)).map(|(id, _)| *id).collect();
        for id in over {
            if !self.closing {
                if self.returns.next() > now {
                    return;
                }
                self.returns.take(now);
            }
            self.send_back(id, None, turn);
        }
    }

    /// The lease of a seat that the host gives back.
    fn free(&mut self, id: LeaseId, seat: SeatId, turn: &mut Turn) {
        turn.step.commands.push(Command::SeatState { seat, expires: None });
        let Some(id) = self.without_check_out(id, turn) else {
            return turn.returned(seat, Ok(()));
        };
        let Some(lease) = self.leases.get(&id).map(|entry| &entry.lease) else { return };
        let (name, count) = (lease.want().name.clone(), lease.count());
        let taken = self.wishes.values().any(|wish| wish.fits(lease) && !self.on_its_way(wish));
        if self.closing || lease.returning() || (self.linger.is_zero() && !taken) {
            return self.send_back(id, Some(seat), turn);
        }
        let until = match taken || self.others_wait(&name) {
            true => turn.now,
            false => self.lingers(self.linger, turn),
        };
        self.set_user(id, User::Nobody { until, wished: false });
        turn.returned(seat, Ok(()));
        if !taken {
            self.came_free(&name, count, turn);
        }
    }

    /// The guard ends, so whatever is ours goes back.
    fn give_all_back(&mut self, turn: &mut Turn) {
        for id in self.leases.keys().copied().collect::<Vec<_>>() {
            let Some(entry) = self.leases.get_mut(&id) else { continue };
            entry.lease.close(turn.now);
            let held = entry.lease.use_until().is_some();
            match entry.user {
                User::Seat(seat) => self.free(id, seat, turn),
                User::Nobody { .. } if held => self.send_back(id, None, turn),
                User::Nobody { .. } | User::Wish(_) | User::Back { .. } => {}
            }
        }
    }

    fn send_back(&mut self, id: LeaseId, tell: Option<SeatId>, turn: &mut Turn) {
        self.set_user(id, User::Back { tell, tries: 0 });
        self.settle(id, turn);
    }

    /// Takes the check out in hand off a lease that nobody wants any more. Says which lease has the seats now.
    fn without_check_out(&mut self, id: LeaseId, turn: &mut Turn) -> Option<LeaseId> {
        let entry = self.leases.get_mut(&id)?;
        let held = entry.lease.use_until().is_some();
        let old = entry.lease.unwanted(turn.now);
        let (want, count) = (entry.lease.want().clone(), entry.lease.count());
        turn.changed |= !held;
        if held || entry.lease.returning() {
            return Some(id);
        }
        entry.user = User::Nobody { until: turn.now, wished: false };
        self.settle(id, turn);
        let old = old?;
        let returning = old.returning;
        let id = self.add(old, want, count, turn);
        if returning {
            self.send_back(id, None, turn);
            return None;
        }
        Some(id)
    }

    /// A lease of its own for seats that are ours.
    fn add(&mut self, given: Given, want: Entitlement, count: u64, turn: &mut Turn) -> LeaseId {
        let id = self.number();
        let mut lease = Lease::given_before(id, want, count, given, turn.now, turn.draw);
        if self.closing {
            lease.close(turn.now);
        }
        let user = User::Nobody { until: turn.now, wished: false };
        self.leases.insert(id, Entry { lease, user });
        turn.changed = true;
        id
    }

    fn number(&mut self) -> LeaseId {
        let id = LeaseId(self.next);
        self.next = self.next.saturating_add(1);
        id
    }

    fn set_user(&mut self, id: LeaseId, user: User) {
        if let Some(entry) = self.leases.get_mut(&id) {
            entry.user = user;
        }
    }

    fn pool(&mut self, name: &str) -> &mut Pool {
        self.pools.entry(name.to_owned()).or_default()
    }

    /// True when a lease of ours has this token: the same seats must not be given twice.
    fn has(&self, given: &Given) -> bool {
        self.leases.values().any(|entry| entry.lease.token() == Some(&given.token))
    }

    /// True when this seat's host waits for the answer to a check in.
    fn tells(&self, seat: SeatId) -> bool {
        let waits =
            |entry: &Entry| matches!(entry.user, User::Back { tell, .. } if tell == Some(seat));
        self.leases.values().any(waits)
    }

    /// Until when seats linger: spread, so that what came at once does not go at once.
    fn lingers(&self, linger: Duration, turn: &mut Turn) -> Timestamp {
        if self.closing { turn.now } else { turn.now.after(turn.draw.around(linger, 20)) }
    }
}

impl Entry {
    fn wanted(&self) -> bool {
        matches!(self.user, User::Seat(_) | User::Wish(_))
    }

    /// When seats that nobody has go back; before they expire, so that AWS hears of it.
    fn lingers_until(&self) -> Option<Timestamp> {
        match self.user {
            User::Nobody { until, .. } if self.lease.rests() => {
                Some(self.lease.use_until()?.min(until))
            }
            _ => None,
        }
    }
}

impl Wish {
    fn fits(&self, lease: &Lease) -> bool {
        self.want == *lease.want() && self.count == lease.count()
    }
}

impl Turn<'_> {
    fn new<'a>(now: Timestamp, contract: Option<&'a Contract>, draw: &'a mut Draw) -> Turn<'a> {
        Turn { now, contract, draw, step: Step::default(), changed: false }
    }

    /// The snapshot is taken after the whole step, so one before everything else holds for all of it.
    fn end(mut self) -> Step {
        if self.changed {
            self.step.commands.insert(0, Command::KeepHoldings);
        }
        self.step
    }

    fn returned(&mut self, seat: SeatId, answer: Result<(), Error>) {
        self.step.commands.push(Command::SeatReturned { seat, answer });
    }

    fn refuse(&mut self, seat: SeatId, error: Error) {
        self.step.commands.push(Command::SeatAnswer { seat, answer: Err(error) });
        self.returned(seat, Ok(()));
    }

    fn tell(&mut self, kind: EventKind, text: String, entitlement: &str) {
        self.step.news.push(News::new(kind, text).with("entitlement", entitlement));
    }
}

/// What to ask AWS for: an uncounted entitlement has no value. Source: `CheckoutLicense`, `EntitlementData`.
fn wanted(name: String, unit: String, count: u64) -> Entitlement {
    let value = (unit != UNCOUNTED).then(|| count.to_string());
    Entitlement { name, unit, value, ..Entitlement::default() }
}

/// The contract's own unit of an entitlement, which counts more than the configuration's.
fn unit_of<'a>(name: &str, contract: Option<&'a Contract>) -> Option<&'a str> {
    let entitlements = &contract?.entitlements;
    Some(&entitlements.iter().find(|entitlement| entitlement.name == name)?.unit)
}

/// AWS's unit word for what is not counted.
const UNCOUNTED: &str = "None";

#[cfg(test)]
mod tests;
