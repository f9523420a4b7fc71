//! What the machines are told once, at the start.

use crate::model::{ids::EntitlementName, usage::DimensionSpec};
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
    /// How long metering may fail before it is serious.
    pub outage_stop: Duration,
    /// Verdicts prove nothing.
    pub sandbox: bool,
}

/// What the contract machine is told.
#[derive(Clone, Debug, Default)]
pub struct ContractPlan {
    /// Tiers, from the lowest to the highest.
    pub tiers: Vec<EntitlementName>,
    /// Counted entitlements.
    pub counted: Vec<EntitlementName>,
    /// Time between looks.
    pub interval: Duration,
    /// How long the last good answer holds.
    pub grace: Duration,
    /// How long before its end a license is announced as expiring.
    pub expiring_notice: Duration,
}
