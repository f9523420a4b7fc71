//! Numbers of the header: status, event kinds, verdicts.
//!
//! They are written out because cbindgen reads literals. A test holds them against the core, and
//! `tests/abi/numbers` against the past: numbers are only ever added.

use mpguard_core::Verdict;

/// Success.
pub const MPGUARD_OK: i32 = 0;

/// A `NULL`, a bad encoding, or a value out of range.
pub const MPGUARD_ERROR_INVALID_ARGUMENT: i32 = 101;
/// Unknown key, bad value, or keys that contradict each other.
pub const MPGUARD_ERROR_INVALID_CONFIG: i32 = 102;
/// The product has no such dimension.
pub const MPGUARD_ERROR_UNKNOWN_DIMENSION: i32 = 103;
/// Tags that AWS would refuse.
pub const MPGUARD_ERROR_INVALID_TAG: i32 = 104;
/// The configuration names no such entitlement.
pub const MPGUARD_ERROR_UNKNOWN_ENTITLEMENT: i32 = 105;
/// Negative, or more than a counter can hold. Nothing was counted.
pub const MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE: i32 = 106;
/// `add` on a level, or `set` on a sum. Nothing was counted.
pub const MPGUARD_ERROR_WRONG_METER_KIND: i32 = 107;
/// The handle was freed, or never was one.
pub const MPGUARD_ERROR_STALE_HANDLE: i32 = 108;
/// The guard was shut down.
pub const MPGUARD_ERROR_SHUT_DOWN: i32 = 109;
/// AWS has not answered yet.
pub const MPGUARD_ERROR_PENDING: i32 = 201;
/// The time given to the call is over.
pub const MPGUARD_ERROR_TIMED_OUT: i32 = 202;
/// AWS cannot be reached, or asked to wait.
pub const MPGUARD_ERROR_UNAVAILABLE: i32 = 203;
/// Every seat of the contract is taken.
pub const MPGUARD_ERROR_NO_SEAT: i32 = 204;
/// `shutdown` was called from a listener and completes when the listener returns.
pub const MPGUARD_ERROR_DEFERRED: i32 = 205;
/// No valid subscription or license.
pub const MPGUARD_ERROR_NOT_ENTITLED: i32 = 301;
/// The role of the task or pod lacks a permission.
pub const MPGUARD_ERROR_ACCESS_DENIED: i32 = 302;
/// Not an ECS task or EKS pod.
pub const MPGUARD_ERROR_PLATFORM_NOT_SUPPORTED: i32 = 303;
/// The call went to another Region than the task's.
pub const MPGUARD_ERROR_INVALID_REGION: i32 = 304;
/// Product code or key version unknown to AWS.
pub const MPGUARD_ERROR_INVALID_PRODUCT: i32 = 305;
/// The signed answer does not verify.
pub const MPGUARD_ERROR_SIGNATURE_INVALID: i32 = 306;
/// The license has ended, or was suspended.
pub const MPGUARD_ERROR_LICENSE_ENDED: i32 = 307;
/// The contract's prepaid units are used up.
pub const MPGUARD_ERROR_EXHAUSTED: i32 = 308;
/// The state directory cannot be used.
pub const MPGUARD_ERROR_STORAGE: i32 = 401;
/// A thread could not be started.
pub const MPGUARD_ERROR_THREAD: i32 = 402;
/// A bug in mpguard; the host goes on.
pub const MPGUARD_ERROR_INTERNAL: i32 = 501;

