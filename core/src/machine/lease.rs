//! One lease: one check out at AWS, from its first try until AWS holds nothing by it any more.
//!
//! It knows nothing of the host; [`seats`](super::seats) says whether anybody wants it. A token may be extended once
//! an hour and lives an hour, so an extension can be refused by nobody's fault: then a fresh check out takes the old
//! one's place before its end. Source: AWS General Reference, License Manager quotas; Seller Guide, contract pricing
//! for container products.

use super::{
    command::Command,
    draw::Draw,
    retry::{self, Policy},
};
use crate::model::{
    holdings::{Asking, Given},
    ids::{ClientToken, LeaseId},
    license::Entitlement,
    outcome::{CheckedIn, CheckedOut, Failure, FailureClass},
    time::Timestamp,
};
use std::time::Duration;

mod reading;

/// Quick tries of one call; later ones are slower.
pub const TRIES: u32 = 3;
/// How long a check out whose fate is unknown is asked for again. AWS promises no longer memory of a client token.
pub const RECLAIM_FOR: Duration = Duration::from_secs(600);
/// How long seats that are back at AWS already are asked for anew before they are given up.
const RETAKE_FOR: Duration = Duration::from_secs(60);
/// How long a check in is tried; the seats return by themselves when their time ends.
const RETURN_FOR: Duration = Duration::from_secs(600);
/// AWS takes one extension of a token in this time. Source: AWS General Reference, License Manager quotas.
const EXTENSION_EVERY: Duration = Duration::from_secs(3600);
/// No fresh check out is renewed sooner: an `Expiration` in the past must not make one check out chase the other.
const CALM: Duration = Duration::from_secs(30);
/// Seats that are about to expire are given to nobody: an extension must still be possible.
const SPARE: Duration = Duration::from_secs(30);

/// One lease.
#[derive(Clone, Debug)]
pub struct Lease {
    id: LeaseId,
    want: Entitlement,
    count: u64,
    state: State,
    /// The guard ends: tries follow each other fast, and end soon.
    closing: bool,
    /// An extension without an answer may have moved the end of the seats to here.
    stretched: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum State {
    /// A check out; the old seats are ours until it is answered. `at` is when to try again, `None` while a try is on
    /// its way.
    Asking {
        ask: Ask,
        old: Option<Given>,
        at: Option<Timestamp>,
    },
    Held(Held),
    Extending(Held),
    /// The pool is full, maybe by our own seats: they go back first, then they are asked for anew.
    Swapping {
        old: Given,
        back: Back,
    },
    Returning {
        given: Given,
        back: Back,
    },
    /// A check in that nobody answers: AWS may hold the seats until their time ends.
    Left(Given),
    Gone,
}

/// A check out without an answer.
#[derive(Clone, Debug)]
struct Ask {
    /// The same on every try.
    token: ClientToken,
    begun: Timestamp,
    tries: u32,
    /// Some try may have taken seats.
    in_doubt: bool,
    /// Since when seats are asked for that were ours before and are not any more.
    anew: Option<Timestamp>,
}

/// A check in without an answer.
#[derive(Clone, Debug)]
struct Back {
    since: Timestamp,
    tries: u32,
    /// When to try again; `None` while a try is on its way.
    at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Held {
    given: Given,
    /// When the check out was first sent that gave them in this process.
    asked_at: Option<Timestamp>,
    /// When to extend them, or to take others in their place.
    renew_at: Timestamp,
    /// An extension that did not leave is tried again until here.
    renew_by: Timestamp,
    /// Nobody is given them after this.
    use_until: Timestamp,
}

/// What a step of a lease came to.
#[derive(Debug, Default)]
pub struct Step {
    /// The call to make.
    pub call: Option<Command>,
    /// What AWS may hold for us is another thing now: durable before the call, and before anybody hears of it.
    pub changed: bool,
    /// Seats that others have taken the place of: to be given back by a lease of their own.
    pub left: Option<Given>,
    /// What there is to tell.
    pub came: Came,
}

/// What AWS's answer, or the time, came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Came {
    /// Nothing that matters to anybody.
    #[default]
    Nothing,
    /// A check out gave seats.
    Given {
        /// ARN of their license.
        license_arn: Option<String>,
    },
    /// The seats were extended.
    Extended,
    /// AWS allows none: not bought, or all taken.
    NoneAllowed(String),
    /// A try of a check out failed; the lease goes on trying.
    Failed(Failure),
    /// Seats that were ours could not be kept. AWS may still give others: then the lease goes on for nobody.
    Ended(String),
    /// The seats are back at AWS.
    Returned,
    /// A try of a check in failed.
    NotReturned(Failure),
}

impl Step {
    fn changed(call: Option<Command>) -> Step {
        Step { call, changed: true, ..Step::default() }
    }

