//! Switches: one for each question that AWS's documents leave open.
//!
//! The default is the most likely reading; a library that is right under every position is right.

use serde::{Deserialize, Serialize};

use crate::wire::time::HOUR_MS;

/// What a successful dry run looks like.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DryRun {
    /// 200 with `MeteringRecordId: "DryRunOperation"`, as production code was seen to expect.
    #[default]
    Ok,
    /// An error with the code `DryRunOperation`, as EC2 does it.
    Error,
    /// `UnauthorizedException`: the role may not meter.
    Unauthorized,
}

/// How the claims of the `RegisterUsage` token are spelled.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Claims {
    /// As AWS's own Java sample reads them.
    #[default]
    Camel,
    /// As the prose of the seller guide shows them.
    Pascal,
}

/// Where the error code is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ErrorStyle {
    /// `__type` in the body.
    #[default]
    Type,
    /// `x-amzn-errortype` only.
    Header,
    /// `__type` with a namespace and `#`.
    Namespaced,
    /// `x-amzn-errortype` with `:` and a URL behind.
    Suffixed,
}

/// Which clock ends credentials.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CredentialsClock {
    /// The sandbox's own, as everything else.
    #[default]
    Virtual,
    /// They never end here, and their `Expiration` is far in the future: for clients that live by the
    /// real clock while the sandbox's stands somewhere else.
    Never,
}

/// The positions of all switches.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Switches {
    /// How old a record may be, counted from the beginning of its hour.
    pub(crate) meter_window_ms: i64,
    pub(crate) dry_run: DryRun,
    /// Whether a dry run looks at the subscription too.
    pub(crate) dry_run_checks_subscription: bool,
    pub(crate) claims: Claims,
    /// How long `CheckoutLicense` answers a repeated client token with the first answer; -1 for ever.
    pub(crate) checkout_token_window_ms: i64,
    /// Whether a license is checked out in its home Region only: `CheckoutLicense` elsewhere answers
    /// `RedirectException`, and its tokens are unknown elsewhere.
    pub(crate) checkout_only_at_home: bool,
    /// Whether `ExtendLicenseConsumption` hands out a new token.
    pub(crate) extend_changes_token: bool,
    pub(crate) zoneless_dates: bool,
    /// Whether answers carry the keys that AWS's sample answers show and its model does not know.
    pub(crate) odd_sample_keys: bool,
    pub(crate) error_style: ErrorStyle,
    /// 10 `MeterUsage` and 5 `RegisterUsage` calls a second per account and Region, in real time.
    pub(crate) rate_limits: bool,
    /// Whether the same quantity with other allocations is a duplicate.
    pub(crate) allocations_in_identity: bool,
    /// IAM actions (`MeterUsage`, or `aws-marketplace:MeterUsage`) that are answered with
    /// `AccessDeniedException`.
    pub(crate) iam_denied: Vec<String>,
    /// How far the time in a signature may be from the sandbox's clock; absent: not looked at, because
    /// clients that live by the real clock could not talk to a frozen one.
    pub(crate) signature_skew_ms: Option<i64>,
    pub(crate) credentials_clock: CredentialsClock,
    pub(crate) credentials_ttl_ms: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            meter_window_ms: 6 * HOUR_MS,
            dry_run: DryRun::default(),
            dry_run_checks_subscription: true,
            claims: Claims::default(),
            checkout_token_window_ms: 600_000,
            checkout_only_at_home: false,
            extend_changes_token: false,
            zoneless_dates: false,
            odd_sample_keys: false,
            error_style: ErrorStyle::default(),
            rate_limits: false,
            allocations_in_identity: false,
            iam_denied: Vec::new(),
            signature_skew_ms: None,
            credentials_clock: CredentialsClock::default(),
            credentials_ttl_ms: 6 * HOUR_MS,
        }
    }
}

impl Switches {
    pub(crate) fn denies(&self, iam_prefix: &str, operation: &str) -> bool {
        self.iam_denied
            .iter()
            .any(|denied| denied == operation || *denied == format!("{iam_prefix}:{operation}"))
    }
}
