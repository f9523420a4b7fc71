//! Events about the contract's license and its seats.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{CONTRACT, EXTEND, GRANT_ACCEPTANCE, GRANT_STATUS},
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "license_upgraded",
        what: "The buyer has more rights: a higher tier, more seats or units, or a license where there was none.",
        why: &["The buyer changed the agreement; AWS then issues a new version of the license."],
        seller: "Turn the new features on; the event carries the whole new license.",
        pages: &[CONTRACT],
        see: &["license_downgraded", "license_renewed"],
        ..PLAIN
    },
    Meaning {
        word: "license_downgraded",
        what: "The buyer has fewer rights. A second answer of AWS has confirmed it.",
        why: &[
            "The agreement was changed or renewed with a lower tier, fewer seats or fewer units.",
        ],
        buyer: "If this is unexpected, look at the agreement in AWS Marketplace.",
        seller: "Turn off what is no longer there, gently: somebody may be at work with it.",
        pages: &[CONTRACT],
        see: &["license_upgraded", "license_suspended"],
        ..PLAIN
    },
    Meaning {
        word: "license_renewed",
        what: "The license has a later end, a new version with the same rights, or can be used again.",
        why: &["The buyer renewed the agreement, or the license was activated again."],
        seller: "Nothing; take warnings about the coming end away.",
        pages: &[CONTRACT],
        see: &["license_expiring", "license_upgraded"],
        ..PLAIN
    },
    Meaning {
        word: "license_expiring",
        what: "The license ends soon. `expires_ms` says when.",
        why: &["Its end is nearer than `expiring_notice_ms`, and no renewal was seen."],
        buyer: "Renew the agreement in AWS Marketplace before its end: no grace goes past it.",
        seller: "Tell the buyer, who may not read AWS's mails.",
        pages: &[CONTRACT, GRANT_STATUS],
        see: &["license_expired", "license_renewed"],
        ..PLAIN
    },
    Meaning {
        word: "license_expired",
        what: "The license has ended. The verdict is `denied` with reason `expired`.",
        why: &["Its end has passed, or AWS gives its status as `EXPIRED`."],
        buyer: "Renew the agreement in AWS Marketplace.",
        seller: "Stop what is paid for; a renewal comes as `license_renewed`.",
        pages: &[CONTRACT, GRANT_STATUS],
        see: &["expired", "license_ended", "license_renewed"],
        ..PLAIN
    },
    Meaning {
        word: "license_suspended",
        what: "The license can no longer be used, or is no longer there. A second answer of AWS has confirmed it.",
        why: &[
            "It was suspended, deactivated or deleted, or its grant is not active any more.",
            "Another license of the same product was activated in its place.",
        ],
        buyer: "See its status under Granted licenses in AWS License Manager, and activate it there.",
        seller: "Stop what is paid for, and show the text.",
        pages: &[GRANT_STATUS, GRANT_ACCEPTANCE],
        see: &["suspended", "not_entitled", "license_renewed"],
        ..PLAIN
    },
    Meaning {
        word: "seat_lost",
        what: "A seat that somebody holds could not be kept. AWS counts it as free again.",
        why: &[
            "AWS could not be reached until the seat's hour was over.",
            "No second seat was free when AWS allowed no more extension: one an hour for each check out.",
            "The seat was checked in elsewhere, or the license has changed.",
        ],
        buyer: "If it happens often, check the connection to AWS License Manager, or buy one more seat.",
        seller: "End the session of this `seat`, or check out again for it.",
        aws: &["ResourceNotFoundException"],
        pages: &[EXTEND, CONTRACT],
        see: &["no_seat", "seats_exhausted"],
    },
    Meaning {
        word: "seats_exhausted",
        what: "A check out has to wait, because every seat of the contract is taken.",
        why: &["More users than seats, in all tasks and pods of the account together."],
        buyer: "End a session that is not needed, or buy more seats in AWS Marketplace.",
        seller: "Nothing: the wish stays in the queue until its timeout.",
        aws: &["NoEntitlementsAllowedException"],
        pages: &[CONTRACT],
        see: &["seats_available", "no_seat", "timed_out"],
    },
    Meaning {
        word: "seats_available",
        what: "There are seats again.",
        why: &["A seat came free, or more were bought."],
        seller: "Nothing: who waits gets a seat by itself. Take the warning away.",
        pages: &[CONTRACT],
        see: &["seats_exhausted"],
        ..PLAIN
    },
];
