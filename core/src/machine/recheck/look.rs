//! One look: what it has asked and heard so far, and what all its answers come to.

use super::Finding;
use crate::{
    machine::plan::ContractPlan,
    model::{
        ids::EntitlementName,
        license::{Contract, Entitlement, Standing},
        outcome::Failure,
        time::Timestamp,
    },
};

/// What one look has heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    /// Tiers that were asked for.
    pub(super) asked: Vec<EntitlementName>,
    pub(super) tiers: Option<TierAnswer>,
    /// The tiers were asked a second time, without names that the license counts.
    pub(super) again: bool,
    /// The license to read.
    pub(super) arn: Option<String>,
    /// The tiers' answer in this look named it: it is the license that AWS itself uses.
    pub(super) named: bool,
    pub(super) lists_first: bool,
    /// `GetLicense` was asked.
    pub(super) got: bool,
    /// `ListReceivedLicenses` was asked.
    pub(super) listed: bool,
    /// The license, as far as it was read.
    pub(super) contract: Option<Contract>,
    /// Other usable licenses of the product, when they were listed.
    pub(super) others: Option<usize>,
    /// A read's explicit "there is none".
    pub(super) nothing: Option<String>,
    /// Reads that the role may not make.
    pub(super) missing: Vec<(&'static str, Failure)>,
    /// A seat that AWS gave as the proof.
    pub(super) proof: Option<Entitlement>,
    /// A seat that AWS did not give.
    pub(super) none_allowed: Option<String>,
}

/// What a look waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum On {
    Tiers,
    Get,
    List,
    /// A seat of the floating entitlement at this place of the configuration.
    Proof(usize),
}

