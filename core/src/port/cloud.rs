//! AWS, as far as a guard talks to it.

use crate::model::{
    ids::{ClientToken, ConsumptionToken, EntitlementName, Identity, ProductCode, ProductSku},
    key::PublicKey,
    license::Entitlement,
    outcome::{
        CheckedIn, CheckedOut, Consumption, Details, Drawn, Failure, Permitted, Registered, Sent,
        Tiers,
    },
    proxy::ProxyChoice,
    time::Timestamp,
    usage::Record,
};
use std::{future::Future, pin::Pin};

/// The future of one call. It belongs to the runtime's own thread.
pub type Call<T> = Pin<Box<dyn Future<Output = T>>>;

/// Calls to AWS. Each is one attempt: when to try again is a machine's decision.
///
/// No method panics or waits for ever: every attempt ends within its own time-outs.
pub trait Cloud {
    /// Finds out who we are: platform, identity and Region.
    fn identify(&self) -> Call<Result<Identity, Failure>>;

    /// `RegisterUsage` with a fresh nonce; the signed answer is verified before this returns.
    fn register(&self, product: ProductCode, key: PublicKey) -> Call<Registered>;

    /// `MeterUsage` with `DryRun`, which records nothing.
    fn check_usage(&self, probe: UsageProbe) -> Call<Permitted>;

    /// `MeterUsage` of nothing, for good: a record of zero on a dimension that bills nothing, whose hour it
    /// takes. A record of this hour that is there already is a yes as well.
    fn probe(&self, probe: UsageProbe) -> Call<Permitted>;

    /// `MeterUsage` of a frozen record, always the same bytes for the same record.
    fn meter(&self, product: ProductCode, record: Record) -> Call<Sent>;

    /// `CheckoutLicense`, `PROVISIONAL`, with unit `None`: asks which tiers were bought and takes nothing.
    fn tiers(&self, want: Vec<EntitlementName>, token: ClientToken) -> Call<Tiers>;

    /// `GetLicense` of this ARN, or `ListReceivedLicenses` of the product when there is none yet.
    fn details(&self, license_arn: Option<String>) -> Call<Details>;

    /// `CheckoutLicense`, `PROVISIONAL`, of counted entitlements: takes seats.
    fn check_out(&self, want: Vec<Entitlement>, token: ClientToken) -> Call<CheckedOut>;

    /// `ExtendLicenseConsumption`; at most once per token and hour.
    fn extend(&self, token: ConsumptionToken) -> Call<CheckedOut>;

    /// `CheckoutLicense`, `PERPETUAL`: takes prepaid units, which cannot be returned.
    fn draw(&self, want: Entitlement, token: ClientToken) -> Call<Drawn>;

    /// `GetLicenseUsage`.
    fn consumption(&self, license_arn: String) -> Call<Consumption>;

    /// `CheckInLicense`.
    fn check_in(&self, token: ConsumptionToken) -> Call<CheckedIn>;
}

/// What the start-up check of custom metering sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageProbe {
    /// Product code.
    pub product: ProductCode,
    /// For a dry run any dimension of the product; for a probe the one that is there for it.
    pub dimension: String,
    /// Now, by the guard's clock.
    pub timestamp: Timestamp,
}

/// What a [`Cloud`] is built for: the part of the settings that it needs.
#[derive(Clone, Debug)]
pub struct CloudSettings {
    /// SKU of the product, for contracts.
    pub product_sku: Option<ProductSku>,
    /// Issuer that a license must come from.
    pub issuer_fingerprint: String,
    /// True when the pricing needs metering, whose rules for credentials are stricter.
    pub metering: bool,
    /// Base URL of a sandbox task, such as `http://127.0.0.1:4000/t/app`; `None` in production.
    pub sandbox: Option<String>,
    /// More roots to trust, as PEM.
    pub extra_ca_pem: Option<String>,
    /// Proxy for CONNECT.
    pub proxy: ProxyChoice,
    /// Hosts with FIPS-validated cryptography, where AWS has them.
    pub use_fips_endpoint: bool,
    /// Hosts that answer over IPv6 as well, where AWS has them.
    pub use_dualstack_endpoint: bool,
}
