//! Events about usage records.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{CUSTOM, METER_USAGE, PERMISSIONS},
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "usage_carried",
        what: "Usage moved to a later hour. It is billed there once, and nothing is lost.",
        why: &[
            "Records did not get through while their hour could still be reported (AWS takes six hours).",
            "Another container or program of the same task had reported the hour with another quantity.",
            "More was counted than one record may bill (`ceiling`), or a new process took over what another had left.",
        ],
        seller: "Nothing, if it is rare. If it happens every hour, look for a second program that meters in the same task.",
        aws: &["TimestampOutOfBoundsException", "DuplicateRequestException"],
        pages: &[METER_USAGE, CUSTOM],
        see: &["usage_disputed", "usage_crossed_month", "ledger_split", "metering_outage"],
        ..PLAIN
    },
    Meaning {
        word: "usage_disputed",
        what: "Nobody can tell whether AWS has recorded this usage. It is listed and never sent again, because a second \
               record could bill it twice.",
        why: &[
            "The answer was lost (time-out, connection cut, error of AWS), and no later one told before the window closed.",
            "The ledger that knew was damaged or lost.",
        ],
        seller: "Compare the quantity with AWS's bill for the hour; `mpguard ledger show` has the record, its attempts and \
                 AWS's request ids. AWS has no call that says what it has recorded.",
        aws: &["IdempotencyConflictException"],
        pages: &[METER_USAGE],
        see: &["usage_carried", "usage_held", "storage_quarantined"],
        ..PLAIN
    },
    Meaning {
        word: "usage_held",
        what: "AWS refuses a record until the set-up is repaired. The usage is kept and not sent again by itself.",
        why: &[
            "The listing has no such dimension, or AWS does not know the product code.",
            "The configuration no longer defines a dimension that was counted.",
            "AWS does not take the tags.",
        ],
        seller: "Repair what the text names for the hours to come. `mpguard ledger show` lists what is held; bill it by \
                 agreement with the buyer, or leave it.",
        aws: &[
            "InvalidUsageDimensionException",
            "InvalidProductCodeException",
            "InvalidTagException",
            "InvalidUsageAllocationsException",
            "CustomerNotEntitledException",
        ],
        pages: &[METER_USAGE, CUSTOM],
        see: &["invalid_product", "unknown_dimension", "usage_disputed"],
        ..PLAIN
    },
    Meaning {
        word: "usage_missed",
        what: "The hour of a level (`max`, `last`) can no longer be reported. Levels are not moved to another hour: two \
               hours' users in one would charge too much.",
        why: &[
            "Records did not get through while their hour could still be reported, or another program had reported it.",
        ],
        seller: "Nothing can be sent any more; `mpguard ledger show` lists what was missed.",
        pages: &[METER_USAGE],
        see: &["usage_carried", "metering_outage"],
        ..PLAIN
    },
    Meaning {
        word: "metering_outage",
        what: "Usage records do not get through. They are kept and tried again; nothing is lost.",
        why: &[
            "AWS cannot be reached, or has an error.",
            "The role lost the permission for MeterUsage, or its credentials are not accepted.",
            "The ledger cannot be written, so nothing is sent.",
        ],
        buyer: "Restore what the text names: network, role, or space on the volume.",
        seller: "Go on. It is told again with `serious` after `outage_stop_ms`; AWS asks not to stop a product for metering \
                 failures of less than two hours.",
        pages: &[CUSTOM, METER_USAGE, PERMISSIONS],
        see: &["metering_recovered", "unreachable", "access_denied", "storage_weak"],
        ..PLAIN
    },
    Meaning {
        word: "metering_recovered",
        what: "Usage records get through again. What had waited is sent.",
        why: &["AWS has recorded usage again after an outage."],
        seller: "Nothing; take the warning away.",
        see: &["metering_outage", "usage_carried"],
        ..PLAIN
    },
    Meaning {
        word: "usage_crossed_month",
        what: "Carried usage went out with an hour of another month. It is on the buyer's later bill.",
        why: &["Records did not get through in the last hours of a month."],
        seller: "Know it when the buyer asks; `from_hour_ms` says when it was used.",
        pages: &[METER_USAGE],
        see: &["usage_carried"],
        ..PLAIN
    },
];
