//! Errors of kind `retry`: the same call may succeed later.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{CHECK_OUT, CONTRACT, GRANT_STATUS, HOURLY, INTEGRATION},
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "pending",
        what: "AWS has not answered yet. That is neither yes nor no, and never counts as licensed.",
        why: &[
            "The product has just started.",
            "AWS cannot be reached or throttles: many tasks that start together share one limit of the account.",
            "A permission is missing for the contract, so that nobody can answer.",
        ],
        buyer: "Wait some minutes. If it stays, check that the task or pod reaches AWS (DNS, routes, endpoints, proxy), and \
                look at the reason that stands beside it.",
        seller: "Ask `require` again, or wait for `verdict_changed`. `startup_pending` decides whether `init` waits with a \
                 live guard or fails; AWS asks that throttling does not stop a product.",
        pages: &[HOURLY, INTEGRATION],
        see: &["unreachable", "throttled", "starting", "verdict_changed"],
        ..PLAIN
    },
    Meaning {
        word: "timed_out",
        what: "The time given to the call is over. What goes on behind it is not lost.",
        why: &[
            "No seat came free within the timeout of `check_out`.",
            "AWS was slow; seats or units that it gives later serve the next call.",
        ],
        buyer: "Try again; if all seats are in use, return one or buy more in AWS Marketplace.",
        seller: "Call again, or give more time. For draws: nothing was booked, do not start the work.",
        see: &["no_seat", "seats_exhausted", "unavailable"],
        ..PLAIN
    },
    Meaning {
        word: "unavailable",
        what: "AWS cannot be reached, or asked to wait, more often than the call was willing to try. Nothing was given.",
        why: &[
            "No route, no DNS, a proxy or a firewall between the task and AWS.",
            "A call that AWS limits: it was asked too often in this account.",
            "For draws: the state directory cannot be written, or an earlier draw is still in doubt.",
        ],
        buyer: "Check that the task or pod reaches AWS License Manager in its Region.",
        seller: "Try again later. For draws: nothing was booked, do not start the work.",
        aws: &["RateLimitExceededException", "ServerInternalException"],
        pages: &[CONTRACT],
        see: &["unreachable", "throttled", "drawdown_disputed"],
    },
    Meaning {
        word: "no_seat",
        what: "Every seat of the contract is taken, or none was bought. AWS has one answer for both; the text says which \
               when the license can be read.",
        why: &[
            "Other users, tasks or pods hold the seats.",
            "A task died less than an hour ago on another machine: AWS frees its seats when their hour is over.",
            "The contract does not have this entitlement, or its grant is not active.",
        ],
        buyer: "Wait, end a session that is not needed, or buy more seats in AWS Marketplace. If you have bought seats, see \
                that the license is active under Granted licenses in AWS License Manager.",
        seller: "Show it and let the user wait; `seats_available` says when there are seats again. Allow \
                 `license-manager:ListReceivedLicenses`, so that the two cases can be told apart (`mpguard policy`).",
        aws: &["NoEntitlementsAllowedException"],
        pages: &[CHECK_OUT, CONTRACT, GRANT_STATUS],
        see: &["seats_exhausted", "seats_available", "not_entitled", "timed_out"],
    },
    Meaning {
        word: "deferred",
        what: "`shutdown` was called from inside a listener. It completes when the listener returns.",
        why: &["A listener cannot wait for its own end."],
        seller: "Return from the listener; nothing else is needed. Call `shutdown` from another thread to get its report.",
        see: &["shut_down"],
        ..PLAIN
    },
];