impl On {
    pub(super) fn operation(&self) -> &'static str {
        match self {
            On::Get => "GetLicense",
            On::List => "ListReceivedLicenses",
            On::Tiers | On::Proof(_) => "CheckoutLicense",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum TierAnswer {
    Bought { entitlements: Vec<Entitlement>, license_arn: Option<String> },
    None(String),
}

impl Look {
    /// The next read, when one is left that may tell more.
    pub(super) fn next(&self) -> Option<On> {
        let can_get = self.arn.is_some() && !self.got;
        if !self.got && !self.listed {
            return Some(if can_get && !self.lists_first { On::Get } else { On::List });
        }
        // Denied, unknown, ended or suspended: a renewal may be another license.
        if !self.listed && !self.usable() && self.proof.is_none() {
            return Some(On::List);
        }
        let another = |contract: &Contract| self.named && contract.license_arn != self.arn;
        (can_get && self.contract.as_ref().is_none_or(another)).then_some(On::Get)
    }

    /// The license was read, and may be used: by its own word, or because AWS let us check out of it.
    pub(super) fn usable(&self) -> bool {
        let bought = matches!(self.tiers, Some(TierAnswer::Bought { .. }));
        self.contract.as_ref().is_some_and(|c| c.standing == Standing::Usable || bought)
    }

    /// Takes a license that was read. `others` is what was known of other licenses before.
    pub(super) fn found(&mut self, contract: Contract, on: &On, others: usize) {
        if *on == On::List {
            self.others = Some(contract.others);
            self.contract = Some(contract);
        } else if self.contract.is_none() || contract.standing == Standing::Usable {
            // A read by ARN shows one license only.
            let others = self.others.unwrap_or(others);
            self.contract = Some(Contract { others, ..contract });
        }
    }

    /// The tiers to ask for once more, when the license shows that the first question had a wrong name in it: AWS
    /// refuses all names for one that it counts. T44, [AC §4.2].
    pub(super) fn tiers_again(
        &mut self,
        tiers: &[EntitlementName],
    ) -> Option<Vec<EntitlementName>> {
        let contract = self.contract.as_ref().filter(|c| c.standing == Standing::Usable)?;
        let askable = askable(tiers, Some(contract));
        let refused = matches!(self.tiers, Some(TierAnswer::None(_)));
        let other = askable.iter().any(|tier| !self.asked.contains(tier))
            || (refused && askable != self.asked);
        let again = other && !askable.is_empty() && !self.again;
        self.again |= again;
        again.then_some(askable)
    }

    /// AWS's words for "there is none".
    pub(super) fn why_nothing(&self) -> String {
        match (&self.nothing, &self.tiers) {
            (Some(text), _) | (None, Some(TierAnswer::None(text))) => text.clone(),
            _ => "this AWS account has no license of the product; buy it in AWS Marketplace".into(),
        }
    }
}

/// Tiers that AWS does not count: only those can be asked for with unit `None`.
pub(super) fn askable(
    tiers: &[EntitlementName],
    contract: Option<&Contract>,
) -> Vec<EntitlementName> {
    let counted = |tier: &&EntitlementName| {
        contract.is_some_and(|c| {
            c.standing == Standing::Usable
                && c.entitlements.iter().any(|e| e.name == tier.as_str() && e.unit != "None")
        })
    };
    tiers.iter().filter(|tier| !counted(tier)).cloned().collect()
}

fn is_tier(entitlement: &Entitlement, tiers: &[EntitlementName]) -> bool {
    entitlement.unit == "None" && tiers.iter().any(|tier| tier.as_str() == entitlement.name)
}

/// The license as read, with tiers as the check out answered.
pub(super) fn merge(
    mut contract: Contract,
    answer: Option<TierAnswer>,
    plan: &ContractPlan,
) -> Finding {
    let tiers = &plan.tiers;
    match answer {
        None => {}
        Some(TierAnswer::Bought { entitlements, license_arn }) => {
            contract.entitlements.retain(|e| !is_tier(e, tiers));
            contract.entitlements.splice(0..0, entitlements);
            contract.license_arn = contract.license_arn.or(license_arn);
            contract.standing = Standing::Usable; // AWS has just let us check out of it
            contract.status = None;
        }
        Some(TierAnswer::None(text)) => {
            contract.entitlements.retain(|e| !is_tier(e, tiers));
            if contract.standing == Standing::Usable && !has_any(&contract, plan) {
                return Finding::Nothing(text);
            }
        }
    }
    Finding::Has { contract, whole: true }
}

/// True when the license has something that the product knows.
fn has_any(contract: &Contract, plan: &ContractPlan) -> bool {
    contract.entitlements.iter().filter(|e| e.max_count != Some(0)).any(|e| {
        plan.counted.iter().any(|spec| spec.name == e.name)
            || plan.tiers.iter().any(|tier| tier.as_str() == e.name)
    })
}

/// What AWS let us check out, and beside it what was known before: that it cannot be read takes nothing away.
pub(super) fn carry(
    known: Option<&Finding>,
    look: &Look,
    tiers: &[EntitlementName],
    now: Timestamp,
) -> Finding {
    let (mut contract, whole) = match known {
        Some(Finding::Has { contract, whole }) => (contract.clone(), *whole),
        _ => (Contract::default(), false),
    };
    contract.entitlements.retain(|e| !is_tier(e, tiers));
    let mut arn = look.arn.clone();
    if let Some(TierAnswer::Bought { entitlements, license_arn }) = &look.tiers {
        contract.entitlements.splice(0..0, entitlements.iter().cloned());
        arn = license_arn.clone().or(arn);
    }
    if let Some(proof) = &look.proof
        && contract.entitlements.iter().all(|e| e.name != proof.name)
    {
        contract.entitlements.push(proof.clone());
    }
    contract.license_arn = arn.or(contract.license_arn);
    contract.standing = Standing::Usable;
    contract.status = None;
    // AWS let us check out after the end that was read: it has moved, and nobody may read where to.
    contract.expires = contract.expires.filter(|end| *end > now);
    Finding::Has { contract, whole }
}

/// What is left of a usable contract without its tiers, if anything.
pub(super) fn without_tiers(known: &Contract, tiers: &[EntitlementName]) -> Option<Contract> {
    let mut rest = known.clone();
    rest.entitlements.retain(|e| !is_tier(e, tiers));
    (rest.standing == Standing::Usable && !rest.entitlements.is_empty()).then_some(rest)
}
