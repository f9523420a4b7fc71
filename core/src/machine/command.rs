//! What a machine may wish.

use crate::{
    error::Error,
    event::EventKind,
    model::{
        entry::Entry,
        ids::{ClientToken, ConsumptionToken, DrawId, EntitlementName, Identity, LeaseId, SeatId},
        license::{Entitlement, License, Remembered},
        time::{Hour, Timestamp},
        usage::Record,
    },
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// One wish. They are carried out in the order in which they leave.
#[derive(Clone, Debug)]
pub enum Command {
    /// Find out who we are.
    Identify,
    /// Call `RegisterUsage`.
    Register,
    /// Open the state of this identity; `None` when nobody knows who we are. Brings `Opened`.
    Open(Option<Identity>),
    /// Call `MeterUsage` as a dry run.
    CheckUsage,
    /// Send a zero record of the probe dimension. Brings `Permitted` as the dry run does.
    ProbeUsage,
    /// Ask which tiers were bought.
    AskTiers {
        /// All configured tiers.
        want: Vec<EntitlementName>,
        /// Token of this question.
        token: ClientToken,
    },
    /// Read the license.
    AskDetails {
        /// Its ARN, when known.
        license_arn: Option<String>,
    },
    /// Make these durable before any later command.
    Commit(Vec<Entry>),
    /// Open the hour `next`, capture the running one and bring its values as `Captured`.
    Rotate {
        /// Label of the hour to open.
        next: Hour,
        /// The label is a guess.
        provisional: bool,
    },
    /// Put the label of the running hour right.
    Label {
        /// By AWS's time.
        hour: Hour,
    },
    /// Capture the running hour; nobody is left who counts.
    CloseCounters,
    /// Send a record.
    Send(Record),
    /// Take seats.
    CheckOut {
        /// Which lease.
        lease: LeaseId,
        /// What to take.
        want: Entitlement,
        /// Token of this check out, the same on every try.
        token: ClientToken,
    },
    /// Keep seats.
    Extend {
        /// Which lease.
        lease: LeaseId,
        /// Token to extend.
        token: ConsumptionToken,
    },
    /// Return seats.
    CheckIn {
        /// Which lease.
        lease: LeaseId,
        /// Token to check in.
        token: ConsumptionToken,
    },
    /// Make the engine's holdings durable before any later command. Brings `Kept`.
    KeepHoldings,
    /// Keep the contract for a start while License Manager does not answer; best effort.
    Remember(Box<Remembered>),
    /// Take prepaid units for good.
    DrawDown {
        /// What to take.
        want: Entitlement,
        /// Token of this draw, the same on every try.
        token: ClientToken,
    },
    /// Read how much of the license is consumed.
    AskConsumption {
        /// Its ARN.
        license_arn: String,
    },
    /// Tell the host what became of its wish for units: booked, or why not.
    UnitsAnswer {
        /// Which wish.
        draw: DrawId,
        /// Booked: the work may start.
        answer: Result<(), Error>,
    },
    /// Tell the host what became of its wish for seats.
    SeatAnswer {
        /// Which wish.
        seat: SeatId,
        /// When the seats return by themselves, or why there are none.
        answer: Result<Timestamp, Error>,
    },
    /// Seats were extended, lost (`None`) or returned (`None`).
    SeatState {
        /// Which seats.
        seat: SeatId,
        /// When they return by themselves.
        expires: Option<Timestamp>,
    },
    /// Tell the host that its check in has ended.
    SeatReturned {
        /// Which seats.
        seat: SeatId,
        /// `Unavailable` when AWS did not answer.
        answer: Result<(), Error>,
    },
    /// Show this license from now on.
    Publish(Arc<License>),
    /// Tell listeners.
    Announce(Notice),
    /// Nothing is left to do: the guard may end.
    Finished,
}

/// An event in the making.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What happened.
    pub kind: EventKind,
    /// State before.
    pub old: Arc<License>,
    /// State after.
    pub license: Arc<License>,
    /// What happened, on which thing, and the next step.
    pub text: String,
    /// More facts.
    pub details: Map<String, Value>,
}

/// A notice of which the engine fills in the states.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What happened.
    pub kind: EventKind,
    /// What happened, on which thing, and the next step.
    pub text: String,
    /// More facts.
    pub details: Map<String, Value>,
}

impl News {
    /// News without further facts.
    #[must_use]
    pub fn new(kind: EventKind, text: impl Into<String>) -> News {
        News { kind, text: text.into(), details: Map::new() }
    }

    /// The same with one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> News {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}
