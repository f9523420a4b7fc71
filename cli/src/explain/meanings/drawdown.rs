//! Events about prepaid units.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{CHECK_OUT, CONTRACT},
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "drawdown_low",
        what: "Few prepaid units are left. `left` says how many.",
        why: &[
            "What is left has fallen to `low` of the entitlement, or to a tenth of what was bought.",
        ],
        buyer: "Buy more units in AWS Marketplace in time.",
        seller: "Tell the buyer.",
        pages: &[CONTRACT],
        see: &["drawdown_exhausted", "exhausted"],
        ..PLAIN
    },
    Meaning {
        word: "drawdown_exhausted",
        what: "The prepaid units are used up, or fewer are left than were asked for.",
        why: &["AWS gave no more units to any task of the account."],
        buyer: "Buy more units in AWS Marketplace, or wait for the renewal of the contract.",
        seller: "Stop what the units pay for; `draw_down` fails with `EXHAUSTED` until there are units again.",
        aws: &["NoEntitlementsAllowedException"],
        pages: &[CHECK_OUT, CONTRACT],
        see: &["exhausted", "drawdown_low"],
    },
    Meaning {
        word: "drawdown_disputed",
        what: "Nobody can tell whether AWS has taken the units of a draw. They are not drawn again, because they could be \
               taken twice.",
        why: &[
            "The answer was lost for longer than AWS is taken to know the call again (ten minutes), and the license's \
             consumption cannot disprove it.",
            "The role may not call `license-manager:GetLicenseUsage`, so that nothing can be compared.",
        ],
        buyer: "Allow `license-manager:GetLicenseUsage` to the role of the task or pod.",
        seller: "Ask AWS about the client token in the text, or give the buyer the units; `mpguard ledger show` lists them.",
        pages: &[CHECK_OUT],
        see: &["unavailable", "permission_missing"],
        ..PLAIN
    },
];
