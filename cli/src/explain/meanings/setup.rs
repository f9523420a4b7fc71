//! Events about what seller or buyer should repair, and where usage is kept.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{
        CONSUMPTION_POLICY, CONTRACT, GRANT_ACCEPTANCE, HOURLY, METER_USAGE, PERMISSIONS,
        REGISTER_USAGE,
    },
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "key_rotation",
        what: "AWS says that the product's public key version has expired. The answer was still verified.",
        why: &["AWS gave the product a new key; the image has the old one."],
        buyer: "Update the product when its seller publishes a new version.",
        seller: "Add the new PEM and version to `trusted_products` and rebuild the image. Keep the old one beside it.",
        pages: &[HOURLY, REGISTER_USAGE],
        see: &["signature_invalid", "weak_key"],
        ..PLAIN
    },
    Meaning {
        word: "weak_key",
        what: "The product's public key is shorter than 2048 bits. Answers are verified all the same.",
        why: &["AWS gave the product such a key; the sample in AWS's own guide has 1024 bits."],
        seller: "Ask AWS Marketplace for a longer key.",
        pages: &[HOURLY],
        see: &["key_rotation"],
        ..PLAIN
    },
    Meaning {
        word: "permission_missing",
        what: "A permission is missing that a look at the contract would need. The product goes on with less knowledge.",
        why: &[
            "`AWSLicenseManagerConsumptionPolicy` allows CheckoutLicense, CheckInLicense, ExtendLicenseConsumption and \
             GetLicense, and neither ListReceivedLicenses nor GetLicenseUsage.",
        ],
        buyer: "Allow the action that the text names to the role of the task or pod.",
        seller: "Put the policy of `mpguard policy` into your instructions. Without the diagnostic actions, \"not bought\" and \
                 \"all taken\" cannot be told apart.",
        aws: &["AccessDeniedException", "AuthorizationException"],
        pages: &[CONSUMPTION_POLICY, CONTRACT, PERMISSIONS],
        see: &["access_denied", "no_seat"],
    },
    Meaning {
        word: "storage_weak",
        what: "Usage is kept in a place that a restart may lose, or cannot be kept or sent from there as it should.",
        why: &[
            "No volume was given, so usage is in the container's own layer or in memory.",
            "The state directory is on a network file system, is read-only, or belongs to another user.",
            "Another process holds what is needed, or the disk is full.",
        ],
        buyer: "Give the container a volume that outlives it, as the product's instructions say.",
        seller: "Name the volume in `state_dir`; docs/STATE.md says which one outlives what.",
        see: &["storage", "leader_stalled"],
        ..PLAIN
    },
    Meaning {
        word: "clock_skew",
        what: "This computer's clock is wrong. Billing follows AWS's clock, so nothing is billed in a wrong hour.",
        why: &["The host does not keep its time by NTP, or was paused."],
        buyer: "Set the clock of the host right; AWS may refuse signatures that are more than five minutes off.",
        seller: "Nothing.",
        pages: &[METER_USAGE],
        see: &["access_denied"],
        ..PLAIN
    },
    Meaning {
        word: "storage_quarantined",
        what: "A broken file of the state directory was set aside. What may have been sent before is disputed; counting goes \
               on.",
        why: &[
            "A disk error, or a file that was cut, changed or removed by somebody.",
            "A copy or an old snapshot of the directory was put in its place.",
        ],
        buyer: "Find out what changes files there: clean-up jobs, backups that are put back, a full disk.",
        seller: "Keep the file (`<name>.broken-<time>`): it says what was disputed. `mpguard ledger verify` checks what goes on.",
        see: &["usage_disputed", "storage_weak"],
        ..PLAIN
    },
    Meaning {
        word: "ledger_split",
        what: "Two containers of one task meter into two directories. AWS takes one record for a dimension, hour and task, so \
               equal quantities of both would be billed once.",
        why: &["Each container has its own volume, or none."],
        buyer: "Use the task definition or chart of the seller unchanged.",
        seller: "Give all containers of the task one shared volume, and name it in `state_dir`.",
        aws: &["DuplicateRequestException"],
        pages: &[METER_USAGE],
        see: &["usage_carried", "storage_weak"],
    },
    Meaning {
        word: "leader_stalled",
        what: "The process that sends the task's usage does not move. Usage is counted and not sent meanwhile.",
        why: &[
            "It was stopped (SIGSTOP, a debugger, a frozen container), or gets no processor time.",
        ],
        buyer: "Give the container more processor time, or restart it.",
        seller: "End that process if it stays so: another takes over within two seconds.",
        see: &["metering_outage"],
        ..PLAIN
    },
    Meaning {
        word: "unit_mismatch",
        what: "The contract has an entitlement in another unit than the configuration says. The contract's unit is used.",
        why: &["`unit` or `kind` in `entitlements` is not what the listing defines."],
        seller: "Correct `entitlements`: the text names both units.",
        pages: &[CONTRACT],
        see: &["not_entitled"],
        ..PLAIN
    },
    Meaning {
        word: "several_licenses",
        what: "The account has several usable licenses of the product. One of them counts, by a fixed rule.",
        why: &[
            "A private offer beside a public one, or a license of the organization beside the account's own.",
        ],
        buyer: "Deactivate the licenses that are not meant under Granted licenses in AWS License Manager; the text names the one \
                that counts.",
        seller: "Nothing.",
        pages: &[GRANT_ACCEPTANCE],
        see: &["suspended"],
        ..PLAIN
    },
    Meaning {
        word: "license_cache_refused",
        what: "The kept answer about the contract cannot be used, so there is no grace at this start.",
        why: &[
            "`license.json` in the state directory is damaged, was changed, or is of another product or identity.",
        ],
        buyer: "Do not edit or copy files of the state directory. It heals with the next answer of AWS.",
        seller: "Nothing.",
        see: &["grace", "storage_quarantined"],
        ..PLAIN
    },
];