    fn call(call: Command) -> Step {
        Step { call: Some(call), ..Step::default() }
    }

    fn came(came: Came) -> Step {
        Step { came, ..Step::default() }
    }

    fn with(self, came: Came) -> Step {
        Step { came, ..self }
    }

    fn leaving(self, left: Option<Given>) -> Step {
        Step { left, ..self }
    }
}

impl Lease {
    fn new(id: LeaseId, want: Entitlement, count: u64) -> Lease {
        Lease { id, want, count, state: State::Gone, closing: false, stretched: None }
    }

    /// Begins to check out.
    pub fn ask(
        id: LeaseId,
        want: Entitlement,
        count: u64,
        now: Timestamp,
        draw: &mut Draw,
    ) -> (Lease, Step) {
        let mut lease = Lease::new(id, want, count);
        let step = lease.begin(None, None, now, draw);
        (lease, step)
    }

    /// A dead process's check out, to be asked for again at `at` under its own token: AWS may have given the seats.
    pub fn ask_again(
        id: LeaseId,
        want: Entitlement,
        count: u64,
        asking: Asking,
        at: Timestamp,
    ) -> Lease {
        let mut lease = Lease::new(id, want, count);
        let Asking { client_token: token, begun } = asking;
        let ask = Ask { token, begun, tries: 0, in_doubt: true, anew: None };
        lease.state = State::Asking { ask, old: None, at: Some(at) };
        lease
    }

    /// Seats that are given already.
    pub fn given_before(
        id: LeaseId,
        want: Entitlement,
        count: u64,
        given: Given,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Lease {
        let mut lease = Lease::new(id, want, count);
        // The extension may have been tried by a process that died before its answer.
        let stretched = given.extended.map(|extended| extended.after(EXTENSION_EVERY));
        lease.hold(given, None, now, draw);
        lease.stretched = stretched;
        lease
    }

    /// When something is to be done next. Seats that nobody wants are not extended.
    #[must_use]
    pub fn due(&self, wanted: bool) -> Option<Timestamp> {
        match &self.state {
            State::Asking { at, .. } => *at,
            State::Held(held) if wanted => Some(held.renew_at),
            State::Held(held) => Some(held.given.expires),
            State::Swapping { back, .. } | State::Returning { back, .. } => back.at,
            State::Left(given) => Some(given.expires),
            State::Extending(_) | State::Gone => None,
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, wanted: bool, now: Timestamp, draw: &mut Draw) -> Step {
        if self.due(wanted).is_none_or(|due| due > now) {
            return Step::default();
        }
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Asking { ask, old, .. } => self.try_again(ask, old, wanted, now, draw),
            State::Held(held) if wanted => self.renew(held, now, draw),
            State::Held(held) if self.may_hold(&held.given, now) => {
                self.state = State::Held(held);
                self.give_back(now)
            }
            State::Held(_) | State::Left(_) => Step::changed(None),
            State::Swapping { old, .. } if !self.may_hold(&old, now) => {
                self.begin(None, Some(now), now, draw)
            }
            State::Swapping { old, back } => {
                let call = self.check_in(&old);
                self.state = State::Swapping { old, back: Back { at: None, ..back } };
                Step::call(call)
            }
            State::Returning { given, .. } if given.expires <= now => Step::changed(None),
            State::Returning { given, back } => {
                let call = self.check_in(&given);
                self.state = State::Returning { given, back: Back { at: None, ..back } };
                Step::call(call)
            }
            other => {
                self.state = other;
                Step::default()
            }
        }
    }

    /// Gives the seats back, when they are held and no call is on its way.
    pub fn give_back(&mut self, now: Timestamp) -> Step {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Held(held) => {
                let call = self.check_in(&held.given);
                let back = Back { since: now, tries: 0, at: None };
                let given = self.stretch(held.given);
                self.state = State::Returning { given, back };
                Step::changed(Some(call))
            }
            other => {
                self.state = other;
                Step::default()
            }
        }
    }

