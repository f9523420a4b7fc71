//! Usage: how a dimension counts, and the records that go to AWS.

use super::{
    ids::{ClientToken, Dimension, RecordId, SeriesId},
    quantity::{Raw, Scale, Units},
    time::{Hour, Timestamp},
};
use std::collections::{BTreeMap, BTreeSet};

/// How the values of one hour become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Values add up; late ones are carried to a later hour.
    Sum,
    /// The largest value of the hour; late ones are missed.
    Max,
    /// The last value of the hour; late ones are missed.
    Last,
}

impl Kind {
    /// True for `Max` and `Last`, which are levels of one hour and never move to another.
    ///
    /// Free trial and prepaid entitlement are tracked hourly, so two hours' levels in one record would
    /// overcharge the buyer. Source: Seller Guide, custom metering for container products.
    #[must_use]
    pub fn is_level(self) -> bool {
        !matches!(self, Kind::Sum)
    }

    /// The word used in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Sum => "sum",
            Kind::Max => "max",
            Kind::Last => "last",
        }
    }
}

/// One pricing dimension as the seller describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimensionSpec {
    /// API name of the dimension.
    pub name: Dimension,
    /// How values of an hour combine.
    pub kind: Kind,
    /// Raw counts in one billed unit; the remainder stays for a later hour.
    pub per_unit: u64,
    /// Decimals of the billed quantity, 0 to 6.
    pub fraction_digits: u32,
    /// Most units that one hour may bill; what is above moves to later hours.
    pub ceiling: Option<u64>,
}

impl DimensionSpec {
    /// How raw counts become units.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale::new(self.per_unit, self.fraction_digits)
    }
}

/// Tags of one usage allocation, sorted by key.
pub type Tags = BTreeMap<String, String>;

/// A counter's place: which dimension, which tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// API name of the dimension.
    pub dimension: Dimension,
    /// Empty for the untagged counter.
    pub tags: Tags,
}

/// A closed slab: its values are final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Its number. Numbers only grow.
    pub sequence: u64,
    /// The hour that it is labelled with.
    pub hour: Hour,
    /// The label was given before AWS's time was known.
    pub provisional: bool,
    /// Raw counts by counter; counters at zero are left out.
    pub values: BTreeMap<SeriesId, Raw>,
}

/// Counts of one counter in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lot {
    /// When they were counted.
    pub hour: Hour,
    /// By which counter.
    pub series: SeriesId,
}

/// Raw counts, by hour and counter.
pub type Lots = BTreeMap<Lot, Raw>;

/// One usage record with everything that its bytes depend on. It never changes after the freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Our number for it.
    pub id: RecordId,
    /// API name of the dimension.
    pub dimension: Dimension,
    /// The hour whose slot it takes at AWS.
    pub hour: Hour,
    /// What `Timestamp` says: the last second of the hour, or the moment of shutdown.
    pub timestamp: Timestamp,
    /// Billed units.
    pub units: Units,
    /// Units by tag set; empty when no tags were used.
    pub allocations: Vec<Allocation>,
    /// Sent with every attempt.
    pub client_token: ClientToken,
    /// Raw counts inside, by hour and counter, so that a refused record can give them back.
    pub parts: Lots,
}

impl Record {
    /// Raw counts inside.
    #[must_use]
    pub fn raw(&self) -> Raw {
        self.parts.values().sum()
    }

    /// Other hours that a part of it was counted in, oldest first.
    #[must_use]
    pub fn carried_from(&self) -> BTreeSet<Hour> {
        self.parts.keys().map(|lot| lot.hour).filter(|hour| *hour != self.hour).collect()
    }
}

/// Part of a record that belongs to one tag set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Billed units of this tag set.
    pub units: Units,
    /// Empty for the untagged part.
    pub tags: Tags,
}

/// Where every raw count of a dimension is. `added` is the sum of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// API name of the dimension.
    pub dimension: String,
    /// Everything that `add` returned success for.
    pub added: Raw,
    /// In the running hour.
    pub open: Raw,
    /// Of an ended hour, frozen or carried, not yet answered for.
    pub pending: Raw,
    /// Recorded by AWS.
    pub delivered: Raw,
    /// Fate unknown when the window closed: neither resent nor forgotten.
    pub disputed: Raw,
    /// Refused by AWS until somebody repairs the set-up.
    pub held: Raw,
    /// Levels whose hour can no longer be reported.
    pub missed: Raw,
}

impl Account {
    /// Adds what another process of the task has.
    pub fn add(&mut self, other: &Account) {
        self.added += other.added;
        self.open += other.open;
        self.pending += other.pending;
        self.delivered += other.delivered;
        self.disputed += other.disputed;
        self.held += other.held;
        self.missed += other.missed;
    }

    /// True when every count is in exactly one place.
    #[must_use]
    pub fn balances(&self) -> bool {
        let places =
            [self.open, self.pending, self.delivered, self.disputed, self.held, self.missed];
        places.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part)) == Some(self.added)
    }
}
