//! What the contract says of the verdict.
//!
//! Six ways not to be licensed have six reasons, and each text tells the buyer what to do. T45

use super::{Finding, Recheck};
use crate::{
    machine::{proof::pending_reason, verdict::Part},
    model::{
        license::{Contract, Reason, Standing, Verdict},
        outcome::{Failure, FailureClass},
        time::Timestamp,
    },
};
use std::time::Duration;

impl Recheck {
    /// What the contract says of the verdict.
    #[must_use]
    pub fn part(&self, now: Timestamp) -> Part {
        let contract = match &self.known {
            None => return self.unknown(now),
            Some(Finding::Nothing(text)) => return denied(Reason::NotEntitled, text.clone()),
            Some(Finding::Has { contract, .. }) => contract,
        };
        if let Some(part) = refused(contract) {
            return part;
        }
        if let Some(end) = contract.expires.filter(|end| *end <= now && self.looked_at >= *end) {
            return ended(end);
        }
        match self.trouble() {
            Some(trouble) if !self.memory.ours() || self.memory.since(now) > self.stands() => {
                self.aged(contract, trouble, now)
            }
            _ => Part::licensed(contract.expires),
        }
    }

    /// Nothing is known: nobody has answered, or nobody may.
    fn unknown(&self, now: Timestamp) -> Part {
        if let Some(text) = &self.no_seat {
            return Part {
                verdict: Verdict::Pending,
                reason: Reason::NoSeat,
                text: no_seat(text),
                until: None,
            };
        }
        let Some(failure) = &self.failure else { return Part::starting() };
        let text = match (self.memory.recalled(), self.memory.confirmed()) {
            (Some(contract), Some(confirmed)) => {
                format!("{}; {}", advice(failure), self.why_no_grace(contract, confirmed, now))
            }
            _ => advice(failure),
        };
        Part { text, ..Part::pending(failure) }
    }

    /// Why what an earlier process knew does not stand in.
    fn why_no_grace(&self, contract: &Contract, confirmed: Timestamp, now: Timestamp) -> String {
        match contract.expires {
            _ if contract.standing != Standing::Usable => {
                format!("at {confirmed} AWS said that there is no license that can be used")
            }
            Some(end) if end <= now => format!("the license known before ended at {end}"),
            _ => format!("the license was confirmed last at {confirmed}, and no grace is left"),
        }
    }

    /// Why AWS has not confirmed what is known.
    fn trouble(&self) -> Option<(Reason, String)> {
        let failed = |failure: &Failure| (pending_reason(failure.class), advice(failure));
        if let Some(failure) = &self.failure {
            return Some(failed(failure));
        }
        if let Some(text) = &self.no_seat {
            return Some((Reason::NoSeat, no_seat(text)));
        }
        if self.doubt.is_some() {
            let text =
                "one answer of AWS said that rights were taken away; it is asked again".to_owned();
            return Some((Reason::Unreachable, text));
        }
        match &self.unread {
            Some(failure) => Some(failed(failure)),
            None if self.memory.ours() => None,
            None => Some((Reason::Unreachable, "AWS has not answered this process yet".to_owned())),
        }
    }

    /// AWS has not confirmed the contract for a while: grace, then nothing.
    fn aged(&self, contract: &Contract, (reason, text): (Reason, String), now: Timestamp) -> Part {
        let left = self.memory.left(self.grace(), now);
        let grace_ends = now.after(left);
        let ends = contract.expires.map_or(grace_ends, |end| end.min(grace_ends));
        if !left.is_zero() && now < ends {
            return Part {
                verdict: Verdict::Grace,
                reason,
                text: format!("{text}; running on grace until {ends}"),
                until: Some(ends),
            };
        }
        if let Some(end) = contract.expires.filter(|end| *end <= now) {
            return ended(end);
        }
        let since = self.memory.confirmed().unwrap_or(now);
        denied(Reason::Stale, format!("AWS has not confirmed the license since {since}: {text}"))
    }

    /// When the verdict changes by time alone.
    #[must_use]
    pub fn turns_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.trouble()?;
        let contract = self.contract()?;
        let age = self.memory.since(now);
        let fresh = (age <= self.stands())
            .then(|| now.after(self.stands() - age).after(Duration::from_millis(1)));
        let grace = self.memory.left(self.grace(), now);
        let grace_ends = (!grace.is_zero()).then(|| now.after(grace));
        let times = [fresh, grace_ends, contract.expires];
        times.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// How long one good answer needs no other.
    fn fresh(&self) -> Duration {
        self.plan.interval * 2
    }

    /// How long the last confirmation stands before it is grace.
    fn stands(&self) -> Duration {
        let unread_alone =
            self.unread.is_some() && self.failure.is_none() && self.no_seat.is_none();
        if unread_alone && self.doubt.is_none() {
            self.proof_stands() + self.fresh()
        } else {
            self.fresh()
        }
    }

    /// How long a proof by a seat stands. Asking for one at each look would take a seat from somebody each time.
    pub(super) fn proof_stands(&self) -> Duration {
        self.fresh().max(self.plan.grace / 4)
    }

    fn grace(&self) -> Duration {
        if self.memory.ours() { self.plan.grace.max(self.stands()) } else { self.plan.grace }
    }
}

/// AWS says that the license cannot be used.
fn refused(contract: &Contract) -> Option<Part> {
    let status = contract.status.as_ref().map_or_else(String::new, |s| format!(" (status `{s}`)"));
    match contract.standing {
        Standing::Usable => None,
        Standing::Expired => Some(denied(
            Reason::Expired,
            format!("the license has expired{status}; renew the agreement in AWS Marketplace"),
        )),
        Standing::Suspended => Some(denied(
            Reason::Suspended,
            format!(
                "the license is suspended or not activated{status}; check it under Granted licenses in AWS License Manager"
            ),
        )),
    }
}

fn ended(end: Timestamp) -> Part {
    denied(
        Reason::Expired,
        format!("the license ended at {end}; renew the agreement in AWS Marketplace"),
    )
}

fn no_seat(text: &str) -> String {
    format!(
        "no seat can be had, so that nothing shows the contract: either it was not bought or every seat is taken; return a \
         seat, check Granted licenses in AWS License Manager, or allow `license-manager:ListReceivedLicenses` ({text})"
    )
}

/// A failure, with the next step where its own text has none.
fn advice(failure: &Failure) -> String {
    let text = &failure.text;
    match failure.class {
        FailureClass::AccessDenied => text.clone(), // names the action and what to allow
        FailureClass::Throttled => format!("{text}; it is asked again by itself"),
        FailureClass::NotSent | FailureClass::Unknown => format!(
            "{text}; it is asked again by itself, and if this lasts, check the network from here to AWS License Manager"
        ),
    }
}

fn denied(reason: Reason, text: String) -> Part {
    Part { verdict: Verdict::Denied, reason, text, until: None }
}
