//! What somebody should repair, told once: missing permissions, wrong units, several licenses.

use crate::{
    event::EventKind,
    machine::{command::News, plan::ContractPlan},
    model::{license::Contract, outcome::Failure},
};
use std::collections::BTreeSet;

/// What was told and still holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Diagnostics {
    missing: BTreeSet<&'static str>,
    /// Entitlements in another unit than the configuration says, with the license's.
    units: BTreeSet<(String, String)>,
    /// The license that counts beside others.
    several: Option<Option<String>>,
}

impl Diagnostics {
    /// These operations were refused for want of permission. One event names all that are new.
    pub(super) fn missing(&mut self, refused: &[(&'static str, Failure)]) -> Option<News> {
        let new: Vec<_> =
            refused.iter().filter(|(operation, _)| self.missing.insert(operation)).collect();
        let (first, _) = new.first()?;
        let texts: Vec<&str> = new.iter().map(|(_, failure)| failure.text.as_str()).collect();
        let actions: Vec<String> =
            new.iter().map(|(operation, _)| format!("license-manager:{operation}")).collect();
        let news = News::new(EventKind::PermissionMissing, texts.join("; "));
        Some(news.with("operation", *first).with("actions", actions))
    }

    /// This operation is permitted: should that end, it is worth telling again.
    pub(super) fn permitted(&mut self, operation: &'static str) {
        self.missing.remove(operation);
    }

    /// Compares a license that was read with the configuration.
    pub(super) fn compare(&mut self, contract: &Contract, plan: &ContractPlan) -> Vec<News> {
        let mut news = self.units(contract, plan);
        news.extend(self.several(contract));
        news
    }

    fn units(&mut self, contract: &Contract, plan: &ContractPlan) -> Vec<News> {
        let tiers = plan.tiers.iter().map(|tier| (tier.as_str(), "tier", "None"));
        let counted =
            plan.counted.iter().map(|s| (s.name.as_str(), s.kind.as_str(), s.unit.as_str()));
        let mut now = BTreeSet::new();
        let mut news = Vec::new();
        for (name, kind, unit) in tiers.chain(counted) {
            let differs = contract.entitlements.iter().find(|e| e.name == name && e.unit != unit);
            let Some(bought) = differs else { continue };
            let key = (name.to_owned(), bought.unit.clone());
            if !self.units.contains(&key) {
                let text = format!(
                    "entitlement `{name}` is configured as {kind} with unit `{unit}`, and the license has it with unit \
                     `{}`; the license's is used, correct `entitlements` in the configuration",
                    bought.unit
                );
                let told = News::new(EventKind::UnitMismatch, text).with("entitlement", name);
                news.push(told.with("configured", unit).with("contract", bought.unit.clone()));
            }
            now.insert(key);
        }
        self.units = now;
        news
    }

    fn several(&mut self, contract: &Contract) -> Option<News> {
        let several = (contract.others > 0).then(|| contract.license_arn.clone());
        let told = std::mem::replace(&mut self.several, several.clone());
        let arn = several.filter(|now| told.as_ref() != Some(now))?;
        let arn = arn.unwrap_or_else(|| "unknown".to_owned());
        let text = format!(
            "this AWS account has {} usable licenses of the product; `{arn}` counts, deactivate the others in AWS \
             License Manager",
            contract.others + 1
        );
        let news = News::new(EventKind::SeveralLicenses, text).with("license_arn", arn);
        Some(news.with("others", u64::try_from(contract.others).unwrap_or(u64::MAX)))
    }
}