/// The verdict changed.
pub const MPGUARD_EVENT_VERDICT_CHANGED: i32 = 101;
/// More rights: a higher tier or more seats.
pub const MPGUARD_EVENT_LICENSE_UPGRADED: i32 = 201;
/// Fewer rights, confirmed by a second answer.
pub const MPGUARD_EVENT_LICENSE_DOWNGRADED: i32 = 202;
/// A later end, or a new version with the same rights.
pub const MPGUARD_EVENT_LICENSE_RENEWED: i32 = 203;
/// The end is near.
pub const MPGUARD_EVENT_LICENSE_EXPIRING: i32 = 204;
/// The license has ended.
pub const MPGUARD_EVENT_LICENSE_EXPIRED: i32 = 205;
/// The license was suspended, deactivated or deleted.
pub const MPGUARD_EVENT_LICENSE_SUSPENDED: i32 = 206;
/// A seat could not be kept.
pub const MPGUARD_EVENT_SEAT_LOST: i32 = 301;
/// A check out has to wait, because every seat of the contract is taken.
pub const MPGUARD_EVENT_SEATS_EXHAUSTED: i32 = 302;
/// There are seats again.
pub const MPGUARD_EVENT_SEATS_AVAILABLE: i32 = 303;
/// Usage moved to a later hour.
pub const MPGUARD_EVENT_USAGE_CARRIED: i32 = 401;
/// Fate of a record unknown when its window closed.
pub const MPGUARD_EVENT_USAGE_DISPUTED: i32 = 402;
/// AWS refuses a record until the set-up is repaired.
pub const MPGUARD_EVENT_USAGE_HELD: i32 = 403;
/// A level's hour can no longer be reported.
pub const MPGUARD_EVENT_USAGE_MISSED: i32 = 404;
/// Records do not get through.
pub const MPGUARD_EVENT_METERING_OUTAGE: i32 = 405;
/// Records get through again.
pub const MPGUARD_EVENT_METERING_RECOVERED: i32 = 406;
/// Carried usage went out with an hour of another month.
pub const MPGUARD_EVENT_USAGE_CROSSED_MONTH: i32 = 407;
/// AWS says that the product's public key version has expired: rebuild the image with the new one.
pub const MPGUARD_EVENT_KEY_ROTATION: i32 = 501;
/// The product's public key is shorter than 2048 bits.
pub const MPGUARD_EVENT_WEAK_KEY: i32 = 502;
/// A permission is missing that a check would need.
pub const MPGUARD_EVENT_PERMISSION_MISSING: i32 = 503;
/// Usage is kept in a place that a restart may lose.
pub const MPGUARD_EVENT_STORAGE_WEAK: i32 = 504;
/// This computer's clock is wrong; billing follows AWS's.
pub const MPGUARD_EVENT_CLOCK_SKEW: i32 = 505;
/// A broken file of the state directory was set aside.
pub const MPGUARD_EVENT_STORAGE_QUARANTINED: i32 = 506;
/// Another ledger of the same task exists.
pub const MPGUARD_EVENT_LEDGER_SPLIT: i32 = 507;
/// The process that leads the task does not move.
pub const MPGUARD_EVENT_LEADER_STALLED: i32 = 508;
/// The contract has an entitlement in another unit than the configuration says; the contract's is used.
pub const MPGUARD_EVENT_UNIT_MISMATCH: i32 = 509;
/// The account has several usable licenses of the product; one is chosen by rule.
pub const MPGUARD_EVENT_SEVERAL_LICENSES: i32 = 510;
/// The kept answer about the contract cannot be used: damaged, changed or another's.
pub const MPGUARD_EVENT_LICENSE_CACHE_REFUSED: i32 = 511;
/// Few prepaid units are left.
pub const MPGUARD_EVENT_DRAWDOWN_LOW: i32 = 601;
/// The prepaid units are used up.
pub const MPGUARD_EVENT_DRAWDOWN_EXHAUSTED: i32 = 602;
/// Nobody can tell whether AWS has taken the units of a draw; they are not drawn again.
pub const MPGUARD_EVENT_DRAWDOWN_DISPUTED: i32 = 603;

/// AWS has not answered yet. Unknown is never licensed.
pub const MPGUARD_VERDICT_PENDING: i32 = 1;
/// AWS said yes.
pub const MPGUARD_VERDICT_LICENSED: i32 = 2;
/// AWS said yes, but its last answer is older than it should be.
pub const MPGUARD_VERDICT_GRACE: i32 = 3;
/// AWS said no, or the license has ended.
pub const MPGUARD_VERDICT_DENIED: i32 = 4;

/// A waiting time without end, where one is allowed.
pub const MPGUARD_FOREVER: i64 = -1;

/// The number of a verdict. 0 is none: what an accessor gives for a handle that is none.
pub(crate) fn verdict(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::Pending => MPGUARD_VERDICT_PENDING,
        Verdict::Licensed => MPGUARD_VERDICT_LICENSED,
        Verdict::Grace => MPGUARD_VERDICT_GRACE,
        Verdict::Denied => MPGUARD_VERDICT_DENIED,
    }
}

/// An amount as C sees it.
pub(crate) fn count(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// The number of an event kind; the core gives them explicitly.
#[expect(clippy::as_conversions, reason = "a fieldless enum has no other way to its number")]
pub(crate) fn event_kind(kind: mpguard_core::EventKind) -> i32 {
    kind as i32
}

#[cfg(test)]
mod tests {
    use crate::fence::number_of;
    use mpguard_core::{Code, EventKind};

    /// Every constant of this file with `prefix`, in order.
    fn constants(prefix: &str) -> Vec<(String, i32)> {
        include_str!("number.rs")
            .lines()
            .filter_map(|line| {
                line.strip_prefix("pub const ")?.strip_prefix(prefix)?.split_once(": i32 = ")
            })
            .map(|(name, number)| {
                (name.to_owned(), number.trim_end_matches(';').parse().expect("a number"))
            })
            .collect()
    }

    #[test]
    fn each_code_of_the_core_has_its_constant() {
        let core: Vec<_> =
            Code::ALL.iter().map(|code| (code.as_str().to_owned(), number_of(*code))).collect();
        assert_eq!(constants("MPGUARD_ERROR_"), core);
    }

    #[test]
    fn each_event_kind_of_the_core_has_its_constant() {
        let core: Vec<_> = EventKind::ALL
            .iter()
            .map(|kind| (kind.as_str().to_uppercase(), super::event_kind(*kind)))
            .collect();
        assert_eq!(constants("MPGUARD_EVENT_"), core);
    }
}
