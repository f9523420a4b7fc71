//! AWS's last no to a draw, which tells for a moment how much is not worth asking for.

use crate::{
    error::{Code, Error},
    machine::drawdown::texts,
    model::{ids::EntitlementName, time::Timestamp},
};
use std::time::Duration;

/// How long a no is believed.
const STANDS_FOR: Duration = Duration::from_secs(10);
/// So many are refused by AWS before its no stands for later ones too: a product that asks in a loop, with its units
/// used up, must not call AWS as fast as it can.
const ASKED: u32 = 5;

/// AWS's last no.
#[derive(Clone, Debug)]
pub(in crate::machine::drawdown) struct Refused {
    /// So much was asked for.
    pub(in crate::machine::drawdown) quantity: u64,
    /// How often AWS has said no since its noes were forgotten last.
    pub(in crate::machine::drawdown) times: u32,
    no: (Code, String),
    /// What was bought then: after an upgrade it is asked anew.
    bought: Option<u64>,
    until: Timestamp,
}

impl Refused {
    pub(in crate::machine::drawdown) fn new(
        quantity: u64,
        no: (Code, String),
        bought: Option<u64>,
        times: u32,
        now: Timestamp,
    ) -> Refused {
        Refused { quantity, times, no, bought, until: now.after(STANDS_FOR) }
    }

    /// True when it is worth nothing any more.
    pub(in crate::machine::drawdown) fn over(&self, bought: Option<u64>, now: Timestamp) -> bool {
        self.until <= now || self.bought != bought
    }

    /// True when so much need not be asked for.
    pub(in crate::machine::drawdown) fn refuses(&self, quantity: u64, now: Timestamp) -> bool {
        quantity >= self.quantity && now < self.until
    }

    /// True when wishes are refused without a call.
    pub(in crate::machine::drawdown) fn stands(&self, now: Timestamp) -> bool {
        self.times >= ASKED && now < self.until
    }

    /// True when the units are used up, as far as one can tell.
    pub(in crate::machine::drawdown) fn exhausted(&self) -> bool {
        self.no.0 == Code::Exhausted
    }

    pub(in crate::machine::drawdown) fn error(
        &self,
        name: &EntitlementName,
        quantity: u64,
    ) -> Error {
        let (code, why) = &self.no;
        texts::refused(*code, name, quantity, why)
    }

    pub(in crate::machine::drawdown) fn why(&self) -> &str {
        &self.no.1
    }

    pub(in crate::machine::drawdown) fn shift(&mut self, ms: i64) {
        self.until = self.until.shifted(ms);
    }
}
