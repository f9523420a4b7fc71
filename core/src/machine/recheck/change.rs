//! What changed between two looks at the contract.

use super::Finding;
use crate::{
    event::EventKind,
    machine::command::News,
    model::{
        ids::EntitlementName,
        license::{Contract, Standing},
    },
};

/// A difference, and whether it takes rights away.
#[derive(Debug)]
pub(super) struct Change {
    /// It must be confirmed by a second answer before it is believed.
    pub(super) removes: bool,
    /// What to announce when it is believed.
    pub(super) news: Option<News>,
}

impl Change {
    fn none() -> Change {
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
        (Finding::Nothing(_), Finding::Has(new)) if new.standing == Standing::Usable => {
            Change::more(EventKind::LicenseUpgraded, format!("a license was found: {}", list(new)))
        }
        (Finding::Nothing(_), Finding::Has(_)) => Change::none(),
        (Finding::Has(old), Finding::Nothing(text)) if old.standing == Standing::Usable => {
            Change::less(EventKind::LicenseSuspended, text.clone())
        }
        (Finding::Has(_), Finding::Nothing(_)) => Change::none(),
        (Finding::Has(old), Finding::Has(new)) => between_contracts(old, new, tiers),
    }
}

fn between_contracts(old: &Contract, new: &Contract, tiers: &[EntitlementName]) -> Change {
    match (old.standing, new.standing) {
        (Standing::Usable, Standing::Expired) => {
            return Change::less(EventKind::LicenseExpired, "the license has expired".into());
        }
        (Standing::Usable, Standing::Suspended) => {
            return Change::less(EventKind::LicenseSuspended, "the license was suspended".into());
        }
        (Standing::Expired | Standing::Suspended, Standing::Usable) => {
            let text = format!("the license can be used again: {}", list(new));
            return Change::more(EventKind::LicenseRenewed, text);
        }
        (Standing::Expired | Standing::Suspended, _) => return Change::none(),
        (Standing::Usable, Standing::Usable) => {}
    }
    let story = format!("from {} to {}", list(old), list(new));
    match (rises(old, new, tiers), rises(new, old, tiers)) {
        (true, true) if rank(new, tiers) > rank(old, tiers) => {
            Change::more(EventKind::LicenseUpgraded, format!("the license was upgraded {story}"))
        }
        (true, false) => {
            Change::more(EventKind::LicenseUpgraded, format!("the license was upgraded {story}"))
        }
        (_, true) => Change::less(
            EventKind::LicenseDowngraded,
            format!("the license was downgraded {story}"),
        ),
        (false, false) if new.expires > old.expires => {
            let end = new.expires.map_or_else(|| "no end".into(), |end| end.to_string());
            Change::more(EventKind::LicenseRenewed, format!("the license was renewed until {end}"))
        }
        (false, false) if new.version != old.version => {
            let version = new.version.as_deref().unwrap_or("unknown");
            Change::more(
                EventKind::LicenseRenewed,
                format!("the license has a new version {version}"),
            )
        }
        (false, false) => Change::none(),
    }
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
