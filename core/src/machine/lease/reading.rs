//! What others may know of a lease.

use super::{Lease, State};
use crate::model::{
    holdings::{Asking, Given, KeptLease},
    ids::ConsumptionToken,
    license::Entitlement,
    time::Timestamp,
};

impl Lease {
    /// What was asked for.
    #[must_use]
    pub fn want(&self) -> &Entitlement {
        &self.want
    }

    /// How many seats.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// True when AWS holds nothing by it.
    #[must_use]
    pub fn gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    /// True when nothing is left to do but to let its time end.
    #[must_use]
    pub fn settled(&self) -> bool {
        matches!(self.state, State::Gone | State::Left(_))
    }

    /// When the seats that are ours now return by themselves.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.given().map(|given| given.expires)
    }

    /// Token of the seats that are ours now.
    #[must_use]
    pub fn token(&self) -> Option<&ConsumptionToken> {
        self.given().map(|given| &given.token)
    }

    /// Until when these seats may be given to somebody new, when they are ours.
    #[must_use]
    pub fn use_until(&self) -> Option<Timestamp> {
        match &self.state {
            State::Held(held) | State::Extending(held) => Some(held.use_until),
            _ => None,
        }
    }

    /// True when AWS may hold its seats.
    #[must_use]
    pub fn may_be_held(&self, now: Timestamp) -> bool {
        self.given().is_some_and(|given| self.may_hold(given, now))
    }

    /// True when nothing but a check out is left of it.
    #[must_use]
    pub fn asks(&self) -> bool {
        matches!(self.state, State::Asking { old: None, .. })
    }

    /// True when a try of the check out is on its way.
    #[must_use]
    pub fn on_its_way(&self) -> bool {
        matches!(self.state, State::Asking { at: None, .. })
    }

    /// True when its seats are held and no call is on its way: it may be given back.
    #[must_use]
    pub fn rests(&self) -> bool {
        matches!(self.state, State::Held(_))
    }

    /// True while its seats are on their way back.
    #[must_use]
    pub fn returning(&self) -> bool {
        matches!(self.state, State::Returning { .. })
    }

    /// True while seats that were ours are at AWS for a moment: nobody else of us should take them.
    #[must_use]
    pub fn swapping(&self) -> bool {
        match &self.state {
            State::Swapping { .. } => true,
            State::Asking { ask, .. } => ask.anew.is_some(),
            _ => false,
        }
    }

    /// When the check out that gave these seats was first sent.
    #[must_use]
    pub fn asked_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Held(held) => held.asked_at,
            _ => None,
        }
    }

    /// What must outlive the process.
    #[must_use]
    pub fn kept(&self) -> Option<KeptLease> {
        let asking = match &self.state {
            State::Asking { ask, at, .. } if at.is_none() || ask.in_doubt => {
                Some(Asking { client_token: ask.token.clone(), begun: ask.begun })
            }
            _ => None,
        };
        let returning =
            matches!(self.state, State::Swapping { .. } | State::Returning { .. } | State::Left(_));
        let given = self.given().map(|given| Given { returning, ..given.clone() });
        (asking.is_some() || given.is_some()).then(|| KeptLease {
            entitlement: self.want.name.clone(),
            unit: self.want.unit.clone(),
            count: self.count,
            asking,
            given,
        })
    }

    /// The clock has jumped by this much. Times that AWS gave stay.
    pub fn shift(&mut self, ms: i64) {
        let shift = |at: &mut Timestamp| *at = at.shifted(ms);
        match &mut self.state {
            State::Asking { ask, at, .. } => {
                shift(&mut ask.begun);
                ask.anew.iter_mut().for_each(shift);
                at.iter_mut().for_each(shift);
            }
            State::Swapping { back, .. } | State::Returning { back, .. } => {
                shift(&mut back.since);
                back.at.iter_mut().for_each(shift);
            }
            // Reckoned from AWS's times.
            State::Held(_) | State::Extending(_) | State::Left(_) | State::Gone => {}
        }
    }
}
