//! What the machines are told once, at the start.

use super::metering;
use crate::model::{
    ids::EntitlementName,
    license::{EntitlementKind, EntitlementSpec},
    usage::DimensionSpec,
};
use std::time::Duration;

/// The part of the settings that decisions rest on.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// RegisterUsage is part of the verdict.
    pub hourly: bool,
    /// MeterUsage permission is part of the verdict.
    pub usage: bool,
    /// The contract is part of the verdict.
    pub contract: Option<ContractPlan>,
    /// Dimensions of custom metering.
    pub dimensions: Vec<DimensionSpec>,
    /// Rules of metering.
    pub metering: metering::Policy,
    /// How custom metering proves entitlement at start.
    pub startup_check: StartupCheck,
    /// Version of the public key that RegisterUsage is asked with, for texts.
    pub key_version: Option<i32>,
    /// Verdicts prove nothing.
    pub sandbox: bool,
}

/// How custom metering proves entitlement at start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartupCheck {
    /// The strongest proof that burns no billed hour.
    #[default]
    Auto,
    /// As `Auto`; where nothing better is known, a zero record of the probe dimension.
    Probe,
    /// A dry run, whatever else is known.
    DryRun,
}

/// What the contract machine is told.
#[derive(Clone, Debug, Default)]
pub struct ContractPlan {
    /// Tiers, from the lowest to the highest.
    pub tiers: Vec<EntitlementName>,
    /// Floating and drawdown entitlements.
    pub counted: Vec<EntitlementSpec>,
    /// How long seats that the host has checked in stay with us for its next check out.
    pub seat_linger: Duration,
    /// Time between looks.
    pub interval: Duration,
    /// How long the last good answer holds.
    pub grace: Duration,
    /// How long before its end a license is announced as expiring.
    pub expiring_notice: Duration,
}

impl ContractPlan {
    /// Entitlements of prepaid units.
    pub fn drawdown(&self) -> impl Iterator<Item = EntitlementName> {
        let prepaid = self.counted.iter().filter(|spec| spec.kind == EntitlementKind::Drawdown);
        prepaid.map(|spec| spec.name.as_str().into())
    }
}
