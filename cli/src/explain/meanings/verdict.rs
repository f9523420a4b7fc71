//! Verdicts, reasons that are no errors too, and the event that tells of them.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{
        ANYWHERE, CONTRACT, GRANT_ACCEPTANCE, GRANT_STATUS, HOURLY, INTEGRATION, METER_USAGE,
        REGISTER_USAGE,
    },
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "licensed",
        what: "AWS said yes. The product may run.",
        why: &[
            "Every part of the pricing (hourly, usage, contract) is confirmed by an explicit answer.",
        ],
        see: &["entitled", "grace"],
        ..PLAIN
    },
    Meaning {
        word: "grace",
        what: "AWS said yes before, but has not confirmed it for longer than it should be. The product may run until the \
               moment that stands in `until`.",
        why: &[
            "License Manager cannot be reached, throttles, or refuses a permission.",
            "Grace lasts `grace_ms`, never past the license's own end, and is not made longer by restarts or clocks.",
        ],
        buyer: "Restore the connection or the permission that the text names before `until`.",
        seller: "Let the product run and warn the buyer.",
        pages: &[CONTRACT],
        see: &["stale", "unreachable", "throttled", "access_denied"],
        ..PLAIN
    },
    Meaning {
        word: "denied",
        what: "AWS said no, or the license has ended. The product must not give what is paid for.",
        why: &["The reason beside it says why."],
        buyer: "Do what the text says: each reason has its own next step.",
        seller: "Show the text to the buyer. With `enforcement = terminate` mpguard ends the process on a denial at start, as \
                 AWS asks.",
        pages: &[INTEGRATION],
        see: &["not_entitled", "license_ended", "access_denied", "platform_not_supported"],
        ..PLAIN
    },
    Meaning {
        word: "starting",
        what: "Nothing was asked or answered yet. The verdict is `pending`.",
        why: &["The product has just started; the first question is on its way."],
        buyer: "Wait some seconds.",
        seller: "Wait for `verdict_changed`, or give `init` more time (`startup_timeout_ms`).",
        see: &["pending", "unreachable"],
        ..PLAIN
    },
    Meaning {
        word: "entitled",
        what: "AWS answered yes. The verdict is `licensed`.",
        why: &["RegisterUsage, MeterUsage or License Manager confirmed the buyer."],
        pages: &[REGISTER_USAGE, METER_USAGE, CONTRACT],
        see: &["licensed"],
        ..PLAIN
    },
    Meaning {
        word: "unreachable",
        what: "AWS cannot be reached, or what came back is not its answer. It is asked again by itself.",
        why: &[
            "No route, no DNS, a firewall, or a VPC without endpoints for AWS Marketplace metering, License Manager or STS.",
            "A proxy or a captive portal that answers in place of AWS.",
            "AWS has an outage.",
        ],
        buyer: "Check DNS, routes, VPC endpoints and the proxy of the task or pod.",
        seller: "Nothing, while the verdict is `pending` or `grace`. `proxy` and `extra_ca_pem` are set in your code alone.",
        aws: &["InternalServiceErrorException", "ServerInternalException", "ServiceUnavailable"],
        pages: &[HOURLY],
        see: &["pending", "grace", "metering_outage"],
    },
    Meaning {
        word: "throttled",
        what: "AWS asked to wait. It is asked again by itself, later each time.",
        why: &[
            "All tasks of the account and Region share 10 MeterUsage and 5 RegisterUsage calls a second, with other products.",
            "License Manager limits its calls too: one extension an hour for each check out, ten access tokens an hour for each \
             license.",
        ],
        buyer: "Wait. If it lasts, start fewer tasks at once.",
        seller: "Nothing: AWS asks that throttling does not stop a product.",
        aws: &["ThrottlingException", "RateLimitExceededException"],
        pages: &[HOURLY, METER_USAGE, ANYWHERE],
        see: &["pending", "unavailable"],
    },
    Meaning {
        word: "expired",
        what: "The license has reached its end. The verdict is `denied`.",
        why: &["The contract was not renewed; no grace goes past a license's own end."],
        buyer: "Renew the agreement in AWS Marketplace; a running product sees it within `recheck_interval_ms`.",
        seller: "Show the text to the buyer.",
        pages: &[CONTRACT, GRANT_STATUS],
        see: &["license_expired", "license_ended", "license_renewed"],
        ..PLAIN
    },
    Meaning {
        word: "suspended",
        what: "The license cannot be used now: it was suspended, deactivated or deleted, or its grant is not active. The \
               verdict is `denied`.",
        why: &[
            "A grant that was accepted and not activated shows as `DISABLED`.",
            "Another license of the same product was activated in its place: AWS allows one at a time.",
            "The issuer deactivated it, or the agreement was cancelled.",
        ],
        buyer: "See its status under Granted licenses in AWS License Manager, and activate it there.",
        seller: "Show the text to the buyer.",
        pages: &[GRANT_STATUS, GRANT_ACCEPTANCE],
        see: &["license_suspended", "several_licenses", "license_ended"],
        ..PLAIN
    },
    Meaning {
        word: "stale",
        what: "AWS has not confirmed the license within the grace time. The verdict is `denied`.",
        why: &["What caused `grace` has lasted for all of `grace_ms`."],
        buyer: "Restore the connection to AWS License Manager, or the permission that the text names.",
        seller: "Show the text to the buyer. `grace_ms` decides how long grace lasts.",
        pages: &[CONTRACT],
        see: &["grace", "unreachable", "license_ended"],
        ..PLAIN
    },
    Meaning {
        word: "verdict_changed",
        what: "The verdict has changed. The event carries the old and the new license.",
        why: &["An answer of AWS came, or time went by."],
        seller: "Do by `verdict`: run for `licensed` and `grace`, stop what is paid for at `denied`. Every listener hears the \
                 present state first, so nothing needs to be added up.",
        see: &["licensed", "grace", "denied", "pending"],
        ..PLAIN
    },
];
