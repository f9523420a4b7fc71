//! One lease: seats checked out, kept by extending, and checked in.
//!
//! A token may be extended once an hour and lives an hour, so one extension can be late by nobody's fault;
//! then a fresh check out takes its place before the end. Source: AWS General Reference, License Manager
//! quotas; Seller Guide, contract pricing for container products.

use super::{command::Command, draw::Draw, retry};
use crate::{
    error::{Code, Error},
    model::{
        entry::Entry,
        ids::{ClientToken, ConsumptionToken, LeaseId},
        license::{Contract, Entitlement, EntitlementSpec},
        outcome::{CheckedIn, CheckedOut, Failure, FailureClass},
        time::Timestamp,
    },
};
use std::time::Duration;

/// Tries of the first check out before the host is told; it waits meanwhile.
const TRIES: u32 = 3;
/// How long a check out whose fate is unknown is asked for again in the background.
const RECLAIM_FOR: Duration = Duration::from_secs(600);
/// How long a check in is tried; the seats return by themselves after an hour at most.
const RETURN_FOR: Duration = Duration::from_secs(600);

/// One lease.
#[derive(Clone, Debug)]
pub struct Lease {
    id: LeaseId,
    spec: EntitlementSpec,
    count: u64,
    state: State,
    /// The host wants it still.
    wanted: bool,
    /// The host has its first answer.
    answered: bool,
    /// Token of the check out in hand, the same on every try of it.
    client_token: ClientToken,
    attempt: u32,
    begun: Timestamp,
    /// Some try of the check out in hand may have taken seats.
    in_doubt: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// A check out is on its way; `old` is what it will replace.
    Asking {
        old: Option<Held>,
    },
    /// The check out is to be tried again.
    AskAgain {
        old: Option<Held>,
        at: Timestamp,
    },
    Held(Held),
    Extending(Held),
    /// A one-seat pool: the old seat goes back first, then a new one is asked for.
    Swapping,
    Returning {
        token: ConsumptionToken,
        since: Timestamp,
    },
    ReturnAgain {
        token: ConsumptionToken,
        since: Timestamp,
        at: Timestamp,
    },
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    token: ConsumptionToken,
    expires: Timestamp,
    extend_at: Timestamp,
}

/// What a step of a lease came to.
#[derive(Debug, Default)]
pub struct Step {
    /// What to do.
    pub commands: Vec<Command>,
    /// The seats were lost: what to tell.
    pub lost: Option<String>,
    /// AWS gave these seats: the buyer has the entitlement.
    pub proved: Option<Entitlement>,
    /// Seats went back to AWS.
    pub returned: bool,
}

impl Step {
    fn of(commands: Vec<Command>) -> Step {
        Step { commands, ..Step::default() }
    }
}

impl Lease {
    /// Begins to check out.
    pub fn want(
        id: LeaseId,
        spec: EntitlementSpec,
        count: u64,
        now: Timestamp,
        draw: &mut Draw,
    ) -> (Lease, Step) {
        let client_token = draw.client_token();
        let mut lease = Lease {
            id,
            spec,
            count,
            state: State::Gone,
            wanted: true,
            answered: false,
            client_token,
            attempt: 0,
            begun: now,
            in_doubt: false,
        };
        let commands = lease.ask(None, now);
        (lease, Step::of(commands))
    }

