//! Errors of kind `usage`: the call or the configuration is wrong.

use super::REPORT;
use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{CONTRACT, CUSTOM, METER_USAGE},
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "invalid_argument",
        what: "A call was made with a value that it cannot take. Nothing was done.",
        why: &[
            "A `NULL` pointer, text that is not UTF-8, a count or quantity of zero, or a time out of range.",
        ],
        buyer: REPORT,
        seller: "Fix the call; the text names the argument, its value and what is allowed.",
        ..PLAIN
    },
    Meaning {
        word: "invalid_config",
        what: "The configuration cannot be used. No guard was made.",
        why: &[
            "An unknown key, or a value that the key does not take.",
            "A key that is missing: hourly pricing needs a public key, contract pricing an SKU and `entitlements`, usage \
             pricing `dimensions`.",
            "Keys that contradict each other, or a product code that is not one of `trusted_products`.",
        ],
        buyer: "If the product takes its product code or another key from you, give what its instructions name. Else send \
                the text to the seller.",
        seller: "Fix the key that the text names; docs/CONFIGURATION.md lists every key with its values.",
        pages: &[CUSTOM, CONTRACT],
        see: &["invalid_product"],
        ..PLAIN
    },
    Meaning {
        word: "unknown_dimension",
        what: "A meter was asked for on a dimension that the configuration does not define. No meter was made.",
        why: &[
            "A name that is not spelt as in `dimensions`.",
            "The pricing has no `usage`, so there are no dimensions at all.",
        ],
        buyer: REPORT,
        seller: "Add the dimension to `dimensions`, with the API name of the listing, or correct the name in the call.",
        pages: &[CUSTOM],
        see: &["usage_held", "wrong_meter_kind"],
        ..PLAIN
    },
    Meaning {
        word: "invalid_tag",
        what: "Tags were given that AWS would refuse. No meter was made.",
        why: &[
            "More than 5 tags, or one key twice.",
            "A key of more than 100 or a value of more than 256 characters, or an empty one.",
            "Another character than letters, digits, space and `+-=._:/@`.",
        ],
        buyer: REPORT,
        seller: "Shorten or replace what the text names. Tags are shown to the buyer in cost reports: put no personal data \
                 into them.",
        aws: &["InvalidTagException"],
        pages: &[METER_USAGE, CUSTOM],
        ..PLAIN
    },
    Meaning {
        word: "unknown_entitlement",
        what: "Seats or units were asked for of an entitlement that the configuration does not define. Nothing was taken.",
        why: &[
            "A name that is not spelt as in `entitlements`.",
            "The entitlement is of another kind: seats are checked out of `floating` ones, units are drawn from `drawdown` \
             ones.",
        ],
        buyer: REPORT,
        seller: "Add the entitlement to `entitlements`, with the API name of the contract dimension, or correct the call.",
        pages: &[CONTRACT],
        see: &["not_entitled"],
        ..PLAIN
    },
    Meaning {
        word: "quantity_out_of_range",
        what: "A quantity cannot be counted. Nothing was counted.",
        why: &[
            "A negative number: in C it arrives as a very large one.",
            "More than one counter holds in an hour, or than License Manager can draw at once.",
        ],
        buyer: REPORT,
        seller: "Count in larger units (`per_unit` of the dimension), or add smaller quantities.",
        see: &["wrong_meter_kind"],
        ..PLAIN
    },
    Meaning {
        word: "wrong_meter_kind",
        what: "A level was added to, or a sum was set. Nothing was counted.",
        why: &["`add` is for dimensions of kind `sum`, `set` for kinds `max` and `last`."],
        buyer: REPORT,
        seller: "Call the other one, or change `kind` of the dimension.",
        see: &["quantity_out_of_range"],
        ..PLAIN
    },
    Meaning {
        word: "stale_handle",
        what: "A handle was used that was freed before, or never was one. Nothing was done.",
        why: &[
            "A use after `free`, a handle of another type, or one that another copy of mpguard made.",
        ],
        buyer: REPORT,
        seller: "Keep each handle until its last use. Handles are numbers that are looked up, so this is an error and no crash.",
        ..PLAIN
    },
    Meaning {
        word: "shut_down",
        what: "The guard was shut down. It answers no more questions; what it had counted was sent or is kept.",
        why: &[
            "A call after `shutdown`, often from a thread that still works while the program ends.",
        ],
        buyer: "Start the product again.",
        seller: "Stop the work before `shutdown`, or make a new guard with `init`.",
        see: &["deferred"],
        ..PLAIN
    },
];
