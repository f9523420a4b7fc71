//! The table: what every error, verdict, reason and event means, and what to do.
//!
//! `mpguard explain` and docs/ERRORS.md are made from it. It lives here and not in the core, so that no product carries
//! these texts. The words themselves are the core's; a test compares both.

mod contract;
mod drawdown;
mod entitlement;
mod metering;
mod place;
mod setup;
mod usage;
mod verdict;
mod waiting;

use super::meaning::Meaning;

/// In the order of the page: errors by their numbers, verdicts and reasons, events by their numbers.
pub(crate) const ALL: &[&[Meaning]] = &[
    usage::MEANINGS,
    waiting::MEANINGS,
    entitlement::MEANINGS,
    place::MEANINGS,
    verdict::MEANINGS,
    contract::MEANINGS,
    metering::MEANINGS,
    setup::MEANINGS,
    drawdown::MEANINGS,
];

/// Who runs the product can do nothing about a mistake in it.
const REPORT: &str = "Nothing of yours is wrong: send the text to the seller of the product.";
