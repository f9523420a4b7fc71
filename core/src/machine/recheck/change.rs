//! What changed between two looks at the contract.

use super::Finding;
use crate::{
    event::EventKind,
    machine::command::News,
    model::{
        ids::EntitlementName,
        license::{Contract, Standing},
        time::Timestamp,
    },
};
use std::cmp::Ordering;

/// A difference, and whether it takes rights away.
#[derive(Debug)]
pub(super) struct Change {
    /// It must be confirmed by a second answer before it is believed.
    pub(super) removes: bool,
    /// What to announce when it is believed.
    pub(super) news: Option<News>,
}

impl Change {
    pub(super) fn none() -> Change {
        Change { removes: false, news: None }
    }

    fn less(kind: EventKind, text: String) -> Change {
        Change { removes: true, news: Some(News::new(kind, text)) }
    }

    fn more(kind: EventKind, text: String) -> Change {
        Change { removes: false, news: Some(News::new(kind, text)) }
    }
}

/// Compares what was known with what was found. `tiers` runs from the lowest to the highest.
pub(super) fn between(known: &Finding, found: &Finding, tiers: &[EntitlementName]) -> Change {
    match (known, found) {
        (Finding::Nothing(_), Finding::Nothing(_)) => Change::none(),
        (Finding::Nothing(_), Finding::Has { contract: new, .. }) => match new.standing {
            Standing::Usable => {
                let text = format!("a license was found: {}", list(new));
                Change::more(EventKind::LicenseUpgraded, text)
            }
            _ => Change::none(),
        },
        (Finding::Has { contract: old, .. }, Finding::Nothing(text)) => match old.standing {
            Standing::Usable => Change::less(EventKind::LicenseSuspended, text.clone()),
            _ => Change::none(),
        },
        (
            Finding::Has { contract: old, whole: false },
            Finding::Has { contract: new, whole: true },
        ) if old.standing == Standing::Usable && new.standing == Standing::Usable => {
            between_tiers(old, new, tiers) // the rest was there before, and could not be read
        }
        (Finding::Has { contract: old, .. }, Finding::Has { contract: new, .. }) => {
            between_contracts(old, new, tiers)
        }
    }
}

/// True when a second answer says the same as a first one that takes rights away.
pub(super) fn agree(doubt: &Finding, found: &Finding) -> bool {
    match (usable(doubt), usable(found)) {
        (None, None) => true,
        (Some(first), Some(second)) => rights(first) == rights(second),
        _ => false,
    }
}

fn usable(finding: &Finding) -> Option<&Contract> {
    match finding {
        Finding::Has { contract, .. } => Some(contract).filter(|c| c.standing == Standing::Usable),
        Finding::Nothing(_) => None,
    }
}

fn rights(contract: &Contract) -> Vec<(&str, Option<u64>)> {
    let mut rights: Vec<_> =
        contract.entitlements.iter().map(|e| (e.name.as_str(), e.max_count)).collect();
    rights.sort_unstable();
    rights
}

fn between_contracts(old: &Contract, new: &Contract, tiers: &[EntitlementName]) -> Change {
    match (old.standing, new.standing) {
        (Standing::Usable, Standing::Expired) => {
            let text = "the license has expired; renew the agreement in AWS Marketplace".into();
            return Change::less(EventKind::LicenseExpired, text);
        }
        (Standing::Usable, Standing::Suspended) => {
            return Change::less(EventKind::LicenseSuspended, suspended(new));
        }
        (Standing::Expired | Standing::Suspended, Standing::Usable) => {
            let text = format!("the license can be used again: {}{}", list(new), until(new));
            return Change::more(EventKind::LicenseRenewed, text);
        }
        (Standing::Expired | Standing::Suspended, _) => return Change::none(),
        (Standing::Usable, Standing::Usable) => {}
    }
    let story = format!("from {} to {}", list(old), list(new));
    match (rises(old, new, tiers), rises(new, old, tiers)) {
        (true, false) => upgraded(&story, old, new),
        (true, true) if rank(new, tiers) > rank(old, tiers) => upgraded(&story, old, new),
        (_, true) => Change::less(
            EventKind::LicenseDowngraded,
            format!("the license was downgraded {story}"),
        ),
        (false, false) => renewed(old, new),
    }
}

/// Only the tiers of the old contract are known.
fn between_tiers(old: &Contract, new: &Contract, tiers: &[EntitlementName]) -> Change {
    let story = format!("from {} to {}", list(old), list(new));
    match rank(new, tiers).cmp(&rank(old, tiers)) {
        Ordering::Greater => upgraded(&story, old, new),
        Ordering::Less => Change::less(
            EventKind::LicenseDowngraded,
            format!("the license was downgraded {story}"),
        ),
        Ordering::Equal => Change::none(),
    }
}

fn upgraded(story: &str, old: &Contract, new: &Contract) -> Change {
    let later = if end(new) > end(old) { until(new) } else { String::new() };
    Change::more(EventKind::LicenseUpgraded, format!("the license was upgraded {story}{later}"))
}

fn renewed(old: &Contract, new: &Contract) -> Change {
    if end(new) > end(old) {
        let text = format!("the license was renewed{}", until(new));
        return Change::more(EventKind::LicenseRenewed, text);
    }
    let another = new.license_arn.is_some() && new.license_arn != old.license_arn;
    match &new.version {
        Some(version) if new.version != old.version || another => {
            let text = format!("the license has a new version {version}{}", until(new));
            Change::more(EventKind::LicenseRenewed, text)
        }
        _ => Change::none(),
    }
}

fn end(contract: &Contract) -> Timestamp {
    contract.expires.unwrap_or(Timestamp(i64::MAX))
}

fn until(contract: &Contract) -> String {
    contract.expires.map_or_else(|| ", without an end".into(), |end| format!(", until {end}"))
}

fn suspended(contract: &Contract) -> String {
    let status = contract.status.as_deref().unwrap_or("unknown");
    format!(
        "the license can no longer be used, its status is `{status}`; check it under Granted licenses in AWS License \
         Manager"
    )
}

/// True when `new` has something that `old` has not.
fn rises(old: &Contract, new: &Contract, tiers: &[EntitlementName]) -> bool {
    rank(new, tiers) > rank(old, tiers)
        || new.entitlements.iter().any(|entitlement| {
            old.entitlements.iter().find(|other| other.name == entitlement.name).is_none_or(
                |other| {
                    match (entitlement.max_count, other.max_count) {
                        (Some(new), Some(old)) => new > old,
                        _ => false, // an unknown count says nothing
                    }
                },
            )
        })
}

/// Place of the highest tier held, counted from 1; 0 without any.
fn rank(contract: &Contract, tiers: &[EntitlementName]) -> usize {
    let has =
        |tier: &EntitlementName| contract.entitlements.iter().any(|e| e.name == tier.as_str());
    tiers.iter().rposition(has).map_or(0, |at| at + 1)
}

fn list(contract: &Contract) -> String {
    let names: Vec<String> = contract
        .entitlements
        .iter()
        .map(|e| match e.max_count {
            Some(count) => format!("`{}` {count}", e.name),
            None => format!("`{}`", e.name),
        })
        .collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}