    /// True when nothing is left to do.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.state == State::Gone
    }

    /// API name of the entitlement.
    #[must_use]
    pub fn entitlement(&self) -> &str {
        &self.spec.name
    }

    /// The clock has jumped by this much. Times that AWS gave stay.
    pub fn shift(&mut self, ms: i64) {
        self.begun = self.begun.shifted(ms);
        match &mut self.state {
            State::AskAgain { at, .. } => *at = at.shifted(ms),
            State::Returning { since, .. } => *since = since.shifted(ms),
            State::ReturnAgain { since, at, .. } => {
                (*since, *at) = (since.shifted(ms), at.shifted(ms));
            }
            State::Asking { .. }
            | State::Held(_)
            | State::Extending(_)
            | State::Swapping
            | State::Gone => {}
        }
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::AskAgain { at, .. } | State::ReturnAgain { at, .. } => Some(*at),
            State::Held(held) => Some(held.extend_at),
            _ => None,
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp) -> Step {
        if self.due().is_none_or(|due| due > now) {
            return Step::default();
        }
        match std::mem::replace(&mut self.state, State::Gone) {
            State::AskAgain { old, .. } => {
                self.state = State::Asking { old };
                Step::of(vec![self.check_out()])
            }
            State::Held(held) => {
                let token = held.token.clone();
                self.state = State::Extending(held);
                Step::of(vec![Command::Extend { lease: self.id, token }])
            }
            State::ReturnAgain { token, since, .. } => Step::of(vec![self.give_back(token, since)]),
            other => {
                self.state = other;
                Step::default()
            }
        }
    }

    /// The host gives the seats back, or waits no more.
    pub fn release(&mut self, now: Timestamp) -> Step {
        self.wanted = false;
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Held(held) => Step::of(vec![self.give_back(held.token, now)]),
            State::AskAgain { old: Some(held), .. } => {
                Step::of(vec![self.give_back(held.token, now)])
            }
            State::AskAgain { old: None, at } if self.in_doubt => {
                self.state = State::AskAgain { old: None, at };
                Step::default()
            }
            State::AskAgain { old: None, .. } => Step::of(self.end(Ok(()))),
            busy => {
                self.state = busy; // the answer on its way decides
                Step::default()
            }
        }
    }

    /// Takes the answer to a check out.
    pub fn checked_out(
        &mut self,
        outcome: CheckedOut,
        contract: Option<&Contract>,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let State::Asking { old } = std::mem::replace(&mut self.state, State::Gone) else {
            return Step::default();
        };
        match outcome {
            CheckedOut::Held { token, expires } => self.held(old, token, expires, now, draw),
            CheckedOut::NoneAllowed(text) | CheckedOut::Gone(text) => {
                self.none_allowed(old, &text, contract, now, draw)
            }
            CheckedOut::Failed(failure) => self.failed(old, failure, now, draw),
        }
    }

    /// Takes the answer to an extension.
    pub fn extended(&mut self, outcome: CheckedOut, now: Timestamp, draw: &mut Draw) -> Step {
        let State::Extending(held) = std::mem::replace(&mut self.state, State::Gone) else {
            return Step::default();
        };
        if !self.wanted {
            let token = match outcome {
                CheckedOut::Held { token, .. } => token,
                _ => held.token,
            };
            return Step::of(vec![self.give_back(token, now)]);
        }
        match outcome {
            CheckedOut::Held { token, expires } => Step::of(self.keep(token, expires, now, draw)),
            // Throttled by the quota, unknown to AWS, or no answer: a fresh check out takes its place.
            _ => {
                self.client_token = draw.client_token();
                self.attempt = 0;
                self.in_doubt = false;
                Step::of(self.ask(Some(held), now))
            }
        }
    }

    /// Takes the answer to a check in.
    pub fn checked_in(&mut self, outcome: CheckedIn, now: Timestamp, draw: &mut Draw) -> Step {
        match (std::mem::replace(&mut self.state, State::Gone), outcome) {
            (State::Swapping, _) if self.wanted => Step::of(self.ask(None, now)),
            (State::Swapping, _) => Step::of(self.end(Ok(()))),
            (State::Returning { .. }, CheckedIn::Done) => {
                Step { commands: self.end(Ok(())), returned: true, ..Step::default() }
            }
            (State::Returning { token, since }, CheckedIn::Failed(failure)) => {
                if now.since(since) >= RETURN_FOR || self.attempt >= TRIES {
                    let text = format!(
                        "cannot check in `{}`: {}; the seats return by themselves within an hour",
                        self.spec.name, failure.text
                    );
                    return Step::of(self.end(Err(Error::new(Code::Unavailable, text))));
                }
                let at = now.after(retry::delay(retry::SEAT, self.attempt, draw));
                self.attempt = self.attempt.saturating_add(1);
                self.state = State::ReturnAgain { token, since, at };
                Step::default()
            }
            (other, _) => {
                self.state = other;
                Step::default()
            }
        }
    }

    fn held(
        &mut self,
        old: Option<Held>,
        token: ConsumptionToken,
        expires: Timestamp,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        let proved = Some(Entitlement {
            name: self.spec.name.clone(),
            unit: self.spec.unit.clone(),
            value: None,
            max_count: None,
        });
        if !self.wanted {
            return Step { commands: vec![self.give_back(token, now)], proved, ..Step::default() };
        }
        let mut commands = Vec::new();
        if let Some(old) = old.filter(|old| old.token != token) {
            commands.push(Command::CheckIn { lease: self.id, token: old.token });
        }
        commands.extend(self.keep(token, expires, now, draw));
        if !self.answered {
            self.answered = true;
            commands.push(Command::SeatAnswer { lease: self.id, answer: Ok(expires) });
        }
        Step { commands, proved, ..Step::default() }
    }

    fn none_allowed(
        &mut self,
        old: Option<Held>,
        text: &str,
        contract: Option<&Contract>,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        if let Some(held) = old.filter(|held| held.expires > now) {
            if !self.wanted {
                return Step::of(vec![self.give_back(held.token, now)]);
            }
            // Our own seat may be the one that fills the pool: give it back, then ask again.
            self.state = State::Swapping;
            self.client_token = draw.client_token();
            return Step::of(vec![Command::CheckIn { lease: self.id, token: held.token }]);
        }
        if self.answered {
            return self.lose(format!("lost `{}` x{}: {text}", self.spec.name, self.count));
        }
        let error = self.why_none(text, contract);
        Step::of(self.refuse(error))
    }

    /// AWS has one exception for "not bought" and "all taken"; what the license says tells them apart.
    fn why_none(&self, text: &str, contract: Option<&Contract>) -> Error {
        let name = &self.spec.name;
        let bought = contract.map(|c| c.entitlements.iter().find(|e| e.name == *name));
        match bought {
            Some(Some(Entitlement { max_count: Some(max), .. })) if self.count > *max => {
                Error::new(
                    Code::NotEntitled,
                    format!(
                        "cannot check out {} of `{name}`: the contract has {max}; buy more in AWS Marketplace",
                        self.count
                    ),
                )
            }
            Some(Some(Entitlement { max_count: Some(max), .. })) => Error::new(
                Code::NoSeat,
                format!(
                    "every seat of `{name}` is taken: the contract has {max}; wait for one, or buy more in AWS Marketplace"
                ),
            ),
            Some(None) => Error::new(
                Code::NotEntitled,
                format!("the contract has no `{name}`; buy it in AWS Marketplace"),
            ),
            _ => Error::new(
                Code::NoSeat,
                format!(
                    "no seat of `{name}`: either it was not bought or every seat is taken ({text}); check Granted licenses in AWS License Manager"
                ),
            ),
        }
    }

    fn failed(
        &mut self,
        old: Option<Held>,
        failure: Failure,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        self.in_doubt |= failure.class == FailureClass::Unknown;
        self.attempt = self.attempt.saturating_add(1);
        if let Some(held) = &old {
            if held.expires <= now {
                return self
                    .lose(format!("lost `{}` x{}: {}", self.spec.name, self.count, failure.text));
            }
        } else if self.answered {
            // Between giving back and taking: there is nothing left that could expire.
            if self.attempt >= TRIES {
                return self
                    .lose(format!("lost `{}` x{}: {}", self.spec.name, self.count, failure.text));
            }
        }
        let mut commands = Vec::new();
        if !self.answered && self.attempt >= TRIES {
            let error = Error::new(
                Code::Unavailable,
                format!("cannot check out `{}`: {}; try again", self.spec.name, failure.text),
            );
            if !self.in_doubt {
                return Step::of(self.refuse(error));
            }
            self.answered = true;
            self.wanted = false;
            commands.push(Command::SeatAnswer { lease: self.id, answer: Err(error) });
        }
        if !self.wanted && old.is_none() && (!self.in_doubt || now.since(self.begun) >= RECLAIM_FOR)
        {
            commands.extend(self.end(Ok(())));
            return Step::of(commands);
        }
        let mut at = now.after(retry::delay(retry::SEAT, self.attempt, draw));
        if let Some(held) = &old {
            at = at.min(held.expires);
        }
        self.state = State::AskAgain { old, at };
        Step::of(commands)
    }

    /// Seats are ours until `expires`: durable, and to be extended at 75 to 92 percent of their time.
    fn keep(
        &mut self,
        token: ConsumptionToken,
        expires: Timestamp,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Vec<Command> {
        let life = expires.since(now);
        let extend_at = now.after(life / 4 * 3 + draw.up_to(life / 6));
        let entry = Entry::LeaseHeld { lease: self.id, token: token.clone(), expires };
        self.attempt = 0;
        self.in_doubt = false;
        self.state = State::Held(Held { token, expires, extend_at });
        vec![
            Command::Commit(vec![entry]),
            Command::SeatState { lease: self.id, expires: Some(expires) },
        ]
    }

    fn ask(&mut self, old: Option<Held>, now: Timestamp) -> Vec<Command> {
        self.begun = now;
        self.state = State::Asking { old };
        let entry = Entry::LeaseBegun { lease: self.id, client_token: self.client_token.clone() };
        vec![Command::Commit(vec![entry]), self.check_out()]
    }

    fn check_out(&self) -> Command {
        Command::CheckOut {
            lease: self.id,
            want: Entitlement {
                name: self.spec.name.clone(),
                unit: self.spec.unit.clone(),
                value: Some(self.count.to_string()),
                max_count: None,
            },
            token: self.client_token.clone(),
        }
    }

    fn give_back(&mut self, token: ConsumptionToken, since: Timestamp) -> Command {
        self.state = State::Returning { token: token.clone(), since };
        Command::CheckIn { lease: self.id, token }
    }

    /// The first answer is a no.
    fn refuse(&mut self, error: Error) -> Vec<Command> {
        self.answered = true;
        let mut commands = vec![Command::SeatAnswer { lease: self.id, answer: Err(error) }];
        commands.extend(self.end(Ok(())));
        commands
    }

    fn lose(&mut self, text: String) -> Step {
        let commands = self.end(Ok(()));
        Step { commands, lost: self.wanted.then_some(text), ..Step::default() }
    }

    fn end(&mut self, answer: Result<(), Error>) -> Vec<Command> {
        self.state = State::Gone;
        vec![
            Command::Commit(vec![Entry::LeaseEnded(self.id)]),
            Command::SeatState { lease: self.id, expires: None },
            Command::SeatReturned { lease: self.id, answer },
        ]
    }
}

#[cfg(test)]
mod tests;
