//! Events: what changed, with the whole new state in each.

use crate::model::{license::License, time::Timestamp};
use serde_json::{Map, Value};
use std::sync::Arc;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $topic:ident;)+) => {
        /// What happened. Numbers are grouped by topic, explicit and never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum EventKind {
            $($(#[$doc])* $name = $number,)+
        }

        impl EventKind {
            /// Every kind, in the order of numbers.
            pub const ALL: &[EventKind] = &[$(EventKind::$name),+];

            /// The word used in every language.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(EventKind::$name => $text,)+ }
            }

            /// What the event is about; of each topic, and subject of it, only the newest event is kept for a slow listener.
            #[must_use]
            pub fn topic(self) -> Topic {
                match self { $(EventKind::$name => Topic::$topic,)+ }
            }
        }
    };
}

kinds! {
    /// The verdict changed.
    VerdictChanged = 101, "verdict_changed", Verdict;

    /// More rights: a higher tier or more seats.
    LicenseUpgraded = 201, "license_upgraded", License;
    /// Fewer rights, confirmed by a second answer.
    LicenseDowngraded = 202, "license_downgraded", License;
    /// A later end, or a new version with the same rights.
    LicenseRenewed = 203, "license_renewed", License;
    /// The end is near.
    LicenseExpiring = 204, "license_expiring", License;
    /// The license has ended.
    LicenseExpired = 205, "license_expired", License;
    /// The license was suspended, deactivated or deleted.
    LicenseSuspended = 206, "license_suspended", License;

    /// A seat could not be kept.
    SeatLost = 301, "seat_lost", Seat;
    /// A check out has to wait, because every seat of the contract is taken.
    SeatsExhausted = 302, "seats_exhausted", Seat;
    /// There are seats again.
    SeatsAvailable = 303, "seats_available", Seat;

    /// Usage moved to a later hour.
    UsageCarried = 401, "usage_carried", Metering;
    /// Fate of a record unknown when its window closed.
    UsageDisputed = 402, "usage_disputed", Metering;
    /// AWS refuses a record until the set-up is repaired.
    UsageHeld = 403, "usage_held", Metering;
    /// A level's hour can no longer be reported.
    UsageMissed = 404, "usage_missed", Metering;
    /// Records do not get through.
    MeteringOutage = 405, "metering_outage", Outage;
    /// Records get through again.
    MeteringRecovered = 406, "metering_recovered", Outage;
    /// Carried usage went out with an hour of another month.
    UsageCrossedMonth = 407, "usage_crossed_month", Metering;

    /// AWS says that the product's public key version has expired: rebuild the image with the new one.
    KeyRotation = 501, "key_rotation", Setup;
    /// The product's public key is shorter than 2048 bits.
    WeakKey = 502, "weak_key", Setup;
    /// A permission is missing that a check would need.
    PermissionMissing = 503, "permission_missing", Setup;
    /// Usage is kept in a place that a restart may lose.
    StorageWeak = 504, "storage_weak", Storage;
    /// This computer's clock is wrong; billing follows AWS's.
    ClockSkew = 505, "clock_skew", Setup;
    /// A broken file of the state directory was set aside.
    StorageQuarantined = 506, "storage_quarantined", Storage;
    /// Another ledger of the same task exists.
    LedgerSplit = 507, "ledger_split", Storage;
    /// The process that leads the task does not move.
    LeaderStalled = 508, "leader_stalled", Storage;
    /// The contract has an entitlement in another unit than the configuration says; the contract's is used.
    UnitMismatch = 509, "unit_mismatch", Setup;
    /// The account has several usable licenses of the product; one is chosen by rule.
    SeveralLicenses = 510, "several_licenses", Setup;
    /// The kept answer about the contract cannot be used: damaged, changed or another's.
    LicenseCacheRefused = 511, "license_cache_refused", Storage;

    /// Few prepaid units are left.
    DrawdownLow = 601, "drawdown_low", Drawdown;
    /// The prepaid units are used up.
    DrawdownExhausted = 602, "drawdown_exhausted", Drawdown;
    /// Nobody can tell whether AWS has taken the units of a draw; they are not drawn again.
    DrawdownDisputed = 603, "drawdown_disputed", Drawdown;
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The folded verdict.
    Verdict,
    /// The contract's license.
    License,
    /// Seats held.
    Seat,
    /// Fates of usage records.
    Metering,
    /// Whether records get through at all.
    Outage,
    /// What the seller or buyer should repair.
    Setup,
    /// Where usage is kept.
    Storage,
    /// Prepaid units.
    Drawdown,
}

impl Topic {
    /// The word used in every language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::Verdict => "verdict",
            Topic::License => "license",
            Topic::Seat => "seat",
            Topic::Metering => "metering",
            Topic::Outage => "outage",
            Topic::Setup => "setup",
            Topic::Storage => "storage",
            Topic::Drawdown => "drawdown",
        }
    }
}

/// One event. It carries the whole new state, so a listener never has to add events up.
#[derive(Clone, Debug)]
pub struct Event {
    /// Grows by one with each event of a guard.
    pub sequence: u64,
    /// What happened.
    pub kind: EventKind,
    /// State before.
    pub old: Arc<License>,
    /// State after.
    pub license: Arc<License>,
    /// What happened, on which thing, and the next step.
    pub text: String,
    /// When, by the guard's clock.
    pub time: Timestamp,
    /// More of this kind's facts: `dimension`, `hour_ms`, `units`, `entitlement` and others.
    pub details: Map<String, Value>,
}

impl Event {
    /// What of its topic the event is about, where that is one of many: a seat, an entitlement, an operation.
    ///
    /// Of each topic and subject the newest event is kept for a slow listener: two lost seats are two events.
    #[must_use]
    pub fn subject(&self) -> Option<&Value> {
        ["seat", "entitlement", "operation"].iter().find_map(|name| self.details.get(*name))
    }

    /// True when `newer` takes its place in a queue that nobody reads: same topic, same subject.
    #[must_use]
    pub fn gives_way_to(&self, newer: &Event) -> bool {
        self.kind.topic() == newer.kind.topic() && self.subject() == newer.subject()
    }

    /// The JSON form that every language shares.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "sequence": self.sequence,
            "kind": self.kind.as_str(),
            "topic": self.kind.topic().as_str(),
            "subject": self.subject().map(plain),
            "old": self.old.to_json(),
            "license": self.license.to_json(),
            "text": self.text,
            "time_ms": self.time.0,
            "sandbox": self.license.sandbox,
            "details": self.details,
        })
    }
}

/// A text as it is, a number in digits.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