    /// Nobody wants what its check out brings. Hands out what that was to replace: it is held still. When its time is
    /// over but for an extension that nobody answered, it is only to be given back.
    pub fn unwanted(&mut self, now: Timestamp) -> Option<Given> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Asking { ask, old, at } => {
                if at.is_none() || ask.in_doubt {
                    self.state = State::Asking { ask, old: None, at };
                }
                old.filter(|old| self.may_hold(old, now)).map(|old| match old.expires <= now {
                    true => Given { returning: true, ..self.stretch(old) },
                    // With the end that is sure: a host must not rest on more.
                    false => old,
                })
            }
            State::Swapping { old, back } => {
                self.state = State::Returning { given: self.stretch(old), back };
                None
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// The guard ends: what pauses is tried at once.
    pub fn close(&mut self, now: Timestamp) {
        self.closing = true;
        self.hasten(now);
    }

    /// What pauses is tried again at `now`, if that is sooner.
    pub fn hasten(&mut self, now: Timestamp) {
        match &mut self.state {
            State::Asking { at: Some(at), .. }
            | State::Swapping { back: Back { at: Some(at), .. }, .. }
            | State::Returning { back: Back { at: Some(at), .. }, .. } => *at = now.min(*at),
            _ => {}
        }
    }

    /// Takes the answer to a check out.
    pub fn checked_out(
        &mut self,
        outcome: CheckedOut,
        wanted: bool,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        match (std::mem::replace(&mut self.state, State::Gone), outcome) {
            (State::Asking { old, ask, .. }, CheckedOut::Held { token, expires, license_arn }) => {
                let old = old.filter(|old| old.token != token);
                let given = Given { token, expires, extended: None, returning: false };
                self.hold(given, Some(ask.begun), now, draw);
                Step::changed(None).leaving(old).with(Came::Given { license_arn })
            }
            (
                State::Asking { old: Some(old), .. },
                CheckedOut::NoneAllowed(_) | CheckedOut::Gone(_),
            ) if wanted && self.may_hold(&old, now) => {
                let call = self.check_in(&old);
                let back = Back { since: now, tries: 0, at: None };
                self.state = State::Swapping { old, back };
                Step::changed(Some(call))
            }
            (State::Asking { .. }, CheckedOut::NoneAllowed(text) | CheckedOut::Gone(text)) => {
                Step::changed(None).with(Came::NoneAllowed(text))
            }
            (State::Asking { ask, old, .. }, CheckedOut::Failed(failure)) => {
                self.failed(ask, old, failure, wanted, now, draw)
            }
            (other, _) => {
                self.state = other;
                Step::default()
            }
        }
    }

    /// Takes the answer to an extension.
    pub fn extended(
        &mut self,
        outcome: CheckedOut,
        wanted: bool,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let mut held = match std::mem::replace(&mut self.state, State::Gone) {
            State::Extending(held) => held,
            other => {
                self.state = other;
                return Step::default();
            }
        };
        match outcome {
            CheckedOut::Held { token, expires, .. } => {
                let given = Given { token, expires, extended: Some(now), returning: false };
                self.hold(given, None, now, draw);
                return Step::changed(None).with(Came::Extended);
            }
            CheckedOut::Gone(_) if wanted => return self.begin(None, Some(now), now, draw),
            CheckedOut::Gone(_) => return Step::changed(None),
            CheckedOut::Failed(Failure { class: FailureClass::NotSent, .. })
                if now < held.renew_by =>
            {
                let again = now.after(retry::delay(retry::SEAT_BACK, 0, draw));
                held.renew_at = again.min(held.renew_by);
                held.given.extended = None;
                self.state = State::Held(held);
                return Step::changed(None);
            }
            CheckedOut::Failed(_) | CheckedOut::NoneAllowed(_) => {}
        }
        // Throttled by the quota, forbidden, or no answer: AWS may count it as this hour's extension.
        if let CheckedOut::Failed(Failure { class: FailureClass::Unknown, .. }) = outcome {
            self.stretched = Some(now.after(EXTENSION_EVERY));
        }
        if wanted {
            return self.begin(Some(held.given), None, now, draw);
        }
        self.state = State::Held(held);
        Step::changed(None)
    }

    /// Takes the answer to a check in.
    pub fn checked_in(&mut self, outcome: CheckedIn, now: Timestamp, draw: &mut Draw) -> Step {
        match (std::mem::replace(&mut self.state, State::Gone), outcome) {
            (State::Swapping { .. }, CheckedIn::Done) => self.begin(None, Some(now), now, draw),
            (State::Swapping { old, back }, CheckedIn::Failed(_)) => {
                if back.tries + 1 >= TRIES {
                    return self.begin(None, Some(now), now, draw);
                }
                let back = self.later(back, now, draw);
                self.state = State::Swapping { old, back };
                Step::default()
            }
            (State::Returning { .. }, CheckedIn::Done) => Step::changed(None).with(Came::Returned),
            (State::Returning { given, back }, CheckedIn::Failed(failure)) => {
                let over = now.since(back.since) >= RETURN_FOR;
                let enough = self.closing && back.tries + 1 >= TRIES;
                self.state = if over || enough {
                    State::Left(given)
                } else {
                    State::Returning { given, back: self.later(back, now, draw) }
                };
                Step::came(Came::NotReturned(failure))
            }
            (other, _) => {
                self.state = other;
                Step::default()
            }
        }
    }

    fn given(&self) -> Option<&Given> {
        match &self.state {
            State::Held(held) | State::Extending(held) => Some(&held.given),
            State::Asking { old, .. } => old.as_ref(),
            State::Swapping { old: given, .. }
            | State::Returning { given, .. }
            | State::Left(given) => Some(given),
            State::Gone => None,
        }
    }

    /// Seats are ours until they expire: to be renewed at 75 to 92 percent of their time.
    fn hold(&mut self, given: Given, asked_at: Option<Timestamp>, now: Timestamp, draw: &mut Draw) {
        self.stretched = None;
        let life = given.expires.since(now);
        let use_until = given.expires.before(SPARE.min(life / 12));
        let renew_by = given.expires.before(life / 12);
        let mut renew_at = now.after(life / 4 * 3 + draw.up_to(life / 6)).max(now.after(CALM));
        if let Some(extended) = given.extended {
            // One chance an hour: worth to wait for, if the seats live that long.
            let next = extended.after(EXTENSION_EVERY);
            if next > renew_at && next < use_until {
                renew_at = next;
            }
        }
        self.state = State::Held(Held { given, asked_at, renew_at, renew_by, use_until });
    }

    fn renew(&mut self, mut held: Held, now: Timestamp, draw: &mut Draw) -> Step {
        let Given { token, expires, extended, .. } = &held.given;
        if *expires <= now {
            return self.begin(None, Some(now), now, draw); // suspended meanwhile: there is nothing to extend
        }
        if extended.is_some_and(|extended| now.since(extended) < EXTENSION_EVERY) {
            return self.begin(Some(held.given), None, now, draw);
        }
        let call = Command::Extend { lease: self.id, token: token.clone() };
        // Durable before the call: a successor must know that the end may have moved, and that the hour's chance is used.
        held.given.extended = Some(now);
        self.state = State::Extending(held);
        Step::changed(Some(call))
    }

    /// A new check out, under a new token.
    fn begin(
        &mut self,
        old: Option<Given>,
        anew: Option<Timestamp>,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let token = draw.client_token();
        let ask = Ask { token, begun: now, tries: 0, in_doubt: false, anew };
        self.send(ask, old)
    }

    fn send(&mut self, ask: Ask, old: Option<Given>) -> Step {
        let (want, token) = (self.want.clone(), ask.token.clone());
        self.state = State::Asking { ask, old, at: None };
        Step::changed(Some(Command::CheckOut { lease: self.id, want, token }))
    }

    fn try_again(
        &mut self,
        mut ask: Ask,
        old: Option<Given>,
        wanted: bool,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let (old, left) = self.still_held(old, now, &mut ask);
        let step = if now.since(ask.begun) < RECLAIM_FOR {
            self.send(ask, old)
        } else if wanted {
            // What AWS gave by so old a token may have expired, and it may remember.
            self.begin(old, ask.anew, now, draw)
        } else {
            Step::changed(None)
        };
        step.leaving(left)
    }

    fn failed(
        &mut self,
        mut ask: Ask,
        old: Option<Given>,
        failure: Failure,
        wanted: bool,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        ask.in_doubt |= failure.class == FailureClass::Unknown;
        ask.tries = ask.tries.saturating_add(1);
        let (old, left) = self.still_held(old, now, &mut ask);
        // AWS that asks for patience has not said no: many seats may come back at once, after a suspension.
        let throttled = failure.class == FailureClass::Throttled;
        let patience = if throttled { RECLAIM_FOR } else { RETAKE_FOR };
        let over = ask.anew.is_some_and(|since| now.since(since) >= patience);
        let came = if over { Came::Ended(failure.text) } else { Came::Failed(failure) };
        let forgets = !ask.in_doubt || now.since(ask.begun) >= RECLAIM_FOR;
        if (over || !wanted) && forgets {
            return Step::changed(None).leaving(left).with(came);
        }
        let mut at = now.after(self.delay(ask.tries, wanted && !over, draw));
        if let Some(old) = &old {
            at = at.min(old.expires);
        }
        self.state = State::Asking { ask, old, at: Some(at) };
        Step::came(came).leaving(left)
    }

    /// The seats to be replaced, while they are ours. When their time is over and an extension may have moved its end,
    /// they are left behind, to be given back.
    fn still_held(
        &self,
        old: Option<Given>,
        now: Timestamp,
        ask: &mut Ask,
    ) -> (Option<Given>, Option<Given>) {
        match old {
            Some(old) if old.expires <= now => {
                ask.anew.get_or_insert(ask.begun);
                (None, Some(self.stretch(old)).filter(|old| old.expires > now))
            }
            old => (old, None),
        }
    }

    /// True when AWS may hold these for us.
    fn may_hold(&self, given: &Given, now: Timestamp) -> bool {
        given.expires.max(self.stretched.unwrap_or(given.expires)) > now
    }

    /// The same, with the latest end that they may have.
    fn stretch(&self, given: Given) -> Given {
        Given { expires: given.expires.max(self.stretched.unwrap_or(given.expires)), ..given }
    }

    fn later(&self, back: Back, now: Timestamp, draw: &mut Draw) -> Back {
        let tries = back.tries.saturating_add(1);
        Back { tries, at: Some(now.after(self.delay(tries, false, draw))), ..back }
    }

    fn delay(&self, tries: u32, wanted: bool, draw: &mut Draw) -> Duration {
        let policy: Policy = match (self.closing, wanted) {
            (true, _) => retry::CLOSING,
            (false, _) if tries < TRIES => retry::SEAT,
            (false, true) => retry::SEAT_WAIT,
            (false, false) => retry::SEAT_BACK,
        };
        retry::delay(policy, tries, draw)
    }

    fn check_in(&self, given: &Given) -> Command {
        Command::CheckIn { lease: self.id, token: given.token.clone() }
    }
}

#[cfg(test)]
mod tests;
